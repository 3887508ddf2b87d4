// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/core/concepts.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

struct Good {
  Result<void> add(Program);
  Result<Program> get(ProgramId const&) const;
  Result<Program> best() const;
  Result<std::vector<Program>> top(std::size_t, ProgramFilter const&) const;
  Result<std::vector<Program>> scan(ProgramFilter const&) const;
  template <class F>
  Result<void> transaction(F&&);
};

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: a Storage must be (m)ovable"}}
struct Bad : Good {
  Bad(Bad&&) = delete;
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: a Storage needs add\(Program\)"}}
struct Bad : Good {
  void add() = delete;
};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: a Storage needs get\(ProgramId const&\) const"}}
struct Bad : Good {
  void get() = delete;
};
#elif CUCO_CASE == 3
// expected-error-3 {{"cuco: a Storage needs best\(\) const"}}
struct Bad : Good {
  Result<Program> best();
};
#elif CUCO_CASE == 4
// expected-error-4 {{"cuco: a Storage needs top\(n, ProgramFilter\) const and scan\(ProgramFilter\) const"}}
struct Bad : Good {
  void scan() = delete;
};
#elif CUCO_CASE == 5
// expected-error-5 {{"cuco: a Storage needs transaction\(f\) for f\(\) -> Result<void>"}}
struct Bad : Good {
  void transaction() = delete;
};
#elif CUCO_CASE == 6
// expected-error-6 {{"cuco: a member of this Storage returns the wrong (t)ype"}}
struct Bad : Good {
  Program best() const;
};
#endif
static_assert(explain_storage<Bad>());

}  // namespace cuco
