// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// make_float4 and its like.

#include "vector_types.h"

// clang-format off
#define CUCO_EMU_MAKE_4(name, Element) \
  inline constexpr name make_##name(Element x, Element y, Element z, Element w) { return name{x, y, z, w}; }
#define CUCO_EMU_MAKE_VECTORS(name, Element)                                                             \
  inline constexpr name##1 make_##name##1(Element x) { return name##1{x}; }                              \
  inline constexpr name##2 make_##name##2(Element x, Element y) { return name##2{x, y}; }                \
  inline constexpr name##3 make_##name##3(Element x, Element y, Element z) { return name##3{x, y, z}; }  \
  CUCO_EMU_MAKE_4(name##4, Element)
#define CUCO_EMU_MAKE_ALIGNED_VECTORS(name, Element) \
  CUCO_EMU_MAKE_4(name##4_16a, Element) CUCO_EMU_MAKE_4(name##4_32a, Element)
// clang-format on

CUCO_EMU_MAKE_VECTORS(char, signed char)
CUCO_EMU_MAKE_VECTORS(uchar, unsigned char)
CUCO_EMU_MAKE_VECTORS(short, short)
CUCO_EMU_MAKE_VECTORS(ushort, unsigned short)
CUCO_EMU_MAKE_VECTORS(int, int)
CUCO_EMU_MAKE_VECTORS(uint, unsigned int)
CUCO_EMU_MAKE_VECTORS(long, long)
CUCO_EMU_MAKE_VECTORS(ulong, unsigned long)
CUCO_EMU_MAKE_VECTORS(longlong, long long)
CUCO_EMU_MAKE_VECTORS(ulonglong, unsigned long long)
CUCO_EMU_MAKE_VECTORS(float, float)
CUCO_EMU_MAKE_VECTORS(double, double)
CUCO_EMU_MAKE_ALIGNED_VECTORS(long, long)
CUCO_EMU_MAKE_ALIGNED_VECTORS(ulong, unsigned long)
CUCO_EMU_MAKE_ALIGNED_VECTORS(longlong, long long)
CUCO_EMU_MAKE_ALIGNED_VECTORS(ulonglong, unsigned long long)
CUCO_EMU_MAKE_ALIGNED_VECTORS(double, double)

#undef CUCO_EMU_MAKE_4
#undef CUCO_EMU_MAKE_VECTORS
#undef CUCO_EMU_MAKE_ALIGNED_VECTORS
