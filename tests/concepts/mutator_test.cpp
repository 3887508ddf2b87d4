// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  Result<Mutation> mutate(MutationContext const&, Rng&) { return fail(ErrorCode::kNotFound, "nothing new"); }
};
static_assert(Mutator<Archetype>);
static_assert(explain_mutator<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Mutator<Fixed>);

struct Unassignable : Archetype {
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
};
static_assert(!Mutator<Unassignable>);

struct WithoutMember {};
static_assert(!Mutator<WithoutMember>);

struct WrongName {
  Result<Mutation> mutate_one(MutationContext const&, Rng&);
};
static_assert(!Mutator<WrongName>);

struct BareResult {
  Mutation mutate(MutationContext const&, Rng&);
};
static_assert(!Mutator<BareResult>);

struct OtherValue {
  Result<int> mutate(MutationContext const&, Rng&);
};
static_assert(!Mutator<OtherValue>);

struct MutableArgument {
  Result<Mutation> mutate(MutationContext&, Rng&);
};
static_assert(!Mutator<MutableArgument>);

struct PrivateMember {
 private:
  Result<Mutation> mutate(MutationContext const&, Rng&);
};
static_assert(!Mutator<PrivateMember>);

struct OwnRandomness {
  Result<Mutation> mutate(MutationContext const&);
};
static_assert(!Mutator<OwnRandomness>);

TEST(MutatorConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_mutator<Archetype>());
}

}  // namespace
}  // namespace cuco
