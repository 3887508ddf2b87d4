// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/element_text.hpp"
#include "cuco/transform/codegen/lsa_sync.hpp"

/// @file
/// AllReduce, ReduceScatter and Reduce over load/store windows.

namespace cuco::impl {

inline constexpr char const* kLsaReduceNote =
    R"(// @title@ over load/store windows, @shots@: @action@.
//
// Synchronisation: @entry_note@
// @in_place_note@
// @exit_note@@order_note@
)";

inline constexpr char const* kLsaReduceBody = R"(
constexpr int kCtas = @ctas@;
constexpr int kThreads = @threads@;
@lanes_text@constexpr int kUnroll = @unroll@;  // loads a thread has in flight for each peer
constexpr int kFirstBarrier = @first_barrier@;

@elements@
template <@type@int N, int U>
__device__ inline void load(const void* source, size_t first, size_t step, Pack<@pack@N> (&out)[U]) {
#pragma unroll
  for (int u = 0; u < U; ++u) out[u] = static_cast<const Pack<@pack@N>*>(source)[first + u * step];
}

template <@type@int N, int U>
__device__ inline void store(void* target, size_t first, size_t step, const Pack<@pack@N> (&in)[U]) {
#pragma unroll
  for (int u = 0; u < U; ++u) static_cast<Pack<@pack@N>*>(target)[first + u * step] = in[u];
}

// Reduces the packs first, first + step, ... (U of them). All loads from a peer are issued before one is used.
template <@more@int N, int U>
@packs_head@  Pack<@pack@N> in[U];
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
      for (int n = 0; n < N; ++n) sum[u][n] = @combine@(sum[u][n], widen(in[u].at[n]));
  }
#pragma unroll
  for (int u = 0; u < U; ++u)
#pragma unroll
    for (int n = 0; n < N; ++n) in[u].at[n] = @finish@(sum[u][n]@finish_arguments@);
@store@}

// Reduces `count` elements, N at a time, with all threads of the grid.
template <@more@int N>
__device__ inline void reduce_range(const ncclDevComm& device, Place send, Place recv, size_t count@root@) {
  const size_t packs = count / N;
  const size_t step = size_t{gridDim.x} * kThreads;
@share@  for (; i + (kUnroll - 1) * step < end; i += kUnroll * step)
    reduce_packs<@pass@N, kUnroll>(device, send, recv, i, step@to_root@);
  for (; i < end; i += step) reduce_packs<@pass@N, 1>(device, send, recv, i, step@to_root@);
}

@head@
@entry@
@part@  // Packs must be aligned in both buffers: single elements up to the first boundary and after the last one.
  constexpr size_t kPackBytes = @lanes@ * sizeof(@T@);
  size_t head = 0, body = 0;
  if (send.offset % kPackBytes == recv.offset % kPackBytes) {
    head = (kPackBytes - send.offset % kPackBytes) % kPackBytes / sizeof(@T@);
    head = head < count ? head : count;
    body = (count - head) / @lanes@ * @lanes@;
  }
  reduce_range<@pass@1>(device, send, recv, head@to_root@);
  reduce_range<@pass@@lanes@>(device, send + head * sizeof(@T@), recv + head * sizeof(@T@), body@to_root@);
  head += body;
  reduce_range<@pass@1>(device, send + head * sizeof(@T@), recv + head * sizeof(@T@), count - head@to_root@);

@exit@}
)";

/// What differs between the collectives that reduce.
struct LsaReduction {
  std::string title, action, in_place_note, order_note;
  std::string part;         ///< What of the collective this rank works on.
  bool by_shares = false;   ///< Every rank has its share of the elements.
  bool in_order = false;    ///< Inputs are added in the order of ranks.
  bool takes_root = false;  ///< The device functions must know the root.
  std::string store = "  store(ncclGetLocalPointer(recv.window, recv.offset), first, step, in);\n";
};

inline LsaReduction lsa_all_reduce(bool two_shot) {
  LsaReduction r;
  r.title = "AllReduce";
  r.by_shares = two_shot;
  r.in_order = !two_shot;
  if (!two_shot) {
    r.action =
        "every rank reads all elements of all ranks and reduces them for itself, in the order of ranks, so "
        "that "
        "all ranks get the same bits";
    r.in_place_note =
        "Results go to this rank's own buffer, which must not be the send buffer: peers still read that.";
    return r;
  }
  r.action =
      "every rank reads its share of the elements from all ranks, reduces it and stores the result to all "
      "ranks";
  r.in_place_note =
      "An element is read and written by its owner alone, so sending and receiving in one buffer is sound.";
  r.order_note =
      " Peers add in different orders for different shares, but every element is reduced once, so all ranks "
      "get "
      "the same bits.";
  r.store = R"(  for (int i = 0; i < device.nRanks; ++i)
    store(ncclGetLsaPointer(recv.window, recv.offset, (device.rank + i) % device.nRanks), first, step, in);
)";
  return r;
}

