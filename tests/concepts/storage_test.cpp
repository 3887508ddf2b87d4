// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

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
};
static_assert(Storage<Archetype>);
static_assert(explain_storage<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Storage<Fixed>);

struct Unassignable : Archetype {
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
};
static_assert(!Storage<Unassignable>);

struct WithoutAdd : Archetype {
  void add() = delete;
};
static_assert(!Storage<WithoutAdd>);

struct AddReturnsBool : Archetype {
  bool add(Program);
};
static_assert(!Storage<AddReturnsBool>);

struct WithoutGet : Archetype {
  void get() = delete;
};
static_assert(!Storage<WithoutGet>);

struct GetReturnsBool : Archetype {
  bool get(ProgramId const&) const;
};
static_assert(!Storage<GetReturnsBool>);

struct GetNotConst : Archetype {
  Result<Program> get(ProgramId const&);
};
static_assert(!Storage<GetNotConst>);

struct WithoutBest : Archetype {
  void best() = delete;
};
static_assert(!Storage<WithoutBest>);

struct BestReturnsBool : Archetype {
  bool best() const;
};
static_assert(!Storage<BestReturnsBool>);

struct BestNotConst : Archetype {
  Result<Program> best();
};
static_assert(!Storage<BestNotConst>);

struct WithoutTop : Archetype {
  void top() = delete;
};
static_assert(!Storage<WithoutTop>);

struct TopReturnsBool : Archetype {
  bool top(std::size_t, ProgramFilter const&) const;
};
static_assert(!Storage<TopReturnsBool>);

struct TopNotConst : Archetype {
  Result<std::vector<Program>> top(std::size_t, ProgramFilter const&);
};
static_assert(!Storage<TopNotConst>);

struct WithoutScan : Archetype {
  void scan() = delete;
};
static_assert(!Storage<WithoutScan>);

struct ScanReturnsBool : Archetype {
  bool scan(ProgramFilter const&) const;
};
static_assert(!Storage<ScanReturnsBool>);

struct ScanNotConst : Archetype {
  Result<std::vector<Program>> scan(ProgramFilter const&);
};
static_assert(!Storage<ScanNotConst>);

struct WithoutTransaction : Archetype {
  void transaction() = delete;
};
static_assert(!Storage<WithoutTransaction>);

struct TransactionReturnsNothing : Archetype {
  template <class F>
  void transaction(F&&);
};
static_assert(!Storage<TransactionReturnsNothing>);

struct TransactionOfVoidFunctions : Archetype {
  Result<void> transaction(void (*)());
};
static_assert(!Storage<TransactionOfVoidFunctions>);

TEST(StorageConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_storage<Archetype>());
}

}  // namespace
}  // namespace cuco
