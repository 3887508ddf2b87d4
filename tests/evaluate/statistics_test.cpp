// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/evaluate/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace cuco {
namespace {

TEST(Statistics, MedianAndQuantilesAsInR) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({7}), 7);
  EXPECT_TRUE(std::isnan(median({})));
  // quantile(c(1, 2, 4, 8, 16), c(0, .1, .25, .9, 1), type = 7)
  std::vector<double> const x{16, 1, 8, 2, 4};
  EXPECT_DOUBLE_EQ(quantile(x, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(x, 0.1), 1.4);
  EXPECT_DOUBLE_EQ(quantile(x, 0.25), 2);
  EXPECT_DOUBLE_EQ(quantile(x, 0.9), 12.8);
  EXPECT_DOUBLE_EQ(quantile(x, 1), 16);
  EXPECT_DOUBLE_EQ(quantile(x, 7), 16);
}

TEST(Statistics, MeanAndStandardDeviation) {
  EXPECT_DOUBLE_EQ(mean({2, 4, 4, 4, 5, 5, 7, 9}), 5);
  EXPECT_DOUBLE_EQ(standard_deviation({2, 4, 4, 4, 5, 5, 7, 9}), std::sqrt(32.0 / 7));
  EXPECT_EQ(standard_deviation({3}), 0);
}

TEST(Statistics, BinomialCdf) {
  EXPECT_NEAR(binomial_half_cdf(0, 5), 1.0 / 32, 1e-12);
  EXPECT_NEAR(binomial_half_cdf(1, 5), 6.0 / 32, 1e-12);
  EXPECT_NEAR(binomial_half_cdf(1, 10), 11.0 / 1024, 1e-12);
  EXPECT_EQ(binomial_half_cdf(5, 5), 1);
  EXPECT_NEAR(binomial_half_cdf(1000, 2001), 0.5, 1e-9);
}

TEST(Statistics, MedianIntervalFromTheTables) {
  // Ranks of the 95 % interval in the usual tables: n = 10: 2 and 9; n = 20: 6 and 15; n = 6: 1 and 6.
  std::vector<double> x;
  for (int i = 1; i <= 20; ++i) x.push_back(i);
  auto interval = median_interval(x);
  EXPECT_EQ(interval.low, 6);
  EXPECT_EQ(interval.high, 15);
  EXPECT_NEAR(interval.confidence, 0.9586, 1e-4);
  x.resize(10);
  interval = median_interval(x);
  EXPECT_EQ(interval.low, 2);
  EXPECT_EQ(interval.high, 9);
  x.resize(6);
  interval = median_interval(x);
  EXPECT_EQ(interval.low, 1);
  EXPECT_EQ(interval.high, 6);
  EXPECT_NEAR(interval.confidence, 0.96875, 1e-9);
}

TEST(Statistics, SmallSamplesAdmitTheirTrueCoverage) {
  auto const interval = median_interval({1, 2, 3});
  EXPECT_EQ(interval.low, 1);
  EXPECT_EQ(interval.high, 3);
  EXPECT_NEAR(interval.confidence, 0.75, 1e-12);
  EXPECT_EQ(median_interval({5}).confidence, 0);
  EXPECT_EQ(median_interval({}).confidence, 0);
}

TEST(Statistics, MedianIntervalCoversAsOftenAsItSays) {
  Rng rng(1);
  int covered = 0;
  constexpr int kRounds = 4000;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> x(15);
    for (double& v : x) v = -std::log(1 - rng.uniform());  // Exponential: skewed as run times are.
    covered += median_interval(x).contains(std::log(2.0));
  }
  EXPECT_NEAR(static_cast<double>(covered) / kRounds, 0.9648, 0.012);  // Exact coverage for n = 15.
}

TEST(Statistics, PairedComparisonSeesWhatTheNoiseHides) {
  Rng noise(2);
  std::vector<double> fast;
  std::vector<double> slow;
  for (int i = 0; i < 30; ++i) {
    double const weather = 1 + noise.uniform();  // Common to both, far larger than the difference.
    fast.push_back(weather * (0.95 + 0.01 * noise.uniform()));
    slow.push_back(weather * (1.00 + 0.01 * noise.uniform()));
  }
  Rng a(7);
  auto const comparison = compare_paired(fast, slow, a);
  EXPECT_TRUE(comparison.faster());
  EXPECT_FALSE(comparison.slower());
  EXPECT_NEAR(comparison.ratio, 0.95, 0.01);
  EXPECT_TRUE(comparison.interval.contains(comparison.ratio));
  Rng b(7);
  auto const again = compare_paired(fast, slow, b);
  EXPECT_EQ(again.interval.low, comparison.interval.low);
  EXPECT_EQ(again.interval.high, comparison.interval.high);
  Rng c(7);
  EXPECT_TRUE(compare_paired(slow, fast, c).slower());
}

TEST(Statistics, PairedComparisonOfEqualsDecidesNothing) {
  Rng noise(4);
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < 20; ++i) {
    a.push_back(1 + 0.1 * noise.uniform());
    b.push_back(1 + 0.1 * noise.uniform());
  }
  Rng rng(1);
  auto const comparison = compare_paired(a, b, rng);
  EXPECT_FALSE(comparison.faster() || comparison.slower());
  EXPECT_EQ(compare_paired({}, {}, rng).interval.confidence, 0);
}

TEST(Statistics, GivesUpOnlyOnEvidence) {
  EXPECT_FALSE(clearly_worse({2, 2, 2, 2}, 1));    // 1/16 > 5 %.
  EXPECT_TRUE(clearly_worse({2, 2, 2, 2, 2}, 1));  // 1/32.
  EXPECT_FALSE(clearly_worse({2, 2, 2, 2, 0.9}, 1));
  EXPECT_FALSE(clearly_worse({1.04, 1.04, 1.04, 1.04, 1.04, 1.04}, 1));  // Within the margin.
  EXPECT_FALSE(clearly_worse({2, 2, 2, 2, 2, 2}, 0));                    // Nothing to compare with.
  EXPECT_FALSE(clearly_worse({}, 1));
}

}  // namespace
}  // namespace cuco
