// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "cuco/core/impl/inline.hpp"
#include "cuco/directives/design_space.hpp"
#include "cuco/directives/impl/words.hpp"

namespace cuco {

namespace impl {

inline constexpr std::array<int, 8> kCtas{1, 2, 4, 8, 16, 32, 64, 128};
inline constexpr std::array<int, 4> kThreads{128, 256, 512, 1024};
inline constexpr std::array<int, 3> kVectorBytes{4, 8, 16};
inline constexpr std::array<int, 4> kUnrolls{1, 2, 4, 8};
inline constexpr std::array<std::uint64_t, 6> kChunkBytes{0, 16384, 65536, 262144, 1048576, 4194304};
/// Smallest and largest slot of a pipe between two ranks.
inline constexpr std::uint64_t kSmallestSlot = 16384, kLargestSlot = 1048576;
inline constexpr std::array<int, 3> kContexts{1, 2, 4};
/// The two knobs that only shape the local copy of a put-based move; varying them would only make duplicates.
inline constexpr int kIdleVectorBytes = 16;
inline constexpr int kIdleUnroll = 4;
inline constexpr int kMostGinCtas = 32;
inline constexpr int kMostPipes = 16;

template <class Values, class T>
bool one_of(Values const& values, T value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// Bytes of the widest element; a move that learns its type at run time takes all of them.
CUCO_EVOLVE_INLINE int widest_element(Site const& s) {
  constexpr int kWidest = 8;
  if (s.collective == Collective::kSendRecv || (s.runtime_type && !is_reduction(s))) return kWidest;
  int bytes = 1;
  for (ElementType type : s.types) bytes = std::max(bytes, size_in_bytes(type));
  return bytes;
}

/// Registers that accumulate one vector of the type that needs most of them.
CUCO_EVOLVE_INLINE int accumulators_of(Site const& s, int vector_bytes) {
  int most = 0;
  for (ElementType type : s.types) {
    int const bytes = size_in_bytes(type);
    most = std::max(most, vector_bytes / bytes * (bytes == 8 ? 2 : 1));
  }
  return most;
}

CUCO_EVOLVE_INLINE bool has_algorithm(Collective collective, Algorithm algorithm) {
  bool const one = algorithm == Algorithm::kOneShot, two = algorithm == Algorithm::kTwoShot;
  switch (collective) {
    case Collective::kAllReduce:
    case Collective::kReduce: return one || two;
    case Collective::kReduceScatter: return one;
    case Collective::kBroadcast: return !one;
    case Collective::kSendRecv: return algorithm == Algorithm::kPush;
    default: return !one && !two;
  }
}

CUCO_EVOLVE_INLINE std::optional<Reason> illegal_exchange(Directives const& d) {
  if (d.placement != Placement::kDeferred)
    return Reason{"exchange_in_stream_order",
                  "sends and receives of one group run in one kernel on the caller's stream"};
  if (d.sync != SyncScope::kPerBlock)
    return Reason{"pipes_synchronise_in_pairs", "a CTA waits for the other end of its own pipe only"};
  if (d.issuer != Issuer::kBlock)
    return Reason{"pipes_move_whole_slots", "a slot of a pipe is filled and emptied by a whole CTA"};
  return std::nullopt;
}

/// Who may issue what, and who may meet whom.
CUCO_EVOLVE_INLINE std::optional<Reason> illegal_cooperation(Directives const& d, Site const& s) {
  bool const lsa = d.backend == Backend::kLsa;
  bool const reduces = is_reduction(s);
  if (lsa && d.sync == SyncScope::kPerPeer)
    return Reason{"lsa_barriers_are_team_wide", "a load/store barrier always meets the whole team"};
  if (!lsa && !reduces && d.sync == SyncScope::kGlobal)
    return Reason{"global_is_one_cta", "without a reduction, global is per_block with one CTA"};
  if (!lsa && !reduces && is_rooted(s) && d.sync == SyncScope::kPerPeer)
    return Reason{"root_is_the_only_peer", "a rank waits for the root alone, or the root for all others"};
  if (lsa && d.issuer == Issuer::kThread)
    return Reason{"lsa_has_no_thread_issuer", "loads and stores are issued by whole warps"};
  if (lsa && reduces && d.issuer != Issuer::kBlock)
    return Reason{"reduction_needs_all_peers",
                  "a thread combines the values of all peers, so peers are not split"};
  bool const root_moves_all = (s.collective == Collective::kGather && d.algorithm == Algorithm::kPull) ||
                              (s.collective == Collective::kScatter && d.algorithm == Algorithm::kPush);
  if (lsa && !reduces && is_rooted(s) && !root_moves_all && d.issuer != Issuer::kBlock)
    return Reason{"one_source", "everything comes from one buffer or goes to one, so peers are not split"};
  bool const only_to_root = s.collective == Collective::kGather ||
                            (s.collective == Collective::kReduce && d.algorithm == Algorithm::kOneShot);
  if (!lsa && only_to_root && d.issuer != Issuer::kBlock)
    return Reason{"one_destination", "a CTA issues one put, to the root"};
  return std::nullopt;
}

/// What peers do to each other's buffers.
CUCO_EVOLVE_INLINE std::optional<Reason> illegal_access(Directives const& d, Site const& s) {
  bool const lsa = d.backend == Backend::kLsa;
  bool const overlap = s.in_place && !s.send_staged && !s.recv_staged;
  if (lsa && d.algorithm == Algorithm::kOneShot && s.collective == Collective::kAllReduce && overlap)
    return Reason{"one_shot_in_place", "peers would read input that this rank has already overwritten"};
  bool const broadcast = s.collective == Collective::kBroadcast;  // Peers see its receive buffer only.
  bool const reads_peers = lsa && !broadcast && (is_reduction(s) || d.algorithm == Algorithm::kPull);
  if (reads_peers && s.send_offset_varies && !s.send_staged)
    return Reason{"send_offset_varies", "peers are read at this rank's offset, which differs between ranks"};
  bool const writes_peers =
      broadcast || d.algorithm == Algorithm::kTwoShot || d.algorithm == Algorithm::kPush;
  if (writes_peers && s.recv_offset_varies && !s.recv_staged)
    return Reason{"recv_offset_varies",
                  "peers are written at this rank's offset, which differs between ranks"};
  return std::nullopt;
}

CUCO_EVOLVE_INLINE std::optional<Reason> illegal_structure(Directives const& d, Site const& s) {
  bool const lsa = d.backend == Backend::kLsa;
  if (lsa != (s.api == Api::LSA))
    return Reason{"backend_is_the_api", "the program's set-up code is for the other interface"};
  if (lsa && !s.lsa_team_is_world)
    return Reason{"lsa_team_is_world", "some ranks cannot load and store each other's memory"};
  if (d.placement == Placement::kFused)
    return Reason{"fused_needs_producer",
                  "no producer kernel is known that the communication could be part of"};
  if (s.collective == Collective::kAllToAll && s.in_place)
    return Reason{"all_to_all_in_place",
                  "send and receive buffer overlap, which NCCL does not define for AlltoAll"};
  bool const one_kind = s.types.size() == 1 && (!is_reduction(s) || s.ops.size() == 1);
  bool const some_kind = !is_reduction(s) || (!s.types.empty() && !s.ops.empty());
  if (s.collective != Collective::kSendRecv && (s.runtime_type ? !some_kind : !one_kind))
    return Reason{"types_of_launcher", "a launcher is for one type and reduction, or chooses at run time"};
  if (!has_algorithm(s.collective, d.algorithm))
    return Reason{"algorithm_of_collective",
                  std::string(to_string(d.algorithm)) + " is no algorithm for " + to_string(s.collective)};
  if (s.collective == Collective::kSendRecv) return illegal_exchange(d);
  if (!lsa && d.algorithm == Algorithm::kPull)
    return Reason{"gin_has_no_get", "one-sided networking has puts only; a receiver cannot pull"};
  if (auto reason = illegal_access(d, s)) return reason;
  return illegal_cooperation(d, s);
}

CUCO_EVOLVE_INLINE std::optional<Reason> illegal_numbers(Directives const& d, Site const& s) {
  bool const lsa = d.backend == Backend::kLsa;
  if (!one_of(kCtas, d.ctas)) return Reason{"ctas", "CTAs must be a power of two up to 128"};
  if (!one_of(kThreads, d.threads)) return Reason{"threads", "threads must be 128, 256, 512 or 1024"};
  if (!one_of(kVectorBytes, d.vector_bytes)) return Reason{"vector_bytes", "a vector has 4, 8 or 16 bytes"};
  if (!one_of(kUnrolls, d.unroll)) return Reason{"unroll", "unroll must be 1, 2, 4 or 8"};
  if (!one_of(kChunkBytes, d.chunk_bytes))
    return Reason{"chunk_bytes", "chunks are 0, 16 KiB, 64 KiB, 256 KiB, 1 MiB or 4 MiB"};
  if (!one_of(kContexts, d.contexts)) return Reason{"contexts", "contexts must be 1, 2 or 4"};
  if (d.ctas > s.resident_ctas)
    return Reason{"ctas_resident",
                  "CTAs that wait for each other must all be resident; " + std::to_string(d.ctas) +
                      " are more than " + std::to_string(s.resident_ctas)};
  if (!lsa && d.ctas > kMostGinCtas)
    return Reason{"gin_ctas", "more than 32 CTAs only lengthen the queues of the network"};
  if (int const bytes = widest_element(s); d.vector_bytes % bytes != 0)
    return Reason{"vector_holds_elements",
                  "a vector of " + std::to_string(d.vector_bytes) +
                      " bytes holds no whole number of elements of " + std::to_string(bytes) + " bytes"};
  bool const exchange = s.collective == Collective::kSendRecv;
  if (exchange) {
    if (d.ctas > kMostPipes) return Reason{"pipes", "a pair of ranks has at most 16 pipes"};
    if (d.chunk_bytes < kSmallestSlot || d.chunk_bytes > kLargestSlot)
      return Reason{"slot_of_a_pipe", "a slot of a pipe holds 16 KiB to 1 MiB"};
  } else if (d.chunk_bytes == kSmallestSlot) {
    return Reason{"puts_are_large", "puts of 16 KiB are too small for whole buffers"};
  } else if (is_reduction(s)) {
    int const accumulators = d.unroll * accumulators_of(s, d.vector_bytes);
    int const room = d.threads >= 1024 ? 16 : d.threads >= 512 ? 32 : 64;
    if (accumulators > room)
      return Reason{"accumulators_fit",
                    std::to_string(accumulators) + " registers of accumulators per thread spill with " +
                        std::to_string(d.threads) + " threads"};
  } else if (!lsa && (d.vector_bytes != kIdleVectorBytes || d.unroll != kIdleUnroll)) {
    return Reason{"puts_have_no_vectors", "puts are issued whole; width and unroll stay at 16 and 4"};
  }
  if (lsa && !exchange && d.chunk_bytes != 0)
    return Reason{"lsa_has_no_chunks", "loads and stores are not sent in chunks"};
  if (lsa && d.contexts != 1) return Reason{"lsa_has_no_contexts", "contexts belong to one-sided networking"};
  if (!lsa && d.sync == SyncScope::kGlobal && d.contexts != 1)
    return Reason{"one_cta_one_context", "with global synchronisation one CTA communicates, on one context"};
  if (!lsa && d.contexts > d.ctas) return Reason{"contexts_per_cta", "a CTA uses one context"};
  return std::nullopt;
}

/// Adds the values next to `*field` in `values` on both sides, skipping illegal ones.
template <class Values, class T>
void add_next(
    Directives d, T Directives::*field, Values const& values, Site const& s, std::vector<Directives>& out) {
  auto const at = std::find(values.begin(), values.end(), d.*field);
  if (at == values.end()) return;
  for (auto down = at; down != values.begin();) {
    d.*field = *--down;
    if (!legal(d, s)) {
      out.push_back(d);
      break;
    }
  }
  for (auto up = at + 1; up != values.end(); ++up) {
    d.*field = *up;
    if (!legal(d, s)) {
      out.push_back(d);
      break;
    }
  }
}

/// Adds every other value of `*field`.
template <class Values, class T>
void add_others(
    Directives d, T Directives::*field, Values const& values, Site const& s, std::vector<Directives>& out) {
  T const mine = d.*field;
  for (T value : values) {
    d.*field = value;
    if (value != mine && !legal(d, s)) out.push_back(d);
  }
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::optional<Reason> legal(Directives const& directives, Site const& site) {
  if (auto reason = impl::illegal_structure(directives, site)) return reason;
  return impl::illegal_numbers(directives, site);
}

CUCO_EVOLVE_INLINE std::vector<Directives> enumerate(Site const& site) {
  std::vector<Directives> out;
  Directives d;
  bool const lsa = site.api == Api::LSA;
  d.backend = lsa ? Backend::kLsa : Backend::kGin;
  // What has one legal value anyway is not varied: that spares nine in ten of the checks.
  bool const exchange = site.collective == Collective::kSendRecv;
  std::size_t const chunks = lsa && !exchange ? 1 : impl::kChunkBytes.size();
  std::size_t const most_contexts = lsa ? 1 : impl::kContexts.size();
  bool const puts_only = !lsa && !is_reduction(site) && !exchange;
  auto const may_vary = [&](int value, int idle) { return !puts_only || value == idle; };
  auto numbers = [&] {
    for (int ctas : impl::kCtas)
      for (int threads : impl::kThreads)
        for (int vector_bytes : impl::kVectorBytes)
          for (int unroll : impl::kUnrolls)
            for (auto chunk : std::span(impl::kChunkBytes).first(chunks))
              for (int contexts : std::span(impl::kContexts).first(most_contexts)) {
                if (!may_vary(vector_bytes, impl::kIdleVectorBytes) || !may_vary(unroll, impl::kIdleUnroll))
                  continue;
                d.ctas = ctas, d.threads = threads, d.vector_bytes = vector_bytes, d.unroll = unroll;
                d.chunk_bytes = chunk, d.contexts = contexts;
                if (!impl::illegal_numbers(d, site)) out.push_back(d);
              }
  };
  for (auto algorithm : impl::kAlgorithms)
    for (auto placement : impl::kPlacements)
      for (auto sync : impl::kSyncScopes)
        for (auto issuer : impl::kIssuers) {
          d.algorithm = algorithm, d.placement = placement, d.sync = sync, d.issuer = issuer;
          if (!impl::illegal_structure(d, site)) numbers();
        }
  return out;
}

CUCO_EVOLVE_INLINE std::vector<Directives> neighbours(Directives const& d, Site const& s) {
  std::vector<Directives> out;
  impl::add_next(d, &Directives::ctas, impl::kCtas, s, out);
  impl::add_next(d, &Directives::unroll, impl::kUnrolls, s, out);
  impl::add_next(d, &Directives::threads, impl::kThreads, s, out);
  impl::add_next(d, &Directives::vector_bytes, impl::kVectorBytes, s, out);
  impl::add_next(d, &Directives::chunk_bytes, impl::kChunkBytes, s, out);
  impl::add_next(d, &Directives::contexts, impl::kContexts, s, out);
  impl::add_others(d, &Directives::algorithm, impl::kAlgorithms, s, out);
  impl::add_others(d, &Directives::sync, impl::kSyncScopes, s, out);
  impl::add_others(d, &Directives::issuer, impl::kIssuers, s, out);
  impl::add_others(d, &Directives::placement, impl::kPlacements, s, out);
  return out;
}

CUCO_EVOLVE_INLINE Directives conservative(Site const& site) {
  Directives d;
  bool const lsa = site.api == Api::LSA;
  d.backend = lsa ? Backend::kLsa : Backend::kGin;
  d.ctas = lsa ? 32 : 4;
  if (site.collective == Collective::kSendRecv) d.ctas = 4, d.chunk_bytes = 65536;
  for (auto algorithm : {Algorithm::kTwoShot, Algorithm::kPush, Algorithm::kOneShot, Algorithm::kPull})
    for (int unroll : {4, 2, 1}) {
      d.algorithm = algorithm;
      d.unroll = unroll;
      if (!legal(d, site)) return d;
    }
  auto const all = enumerate(site);
  return all.empty() ? d : all.front();
}

}  // namespace cuco
