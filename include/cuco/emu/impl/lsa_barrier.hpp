// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// LSA barriers and the low-latency all-to-all: flags in the resource windows of the peers.
///
/// Time: a rank leaves the barrier at max(own clock, latest arrival of a peer + lsa_barrier_us). A received
/// word is there at the sender's clock + peer_latency_us.

#include <array>

#include "cuco/emu/impl/device_comm.hpp"

namespace cuco::emu::impl {

inline char* resource_of(DeviceCommState* s, ncclTeam team, int rank, std::uint32_t handle) {
  int lsa = s->comm->lsa_rank + (rank - team.rank) * team.stride;
  return s->resource->base[lsa] + static_cast<std::size_t>(handle) * 128;
}
inline LsaInbox& inbox(LiveSession* s, int owner, int sender) {
  auto* all = reinterpret_cast<LsaInbox*>(resource_of(s->state, s->team, owner, s->handle));
  return all[s->index * static_cast<std::uint32_t>(s->team.nRanks) + static_cast<std::uint32_t>(sender)];
}
inline Peer const& team_peer(LiveSession* s, int rank) {
  int world = s->state->comm->rank + (rank - s->team.rank) * s->team.stride;
  return s->state->comm->peers[static_cast<std::size_t>(world)];
}
inline void check_lsa_team(DeviceCommState* s, ncclTeam team, char const* what) {
  int first = s->comm->lsa_rank - team.rank * team.stride, last = first + (team.nRanks - 1) * team.stride;
  if (team.nRanks < 1 || team.rank < 0 || team.rank >= team.nRanks || std::min(first, last) < 0 ||
      std::max(first, last) >= s->comm->lsa_size)
    illegal_by(current_thread, "%s of a team that is no part of the LSA team", what);
}

LiveSession* lsa_open(DeviceCommState* state,
                      ncclTeam team,
                      ncclLsaBarrierHandle handle,
                      std::uint32_t index,
                      CoopId coop,
                      bool multimem) {
  check_live(state);
  if (multimem) not_emulated("multimem barriers");
  check_lsa_team(state, team, "an LSA barrier");
  auto known = state->lsa_handles.find(handle.bufHandle);
  if (known == state->lsa_handles.end())
    illegal_by(current_thread, "an LSA barrier handle that this ncclDevComm does not have");
  if (index >= static_cast<std::uint32_t>(known->second.first))
    illegal_by(current_thread,
               "LSA barrier index %u, but %d barriers were requested (lsaBarrierCount, barrierCount)",
               index,
               known->second.first);
  if (team.nRanks > known->second.second)
    illegal_by(
        current_thread, "an LSA barrier of %d ranks on a handle for %d", team.nRanks, known->second.second);
  return open_session(SessionKind::kLsa, state, team, handle.bufHandle, index, 0, coop, "LSA barrier");
}

/// The arrival of a rank (in the team) at a round of a barrier, in the trace.
inline std::uint64_t lsa_key(LiveSession* s, int rank, std::uint32_t epoch) {
  auto const world = static_cast<std::uint64_t>(team_peer(s, rank).world_rank);
  return trace_key(
      0x6c7361, s->state->trace_id, std::uint64_t{s->handle} << 32U | s->index, world << 32U | epoch);
}

void lsa_arrive(LiveSession* s, unsigned order) {
  check_live(s->state);
  Thread& t = self();
  std::uint32_t epoch = *s->epoch + 1;
  if (tracing())
    trace_here(TraceKind::kRelease,
               lsa_key(s, s->team.rank, epoch),
               s->index,
               trace_flags(static_cast<TraceOrder>(order & 2U), TraceScope::kSystem));
  for (int r = 0; r < s->team.nRanks; ++r) {
    if (r == s->team.rank) continue;
    LsaInbox& box = inbox(s, r, s->team.rank);
    box.clock[epoch & 3] = t.clock;
    box.epoch.store(epoch, std::memory_order_release);
    ring(team_peer(s, r).page);
  }
  Scheduler::get().note_progress();
}

void lsa_wait(LiveSession* s, unsigned order) {
  check_live(s->state);
  Thread& t = self();
  std::uint32_t epoch = *s->epoch + 1;
  if (tracing()) trace_here(TraceKind::kWaitBegin, static_cast<std::uint64_t>(TraceKind::kAcquire), s->index);
  auto arrived = [s, epoch](int r) {
    return r == s->team.rank ||
           inbox(s, s->team.rank, r).epoch.load(std::memory_order_acquire) - epoch <= 0x7fffffffu;
  };
  int next = 0;
  wait_until(
      [&] {
        while (next < s->team.nRanks && arrived(next)) ++next;
        return next == s->team.nRanks;
      },
      [&](char* text, std::size_t n) {
        int at = std::snprintf(text, n, "LSA barrier %u, round %u: not arrived: rank", s->index, epoch);
        for (int r = 0; r < s->team.nRanks && at > 0 && static_cast<std::size_t>(at) < n; ++r)
          if (!arrived(r))
            at +=
                std::snprintf(text + at, n - static_cast<std::size_t>(at), " %d", team_peer(s, r).world_rank);
      });
  double latest = 0;
  for (int r = 0; r < s->team.nRanks; ++r)
    if (r != s->team.rank)
      latest = std::max(latest, inbox(s, s->team.rank, r).clock[epoch & 3] + machine().lsa_barrier_us);
  for (int r = 0; tracing() && r < s->team.nRanks; ++r)
    if (r != s->team.rank)
      trace_here(TraceKind::kAcquire,
                 lsa_key(s, r, epoch),
                 s->index,
                 trace_flags(static_cast<TraceOrder>(order & 1U), TraceScope::kSystem));
  t.traced_bytes = 0;
  advance_clock(t, latest);
  t.run_class = kNoClass;
  *s->epoch = epoch;
}

// Low-latency all-to-all
// ------------------------------------------------------------------------------------------------

inline LlLine& ll_line(LiveSession* s, int owner, int slot, char const* what) {
  if (slot < 0 || static_cast<std::uint32_t>(slot) >= s->slots)
    illegal_by(current_thread, "%s: slot %d, the handle has %u slots", what, slot, s->slots);
  auto* all = reinterpret_cast<LlLine*>(resource_of(s->state, s->team, owner, s->handle));
  return all[(s->index * 2 + (*s->epoch & 1)) * s->slots + static_cast<std::uint32_t>(slot)];
}
LiveSession* ll_open(DeviceCommState* state,
                     ncclTeam team,
                     ncclLLA2AHandle handle,
                     std::uint32_t block,
                     CoopId coop,
                     bool multimem) {
  check_live(state);
  if (multimem) not_emulated("multimem all-to-all");
  check_lsa_team(state, team, "an LL all-to-all");
  std::size_t end = static_cast<std::size_t>(handle.bufHandle) * 128 +
                    (block + 1) * 2 * std::size_t{handle.nSlots} * sizeof(LlLine);
  if (end > state->resource->size)
    illegal_by(current_thread, "LL all-to-all block %u: more than the requirement was created for", block);
  LiveSession* s =
      open_session(SessionKind::kLl, state, team, handle.bufHandle, block, 0, coop, "LL all-to-all block");
  if (s->slots == 0) {
    s->slots = handle.nSlots;
    if (*s->epoch == 0) *s->epoch = 2;
  }
  return s;
}
inline std::uint64_t ll_key(LiveSession* s, int owner, int slot) {
  auto const world = static_cast<std::uint64_t>(team_peer(s, owner).world_rank);
  return trace_key(0x6c6c,
                   s->state->trace_id,
                   std::uint64_t{s->handle} << 32U | s->index,
                   world << 56U | std::uint64_t{*s->epoch} << 24U | static_cast<std::uint32_t>(slot));
}
void ll_send(LiveSession* s, int peer, int slot, std::uint64_t word) {
  check_live(s->state);
  if (peer < 0 || peer >= s->team.nRanks)
    illegal_by(current_thread, "LL send to rank %d of a team of %d", peer, s->team.nRanks);
  Thread& t = self();
  LlLine& line = ll_line(s, peer, slot, "LL send");
  trace(
      TraceKind::kRelease, ll_key(s, peer, slot), 0, trace_flags(TraceOrder::kRelease, TraceScope::kSystem));
  line.word = word;
  line.clock = t.clock;
  line.epoch.store(*s->epoch, std::memory_order_release);
  t.block->traffic.bytes[kPeer] += 16;
  t.block->traffic.accesses += 1;
  t.block->grid->counters.bytes_written[kPeer] += 16;
  t.run_class = kNoClass;
  if (peer != s->team.rank) ring(team_peer(s, peer).page);
}
std::uint64_t ll_receive(LiveSession* s, int slot) {
  check_live(s->state);
  Thread& t = self();
  LlLine& line = ll_line(s, s->team.rank, slot, "LL receive");
  std::uint32_t epoch = *s->epoch;
  wait_until([&] { return line.epoch.load(std::memory_order_acquire) == epoch; },
             [&](char* text, std::size_t n) {
               std::snprintf(text, n, "LL all-to-all block %u, slot %d, epoch %u", s->index, slot, epoch);
             });
  trace(TraceKind::kAcquire,
        ll_key(s, s->team.rank, slot),
        0,
        trace_flags(TraceOrder::kAcquire, TraceScope::kSystem));
  t.traced_bytes = 0;
  advance_clock(t, line.clock + machine().peer_latency_us);
  return line.word;
}
void ll_end_epoch(LiveSession* s) {
  *s->epoch += *s->epoch == 0xffffffffu ? 3 : 1;
}

}  // namespace cuco::emu::impl
