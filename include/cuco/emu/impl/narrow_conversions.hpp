// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CUDA's conversion functions of a narrow type, which differ between `half` and `__nv_bfloat16` only in the
/// names: `__half2int_rn`, `__bfloat162int_rn`.

#include "cuco/emu/impl/narrow_pair.hpp"
#include "vector_functions.h"

// clang-format off
/// To and from one integer type.
#define CUCO_EMU_NARROW_INTEGER(Narrow, name, Integer, integer)                                          \
  inline Narrow __##integer##2##name##_rn(Integer v) { return Narrow(v); }                               \
  inline Integer __##name##2##integer##_rz(Narrow v) { return static_cast<Integer>(v); }                 \
  inline Integer __##name##2##integer##_rn(Narrow v) { return static_cast<Integer>(hrint(v)); }          \
  inline Integer __##name##2##integer##_rd(Narrow v) { return static_cast<Integer>(hfloor(v)); }         \
  inline Integer __##name##2##integer##_ru(Narrow v) { return static_cast<Integer>(hceil(v)); }

/// All of the type `Narrow`, pairs `Pair`, whose functions are called `name`.
#define CUCO_EMU_NARROW_CONVERSIONS(Narrow, Pair, name)                                                  \
  inline Narrow __float2##name(float v) { return v; }                                                    \
  inline Narrow __float2##name##_rn(float v) { return v; }                                               \
  inline Narrow __float2##name##_rz(float v) { return Narrow::rounded(v, cuco::emu::Rounding::kZero); }  \
  inline Narrow __float2##name##_rd(float v) { return Narrow::rounded(v, cuco::emu::Rounding::kDown); }  \
  inline Narrow __float2##name##_ru(float v) { return Narrow::rounded(v, cuco::emu::Rounding::kUp); }    \
  inline Narrow __double2##name(double v) { return v; }                                                  \
  inline float __##name##2float(Narrow v) { return v; }                                                  \
  inline Pair __float2##name##2_rn(float v) { return {v, v}; }                                           \
  inline Pair __floats2##name##2_rn(float a, float b) { return {a, b}; }                                 \
  inline Pair __float22##name##2_rn(float2 v) { return {v.x, v.y}; }                                     \
  inline float2 __##name##22float2(Pair v) { return make_float2(v.x, v.y); }                             \
  inline Pair __halves2##name##2(Narrow a, Narrow b) { return {a, b}; }                                  \
  inline Pair __##name##2##name##2(Narrow v) { return {v, v}; }                                          \
  inline Pair make_##name##2(Narrow a, Narrow b) { return {a, b}; }                                      \
  inline unsigned short __##name##_as_ushort(Narrow v) { return v.__x; }                                 \
  inline short __##name##_as_short(Narrow v) { return static_cast<short>(v.__x); }                       \
  inline Narrow __ushort_as_##name(unsigned short v) { return Narrow::from_bits(v); }                    \
  inline Narrow __short_as_##name(short v) { return Narrow::from_bits(static_cast<unsigned short>(v)); } \
  CUCO_EMU_NARROW_INTEGER(Narrow, name, short, short)                                                    \
  CUCO_EMU_NARROW_INTEGER(Narrow, name, unsigned short, ushort)                                          \
  CUCO_EMU_NARROW_INTEGER(Narrow, name, int, int)                                                        \
  CUCO_EMU_NARROW_INTEGER(Narrow, name, unsigned int, uint)                                              \
  CUCO_EMU_NARROW_INTEGER(Narrow, name, long long, ll)                                                   \
  CUCO_EMU_NARROW_INTEGER(Narrow, name, unsigned long long, ull)
// clang-format on
