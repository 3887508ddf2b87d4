// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/gin_move.hpp"
#include "cuco/transform/codegen/gin_reduce_kernels.hpp"

/// @file
/// Broadcast, Gather and Scatter over one-sided puts.

namespace cuco::impl {

inline constexpr char const* kGinRootedNote = R"(// @title@ over one-sided puts: @action@.
// Each CTA moves one piece of @whole@.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel, so nobody still uses
// the receive buffer that is put to. @signal_note@: the signal of a put is
// visible only after its bytes. Reading before the barrier matters: no peer raises a signal of this launch earlier.
// @flush_note@
)";

inline constexpr char const* kTeamBroadcastNote =
    R"(// Broadcast between teams and inside one: the root puts its data into the buffers of other teams' ranks and stores it
// to those of its own team. Each CTA moves one piece of the data.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel, so nobody still uses
// the receive buffer that is written. @signal_note@: the signal of a put is
// visible only after its bytes. Reading before the barrier matters: no peer raises a signal of this launch earlier.
// Stores raise no signal; in the root's team the CTAs of one index meet when the root's has stored, which releases the
// stores. All ranks have the same pieces, so all or none of these CTAs come there. Flushing makes the root's buffer
// reusable.
)";

inline constexpr char const* kTeamBroadcastBody = R"(@team@@piece@  if (rank == root && size != 0) {
    // Puts first: they are under way while this CTA stores.
    @peer_loop@
      if (peer < team_begin || peer >= team_end)
        put_range(gin, world, peer, recv + begin, recv + begin, size, signal, @coop@);
    const char* in = static_cast<const char*>(ncclGetLocalPointer(recv.window, recv.offset)) + begin;
    for (int p = 1; p < device.lsaSize; ++p) {
      const int peer = (device.lsaRank + p) % device.lsaSize;
      char* out = static_cast<char*>(ncclGetLsaPointer(recv.window, recv.offset, peer)) + begin;
      copy@of@(out, in, size, threadIdx.x, kThreads);
    }
  }
  if (size != 0) {
    if (root >= team_begin && root < team_end)
      barrier.lsaBarrier().sync(ncclCoopCta(), cuda::memory_order_release);
    else
      gin.waitSignal(ncclCoopCta(), signal, before + 1);
  }
  gin.flush(ncclCoopCta());
}
)";

inline constexpr char const* kGinRootedHead = R"(@comment@@head@
  const ncclGin gin(device, @context@);
  const ncclTeam world = ncclTeamWorld(device);
  const int rank = device.rank, ranks = device.nRanks;
@before@
@barrier@
)";

inline constexpr char const* kGinBroadcastBody = R"(@piece@  if (rank == root) {
    @peer_loop@
      if (peer != rank && size != 0)
        put_range(gin, world, peer, recv + begin, recv + begin, size, signal, @coop@);
  } else if (size != 0) {
    gin.waitSignal(ncclCoopCta(), signal, before + 1);
  }
  gin.flush(ncclCoopCta());
}
)";

inline constexpr char const* kGinBroadcastTwoShotBody =
    R"(  // This CTA's piece of every share; both are multiples of 128 bytes.
  const size_t share = (bytes + ranks * 128 - 1) / (ranks * 128) * 128;
  const size_t piece = (share + gridDim.x * 128 - 1) / (gridDim.x * 128) * 128;
  const size_t first = blockIdx.x * piece < share ? blockIdx.x * piece : share;
  const size_t last = first + piece < share ? first + piece : share;
  const Range mine = range_of(rank, share, first, last, bytes);

  // Shares to their owners.
  if (rank == root) {
    @peer_loop@ {
      const Range range = range_of(peer, share, first, last, bytes);
      if (peer != rank && range.size != 0)
        put_range(gin, world, peer, recv + range.begin, recv + range.begin, range.size, scatter, @coop@);
    }
  } else if (mine.size != 0) {
    gin.waitSignal(ncclCoopCta(), scatter, scatter_before + 1);
  }

  // The share of this rank to everybody who lacks it.
  if (mine.size != 0) {
    @peer_loop@
      if (peer != rank && peer != root)
        put_range(gin, world, peer, recv + mine.begin, recv + mine.begin, mine.size, gather, @coop@);
  }
  if (rank != root) {
    int senders = 0;
    for (int peer = 0; peer < ranks; ++peer)
      senders += peer != rank && range_of(peer, share, first, last, bytes).size != 0;
    gin.waitSignal(ncclCoopCta(), gather, gather_before + senders);
  }
  gin.flush(ncclCoopCta());
}
)";

