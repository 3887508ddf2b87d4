// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `__nv_bfloat16` and `__nv_bfloat162` in software.

#include "cuco/emu/impl/narrow_pair.hpp"
#include "vector_functions.h"

using __nv_bfloat16_raw = cuco::emu::NarrowRaw;
using __nv_bfloat16 = cuco::emu::NarrowFloat<cuco::emu::BFloat16>;
using __nv_bfloat162 = cuco::emu::NarrowPair<cuco::emu::BFloat16>;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

// clang-format off
inline __nv_bfloat16 __float2bfloat16(float v) { return v; }
inline __nv_bfloat16 __float2bfloat16_rn(float v) { return v; }
inline __nv_bfloat16 __float2bfloat16_rz(float v) { return __nv_bfloat16::from_bits(cuco::emu::BFloat16::encode(static_cast<double>(v), cuco::emu::Rounding::kZero)); }
inline __nv_bfloat16 __float2bfloat16_rd(float v) { return __nv_bfloat16::from_bits(cuco::emu::BFloat16::encode(static_cast<double>(v), cuco::emu::Rounding::kDown)); }
inline __nv_bfloat16 __float2bfloat16_ru(float v) { return __nv_bfloat16::from_bits(cuco::emu::BFloat16::encode(static_cast<double>(v), cuco::emu::Rounding::kUp)); }
inline __nv_bfloat16 __double2bfloat16(double v) { return v; }
inline float __bfloat162float(__nv_bfloat16 v) { return v; }
inline __nv_bfloat162 __float2bfloat162_rn(float v) { return {v, v}; }
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) { return {a, b}; }
inline __nv_bfloat162 __float22bfloat162_rn(float2 v) { return {v.x, v.y}; }
inline float2 __bfloat1622float2(__nv_bfloat162 v) { return make_float2(v.x, v.y); }
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return {a, b}; }
inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 v) { return {v, v}; }
inline __nv_bfloat162 make_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return {a, b}; }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 v) { return v.__x; }
inline short __bfloat16_as_short(__nv_bfloat16 v) { return static_cast<short>(v.__x); }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short v) { return __nv_bfloat16::from_bits(v); }
inline __nv_bfloat16 __short_as_bfloat16(short v) { return __nv_bfloat16::from_bits(static_cast<unsigned short>(v)); }
inline __nv_bfloat16 __short2bfloat16_rn(short v) { return __nv_bfloat16(v); }
inline short __bfloat162short_rz(__nv_bfloat16 v) { return static_cast<short>(v); }
inline short __bfloat162short_rn(__nv_bfloat16 v) { return static_cast<short>(hrint(v)); }
inline short __bfloat162short_rd(__nv_bfloat16 v) { return static_cast<short>(hfloor(v)); }
inline short __bfloat162short_ru(__nv_bfloat16 v) { return static_cast<short>(hceil(v)); }
inline __nv_bfloat16 __ushort2bfloat16_rn(unsigned short v) { return __nv_bfloat16(v); }
inline unsigned short __bfloat162ushort_rz(__nv_bfloat16 v) { return static_cast<unsigned short>(v); }
inline unsigned short __bfloat162ushort_rn(__nv_bfloat16 v) { return static_cast<unsigned short>(hrint(v)); }
inline unsigned short __bfloat162ushort_rd(__nv_bfloat16 v) { return static_cast<unsigned short>(hfloor(v)); }
inline unsigned short __bfloat162ushort_ru(__nv_bfloat16 v) { return static_cast<unsigned short>(hceil(v)); }
inline __nv_bfloat16 __int2bfloat16_rn(int v) { return __nv_bfloat16(v); }
inline int __bfloat162int_rz(__nv_bfloat16 v) { return static_cast<int>(v); }
inline int __bfloat162int_rn(__nv_bfloat16 v) { return static_cast<int>(hrint(v)); }
inline int __bfloat162int_rd(__nv_bfloat16 v) { return static_cast<int>(hfloor(v)); }
inline int __bfloat162int_ru(__nv_bfloat16 v) { return static_cast<int>(hceil(v)); }
inline __nv_bfloat16 __uint2bfloat16_rn(unsigned int v) { return __nv_bfloat16(v); }
inline unsigned int __bfloat162uint_rz(__nv_bfloat16 v) { return static_cast<unsigned int>(v); }
inline unsigned int __bfloat162uint_rn(__nv_bfloat16 v) { return static_cast<unsigned int>(hrint(v)); }
inline unsigned int __bfloat162uint_rd(__nv_bfloat16 v) { return static_cast<unsigned int>(hfloor(v)); }
inline unsigned int __bfloat162uint_ru(__nv_bfloat16 v) { return static_cast<unsigned int>(hceil(v)); }
inline __nv_bfloat16 __ll2bfloat16_rn(long long v) { return __nv_bfloat16(v); }
inline long long __bfloat162ll_rz(__nv_bfloat16 v) { return static_cast<long long>(v); }
inline long long __bfloat162ll_rn(__nv_bfloat16 v) { return static_cast<long long>(hrint(v)); }
inline long long __bfloat162ll_rd(__nv_bfloat16 v) { return static_cast<long long>(hfloor(v)); }
inline long long __bfloat162ll_ru(__nv_bfloat16 v) { return static_cast<long long>(hceil(v)); }
inline __nv_bfloat16 __ull2bfloat16_rn(unsigned long long v) { return __nv_bfloat16(v); }
inline unsigned long long __bfloat162ull_rz(__nv_bfloat16 v) { return static_cast<unsigned long long>(v); }
inline unsigned long long __bfloat162ull_rn(__nv_bfloat16 v) { return static_cast<unsigned long long>(hrint(v)); }
inline unsigned long long __bfloat162ull_rd(__nv_bfloat16 v) { return static_cast<unsigned long long>(hfloor(v)); }
inline unsigned long long __bfloat162ull_ru(__nv_bfloat16 v) { return static_cast<unsigned long long>(hceil(v)); }
// clang-format on

#define CUDART_INF_BF16 __ushort_as_bfloat16(0x7F80U)
#define CUDART_NAN_BF16 __ushort_as_bfloat16(0x7FFFU)
#define CUDART_MAX_NORMAL_BF16 __ushort_as_bfloat16(0x7F7FU)
#define CUDART_NEG_ZERO_BF16 __ushort_as_bfloat16(0x8000U)
#define CUDART_ZERO_BF16 __ushort_as_bfloat16(0x0000U)
#define CUDART_ONE_BF16 __ushort_as_bfloat16(0x3F80U)
