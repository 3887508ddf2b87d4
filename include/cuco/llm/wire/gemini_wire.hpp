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
/// The API of Gemini: generateContent and streamGenerateContent.

namespace cuco::wire {

/// The JSON of a request; the model's name is part of the URL.
[[nodiscard]] Body gemini_body(std::string const& model, ChatRequest const& request, Dialect const& dialect);

/// The reply in a body that came whole. Errors as for `anthropic_reply`.
[[nodiscard]] Result<ChatReply> gemini_reply(std::string_view body);

[[nodiscard]] std::unique_ptr<ReplyDecoder> gemini_decoder(OnText on_text);

inline constexpr Knobs kGeminiKnobs{.temperature = true, .effort = true};

/// Calls of a model that gives them no ids get ids of this beginning, which are not sent back.
inline constexpr char const* kOwnCallId = "gemini-call-";

}  // namespace cuco::wire

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/wire/gemini_wire-inl.hpp"
#endif
