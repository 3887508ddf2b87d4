// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `half` and `half2` in software.

#include "cuco/emu/impl/narrow_pair.hpp"
#include "vector_functions.h"

using __half_raw = cuco::emu::NarrowRaw;
using __half = cuco::emu::NarrowFloat<cuco::emu::Binary16>;
using __half2 = cuco::emu::NarrowPair<cuco::emu::Binary16>;
using half = __half;
using half2 = __half2;

// clang-format off
inline __half __float2half(float v) { return v; }
inline __half __float2half_rn(float v) { return v; }
inline __half __float2half_rz(float v) { return __half::from_bits(cuco::emu::Binary16::encode(static_cast<double>(v), cuco::emu::Rounding::kZero)); }
inline __half __float2half_rd(float v) { return __half::from_bits(cuco::emu::Binary16::encode(static_cast<double>(v), cuco::emu::Rounding::kDown)); }
inline __half __float2half_ru(float v) { return __half::from_bits(cuco::emu::Binary16::encode(static_cast<double>(v), cuco::emu::Rounding::kUp)); }
inline __half __double2half(double v) { return v; }
inline float __half2float(__half v) { return v; }
inline __half2 __float2half2_rn(float v) { return {v, v}; }
inline __half2 __floats2half2_rn(float a, float b) { return {a, b}; }
inline __half2 __float22half2_rn(float2 v) { return {v.x, v.y}; }
inline float2 __half22float2(__half2 v) { return make_float2(v.x, v.y); }
inline __half2 __halves2half2(__half a, __half b) { return {a, b}; }
inline __half2 __half2half2(__half v) { return {v, v}; }
inline __half2 make_half2(__half a, __half b) { return {a, b}; }
inline unsigned short __half_as_ushort(__half v) { return v.__x; }
inline short __half_as_short(__half v) { return static_cast<short>(v.__x); }
inline __half __ushort_as_half(unsigned short v) { return __half::from_bits(v); }
inline __half __short_as_half(short v) { return __half::from_bits(static_cast<unsigned short>(v)); }
inline __half __short2half_rn(short v) { return __half(v); }
inline short __half2short_rz(__half v) { return static_cast<short>(v); }
inline short __half2short_rn(__half v) { return static_cast<short>(hrint(v)); }
inline short __half2short_rd(__half v) { return static_cast<short>(hfloor(v)); }
inline short __half2short_ru(__half v) { return static_cast<short>(hceil(v)); }
inline __half __ushort2half_rn(unsigned short v) { return __half(v); }
inline unsigned short __half2ushort_rz(__half v) { return static_cast<unsigned short>(v); }
inline unsigned short __half2ushort_rn(__half v) { return static_cast<unsigned short>(hrint(v)); }
inline unsigned short __half2ushort_rd(__half v) { return static_cast<unsigned short>(hfloor(v)); }
inline unsigned short __half2ushort_ru(__half v) { return static_cast<unsigned short>(hceil(v)); }
inline __half __int2half_rn(int v) { return __half(v); }
inline int __half2int_rz(__half v) { return static_cast<int>(v); }
inline int __half2int_rn(__half v) { return static_cast<int>(hrint(v)); }
inline int __half2int_rd(__half v) { return static_cast<int>(hfloor(v)); }
inline int __half2int_ru(__half v) { return static_cast<int>(hceil(v)); }
inline __half __uint2half_rn(unsigned int v) { return __half(v); }
inline unsigned int __half2uint_rz(__half v) { return static_cast<unsigned int>(v); }
inline unsigned int __half2uint_rn(__half v) { return static_cast<unsigned int>(hrint(v)); }
inline unsigned int __half2uint_rd(__half v) { return static_cast<unsigned int>(hfloor(v)); }
inline unsigned int __half2uint_ru(__half v) { return static_cast<unsigned int>(hceil(v)); }
inline __half __ll2half_rn(long long v) { return __half(v); }
inline long long __half2ll_rz(__half v) { return static_cast<long long>(v); }
inline long long __half2ll_rn(__half v) { return static_cast<long long>(hrint(v)); }
inline long long __half2ll_rd(__half v) { return static_cast<long long>(hfloor(v)); }
inline long long __half2ll_ru(__half v) { return static_cast<long long>(hceil(v)); }
inline __half __ull2half_rn(unsigned long long v) { return __half(v); }
inline unsigned long long __half2ull_rz(__half v) { return static_cast<unsigned long long>(v); }
inline unsigned long long __half2ull_rn(__half v) { return static_cast<unsigned long long>(hrint(v)); }
inline unsigned long long __half2ull_rd(__half v) { return static_cast<unsigned long long>(hfloor(v)); }
inline unsigned long long __half2ull_ru(__half v) { return static_cast<unsigned long long>(hceil(v)); }
// clang-format on

#define CUDART_INF_FP16 __ushort_as_half(0x7C00U)
#define CUDART_NAN_FP16 __ushort_as_half(0x7FFFU)
#define CUDART_MIN_DENORM_FP16 __ushort_as_half(0x0001U)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half(0x7BFFU)
#define CUDART_NEG_ZERO_FP16 __ushort_as_half(0x8000U)
#define CUDART_ZERO_FP16 __ushort_as_half(0x0000U)
#define CUDART_ONE_FP16 __ushort_as_half(0x3C00U)
