// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cuco/core/api.hpp"
#include "cuco/core/result.hpp"
#include "cuco/directives/small_set.hpp"

namespace cuco {

/// The collectives that rules can turn into kernels; `kSendRecv` stands for all point-to-point calls of a
/// program together.
enum class Collective : std::uint8_t {
  kAllReduce,
  kAllGather,
  kAllToAll,
  kReduceScatter,
  kBroadcast,
  kReduce,
  kGather,
  kScatter,
  kSendRecv
};
[[nodiscard]] char const* to_string(Collective collective);

/// Element type of a collective.
enum class ElementType : std::uint8_t {
  kInt8,
  kUint8,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kHalf,
  kFloat,
  kDouble,
  kBfloat16
};
/// As used in generated names, for example "float".
[[nodiscard]] char const* to_string(ElementType type);
/// The C++ type, for example "__half".
[[nodiscard]] char const* cpp_name(ElementType type);
[[nodiscard]] int size_in_bytes(ElementType type);
/// From the NCCL constant, for example "ncclFloat32". Empty for types that have no kernel here.
[[nodiscard]] std::optional<ElementType> element_type_of(std::string_view nccl_constant);

using ElementTypes = SmallSet<ElementType>;

/// Reduction of an AllReduce, ReduceScatter or Reduce.
enum class Reduction : std::uint8_t { kSum, kProd, kMin, kMax, kAvg };
[[nodiscard]] char const* to_string(Reduction op);
/// From the NCCL constant, for example "ncclSum". Empty for user-made operations.
[[nodiscard]] std::optional<Reduction> reduction_of(std::string_view nccl_constant);
using Reductions = SmallSet<Reduction>;

/// What is known about one collective of a program before its directives are chosen.
struct Site {
  Collective collective = Collective::kAllReduce;
  /// One type, or all that the program's text mentions when `runtime_type`.
  ElementTypes types = ElementType::kFloat;
  Reductions ops = Reduction::kSum;  ///< The same for the reduction of those that reduce.
  bool runtime_type = false;         ///< The launcher takes NCCL's own datatype and reduction arguments.
  bool in_place = false;             ///< Some call may have overlapping buffers.
  bool send_offset_varies = false;  ///< The send pointer's offset in its allocation may differ between ranks.
  bool recv_offset_varies = false;  ///< The same for the receive pointer.
  bool several_streams = false;     ///< Calls may come on more than one stream.
  bool send_staged = false;  ///< The send buffer is not symmetric memory; it is copied around the kernel.
  bool recv_staged = false;  ///< The same for the receive buffer.
  Api api = Api::LSA;        ///< The interface of its kernel, so never `Api::Auto`.
  int max_ranks = 64;        ///< The program is not run with more ranks than this.
  /// Every rank reaches every other by load and store. When it is known that they do not, kernels that put do
  /// so between teams only, where stores inside a team take its place.
  bool lsa_team_is_world = true;
  int resident_ctas = 132;  ///< CTAs that are resident at once for sure: one per multiprocessor.
  bool operator==(Site const&) const = default;
};

/// Whether it combines values: AllReduce, ReduceScatter, Reduce.
[[nodiscard]] constexpr bool is_reduction(Site const& site) {
  return site.collective == Collective::kAllReduce || site.collective == Collective::kReduceScatter ||
         site.collective == Collective::kReduce;
}
/// Whether one rank, the root, gives or gets all data.
[[nodiscard]] constexpr bool is_rooted(Site const& site) {
  return site.collective == Collective::kBroadcast || site.collective == Collective::kReduce ||
         site.collective == Collective::kGather || site.collective == Collective::kScatter;
}

/// "collective=all_reduce type=float op=sum in_place=no …": every field, always in this order. Several types
/// or reductions as in "type=half+float".
[[nodiscard]] std::string to_string(Site const& site);
/// Reads what `to_string` writes. Missing words keep their default. Errors: kParse.
[[nodiscard]] Result<Site> parse_site(std::string_view text);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/directives/site-inl.hpp"
#endif
