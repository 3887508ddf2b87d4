// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// Case N must be rejected in these words. Parentheses in the pattern keep it from matching its own comment.

#include "cuco/store/run_storage.hpp"

namespace cuco {

struct Good {
  Result<void> add(Program);
  Result<Program> get(ProgramId const&) const;
  Result<Program> best() const;
  Result<std::vector<Program>> top(std::size_t, ProgramFilter const&) const;
  Result<std::vector<Program>> scan(ProgramFilter const&) const;
  template <class F>
  Result<void> transaction(F&&);
  Result<void> update(Program const&);
  Result<void> set_archived(ProgramId const&, bool);
  Result<void> set_value(std::string const&, std::string const&);
  Result<std::optional<std::string>> value(std::string const&) const;
  Result<std::size_t> size() const;
  Result<std::vector<Member>> members() const;
};

#if CUCO_CASE == 0
// expected-error-0 {{"cuco: a Storage needs get\(ProgramId const&\) const"}}
struct Bad : Good {
  void get() = delete;
};
#elif CUCO_CASE == 1
// expected-error-1 {{"cuco: a RunStorage needs update\(Program const&\)"}}
struct Bad : Good {
  void update() = delete;
};
#elif CUCO_CASE == 2
// expected-error-2 {{"cuco: a RunStorage needs set_archived\(ProgramId const&, bool\)"}}
struct Bad : Good {
  void set_archived() = delete;
};
#elif CUCO_CASE == 3
// expected-error-3 {{"cuco: a RunStorage needs set_value\(key, value\) and value\(key\) const"}}
struct Bad : Good {
  void value() = delete;
};
#elif CUCO_CASE == 4
// expected-error-4 {{"cuco: a RunStorage needs size\(\) const and members\(\) const"}}
struct Bad : Good {
  void members() = delete;
};
#elif CUCO_CASE == 5
// expected-error-5 {{"cuco: a member of this RunStorage returns the wrong (t)ype"}}
struct Bad : Good {
  std::size_t size() const;
};
#endif
static_assert(explain_run_storage<Bad>());

}  // namespace cuco
