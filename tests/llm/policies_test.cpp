// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "cuco/llm/asymmetric_ucb.hpp"
#include "cuco/llm/cost_aware_ucb.hpp"
#include "cuco/llm/thompson_policy.hpp"
#include "cuco/llm/uniform_policy.hpp"
#include "cuco/llm/weighted_policy.hpp"

namespace cuco {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

double sum(std::vector<double> const& v) {
  return std::accumulate(v.begin(), v.end(), 0.0);
}

AsymmetricUcb started(AsymmetricUcbOptions options, std::size_t arms) {
  AsymmetricUcb policy(options);
  EXPECT_TRUE(policy.start(arms));
  return policy;
}

TEST(EpsilonGreedy, WinnersShareAndTheRestSharesEpsilon) {
  EXPECT_THAT(impl::epsilon_greedy({1, 3, 2}, 0.2), Pointwise(DoubleNear(1e-12), {0.1, 0.8, 0.1}));
  EXPECT_THAT(impl::epsilon_greedy({3, 3, 2}, 0.2), Pointwise(DoubleNear(1e-12), {0.4, 0.4, 0.2}));
  EXPECT_THAT(impl::epsilon_greedy({3, 3, 3}, 0.2),
              Pointwise(DoubleNear(1e-12), {1 / 3.0, 1 / 3.0, 1 / 3.0}));
  EXPECT_THAT(impl::epsilon_greedy({5}, 0.2), ElementsAre(1));
}

TEST(PickArm, StaysWithUsableArms) {
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(impl::pick_arm({1, 1, 1}, {false, true, false}, rng), 1U);
    EXPECT_NE(impl::pick_arm({5, 0, 0}, {false, true, true}, rng), 0U)
        << "no weight among the usable: evenly";
    EXPECT_NE(impl::pick_arm({1e-300, 1, 0}, {true, true, false}, rng), 2U);
  }
}

// With numbers worked out by hand from the published formula, in the reference's own units.
TEST(AsymmetricUcb, TheExponentialModeByHand) {
  auto policy = started({.scale = 1}, 2);
  EXPECT_THAT(policy.posterior(), ElementsAre(0.5, 0.5)) << "nothing tried";
  policy.submitted(0);
  EXPECT_THAT(policy.posterior(), ElementsAre(0, 1)) << "what was never tried comes first";
  // Baseline max(12, 10) = 12, so r = 1 and the contribution is e - 1.
  policy.completed(0, {.reward = 13, .parent = 12, .baseline = 10});
  double const s = std::exp(1.0) - 1;                // 1.71828
  double const decayed = 0.95 * s / (1 + 0.05 * s);  // 1.50322
  double const mean = decayed / 0.95;                // 1.58234
  EXPECT_NEAR(mean, 1.58234, 1e-5);
  // The largest result decays to 1.50322 too, but not below the largest mean.
  EXPECT_NEAR(policy.values()[0], 1, 1e-12);
  policy.submitted(1);
  policy.completed(1, {.reward = 12.5, .parent = 12, .baseline = 10});
  double const s1 = std::exp(0.5) - 1;  // 0.64872
  double const mean1 = 0.95 * s1 / (1 + 0.05 * s1) / 0.95;
  double const s0 = 0.95 * decayed / (1 + 0.05 * decayed);
  double const mean0 = s0 / (0.95 * 0.95);
  double const most = std::max(0.95 * mean / (1 + 0.05 * mean), std::max(mean0, mean1));
  EXPECT_THAT(policy.values(), Pointwise(DoubleNear(1e-12), {mean0 / most, mean1 / most}));
  double const bonus = std::sqrt(2 * std::log(2.0));
  EXPECT_THAT(policy.scores(), Pointwise(DoubleNear(1e-12), {mean0 / most + bonus, mean1 / most + bonus}));
  EXPECT_THAT(policy.posterior(), Pointwise(DoubleNear(1e-12), {0.8, 0.2}));
  // Five choices of arm 0 that are not known to have come to anything: the other one is better now.
  EXPECT_THAT(policy.posterior({5, 0}), Pointwise(DoubleNear(1e-12), {0.2, 0.8}));
}

