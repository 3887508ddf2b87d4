// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the CUDA host functions share: the error state, the current device, helpers.

#include <cstdlib>

#include "cuco/emu/impl/kernel_operation.hpp"
#include "cuda_runtime_api.h"

struct CUevent_st {
  bool timing = true;
  cuco::emu::impl::CompletionPtr completion;  ///< Null: never recorded.
};

namespace cuco::emu::impl {

struct HostState {
  cudaError_t last = cudaSuccess;
  int device = 0;
  int used_device = -1;    ///< The device that has memory or work.
  bool unloading = false;  ///< The program is ending, and CUDA with it: destructors of globals run.
  std::size_t stuck_queries = 0;
  int free_steps =
      0;  ///< Readings of the clock and sleeps that cost nothing: they belong to a loop of queries.

  static HostState& get() {
    static HostState* const state = new HostState;
    return *state;
  }
};

inline int device_count() {
  // One process is one GPU; a node shows as many as it has ranks, so that rank % count works.
  return std::max(1, ranks_per_node(Environment::get().world_size));
}

inline cudaError_t failed(cudaError_t error) {
  HostState::get().last = error;
  return error;
}

/// The host spends `microseconds` in a call that enqueues.
inline void host_spends(double microseconds) {
  Device::get().host_clock += microseconds;
  HostState::get().stuck_queries = 0;
}

/// First use of the device.
inline void use_device() {
  HostState& s = HostState::get();
  if (s.used_device < 0) {
    s.used_device = s.device;
    std::atexit([] { HostState::get().unloading = true; });
    Heap::get().set_limit(static_cast<std::size_t>(machine().memory_gib * 1073741824.0));
    own_page();
  }
  if (s.used_device != s.device)
    fatal(kNotEmulated,
          "not emulated: several GPUs in one process (device %d after device %d)",
          s.device,
          s.used_device);
}

inline bool is_device_memory(void const* p) {
  Allocation* a = find_allocation(p);
  if (a == nullptr) return known_range(p).kind == KnownRange::kSymbol;
  return a->kind != Allocation::kPinned && a->memory_class != kUncounted;
}
inline bool is_pageable(void const* p) {
  return find_allocation(p) == nullptr && known_range(p).kind == KnownRange::kNone;
}

inline bool valid_stream(CUstream_st* s) {
  return Device::get().valid(Device::get().resolve(s));
}

inline void check_bulk(void const* p, std::size_t n, char const* call, char const* role) {
  KnownRange const known = known_range(p);
  if (known.kind != KnownRange::kNone && !known.holds(reinterpret_cast<std::uintptr_t>(p), n))
    fatal(kBadAccess,
          "out-of-bounds access: %s of %zu bytes, %s starts at byte %zu of a %s of %zu bytes",
          call,
          n,
          role,
          static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(p) - known.base),
          known.kind == KnownRange::kSymbol ? "variable" : "registered host range",
          known.size);
  if (in_bounds(p, n)) return;
  char where[256];
  // The last byte tells more than the first when the copy runs over the end.
  describe_address(reinterpret_cast<std::uintptr_t>(p), where, sizeof where);
  fatal(kBadAccess, "out-of-bounds access: %s of %zu bytes, %s starts at %s", call, n, role, where);
}

}  // namespace cuco::emu::impl

/// Short, for the bodies of functions in the global namespace.
namespace cei = cuco::emu::impl;
