// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/store/run_storage.hpp"

#include <gtest/gtest.h>

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  Result<void> add(Program) { return {}; }
  Result<Program> get(ProgramId const&) const { return Program{}; }
  Result<Program> best() const { return Program{}; }
  Result<std::vector<Program>> top(std::size_t, ProgramFilter const&) const { return std::vector<Program>(); }
  Result<std::vector<Program>> scan(ProgramFilter const&) const { return std::vector<Program>(); }
  template <class F>
  Result<void> transaction(F&& f) {
    return f();
  }
  Result<void> update(Program const&) { return {}; }
  Result<void> set_archived(ProgramId const&, bool) { return {}; }
  Result<void> set_value(std::string const&, std::string const&) { return {}; }
  Result<std::optional<std::string>> value(std::string const&) const { return std::optional<std::string>(); }
  Result<std::size_t> size() const { return std::size_t{0}; }
  Result<std::vector<Member>> members() const { return std::vector<Member>(); }
};
static_assert(RunStorage<Archetype>);
static_assert(Storage<Archetype>);
static_assert(explain_run_storage<Archetype>());

struct NotEvenAStorage : Archetype {
  void get() = delete;
};
static_assert(!RunStorage<NotEvenAStorage>);

struct WithoutUpdate : Archetype {
  void update() = delete;
};
static_assert(!RunStorage<WithoutUpdate>);

struct UpdateReturnsBool : Archetype {
  bool update(Program const&);
};
static_assert(!RunStorage<UpdateReturnsBool>);

struct WithoutSetArchived : Archetype {
  void set_archived() = delete;
};
static_assert(!RunStorage<WithoutSetArchived>);

struct SetArchivedReturnsBool : Archetype {
  bool set_archived(ProgramId const&, bool);
};
static_assert(!RunStorage<SetArchivedReturnsBool>);

struct WithoutSetValue : Archetype {
  void set_value() = delete;
};
static_assert(!RunStorage<WithoutSetValue>);

struct SetValueReturnsBool : Archetype {
  bool set_value(std::string const&, std::string const&);
};
static_assert(!RunStorage<SetValueReturnsBool>);

struct WithoutValue : Archetype {
  void value() = delete;
};
static_assert(!RunStorage<WithoutValue>);

struct ValueReturnsBool : Archetype {
  bool value(std::string const&) const;
};
static_assert(!RunStorage<ValueReturnsBool>);

struct ValueNotConst : Archetype {
  Result<std::optional<std::string>> value(std::string const&);
};
static_assert(!RunStorage<ValueNotConst>);

struct WithoutSize : Archetype {
  void size() = delete;
};
static_assert(!RunStorage<WithoutSize>);

struct SizeReturnsBool : Archetype {
  bool size() const;
};
static_assert(!RunStorage<SizeReturnsBool>);

struct SizeNotConst : Archetype {
  Result<std::size_t> size();
};
static_assert(!RunStorage<SizeNotConst>);

struct WithoutMembers : Archetype {
  void members() = delete;
};
static_assert(!RunStorage<WithoutMembers>);

struct MembersReturnsBool : Archetype {
  bool members() const;
};
static_assert(!RunStorage<MembersReturnsBool>);

struct MembersNotConst : Archetype {
  Result<std::vector<Member>> members();
};
static_assert(!RunStorage<MembersNotConst>);

// Each near miss above is still a Storage: the refinement alone is what it misses.
static_assert(Storage<WithoutMembers>);
static_assert(Storage<WithoutUpdate>);

TEST(RunStorageConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_run_storage<Archetype>());
}

}  // namespace
}  // namespace cuco
