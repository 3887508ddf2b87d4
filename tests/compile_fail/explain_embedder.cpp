// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/concepts.hpp"
#include "cuco/core/embedding.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: an Embedder must be (m)ovable"}}
struct Bad {
  Bad(Bad&&) = delete;
  Result<Embedding> embed(std::string_view);
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: an Embedder needs embed\(std::string_view\)"}}
struct Bad {};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: Embedder::embed must return (R)esult<Embedding>"}}
struct Bad {
  int embed(std::string_view);
};
#endif
static_assert(explain_embedder<Bad>());

}  // namespace cuco