TEST(AsymmetricUcb, TheLinearModeByHand) {
  auto policy = started({.decay = 0.5, .exponential_base = std::nullopt, .scale = 1}, 3);
  policy.completed(0, {.reward = 14, .parent = 10, .baseline = 8});  // 4; range [4, 4]
  EXPECT_THAT(policy.values(), ElementsAre(0, 0, 0));
  policy.completed(1, {.reward = 11, .parent = 10, .baseline = 8});  // 1
  // Range after decay: most 4 -> max(.5 4 + .5 4, 4) = 4; least 1 -> min(.5 1 + .5 1, 1) = 1.
  EXPECT_THAT(policy.values(), Pointwise(DoubleNear(1e-12), {1.0, 0.0, 0.0}));
  policy.completed(0, {.baseline = 8});  // a failure counts 0 and does not move the range
  // Arm 0: sum .5 (.5 (.5 4) + ...) = ((4 * .5) * .5 + 0) * .5 = .5; weight ((1 * .5) * .5 + 1) * .5 = .625;
  // mean .8. Most: max(.5 4 + .5 1, 1) = 2.5; least: min(.5 1 + .5 .8, .8) = .8.
  EXPECT_NEAR(policy.values()[0], 0, 1e-12);
  EXPECT_NEAR(policy.values()[1], (1 - 0.8) / (2.5 - 0.8), 1e-12);
  policy.completed(2, {.reward = 7, .parent = 10, .baseline = 8});  // a loss counts like no gain
  EXPECT_GE(policy.values()[2], 0 - 1);
}

/// The formula once more, written down independently: plain sums in long double instead of logarithms.
struct Reference {
  AsymmetricUcbOptions o;
  std::size_t arms;
  std::vector<long double> sums = std::vector<long double>(arms, 0);
  std::vector<long double> weights = std::vector<long double>(arms, 0);
  std::vector<int> submitted = std::vector<int>(arms, 0);
  std::vector<int> done = std::vector<int>(arms, 0);
  std::optional<long double> most{};
  std::optional<long double> least{};

  long double mean(std::size_t i) const { return sums[i] / std::max<long double>(weights[i], 1e-7L); }
  bool exponential() const { return o.exponential_base.has_value(); }

  void update(std::size_t arm,
              std::optional<double> reward,
              std::optional<double> parent,
              double generation_0) {
    long double from = 0;
    if (o.shift_by_baseline && o.shift_by_parent) from = std::max(parent.value_or(-1e300), generation_0);
    if (o.shift_by_baseline && !o.shift_by_parent) from = generation_0;
    if (!o.shift_by_baseline && o.shift_by_parent) from = parent.value_or(generation_0);
    std::optional<long double> r;
    if (reward) r = (*reward - from) / o.scale;
    if (o.asymmetric) r = std::max<long double>(r.value_or(0), 0);
    bool const real = reward.has_value();
    long double value = 0;
    if (exponential()) {
      if (r) value = std::exp(*r * *o.exponential_base) - (o.asymmetric && o.shift_by_baseline ? 1 : 0);
    } else if (r) {
      value = *r;
    } else {
      std::vector<long double> means;
      for (std::size_t i = 0; i < arms; ++i)
        if (done[i] > 0) means.push_back(mean(i));
      if (means.empty()) {
        value = -1;
      } else {
        long double average = 0;
        for (auto m : means) average += m / means.size();
        long double squares = 0;
        for (auto m : means) squares += (m - average) * (m - average);
        value = *std::min_element(means.begin(), means.end()) -
                (means.size() > 1 ? std::sqrt(squares / (means.size() - 1)) : 1);
      }
    }
    sums[arm] += value;
    weights[arm] += 1;
    ++done[arm];
    if (real) {
      most = std::max(most.value_or(value), value);
      least = std::min(least.value_or(value), value);
    }
    long double const f = o.decay;
    auto const shrink = [&](long double s) { return f * s / (1 + (1 - f) * s); };
    long double highest = -1e300L;
    long double lowest = 1e300L;
    for (std::size_t i = 0; i < arms; ++i) {
      weights[i] *= f;
      sums[i] = exponential() ? shrink(sums[i]) : sums[i] * f;
      if (done[i] == 0) continue;
      highest = std::max(highest, mean(i));
      lowest = std::min(lowest, mean(i));
    }
    if (!most) return;
    if (f == 1) return;
    if (exponential()) {
      most = std::max(shrink(*most), highest);
      least = *least > 0 ? std::min(shrink(*least), lowest) : *least;
    } else {
      most = std::max(f * *most + (1 - f) * highest, highest);
      least = std::min(f * *least + (1 - f) * lowest, lowest);
    }
  }

