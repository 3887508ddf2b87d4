// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Exact conversions of the 16-bit floating-point formats, and the roundings they need.

#include <cmath>
#include <cstdint>
#include <cstring>

namespace cuco::emu {

template <class To, class From>
inline To bits_as(From const& from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

enum class Rounding { kNearest, kZero, kDown, kUp };

/// A format with 1 sign bit, `kExponentBits` and `kFractionBits`, with infinities, NaNs and denormals.
template <int ExponentBits, int FractionBits>
struct NarrowFormat {
  static constexpr int kFractionBits = FractionBits;
  static constexpr int kBias = (1 << (ExponentBits - 1)) - 1;
  static constexpr std::uint16_t kInfinity = ((1U << ExponentBits) - 1) << FractionBits;
  static constexpr std::uint16_t kNan = 0x7fff;  ///< What CUDA's conversions make of any NaN.

  static float decode(std::uint16_t bits) {
    std::uint32_t const sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16U;
    std::uint32_t const exponent = (bits & 0x7fffU) >> FractionBits;
    std::uint32_t const fraction = bits & ((1U << FractionBits) - 1U);
    if (exponent == (1U << ExponentBits) - 1U)
      return bits_as<float>(sign | 0x7f800000U | (fraction << (23 - FractionBits)));
    if (exponent == 0 && ExponentBits != 8) {
      float const magnitude = std::ldexp(static_cast<float>(fraction), 1 - kBias - FractionBits);
      return sign != 0 ? -magnitude : magnitude;
    }
    return bits_as<float>(sign | ((exponent + (127U - kBias)) << 23U) | (fraction << (23 - FractionBits)));
  }

  /// One rounding from the exact value of `value`.
  static std::uint16_t encode(double value, Rounding rounding = Rounding::kNearest) {
    auto const bits = bits_as<std::uint64_t>(value);
    auto const sign = static_cast<std::uint16_t>((bits >> 48U) & 0x8000U);
    auto const magnitude_bits = bits & 0x7fffffffffffffffULL;
    if (magnitude_bits > 0x7ff0000000000000ULL) return kNan;
    if (magnitude_bits == 0x7ff0000000000000ULL) return sign | kInfinity;
    if (magnitude_bits == 0) return sign;
    int const exponent = static_cast<int>(magnitude_bits >> 52U) - 1023;
    bool const away = (rounding == Rounding::kUp && sign == 0) || (rounding == Rounding::kDown && sign != 0);
    int const biased = exponent + kBias;
    if (biased >= (1 << ExponentBits) - 1) return sign | overflow(rounding, away);
    // Significand with its leading 1 at bit 52, then shifted down to the format's unit in the last place.
    std::uint64_t const significand = magnitude_bits < (1ULL << 52U)
                                          ? magnitude_bits
                                          : ((magnitude_bits & ((1ULL << 52U) - 1)) | (1ULL << 52U));
    int const shift = 52 - FractionBits + (biased < 1 ? 1 - biased : 0);
    std::uint64_t kept = shift > 63 ? 0 : significand >> shift;
    std::uint64_t const rest = shift > 63 ? significand : significand & ((1ULL << shift) - 1);
    std::uint64_t const half = shift > 63 ? ~0ULL : 1ULL << (shift - 1);
    bool const up = rounding == Rounding::kNearest ? (rest > half || (rest == half && (kept & 1U) != 0))
                                                   : (away && rest != 0);
    if (up) ++kept;
    // A carry out of the fraction moves into the exponent by itself.
    std::uint64_t const base = biased < 1 ? 0 : static_cast<std::uint64_t>(biased - 1) << FractionBits;
    std::uint64_t const result = base + kept;
    return sign | static_cast<std::uint16_t>(result >= kInfinity ? overflow(rounding, away) : result);
  }

  static std::uint16_t encode(float value) {
    if constexpr (ExponentBits == 8) {
      auto const bits = bits_as<std::uint32_t>(value);
      if ((bits & 0x7fffffffU) > 0x7f800000U) return kNan;
      return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
    } else {
      auto const bits = bits_as<std::uint32_t>(value);
      std::uint32_t const magnitude = bits & 0x7fffffffU;
      // The range where the result is normal and finite; everything else is rare.
      if (magnitude >= 0x38800000U && magnitude < 0x477fe000U) {
        std::uint32_t const rounded = magnitude - (112U << 23U) + 0xfffU + ((magnitude >> 13U) & 1U);
        return static_cast<std::uint16_t>(((bits >> 16U) & 0x8000U) | (rounded >> 13U));
      }
      return encode(static_cast<double>(value));
    }
  }

 private:
  static std::uint16_t overflow(Rounding rounding, bool away) {
    return rounding == Rounding::kNearest || away ? kInfinity : static_cast<std::uint16_t>(kInfinity - 1);
  }
};

using Binary16 = NarrowFormat<5, 10>;
using BFloat16 = NarrowFormat<8, 7>;

/// a * b + c for operands of at most 26 significant bits, rounded to odd, so that one more rounding to a
/// narrow format gives the correctly rounded result.
inline double fma_to_odd(double a, double b, double c) {
  double const product = a * b;
  double const sum = product + c;
  if (!std::isfinite(sum)) return sum;
  double const c_part = sum - product;
  double const error = (product - (sum - c_part)) + (c - c_part);
  auto bits = bits_as<std::uint64_t>(sum);
  if (error == 0 || (bits & 1U) != 0) return sum;
  bits += ((error > 0) == (sum > 0)) ? 1 : static_cast<std::uint64_t>(-1);
  return bits_as<double>(bits);
}

}  // namespace cuco::emu
