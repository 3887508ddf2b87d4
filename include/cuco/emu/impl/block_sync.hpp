// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Barriers of a block, its warps and the grid, and data exchange between lanes.

#include <cstring>

#include "cuco/emu/impl/scheduler.hpp"

namespace cuco::emu::impl {

[[noreturn]] __attribute__((format(printf, 2, 3))) inline void illegal_by(Thread const* t,
                                                                          char const* format,
                                                                          ...) {
  char rule[640], thread[320] = "host code";
  va_list list;
  va_start(list, format);
  std::vsnprintf(rule, sizeof rule, format, list);
  va_end(list);
  if (t != nullptr) describe_thread(*t, thread, sizeof thread);
  if (tracing()) trace_here(TraceKind::kFatal);
  fatal(kIllegalUse, "illegal use: %s; by %s", rule, thread);
}

/// Everyone who still lives has arrived.
inline void release_block(Block& b, Thread* running) {
  double latest = 0;
  Thread* first = nullptr;
  for (std::uint32_t i = 0; i < b.count; ++i) {
    Thread& t = b.threads[i];
    if (t.state != ThreadState::kInBlockBarrier) continue;
    latest = std::max(latest, t.clock);
    if (first == nullptr) first = &t;
    if (t.barrier_tag != first->barrier_tag)
      illegal_by(&t,
                 "divergent barrier: this thread is at %s, thread (%u,%u,%u) of the block is at %s; all "
                 "threads of the "
                 "cooperative group must make the same call",
                 t.operation,
                 first->builtins.thread_idx.x,
                 first->builtins.thread_idx.y,
                 first->builtins.thread_idx.z,
                 first->operation);
  }
  if (first == nullptr) return;
  trace(TraceKind::kBlockBarrier, b.grid->id, b.index);
  if (first->barrier_tag != 0 && b.exited > 0)
    illegal_by(first,
               "%s: %u of %u threads of the block have exited, but all threads of the cooperative group must "
               "take part",
               first->operation,
               b.exited,
               b.count);
  double clock = end_phase(b, latest) + machine().sync_us;
  b.phase_start = clock;
  b.barrier_result = b.barrier_value;
  b.barrier_value = 0;
  b.arrived = 0;
  Scheduler& s = Scheduler::get();
  for (std::uint32_t i = 0; i < b.count; ++i) {
    Thread& t = b.threads[i];
    if (t.state != ThreadState::kInBlockBarrier) continue;
    t.clock = clock;
    t.run_class = kNoClass;
    t.traced_bytes = 0;
    if (&t == running)
      t.state = ThreadState::kRunning;
    else
      s.make_ready(t);
  }
}

/// Barrier of all live threads of the block. Tag 0 is __syncthreads; threads that meet must have the same
/// tag.
inline int block_barrier(std::uint64_t tag, char const* operation, int value = 0) {
  Thread& t = self();
  Block& b = *t.block;
  t.barrier_tag = tag;
  t.operation = operation;
  b.barrier_value += value != 0 ? 1 : 0;
  t.state = ThreadState::kInBlockBarrier;
  Scheduler::get().note_progress();
  if (++b.arrived + b.exited == b.count)
    release_block(b, &t);
  else {
    if (tracing()) trace_here(TraceKind::kWaitBegin, static_cast<std::uint64_t>(TraceKind::kBlockBarrier), tag);
    Scheduler::get().suspend(t, ThreadState::kInBlockBarrier);
  }
  return b.barrier_result;
}

inline void complete_exchange(Block& b, std::uint32_t warp, WarpExchange& x, Thread* running) {
  std::uint32_t arrived = x.arrived;
  if (tracing()) trace_log().add(TraceKind::kWarpMeet, b.grid->id, b.index << 16U | warp, 0, 0, arrived);
  x.taken[x.parity] = arrived;
  x.parity ^= 1;
  x.arrived = 0;
  double latest = 0;
  for (std::uint32_t rest = arrived; rest != 0; rest &= rest - 1)
    latest = std::max(latest, b.threads[warp * 32 + static_cast<unsigned>(__builtin_ctz(rest))].clock);
  for (std::uint32_t rest = arrived; rest != 0; rest &= rest - 1) {
    Thread& t = b.threads[warp * 32 + static_cast<unsigned>(__builtin_ctz(rest))];
    t.clock = latest;
    t.traced_bytes = 0;
    if (&t == running)
      t.state = ThreadState::kRunning;
    else
      Scheduler::get().make_ready(t);
  }
}

inline std::uint32_t warp_meet(std::uint32_t mask,
                               std::uint64_t value,
                               std::uint64_t* out,
                               char const* what) {
  Thread& t = self();
  Block& b = *t.block;
  std::uint32_t lane = t.builtins.lane, index = t.builtins.warp;
  Warp& w = b.warps[index];
  if ((mask >> lane & 1) == 0)
    illegal_by(&t, "%s with mask 0x%08x that lacks the calling lane %u", what, mask, lane);
  WarpExchange* x = nullptr;
  for (auto& known : w.exchanges)
    if (known->mask == mask) {
      x = known.get();
      break;
    }
  if (x == nullptr) {
    w.exchanges.push_back(std::make_unique<WarpExchange>());
    x = w.exchanges.back().get();
    x->mask = mask;
  }
  unsigned parity = x->parity;
  x->values[parity][lane] = value;
  x->arrived |= 1u << lane;
  t.operation = what;
  t.mask = mask;
  t.run_class = kNoClass;
  Scheduler::get().note_progress();
  // Lanes that have exited, or that the block never had, count as arrived.
  if (((x->arrived | ~w.live) & mask) == mask)
    complete_exchange(b, index, *x, &t);
  else {
    if (tracing()) trace_here(TraceKind::kWaitBegin, static_cast<std::uint64_t>(TraceKind::kWarpMeet), mask);
    Scheduler::get().suspend(t, ThreadState::kInWarpOperation);
  }
  std::uint32_t taken = x->taken[parity];
  if (out != nullptr) {
    std::memset(out, 0, 32 * sizeof *out);
    for (std::uint32_t rest = taken; rest != 0; rest &= rest - 1) {
      int l = __builtin_ctz(rest);
      out[l] = x->values[parity][l];
    }
  }
  return taken;
}

inline void Scheduler::exited(Thread& t) {
  Block& b = *t.block;
  t.state = ThreadState::kExited;
  ++b.exited;
  Warp& w = b.warps[t.builtins.warp];
  w.live &= ~(1u << t.builtins.lane);
  for (auto& x : w.exchanges)
    if (x->arrived != 0 && ((x->arrived | ~w.live) & x->mask) == x->mask)
      complete_exchange(b, t.builtins.warp, *x, nullptr);
  if (b.arrived != 0 && b.arrived + b.exited == b.count) release_block(b, nullptr);
}

inline void named_barrier(unsigned id, unsigned count, char const* operation) {
  Thread& t = self();
  Block& b = *t.block;
  if (id >= 16) illegal_by(&t, "%s: named barrier %u does not exist (0 to 15)", operation, id);
  if (count == 0 || count % 32 != 0 || count > (b.count + 31) / 32 * 32)
    illegal_by(&t,
               "%s: %u threads at named barrier %u: must be a multiple of 32 and at most the block's threads",
               operation,
               count,
               id);
  NamedBarrier& n = b.named[id];
  n.threads.push_back(&t);
  t.operation = operation;
  Scheduler::get().note_progress();
  if (++n.arrived < count) {
    Scheduler::get().suspend(t, ThreadState::kInWarpOperation);
    return;
  }
  double latest = 0;
  for (Thread* other : n.threads) latest = std::max(latest, other->clock);
  for (Thread* other : n.threads) {
    other->clock = latest + machine().sync_us;
    other->run_class = kNoClass;
    other->traced_bytes = 0;
    trace(TraceKind::kMeetMember, b.grid->id, b.index << 16U | other->builtins.linear);
    if (other != &t) Scheduler::get().make_ready(*other);
  }
  trace(TraceKind::kMeetEnd);
  n.threads.clear();
  n.arrived = 0;
}

}  // namespace cuco::emu::impl
