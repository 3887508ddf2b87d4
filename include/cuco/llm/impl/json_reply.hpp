// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// The JSON value in `text`, without fences and prose around it. Nothing when there is none, or when it lacks
/// a member that `schema` requires; `problem` says why.
[[nodiscard]] std::optional<std::string> json_value_in(std::string_view text,
                                                       std::string const& schema,
                                                       std::string& problem);

/// Runs `ask_once` and makes sure that the text of a complete reply is JSON if the request wants it.
[[nodiscard]] Result<ChatReply> with_json_checked(
    std::string const& provider,
    ChatRequest const& request,
    std::function<Result<ChatReply>(ChatRequest const&)> const& ask_once);

/// Errors: kInvalidArgument for a request that no provider takes.
[[nodiscard]] Status check_request(ChatRequest const& request);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/json_reply-inl.hpp"
#endif
