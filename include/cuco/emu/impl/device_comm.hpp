// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Device communicators: resource buffers, barriers, GIN signals and counters, and the sessions that live in
/// kernels.

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "cuco/emu/impl/block_sync.hpp"
#include "cuco/emu/impl/nccl_device_ll_a2a.hpp"
#include "cuco/emu/impl/window.hpp"

namespace cuco::emu::impl {

/// A signal of one rank and context, in memory that every rank maps. The log gives each increment its virtual
/// time, so that a wait ends at the time of the increment that satisfied it, whatever order they arrived in.
struct GinSignal {
  static constexpr std::uint32_t kLog = 48;
  std::atomic<std::uint32_t> lock;
  std::uint32_t logged;
  std::atomic<std::uint64_t> value;
  std::atomic<std::int64_t> in_flight;  ///< Posted and not applied yet.
  std::uint64_t base;                   ///< Value before the first entry of the log.
  std::uint32_t kind;                   ///< 1: increments only, 2: additions only, since the last reset.
  struct Entry {
    double time;
    std::uint64_t delta;
  } log[kLog];

  void acquire() {
    while (lock.exchange(1, std::memory_order_acquire) != 0) ::sched_yield();
  }
  void release() { lock.store(0, std::memory_order_release); }
  void add(std::uint64_t delta, double time) {
    acquire();
    if (logged == kLog) {
      // Forget the older half.
      std::sort(log, log + kLog, [](Entry const& a, Entry const& b) { return a.time < b.time; });
      for (std::uint32_t i = 0; i < kLog / 2; ++i) base += log[i].delta;
      std::copy(log + kLog / 2, log + kLog, log);
      logged = kLog / 2;
    }
    log[logged++] = {time, delta};
    value.fetch_add(delta, std::memory_order_acq_rel);
    release();
  }
  /// Virtual time at which the value first was at least `least` (rolling compare on `bits` bits).
  double time_of(std::uint64_t least, int bits) {
    acquire();
    Entry sorted[kLog];
    std::uint32_t n = logged;
    std::copy(log, log + n, sorted);
    std::uint64_t v = base;
    release();
    std::sort(sorted, sorted + n, [](Entry const& a, Entry const& b) { return a.time < b.time; });
    double time = 0;
    for (std::uint32_t i = 0; i < n && !reached(least, v, bits); ++i) {
      v += sorted[i].delta;
      time = sorted[i].time;
    }
    return time;
  }
  static bool reached(std::uint64_t least, std::uint64_t v, int bits) {
    std::uint64_t mask = ~std::uint64_t{0} >> (64 - bits);
    return ((v - least) & mask) <= (mask >> 1);
  }
};

struct GinCounter {
  std::uint64_t value = 0;
  std::vector<double> times;  ///< Of the increments since the last reset.
};

enum class SessionKind : std::uint8_t { kLsa, kGin, kLl };

/// A session object of a group of threads. One per (kind, handle, index) can live in a rank.
struct LiveSession {
  SessionKind kind;
  DeviceCommState* state;
  std::uint32_t handle, index, context;
  ncclTeam team;
  std::uint64_t grid, block;
  CoopId coop;
  std::uint32_t members = 0, opened = 0;
  std::uint32_t slots = 0;  ///< Of LL all-to-all.
  std::uint32_t* epoch;     ///< Kept between sessions.
};

/// What a rank's LSA barrier inbox holds per sender. The sender's clock is kept for a few rounds, since a
/// fast sender may arrive at the next round before its last one was read.
struct LsaInbox {
  std::atomic<std::uint32_t> epoch;
  std::uint32_t pad;
  double clock[4];
};
struct LlLine {
  std::atomic<std::uint32_t> epoch;
  std::uint32_t pad;
  std::uint64_t word;
  double clock;
};

struct DeviceCommState {
  bool live = true;
  ncclComm* comm = nullptr;
  std::uint64_t trace_id = 0;  ///< The same on every rank.
  ncclWindow_vidmem* resource = nullptr;
  int lsa_barriers = 0, gin_barriers = 0;
  std::uint32_t contexts = 0;  ///< 0: GIN is off.
  std::uint32_t user_signals = 0, signals = 0, counters = 0;
  std::map<std::uint32_t, std::pair<int, int>> lsa_handles;  ///< handle -> (barriers, ranks of the team)
  std::vector<char*> signal_base;                            ///< Per rank: GinSignal[contexts][signals].
  std::vector<GinCounter> counter;                           ///< [contexts][counters]
  std::uint64_t* shadows = nullptr;                          ///< [contexts][signals]
  std::vector<double> local_done;  ///< Per context: virtual time at which all sources were consumed.
  std::map<std::tuple<SessionKind, std::uint32_t, std::uint32_t, std::uint32_t>, LiveSession*> sessions;
  std::map<std::tuple<SessionKind, std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> epochs;
  char stash[16 * 64];

