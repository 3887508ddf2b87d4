// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cuco/core/result.hpp"

namespace cuco {

/// What carries the bytes.
enum class Backend : std::uint8_t {
  kLsa,  ///< Loads and stores of peers' memory.
  kGin,  ///< One-sided puts and signals.
};

/// Who moves which way.
enum class Algorithm : std::uint8_t {
  kOneShot,  ///< Reductions: whoever gets a result reads or receives all inputs and reduces them for itself.
  kTwoShot,  ///< Every rank reduces, or at a broadcast receives, its share; then the shares are exchanged.
  kPush,     ///< Moves: the sender writes into the receiver's buffer.
  kPull,     ///< Moves: the receiver reads from the sender's buffer.
};

/// Where communication sits among the program's kernels.
enum class Placement : std::uint8_t {
  kDeferred,  ///< A kernel of its own after the producer, on the caller's stream.
  kStream,    ///< A kernel of its own on a communication stream, tied to the caller's stream by events.
  kFused,     ///< Inside the producer kernel.
};

/// What meets what when ranks synchronise.
enum class SyncScope : std::uint8_t {
  kGlobal,    ///< One barrier or signal for the whole grid.
  kPerBlock,  ///< Each CTA synchronises with the CTAs of the same index.
  kPerPeer,   ///< Each CTA waits for each peer with a signal of its own.
};

/// Which threads together issue one transfer.
enum class Issuer : std::uint8_t { kThread, kWarp, kBlock };

/// One point of the design space of a device-initiated collective.
struct Directives {
  Backend backend = Backend::kLsa;
  Algorithm algorithm = Algorithm::kTwoShot;
  Placement placement = Placement::kDeferred;
  SyncScope sync = SyncScope::kPerBlock;
  Issuer issuer = Issuer::kBlock;
  int ctas = 16;
  int threads = 512;              ///< Per CTA.
  int vector_bytes = 16;          ///< Width of one load or store.
  int unroll = 4;                 ///< Vectors a thread has in flight.
  std::uint64_t chunk_bytes = 0;  ///< Largest put, 0: one put per CTA and peer. Point to point: a slot.
  int contexts = 1;               ///< GIN contexts used.
  bool operator==(Directives const&) const = default;
};

constexpr char const* to_string(Backend v) {
  return v == Backend::kLsa ? "lsa" : "gin";
}
constexpr char const* to_string(Algorithm v) {
  return v == Algorithm::kOneShot   ? "one_shot"
         : v == Algorithm::kTwoShot ? "two_shot"
         : v == Algorithm::kPush    ? "push"
                                    : "pull";
}
constexpr char const* to_string(Placement v) {
  return v == Placement::kDeferred ? "deferred" : v == Placement::kStream ? "stream" : "fused";
}
constexpr char const* to_string(SyncScope v) {
  return v == SyncScope::kGlobal ? "global" : v == SyncScope::kPerBlock ? "per_block" : "per_peer";
}
constexpr char const* to_string(Issuer v) {
  return v == Issuer::kThread ? "thread" : v == Issuer::kWarp ? "warp" : "block";
}

/// "backend=lsa algorithm=two_shot placement=deferred sync=per_block issuer=block ctas=16 …": every field,
/// always in this order.
[[nodiscard]] std::string to_string(Directives const& directives);

/// Reads what `to_string` writes. Words in any order; missing ones keep their default.
/// Errors: kParse for an unknown word or value, a repeated word, or a number out of range.
[[nodiscard]] Result<Directives> parse_directives(std::string_view text);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/directives/directives-inl.hpp"
#endif