  std::vector<double> posterior() const {
    std::vector<double> out(arms, 0);
    std::vector<std::size_t> unseen;
    long double t = 0;
    for (std::size_t i = 0; i < arms; ++i) {
      if (std::max(submitted[i], done[i]) == 0) unseen.push_back(i);
      t += std::max(submitted[i], done[i]);
    }
    if (!unseen.empty()) {
      for (auto i : unseen) out[i] = 1.0 / unseen.size();
      return out;
    }
    std::vector<double> scores;
    for (std::size_t i = 0; i < arms; ++i) {
      long double value = 0;
      if (done[i] > 0 && most) {
        if (!o.adaptive_scale) {
          value = mean(i);
        } else if (exponential() && o.asymmetric) {
          value = *most > 0 ? mean(i) / *most : 0;
        } else {
          value = *most > *least ? (mean(i) - *least) / (*most - *least) : 0;
          if (exponential()) value = std::max<long double>(value, 0);  // below the range there is nothing
        }
      } else if (done[i] > 0 && !o.adaptive_scale) {
        value = mean(i);
      }
      long double const n = std::max(submitted[i], done[i]);
      scores.push_back(static_cast<double>(
          value + o.exploration * std::sqrt(2 * std::log(std::max<long double>(t, 2)) / n)));
    }
    return scores;
  }
};

TEST(AsymmetricUcb, AgreesWithAnIndependentImplementation) {
  int compared = 0;
  for (int mode = 0; mode < 32; ++mode) {
    AsymmetricUcbOptions o;
    o.scale = mode % 2 == 0 ? 1 : 2.5;
    o.asymmetric = (mode & 2) != 0;
    if ((mode & 4) != 0) o.exponential_base.reset();
    o.shift_by_baseline = (mode & 8) != 0;
    o.shift_by_parent = (mode & 16) != 0;
    o.adaptive_scale = mode % 3 != 0;
    o.decay = mode % 5 == 0 ? 1 : 0.9;
    o.exploration = 0.5;
    Rng rng(static_cast<std::uint64_t>(mode) + 1);
    auto policy = started(o, 4);
    Reference reference{o, 4};
    for (int step = 0; step < 120; ++step) {
      std::size_t const arm = rng.below(4);
      policy.submitted(arm);
      ++reference.submitted[arm];
      if (!rng.chance(0.8)) continue;
      std::optional<double> reward;
      std::optional<double> parent;
      if (rng.chance(0.8)) reward = 3 + 4 * rng.uniform();
      if (rng.chance(0.7)) parent = 3 + 3 * rng.uniform();
      policy.completed(arm, {.reward = reward, .parent = parent, .baseline = 3.5});
      reference.update(arm, reward, parent, 3.5);
      auto const scores = policy.scores();
      auto const expected = reference.posterior();
      if (std::any_of(scores.begin(), scores.end(), [](double s) { return std::isinf(s); })) {
        ASSERT_THAT(policy.posterior(), Pointwise(DoubleNear(1e-9), expected))
            << "mode " << mode << " step " << step;
        continue;
      }
      ASSERT_THAT(scores, Pointwise(DoubleNear(1e-7), expected)) << "mode " << mode << " step " << step;
      ASSERT_NEAR(sum(policy.posterior()), 1, 1e-9);
      ++compared;
    }
  }
  EXPECT_GT(compared, 2000);
}

TEST(AsymmetricUcb, HugeGainsDoNotOverflow) {
  auto policy = started({.scale = 1}, 2);
  policy.completed(0, {.reward = 9000, .baseline = 100});
  policy.completed(1, {.reward = 8999, .baseline = 100});
  for (int i = 0; i < 500; ++i) policy.completed(i % 2, {.reward = 5000.0 + i, .baseline = 100});
  for (double const value : policy.values()) {
    EXPECT_TRUE(std::isfinite(value));
    EXPECT_GE(value, 0);
    EXPECT_LE(value, 1 + 1e-9);
  }
  EXPECT_NEAR(sum(policy.posterior()), 1, 1e-9);
}

TEST(AsymmetricUcb, TheUnitOfScoresDoesNotMatter) {
  auto const run = [](double unit, double scale) {
    auto policy = started({.scale = scale}, 3);
    Rng rng(5);
    std::vector<std::vector<double>> out;
    for (int i = 0; i < 60; ++i) {
      std::size_t const arm = rng.below(3);
      policy.submitted(arm);
      policy.completed(arm,
                       {.reward = unit * (2 + rng.uniform() * static_cast<double>(arm + 1)),
                        .parent = unit * 2.5,
                        .baseline = unit * 2});
      out.push_back(policy.values());
    }
    return out;
  };
  auto const base = run(1, 0);
  for (double const unit : {1e-3, 100.0, 1e6}) {
    auto const other = run(unit, 0);
    for (std::size_t i = 0; i < base.size(); ++i)
      ASSERT_THAT(other[i], Pointwise(DoubleNear(1e-9), base[i])) << unit;
  }
  // The published formula does depend on it.
  EXPECT_NE(run(100, 1).back(), run(1, 1).back());
}

