// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  Result<ProgramId> select(Population const&, Rng&) { return fail(ErrorCode::kInvalidArgument, "empty"); }
};
static_assert(Selector<Archetype>);
static_assert(explain_selector<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Selector<Fixed>);

struct Unassignable : Archetype {
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
};
static_assert(!Selector<Unassignable>);

struct WithoutMember {};
static_assert(!Selector<WithoutMember>);

struct WrongName {
  Result<ProgramId> select_one(Population const&, Rng&);
};
static_assert(!Selector<WrongName>);

struct BareResult {
  ProgramId select(Population const&, Rng&);
};
static_assert(!Selector<BareResult>);

struct OtherValue {
  Result<int> select(Population const&, Rng&);
};
static_assert(!Selector<OtherValue>);

struct MutableArgument {
  Result<ProgramId> select(Population&, Rng&);
};
static_assert(!Selector<MutableArgument>);

struct PrivateMember {
 private:
  Result<ProgramId> select(Population const&, Rng&);
};
static_assert(!Selector<PrivateMember>);

struct OwnRandomness {
  Result<ProgramId> select(Population const&);
};
static_assert(!Selector<OwnRandomness>);

TEST(SelectorConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_selector<Archetype>());
}

}  // namespace
}  // namespace cuco
