// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/element_text.hpp"
#include "cuco/transform/codegen/gin_sync.hpp"

namespace cuco::impl {

inline constexpr char const* kGinTwoShotNote =
    R"(// AllReduce over one-sided puts, two-shot: every rank puts each peer's share of its input into a landing slot at
// that peer, reduces its own share over the slots, and puts the result into every peer's receive buffer.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel: receive buffers are free,
// and the landing slots of the launch before have been read. @signal_note@;
// a signal is visible only after the bytes of its put. A peer's result for its share arrives
// only after it has received this rank's input for that share, so sending and receiving in one buffer is sound.
// Slots are added in the order of ranks. Flushing makes the buffers reusable.
)";

inline constexpr char const* kGinOneShotNote =
    R"(// AllReduce over one-sided puts, one-shot: every rank puts all of its input into a landing slot at each peer and
// reduces for itself, in the order of ranks, so that all ranks get the same bits.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel: the landing slots of the
// launch before have been read. @signal_note@;
// a signal is visible only after the bytes of its put. Flushing before the reduction makes the
// send buffer reusable, so sending and receiving in one buffer is sound.
)";

inline constexpr char const* kGinReduceText = R"(
constexpr int kLanes = @lanes@;         // elements of one load or store: @vector_bytes@ bytes
constexpr int kScratchArea = @area@;
constexpr size_t kGrain = 128 / sizeof(@T@);  // shares and pieces are multiples of it, which keeps slots aligned

@elements@
inline __host__ __device__ size_t round_up(size_t count) { return (count + kGrain - 1) / kGrain * kGrain; }

// Elements in one landing slot.
inline __host__ __device__ size_t slot_size(size_t count, int ranks) { return round_up(@slot_count@); }

inline size_t scratch_bytes(size_t count, int ranks) { return ranks * slot_size(count, ranks) * sizeof(@T@); }

// Reduces the packs worker, worker + workers, ... of `count` elements: slot r, or `own` for this rank.
template <int N, int U>
__device__ inline void reduce_packs(const ncclDevComm& device, const @T@* own, const @T@* slots, size_t slot,
                                    @T@* out, size_t first, size_t step) {
  Pack<N> in[U];
  @Acc@ sum[U][N];
  for (int r = 0; r < device.nRanks; ++r) {
    const Pack<N>* source = reinterpret_cast<const Pack<N>*>(r == device.rank ? own : slots + r * slot) + first;
#pragma unroll
    for (int u = 0; u < U; ++u) in[u] = source[u * step];
#pragma unroll
    for (int u = 0; u < U; ++u)
#pragma unroll
      for (int n = 0; n < N; ++n) {
        const @Acc@ value = widen(in[u].at[n]);
        sum[u][n] = r == 0 ? value : combine(sum[u][n], value);
      }
  }
#pragma unroll
  for (int u = 0; u < U; ++u) {
#pragma unroll
    for (int n = 0; n < N; ++n) in[u].at[n] = finish(sum[u][n]@finish_arguments@);
    reinterpret_cast<Pack<N>*>(out)[first + u * step] = in[u];
  }
}

template <int N>
__device__ inline void reduce_range(const ncclDevComm& device, const @T@* own, const @T@* slots, size_t slot,
                                    @T@* out, size_t count, size_t worker, size_t workers) {
  const size_t packs = count / N;
  size_t i = worker;
  for (; i + (kUnroll - 1) * workers < packs; i += kUnroll * workers)
    reduce_packs<N, kUnroll>(device, own, slots, slot, out, i, workers);
  for (; i < packs; i += workers) reduce_packs<N, 1>(device, own, slots, slot, out, i, workers);
}

