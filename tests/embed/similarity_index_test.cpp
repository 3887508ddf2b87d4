// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/embed/similarity_index.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "cuco/core/rng.hpp"

namespace cuco {
namespace {

std::vector<float> random_vector(Rng& rng, std::size_t dimension) {
  std::vector<float> out(dimension);
  for (float& v : out) v = static_cast<float>(2 * rng.uniform() - 1);
  return out;
}

double plain_cosine(std::vector<float> const& a, std::vector<float> const& b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

TEST(SimilarityIndex, FindsWhatAPlainSearchFinds) {
  Rng rng(9);
  for (std::size_t const dimension : {1U, 3U, 15U, 16U, 17U, 100U, 1024U}) {
    SimilarityIndex index;
    std::vector<std::vector<float>> rows;
    for (int i = 0; i < 200; ++i) {
      rows.push_back(random_vector(rng, dimension));
      ASSERT_TRUE(index.add(rows.back()));
      if (i % 20 != 0) continue;
      for (int q = 0; q < 10; ++q) {
        auto const query = random_vector(rng, dimension);
        auto const found = index.nearest(query).value();
        ASSERT_TRUE(found);
        double best = -2;
        for (auto const& row : rows) best = std::max(best, plain_cosine(row, query));
        EXPECT_NEAR(found->cosine, best, 1e-5);
        EXPECT_NEAR(plain_cosine(rows[found->index], query), best, 1e-5)
            << "the row it names is the best one";
      }
    }
    EXPECT_EQ(index.size(), 200U);
    EXPECT_EQ(index.dimension(), dimension);
  }
}

TEST(SimilarityIndex, EqualOnesGiveTheFirst) {
  SimilarityIndex index;
  ASSERT_TRUE(index.add({0, 1, 0}));
  ASSERT_TRUE(index.add({2, 0, 0}));
  ASSERT_TRUE(index.add({5, 0, 0}));
  auto const found = index.nearest({7, 0, 0}).value();
  EXPECT_EQ(found->index, 1U);
  EXPECT_DOUBLE_EQ(found->cosine, 1);
  EXPECT_DOUBLE_EQ(index.nearest({0, 0, 3}).value()->cosine, 0);
  EXPECT_EQ(index.nearest({0, 0, 3}).value()->index, 0U);
}

TEST(SimilarityIndex, OtherDimensionsAreRefused) {
  SimilarityIndex index;
  EXPECT_FALSE(index.nearest({1, 2}).value()) << "nothing is near in an empty index, of whatever dimension";
  EXPECT_EQ(index.add({}).error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(index.add({1, 2, 3}));
  EXPECT_EQ(index.add({1, 2}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(index.nearest({1, 2, 3, 4}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(index.size(), 1U);
  index.clear();
  EXPECT_EQ(index.size(), 0U);
  EXPECT_TRUE(index.add({1, 2}));
}

TEST(SimilarityIndex, WhatHasNoDirectionIsNearNothing) {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  float const inf = std::numeric_limits<float>::infinity();
  SimilarityIndex index;
  for (auto const& row : {std::vector<float>{0, 0}, {nan, 1}, {inf, 1}, {-1, -1}})
    ASSERT_TRUE(index.add(row));
  auto const found = index.nearest({1, 1}).value();
  EXPECT_EQ(found->index, 0U);
  EXPECT_EQ(found->cosine, 0);
  EXPECT_EQ(index.nearest({-2, -2}).value()->index, 3U);
  EXPECT_EQ(index.nearest({nan, 0}).value()->cosine, 0);
  // Tiny and huge vectors keep their direction.
  SimilarityIndex extremes;
  ASSERT_TRUE(extremes.add({1e-30F, 0}));
  ASSERT_TRUE(extremes.add({0, 1e30F}));
  EXPECT_NEAR(extremes.nearest({0, 1e-20F}).value()->cosine, 1, 1e-6);
  EXPECT_EQ(extremes.nearest({0, 1e-20F}).value()->index, 1U);
}

TEST(SimilarityIndex, FindsAllThatAreNearEnough) {
  SimilarityIndex index;
  EXPECT_TRUE(index.above({1, 0}, 0.5)->empty());
  for (auto const& row : {std::vector<float>{1, 0}, {0, 1}, {2, 1}, {3, 0}, {1, 1}, {-1, 0}})
    ASSERT_TRUE(index.add(row));
  auto const near = index.above({5, 0}, 0.8);
  ASSERT_TRUE(near);
  ASSERT_EQ(near->size(), 3U);
  EXPECT_EQ((*near)[0].index, 0U) << "the first of two that are equally near";
  EXPECT_EQ((*near)[1].index, 3U);
  EXPECT_EQ((*near)[2].index, 2U);
  EXPECT_NEAR((*near)[2].cosine, 2 / std::sqrt(5.0), 1e-6);
  EXPECT_EQ((*near)[0].cosine, (*index.nearest({5, 0}))->cosine);
  EXPECT_TRUE(index.above({5, 0}, 1.0)->empty()) << "more than, not as much as";
  EXPECT_EQ(index.above({5, 0}, -2.0)->size(), 6U);
  EXPECT_EQ(index.above({1, 0, 0}, 0.5).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cuco
