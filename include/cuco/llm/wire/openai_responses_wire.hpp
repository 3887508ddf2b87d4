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
/// The Responses API of OpenAI. Nothing is stored there: the whole conversation is sent every time, and what
/// the model thought comes back encrypted.

namespace cuco::wire {

/// The JSON of a request.
[[nodiscard]] Body responses_body(std::string const& model,
                                  ChatRequest const& request,
                                  Dialect const& dialect,
                                  bool stream);

/// The reply in a body that came whole. Errors as for `anthropic_reply`.
[[nodiscard]] Result<ChatReply> responses_reply(std::string_view body);

[[nodiscard]] std::unique_ptr<ReplyDecoder> responses_decoder(OnText on_text);

inline constexpr Knobs kResponsesKnobs{.temperature = true, .encrypted_state = true, .effort = true};

}  // namespace cuco::wire

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/wire/openai_responses_wire-inl.hpp"
#endif
