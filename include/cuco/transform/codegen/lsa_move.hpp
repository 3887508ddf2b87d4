// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/copy_text.hpp"
#include "cuco/transform/codegen/lsa_sync.hpp"

namespace cuco::impl {

inline constexpr char const* kLsaMoveNote = R"(// @title@ over load/store windows: @action@.
//
// Synchronisation: @entry_note@
// @exit_note@
)";

inline constexpr char const* kLsaMoveConstants = R"(
constexpr int kCtas = @ctas@;
constexpr int kThreads = @threads@;
constexpr int kUnroll = @unroll@;  // loads a thread has in flight
constexpr int kFirstBarrier = @first_barrier@;
)";

/// A push AllGather by whole CTAs, or a broadcast, reads its input once and stores it to every rank.
inline constexpr char const* kLsaBroadcastText = R"(
@units@

// Stores `count` units at `source` to @receivers@.
template <class Unit>
__device__ inline void send_units(const ncclDevComm& device, Place recv, const void* source, size_t count@root@) {
  const Unit* in = static_cast<const Unit*>(source);
  const size_t step = size_t{gridDim.x} * kThreads;
  size_t i = size_t{blockIdx.x} * kThreads + threadIdx.x;
  for (; i + (kUnroll - 1) * step < count; i += kUnroll * step) {
    Unit unit[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) unit[u] = in[i + u * step];
    for (int p = 1; p <= device.nRanks; ++p) {
      const int peer = (device.rank + p) % device.nRanks;
@skip@      Unit* out = static_cast<Unit*>(ncclGetLsaPointer(recv.window, recv.offset, peer));
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) out[i + u * step] = unit[u];
    }
  }
  for (; i < count; i += step) {
    const Unit unit = in[i];
    for (int p = 1; p <= device.nRanks; ++p) {
      const int peer = (device.rank + p) % device.nRanks;
@skip@      static_cast<Unit*>(ncclGetLsaPointer(recv.window, recv.offset, peer))[i] = unit;
    }
  }
}
)";

inline constexpr char const* kLsaBroadcastBody = R"(
  // The slot of this rank has the same alignment everywhere.
  constexpr size_t kWidth = sizeof(Vector);
  const char* in = static_cast<const char*>(ncclGetLocalPointer(send.window, send.offset));
  const Place slot = recv + device.rank * bytes;
  size_t head = 0, body = 0;
  if (slot.offset % kWidth == reinterpret_cast<uintptr_t>(in) % kWidth) {
    head = (kWidth - slot.offset % kWidth) % kWidth;
    head = head < bytes ? head : bytes;
    body = (bytes - head) / kWidth * kWidth;
  }
  const size_t tail = head + body;
  send_units<Element>(device, slot, in, head / sizeof(Element));
  send_units<Vector>(device, slot + head, in + head, body / kWidth);
  send_units<Element>(device, slot + tail, in + tail, (bytes - tail) / sizeof(Element));
)";

inline constexpr char const* kLsaBlockLoop = R"(
  // All threads work for one peer at a time; ranks start with different peers so that no link is asked twice.
  for (int p = 1; p <= device.nRanks; ++p) {
    const int peer = (device.rank + p) % device.nRanks;
@slice@    copy@of@(out, in, bytes, size_t{blockIdx.x} * kThreads + threadIdx.x, size_t{gridDim.x} * kThreads);
  }
)";

inline constexpr char const* kLsaWarpLoop = R"(
  // Warps are dealt out to the peers, so that all links are busy at once.
  const int warps = gridDim.x * kThreads / 32;
  const int warp = blockIdx.x + gridDim.x * (threadIdx.x / 32);
  for (int p = warp % device.nRanks; p < device.nRanks; p += warps) {
    const int peer = (device.rank + 1 + p) % device.nRanks;
    const int sharing = p < warps ? (warps - p + device.nRanks - 1) / device.nRanks : 1;
@slice@    copy@of@(out, in, bytes, warp / device.nRanks * 32 + threadIdx.x % 32, size_t(sharing) * 32);
  }
)";

/// Where one copy between this rank and `peer` (or the root) comes from and goes to; slots as byte offsets.
struct LsaSlice {
  std::string to = "ncclGetLocalPointer(recv.window, recv.offset)", to_slot;
  std::string from = "ncclGetLocalPointer(send.window, send.offset)", from_slot;
};

inline std::string lsa_slice_text(LsaSlice const& slice, std::string const& indent) {
  return indent + "char* out = static_cast<char*>(" + slice.to + ")" + slice.to_slot + ";\n" + indent +
         "const char* in = static_cast<const char*>(" + slice.from + ")" + slice.from_slot + ";\n";
}

inline std::string lsa_slice(Site const& site, Directives const& d) {
  bool const push = d.algorithm == Algorithm::kPush;
  std::string const mine = " + device.rank * bytes", peers = " + peer * bytes";
  LsaSlice slice;
  (push ? slice.to : slice.from) = push ? "ncclGetLsaPointer(recv.window, recv.offset, peer)"
                                        : "ncclGetLsaPointer(send.window, send.offset, peer)";
  bool const gathers = site.collective == Collective::kAllGather || site.collective == Collective::kGather;
  if (site.collective != Collective::kScatter) slice.to_slot = push ? mine : peers;
  if (!gathers) slice.from_slot = push ? peers : mine;
  return lsa_slice_text(slice, "    ");
}

/// What all load/store moves fill their texts with.
inline Substitutions lsa_move_words(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  Substitutions values{{"ctas", std::to_string(d.ctas)},
                       {"threads", std::to_string(d.threads)},
                       {"unroll", std::to_string(d.unroll)},
                       {"first_barrier", std::to_string(resources.first_barrier)},
                       {"entry_note", lsa_entry_note(d)},
                       {"exit_note", lsa_exit_note(d)}};
  for (auto& word : move_words(l.site, d.vector_bytes)) values.push_back(std::move(word));
  return values;
}

inline constexpr char const* kSlotComment = "\n// `bytes`: what one rank sends to one other.\n";

/// The constants, the device code and the note of one load/store AllGather or AlltoAll.
inline std::string lsa_move_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const gather = l.site.collective == Collective::kAllGather;
  bool const push = d.algorithm == Algorithm::kPush;
  bool const broadcast = gather && push && d.issuer == Issuer::kBlock;
  std::string const action = broadcast ? "every rank reads its input once and stores it to all ranks"
                             : push    ? "every rank stores to its slot of each peer's receive buffer"
                                       : "every rank loads its slots from the peers' send buffers";
  Substitutions values{{"title", gather ? "AllGather" : "AlltoAll"},
                       {"action", action},
                       {"receivers", "every rank"},
                       {"root", ""},
                       {"skip", ""},
                       {"slice", lsa_slice(l.site, d)}};
  for (auto& word : lsa_move_words(l, resources)) values.push_back(std::move(word));
  std::string out = wrap_comment(render(kLsaMoveNote, values)) + "namespace " + l.name + "_kernel {\n" +
                    render(kLsaMoveConstants, values);
  out += broadcast ? render(kLsaBroadcastText, values) : copy_text(l.site, d.vector_bytes);
  out += kSlotComment + kernel_head(l) + "\n" + lsa_entry(d);
  out += render(broadcast                   ? kLsaBroadcastBody
                : d.issuer == Issuer::kWarp ? kLsaWarpLoop
                                            : kLsaBlockLoop,
                values);
  return out + "\n" + lsa_exit(d) + "}\n";
}

}  // namespace cuco::impl
