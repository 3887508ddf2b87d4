// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// NCCL's cooperative groups (nccl_device/coop.h). Every collective call of a session carries a tag: threads
/// that meet must have made the same call.

#include <cstdint>

#include "cuco/emu/impl/device_functions.hpp"

namespace cuco::emu::impl {

/// Who a group is: its first thread (linear index in the block), its size, and the caller's rank in it.
struct CoopId {
  std::uint32_t first, size, rank;
};
/// Meets all threads of the block at a call. Exit 92 for blocks that are not one-dimensional.
void cta_meet(std::uint64_t tag, char const* what);
/// Meets the lanes of the mask at a call.
void lanes_meet(std::uint32_t mask, std::uint64_t tag, char const* what);
void span_meet(std::uint32_t id, std::uint32_t threads, char const* what);

}  // namespace cuco::emu::impl

template <int N>
struct ncclCoopTile {
  static_assert(N > 0 && N <= 32 && (N & (N - 1)) == 0, "a power of two of at most 32 threads");
  int thread_rank() const { return static_cast<int>(::cuco::emu::builtins.lane) % N; }
  constexpr int size() const { return N; }
  constexpr int num_threads() const { return N; }
  std::uint32_t laneMask() const {
    return (0xffffffffu >> (32 - N)) << (::cuco::emu::builtins.lane & ~static_cast<unsigned>(N - 1));
  }
  void sync() {
    if (N > 1) ::cuco::emu::warp_sync(laneMask());
  }
};
typedef ncclCoopTile<1> ncclCoopThread;
typedef ncclCoopTile<32> ncclCoopWarp;

struct ncclCoopLanes {
  std::uint32_t lmask;
  constexpr ncclCoopLanes(std::uint32_t mask = 0xffffffffu) : lmask(mask) {}
  int thread_rank() const { return __popc(lmask & __lanemask_lt()); }
  int size() const { return __popc(lmask); }
  int num_threads() const { return __popc(lmask); }
  void sync() { ::cuco::emu::warp_sync(lmask); }
};

struct ncclCoopWarpSpan {
  std::uint32_t warp0 : 8, nWarps : 8, id : 8;
  constexpr ncclCoopWarpSpan(int first, int count, int identity)
      : warp0(static_cast<std::uint32_t>(first)),
        nWarps(static_cast<std::uint32_t>(count)),
        id(static_cast<std::uint32_t>(identity)) {}
  int thread_rank() const {
    return static_cast<int>(::cuco::emu::builtins.linear) - 32 * static_cast<int>(warp0);
  }
  int size() const { return 32 * static_cast<int>(nWarps); }
  int num_threads() const { return size(); }
  void sync() {
    ::cuco::emu::impl::span_meet(id, static_cast<std::uint32_t>(size()), "ncclCoopWarpSpan::sync");
  }
};

struct ncclCoopCta {
  int thread_rank() const { return static_cast<int>(::cuco::emu::builtins.thread_idx.x); }
  int size() const { return static_cast<int>(::cuco::emu::builtins.block_dim.x); }
  int num_threads() const { return size(); }
  void sync() { ::cuco::emu::impl::cta_meet(0, "ncclCoopCta::sync"); }
};

template <int N>
inline std::uint32_t ncclCoopGetLaneMask(ncclCoopTile<N> coop) {
  return coop.laneMask();
}
inline std::uint32_t ncclCoopGetLaneMask(ncclCoopLanes coop) {
  return coop.lmask;
}
inline std::uint32_t ncclCoopGetLaneMask(ncclCoopWarpSpan) {
  return 0xffffffffu;
}
inline std::uint32_t ncclCoopGetLaneMask(ncclCoopCta) {
  return 0xffffffffu;
}

template <int N>
constexpr bool ncclCoopIsThread(ncclCoopTile<N>) {
  return N == 1;
}
constexpr bool ncclCoopIsThread(ncclCoopLanes) {
  return false;
}
constexpr bool ncclCoopIsThread(ncclCoopWarpSpan) {
  return false;
}
constexpr bool ncclCoopIsThread(ncclCoopCta) {
  return false;
}

template <int N>
constexpr bool ncclCoopWithinWarp(ncclCoopTile<N>) {
  return true;
}
constexpr bool ncclCoopWithinWarp(ncclCoopLanes) {
  return true;
}
constexpr bool ncclCoopWithinWarp(ncclCoopWarpSpan) {
  return false;
}
constexpr bool ncclCoopWithinWarp(ncclCoopCta) {
  return false;
}

inline ncclCoopLanes ncclCoopCoalesced() {
  return ncclCoopLanes{__activemask()};
}
template <typename Coop>
inline ncclCoopTile<32> ncclCoopCoalesced(Coop) {
  return {};
}
inline ncclCoopLanes ncclCoopCoalesced(ncclCoopLanes coop) {
  return coop;
}
template <int N>
inline ncclCoopTile<N> ncclCoopCoalesced(ncclCoopTile<N> coop) {
  return coop;
}

namespace cuco::emu::impl {

template <int N>
CoopId coop_id(ncclCoopTile<N> c) {
  auto rank = static_cast<std::uint32_t>(c.thread_rank());
  return {builtins.linear - rank, N, rank};
}
inline CoopId coop_id(ncclCoopLanes c) {
  return {builtins.warp * 32 + static_cast<std::uint32_t>(__ffs(static_cast<int>(c.lmask)) - 1),
          static_cast<std::uint32_t>(c.size()),
          static_cast<std::uint32_t>(c.thread_rank())};
}
inline CoopId coop_id(ncclCoopWarpSpan c) {
  return {c.warp0 * 32u, static_cast<std::uint32_t>(c.size()), static_cast<std::uint32_t>(c.thread_rank())};
}
inline CoopId coop_id(ncclCoopCta c) {
  return {0, static_cast<std::uint32_t>(c.size()), static_cast<std::uint32_t>(c.thread_rank())};
}

template <int N>
void coop_meet(ncclCoopTile<N> c, std::uint64_t tag, char const* what) {
  if (N > 1) lanes_meet(c.laneMask(), tag, what);
}
inline void coop_meet(ncclCoopLanes c, std::uint64_t tag, char const* what) {
  lanes_meet(c.lmask, tag, what);
}
inline void coop_meet(ncclCoopWarpSpan c, std::uint64_t, char const* what) {
  span_meet(c.id, static_cast<std::uint32_t>(c.size()), what);
}
inline void coop_meet(ncclCoopCta, std::uint64_t tag, char const* what) {
  cta_meet(tag, what);
}

/// Where a group's broadcast value is kept while it is handed over.
void* coop_stash(CoopId id);

template <typename Coop, typename T>
T coop_broadcast(Coop coop, T value, int root) {
  static_assert(sizeof(T) <= 16, "at most 16 bytes");
  coop_meet(coop, 2, "ncclCoopBcast");
  void* stash = coop_stash(coop_id(coop));
  if (coop.thread_rank() == root) std::memcpy(stash, &value, sizeof(T));
  coop_meet(coop, 3, "ncclCoopBcast");
  std::memcpy(static_cast<void*>(&value), stash, sizeof(T));
  coop_meet(coop, 4, "ncclCoopBcast");
  return value;
}

}  // namespace cuco::emu::impl

template <typename Coop, typename T>
inline T ncclCoopBcast(Coop coop, T value, int root, bool = true) {
  if (ncclCoopIsThread(coop)) return value;
  return ::cuco::emu::impl::coop_broadcast(coop, value, root);
}
