// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CUDA's vector types, with CUDA's sizes and alignments: one, two and four elements are aligned to their
/// size, but to no more than 16 bytes.

/// char1, char2, char3 and char4 of one element type.
#define CUCO_EMU_VECTOR_TYPES(name, Element)                                    \
  struct name##1 {                                                              \
    Element x;                                                                  \
  };                                                                            \
  struct alignas(2 * sizeof(Element)) name##2 {                                 \
    Element x, y;                                                               \
  };                                                                            \
  struct name##3 {                                                              \
    Element x, y, z;                                                            \
  };                                                                            \
  struct alignas(4 * sizeof(Element) < 16 ? 4 * sizeof(Element) : 16) name##4 { \
    Element x, y, z, w;                                                         \
  };
/// The four 8-byte elements whose alignment is in the name.
#define CUCO_EMU_ALIGNED_VECTOR_TYPES(name, Element) \
  struct alignas(16) name##4_16a {                   \
    Element x, y, z, w;                              \
  };                                                 \
  struct alignas(32) name##4_32a {                   \
    Element x, y, z, w;                              \
  };

CUCO_EMU_VECTOR_TYPES(char, signed char)
CUCO_EMU_VECTOR_TYPES(uchar, unsigned char)
CUCO_EMU_VECTOR_TYPES(short, short)
CUCO_EMU_VECTOR_TYPES(ushort, unsigned short)
CUCO_EMU_VECTOR_TYPES(int, int)
CUCO_EMU_VECTOR_TYPES(uint, unsigned int)
CUCO_EMU_VECTOR_TYPES(long, long)
CUCO_EMU_VECTOR_TYPES(ulong, unsigned long)
CUCO_EMU_VECTOR_TYPES(longlong, long long)
CUCO_EMU_VECTOR_TYPES(ulonglong, unsigned long long)
CUCO_EMU_VECTOR_TYPES(float, float)
CUCO_EMU_VECTOR_TYPES(double, double)
CUCO_EMU_ALIGNED_VECTOR_TYPES(long, long)
CUCO_EMU_ALIGNED_VECTOR_TYPES(ulong, unsigned long)
CUCO_EMU_ALIGNED_VECTOR_TYPES(longlong, long long)
CUCO_EMU_ALIGNED_VECTOR_TYPES(ulonglong, unsigned long long)
CUCO_EMU_ALIGNED_VECTOR_TYPES(double, double)

#undef CUCO_EMU_VECTOR_TYPES
#undef CUCO_EMU_ALIGNED_VECTOR_TYPES

/// Extents of a grid or a block.
struct dim3 {
  unsigned int x, y, z;
  constexpr dim3(unsigned int vx = 1, unsigned int vy = 1, unsigned int vz = 1) : x(vx), y(vy), z(vz) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return uint3{x, y, z}; }
};
