// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/copy_text.hpp"
#include "cuco/transform/codegen/gin_sync.hpp"

namespace cuco::impl {

inline constexpr char const* kGinMoveNote =
    R"(// @title@ over one-sided puts: every rank puts @what@ into its slot of each peer's receive buffer.
// Each CTA moves one piece of every slot.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel, so nobody still uses
// the receive buffer that is put to. @signal_note@: the signal of a put is
// visible only after its bytes, so all of this rank's slots are complete then. Reading before the barrier matters: no
// peer raises a signal of this launch earlier. Flushing makes the send buffer reusable.
)";

inline constexpr char const* kTeamMoveNote =
    R"(// @title@ between teams and inside them: every rank puts @what@ into its slot of the receive buffers of
// other teams, and stores it to those of its own. Each CTA moves one piece of every slot.
//
// Synchronisation: the opening barrier says that every peer's stream has reached this kernel, so nobody still uses
// the receive buffer that is written. @signal_note@: the signal of a put is
// visible only after its bytes, so all slots of other teams are complete then. Reading before the barrier matters: no
// peer raises a signal of this launch earlier. Stores raise no signal; when a CTA has stored, it meets the CTAs of its
// index in the team, which releases the stores, and then the team's slots are complete. All ranks have the same pieces,
// so all or none of these CTAs come there. Flushing makes the send buffer reusable.
)";

inline constexpr char const* kGinPieceText =
    R"(  // This CTA's piece of @whole@, a multiple of 128 bytes but for the last.
  const size_t piece = (bytes + gridDim.x * 128 - 1) / (gridDim.x * 128) * 128;
  const size_t begin = blockIdx.x * piece < bytes ? blockIdx.x * piece : bytes;
  const size_t size = begin + piece < bytes ? piece : bytes - begin;
)";

inline constexpr char const* kGinMoveKernel = R"(
// `bytes`: what one rank sends to one other.
@head@
  const ncclGin gin(device, @context@);
  const ncclTeam world = ncclTeamWorld(device);
  const int rank = device.rank, ranks = device.nRanks;
@before@
@barrier@
@piece@  if (size != 0) {
    @peer_loop@ {
      if (peer == rank) continue;
@put@    }
    char* out = static_cast<char*>(ncclGetLocalPointer(recv.window, recv.offset)) + rank * bytes + begin;
    const char* in = static_cast<const char*>(ncclGetLocalPointer(send.window, send.offset)) + @own@;
    if (in != out) copy@of@(out, in, size, threadIdx.x, kThreads);
@wait@  }
  gin.flush(ncclCoopCta());
}
)";

inline constexpr char const* kTeamText =
    "  // The ranks that this one loads and stores with.\n"
    "  const int team_begin = rank - device.lsaRank, team_end = team_begin + device.lsaSize;\n";

inline constexpr char const* kTeamMoveKernel = R"(
// `bytes`: what one rank sends to one other.
@head@
  const ncclGin gin(device, @context@);
  const ncclTeam world = ncclTeamWorld(device);
  const int rank = device.rank, ranks = device.nRanks;
@team@@before@
@barrier@
@piece@  if (size != 0) {
    // Puts first: they are under way while this CTA stores.
    @peer_loop@ {
      if (peer >= team_begin && peer < team_end) continue;
@put@    }
    const char* mine = static_cast<const char*>(ncclGetLocalPointer(send.window, send.offset)) + begin;
    char* out = static_cast<char*>(ncclGetLocalPointer(recv.window, recv.offset)) + rank * bytes + begin;
    const char* in = mine@own_slice@;
    if (in != out) copy@of@(out, in, size, threadIdx.x, kThreads);
    // To the ranks of the team, each starting with the next one, so that no link is asked twice.
    for (int p = 1; p < device.lsaSize; ++p) {
      const int peer = (device.lsaRank + p) % device.lsaSize;
      out = static_cast<char*>(ncclGetLsaPointer(recv.window, recv.offset, peer)) + rank * bytes + begin;
@peer_slice@      copy@of@(out, in, size, threadIdx.x, kThreads);
    }
    barrier.lsaBarrier().sync(ncclCoopCta(), cuda::memory_order_release);
@wait@  }
  gin.flush(ncclCoopCta());
}
)";

/// The constants, the device code and the note of one put-based AllGather or AlltoAll.
inline std::string gin_move_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const gather = l.site.collective == Collective::kAllGather;
  bool const per_peer = d.sync == SyncScope::kPerPeer;
  bool const teams = stores_in_team(l);
  std::string const before =
      per_peer ? "  const ncclGinSignal_t signal = " + gin_signal(d, resources, 1, 0, "threadIdx.x") +
                     ";\n  const uint64_t before = int(threadIdx.x) < ranks ? gin.readSignal(signal) : 0;\n"
               : "  const ncclGinSignal_t signal = " + gin_signal(d, resources, 1, 0, "") +
                     ";\n  const uint64_t before = gin.readSignal(signal);\n";
  std::string const wait =
      per_peer ? std::string("    if (int(threadIdx.x) < ranks && ") +
                     (teams ? "(int(threadIdx.x) < team_begin || int(threadIdx.x) >= team_end)"
                            : "int(threadIdx.x) != rank") +
                     ")\n"
                     "      gin.waitSignal(ncclCoopThread(), signal, before + 1);\n"
               : std::string("    gin.waitSignal(ncclCoopCta(), signal, before + ranks - ") +
                     (teams ? "device.lsaSize" : "1") + ");\n";
  std::string const put = gin_put("      ",
                                  {"peer",
                                   "recv + (rank * bytes + begin)",
                                   std::string("send + ") + (gather ? "begin" : "(peer * bytes + begin)"),
                                   "size",
                                   per_peer ? gin_signal(d, resources, 1, 0, "rank") : "signal",
                                   gin_coop(d)},
                                  {});
  Substitutions const values{{"title", gather ? "AllGather" : "AlltoAll"},
                             {"what", gather ? "its input" : "a slice of its input"},
                             {"signal_note", gin_signal_note(d)},
                             {"context", gin_context(d)},
                             {"before", before},
                             {"barrier", gin_barrier(d, "  ")},
                             {"peer_loop", gin_peer_loop(d)},
                             {"put", put},
                             {"head", kernel_head(l)},
                             {"piece", render(kGinPieceText, {{"whole", "every slot"}})},
                             {"of", is_templated(l.site) ? "<Element>" : ""},
                             {"team", kTeamText},
                             {"own_slice", gather ? "" : " + rank * bytes"},
                             {"peer_slice", gather ? "" : "      in = mine + (team_begin + peer) * bytes;\n"},
                             {"own", gather ? "begin" : "rank * bytes + begin"},
                             {"wait", wait}};
  return wrap_comment(render(teams ? kTeamMoveNote : kGinMoveNote, values)) + "namespace " + l.name +
         "_kernel {\n" + gin_constants(l, resources) + copy_text(l.site, d.vector_bytes) + gin_put_text(d) +
         render(teams ? kTeamMoveKernel : kGinMoveKernel, values);
}

}  // namespace cuco::impl
