// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The device API of NCCL 2.28.9 without multimem: teams, windows, cooperative groups, LSA barriers, GIN, GIN
/// and hybrid barriers, low-latency all-to-all. Code written for the portable subset of later versions
/// compiles too.

#include "cuco/emu/impl/nccl_device_barriers.hpp"
#include "cuco/emu/impl/nccl_device_core.hpp"
#include "cuco/emu/impl/nccl_device_gin.hpp"
#include "cuco/emu/impl/nccl_device_ll_a2a.hpp"
