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
/// The Chat Completions API of OpenAI, as it and the many servers that imitate it speak it.

namespace cuco::wire {

/// Whose version of the API it is.
enum class ChatFlavor : std::uint8_t { kOpenAi, kAzure, kDeepSeek, kOpenRouter, kOther };

/// The JSON of a request.
[[nodiscard]] Body chat_body(std::string const& model,
                             ChatFlavor flavor,
                             ChatRequest const& request,
                             Dialect const& dialect,
                             bool stream);

/// The reply in a body that came whole. `provider` is for errors. Errors as for `anthropic_reply`.
[[nodiscard]] Result<ChatReply> chat_reply(std::string const& provider, std::string_view body);

[[nodiscard]] std::unique_ptr<ReplyDecoder> chat_decoder(std::string const& provider, OnText on_text);

inline constexpr Knobs kChatKnobs{
    .temperature = true, .max_tokens = true, .stream_options = true, .cache = true, .effort = true};

/// A model of OpenAI that thinks before it answers: it takes an effort and no temperature.
[[nodiscard]] bool is_openai_reasoning(std::string_view model);

/// The word for an effort: the first that `dialect` has not seen refused; empty when none is left or asked
/// for.
[[nodiscard]] std::string openai_effort(ChatRequest const& request, Dialect const& dialect);

}  // namespace cuco::wire

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/wire/openai_chat_wire-inl.hpp"
#endif