TEST(AsymmetricUcb, TheScaleIsFixedByTheFirstPositiveScore) {
  auto policy = started({}, 1);
  policy.completed(0, {});              // a broken seed and a broken program
  policy.completed(0, {.reward = 50});  // the unit from now on
  policy.completed(
      0, {.reward = 75, .baseline = 10'000});  // too late to change it: (75 - 10000) / 50 is no gain
  AsymmetricUcb copy = policy;
  copy.completed(0, {.reward = 100, .parent = 50});
  auto expected = started({.scale = 50}, 1);
  expected.completed(0, {});
  expected.completed(0, {.reward = 50});
  expected.completed(0, {.reward = 75, .baseline = 10'000});
  expected.completed(0, {.reward = 100, .parent = 50});
  EXPECT_EQ(copy.values(), expected.values());
}

TEST(AsymmetricUcb, ABatchGivesEveryUntriedArmOneAndSumsToOne) {
  auto policy = started({}, 4);
  Rng rng(3);
  EXPECT_THAT(policy.allocation(8, rng), ::testing::Each(::testing::Ge(1.0 / 8)));
  EXPECT_NEAR(sum(policy.allocation(8, rng)), 1, 1e-12);
  EXPECT_THAT(policy.allocation(2, rng), ElementsAre(0.5, 0.5, 0, 0));
  for (std::size_t arm = 0; arm < 4; ++arm)
    policy.completed(arm, {.reward = 1.0 + static_cast<double>(arm), .baseline = 1});
  auto const shares = policy.allocation(100, rng);
  EXPECT_NEAR(sum(shares), 1, 1e-12);
  EXPECT_GT(shares[3], shares[0]);
  EXPECT_GT(shares[0], 0.02) << "virtual choices lower an arm's bonus, so no arm gets all of a batch";
  EXPECT_TRUE(policy.allocation(0, rng).size() == 4 && sum(policy.allocation(0, rng)) == 0);
}

TEST(AsymmetricUcb, OptionsWithoutMeaningAreRefused) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  for (auto const& o : {AsymmetricUcbOptions{.exploration = -1},
                        AsymmetricUcbOptions{.epsilon = 1.5},
                        AsymmetricUcbOptions{.decay = 0},
                        AsymmetricUcbOptions{.decay = 1.01},
                        AsymmetricUcbOptions{.exponential_base = 0.0},
                        AsymmetricUcbOptions{.scale = -1},
                        AsymmetricUcbOptions{.exploration = nan}})
    EXPECT_EQ(AsymmetricUcb(o).start(2).error().code, ErrorCode::kInvalidArgument);
}

template <class Policy>
class LearningPolicy : public ::testing::Test {};
using Learning = ::testing::Types<AsymmetricUcb, CostAwareUcb, ThompsonPolicy>;
TYPED_TEST_SUITE(LearningPolicy, Learning);

ArmResult some_result(Rng& rng) {
  ArmResult result;
  if (rng.chance(0.7)) result.reward = 100 + 100 * rng.uniform();
  if (rng.chance(0.7)) result.parent = 100 + 80 * rng.uniform();
  result.baseline = 110;
  if (rng.chance(0.7)) result.cost_usd = rng.uniform();
  return result;
}

TYPED_TEST(LearningPolicy, StateSurvivesSaveAndLoadExactly) {
  TypeParam running;
  ASSERT_TRUE(running.start(5));
  Rng rng(8);
  for (int i = 0; i < 200; ++i) {
    std::size_t const arm = rng.below(4);  // one arm is never tried
    running.submitted(arm);
    running.completed(arm, some_result(rng));
  }
  TypeParam restarted;
  ASSERT_TRUE(restarted.start(5));
  ASSERT_TRUE(restarted.load(running.save()));
  EXPECT_EQ(restarted.save(), running.save());
  std::vector<int> const pulls(5, 0);
  std::vector<bool> const usable(5, true);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng a(seed);
    Rng b(seed);
    ASSERT_EQ(running.choose({pulls, usable}, a), restarted.choose({pulls, usable}, b));
    auto const result = some_result(a);
    running.completed(seed % 5, result);
    restarted.completed(seed % 5, result);
  }
  EXPECT_EQ(restarted.save(), running.save());
}

TYPED_TEST(LearningPolicy, OtherTextIsRefusedAndChangesNothing) {
  TypeParam policy;
  ASSERT_TRUE(policy.start(2));
  policy.completed(0, {.reward = 5, .baseline = 1});
  auto const before = policy.save();
  for (char const* text : {"", "null", "[]", "{}", "{\"arms\":[]}", "{\"arms\":[{},{},{}]}", "\xff"}) {
    auto const loaded = policy.load(text);
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code, ErrorCode::kParse);
    EXPECT_EQ(policy.save(), before);
  }
}

TYPED_TEST(LearningPolicy, ChoosesUsableArmsOnly) {
  TypeParam policy;
  ASSERT_TRUE(policy.start(4));
  for (std::size_t arm = 0; arm < 4; ++arm)
    for (int i = 0; i < 10; ++i)
      policy.completed(arm, {.reward = 10.0 * static_cast<double>(arm), .baseline = 1});
  std::vector<int> const pulls(4, 0);
  Rng rng(4);
  for (int i = 0; i < 300; ++i) EXPECT_LT(policy.choose({pulls, {true, true, false, false}}, rng), 2U);
}

/// A search in which arm i improves its parent with probability `chance[i]`; else its program is worse or
/// broken.
template <class Policy>
double improvements(Policy policy, std::uint64_t seed, std::vector<double> const& chance, int rounds) {
  EXPECT_TRUE(policy.start(chance.size()));
  std::vector<int> const pulls(chance.size(), 0);
  std::vector<bool> const usable(chance.size(), true);
  double found = 0;
  double best = 100;
  for (int i = 0; i < rounds; ++i) {
    Rng rng = Rng(seed).split("round", static_cast<std::uint64_t>(i));
    std::size_t const arm = policy.choose({pulls, usable}, rng);
    policy.submitted(arm);
    ArmResult result{.parent = best, .baseline = 100};
    if (rng.chance(chance[arm])) {
      found += 1;
      result.reward = best + 5;
    } else if (rng.chance(0.5)) {
      result.reward = best - 10;
    }
    policy.completed(arm, result);
  }
  return found;
}

TYPED_TEST(LearningPolicy, FindsMoreImprovementsThanChance) {
  std::vector<double> const chance{0.05, 0.1, 0.15, 0.5};
  double learned = 0;
  double uniform = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    learned += improvements(TypeParam(), seed, chance, 300);
    uniform += improvements(UniformPolicy(), seed, chance, 300);
  }
  // Knowing the best arm would give 2.5 times as many.
  EXPECT_GT(learned, 1.5 * uniform) << learned << " against " << uniform;
}

