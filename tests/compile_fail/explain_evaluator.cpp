// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: an Evaluator must be (m)ovable"}}
struct Bad {
  Bad(Bad&&) = delete;
  Result<Evaluation> evaluate(Candidate const&) const;
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: an Evaluator needs evaluate\(Candidate const&\) const"}}
struct Bad {};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: Evaluator::evaluate must return (R)esult<Evaluation>"}}
struct Bad {
  int evaluate(Candidate const&) const;
};
#elif CUCO_CASE == 3
// expected-error-3 {{"cuco: an Evaluator needs evaluate\(Candidate const&\) const"}}
struct Bad {
  Result<Evaluation> evaluate(Candidate const&);
};
#endif
static_assert(explain_evaluator<Bad>());

}  // namespace cuco
