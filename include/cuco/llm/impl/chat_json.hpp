// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// A call as one JSON object on one line, and back without the loss of a byte: text that is not UTF-8 is kept
/// as
/// `{"base64": …}`. `on_text` is left out. Errors of the reader: kParse.
[[nodiscard]] std::string request_to_json(ChatRequest const& request);
[[nodiscard]] Result<ChatRequest> request_from_json(std::string_view json);

/// `{"reply": …}` or `{"error": …}`.
[[nodiscard]] std::string answer_to_json(Result<ChatReply> const& answer);
/// Empty when `json` is neither, or one without a finish reason or code that is known.
[[nodiscard]] std::optional<Result<ChatReply>> answer_from_json(std::string_view json);

/// Copies without secrets, see redaction.hpp.
[[nodiscard]] ChatRequest redacted(ChatRequest const& request);
[[nodiscard]] Result<ChatReply> redacted(Result<ChatReply> answer);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/chat_json-inl.hpp"
#endif
