// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../contract/selector_contract.hpp"
#include "chi_square.hpp"
#include "cuco/select/any_selector.hpp"
#include "cuco/select/beam_selector.hpp"
#include "cuco/select/best_of_n_selector.hpp"
#include "cuco/select/phased_selector.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/select/weighted_selector.hpp"

namespace cuco {
namespace {

using testing::chi_square;
using testing::chi_square_limit;
using testing::member;

Population flat(std::vector<Member> members, int islands = 1, int island = -1) {
  Population population;
  population.members = std::move(members);
  population.islands = islands;
  population.island = island;
  return population;
}

template <class S>
std::map<std::string, double> draw(S& selector,
                                   Population const& population,
                                   int times,
                                   std::uint64_t seed = 11) {
  std::map<std::string, double> counts;
  Rng rng(seed);
  for (int i = 0; i < times; ++i) counts[selector.select(population, rng).value().value] += 1;
  return counts;
}

std::vector<double> in_order(std::map<std::string, double> counts, std::vector<std::string> const& ids) {
  std::vector<double> out;
  for (auto const& id : ids) out.push_back(counts[id]);
  return out;
}

std::vector<double> normalised(std::vector<double> weights) {
  double total = 0;
  for (double w : weights) total += w;
  for (double& w : weights) w /= total;
  return weights;
}

TEST(ChiSquare, LimitIsNearTheTable) {
  EXPECT_NEAR(chi_square_limit(5), 18.47, 0.4);   // 4 degrees of freedom
  EXPECT_NEAR(chi_square_limit(11), 29.59, 0.4);  // 10 degrees of freedom
}

TEST(UniformSelector, DrawsEveryCorrectProgramEquallyOften) {
  UniformSelector selector;
  auto const population = flat({member("a", 1), member("b", 50), member("c", 3), member("bad", 0, false)});
  auto const counts = draw(selector, population, 6000);
  EXPECT_EQ(counts.count("bad"), 0U);
  EXPECT_LT(chi_square(in_order(counts, {"a", "b", "c"}), {1 / 3.0, 1 / 3.0, 1 / 3.0}), chi_square_limit(3));
}

TEST(PowerLawSelector, FrequenciesFollowTheRankFormula) {
  for (double alpha : {0.0, 0.5, 1.0, 2.0}) {
    PowerLawSelector selector{.alpha = alpha, .exploitation_ratio = 0};
    auto const population =
        flat({member("c", 30), member("a", 50), member("e", 10), member("b", 40), member("d", 20)});
    std::vector<double> weights;
    for (int rank = 0; rank < 5; ++rank) weights.push_back(std::pow(rank + 1, -alpha));
    auto const observed = in_order(draw(selector, population, 20000), {"a", "b", "c", "d", "e"});
    EXPECT_LT(chi_square(observed, normalised(weights)), chi_square_limit(5)) << "alpha " << alpha;
  }
}

TEST(PowerLawSelector, ExploitationDrawsFromTheArchiveInItsShare) {
  PowerLawSelector selector{.alpha = 0, .exploitation_ratio = 0.2};
  auto members = std::vector<Member>{member("a", 4), member("b", 3), member("c", 2), member("d", 1)};
  members[0].in_archive = members[2].in_archive = true;
  // Exploit (0.2): a, c with 1/2 each. Explore (0.8): all four with 1/4 each.
  auto const observed = in_order(draw(selector, flat(members), 20000), {"a", "b", "c", "d"});
  EXPECT_LT(chi_square(observed, {0.3, 0.2, 0.3, 0.2}), chi_square_limit(4));
}

TEST(PowerLawSelector, WithoutArchiveOnTheIslandEveryCorrectProgramIsACandidate) {
  PowerLawSelector selector{.alpha = 0, .exploitation_ratio = 1};
  auto members =
      std::vector<Member>{member("a", 4, true, 0), member("b", 3, true, 0), member("other", 9, true, 1)};
  members[2].in_archive = true;
  auto const counts = draw(selector, flat(members, 2, 0), 4000);
  EXPECT_EQ(counts.count("other"), 0U);
  EXPECT_LT(chi_square(in_order(counts, {"a", "b"}), {0.5, 0.5}), chi_square_limit(2));
}

TEST(PowerLawSelector, TiesGoByGenerationThenId) {
  // Greedy: practically always rank 0.
  PowerLawSelector selector{.alpha = 60, .exploitation_ratio = 0};
  auto const population = flat(
      {member("z", 5, true, 0, 2), member("y", 5, true, 0, 1), member("x", 5, true, 0, 1), member("w", 4)});
  Rng rng(4);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(selector.select(population, rng).value().value, "x");
}

TEST(PowerLawSelector, RefusesMeaninglessOptions) {
  Rng rng(1);
  auto const population = flat({member("a", 1)});
  for (auto selector : {PowerLawSelector{.alpha = -1},
                        PowerLawSelector{.alpha = std::nan("")},
                        PowerLawSelector{.exploitation_ratio = 1.5},
                        PowerLawSelector{.exploitation_ratio = -0.1}}) {
    auto const chosen = selector.select(population, rng);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(chosen.error().remedy.empty());
  }
}

TEST(WeightedSelector, FrequenciesFollowSigmoidTimesChildren) {
  WeightedSelector selector{.lambda = 0.7};
  std::vector<Member> members{
      member("a", 10), member("b", 12), member("c", 15), member("d", 20), member("out", 99)};
  std::vector<int> const children{0, 3, 1, 4};
  for (std::size_t i = 0; i < 4; ++i) {
    members[i].in_archive = true;
    members[i].children = children[i];
  }
  // Median 13.5; |deviations| 3.5 1.5 1.5 6.5, median 2.5.
  std::vector<double> weights;
  for (std::size_t i = 0; i < 4; ++i)
    weights.push_back(1 / (1 + std::exp(-0.7 * (members[i].score - 13.5) / 2.5)) / (1 + children[i]));
  auto const counts = draw(selector, flat(members), 30000);
  EXPECT_EQ(counts.count("out"), 0U) << "not in the archive";
  EXPECT_LT(chi_square(in_order(counts, {"a", "b", "c", "d"}), normalised(weights)), chi_square_limit(4));
}

TEST(WeightedSelector, EqualScoresLeaveTheChildrenTermOnly) {
  WeightedSelector selector;
  std::vector<Member> members{member("a", 5), member("b", 5), member("c", 5)};
  for (auto& m : members) m.in_archive = true;
  members[1].children = 1;
  members[2].children = 3;
  auto const observed = in_order(draw(selector, flat(members), 20000), {"a", "b", "c"});
  EXPECT_LT(chi_square(observed, normalised({1, 0.5, 0.25})), chi_square_limit(3));
}

TEST(WeightedSelector, ExtremeScoresGiveFiniteChoices) {
  WeightedSelector selector{.lambda = 1e6};
  std::vector<Member> members{member("low", -1e300), member("mid", 0), member("high", 1e300)};
  for (auto& m : members) m.in_archive = true;
  auto const counts = draw(selector, flat(members), 200);
  EXPECT_EQ(counts.count("low"), 0U);
  EXPECT_GT(counts.at("high"), 0);
}

TEST(WeightedSelector, FallsBackToTheBestOnTheIslandThenToAnyCorrect) {
  WeightedSelector selector;
  auto const here =
      flat({member("a", 1, true, 0), member("best", 9, true, 0), member("c", 3, true, 1)}, 2, 0);
  EXPECT_EQ(draw(selector, here, 100).size(), 1U);
  EXPECT_EQ(draw(selector, here, 100).begin()->first, "best");
  auto const elsewhere =
      flat({member("a", 1, true, 0), member("b", 2, true, 0), member("best", 9, true, 1)}, 2, 0);
  auto const counts = draw(selector, elsewhere, 4000);
  EXPECT_LT(chi_square(in_order(counts, {"a", "b"}), {0.5, 0.5}), chi_square_limit(2));
  EXPECT_EQ(counts.count("best"), 0U);
}

TEST(BestOfNSelector, TakesTheSeedOfTheIsland) {
  BestOfNSelector selector;
  auto const population =
      flat({member("s0", 1, true, 0, 0), member("s1", 1, true, 1, 0), member("g5", 99, true, 1, 5)}, 2, 1);
  EXPECT_EQ(draw(selector, population, 50).begin()->first, "s1");
}

TEST(BestOfNSelector, WithABrokenSeedTakesTheEarliestCorrect) {
  BestOfNSelector selector;
  auto const population =
      flat({member("s0", 0, false, 0, 0), member("late", 9, true, 0, 7), member("early", 2, true, 0, 3)});
  EXPECT_EQ(draw(selector, population, 50).begin()->first, "early");
}

TEST(BeamSelector, KeepsItsParentUntilTheBeamIsFull) {
  BeamSelector selector{.beams = 3};
  Rng rng(1);
  auto population = flat({member("seed", 1)});
  EXPECT_EQ(selector.select(population, rng).value().value, "seed");
  // A better program does not end the beam; the children count does.
  population.members.push_back(member("better", 5, true, 0, 1));
  population.members[0].children = 2;
  EXPECT_EQ(selector.select(population, rng).value().value, "seed");
  population.members[0].children = 3;
  EXPECT_EQ(selector.select(population, rng).value().value, "better");
  population.members.push_back(member("best", 8, true, 0, 2));
  EXPECT_EQ(selector.select(population, rng).value().value, "better");
}

TEST(BeamSelector, RespectsIslandsWithABeamEach) {
  BeamSelector selector;
  Rng rng(1);
  auto population = flat({member("a", 1, true, 0), member("b", 9, true, 1)}, 2, 0);
  EXPECT_EQ(selector.select(population, rng).value().value, "a");
  population.island = 1;
  EXPECT_EQ(selector.select(population, rng).value().value, "b");
  population.members.push_back(member("a2", 5, true, 0, 1));
  population.island = 0;
  EXPECT_EQ(selector.select(population, rng).value().value, "a") << "the beam of island 0 goes on";
}

TEST(BeamSelector, StateIsABareIdForOneIslandAndLinesForSeveral) {
  BeamSelector one;
  Rng rng(1);
  auto population = flat({member("a", 1)}, 1, 0);
  ASSERT_TRUE(one.select(population, rng));
  EXPECT_EQ(one.save(), "a");
  BeamSelector several;
  population = flat({member("a", 1, true, 0), member("b", 1, true, 1)}, 2, 1);
  ASSERT_TRUE(several.select(population, rng));
  population.island = 0;
  ASSERT_TRUE(several.select(population, rng));
  EXPECT_EQ(several.save(), "0 a\n1 b");
  BeamSelector loaded;
  loaded.load("legacy-id");
  EXPECT_EQ(loaded.parents.at(-1).value, "legacy-id");
  for (char const* garbage : {"", "\n\n", "x y", "-3 a", "7", " "}) {
    loaded.load(garbage);
    EXPECT_LE(loaded.parents.size(), 1U) << garbage;
  }
}

TEST(BeamSelector, ReplacesAParentThatIsGone) {
  BeamSelector selector;
  selector.load("vanished");
  Rng rng(1);
  EXPECT_EQ(selector.select(flat({member("a", 1), member("b", 2)}), rng).value().value, "b");
}

TEST(PhasedSelector, SwitchesWithThePhase) {
  PhasedSelector selector(BestOfNSelector{}, PowerLawSelector{.alpha = 60, .exploitation_ratio = 0});
  Rng rng(1);
  auto const population = flat({member("seed", 1), member("best", 9, true, 0, 4)});
  EXPECT_EQ(selector.select(population, rng).value().value, "seed");
  selector.on_phase(Phase::kExploit);
  EXPECT_EQ(selector.select(population, rng).value().value, "best");
}

TEST(AnySelector, MakesEveryNamedSelectorAndKeepsItsOptions) {
  for (auto name : selector_names()) {
    auto made = make_selector(name);
    ASSERT_TRUE(made) << name;
    EXPECT_EQ(made->name(), name);
  }
  auto beam = make_selector("beam_search", {.beams = 2}).value();
  ASSERT_NE(beam.extract<BeamSelector>(), nullptr);
  EXPECT_EQ(beam.extract<BeamSelector>()->beams, 2);
  EXPECT_EQ(beam.extract<UniformSelector>(), nullptr);
}

TEST(AnySelector, UnknownNameListsTheKnownOnes) {
  auto const made = make_selector("roulette");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  for (auto name : selector_names()) EXPECT_NE(made.error().remedy.find(name), std::string::npos) << name;
}

TEST(AnySelector, EmptyOneSaysSo) {
  AnySelector selector;
  Rng rng(1);
  EXPECT_EQ(selector.select(flat({member("a", 1)}), rng).error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace cuco
