// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Qualifiers and built-in variables. `__shared__` and launches are rewritten by the front end;
/// `__noinline__` too, because the standard library spells attributes with that word.

#include "cuco/emu/impl/device.hpp"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __inline_hint__
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define __device_builtin__

#ifndef __clang__
#define __builtin_assume(condition) static_cast<void>(0)
#endif

// Names for parts of `cuco::emu::builtins`. Variables, not macros: structures have members of the same names.
extern __thread uint3 const threadIdx __asm__("cuco_emu_thread_idx");
extern __thread uint3 const blockIdx __asm__("cuco_emu_block_idx");
extern __thread dim3 const blockDim __asm__("cuco_emu_block_dim");
extern __thread dim3 const gridDim __asm__("cuco_emu_grid_dim");
constexpr int warpSize = 32;
