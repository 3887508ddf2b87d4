// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `half` and `half2` in software.

#include "cuco/emu/impl/narrow_conversions.hpp"

using __half_raw = cuco::emu::NarrowRaw;
using __half = cuco::emu::NarrowFloat<cuco::emu::Binary16>;
using __half2 = cuco::emu::NarrowPair<cuco::emu::Binary16>;
using half = __half;
using half2 = __half2;

CUCO_EMU_NARROW_CONVERSIONS(__half, __half2, half)

#define CUDART_INF_FP16 __ushort_as_half(0x7C00U)
#define CUDART_NAN_FP16 __ushort_as_half(0x7FFFU)
#define CUDART_MIN_DENORM_FP16 __ushort_as_half(0x0001U)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half(0x7BFFU)
#define CUDART_NEG_ZERO_FP16 __ushort_as_half(0x8000U)
#define CUDART_ZERO_FP16 __ushort_as_half(0x0000U)
#define CUDART_ONE_FP16 __ushort_as_half(0x3C00U)
