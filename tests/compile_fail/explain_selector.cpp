// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: a Selector must be (m)ovable"}}
struct Bad {
  Bad(Bad&&) = delete;
  Result<ProgramId> select(Population const&, Rng&);
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: a Selector needs select\(Population const&, Rng&\)"}}
struct Bad {};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: Selector::select must return (R)esult<ProgramId>"}}
struct Bad {
  int select(Population const&, Rng&);
};
#endif
static_assert(explain_selector<Bad>());

}  // namespace cuco
