// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/lsa_move.hpp"

/// @file
/// Broadcast, Gather and Scatter over load/store windows.

namespace cuco::impl {

inline constexpr char const* kLsaPassOn = R"(
  // What this rank passes on.
@range@  // It has the same alignment everywhere.
  constexpr size_t kWidth = sizeof(Vector);
  const Place part = recv + begin;
  const char* in = static_cast<const char*>(ncclGetLsaPointer(part.window, part.offset, root));
  size_t head = (kWidth - part.offset % kWidth) % kWidth;
  head = head < size ? head : size;
  const size_t tail = head + (size - head) / kWidth * kWidth;
  send_units<Element>(device, part, in, head / sizeof(Element), root);
  send_units<Vector>(device, part + head, in + head, (tail - head) / kWidth, root);
  send_units<Element>(device, part + tail, in + tail, (size - tail) / sizeof(Element), root);
)";

inline constexpr char const* kLsaShareOfBytes =
    R"(  const size_t share = (bytes + device.nRanks * 128 - 1) / (device.nRanks * 128) * 128;
  const size_t begin = device.rank * share < bytes ? device.rank * share : bytes;
  const size_t size = begin + share < bytes ? share : bytes - begin;
)";

/// One copy by all threads of the grid, between this rank and the root.
inline std::string lsa_copy_with_root(LsaSlice const& slice, std::string const& indent) {
  return "\n" + lsa_slice_text(slice, indent) + indent +
         "copy@of@(out, in, bytes, size_t{blockIdx.x} * kThreads + threadIdx.x, size_t{gridDim.x} * kThreads);\n";
}

/// A broadcast moves within the receive buffers: the launcher has put the root's data into its own.
inline std::string lsa_broadcast_body(Directives const& d) {
  if (d.algorithm == Algorithm::kPull) {
    LsaSlice slice;
    slice.from = "ncclGetLsaPointer(recv.window, recv.offset, root)";
    return "\n  if (device.rank != root) {" + lsa_copy_with_root(slice, "    ") + "  }\n";
  }
  return render(kLsaPassOn,
                {{"range",
                  d.algorithm == Algorithm::kTwoShot
                      ? kLsaShareOfBytes
                      : "  const size_t begin = 0, size = device.rank == root ? bytes : 0;\n"}});
}

inline std::string lsa_gather_or_scatter_body(Launcher const& l, Substitutions const& values) {
  bool const gather = l.site.collective == Collective::kGather;
  bool const push = l.directives.algorithm == Algorithm::kPush;
  if (gather == push) {  // The other ranks do it.
    LsaSlice slice;
    (push ? slice.to : slice.from) = push ? "ncclGetLsaPointer(recv.window, recv.offset, root)"
                                          : "ncclGetLsaPointer(send.window, send.offset, root)";
    (push ? slice.to_slot : slice.from_slot) = " + device.rank * bytes";
    return lsa_copy_with_root(slice, "  ");
  }
  std::string const loop =
      render(l.directives.issuer == Issuer::kWarp ? kLsaWarpLoop : kLsaBlockLoop, values).substr(1);
  return "\n  if (device.rank == root) {\n" + indented(kIndent + loop + kUnindent) + "  }\n";
}

inline std::string lsa_rooted_action(Site const& site, Algorithm algorithm) {
  bool const push = algorithm == Algorithm::kPush;
  if (site.collective == Collective::kGather)
    return push ? "every rank stores its input to its slot of the root's receive buffer"
                : "the root loads all slots from the peers' send buffers";
  if (site.collective == Collective::kScatter)
    return push ? "the root stores each peer's slice to it" : "every rank loads its slice from the root";
  return push ? "the root reads its data once and stores it to all ranks"
         : algorithm == Algorithm::kPull
             ? "every rank loads the data from the root"
             : "every rank loads its share of the data from the root and stores it to all others";
}

/// The constants, the device code and the note of one load/store Broadcast, Gather or Scatter.
inline std::string lsa_rooted_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const broadcast = l.site.collective == Collective::kBroadcast;
  bool const passes_on = broadcast && d.algorithm != Algorithm::kPull;
  Substitutions values{{"title",
                        broadcast                                  ? "Broadcast"
                        : l.site.collective == Collective::kGather ? "Gather"
                                                                   : "Scatter"},
                       {"action", lsa_rooted_action(l.site, d.algorithm)},
                       {"receivers", "every rank but the root, which has the data"},
                       {"root", ", int root"},
                       {"skip", "      if (peer == root) continue;\n"}};
  if (!broadcast) values.emplace_back("slice", lsa_slice(l.site, d));
  for (auto& word : lsa_move_words(l, resources)) values.push_back(std::move(word));
  std::string out = wrap_comment(render(kLsaMoveNote, values)) + "namespace " + l.name + "_kernel {\n" +
                    render(kLsaMoveConstants, values);
  out += passes_on ? render(kLsaBroadcastText, values) : copy_text(l.site, d.vector_bytes);
  out += (broadcast ? "\n" : kSlotComment) + kernel_head(l) + "\n" + lsa_entry(d);
  out += render(broadcast ? lsa_broadcast_body(d) : lsa_gather_or_scatter_body(l, values), values);
  return out + "\n" + lsa_exit(d) + "}\n";
}

}  // namespace cuco::impl
