// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Conversions of half and bfloat16, for every one of their 2^16 values.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "cuco/emu/impl/narrow_bits.hpp"

namespace {

using cuco::emu::BFloat16;
using cuco::emu::Binary16;
using cuco::emu::Rounding;

template <class Format>
class Narrow : public testing::Test {
 public:
  static bool is_nan(std::uint16_t bits) { return (bits & 0x7fffU) > Format::kInfinity; }
  /// The exact value by definition, without the code under test.
  static double exact(std::uint16_t bits) {
    int const exponent = (bits & 0x7fffU) >> Format::kFractionBits;
    double const fraction = bits & ((1U << Format::kFractionBits) - 1U);
    double const unit = std::ldexp(1.0, -Format::kFractionBits);
    double const magnitude = exponent == 0 ? std::ldexp(fraction * unit, 1 - Format::kBias)
                                           : std::ldexp(1.0 + fraction * unit, exponent - Format::kBias);
    return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
  }
};
using Formats = testing::Types<Binary16, BFloat16>;
TYPED_TEST_SUITE(Narrow, Formats);

TYPED_TEST(Narrow, EveryValueDecodesExactlyAndComesBack) {
  for (unsigned i = 0; i < 65536; ++i) {
    auto const bits = static_cast<std::uint16_t>(i);
    float const value = TypeParam::decode(bits);
    if (this->is_nan(bits)) {
      ASSERT_TRUE(std::isnan(value)) << i;
      ASSERT_TRUE(this->is_nan(TypeParam::encode(value)));
      ASSERT_TRUE(this->is_nan(TypeParam::encode(static_cast<double>(value))));
      continue;
    }
    if ((bits & 0x7fffU) == TypeParam::kInfinity) {
      ASSERT_EQ(value, (bits & 0x8000U) != 0 ? -INFINITY : INFINITY);
    } else {
      ASSERT_EQ(static_cast<double>(value), this->exact(bits)) << i;
      ASSERT_EQ(std::signbit(value), (bits & 0x8000U) != 0);
    }
    ASSERT_EQ(TypeParam::encode(value), bits);
    for (Rounding rounding : {Rounding::kNearest, Rounding::kZero, Rounding::kDown, Rounding::kUp})
      ASSERT_EQ(TypeParam::encode(static_cast<double>(value), rounding), bits);
  }
}

TYPED_TEST(Narrow, BetweenNeighboursEachModeRoundsItsWay) {
  for (std::uint16_t low = 0; low + 1 < TypeParam::kInfinity; ++low) {
    auto const high = static_cast<std::uint16_t>(low + 1);
    double const a = this->exact(low);
    double const b = this->exact(high);
    double const middle = (a + b) / 2;
    std::uint16_t const even = (low & 1U) == 0 ? low : high;
    double const below = std::nextafter(middle, a);
    double const above = std::nextafter(middle, b);
    ASSERT_EQ(TypeParam::encode(middle), even) << low;
    ASSERT_EQ(TypeParam::encode(-middle), even | 0x8000U);
    ASSERT_EQ(TypeParam::encode(below), low);
    ASSERT_EQ(TypeParam::encode(above), high);
    ASSERT_EQ(TypeParam::encode(static_cast<float>(middle)), even);
    for (double const inside : {below, middle, above}) {
      ASSERT_EQ(TypeParam::encode(inside, Rounding::kZero), low);
      ASSERT_EQ(TypeParam::encode(inside, Rounding::kDown), low);
      ASSERT_EQ(TypeParam::encode(inside, Rounding::kUp), high);
      ASSERT_EQ(TypeParam::encode(-inside, Rounding::kZero), low | 0x8000U);
      ASSERT_EQ(TypeParam::encode(-inside, Rounding::kDown), high | 0x8000U);
      ASSERT_EQ(TypeParam::encode(-inside, Rounding::kUp), low | 0x8000U);
    }
  }
}

TYPED_TEST(Narrow, TheEndsOfTheRange) {
  std::uint16_t const largest = TypeParam::kInfinity - 1;
  double const top = this->exact(largest);
  double const step = top - this->exact(static_cast<std::uint16_t>(largest - 1));
  EXPECT_EQ(TypeParam::encode(top + step / 2), TypeParam::kInfinity);
  EXPECT_EQ(TypeParam::encode(std::nextafter(top + step / 2, 0)), largest);
  EXPECT_EQ(TypeParam::encode(1e300, Rounding::kZero), largest);
  EXPECT_EQ(TypeParam::encode(-1e300, Rounding::kDown), TypeParam::kInfinity | 0x8000U);
  EXPECT_EQ(TypeParam::encode(-1e300, Rounding::kUp), largest | 0x8000U);
  double const least = this->exact(1);
  EXPECT_EQ(TypeParam::encode(least / 2), 0);
  EXPECT_EQ(TypeParam::encode(std::nextafter(least / 2, 1)), 1);
  EXPECT_EQ(TypeParam::encode(-least / 4), 0x8000U);
  EXPECT_EQ(TypeParam::encode(1e-300, Rounding::kUp), 1);
  EXPECT_EQ(TypeParam::encode(std::numeric_limits<double>::denorm_min(), Rounding::kUp), 1);
  EXPECT_EQ(TypeParam::encode(-0.0), 0x8000U);
  EXPECT_EQ(TypeParam::encode(-0.0F), 0x8000U);
}

TYPED_TEST(Narrow, FloatsConvertAsTheirExactValue) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000000; ++i) {
    auto const value = cuco::emu::bits_as<float>(static_cast<std::uint32_t>(random()));
    if (std::isnan(value)) continue;
    ASSERT_EQ(TypeParam::encode(value), TypeParam::encode(static_cast<double>(value))) << value;
  }
}

