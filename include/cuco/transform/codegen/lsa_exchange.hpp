// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/plan.hpp"

/// @file
/// Point to point over load/store windows: one end of a channel.

namespace cuco::impl {

inline constexpr char const* kLsaExchangeNote =
    R"(// Sends and receives over load/store windows: one kernel moves all messages of a group at once. A message is split
// over channels. A channel is a ring of slots in the receiver's window: the sender stores a chunk into a slot, the
// receiver copies it to where it belongs. One CTA works for one channel in one direction, so every message of a group
// goes on whatever the others wait for; all CTAs are resident together, as there are never more than kResident.
//
// Synchronisation: chunk n of a channel goes to slot n % kSlots. Both ends count chunks from the creation of the
// communicator on, across launches, so they agree on n without meeting. Before it stores chunk n, the sender waits
// until the receiver has returned chunk n - kSlots: then nobody reads the slot any more. `returned` is raised with
// release after all threads of the receiver have copied the chunk out (the CTA meets in between), and read with acquire.
// After the CTA has met again, one thread raises `arrived` at the receiver with release: the stores of the whole CTA
// are visible to whoever reads it with acquire. Each of the two flags has one writer, so plain stores are enough. A
// send ends when its chunks are in slots, a receive when its data is in place; nothing needs the kernels of two ranks
// to start or end together.
//
)";

inline constexpr char const* kLsaExchangeConstants =
    "constexpr size_t kPipeBytes = 128 + kSlots * kSlotBytes;  // flags, landing slots\n";

inline constexpr char const* kLsaPipeFields =
    R"(  uint64_t arrived;   // written by the peer: in the landing slots here
  uint64_t returned;  // written by the peer: of those sent from here, taken out there
  uint64_t sent;      // only this rank's: to the peer
  uint64_t taken;     // only this rank's: from the peer
)";

inline constexpr char const* kLsaChannel = R"(
using Flag = cuda::atomic_ref<uint64_t, cuda::thread_scope_system>;

struct Channel {
  Pipe* mine;
  Pipe* theirs;  // at the peer, for this rank
  __device__ Channel(const ncclDevComm& device, ncclWindow_t window, const Lane& lane)
      : mine(static_cast<Pipe*>(ncclGetLocalPointer(window, pipe_at(lane.channel, device.nRanks, lane.peer)))),
        theirs(static_cast<Pipe*>(
            ncclGetLsaPointer(window, pipe_at(lane.channel, device.nRanks, device.rank), lane.peer))) {}

  static __device__ char* slot(Pipe* pipe, uint64_t chunk) {
    return reinterpret_cast<char*>(pipe + 1) + chunk % kSlots * kSlotBytes;
  }
  __device__ void send(uint64_t chunk, const char* data, size_t bytes) const {
    if (threadIdx.x == 0)
      while (Flag(mine->returned).load(cuda::memory_order_acquire) + kSlots <= chunk) {
      }
    __syncthreads();
    copy(slot(theirs, chunk), data, bytes);
    __syncthreads();
    if (threadIdx.x == 0) Flag(theirs->arrived).store(chunk + 1, cuda::memory_order_release);
  }
  __device__ void receive(uint64_t chunk, char* data, size_t bytes) const {
    if (threadIdx.x == 0)
      while (Flag(mine->arrived).load(cuda::memory_order_acquire) <= chunk) {
      }
    __syncthreads();
    copy(data, slot(mine, chunk), bytes);
    __syncthreads();
    if (threadIdx.x == 0) Flag(theirs->returned).store(chunk + 1, cuda::memory_order_release);
  }
};

__global__ void reset(ncclDevComm, char* base, int pipes) {
  for (int i = threadIdx.x; i < pipes; i += kThreads) *reinterpret_cast<Pipe*>(base + i * kPipeBytes) = Pipe{};
}

// Ends when the peers have taken out everything that this rank has sent.
__global__ void drain(ncclDevComm, ncclWindow_t window, int pipes) {
  for (int i = threadIdx.x; i < pipes; i += kThreads) {
    Pipe* mine = static_cast<Pipe*>(ncclGetLocalPointer(window, i * kPipeBytes));
    while (Flag(mine->returned).load(cuda::memory_order_acquire) < mine->sent) {
    }
  }
}
)";

}  // namespace cuco::impl