  GinSignal& signal(int rank, std::uint32_t context, std::uint32_t id) const {
    return reinterpret_cast<GinSignal*>(signal_base[static_cast<std::size_t>(rank)])[context * signals + id];
  }
};

/// Handles of LSA barriers that were required but not created yet: (barriers, ranks).
inline std::map<ncclLsaBarrierHandle*, std::pair<int, int>>& lsa_requirements() {
  static auto* const all = new std::map<ncclLsaBarrierHandle*, std::pair<int, int>>;
  return *all;
}

void check_live(DeviceCommState* s) {
  if (s == nullptr) illegal_by(current_thread, "an ncclDevComm that was not created");
  if (!s->live) illegal_by(current_thread, "an ncclDevComm that was destroyed");
}

void cta_meet(std::uint64_t tag, char const* what) {
  dim3 const& d = builtins.block_dim;
  if (d.y != 1 || d.z != 1)
    illegal_by(
        current_thread,
        "%s by ncclCoopCta in a block of %u x %u x %u threads: ncclCoopCta needs one-dimensional blocks",
        what,
        d.x,
        d.y,
        d.z);
  block_barrier(tag, what);
}
void lanes_meet(std::uint32_t mask, std::uint64_t tag, char const* what) {
  std::uint64_t lanes[32];
  std::uint32_t taken = warp_meet(mask, tag, lanes, what);
  if (taken != mask)
    illegal_by(current_thread, "%s: lanes 0x%08x of the cooperative group have exited", what, mask & ~taken);
  for (std::uint32_t rest = taken; rest != 0; rest &= rest - 1)
    if (lanes[__builtin_ctz(rest)] != tag)
      illegal_by(current_thread,
                 "%s: lane %d of the cooperative group is at another call",
                 what,
                 __builtin_ctz(rest));
}
void span_meet(std::uint32_t id, std::uint32_t threads, char const* what) {
  if (id > 14) illegal_by(current_thread, "%s: warp span id %u (0 to 14)", what, id);
  named_barrier(1 + id, threads, what);
}
void* coop_stash(CoopId id) {
  Block& b = *self().block;
  // One place per warp's first thread and lane is enough: groups of a block do not overlap while they
  // broadcast.
  static thread_local std::map<std::pair<Block*, std::uint32_t>, std::array<char, 16>> stash;
  return stash[{&b, id.first}].data();
}

/// Registers the calling thread with the session of its group.
inline LiveSession* open_session(SessionKind kind,
                                 DeviceCommState* state,
                                 ncclTeam team,
                                 std::uint32_t handle,
                                 std::uint32_t index,
                                 std::uint32_t context,
                                 CoopId coop,
                                 char const* what) {
  Thread& t = self();
  auto key = std::make_tuple(kind, handle, index, context);
  LiveSession*& s = state->sessions[key];
  std::uint64_t grid = t.block->grid->id, block = t.block->index;
  // The group has left its last session, though not every thread has got to say so: this is its next one.
  bool const left = s != nullptr && s->members < s->opened && s->opened == coop.size;
  if (left && s->grid == grid && s->block == block && s->coop.first == coop.first &&
      s->coop.size == coop.size)
    s = nullptr;
  if (s == nullptr) {
    s = new LiveSession{};
    s->kind = kind;
    s->state = state;
    s->handle = handle;
    s->index = index;
    s->context = context;
    s->team = team;
    s->grid = grid;
    s->block = block;
    s->coop = coop;
    s->epoch = &state->epochs[key];
  }
  if (s->grid != grid || s->block != block || s->coop.first != coop.first || s->coop.size != coop.size ||
      s->opened == coop.size)
    illegal_by(
        &t,
        "%s index %u is used by two live sessions of this rank (the other: block %llu of kernel number %llu)",
        what,
        index,
        static_cast<unsigned long long>(s->block),
        static_cast<unsigned long long>(s->grid));
  ++s->members;
  ++s->opened;
  return s;
}
void close_session(LiveSession* s) {
  if (--s->members > 0) return;
  if (s->opened != s->coop.size)
    illegal_by(current_thread, "a session of %u threads was opened by %u of them", s->coop.size, s->opened);
  auto const known = s->state->sessions.find(std::make_tuple(s->kind, s->handle, s->index, s->context));
  if (known != s->state->sessions.end() && known->second == s) s->state->sessions.erase(known);
  delete s;
}

ncclWindow_t find_window(DeviceCommState* state, void const* p) {
  check_live(state);
  auto const* at = static_cast<char const*>(p);
  for (ncclWindow_vidmem* w : WindowTable::get().live)
    if (w->comm == state->comm && at >= w->own && at < w->own + w->size) return w;
  illegal_by(current_thread, "ncclFindWindow of a pointer into no registered window (it would not return)");
}

}  // namespace cuco::emu::impl
