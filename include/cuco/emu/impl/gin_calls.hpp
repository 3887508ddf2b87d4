// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of the device functions of ncclGin and of GIN barriers: argument checks, then the engine. Included
/// by the runtime object only.

#include "cuco/emu/impl/gin_engine.hpp"

namespace cuco::emu::impl {

inline void check_gin(DeviceCommState* s, char const* what) {
  check_live(s);
  if (s->contexts == 0)
    illegal_by(current_thread,
               "%s, but GIN was not requested (ginForceEnable, ginSignalCount or ginCounterCount of the "
               "requirements)",
               what);
}
inline void check_signal(DeviceCommState* s, std::uint32_t id, char const* what, bool internal = false) {
  check_gin(s, what);
  if (id >= (internal ? s->signals : s->user_signals))
    illegal_by(
        current_thread, "%s: signal %u, but %u were requested (ginSignalCount)", what, id, s->user_signals);
}
inline void check_counter(DeviceCommState* s, std::uint32_t id, char const* what) {
  check_gin(s, what);
  if (id >= s->counters)
    illegal_by(
        current_thread, "%s: counter %u, but %u were requested (ginCounterCount)", what, id, s->counters);
}

inline void post_checked(GinPost const& p, bool internal) {
  char const* what = p.bytes > 0 || p.to != nullptr ? "a GIN put" : "a GIN signal";
  check_gin(p.state, what);
  if (p.peer < 0 || p.peer >= p.team.nRanks)
    illegal_by(current_thread, "%s to rank %d of a team of %d ranks", what, p.peer, p.team.nRanks);
  int to = p.state->comm->rank + (p.peer - p.team.rank) * p.team.stride;
  if (to < 0 || to >= p.state->comm->ranks)
    illegal_by(current_thread, "%s to a team rank that is no rank of the communicator", what);
  auto inside = [&](ncclWindow_t w, std::size_t offset, char const* role) {
    check_window(w, what);
    if (w->comm != p.state->comm)
      illegal_by(current_thread, "%s: the %s window belongs to another communicator", what, role);
    if (offset > w->size || p.bytes > w->size - offset)
      illegal_by(current_thread,
                 "%s of %zu bytes at offset %zu of the %s window of %zu bytes: out of bounds",
                 what,
                 p.bytes,
                 offset,
                 role,
                 w->size);
  };
  if (p.to != nullptr || p.bytes > 0) inside(p.to, p.to_offset, "destination");
  if (!p.is_value && (p.from != nullptr || p.bytes > 0)) inside(p.from, p.from_offset, "source");
  if (p.has_signal) {
    check_signal(p.state, p.signal, what, internal);
    std::uint32_t kind = p.adds ? 2 : 1;
    GinSignal& signal = p.state->signal(to, p.context, p.signal);
    if (signal.kind != 0 && signal.kind != kind)
      illegal_by(current_thread, "SignalInc and SignalAdd on signal %u without a reset in between", p.signal);
    signal.kind = kind;
  }
  if (p.has_counter) check_counter(p.state, p.counter, what);
  GinEngine::get().post(p, to);
}
void gin_post(GinPost const& p) {
  post_checked(p, false);
}

void gin_flush(DeviceCommState* s, std::uint32_t context) {
  check_gin(s, "ncclGin::flush");
  trace_waiting(TraceKind::kFlush, flush_key(s, context));
  wait_until([&] { return GinEngine::get().sources_read(s, context); },
             [&](char* text, std::size_t n) { std::snprintf(text, n, "flush of context %u", context); });
  Thread& t = self();
  if (tracing()) trace_here(TraceKind::kFlush, flush_key(s, context), context);
  t.traced_bytes = 0;
  advance_clock(t, s->local_done[context]);
  t.clock += machine().gin_flush_us;
}

inline std::uint64_t masked(std::uint64_t v, int bits) {
  return bits >= 64 ? v : v & ((std::uint64_t{1} << bits) - 1);
}

std::uint64_t gin_read_signal(DeviceCommState* s, std::uint32_t context, std::uint32_t id, int bits) {
  check_signal(s, id, "ncclGin::readSignal");
  Thread& t = self();
  GinSignal& signal = s->signal(s->comm->rank, context, id);
  // A loop of reads is a wait; a single one is a look, which costs no time.
  auto address = reinterpret_cast<std::uintptr_t>(&signal);
  bool polling = std::find(std::begin(t.polled), std::end(t.polled), address) != std::end(t.polled);
  poll(address);
  std::uint64_t v = signal.value.load(std::memory_order_acquire);
  if (polling) advance_clock(t, signal.time_of(v, 64));
  if (tracing())
    trace_here(TraceKind::kSignalRead,
               signal_key(s, own_world_rank(s), context, id),
               v,
               0,
               static_cast<std::uint16_t>(bits));
  t.traced_bytes = 0;
  return masked(v, bits);
}
inline void wait_signal(DeviceCommState* s,
                        std::uint32_t context,
                        std::uint32_t id,
                        std::uint64_t least,
                        int bits,
                        unsigned order,
                        char const* what) {
  Thread& t = self();
  if (bits < 1 || bits > 64) illegal_by(&t, "%s with %d bits", what, bits);
  GinSignal& signal = s->signal(s->comm->rank, context, id);
  std::uint64_t const key = signal_key(s, own_world_rank(s), context, id);
  trace_waiting(TraceKind::kSignalWait, key, least);
  wait_until([&] { return GinSignal::reached(least, signal.value.load(std::memory_order_acquire), bits); },
             [&](char* text, std::size_t n) {
               std::snprintf(text,
                             n,
                             "%s: signal %u of context %u >= %llu, now %llu",
                             what,
                             id,
                             context,
                             static_cast<unsigned long long>(least),
                             static_cast<unsigned long long>(signal.value.load()));
             });
  if (tracing())
    trace_here(TraceKind::kSignalWait,
               key,
               least,
               trace_flags(static_cast<TraceOrder>(order & 1U), TraceScope::kSystem),
               static_cast<std::uint16_t>(bits));
  t.traced_bytes = 0;
  advance_clock(t, signal.time_of(least, bits));
  t.run_class = kNoClass;
}
void gin_wait_signal(DeviceCommState* s,
                     std::uint32_t context,
                     std::uint32_t id,
                     std::uint64_t least,
                     int bits,
                     unsigned order) {
  check_signal(s, id, "ncclGin::waitSignal");
  wait_signal(s, context, id, least, bits, order, "waitSignal");
}
std::uint64_t gin_read_counter(DeviceCommState* s, std::uint32_t context, std::uint32_t id, int bits) {
  check_counter(s, id, "ncclGin::readCounter");
  GinCounter& counter = s->counter[context * s->counters + id];
  poll(reinterpret_cast<std::uintptr_t>(&counter));
  if (tracing()) trace_here(TraceKind::kCounterRead, counter_key(s, context, id), counter.value);
  self().traced_bytes = 0;
  return masked(counter.value, bits);
}
void gin_wait_counter(DeviceCommState* s, std::uint32_t context, std::uint32_t id, std::uint64_t least) {
  check_counter(s, id, "ncclGin::waitCounter");
  GinCounter& counter = s->counter[context * s->counters + id];
  trace_waiting(TraceKind::kCounterWait, counter_key(s, context, id), least);
  wait_until([&] { return GinSignal::reached(least, counter.value, 56); },
             [&](char* text, std::size_t n) {
               std::snprintf(text,
                             n,
                             "waitCounter: counter %u of context %u >= %llu, now %llu",
                             id,
                             context,
                             static_cast<unsigned long long>(least),
                             static_cast<unsigned long long>(counter.value));
             });
  if (tracing()) trace_here(TraceKind::kCounterWait, counter_key(s, context, id), least);
  self().traced_bytes = 0;
  // The least-th smallest time since the last reset.
  std::vector<double> times = counter.times;
  std::sort(times.begin(), times.end());
  if (least > 0 && least <= times.size()) advance_clock(self(), times[least - 1]);
}
std::uint64_t* gin_shadow(DeviceCommState* s, std::uint32_t context, std::uint32_t id) {
  check_signal(s, id, "ncclGin::getSignalShadowPtr");
  return s->shadows + context * s->signals + id;
}
void gin_reset_signal(DeviceCommState* s, std::uint32_t context, std::uint32_t id) {
  check_signal(s, id, "ncclGin::resetSignal");
  GinSignal& signal = s->signal(s->comm->rank, context, id);
  if (tracing()) trace_here(TraceKind::kSignalReset, signal_key(s, own_world_rank(s), context, id));
  if (signal.in_flight.load(std::memory_order_acquire) != 0)
    illegal_by(current_thread,
               "resetSignal of signal %u while %lld operations on it are in flight",
               id,
               static_cast<long long>(signal.in_flight.load()));
  signal.acquire();
  signal.value.store(0, std::memory_order_release);
  signal.base = 0;
  signal.logged = 0;
  signal.kind = 0;
  signal.release();
  s->shadows[context * s->signals + id] = 0;
}
void gin_reset_counter(DeviceCommState* s, std::uint32_t context, std::uint32_t id) {
  check_counter(s, id, "ncclGin::resetCounter");
  if (tracing()) trace_here(TraceKind::kCounterReset, counter_key(s, context, id));
  s->counter[context * s->counters + id] = GinCounter{};
}

// Barrier
// ---------------------------------------------------------------------------------------------------------------

LiveSession* gin_barrier_open(DeviceCommState* s,
                              std::uint32_t context,
                              ncclTeam team,
                              ncclGinBarrierHandle handle,
                              std::uint32_t index,
                              CoopId coop) {
  check_live(s);
  if (index >= static_cast<std::uint32_t>(s->gin_barriers))
    illegal_by(current_thread,
               "GIN barrier index %u, but %d barriers were requested (railGinBarrierCount, barrierCount)",
               index,
               s->gin_barriers);
  if (handle.signal0 != s->user_signals && s->contexts != 0)
    illegal_by(current_thread, "a GIN barrier handle that this ncclDevComm does not have");
  return open_session(SessionKind::kGin, s, team, handle.signal0, index, context, coop, "GIN barrier");
}
void gin_barrier_sync(LiveSession* b, std::uint32_t issuers, unsigned order) {
  DeviceCommState* s = b->state;
  if (b->team.nRanks == 1) return;
  check_gin(s, "a GIN barrier");
  Thread& t = self();
  double before = t.clock;
  std::uint32_t others = static_cast<std::uint32_t>(b->team.nRanks) - 1, signal = s->user_signals + b->index;
  for (std::uint32_t i = 0; i < others; ++i) {
    GinPost p{};
    p.state = s;
    p.context = b->context;
    p.team = b->team;
    p.peer = (b->team.rank + 1 + static_cast<int>(i)) % b->team.nRanks;
    p.has_signal = true;
    p.signal = signal;
    p.delta = 1;
    p.internal = true;
    p.order = order;
    // The threads of the group post at the same time.
    t.clock = before + machine().gin_post_us * (i / issuers);
    post_checked(p, true);
  }
  *b->epoch += others;
  wait_signal(s, b->context, signal, *b->epoch, 32, order, "GIN barrier");
}

}  // namespace cuco::emu::impl
