// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco::impl {

/// One message of the binary stream format of AWS (`application/vnd.amazon.eventstream`).
struct StreamMessage {
  std::map<std::string, std::string, std::less<>> headers{};  ///< Those whose value is text.
  std::string payload{};
  [[nodiscard]] std::string header(std::string_view name) const {
    auto const found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
  bool operator==(StreamMessage const&) const = default;
};

/// Reads such messages from a body that arrives in pieces, cut anywhere. Both checksums of a message are
/// verified.
class EventStreamParser {
 public:
  /// Appends the messages that `bytes` completes to `messages`. Errors: kParse for a wrong checksum or
  /// length; the stream cannot go on after one.
  [[nodiscard]] Status feed(std::string_view bytes, std::vector<StreamMessage>& messages);

  /// The body ended between two messages, not inside one.
  [[nodiscard]] bool at_boundary() const { return buffer_.empty(); }

 private:
  std::string buffer_{};
};

/// CRC-32 of IEEE 802.3, as in zip files.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/event_stream-inl.hpp"
#endif
