// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The whole emulator runtime. Compiled once into an object that every emulated program is linked with: a
/// source file that includes this header and nothing else, compiled without instrumentation.

#include "cuco/emu/impl/cuda_device.hpp"
#include "cuco/emu/impl/cuda_errors.hpp"
#include "cuco/emu/impl/cuda_memory.hpp"
#include "cuco/emu/impl/cuda_streams.hpp"
#include "cuco/emu/impl/device_comm_create.hpp"
#include "cuco/emu/impl/device_entry.hpp"
#include "cuco/emu/impl/mpi_calls.hpp"
#include "cuco/emu/impl/nccl_host.hpp"
#include "cuco/emu/impl/nccl_reductions.hpp"
