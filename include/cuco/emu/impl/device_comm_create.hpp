// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of ncclDevCommCreate and its helpers. Included by the runtime object only.

#include "cuco/emu/impl/gin_calls.hpp"

namespace cuco::emu::impl {

inline Allocation* internal_memory(std::size_t bytes) {
  Allocation* a = Heap::get().allocate(bytes, Allocation::kInternal, false);
  if (a == nullptr) fatal(kIllegalUse, "illegal use: no device memory left for a device communicator");
  if (tracing()) trace(TraceKind::kAllocate, trace_heap(reinterpret_cast<void*>(a->base)), bytes, 1);
  return a;
}

struct RequirementCounts {
  int barriers, lsa, rail, signals, counters, force, buffers;
  std::uint64_t bytes;
  bool operator==(RequirementCounts const& o) const {
    return barriers == o.barriers && lsa == o.lsa && rail == o.rail && signals == o.signals &&
           counters == o.counters && force == o.force && buffers == o.buffers && bytes == o.bytes;
  }
};

inline void create_gin(DeviceCommState* s, ncclComm* comm) {
  std::size_t bytes = std::size_t{s->contexts} * s->signals * sizeof(GinSignal);
  Allocation* own = internal_memory(std::max<std::size_t>(bytes, 4096));
  own->memory_class = kUncounted;
  auto offsets = comm->exchange(static_cast<std::uint64_t>(own->offset), "ncclDevCommCreate");
  for (int r = 0; r < comm->ranks; ++r) {
    std::uint64_t offset = offsets[static_cast<std::size_t>(r)];
    if (r == comm->rank) {
      s->signal_base.push_back(reinterpret_cast<char*>(own->base));
      continue;
    }
    Peer const& p = comm->peers[static_cast<std::size_t>(r)];
    map_peer_part(p, offset, own->size, false);
    s->signal_base.push_back(reinterpret_cast<char*>(slot_base(kPeerSlot0 + p.world_rank) + offset));
  }
  Allocation* shadows =
      internal_memory(std::max<std::size_t>(std::size_t{s->contexts} * s->signals * 8, 4096));
  shadows->memory_class = kUncounted;
  s->shadows = reinterpret_cast<std::uint64_t*>(shadows->base);
  s->counter.resize(std::size_t{s->contexts} * s->counters);
  s->local_done.resize(s->contexts);
  static bool registered = false;
  if (!registered && Environment::get().mode != GinMode::kEager)
    Device::get().add_engine([] { return GinEngine::get().step(); });
  registered = true;
}

}  // namespace cuco::emu::impl