// Reduces `count` elements, in packs when the caller's buffers are aligned like the slots.
__device__ inline void reduce_all(const ncclDevComm& device, const @T@* own, const @T@* slots, size_t slot,
                                  @T@* out, size_t count, size_t worker, size_t workers) {
  constexpr size_t kPackBytes = kLanes * sizeof(@T@);
  const bool aligned = (reinterpret_cast<uintptr_t>(own) | reinterpret_cast<uintptr_t>(out)) % kPackBytes == 0;
  const size_t body = aligned ? count / kLanes * kLanes : 0;
  reduce_range<kLanes>(device, own, slots, slot, out, body, worker, workers);
  reduce_range<1>(device, own + body, slots + body, slot, out + body, count - body, worker, workers);
}
)";

inline constexpr char const* kGinTwoShotKernel = R"(
struct Range {
  size_t begin, size;
};

// What this CTA moves of `owner`'s share, in elements.
__device__ inline Range range_of(int owner, size_t share, size_t first, size_t last, size_t count) {
  const size_t begin = owner * share + first < count ? owner * share + first : count;
  const size_t end = owner * share + last < count ? owner * share + last : count;
  return {begin, end - begin};
}

__global__ void __launch_bounds__(kThreads)
    reduce(ncclDevComm device, Place send, Place recv, Place scratch, size_t count) {
  const ncclGin gin(device, @context@);
  const ncclTeam world = ncclTeamWorld(device);
  const int rank = device.rank, ranks = device.nRanks;
  const size_t share = slot_size(count, ranks);
@piece@  const Range mine = range_of(rank, share, first, last, count);
@before@
@open@
  // Inputs to their owners.
@guard_open@  @peer_loop@ {
    const Range range = range_of(peer, share, first, last, count);
    if (peer == rank || range.size == 0) continue;
    put_range(gin, world, peer, scratch + (rank * share + first) * sizeof(@T@), send + range.begin * sizeof(@T@),
              range.size * sizeof(@T@), @scatter_to@, @coop@);
  }
@wait_scatter@@guard_close@@arrived@
  // The share of this rank.
  const @T@* own = static_cast<const @T@*>(ncclGetLocalPointer(send.window, send.offset)) + mine.begin;
  const @T@* slots = static_cast<const @T@*>(ncclGetLocalPointer(scratch.window, scratch.offset)) + first;
  @T@* out = static_cast<@T@*>(ncclGetLocalPointer(recv.window, recv.offset)) + mine.begin;
  reduce_all(device, own, slots, share, out, mine.size, @worker@, @workers@);
@between@
  // Results to everybody.
@guard_open@  if (mine.size != 0) {
    @peer_loop@ {
      if (peer == rank) continue;
      put_range(gin, world, peer, recv + mine.begin * sizeof(@T@), recv + mine.begin * sizeof(@T@),
                mine.size * sizeof(@T@), @gather_to@, @coop@);
    }
  }
@wait_gather@  gin.flush(ncclCoopCta());
@guard_close@}
)";

inline constexpr char const* kGinOneShotKernel = R"(
__global__ void __launch_bounds__(kThreads)
    reduce(ncclDevComm device, Place send, Place recv, Place scratch, size_t count) {
  const ncclGin gin(device, @context@);
  const ncclTeam world = ncclTeamWorld(device);
  const int rank = device.rank, ranks = device.nRanks;
  const size_t slot = slot_size(count, ranks);
@piece@@before@
@open@
@guard_open@  if (size != 0) {
    @peer_loop@ {
      if (peer == rank) continue;
      put_range(gin, world, peer, scratch + (rank * slot + first) * sizeof(@T@), send + first * sizeof(@T@),
                size * sizeof(@T@), @scatter_to@, @coop@);
    }
@wait_scatter@  }
  gin.flush(ncclCoopCta());
@guard_close@@between@
  const @T@* own = static_cast<const @T@*>(ncclGetLocalPointer(send.window, send.offset)) + first;
  const @T@* slots = static_cast<const @T@*>(ncclGetLocalPointer(scratch.window, scratch.offset)) + first;
  @T@* out = static_cast<@T@*>(ncclGetLocalPointer(recv.window, recv.offset)) + first;
  reduce_all(device, own, slots, slot, out, size, @worker@, @workers@);
}
)";

}  // namespace cuco::impl

#include "cuco/transform/codegen/gin_all_reduce_text.hpp"
