// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"

namespace cuco::wire {

using OnText = std::function<void(std::string_view)>;

/// Makes one reply of a streamed body that arrives in pieces, cut anywhere.
class ReplyDecoder {
 public:
  ReplyDecoder() = default;
  ReplyDecoder(ReplyDecoder const&) = delete;
  ReplyDecoder& operator=(ReplyDecoder const&) = delete;
  virtual ~ReplyDecoder() = default;

  /// Takes the next bytes. Errors: what the provider tells inside the stream, and kProcess for a stream that
  /// is malformed; the decoder is of no further use after one.
  [[nodiscard]] virtual Status feed(std::string_view bytes) = 0;
  /// The provider has said that nothing follows.
  [[nodiscard]] virtual bool ended() const = 0;
  /// The reply. Errors: kProcess when the stream was cut off: without a finish reason there is no reply.
  [[nodiscard]] virtual Result<ChatReply> finish() = 0;
  /// The tokens that the provider has told so far, for the price of a reply that breaks off. Empty: it has
  /// not begun to answer.
  [[nodiscard]] virtual std::optional<TokenUsage> counted() const = 0;
};

}  // namespace cuco::wire
