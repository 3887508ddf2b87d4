// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/embedding.hpp"
#include "cuco/core/result.hpp"

/// @file
/// What every `Embedder` promises. Instantiate with a fixture type F that is default constructible and offers
///
///     F::Model          the embedder
///     F::Model make()   a fresh one

namespace cuco::testing {

inline double cosine(std::vector<float> const& a, std::vector<float> const& b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

template <class F>
class EmbedderContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(EmbedderContract);

TYPED_TEST_P(EmbedderContract, HasOneDimensionForEveryText) {
  TypeParam fixture;
  auto model = fixture.make();
  std::size_t dimension = 0;
  for (std::string const& text : {std::string("int x = 1;"),
                                  std::string("y"),
                                  std::string(100'000, 'z'),
                                  std::string("a b c\n\n") + "d"}) {
    auto const embedding = model.embed(text);
    ASSERT_TRUE(embedding) << to_line(embedding.error());
    if (dimension == 0) dimension = embedding->values.size();
    EXPECT_EQ(embedding->values.size(), dimension);
    EXPECT_GT(dimension, 0U);
    for (float const value : embedding->values) ASSERT_TRUE(std::isfinite(value));
    EXPECT_NEAR(cosine(embedding->values, embedding->values), 1, 1e-9);
  }
}

TYPED_TEST_P(EmbedderContract, SameTextSamePoint) {
  TypeParam first;
  TypeParam second;
  auto a = first.make();
  auto b = second.make();
  for (char const* text : {"kernel<<<1, 2>>>(x);", "// nothing", "for (;;) {}"}) {
    auto const x = a.embed(text);
    auto const y = a.embed(text);
    auto const z = b.embed(text);
    ASSERT_TRUE(x && y && z);
    EXPECT_EQ(x->values, y->values);
    EXPECT_EQ(x->values, z->values);
  }
}

TYPED_TEST_P(EmbedderContract, DifferentTextsDiffer) {
  TypeParam fixture;
  auto model = fixture.make();
  auto const x = model.embed("int add(int a, int b) { return a + b; }");
  auto const y = model.embed("while (true) ncclGroupStart();");
  ASSERT_TRUE(x && y);
  EXPECT_LT(cosine(x->values, y->values), 0.9);
}

TYPED_TEST_P(EmbedderContract, SurvivesBeingMoved) {
  TypeParam fixture;
  auto first = fixture.make();
  auto const before = first.embed("moved");
  auto second = std::move(first);
  auto const after = second.embed("moved");
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->values, after->values);
}

REGISTER_TYPED_TEST_SUITE_P(EmbedderContract,
                            HasOneDimensionForEveryText,
                            SameTextSamePoint,
                            DifferentTextsDiffer,
                            SurvivesBeingMoved);

}  // namespace cuco::testing
