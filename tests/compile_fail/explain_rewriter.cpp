// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: a Rewriter must be (m)ovable"}}
struct Bad {
  Bad(Bad&&) = delete;
  Result<Rewrite> rewrite(RewriteRequest const&);
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: a Rewriter needs rewrite\(RewriteRequest const&\)"}}
struct Bad {};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: Rewriter::rewrite must return (R)esult<Rewrite>"}}
struct Bad {
  int rewrite(RewriteRequest const&);
};
#endif
static_assert(explain_rewriter<Bad>());

}  // namespace cuco
