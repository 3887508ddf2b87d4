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
/// The API of Amazon Bedrock: Converse and ConverseStream.

namespace cuco::wire {

/// The JSON of a request; the model's name is part of the URL.
[[nodiscard]] Body bedrock_body(std::string const& model, ChatRequest const& request, Dialect const& dialect);

/// The reply in a body that came whole. Errors as for `anthropic_reply`.
[[nodiscard]] Result<ChatReply> bedrock_reply(std::string_view body);

[[nodiscard]] std::unique_ptr<ReplyDecoder> bedrock_decoder(OnText on_text);

inline constexpr Knobs kBedrockKnobs{
    .temperature = true, .cache = true, .claude_thinking = true, .effort = true};

}  // namespace cuco::wire

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/wire/bedrock_wire-inl.hpp"
#endif
