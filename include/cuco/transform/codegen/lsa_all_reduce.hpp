// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/element_text.hpp"
#include "cuco/transform/codegen/lsa_sync.hpp"

namespace cuco::impl {

inline constexpr char const* kLsaAllReduceTwoShotNote =
    R"(// AllReduce over load/store windows, two-shot: every rank reads its share of the elements from all ranks, reduces
// it and stores the result to all ranks.
//
// Synchronisation: @entry_note@
// An element is read and written by its owner alone, so sending and receiving in one buffer is sound.
// @exit_note@ Peers add in different orders for different
// shares, but every element is reduced once, so all ranks get the same bits.
)";

inline constexpr char const* kLsaAllReduceOneShotNote =
    R"(// AllReduce over load/store windows, one-shot: every rank reads all elements of all ranks and reduces them for
// itself, in the order of ranks, so that all ranks get the same bits.
//
// Synchronisation: @entry_note@
// Results go to this rank's own buffer, which must not be the send buffer: peers still read that.
// @exit_note@
)";

inline constexpr char const* kLsaAllReduceBody = R"(
constexpr int kCtas = @ctas@;
constexpr int kThreads = @threads@;
constexpr int kLanes = @lanes@;   // elements of one load or store: @vector_bytes@ bytes
constexpr int kUnroll = @unroll@;  // loads a thread has in flight for each peer
constexpr int kFirstBarrier = @first_barrier@;

@elements@
template <int N, int U>
__device__ inline void load(const void* source, size_t first, size_t step, Pack<N> (&out)[U]) {
#pragma unroll
  for (int u = 0; u < U; ++u) out[u] = static_cast<const Pack<N>*>(source)[first + u * step];
}

template <int N, int U>
__device__ inline void store(void* target, size_t first, size_t step, const Pack<N> (&in)[U]) {
#pragma unroll
  for (int u = 0; u < U; ++u) static_cast<Pack<N>*>(target)[first + u * step] = in[u];
}

// Reduces the packs first, first + step, ... (U of them). All loads from a peer are issued before one is used.
template <int N, int U>
__device__ inline void reduce_packs(const ncclDevComm& device, Place send, Place recv, size_t first, size_t step) {
  Pack<N> in[U];
  @Acc@ sum[U][N];
  load(ncclGetLsaPointer(send.window, send.offset, @first_peer@), first, step, in);
#pragma unroll
  for (int u = 0; u < U; ++u)
#pragma unroll
    for (int n = 0; n < N; ++n) sum[u][n] = widen(in[u].at[n]);
  for (int i = 1; i < device.nRanks; ++i) {
    load(ncclGetLsaPointer(send.window, send.offset, @next_peer@), first, step, in);
#pragma unroll
    for (int u = 0; u < U; ++u)
#pragma unroll
      for (int n = 0; n < N; ++n) sum[u][n] = combine(sum[u][n], widen(in[u].at[n]));
  }
#pragma unroll
  for (int u = 0; u < U; ++u)
#pragma unroll
    for (int n = 0; n < N; ++n) in[u].at[n] = finish(sum[u][n]@finish_arguments@);
@store@}

// Reduces `count` elements, N at a time, with all threads of the grid.
template <int N>
__device__ inline void reduce_range(const ncclDevComm& device, Place send, Place recv, size_t count) {
  const size_t packs = count / N;
  const size_t step = size_t{kCtas} * kThreads;
@share@  for (; i + (kUnroll - 1) * step < end; i += kUnroll * step)
    reduce_packs<N, kUnroll>(device, send, recv, i, step);
  for (; i < end; i += step) reduce_packs<N, 1>(device, send, recv, i, step);
}

__global__ void __launch_bounds__(kThreads) reduce(ncclDevComm device, Place send, Place recv, size_t count) {
@entry@
  // Packs must be aligned in both buffers: single elements up to the first boundary and after the last one.
  constexpr size_t kPackBytes = kLanes * sizeof(@T@);
  size_t head = 0, body = 0;
  if (send.offset % kPackBytes == recv.offset % kPackBytes) {
    head = (kPackBytes - send.offset % kPackBytes) % kPackBytes / sizeof(@T@);
    head = head < count ? head : count;
    body = (count - head) / kLanes * kLanes;
  }
  reduce_range<1>(device, send, recv, head);
  reduce_range<kLanes>(device, send + head * sizeof(@T@), recv + head * sizeof(@T@), body);
  head += body;
  reduce_range<1>(device, send + head * sizeof(@T@), recv + head * sizeof(@T@), count - head);

@exit@}
)";

/// The constants, the device code and the note of one load/store AllReduce.
inline std::string lsa_all_reduce_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const two_shot = d.algorithm == Algorithm::kTwoShot;
  std::string const store = two_shot
                                ? R"(  for (int i = 0; i < device.nRanks; ++i)
    store(ncclGetLsaPointer(recv.window, recv.offset, (device.rank + i) % device.nRanks), first, step, in);
)"
                                : R"(  store(ncclGetLocalPointer(recv.window, recv.offset), first, step, in);
)";
  std::string const share =
      two_shot
          ? R"(  const size_t share = (packs + device.nRanks - 1) / device.nRanks;  // what one rank reduces
  const size_t end = share * (device.rank + 1) < packs ? share * (device.rank + 1) : packs;
  size_t i = share * device.rank + size_t{blockIdx.x} * kThreads + threadIdx.x;
)"
          : R"(  const size_t end = packs;
  size_t i = size_t{blockIdx.x} * kThreads + threadIdx.x;
)";
  Substitutions const values{{"ctas", std::to_string(d.ctas)},
                             {"threads", std::to_string(d.threads)},
                             {"lanes", std::to_string(d.vector_bytes / size_in_bytes(l.site.type))},
                             {"vector_bytes", std::to_string(d.vector_bytes)},
                             {"unroll", std::to_string(d.unroll)},
                             {"first_barrier", std::to_string(resources.first_barrier)},
                             {"elements", element_text(l.site)},
                             {"T", cpp_name(l.site.type)},
                             {"Acc", accumulator_of(l.site.type)},
                             {"first_peer", two_shot ? "device.rank" : "0"},
                             {"next_peer", two_shot ? "(device.rank + i) % device.nRanks" : "i"},
                             {"finish_arguments", finish_arguments(l.site)},
                             {"store", store},
                             {"share", share},
                             {"entry_note", lsa_entry_note(d)},
                             {"exit_note", lsa_exit_note(d)},
                             {"entry", lsa_entry(d)},
                             {"exit", lsa_exit(d)}};
  return wrap_comment(render(two_shot ? kLsaAllReduceTwoShotNote : kLsaAllReduceOneShotNote, values)) +
         "namespace " + l.name + "_kernel {\n" + render(kLsaAllReduceBody, values);
}

}  // namespace cuco::impl
