// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/core/concepts.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/edit/evolve_blocks.hpp"

/// @file
/// What every `Mutator` promises. Instantiate with a fixture type F that offers
///
///     F::Model                        the mutator
///     static F::Model make()          a fresh one
///     static std::string parent()     a source it can change in at least one way
///     static std::string hopeless()   a source it cannot change (kNotFound); empty: there is none

namespace cuco::testing {

template <class F>
class MutatorContract : public ::testing::Test {
 protected:
  static Program program(std::string code) {
    Program p;
    p.id = ProgramId{"parent"};
    p.code = std::move(code);
    p.correct = true;
    p.combined_score = 1;
    return p;
  }
  static Result<Mutation> mutate(typename F::Model& model,
                                 Program const& parent,
                                 std::uint64_t seed,
                                 std::vector<std::string> const* known = nullptr,
                                 Phase phase = Phase::kExplore) {
    std::vector<Program> const none;
    Rng rng(seed);
    return model.mutate(MutationContext{parent, none, none, 1, phase, {}, {}, known}, rng);
  }
};
TYPED_TEST_SUITE_P(MutatorContract);

TYPED_TEST_P(MutatorContract, ChangesTheParentAndKeepsItsFrozenText) {
  auto model = TypeParam::make();
  auto const parent = this->program(TypeParam::parent());
  auto const blocks = find_evolve_blocks(parent.code);
  ASSERT_TRUE(blocks) << to_line(blocks.error());
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (auto phase : {Phase::kExplore, Phase::kExploit}) {
      auto const mutation = this->mutate(model, parent, seed, nullptr, phase);
      ASSERT_TRUE(mutation) << to_line(mutation.error());
      EXPECT_NE(mutation->code, parent.code);
      EXPECT_FALSE(mutation->code.empty());
      EXPECT_FALSE(mutation->patch_type.empty());
      EXPECT_FALSE(mutation->name.empty());
      EXPECT_EQ(mutation->name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
          << mutation->name;
      EXPECT_GE(mutation->cost_usd, 0);
      // Without blocks the whole source is mutable.
      if (!blocks->empty()) {
        EXPECT_EQ(frozen_hash(mutation->code).value(), frozen_hash(parent.code).value());
      }
    }
  }
}

TYPED_TEST_P(MutatorContract, SameSeedSameMutation) {
  auto const parent = this->program(TypeParam::parent());
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    auto first = TypeParam::make();
    auto second = TypeParam::make();
    auto const a = this->mutate(first, parent, seed);
    auto const b = this->mutate(second, parent, seed);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->code, b->code);
    EXPECT_EQ(a->name, b->name);
    EXPECT_EQ(a->metadata, b->metadata);
  }
}

TYPED_TEST_P(MutatorContract, KnownCodesAreAvoidedUntilNothingIsLeft) {
  auto model = TypeParam::make();
  auto const parent = this->program(TypeParam::parent());
  std::vector<std::string> known{parent.code};
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    auto const mutation = this->mutate(model, parent, seed, &known);
    if (!mutation) {
      EXPECT_EQ(mutation.error().code, ErrorCode::kNotFound);
      EXPECT_FALSE(mutation.error().cause.empty());
      return;
    }
    EXPECT_EQ(std::count(known.begin(), known.end(), mutation->code), 0)
        << "proposed again: " << mutation->name;
    known.push_back(mutation->code);
  }
}

TYPED_TEST_P(MutatorContract, NothingToChangeIsNotFound) {
  auto const code = TypeParam::hopeless();
  if (code.empty()) return;
  auto model = TypeParam::make();
  auto const mutation = this->mutate(model, this->program(code), 1);
  ASSERT_FALSE(mutation);
  EXPECT_EQ(mutation.error().code, ErrorCode::kNotFound);
}

REGISTER_TYPED_TEST_SUITE_P(MutatorContract,
                            ChangesTheParentAndKeepsItsFrozenText,
                            SameSeedSameMutation,
                            KnownCodesAreAvoidedUntilNothingIsLeft,
                            NothingToChangeIsNotFound);

}  // namespace cuco::testing
