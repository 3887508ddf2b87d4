// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/signature.hpp"

/// @file
/// The pieces that all one-sided kernels share: puts in chunks, signals, the opening barrier, waiting.

namespace cuco::impl {

/// `put_range`: one transfer, in chunks when asked for.
inline std::string gin_put_text(Directives const& d) {
  std::string const head = R"(
// Puts `bytes` to `peer` and raises its `signal`@chunks@.
template <class Coop>
__device__ inline void put_range(const ncclGin& gin, ncclTeam world, int peer, Place to, Place from, size_t bytes,
                                 ncclGinSignal_t signal, Coop coop) {
)";
  std::string const plain =
      R"(  gin.put(world, peer, to.window, to.offset, from.window, from.offset, bytes, ncclGin_SignalInc{signal},
          ncclGin_None(), coop);
}
)";
  std::string const chunked = R"(  size_t done = 0;
  for (; bytes - done > kChunkBytes; done += kChunkBytes)
    gin.put(world, peer, to.window, to.offset + done, from.window, from.offset + done, kChunkBytes, ncclGin_None(),
            ncclGin_None(), coop);
  gin.put(world, peer, to.window, to.offset + done, from.window, from.offset + done, bytes - done,
          ncclGin_SignalInc{signal}, ncclGin_None(), coop);
}
)";
  if (d.chunk_bytes == 0) return render(head, {{"chunks", ""}}) + plain;
  return render(head,
                {{"chunks",
                  ". A signal covers the earlier puts of its context\n"
                  "// to the same peer, so the last chunk alone carries it"}}) +
         chunked;
}

/// A call of `put_range`; the items may refer to `values`.
inline std::string gin_put(std::string const& indent,
                           std::vector<std::string> items,
                           Substitutions const& values) {
  for (auto& item : items) item = render(item, values);
  items.insert(items.begin(), {"gin", "world"});
  return listed(indent + "put_range(", items, ");\n");
}

/// The loop header and the coop with which transfers to the peers are issued.
inline std::string gin_peer_loop(Directives const& d) {
  switch (d.issuer) {
    case Issuer::kThread: return "for (int peer = threadIdx.x; peer < ranks; peer += kThreads)";
    case Issuer::kWarp: return "for (int peer = threadIdx.x / 32; peer < ranks; peer += kThreads / 32)";
    case Issuer::kBlock: return "for (int peer = 0; peer < ranks; ++peer)";
  }
  return {};
}

inline std::string gin_coop(Directives const& d) {
  return d.issuer == Issuer::kThread ? "ncclCoopThread()"
         : d.issuer == Issuer::kWarp ? "ncclCoopWarp()"
                                     : "ncclCoopCta()";
}

/// Index of a signal, as an expression: `block` is the CTA, `source` the rank that raises it.
inline std::string gin_signal(
    Directives const& d, Resources const& r, int phases, int phase, std::string const& source) {
  std::string slot = d.sync == SyncScope::kGlobal ? std::to_string(phase)
                     : phases == 1                ? "blockIdx.x"
                     : phase == 0                 ? "2 * blockIdx.x"
                                                  : "2 * blockIdx.x + 1";
  if (d.sync != SyncScope::kPerPeer) return r.first_signal == "0" ? slot : r.first_signal + " + " + slot;
  if (phases == 2 && phase == 1) slot = "(" + slot + ")";
  return (r.first_signal == "0" ? "" : r.first_signal + " + ") + slot + " * ranks + " + source;
}

inline std::string gin_constants(Launcher const& l, Resources const& resources, bool loads = true) {
  Directives const& d = l.directives;
  std::string out = "\nconstexpr int kCtas = " + std::to_string(d.ctas) +
                    ";\nconstexpr int kThreads = " + std::to_string(d.threads) + ";\n";
  if (d.contexts != 1) out += "constexpr int kContexts = " + std::to_string(d.contexts) + ";\n";
  if (d.chunk_bytes != 0) out += "constexpr size_t kChunkBytes = " + std::to_string(d.chunk_bytes) + ";\n";
  if (loads)
    out += "constexpr int kUnroll = " + std::to_string(d.unroll) + ";  // loads a thread has in flight\n";
  out += "constexpr int kFirstBarrier = " + std::to_string(resources.first_barrier) + ";\n";
  return out;
}

inline std::string gin_context(Directives const& d) {
  return d.contexts == 1 ? "0" : "blockIdx.x % kContexts";
}

/// Note on waiting, for the comment of a kernel.
inline std::string gin_signal_note(Directives const& d) {
  if (d.sync == SyncScope::kPerPeer)
    return "Each CTA has a signal for each source rank. Thread r reads the signal of rank r before the "
           "opening\n"
           "// barrier and waits for one more";
  if (d.sync == SyncScope::kGlobal)
    return "CTA 0 communicates for the grid. It reads its signals before the opening barrier and waits until "
           "they have\n"
           "// risen by one for each sender";
  return "Each CTA has signals of its own, reads them before the opening barrier and waits until they have "
         "risen by\n"
         "// one for each sender";
}

inline std::string gin_barrier(Directives const& d, std::string const& indent) {
  std::string const index = d.sync == SyncScope::kGlobal ? "kFirstBarrier" : "kFirstBarrier + blockIdx.x";
  return indent + "ncclBarrierSession<ncclCoopCta> barrier(ncclCoopCta(), ncclTeamTagWorld(), gin, " + index +
         ");\n" + indent +
         "barrier.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);\n";
}

}  // namespace cuco::impl
