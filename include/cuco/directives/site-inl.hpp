// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "cuco/core/impl/inline.hpp"
#include "cuco/directives/directives.hpp"
#include "cuco/directives/impl/words.hpp"
#include "cuco/directives/site.hpp"

namespace cuco {

namespace impl {

struct ElementRow {
  ElementType type;
  char const* name;
  char const* cpp;
  int bytes;
  std::array<char const*, 3> constants;  ///< Spellings in nccl.h.
};

inline constexpr std::array<ElementRow, 10> kElements{{
    {ElementType::kInt8, "int8", "int8_t", 1, {"ncclInt8", "ncclChar", ""}},
    {ElementType::kUint8, "uint8", "uint8_t", 1, {"ncclUint8", "", ""}},
    {ElementType::kInt32, "int32", "int32_t", 4, {"ncclInt32", "ncclInt", ""}},
    {ElementType::kUint32, "uint32", "uint32_t", 4, {"ncclUint32", "", ""}},
    {ElementType::kInt64, "int64", "int64_t", 8, {"ncclInt64", "", ""}},
    {ElementType::kUint64, "uint64", "uint64_t", 8, {"ncclUint64", "", ""}},
    {ElementType::kHalf, "half", "__half", 2, {"ncclFloat16", "ncclHalf", ""}},
    {ElementType::kFloat, "float", "float", 4, {"ncclFloat32", "ncclFloat", ""}},
    {ElementType::kDouble, "double", "double", 8, {"ncclFloat64", "ncclDouble", ""}},
    {ElementType::kBfloat16, "bfloat16", "__nv_bfloat16", 2, {"ncclBfloat16", "", ""}},
}};

inline constexpr std::array kCollectives{
    Collective::kAllReduce, Collective::kAllGather, Collective::kAllToAll};

struct ReductionRow {
  Reduction op;
  char const* name;
  char const* constant;
};
inline constexpr std::array<ReductionRow, 5> kReductions{{{Reduction::kSum, "sum", "ncclSum"},
                                                          {Reduction::kProd, "prod", "ncclProd"},
                                                          {Reduction::kMin, "min", "ncclMin"},
                                                          {Reduction::kMax, "max", "ncclMax"},
                                                          {Reduction::kAvg, "avg", "ncclAvg"}}};

CUCO_EVOLVE_INLINE ElementRow const& row_of(ElementType type) {
  for (auto const& row : kElements)
    if (row.type == type) return row;
  return kElements.front();
}

CUCO_EVOLVE_INLINE bool parse_yes_no(std::string_view text, bool& out) {
  if (text != "yes" && text != "no") return false;
  out = text == "yes";
  return true;
}

CUCO_EVOLVE_INLINE bool set_site_field(Site& s, std::string_view word, std::string_view value, bool& good) {
  if (word == "collective") return good = parse_name(value, kCollectives, s.collective), true;
  if (word == "type") {
    for (auto const& row : kElements)
      if (value == row.name) s.type = row.type, good = true;
    return true;
  }
  if (word == "op") {
    for (auto const& row : kReductions)
      if (value == row.name) s.op = row.op, good = true;
    return true;
  }
  if (word == "in_place") return good = parse_yes_no(value, s.in_place), true;
  if (word == "send_offset_varies") return good = parse_yes_no(value, s.send_offset_varies), true;
  if (word == "recv_offset_varies") return good = parse_yes_no(value, s.recv_offset_varies), true;
  if (word == "several_streams") return good = parse_yes_no(value, s.several_streams), true;
  if (word == "api") {
    good = value == "lsa" || value == "gin";
    s.api = value == "gin" ? Api::GIN : Api::LSA;
    return true;
  }
  if (word == "max_ranks") return good = parse_number(value, s.max_ranks), true;
  if (word == "lsa_team_is_world") return good = parse_yes_no(value, s.lsa_team_is_world), true;
  if (word == "resident_ctas") return good = parse_number(value, s.resident_ctas), true;
  return false;
}

}  // namespace impl

CUCO_EVOLVE_INLINE char const* to_string(ElementType type) {
  return impl::row_of(type).name;
}
CUCO_EVOLVE_INLINE char const* cpp_name(ElementType type) {
  return impl::row_of(type).cpp;
}
CUCO_EVOLVE_INLINE int size_in_bytes(ElementType type) {
  return impl::row_of(type).bytes;
}

CUCO_EVOLVE_INLINE std::optional<ElementType> element_type_of(std::string_view nccl_constant) {
  if (nccl_constant.empty()) return std::nullopt;
  for (auto const& row : impl::kElements)
    for (char const* constant : row.constants)
      if (nccl_constant == constant) return row.type;
  return std::nullopt;
}

CUCO_EVOLVE_INLINE char const* to_string(Reduction op) {
  for (auto const& row : impl::kReductions)
    if (row.op == op) return row.name;
  return "sum";
}

CUCO_EVOLVE_INLINE std::optional<Reduction> reduction_of(std::string_view nccl_constant) {
  for (auto const& row : impl::kReductions)
    if (nccl_constant == row.constant) return row.op;
  return std::nullopt;
}

CUCO_EVOLVE_INLINE std::string to_string(Site const& s) {
  auto yes_no = [](bool value) { return value ? "yes" : "no"; };
  std::string out = std::string("collective=") + to_string(s.collective) + " type=" + to_string(s.type);
  out += std::string(" op=") + to_string(s.op) + " in_place=" + yes_no(s.in_place);
  out += std::string(" send_offset_varies=") + yes_no(s.send_offset_varies);
  out += std::string(" recv_offset_varies=") + yes_no(s.recv_offset_varies);
  out += std::string(" several_streams=") + yes_no(s.several_streams) + " api=" + to_string(s.api);
  out += " max_ranks=" + std::to_string(s.max_ranks);
  out += std::string(" lsa_team_is_world=") + yes_no(s.lsa_team_is_world);
  out += " resident_ctas=" + std::to_string(s.resident_ctas);
  return out;
}

CUCO_EVOLVE_INLINE Result<Site> parse_site(std::string_view text) {
  Site out;
  for (auto const& [word, value] : impl::split_words(text)) {
    bool good = false;
    if (!impl::set_site_field(out, word, value, good) || !good)
      return fail(ErrorCode::kParse,
                  "cannot read '" + std::string(word) + "=" + std::string(value) + "'",
                  "write it as in: " + to_string(Site{}));
  }
  return out;
}

}  // namespace cuco
