// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Pairs of narrow numbers: element-wise operations of `half2` and `__nv_bfloat162`.

#include "cuco/emu/impl/narrow_float.hpp"

namespace cuco::emu {

template <class Format>
struct alignas(4) NarrowPair {
  using Element = NarrowFloat<Format>;
  Element x;
  Element y;

  NarrowPair() = default;
  NarrowPair(Element first, Element second) : x(first), y(second) {}

  // clang-format off
  friend NarrowPair operator+(NarrowPair a, NarrowPair b) { return {a.x + b.x, a.y + b.y}; }
  friend NarrowPair operator-(NarrowPair a, NarrowPair b) { return {a.x - b.x, a.y - b.y}; }
  friend NarrowPair operator*(NarrowPair a, NarrowPair b) { return {a.x * b.x, a.y * b.y}; }
  friend NarrowPair operator/(NarrowPair a, NarrowPair b) { return {a.x / b.x, a.y / b.y}; }
  friend NarrowPair& operator+=(NarrowPair& a, NarrowPair b) { return a = a + b; }
  friend NarrowPair& operator-=(NarrowPair& a, NarrowPair b) { return a = a - b; }
  friend NarrowPair& operator*=(NarrowPair& a, NarrowPair b) { return a = a * b; }
  friend NarrowPair& operator/=(NarrowPair& a, NarrowPair b) { return a = a / b; }
  friend NarrowPair operator-(NarrowPair a) { return {-a.x, -a.y}; }
  friend NarrowPair operator+(NarrowPair a) { return a; }
  friend bool operator==(NarrowPair a, NarrowPair b) { return a.x == b.x && a.y == b.y; }
  friend bool operator!=(NarrowPair a, NarrowPair b) { return a.x != b.x && a.y != b.y; }
  friend bool operator<(NarrowPair a, NarrowPair b) { return a.x < b.x && a.y < b.y; }
  friend bool operator<=(NarrowPair a, NarrowPair b) { return a.x <= b.x && a.y <= b.y; }
  friend bool operator>(NarrowPair a, NarrowPair b) { return a.x > b.x && a.y > b.y; }
  friend bool operator>=(NarrowPair a, NarrowPair b) { return a.x >= b.x && a.y >= b.y; }