inline LsaReduction lsa_reduce_scatter() {
  LsaReduction r;
  r.title = "ReduceScatter";
  r.action =
      "every rank reads its slice of the send buffers of all ranks and reduces it into its receive buffer";
  r.in_place_note =
      "Nobody else reads or writes this rank's slice of its own send buffer, so receiving there is sound.";
  r.part =
      "  // This rank's slice, which lies at the same place on all ranks.\n"
      "  send = send + device.rank * count * sizeof(@T@);\n";
  return r;
}

inline LsaReduction lsa_reduce_to_root(bool two_shot) {
  LsaReduction r;
  r.title = "Reduce";
  r.by_shares = r.takes_root = two_shot;
  if (!two_shot) {
    r.action = "the root reads all elements of all ranks and reduces them; the others only lend their input";
    r.in_place_note =
        "Nobody but the root uses its send buffer, and each of its elements is read and written by one "
        "thread, so "
        "receiving there is sound.";
    r.part = "  if (device.rank != root) count = 0;  // but stays until the root has read its input\n";
    return r;
  }
  r.action =
      "every rank reads its share of the elements from all ranks, reduces it and stores it to the root";
  r.in_place_note =
      "An element is read and written by its owner alone, so sending and receiving in one buffer is sound.";
  r.store = "  store(ncclGetLsaPointer(recv.window, recv.offset, root), first, step, in);\n";
  return r;
}

/// The constants, the device code and the note of one load/store reduction.
inline std::string lsa_reduce_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const two_shot = d.algorithm == Algorithm::kTwoShot;
  LsaReduction const r = l.site.collective == Collective::kAllReduce       ? lsa_all_reduce(two_shot)
                         : l.site.collective == Collective::kReduceScatter ? lsa_reduce_scatter()
                                                                           : lsa_reduce_to_root(two_shot);
  std::string const share =
      r.by_shares
          ? R"(  const size_t share = (packs + device.nRanks - 1) / device.nRanks;  // what one rank reduces
  const size_t end = share * (device.rank + 1) < packs ? share * (device.rank + 1) : packs;
  size_t i = share * device.rank + size_t{blockIdx.x} * kThreads + threadIdx.x;
)"
          : R"(  const size_t end = packs;
  size_t i = size_t{blockIdx.x} * kThreads + threadIdx.x;
)";
  std::vector<std::string> packs{
      "const ncclDevComm& device", "Place send", "Place recv", "size_t first", "size_t step"};
  if (r.takes_root) packs.emplace_back("int root");
  Substitutions values{{"ctas", std::to_string(d.ctas)},
                       {"threads", std::to_string(d.threads)},
                       {"unroll", std::to_string(d.unroll)},
                       {"first_barrier", std::to_string(resources.first_barrier)},
                       {"first_peer", r.in_order ? "0" : "device.rank"},
                       {"next_peer", r.in_order ? "i" : "(device.rank + i) % device.nRanks"},
                       {"root", r.takes_root ? ", int root" : ""},
                       {"to_root", r.takes_root ? ", root" : ""},
                       {"packs_head", listed("__device__ inline void reduce_packs(", packs, ") {\n")},
                       {"store", r.store},
                       {"share", share},
                       {"title", r.title},
                       {"shots", two_shot ? "two-shot" : "one-shot"},
                       {"action", r.action},
                       {"in_place_note", r.in_place_note},
                       {"order_note", r.order_note},
                       {"entry_note", lsa_entry_note(d)},
                       {"exit_note", lsa_exit_note(d)},
                       {"entry", lsa_entry(d)},
                       {"exit", lsa_exit(d)},
                       {"head", kernel_head(l)}};
  for (auto& word : reduction_words(l.site, d)) values.push_back(std::move(word));
  values.emplace_back("part", render(r.part, values));
  return wrap_comment(render(kLsaReduceNote, values)) + "namespace " + l.name + "_kernel {\n" +
         render(kLsaReduceBody, values);
}

}  // namespace cuco::impl
