// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Complex numbers as pairs.

#include <cmath>

#include "vector_functions.h"

using cuFloatComplex = float2;
using cuDoubleComplex = double2;
using cuComplex = cuFloatComplex;

#define CUCO_EVOLVE_COMPLEX(T, Complex, make, name)                                                      \
  inline T cuCreal##name(Complex z) {                                                                    \
    return z.x;                                                                                          \
  }                                                                                                      \
  inline T cuCimag##name(Complex z) {                                                                    \
    return z.y;                                                                                          \
  }                                                                                                      \
  inline Complex make(T re, T im) {                                                                      \
    return Complex{re, im};                                                                              \
  }                                                                                                      \
  inline Complex cuConj##name(Complex z) {                                                               \
    return make(z.x, -z.y);                                                                              \
  }                                                                                                      \
  inline Complex cuCadd##name(Complex a, Complex b) {                                                    \
    return make(a.x + b.x, a.y + b.y);                                                                   \
  }                                                                                                      \
  inline Complex cuCsub##name(Complex a, Complex b) {                                                    \
    return make(a.x - b.x, a.y - b.y);                                                                   \
  }                                                                                                      \
  inline Complex cuCmul##name(Complex a, Complex b) {                                                    \
    return make(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);                                           \
  }                                                                                                      \
  inline Complex cuCdiv##name(Complex a, Complex b) {                                                    \
    T const s = std::fabs(b.x) + std::fabs(b.y), ax = a.x / s, ay = a.y / s, bx = b.x / s, by = b.y / s; \
    T const n = bx * bx + by * by;                                                                       \
    return make((ax * bx + ay * by) / n, (ay * bx - ax * by) / n);                                       \
  }                                                                                                      \
  inline T cuCabs##name(Complex z) {                                                                     \
    return std::hypot(z.x, z.y);                                                                         \
  }
CUCO_EVOLVE_COMPLEX(float, cuFloatComplex, make_cuFloatComplex, f)
CUCO_EVOLVE_COMPLEX(double, cuDoubleComplex, make_cuDoubleComplex, )
#undef CUCO_EVOLVE_COMPLEX

inline cuComplex make_cuComplex(float re, float im) {
  return make_cuFloatComplex(re, im);
}
inline cuFloatComplex cuCfmaf(cuFloatComplex a, cuFloatComplex b, cuFloatComplex c) {
  return cuCaddf(cuCmulf(a, b), c);
}
inline cuDoubleComplex cuCfma(cuDoubleComplex a, cuDoubleComplex b, cuDoubleComplex c) {
  return cuCadd(cuCmul(a, b), c);
}
inline cuDoubleComplex cuComplexFloatToDouble(cuFloatComplex z) {
  return make_cuDoubleComplex(z.x, z.y);
}
inline cuFloatComplex cuComplexDoubleToFloat(cuDoubleComplex z) {
  return make_cuFloatComplex(static_cast<float>(z.x), static_cast<float>(z.y));
}