TEST(CostAwareUcb, PrefersTheCheaperOfEquallyGoodArms) {
  CostAwareUcb policy;
  ASSERT_TRUE(policy.start(3));
  std::vector<int> const pulls(3, 0);
  std::vector<bool> const usable(3, true);
  std::vector<double> const cost{0.5, 0.02, 0.5};
  std::vector<int> chosen(3, 0);
  for (int i = 0; i < 300; ++i) {
    Rng rng = Rng(3).split("round", static_cast<std::uint64_t>(i));
    auto const arm = policy.choose({pulls, usable}, rng);
    ++chosen[arm];
    policy.submitted(arm);
    policy.completed(
        arm,
        {.reward = rng.chance(0.3) ? 110.0 : 90.0, .parent = 100, .baseline = 100, .cost_usd = cost[arm]});
  }
  EXPECT_GT(chosen[1], 200);
  auto const cheap = policy.cheapness();
  EXPECT_DOUBLE_EQ(cheap[1], 1);
  EXPECT_LT(cheap[0], 0.1);
}

TEST(CostAwareUcb, FormulaOfTheCheapnessByHand) {
  CostAwareUcb policy({.cost_power = 2, .cost_exploration = 0});
  ASSERT_TRUE(policy.start(4));
  policy.completed(0, {.reward = 1, .baseline = 1, .cost_usd = 0.1});
  policy.completed(0, {.reward = 1, .baseline = 1, .cost_usd = 0.3});  // mean .2
  policy.completed(1, {.reward = 1, .baseline = 1, .cost_usd = 0.4});
  policy.completed(2, {.reward = 1, .baseline = 1, .cost_usd = 0.8});
  policy.completed(3, {.reward = 1, .baseline = 1});  // unknown: taken to cost the median, .4
  EXPECT_THAT(policy.cheapness(), Pointwise(DoubleNear(1e-12), {1.0, 0.25, 0.0625, 0.25}));
  CostAwareUcb unsure({.cost_exploration = 0.1});
  ASSERT_TRUE(unsure.start(2));
  unsure.completed(0, {.cost_usd = 1});
  unsure.completed(1, {.cost_usd = 3});
  // Reference 2, bonus .1 * 2 * sqrt(2 ln 2).
  double const bonus = 0.2 * std::sqrt(2 * std::log(2.0));
  EXPECT_THAT(unsure.cheapness(), Pointwise(DoubleNear(1e-12), {1.0, (1 - bonus) / (3 - bonus)}));
}