  friend NarrowPair __hadd2(NarrowPair a, NarrowPair b) { return a + b; }
  friend NarrowPair __hsub2(NarrowPair a, NarrowPair b) { return a - b; }
  friend NarrowPair __hmul2(NarrowPair a, NarrowPair b) { return a * b; }
  friend NarrowPair __h2div(NarrowPair a, NarrowPair b) { return a / b; }
  friend NarrowPair __hadd2_rn(NarrowPair a, NarrowPair b) { return a + b; }
  friend NarrowPair __hsub2_rn(NarrowPair a, NarrowPair b) { return a - b; }
  friend NarrowPair __hmul2_rn(NarrowPair a, NarrowPair b) { return a * b; }
  friend NarrowPair __hadd2_sat(NarrowPair a, NarrowPair b) { return {__hadd_sat(a.x, b.x), __hadd_sat(a.y, b.y)}; }
  friend NarrowPair __hmul2_sat(NarrowPair a, NarrowPair b) { return {__hmul_sat(a.x, b.x), __hmul_sat(a.y, b.y)}; }
  friend NarrowPair __hfma2(NarrowPair a, NarrowPair b, NarrowPair c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; }
  friend NarrowPair __hfma2_relu(NarrowPair a, NarrowPair b, NarrowPair c) { return {__hfma_relu(a.x, b.x, c.x), __hfma_relu(a.y, b.y, c.y)}; }
  friend NarrowPair __hneg2(NarrowPair a) { return -a; }
  friend NarrowPair __habs2(NarrowPair a) { return {__habs(a.x), __habs(a.y)}; }
  friend NarrowPair __hmax2(NarrowPair a, NarrowPair b) { return {__hmax(a.x, b.x), __hmax(a.y, b.y)}; }
  friend NarrowPair __hmin2(NarrowPair a, NarrowPair b) { return {__hmin(a.x, b.x), __hmin(a.y, b.y)}; }
  friend NarrowPair __hisnan2(NarrowPair a) { return {flag(__hisnan(a.x)), flag(__hisnan(a.y))}; }
  friend NarrowPair __heq2(NarrowPair a, NarrowPair b) { return {flag(a.x == b.x), flag(a.y == b.y)}; }
  friend NarrowPair __hne2(NarrowPair a, NarrowPair b) { return {flag(__hne(a.x, b.x)), flag(__hne(a.y, b.y))}; }
  friend NarrowPair __hlt2(NarrowPair a, NarrowPair b) { return {flag(a.x < b.x), flag(a.y < b.y)}; }
  friend NarrowPair __hle2(NarrowPair a, NarrowPair b) { return {flag(a.x <= b.x), flag(a.y <= b.y)}; }
  friend NarrowPair __hgt2(NarrowPair a, NarrowPair b) { return {flag(a.x > b.x), flag(a.y > b.y)}; }
  friend NarrowPair __hge2(NarrowPair a, NarrowPair b) { return {flag(a.x >= b.x), flag(a.y >= b.y)}; }
  friend bool __hbeq2(NarrowPair a, NarrowPair b) { return a.x == b.x && a.y == b.y; }
  friend bool __hbne2(NarrowPair a, NarrowPair b) { return __hne(a.x, b.x) && __hne(a.y, b.y); }
  friend bool __hblt2(NarrowPair a, NarrowPair b) { return a.x < b.x && a.y < b.y; }
  friend bool __hble2(NarrowPair a, NarrowPair b) { return a.x <= b.x && a.y <= b.y; }
  friend bool __hbgt2(NarrowPair a, NarrowPair b) { return a.x > b.x && a.y > b.y; }
  friend bool __hbge2(NarrowPair a, NarrowPair b) { return a.x >= b.x && a.y >= b.y; }
  friend NarrowPair h2sqrt(NarrowPair a) { return {hsqrt(a.x), hsqrt(a.y)}; }
  friend NarrowPair h2rsqrt(NarrowPair a) { return {hrsqrt(a.x), hrsqrt(a.y)}; }
  friend NarrowPair h2rcp(NarrowPair a) { return {hrcp(a.x), hrcp(a.y)}; }
  friend NarrowPair h2exp(NarrowPair a) { return {hexp(a.x), hexp(a.y)}; }
  friend NarrowPair h2log(NarrowPair a) { return {hlog(a.x), hlog(a.y)}; }
  friend NarrowPair h2floor(NarrowPair a) { return {hfloor(a.x), hfloor(a.y)}; }
  friend NarrowPair h2ceil(NarrowPair a) { return {hceil(a.x), hceil(a.y)}; }

  friend Element __low2half(NarrowPair a) { return a.x; }
  friend Element __high2half(NarrowPair a) { return a.y; }
  friend NarrowPair __low2half2(NarrowPair a) { return {a.x, a.x}; }
  friend NarrowPair __high2half2(NarrowPair a) { return {a.y, a.y}; }
  friend NarrowPair __lows2half2(NarrowPair a, NarrowPair b) { return {a.x, b.x}; }
  friend NarrowPair __highs2half2(NarrowPair a, NarrowPair b) { return {a.y, b.y}; }
  friend NarrowPair __lowhigh2highlow(NarrowPair a) { return {a.y, a.x}; }
  friend Element __low2bfloat16(NarrowPair a) { return a.x; }
  friend Element __high2bfloat16(NarrowPair a) { return a.y; }
  friend NarrowPair __low2bfloat162(NarrowPair a) { return {a.x, a.x}; }
  friend NarrowPair __high2bfloat162(NarrowPair a) { return {a.y, a.y}; }
  friend float __low2float(NarrowPair a) { return a.x; }
  friend float __high2float(NarrowPair a) { return a.y; }
  // Each element is added atomically, the pair as a whole is not: as the hardware does it.
  friend NarrowPair atomicAdd(NarrowPair* address, NarrowPair v) { return {atomicAdd(&address->x, v.x), atomicAdd(&address->y, v.y)}; }
  // clang-format on

 private:
  static Element flag(bool v) { return Element(v ? 1.0F : 0.0F); }
};

}  // namespace cuco::emu
