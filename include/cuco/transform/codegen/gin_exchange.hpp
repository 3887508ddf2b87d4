// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/plan.hpp"

/// @file
/// Point to point over one-sided puts: one end of a channel.

namespace cuco::impl {

inline constexpr char const* kGinExchangeNote =
    R"(// Sends and receives over one-sided puts: one kernel moves all messages of a group at once. A message is split over
// channels. A channel has a ring of staging slots at the sender and one of landing slots at the receiver: the sender
// copies a chunk to a staging slot and puts it, the receiver copies it to where it belongs. So messages may lie in any
// memory. One CTA works for one channel in one direction, so every message of a group goes on whatever the others wait
// for; all CTAs are resident together, as there are never more than kResident.
//
// Synchronisation: chunk n of a channel goes through slot n % kSlots of both rings. Both ends count chunks from the
// creation of the communicator on, across launches, so they agree on n without meeting. A signal is raised by the put of
// each chunk and becomes visible after its bytes: once it has risen by n + 1, chunk n has landed. A second signal is
// raised by the receiver for each chunk that all its threads have copied out. The sender waits for the one of chunk
// n - kSlots before it uses the slots again: nobody reads that landing slot any more, and as its put has been delivered
// its staging slot is free too, which takes the place of a flush. Every channel has signals of its own for each peer and
// both ends use the same context. Signals keep their values when a communicator ends, so what they were at the start
// is subtracted. A send ends when its chunks are under way, a receive when its data is in place; nothing needs the
// kernels of two ranks to start or end together.
//
)";

inline constexpr char const* kGinExchangeConstants = R"(constexpr int kContexts = @contexts@;
constexpr size_t kRingBytes = kSlots * kSlotBytes;
constexpr size_t kPipeBytes = 128 + 2 * kRingBytes;  // counts, landing slots, staging slots
)";

inline constexpr char const* kGinPipeFields = R"(  uint64_t sent;             // to the peer
  uint64_t taken;            // from the peer
  uint64_t arrived_before;   // the value of the signal of chunks that land here when nothing has been sent
  uint64_t returned_before;  // the same for chunks that the peer has taken out
)";

inline constexpr char const* kGinChannel = R"(
struct Channel {
  ncclGin gin;
  ncclTeam world;
  ncclWindow_t window;
  int peer;
  size_t here, there;                  // the pipes at this rank and at the peer
  ncclGinSignal_t arrived, returned;   // waited for here
  ncclGinSignal_t deliver, give_back;  // raised at the peer
  Pipe* mine;
  __device__ Channel(const ncclDevComm& device, ncclWindow_t symmetric, const Lane& lane)
      : gin(device, lane.channel % kContexts), world(ncclTeamWorld(device)), window(symmetric), peer(lane.peer) {
    const int ranks = device.nRanks;
    const int own = lane.channel * ranks + peer, other = lane.channel * ranks + device.rank;
    here = pipe_at(lane.channel, ranks, peer);
    there = pipe_at(lane.channel, ranks, device.rank);
    arrived = @first_signal@2 * own;
    returned = @first_signal@2 * own + 1;
    deliver = @first_signal@2 * other;
    give_back = @first_signal@2 * other + 1;
    mine = static_cast<Pipe*>(ncclGetLocalPointer(window, here));
  }

  static __device__ size_t slot(uint64_t chunk) { return sizeof(Pipe) + chunk % kSlots * kSlotBytes; }
  __device__ void send(uint64_t chunk, const char* data, size_t bytes) const {
    // The comparison is modulo 2^64, so it holds for the first chunks too.
    gin.waitSignal(ncclCoopCta(), returned, mine->returned_before + chunk + 1 - kSlots);
    const size_t staging = here + kRingBytes + slot(chunk);
    copy(static_cast<char*>(ncclGetLocalPointer(window, staging)), data, bytes);
    gin.put(world, peer, window, there + slot(chunk), window, staging, bytes, ncclGin_SignalInc{deliver},
            ncclGin_None(), ncclCoopCta());
  }
  __device__ void receive(uint64_t chunk, char* data, size_t bytes) const {
    gin.waitSignal(ncclCoopCta(), arrived, mine->arrived_before + chunk + 1);
    copy(data, static_cast<const char*>(ncclGetLocalPointer(window, here + slot(chunk))), bytes);
    gin.signal(world, peer, ncclGin_SignalInc{give_back}, ncclCoopCta());
  }
};

__global__ void reset(ncclDevComm device, char* base, int pipes) {
  const int ranks = device.nRanks;
  for (int i = threadIdx.x; i < pipes; i += kThreads) {
    const ncclGin gin(device, i / ranks % kContexts);
    *reinterpret_cast<Pipe*>(base + i * kPipeBytes) = {
        0, 0, gin.readSignal(@first_signal@2 * i), gin.readSignal(@first_signal@2 * i + 1)};
  }
}

// Ends when the peers have taken out everything that this rank has sent, and what it has raised at them is under way.
__global__ void drain(ncclDevComm device, ncclWindow_t window, int pipes) {
  const int ranks = device.nRanks;
  for (int i = threadIdx.x; i < pipes; i += kThreads) {
    const ncclGin gin(device, i / ranks % kContexts);
    const Pipe* mine = static_cast<const Pipe*>(ncclGetLocalPointer(window, i * kPipeBytes));
    gin.waitSignal(ncclCoopThread(), @first_signal@2 * i + 1, mine->returned_before + mine->sent);
  }
  for (int c = 0; c < kContexts; ++c) ncclGin(device, c).flush(ncclCoopCta());
}
)";

}  // namespace cuco::impl
