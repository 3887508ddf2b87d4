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

#define threadIdx (::cuco::emu::builtins.thread_idx)
#define blockIdx (::cuco::emu::builtins.block_idx)
#define blockDim (::cuco::emu::builtins.block_dim)
#define gridDim (::cuco::emu::builtins.grid_dim)
#define warpSize 32
