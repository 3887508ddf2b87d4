// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `half`, `half2`, `__nv_bfloat16` and `__nv_bfloat162` as software types. Each operation rounds once, to
/// nearest even: float holds the exact sum, product and quotient of two narrow numbers to more than twice
/// their digits.

#include <cmath>
#include <cstdint>
#include <limits>

#include "cuco/emu/impl/device.hpp"
#include "cuco/emu/impl/narrow_bits.hpp"

namespace cuco::emu {

/// The bits of a narrow number, as CUDA's `__half_raw`.
struct NarrowRaw {
  unsigned short x;
};

template <class Format>
struct NarrowFloat {
  unsigned short __x;

  NarrowFloat() = default;
  constexpr NarrowFloat(NarrowRaw raw) : __x(raw.x) {}
  NarrowFloat(float v) : __x(Format::encode(v)) {}
  NarrowFloat(double v) : __x(Format::encode(v)) {}
  NarrowFloat(short v) : NarrowFloat(static_cast<double>(v)) {}
  NarrowFloat(unsigned short v) : NarrowFloat(static_cast<double>(v)) {}
  NarrowFloat(int v) : NarrowFloat(static_cast<double>(v)) {}
  NarrowFloat(unsigned int v) : NarrowFloat(static_cast<double>(v)) {}
  NarrowFloat(long v) : NarrowFloat(static_cast<long long>(v)) {}
  NarrowFloat(unsigned long v) : NarrowFloat(static_cast<unsigned long long>(v)) {}
  NarrowFloat(long long v)
      : NarrowFloat(v < 0 ? -odd(0 - static_cast<unsigned long long>(v))
                          : odd(static_cast<unsigned long long>(v))) {}
  NarrowFloat(unsigned long long v) : NarrowFloat(odd(v)) {}

  operator float() const { return Format::decode(__x); }
  operator NarrowRaw() const { return {__x}; }
  operator bool() const { return (__x & 0x7fffU) != 0; }
  operator char() const { return integer<char>(); }
  operator signed char() const { return integer<signed char>(); }
  operator unsigned char() const { return integer<unsigned char>(); }
  operator short() const { return integer<short>(); }
  operator unsigned short() const { return integer<unsigned short>(); }
  operator int() const { return integer<int>(); }
  operator unsigned int() const { return integer<unsigned int>(); }
  operator long() const { return integer<long>(); }
  operator unsigned long() const { return integer<unsigned long>(); }
  operator long long() const { return integer<long long>(); }
  operator unsigned long long() const { return integer<unsigned long long>(); }

  static NarrowFloat from_bits(unsigned bits) { return NarrowRaw{static_cast<unsigned short>(bits)}; }
  static NarrowFloat rounded(float v, Rounding rounding) {
    return from_bits(Format::encode(static_cast<double>(v), rounding));
  }

  // clang-format off
  friend NarrowFloat operator+(NarrowFloat a, NarrowFloat b) { return a.value() + b.value(); }
  friend NarrowFloat operator-(NarrowFloat a, NarrowFloat b) { return a.value() - b.value(); }
  friend NarrowFloat operator*(NarrowFloat a, NarrowFloat b) { return a.value() * b.value(); }
  friend NarrowFloat operator/(NarrowFloat a, NarrowFloat b) { return a.value() / b.value(); }
  friend NarrowFloat& operator+=(NarrowFloat& a, NarrowFloat b) { return a = a + b; }
  friend NarrowFloat& operator-=(NarrowFloat& a, NarrowFloat b) { return a = a - b; }
  friend NarrowFloat& operator*=(NarrowFloat& a, NarrowFloat b) { return a = a * b; }
  friend NarrowFloat& operator/=(NarrowFloat& a, NarrowFloat b) { return a = a / b; }
  friend NarrowFloat& operator++(NarrowFloat& a) { return a = a + NarrowFloat(1.0F); }
  friend NarrowFloat& operator--(NarrowFloat& a) { return a = a - NarrowFloat(1.0F); }
  friend NarrowFloat operator+(NarrowFloat a) { return a; }
  friend NarrowFloat operator-(NarrowFloat a) { return from_bits(a.__x ^ 0x8000U); }
  friend bool operator==(NarrowFloat a, NarrowFloat b) { return a.value() == b.value(); }
  friend bool operator!=(NarrowFloat a, NarrowFloat b) { return a.value() != b.value(); }
  friend bool operator<(NarrowFloat a, NarrowFloat b) { return a.value() < b.value(); }
  friend bool operator<=(NarrowFloat a, NarrowFloat b) { return a.value() <= b.value(); }
  friend bool operator>(NarrowFloat a, NarrowFloat b) { return a.value() > b.value(); }
  friend bool operator>=(NarrowFloat a, NarrowFloat b) { return a.value() >= b.value(); }

