// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `__nv_bfloat16` and `__nv_bfloat162` in software.

#include "cuco/emu/impl/narrow_conversions.hpp"

using __nv_bfloat16_raw = cuco::emu::NarrowRaw;
using __nv_bfloat16 = cuco::emu::NarrowFloat<cuco::emu::BFloat16>;
using __nv_bfloat162 = cuco::emu::NarrowPair<cuco::emu::BFloat16>;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

CUCO_EMU_NARROW_CONVERSIONS(__nv_bfloat16, __nv_bfloat162, bfloat16)

#define CUDART_INF_BF16 __ushort_as_bfloat16(0x7F80U)
#define CUDART_NAN_BF16 __ushort_as_bfloat16(0x7FFFU)
#define CUDART_MAX_NORMAL_BF16 __ushort_as_bfloat16(0x7F7FU)
#define CUDART_NEG_ZERO_BF16 __ushort_as_bfloat16(0x8000U)
#define CUDART_ZERO_BF16 __ushort_as_bfloat16(0x0000U)
#define CUDART_ONE_BF16 __ushort_as_bfloat16(0x3F80U)
