// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/element_text.hpp"
#include "cuco/transform/codegen/gin_sync.hpp"

/// @file
/// Reductions over one-sided puts: landing slots and how they are added up.

namespace cuco::impl {

inline constexpr char const* kGinReduceText = R"(
@lanes_text@constexpr int kScratchArea = @area@;
constexpr size_t kGrain = @grain@;  // shares and pieces are multiples of it, which keeps slots aligned

@elements@
inline __host__ __device__ size_t round_up(size_t count) { return (count + kGrain - 1) / kGrain * kGrain; }

// Elements in one landing slot.
inline __host__ __device__ size_t slot_size(size_t count@slot_ranks@) { return round_up(@slot_count@); }

@scratch_bytes@
// Reduces the packs worker, worker + workers, ... of `count` elements: slot r, or `own` for this rank.
template <@more@int N, int U>
__device__ inline void reduce_packs(const ncclDevComm& device, const @T@* own, const @T@* slots, size_t slot,
                                    @T@* out, size_t first, size_t step) {
  Pack<@pack@N> in[U];
  @Acc@ sum[U][N];
  for (int r = 0; r < device.nRanks; ++r) {
    const Pack<@pack@N>* source = reinterpret_cast<const Pack<@pack@N>*>(r == device.rank ? own : slots + r * slot) + first;
#pragma unroll
    for (int u = 0; u < U; ++u) in[u] = source[u * step];
#pragma unroll
    for (int u = 0; u < U; ++u)
#pragma unroll
      for (int n = 0; n < N; ++n) {
        const @Acc@ value = widen(in[u].at[n]);
        sum[u][n] = r == 0 ? value : @combine@(sum[u][n], value);
      }
  }
#pragma unroll
  for (int u = 0; u < U; ++u) {
#pragma unroll
    for (int n = 0; n < N; ++n) in[u].at[n] = @finish@(sum[u][n]@finish_arguments@);
    reinterpret_cast<Pack<@pack@N>*>(out)[first + u * step] = in[u];
  }
}

template <@more@int N>
__device__ inline void reduce_range(const ncclDevComm& device, const @T@* own, const @T@* slots, size_t slot,
                                    @T@* out, size_t count, size_t worker, size_t workers) {
  const size_t packs = count / N;
  size_t i = worker;
  for (; i + (kUnroll - 1) * workers < packs; i += kUnroll * workers)
    reduce_packs<@pass@N, kUnroll>(device, own, slots, slot, out, i, workers);
  for (; i < packs; i += workers) reduce_packs<@pass@N, 1>(device, own, slots, slot, out, i, workers);
}

// Reduces `count` elements, in packs when the caller's buffers are aligned like the slots.
@template@__device__ inline void reduce_all(const ncclDevComm& device, const @T@* own, const @T@* slots, size_t slot,
                                  @T@* out, size_t count, size_t worker, size_t workers) {
  constexpr size_t kPackBytes = @lanes@ * sizeof(@T@);
  const bool aligned = (reinterpret_cast<uintptr_t>(own) | reinterpret_cast<uintptr_t>(out)) % kPackBytes == 0;
  const size_t body = aligned ? count / @lanes@ * @lanes@ : 0;
  reduce_range<@pass@@lanes@>(device, own, slots, slot, out, body, worker, workers);
  reduce_range<@pass@1>(device, own + body, slots + body, slot, out + body, count - body, worker, workers);
}
)";

/// How much of the landing buffer one call needs, for one type or, with `element` bytes, for all.
inline std::string scratch_bytes_text(Launcher const& l) {
  bool const shares = l.directives.algorithm == Algorithm::kTwoShot;
  std::string const slot = shares ? "slot_size(count, ranks)" : "slot_size(count)";
  bool const templated = is_templated(l.site);
  std::string const element =
      templated ? "element" : std::string("sizeof(") + cpp_name(l.site.types.front()) + ")";
  std::string const head = std::string("inline size_t scratch_bytes(size_t count, int ranks") +
                           (templated ? ", size_t element) {" : ") {");
  std::string const body = "return ranks * " + slot + " * " + element + ";";
  return head.size() + body.size() > 110 ? head + "\n  " + body + "\n}\n" : head + " " + body + " }\n";
}

}  // namespace cuco::impl
