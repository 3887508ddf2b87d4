// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CUDA's math functions that <cmath> lacks, and min/max as CUDA overloads them.

#include <cmath>
#include <cstdlib>
#include <limits>

#define CUCO_EVOLVE_MINMAX(T)        \
  inline constexpr T min(T a, T b) { \
    return b < a ? b : a;            \
  }                                  \
  inline constexpr T max(T a, T b) { \
    return a < b ? b : a;            \
  }
CUCO_EVOLVE_MINMAX(int)
CUCO_EVOLVE_MINMAX(unsigned)
CUCO_EVOLVE_MINMAX(long)
CUCO_EVOLVE_MINMAX(unsigned long)
CUCO_EVOLVE_MINMAX(long long)
CUCO_EVOLVE_MINMAX(unsigned long long)
#undef CUCO_EVOLVE_MINMAX
#define CUCO_EVOLVE_MINMAX2(R, A, B)                                                      \
  inline constexpr R min(A a, B b) {                                                      \
    return static_cast<R>(b) < static_cast<R>(a) ? static_cast<R>(b) : static_cast<R>(a); \
  }                                                                                       \
  inline constexpr R max(A a, B b) {                                                      \
    return static_cast<R>(a) < static_cast<R>(b) ? static_cast<R>(b) : static_cast<R>(a); \
  }
CUCO_EVOLVE_MINMAX2(unsigned, int, unsigned)
CUCO_EVOLVE_MINMAX2(unsigned, unsigned, int)
CUCO_EVOLVE_MINMAX2(unsigned long, long, unsigned long)
CUCO_EVOLVE_MINMAX2(unsigned long, unsigned long, long)
CUCO_EVOLVE_MINMAX2(unsigned long long, long long, unsigned long long)
CUCO_EVOLVE_MINMAX2(unsigned long long, unsigned long long, long long)
#undef CUCO_EVOLVE_MINMAX2
inline float min(float a, float b) {
  return std::fmin(a, b);
}
inline float max(float a, float b) {
  return std::fmax(a, b);
}
inline double min(double a, double b) {
  return std::fmin(a, b);
}
inline double max(double a, double b) {
  return std::fmax(a, b);
}
inline double min(float a, double b) {
  return std::fmin(static_cast<double>(a), b);
}
inline double min(double a, float b) {
  return std::fmin(a, static_cast<double>(b));
}
inline double max(float a, double b) {
  return std::fmax(static_cast<double>(a), b);
}
inline double max(double a, float b) {
  return std::fmax(a, static_cast<double>(b));
}

inline float rsqrtf(float v) {
  return 1.0f / std::sqrt(v);
}
inline double rsqrt(double v) {
  return 1.0 / std::sqrt(v);
}
inline float rsqrt(float v) {
  return rsqrtf(v);
}
inline float rcbrtf(float v) {
  return 1.0f / std::cbrt(v);
}
inline float __expf(float v) {
  return std::exp(v);
}
inline float __exp10f(float v) {
  return std::pow(10.0f, v);
}
inline float __logf(float v) {
  return std::log(v);
}
inline float __log2f(float v) {
  return std::log2(v);
}
inline float __log10f(float v) {
  return std::log10(v);
}
inline float __sinf(float v) {
  return std::sin(v);
}
inline float __cosf(float v) {
  return std::cos(v);
}
inline float __tanf(float v) {
  return std::tan(v);
}
inline float __powf(float a, float b) {
  return std::pow(a, b);
}
inline float __fdividef(float a, float b) {
  return a / b;
}
inline float __saturatef(float v) {
  return v < 0.0f || v != v ? 0.0f : (v > 1.0f ? 1.0f : v);
}
inline float __frcp_rn(float v) {
  return 1.0f / v;
}
inline float __fsqrt_rn(float v) {
  return std::sqrt(v);
}
inline float __frsqrt_rn(float v) {
  return 1.0f / std::sqrt(v);
}
inline float __fadd_rn(float a, float b) {
  return a + b;
}
inline float __fsub_rn(float a, float b) {
  return a - b;
}
inline float __fmul_rn(float a, float b) {
  return a * b;
}
inline float __fdiv_rn(float a, float b) {
  return a / b;
}
inline float __fmaf_rn(float a, float b, float c) {
  return std::fma(a, b, c);
}
inline double __dadd_rn(double a, double b) {
  return a + b;
}
inline double __dmul_rn(double a, double b) {
  return a * b;
}
inline double __fma_rn(double a, double b, double c) {
  return std::fma(a, b, c);
}
inline float fdividef(float a, float b) {
  return a / b;
}
inline float normcdff(float v) {
  return 0.5f * std::erfc(-v * 0.70710678118654752f);
}
inline void __sincosf(float v, float* s, float* c) {
  *s = std::sin(v);
  *c = std::cos(v);
}
inline float sinpif(float v) {
  return static_cast<float>(std::sin(std::fmod(static_cast<double>(v), 2.0) * 3.14159265358979323846));
}
inline float cospif(float v) {
  return static_cast<float>(std::cos(std::fmod(static_cast<double>(v), 2.0) * 3.14159265358979323846));
}

