// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/gin_reduce.hpp"

/// @file
/// The kernels of AllReduce, ReduceScatter and Reduce over one-sided puts, with the arguments why they are
/// sound.

namespace cuco::impl {

inline constexpr char const* kGinTwoShotNote =
    R"(// @title@ over one-sided puts, two-shot: every rank puts each peer's share of its input into a landing slot at
// that peer, reduces its own share over the slots, and puts the result into @destination@.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel: receive buffers are free,
// and the landing slots of the launch before have been read. @signal_note@;
// a signal is visible only after the bytes of its put. A peer's result for its share arrives
// only after it has received this rank's input for that share, so sending and receiving in one buffer is sound.
// @result_note@Slots are added in the order of ranks. Flushing makes the buffers reusable.
)";

inline constexpr char const* kGinOneShotNote =
    R"(// @title@ over one-sided puts, one-shot: @action@, in the order of ranks@same_bits@.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel: the landing slots of the
// launch before have been read. @signal_note@;
// a signal is visible only after the bytes of its put. Flushing before the reduction makes the
// send buffer reusable, so sending and receiving in one buffer is sound.
)";

inline constexpr char const* kGinRangeText = R"(
struct Range {
  size_t begin, size;
};

// What this CTA moves of `owner`'s share, in @unit@.
__device__ inline Range range_of(int owner, size_t share, size_t first, size_t last, size_t count) {
  const size_t begin = owner * share + first < count ? owner * share + first : count;
  const size_t end = owner * share + last < count ? owner * share + last : count;
  return {begin, end - begin};
}
)";

inline constexpr char const* kGinTwoShotKernel = R"(
@head@
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
@put_input@  }
@wait_scatter@@guard_close@@arrived@
  // The share of this rank.
@place@  const @T@* own = static_cast<const @T@*>(ncclGetLocalPointer(send.window, send.offset)) + mine.begin;
  const @T@* slots = static_cast<const @T@*>(ncclGetLocalPointer(scratch.window, scratch.offset)) + first;
  @T@* out = @out@;
@reduce_all@@between@@results@)";

inline constexpr char const* kGinResultsToAll = R"(
  // Results to everybody.
@guard_open@  if (mine.size != 0) {
    @peer_loop@ {
      if (peer == rank) continue;
@put_result@    }
  }
@wait_gather@  gin.flush(ncclCoopCta());
@guard_close@}
)";

inline constexpr char const* kGinResultsToRoot = R"(
  // Results to the root.
@guard_open@  if (rank == root) {
@wait_gather@  } else if (mine.size != 0) {
@put_result@  }
  gin.flush(ncclCoopCta());
@guard_close@}
)";

inline constexpr char const* kGinOneShotKernel = R"(
@head@
  const ncclGin gin(device, @context@);
  const ncclTeam world = ncclTeamWorld(device);
  const int rank = device.rank, ranks = device.nRanks;
  const size_t slot = slot_size(count);
@piece@@before@
@open@
@guard_open@  if (size != 0) {
    @peer_loop@ {
      if (peer == rank) continue;
@put_input@    }
@wait_scatter@  }
  gin.flush(ncclCoopCta());
@guard_close@@between@
  const @T@* own = static_cast<const @T@*>(ncclGetLocalPointer(send.window, send.offset)) + @own@;
  const @T@* slots = static_cast<const @T@*>(ncclGetLocalPointer(scratch.window, scratch.offset)) + first;
  @T@* out = static_cast<@T@*>(ncclGetLocalPointer(recv.window, recv.offset)) + first;
@reduce_all@}
)";

inline constexpr char const* kGinRootReducesKernel = R"(
@head@
  const ncclGin gin(device, @context@);
  const ncclTeam world = ncclTeamWorld(device);
  const int rank = device.rank, ranks = device.nRanks;
  const size_t slot = slot_size(count);
@piece@@before@
@open@
@guard_open@  if (rank != root && size != 0)
@put_input@  if (rank == root && size != 0) {
@wait_scatter@  }
  gin.flush(ncclCoopCta());
@guard_close@@between@
  const @T@* own = static_cast<const @T@*>(ncclGetLocalPointer(send.window, send.offset)) + first;
  const @T@* slots = static_cast<const @T@*>(ncclGetLocalPointer(scratch.window, scratch.offset)) + first;
  @T@* out = static_cast<@T@*>(ncclGetLocalPointer(recv.window, recv.offset)) + first;
  const size_t reduced = rank == root ? size : 0;
@reduce_all@}
)";

}  // namespace cuco::impl