extern "C" {
ncclResult_t ncclDevCommCreate(ncclComm_t comm, ncclDevCommRequirements_t const* q, ncclDevComm_t* result) {
  using namespace cuco::emu::impl;
  auto refuse = [&](ncclResult_t r, char const* text) {
    return comm_error(comm, r, std::string("ncclDevCommCreate: ") + text);
  };
  if (!usable(comm) || q == nullptr || result == nullptr)
    return refuse(ncclInvalidArgument, "invalid argument");
  int const counts[] = {
      q->barrierCount, q->lsaBarrierCount, q->railGinBarrierCount, q->ginSignalCount, q->ginCounterCount};
  for (int n : counts)
    if (n < 0 || n > 1 << 20)
      return refuse(ncclInvalidArgument,
                    "a count is negative or absurd; the requirements must be zero-initialised");
  if (q->lsaMultimem)
    return refuse(ncclInvalidArgument, "multimem needs NVLS, which the modelled machine does not have");
  for (ncclTeamRequirements_t const* t = q->teamRequirementsList; t != nullptr; t = t->next)
    if (t->multimem)
      return refuse(ncclInvalidArgument, "multimem needs NVLS, which the modelled machine does not have");
  if (q->ginSignalCount > 65536 || q->ginCounterCount > 65536)
    return refuse(ncclInternalError, "more than 65536 GIN signals or counters");

  auto* s = new DeviceCommState;
  s->comm = comm;
  s->trace_id = cuco::emu::trace_key(comm->trace_id, ++comm->device_comms);
  s->lsa_barriers = std::max(q->barrierCount, q->lsaBarrierCount);
  s->gin_barriers = std::max(q->barrierCount, q->railGinBarrierCount);
  std::size_t bytes = 0;
  auto place_buffer = [&](std::size_t size, std::size_t align) {
    align = std::max<std::size_t>(align, 128);
    bytes = (bytes + align - 1) / align * align;
    auto handle = static_cast<ncclDevResourceHandle_t>(bytes / 128);
    bytes += size;
    return handle;
  };
  ncclLsaBarrierHandle lsa{place_buffer(static_cast<std::size_t>(s->lsa_barriers) *
                                            static_cast<std::size_t>(comm->lsa_size) * sizeof(LsaInbox),
                                        128),
                           s->lsa_barriers};
  s->lsa_handles[lsa.bufHandle] = {s->lsa_barriers, comm->lsa_size};
  bytes += 128;  // no other buffer has the same handle, even if there are no barriers
  int buffers = 0;
  for (ncclDevResourceRequirements_t* r = q->resourceRequirementsList; r != nullptr; r = r->next, ++buffers) {
    if (r->ginSignalCount != 0 || r->ginCounterCount != 0)
      return refuse(ncclInvalidUsage,
                    "GIN counts in resourceRequirementsList get lost in NCCL up to 2.30.7; use "
                    "ginSignalCount, ginCounterCount or "
                    "railGinBarrierCount");
    ncclDevResourceHandle_t handle = place_buffer(r->bufferSize, r->bufferAlign);
    bytes += 128;
    if (r->outBufferHandle != nullptr) *r->outBufferHandle = handle;
    // An LSA barrier's requirement names its handle's first member.
    if (auto* barrier = reinterpret_cast<ncclLsaBarrierHandle*>(r->outBufferHandle);
        barrier != nullptr && lsa_requirements().count(barrier) != 0)
      s->lsa_handles[handle] = lsa_requirements()[barrier];
  }
  bytes = std::max<std::size_t>(bytes, 4096);
  RequirementCounts mine{q->barrierCount,
                         q->lsaBarrierCount,
                         q->railGinBarrierCount,
                         q->ginSignalCount,
                         q->ginCounterCount,
                         q->ginForceEnable ? 1 : 0,
                         buffers,
                         bytes};
  auto all = comm->exchange(mine, "ncclDevCommCreate");
  for (int r = 0; r < comm->ranks; ++r)
    if (!(all[static_cast<std::size_t>(r)] == mine))
      fatal(kIllegalUse,
            "illegal use: ncclDevCommCreate: ranks %d and %d pass different requirements",
            comm->rank,
            r);

  Allocation* memory = internal_memory(bytes);
  s->resource =
      register_window(comm, memory, reinterpret_cast<void*>(memory->base), bytes, "ncclDevCommCreate");
  if (comm->nodes > 1 || q->ginForceEnable || q->ginSignalCount > 0 || q->ginCounterCount > 0) {
    s->contexts = static_cast<std::uint32_t>(std::clamp(machine().gin_contexts, 1, NCCL_GIN_MAX_CONTEXTS));
    s->user_signals = static_cast<std::uint32_t>(q->ginSignalCount);
    s->signals = s->user_signals + static_cast<std::uint32_t>(s->gin_barriers);
    s->counters = static_cast<std::uint32_t>(q->ginCounterCount);
    create_gin(s, comm);
  }

  ncclDevComm d{};
  d.rank = comm->rank;
  d.nRanks = comm->ranks;
  d.nRanks_rcp32 = 0xffffffffu / static_cast<std::uint32_t>(comm->ranks);
  d.lsaRank = comm->lsa_rank;
  d.lsaSize = comm->lsa_size;
  d.lsaSize_rcp32 = 0xffffffffu / static_cast<std::uint32_t>(comm->lsa_size);
  d.emulator = s;
  d.resourceWindow = s->resource;
  d.lsaBarrier = lsa;
  d.railGinBarrier = {s->user_signals, 0};
  d.ginContextCount = static_cast<std::uint8_t>(s->contexts);
  d.ginSignalCount = static_cast<int>(s->user_signals);
  d.ginCounterCount = static_cast<int>(s->counters);
  d.ginSignalShadows = s->shadows;
  *result = d;
  comm->exchange(0, "ncclDevCommCreate");
  return ncclSuccess;
}
ncclResult_t ncclDevCommDestroy(ncclComm_t comm, ncclDevComm_t const* device) {
  using namespace cuco::emu::impl;
  if (comm == nullptr || device == nullptr || device->emulator == nullptr)
    return comm_error(comm, ncclInvalidArgument, "ncclDevCommDestroy: invalid argument");
  if (!device->emulator->live)
    return comm_error(comm, ncclInvalidArgument, "ncclDevCommDestroy: destroyed before");
  for (auto const& c : Device::get().last_of_all()) Device::get().wait(c, "ncclDevCommDestroy");
  device->emulator->live = false;  // the record stays: a kernel that still uses it is told so
  return ncclSuccess;
}
ncclTeam_t ncclTeamWorld(ncclComm_t c) {
  return {c->ranks, c->rank, 1};
}
ncclTeam_t ncclTeamLsa(ncclComm_t c) {
  return {c->lsa_size, c->lsa_rank, 1};
}
ncclTeam_t ncclTeamRail(ncclComm_t c) {
  return {c->ranks / c->lsa_size, c->rank / c->lsa_size, c->lsa_size};
}
int ncclTeamRankToWorld(ncclComm_t c, ncclTeam_t t, int rank) {
  return c->rank + (rank - t.rank) * t.stride;
}
int ncclTeamRankToLsa(ncclComm_t c, ncclTeam_t t, int rank) {
  return c->lsa_rank + (rank - t.rank) * t.stride;
}
ncclResult_t ncclLsaBarrierCreateRequirement(ncclTeam_t team,
                                             int n,
                                             ncclLsaBarrierHandle_t* handle,
                                             ncclDevResourceRequirements_t* q) {
  using namespace cuco::emu::impl;
  if (handle == nullptr || q == nullptr || n < 0 || team.nRanks < 1) return ncclInvalidArgument;
  std::memset(static_cast<void*>(q), 0, sizeof *q);
  q->bufferSize = static_cast<size_t>(n) * static_cast<size_t>(team.nRanks) * sizeof(LsaInbox);
  q->bufferAlign = 128;
  q->outBufferHandle = &handle->bufHandle;
  handle->nBarriers = n;
  lsa_requirements()[handle] = {n, team.nRanks};
  return ncclSuccess;
}
ncclResult_t ncclGinBarrierCreateRequirement(
    ncclComm_t, ncclTeam_t, int, ncclGinBarrierHandle_t*, ncclDevResourceRequirements_t*) {
  return cuco::emu::impl::comm_error(
      nullptr,
      ncclInvalidUsage,
      "ncclGinBarrierCreateRequirement: its signals get lost in NCCL up to 2.30.7; use railGinBarrierCount");
}
int ncclLLA2ACalcSlots(int elements, int element_bytes) {
  return elements * ((element_bytes + 7) / 8);
}
ncclResult_t ncclLLA2ACreateRequirement(int blocks,
                                        int slots,
                                        ncclLLA2AHandle_t* handle,
                                        ncclDevResourceRequirements_t* q) {
  if (handle == nullptr || q == nullptr || blocks < 0 || slots < 0) return ncclInvalidArgument;
  std::memset(static_cast<void*>(q), 0, sizeof *q);
  q->bufferSize =
      static_cast<size_t>(blocks) * 2 * static_cast<size_t>(slots) * sizeof(cuco::emu::impl::LlLine);
  q->bufferAlign = 128;
  q->outBufferHandle = &handle->bufHandle;
  handle->nSlots = static_cast<std::uint32_t>(slots);
  return ncclSuccess;
}
}
