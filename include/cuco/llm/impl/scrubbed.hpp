// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/error.hpp"
#include "cuco/llm/secret.hpp"

namespace cuco::impl {

/// What a provider says may repeat the key that it was sent.
inline void scrub(std::vector<Secret> const& secrets, std::string& text) {
  for (Secret const& secret : secrets) secret.scrub(text);
}

inline Error scrubbed(std::vector<Secret> const& secrets, Error error) {
  for (std::string* text : {&error.cause, &error.remedy, &error.detail}) {
    scrub(secrets, *text);
    // Messages are cut, and a key may have stood where the cut is.
    for (Secret const& secret : secrets) secret.scrub_cut(*text);
  }
  return error;
}

inline void scrub(std::vector<Secret> const& secrets, ChatReply& reply) {
  for (std::string* text : {&reply.text, &reply.thinking, &reply.provider_state}) scrub(secrets, *text);
  for (ToolCall& call : reply.tool_calls) scrub(secrets, call.arguments);
}

}  // namespace cuco::impl
