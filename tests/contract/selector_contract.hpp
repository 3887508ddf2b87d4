// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/select/impl/state.hpp"

/// @file
/// What every `Selector` promises. Instantiate with a type whose default constructor gives a usable selector.

namespace cuco::testing {

inline Member member(std::string id, double score, bool correct = true, int island = 0, int generation = 0) {
  Member m;
  m.id = ProgramId{std::move(id)};
  m.score = score;
  m.correct = correct;
  m.island = island;
  m.generation = generation;
  return m;
}

inline Population random_population(Rng& rng, std::size_t size, int islands) {
  Population population;
  population.islands = islands;
  for (std::size_t i = 0; i < size; ++i) {
    auto m = member("p" + std::to_string(i),
                    0,
                    rng.chance(0.6),
                    static_cast<int>(rng.below(static_cast<std::size_t>(islands))),
                    static_cast<int>(i));
    if (m.correct) m.score = static_cast<double>(rng.below(20));
    m.in_archive = m.correct && rng.chance(0.5);
    m.children = static_cast<int>(rng.below(7));
    population.members.push_back(std::move(m));
  }
  population.island = static_cast<int>(rng.below(static_cast<std::size_t>(islands) + 1)) - 1;
  return population;
}

inline Member const* find(Population const& population, ProgramId const& id) {
  auto it = std::find_if(
      population.members.begin(), population.members.end(), [&](auto const& m) { return m.id == id; });
  return it == population.members.end() ? nullptr : &*it;
}

template <class S>
class SelectorContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(SelectorContract);

TYPED_TEST_P(SelectorContract, EmptyPopulationIsAnInvalidArgument) {
  TypeParam selector{};
  Rng rng(1);
  auto const chosen = selector.select(Population{}, rng);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(chosen.error().cause.find("empty"), std::string::npos);
}

TYPED_TEST_P(SelectorContract, ChoosesMembersByTheIslandAndCorrectnessRules) {
  Rng source(2024);
  for (int round = 0; round < 300; ++round) {
    auto const population =
        random_population(source, 1 + source.below(30), 1 + static_cast<int>(source.below(4)));
    TypeParam selector{};
    Rng rng(static_cast<std::uint64_t>(round));
    for (int draw = 0; draw < 5; ++draw) {
      auto const chosen = selector.select(population, rng);
      ASSERT_TRUE(chosen) << to_line(chosen.error());
      auto const* m = find(population, *chosen);
      ASSERT_NE(m, nullptr) << "not a member: " << chosen->value;
      auto const& all = population.members;
      bool const any_correct = std::any_of(all.begin(), all.end(), [](auto const& x) { return x.correct; });
      bool const island_correct = std::any_of(
          all.begin(), all.end(), [&](auto const& x) { return x.correct && x.island == population.island; });
      EXPECT_EQ(m->correct, any_correct) << "an incorrect parent only when nothing is correct";
      if (population.island >= 0 && island_correct) {
        EXPECT_EQ(m->island, population.island);
      }
    }
  }
}

TYPED_TEST_P(SelectorContract, SameSeedSameChoice) {
  Rng source(7);
  auto const population = random_population(source, 40, 3);
  TypeParam first{};
  TypeParam second{};
  Rng a(42);
  Rng b(42);
  for (int i = 0; i < 100; ++i) {
    auto const x = first.select(population, a);
    auto const y = second.select(population, b);
    ASSERT_TRUE(x && y);
    ASSERT_EQ(*x, *y);
  }
}

TYPED_TEST_P(SelectorContract, BrokenSeedOnOneIslandDoesNotHoldTheRun) {
  Population population;
  population.islands = 2;
  population.island = 0;
  population.members = {member("broken", 0, false, 0), member("good", 5, true, 1, 3)};
  TypeParam selector{};
  Rng rng(3);
  for (int i = 0; i < 50; ++i) {
    auto const chosen = selector.select(population, rng);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->value, "good");
  }
}

TYPED_TEST_P(SelectorContract, StateSurvivesSaveAndLoad) {
  Rng source(99);
  auto population = random_population(source, 30, 3);
  TypeParam running{};
  Rng rng(5);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(running.select(population, rng));
  TypeParam restarted{};
  impl::load_state(restarted, impl::save_state(running));
  EXPECT_EQ(impl::save_state(restarted), impl::save_state(running));
  // A better program arrives: both must treat it alike.
  population.members.push_back(member("late", 1000, true, 0, 50));
  Rng a(6);
  Rng b(6);
  for (int island = -1; island < 3; ++island) {
    population.island = island;
    auto const x = running.select(population, a);
    auto const y = restarted.select(population, b);
    ASSERT_TRUE(x && y);
    EXPECT_EQ(*x, *y);
  }
}

REGISTER_TYPED_TEST_SUITE_P(SelectorContract,
                            EmptyPopulationIsAnInvalidArgument,
                            ChoosesMembersByTheIslandAndCorrectnessRules,
                            SameSeedSameChoice,
                            BrokenSeedOnOneIslandDoesNotHoldTheRun,
                            StateSurvivesSaveAndLoad);

}  // namespace cuco::testing
