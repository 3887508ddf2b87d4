// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: a Stage must be (m)ovable"}}
struct Bad {
  Bad(Bad&&) = delete;
  Result<Verdict> run(Candidate const&, Evidence&) const;
  std::string_view name() const;
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: a Stage needs run\(Candidate const&, Evidence&\) const"}}
struct Bad {
  std::string_view name() const;
};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: a Stage needs name\(\) const"}}
struct Bad {
  Result<Verdict> run(Candidate const&, Evidence&) const;
};
#elif CUCO_CASE == 3
// expected-error-3 {{"cuco: Stage::run must return Result<Verdict>, name\(\) a text"}}
struct Bad {
  Verdict run(Candidate const&, Evidence&) const;
  std::string_view name() const;
};
#endif
static_assert(explain_stage<Bad>());

}  // namespace cuco