  friend NarrowFloat __hadd(NarrowFloat a, NarrowFloat b) { return a + b; }
  friend NarrowFloat __hsub(NarrowFloat a, NarrowFloat b) { return a - b; }
  friend NarrowFloat __hmul(NarrowFloat a, NarrowFloat b) { return a * b; }
  friend NarrowFloat __hdiv(NarrowFloat a, NarrowFloat b) { return a / b; }
  friend NarrowFloat __hadd_rn(NarrowFloat a, NarrowFloat b) { return a + b; }
  friend NarrowFloat __hsub_rn(NarrowFloat a, NarrowFloat b) { return a - b; }
  friend NarrowFloat __hmul_rn(NarrowFloat a, NarrowFloat b) { return a * b; }
  friend NarrowFloat __hadd_sat(NarrowFloat a, NarrowFloat b) { return saturate(a + b); }
  friend NarrowFloat __hsub_sat(NarrowFloat a, NarrowFloat b) { return saturate(a - b); }
  friend NarrowFloat __hmul_sat(NarrowFloat a, NarrowFloat b) { return saturate(a * b); }
  friend NarrowFloat __hfma(NarrowFloat a, NarrowFloat b, NarrowFloat c) { return fma_to_odd(a.value(), b.value(), c.value()); }
  friend NarrowFloat __hfma_sat(NarrowFloat a, NarrowFloat b, NarrowFloat c) { return saturate(__hfma(a, b, c)); }
  friend NarrowFloat __hfma_relu(NarrowFloat a, NarrowFloat b, NarrowFloat c) { return __hmax(__hfma(a, b, c), NarrowFloat(0.0F)); }
  friend NarrowFloat __hneg(NarrowFloat a) { return -a; }
  friend NarrowFloat __habs(NarrowFloat a) { return from_bits(a.__x & 0x7fffU); }
  friend bool __hisnan(NarrowFloat a) { return (a.__x & 0x7fffU) > Format::kInfinity; }
  friend int __hisinf(NarrowFloat a) { return (a.__x & 0x7fffU) != Format::kInfinity ? 0 : (a.__x & 0x8000U) != 0 ? -1 : 1; }
  friend bool __heq(NarrowFloat a, NarrowFloat b) { return a == b; }
  friend bool __hne(NarrowFloat a, NarrowFloat b) { return a < b || a > b; }
  friend bool __hlt(NarrowFloat a, NarrowFloat b) { return a < b; }
  friend bool __hle(NarrowFloat a, NarrowFloat b) { return a <= b; }
  friend bool __hgt(NarrowFloat a, NarrowFloat b) { return a > b; }
  friend bool __hge(NarrowFloat a, NarrowFloat b) { return a >= b; }
  friend bool __hequ(NarrowFloat a, NarrowFloat b) { return !(a < b || a > b); }
  friend bool __hneu(NarrowFloat a, NarrowFloat b) { return a != b; }
  friend bool __hltu(NarrowFloat a, NarrowFloat b) { return !(a >= b); }
  friend bool __hleu(NarrowFloat a, NarrowFloat b) { return !(a > b); }
  friend bool __hgtu(NarrowFloat a, NarrowFloat b) { return !(a <= b); }
  friend bool __hgeu(NarrowFloat a, NarrowFloat b) { return !(a < b); }
  friend NarrowFloat __hmax(NarrowFloat a, NarrowFloat b) { return __hisnan(a) ? canonical(b) : __hisnan(b) ? a : larger(a, b); }
  friend NarrowFloat __hmin(NarrowFloat a, NarrowFloat b) { return __hisnan(a) ? canonical(b) : __hisnan(b) ? a : smaller(a, b); }
  friend NarrowFloat __hmax_nan(NarrowFloat a, NarrowFloat b) { return __hisnan(a) || __hisnan(b) ? from_bits(Format::kNan) : __hmax(a, b); }
  friend NarrowFloat __hmin_nan(NarrowFloat a, NarrowFloat b) { return __hisnan(a) || __hisnan(b) ? from_bits(Format::kNan) : __hmin(a, b); }
  friend NarrowFloat hsqrt(NarrowFloat a) { return std::sqrt(a.value()); }
  friend NarrowFloat hrsqrt(NarrowFloat a) { return 1.0 / std::sqrt(static_cast<double>(a.value())); }
  friend NarrowFloat hrcp(NarrowFloat a) { return 1.0 / static_cast<double>(a.value()); }
  friend NarrowFloat hexp(NarrowFloat a) { return std::exp(static_cast<double>(a.value())); }
  friend NarrowFloat hexp2(NarrowFloat a) { return std::exp2(static_cast<double>(a.value())); }
  friend NarrowFloat hlog(NarrowFloat a) { return std::log(static_cast<double>(a.value())); }
  friend NarrowFloat hlog2(NarrowFloat a) { return std::log2(static_cast<double>(a.value())); }
  friend NarrowFloat hsin(NarrowFloat a) { return std::sin(static_cast<double>(a.value())); }
  friend NarrowFloat hcos(NarrowFloat a) { return std::cos(static_cast<double>(a.value())); }
  friend NarrowFloat htanh(NarrowFloat a) { return std::tanh(static_cast<double>(a.value())); }
  friend NarrowFloat hfloor(NarrowFloat a) { return std::floor(a.value()); }
  friend NarrowFloat hceil(NarrowFloat a) { return std::ceil(a.value()); }
  friend NarrowFloat htrunc(NarrowFloat a) { return std::trunc(a.value()); }
  friend NarrowFloat hrint(NarrowFloat a) { return std::nearbyint(a.value()); }
  friend NarrowFloat atomicAdd(NarrowFloat* address, NarrowFloat v) { return atomic_update(address, [v](NarrowFloat old) { return old + v; }); }
  // clang-format on