inline constexpr char const* kGinGatherBody = R"(@piece@  if (rank != root && size != 0)
    put_range(gin, world, root, recv + (rank * bytes + begin), send + begin, size, signal, ncclCoopCta());
  if (rank == root && size != 0) {
    char* out = static_cast<char*>(ncclGetLocalPointer(recv.window, recv.offset)) + rank * bytes + begin;
    const char* in = static_cast<const char*>(ncclGetLocalPointer(send.window, send.offset)) + begin;
    if (in != out) copy@of@(out, in, size, threadIdx.x, kThreads);
    gin.waitSignal(ncclCoopCta(), signal, before + ranks - 1);
  }
  gin.flush(ncclCoopCta());
}
)";

inline constexpr char const* kGinScatterBody = R"(@piece@  if (rank == root && size != 0) {
    @peer_loop@
      if (peer != rank)
        put_range(gin, world, peer, recv + begin, send + (peer * bytes + begin), size, signal, @coop@);
    char* out = static_cast<char*>(ncclGetLocalPointer(recv.window, recv.offset)) + begin;
    const char* in = static_cast<const char*>(ncclGetLocalPointer(send.window, send.offset)) + rank * bytes + begin;
    if (in != out) copy@of@(out, in, size, threadIdx.x, kThreads);
  }
  if (rank != root && size != 0) gin.waitSignal(ncclCoopCta(), signal, before + 1);
  gin.flush(ncclCoopCta());
}
)";

struct GinRooted {
  char const* title;
  char const* action;
  char const* whole;
  char const* flush_note;
  char const* body;
};

inline GinRooted gin_rooted(Site const& site, bool two_shot) {
  if (site.collective == Collective::kGather)
    return {"Gather",
            "every rank puts its input into its slot of the root's receive buffer",
            "every slot",
            "Flushing makes the send buffer reusable.",
            kGinGatherBody};
  if (site.collective == Collective::kScatter)
    return {"Scatter",
            "the root puts a slice of its input into each peer's receive buffer",
            "every slice",
            "Flushing makes the root's send buffer reusable.",
            kGinScatterBody};
  if (two_shot)
    return {"Broadcast",
            "the root puts its share to each rank and its own to all; every rank passes its share on to the "
            "others",
            "every share",
            "A share is passed on after its signal, so it is complete. Flushing makes the buffer reusable.",
            kGinBroadcastTwoShotBody};
  return {"Broadcast",
          "the root puts its data into every peer's buffer",
          "the data",
          "Flushing makes the root's buffer reusable.",
          kGinBroadcastBody};
}

/// The constants, the device code and the note of one put-based Broadcast, Gather or Scatter.
inline std::string gin_rooted_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const two_shot = d.algorithm == Algorithm::kTwoShot;
  bool const broadcast = l.site.collective == Collective::kBroadcast;
  GinRooted const g = gin_rooted(l.site, two_shot);
  bool const teams = stores_in_team(l);
  bool const copies = !broadcast || teams;
  auto declare = [&](std::string const& signal, std::string const& before, int phase) {
    return "  const ncclGinSignal_t " + signal + " = " +
           gin_signal(d, resources, two_shot ? 2 : 1, phase, "") + ";\n  const uint64_t " + before +
           " = gin.readSignal(" + signal + ");\n";
  };
  Substitutions values{
      {"title", g.title},
      {"action", g.action},
      {"whole", g.whole},
      {"flush_note", g.flush_note},
      {"signal_note", gin_signal_note(d)},
      {"comment", broadcast ? "\n" : "\n// `bytes`: what one rank sends to one other.\n"},
      {"head", kernel_head(l)},
      {"context", gin_context(d)},
      {"before",
       two_shot ? declare("scatter", "scatter_before", 0) + declare("gather", "gather_before", 1)
                : declare("signal", "before", 0)},
      {"barrier", gin_barrier(d, "  ")},
      {"piece", render(kGinPieceText, {{"whole", g.whole}})},
      {"peer_loop", gin_peer_loop(d)},
      {"coop", gin_coop(d)},
      {"of", is_templated(l.site) ? "<Element>" : ""},
      {"team", kTeamText},
      {"unit", "bytes"}};
  return wrap_comment(render(teams ? kTeamBroadcastNote : kGinRootedNote, values)) + "namespace " + l.name +
         "_kernel {\n" + gin_constants(l, resources, copies) +
         (copies ? copy_text(l.site, d.vector_bytes) : "") + gin_put_text(d) +
         (two_shot ? render(kGinRangeText, values) : "") + render(kGinRootedHead, values) +
         render(teams ? kTeamBroadcastBody : g.body, values);
}

}  // namespace cuco::impl