inline double normcdf(double v) {
  return 0.5 * std::erfc(-v * 0.70710678118654752440);
}
inline double sinpi(double v) {
  return std::sin(std::fmod(v, 2.0) * 3.14159265358979323846);
}
inline double cospi(double v) {
  return std::cos(std::fmod(v, 2.0) * 3.14159265358979323846);
}
inline void sincospif(float v, float* s, float* c) {
  *s = sinpif(v);
  *c = cospif(v);
}
inline void sincospi(double v, double* s, double* c) {
  *s = sinpi(v);
  *c = cospi(v);
}
inline double rcbrt(double v) {
  return 1.0 / std::cbrt(v);
}
inline float rhypotf(float a, float b) {
  return 1.0f / std::hypot(a, b);
}
inline double rhypot(double a, double b) {
  return 1.0 / std::hypot(a, b);
}
inline float norm3df(float a, float b, float c) {
  return std::hypot(a, b, c);
}
inline double norm3d(double a, double b, double c) {
  return std::hypot(a, b, c);
}
inline float rnorm3df(float a, float b, float c) {
  return 1.0f / std::hypot(a, b, c);
}
inline float norm4df(float a, float b, float c, float d) {
  return std::sqrt(a * a + b * b + c * c + d * d);
}
inline double __dsub_rn(double a, double b) {
  return a - b;
}
inline double __ddiv_rn(double a, double b) {
  return a / b;
}
inline double __drcp_rn(double v) {
  return 1.0 / v;
}
inline double __dsqrt_rn(double v) {
  return std::sqrt(v);
}

namespace cuco::emu::impl {
/// As the hardware converts: clamped to the range, NaN to 0 (64 bits: to the lowest number).
template <typename To, typename From>
inline To converted(From v) {
  if (!(v == v)) return sizeof(To) == 8 ? static_cast<To>(1ull << 63) : To{0};
  if (v <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  if (v >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  return static_cast<To>(v);
}
}  // namespace cuco::emu::impl
#define CUCO_EVOLVE_CONVERT(From, from, To, to)                 \
  inline To __##from##2##to##_rn(From v) {                      \
    return ::cuco::emu::impl::converted<To>(std::nearbyint(v)); \
  }                                                             \
  inline To __##from##2##to##_rz(From v) {                      \
    return ::cuco::emu::impl::converted<To>(std::trunc(v));     \
  }                                                             \
  inline To __##from##2##to##_rd(From v) {                      \
    return ::cuco::emu::impl::converted<To>(std::floor(v));     \
  }                                                             \
  inline To __##from##2##to##_ru(From v) {                      \
    return ::cuco::emu::impl::converted<To>(std::ceil(v));      \
  }
CUCO_EVOLVE_CONVERT(float, float, int, int)
CUCO_EVOLVE_CONVERT(float, float, unsigned, uint)
CUCO_EVOLVE_CONVERT(float, float, long long, ll)
CUCO_EVOLVE_CONVERT(float, float, unsigned long long, ull)
CUCO_EVOLVE_CONVERT(double, double, int, int)
CUCO_EVOLVE_CONVERT(double, double, unsigned, uint)
CUCO_EVOLVE_CONVERT(double, double, long long, ll)
CUCO_EVOLVE_CONVERT(double, double, unsigned long long, ull)
#undef CUCO_EVOLVE_CONVERT
#define CUCO_EVOLVE_CONVERT(From, from, To, to) \
  inline To __##from##2##to##_rn(From v) {      \
    return static_cast<To>(v);                  \
  }
CUCO_EVOLVE_CONVERT(int, int, float, float)
CUCO_EVOLVE_CONVERT(unsigned, uint, float, float)
CUCO_EVOLVE_CONVERT(long long, ll, float, float)
CUCO_EVOLVE_CONVERT(unsigned long long, ull, float, float)
CUCO_EVOLVE_CONVERT(long long, ll, double, double)
CUCO_EVOLVE_CONVERT(unsigned long long, ull, double, double)
CUCO_EVOLVE_CONVERT(int, int, double, double)
CUCO_EVOLVE_CONVERT(unsigned, uint, double, double)
CUCO_EVOLVE_CONVERT(double, double, float, float)
#undef CUCO_EVOLVE_CONVERT
