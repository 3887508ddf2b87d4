// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/wire/dialect.hpp"
#include "cuco/llm/wire/reply_decoder.hpp"

/// @file
/// The Messages API of Anthropic.

namespace cuco::wire {

/// The JSON of a request.
[[nodiscard]] Body anthropic_body(std::string const& model,
                                  ChatRequest const& request,
                                  Dialect const& dialect,
                                  bool stream);

/// The reply in a body that came whole. Errors: kProcess for malformed ones, `provider_error`'s for errors.
[[nodiscard]] Result<ChatReply> anthropic_reply(std::string_view body);

[[nodiscard]] std::unique_ptr<ReplyDecoder> anthropic_decoder(OnText on_text);

inline constexpr Knobs kAnthropicKnobs{
    .temperature = true, .cache = true, .claude_thinking = true, .effort = true};

}  // namespace cuco::wire

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/wire/anthropic_wire-inl.hpp"
#endif