TYPED_TEST(Narrow, FmaRoundsOnce) {
  std::mt19937 random(5);
  int inexact = 0;
  for (int i = 0; i < 300000; ++i) {
    double v[3];
    for (double& x : v) {
      auto bits = static_cast<std::uint16_t>(random());
      if ((bits & 0x7fffU) >= TypeParam::kInfinity) bits &= 0x83ffU;
      x = TypeParam::decode(bits);
    }
    // More digits than any product and sum of two narrow numbers need, unless they are too far apart to
    // matter.
    long double const exact = static_cast<long double>(v[0]) * v[1] + static_cast<long double>(v[2]);
    auto const got = TypeParam::encode(cuco::emu::fma_to_odd(v[0], v[1], v[2]));
    long double const value = TypeParam::decode(got);
    if (std::isinf(static_cast<double>(value))) continue;
    auto const magnitude = static_cast<std::uint16_t>(got & 0x7fffU);
    long double const up = this->exact(static_cast<std::uint16_t>(magnitude + 1)) - std::fabs(value);
    ASSERT_LE(std::fabs(exact - value), up / 2 * (1 + 1e-15L)) << v[0] << " " << v[1] << " " << v[2];
    if (exact != value) ++inexact;
  }
  EXPECT_GT(inexact, 1000);
}

TEST(NarrowFma, ATieThatDoubleRoundingWouldGetWrong) {
  // 1 + 2^-11 is a tie in half precision; the tiny third part decides, and a double sum would lose it.
  double const a = std::ldexp(1.0 + std::ldexp(1.0, -10), 0);
  double const tie = 1.0 + std::ldexp(1.0, -11);
  double const tiny = std::ldexp(1.0, -70);
  EXPECT_EQ(Binary16::encode(tie), Binary16::encode(1.0));
  EXPECT_EQ(Binary16::encode(cuco::emu::fma_to_odd(tie, 1.0, tiny)), Binary16::encode(a));
  EXPECT_EQ(Binary16::encode(cuco::emu::fma_to_odd(tie, 1.0, -tiny)), Binary16::encode(1.0));
}

}  // namespace