TEST(CostAwareUcb, FreeArmsAndUnknownCostsAreAllRight) {
  CostAwareUcb policy;
  ASSERT_TRUE(policy.start(2));
  EXPECT_THAT(policy.cheapness(), ElementsAre(1, 1));
  policy.completed(0, {.reward = 1, .cost_usd = 0});
  policy.completed(1, {.reward = 1, .cost_usd = 0});
  EXPECT_THAT(policy.cheapness(), ElementsAre(1, 1));
  policy.completed(1, {.reward = 1, .cost_usd = 1});
  policy.completed(1, {.reward = 1, .cost_usd = std::numeric_limits<double>::quiet_NaN()});
  for (double const value : policy.cheapness()) {
    EXPECT_TRUE(value >= 0 && value <= 1);
  }
  EXPECT_EQ(CostAwareUcb({.cost_weight = 2}).start(2).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(CostAwareUcb({.reward = {.decay = 0}}).start(2).error().code, ErrorCode::kInvalidArgument);
}

TEST(Thompson, DrawsFollowTheBetaDistribution) {
  Rng rng(12);
  for (auto [a, b] : {std::pair{1.0, 1.0}, {5.0, 2.0}, {0.5, 0.7}, {200.0, 50.0}}) {
    double mean = 0;
    double square = 0;
    int const n = 20000;
    for (int i = 0; i < n; ++i) {
      double const x = impl::draw_beta(a, b, rng);
      ASSERT_TRUE(x >= 0 && x <= 1);
      mean += x / n;
      square += x * x / n;
    }
    double const variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(mean, a / (a + b), 5 * std::sqrt(variance / n)) << a << " " << b;
    EXPECT_NEAR(square - mean * mean, variance, 0.05 * variance);
  }
}

TEST(Thompson, ASuccessIsAnImprovement) {
  ThompsonPolicy policy;
  ASSERT_TRUE(policy.start(1));
  policy.completed(0, {.reward = 11, .parent = 10, .baseline = 50});  // better than its parent
  policy.completed(0, {.reward = 10, .parent = 10});                  // as good
  policy.completed(0, {.reward = 51, .baseline = 50});
  policy.completed(0, {.parent = 10});  // not correct
  EXPECT_EQ(policy.save(), R"({"arms":[{"wins":2.0,"losses":2.0}]})");
  EXPECT_EQ(ThompsonPolicy({.prior_wins = 0}).start(1).error().code, ErrorCode::kInvalidArgument);
}

TEST(Thompson, PendingChoicesLowerAnArm) {
  ThompsonPolicy policy({.epsilon = 0});
  ASSERT_TRUE(policy.start(2));
  Rng rng(6);
  int first = 0;
  for (int i = 0; i < 500; ++i)
    first += policy.choose({std::vector<int>{20, 0}, {true, true}}, rng) == 0 ? 1 : 0;
  EXPECT_LT(first, 60);
}

TEST(WeightedPolicy, DrawsInProportion) {
  WeightedPolicy policy({1, 0, 3});
  ASSERT_TRUE(policy.start(3));
  Rng rng(2);
  std::vector<int> chosen(3, 0);
  std::vector<int> const pulls(3, 0);
  for (int i = 0; i < 4000; ++i) ++chosen[policy.choose({pulls, {true, true, true}}, rng)];
  EXPECT_EQ(chosen[1], 0);
  EXPECT_NEAR(chosen[2], 3000, 150);
  EXPECT_EQ(policy.choose({pulls, {false, true, false}}, rng), 1U);
  for (auto const& weights :
       {std::vector<double>{1}, {1, 2, 3, 4}, {0, 0, 0}, {1, -1, 1}, {1, std::nan(""), 1}})
    EXPECT_EQ(WeightedPolicy(weights).start(3).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cuco
