// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "cuco/core/chat.hpp"

namespace cuco::impl {

/// Everything that makes two requests different, as bytes: each field as its length, a colon and its text.
/// What only changes how a reply is delivered (`on_text`, `cache_prompt`) is left out.
[[nodiscard]] std::string canonical_request(std::string const& model, ChatRequest const& request);

/// 32 hex digits over `canonical_request`: the name of a request in recordings and caches.
[[nodiscard]] std::string request_key(std::string const& model, ChatRequest const& request);

/// The same for the conversation `request` belongs to: its turns before the first answer.
[[nodiscard]] std::string conversation_key(ChatRequest const& request);

/// Whether `request` continues a conversation, that is, holds an answer already.
[[nodiscard]] bool continues_conversation(ChatRequest const& request);

/// How two requests compare, for people.
struct RequestDifference {
  std::size_t alike = 0;  ///< Larger for requests that have more in common.
  std::string text{};     ///< The first difference, one line; empty when there is none.
};
[[nodiscard]] RequestDifference compare_requests(std::string const& recorded_model,
                                                 ChatRequest const& recorded,
                                                 std::string const& asked_model,
                                                 ChatRequest const& asked);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/canonical_request-inl.hpp"
#endif