 private:
  [[nodiscard]] float value() const { return Format::decode(__x); }
  /// As the hardware converts: toward zero, clamped to the range, NaN to 0.
  template <class T>
  [[nodiscard]] T integer() const {
    double const v = value();
    if (!(v == v)) return 0;
    double const low = static_cast<double>(std::numeric_limits<T>::min());
    double const high = static_cast<double>(std::numeric_limits<T>::max());
    return v <= low    ? std::numeric_limits<T>::min()
           : v >= high ? std::numeric_limits<T>::max()
                       : static_cast<T>(v);
  }
  /// `v` with the bits that a double cannot hold folded into one sticky bit.
  static double odd(unsigned long long v) {
    bool const sticky = (v & 0xfffU) != 0;
    return static_cast<double>(v >> 53U != 0 ? (v & ~0xfffULL) | (sticky ? 0x800U : 0U) : v);
  }
  static NarrowFloat saturate(NarrowFloat a) {
    return !(a.value() > 0.0F) ? NarrowFloat(0.0F) : a.value() > 1.0F ? NarrowFloat(1.0F) : a;
  }
  static NarrowFloat canonical(NarrowFloat a) { return __hisnan(a) ? from_bits(Format::kNan) : a; }
  // +0 is larger than -0.
  static NarrowFloat larger(NarrowFloat a, NarrowFloat b) {
    return a.value() > b.value() || (a.value() == b.value() && (a.__x & 0x8000U) == 0) ? a : b;
  }
  static NarrowFloat smaller(NarrowFloat a, NarrowFloat b) {
    return a.value() < b.value() || (a.value() == b.value() && (a.__x & 0x8000U) != 0) ? a : b;
  }
};

}  // namespace cuco::emu
