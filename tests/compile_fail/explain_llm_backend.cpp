// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: an LLMBackend must be (m)ovable"}}
struct Bad {
  Bad(Bad&&) = delete;
  Result<ChatReply> complete(ChatRequest const&);
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: an LLMBackend needs complete\(ChatRequest const&\)"}}
struct Bad {};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: LLMBackend::complete must return (R)esult<ChatReply>"}}
struct Bad {
  int complete(ChatRequest const&);
};
#endif
static_assert(explain_llm_backend<Bad>());

}  // namespace cuco
