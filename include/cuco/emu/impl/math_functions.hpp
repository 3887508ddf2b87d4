// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CUDA's math functions that <cmath> lacks, and min/max as CUDA overloads them.

#include <cmath>
#include <cstdlib>

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
  return std::sin(v * 3.14159265358979323846f);
}
inline float cospif(float v) {
  return std::cos(v * 3.14159265358979323846f);
}

inline int __float2int_rn(float v) {
  return static_cast<int>(std::nearbyint(v));
}
inline int __float2int_rz(float v) {
  return static_cast<int>(v);
}
inline int __float2int_rd(float v) {
  return static_cast<int>(std::floor(v));
}
inline int __float2int_ru(float v) {
  return static_cast<int>(std::ceil(v));
}
inline unsigned __float2uint_rn(float v) {
  return static_cast<unsigned>(std::nearbyint(v));
}
inline unsigned __float2uint_rz(float v) {
  return static_cast<unsigned>(v);
}
inline float __int2float_rn(int v) {
  return static_cast<float>(v);
}
inline float __uint2float_rn(unsigned v) {
  return static_cast<float>(v);
}
inline float __double2float_rn(double v) {
  return static_cast<float>(v);
}
inline int __double2int_rn(double v) {
  return static_cast<int>(std::nearbyint(v));
}
