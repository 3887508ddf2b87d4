// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"

namespace cuco {

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: an Observer must be (m)ovable"}}
struct Bad {
  Bad(Bad&&) = delete;
  void on(Event const&);
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: an Observer needs on\(Event const&\)"}}
struct Bad {};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: Observer::on must return (v)oid"}}
struct Bad {
  int on(Event const&);
};
#endif
static_assert(explain_observer<Bad>());

}  // namespace cuco
