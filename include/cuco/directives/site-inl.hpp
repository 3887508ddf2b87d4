// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

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

struct CollectiveRow {
  Collective collective;
  char const* name;
};
inline constexpr std::array<CollectiveRow, 9> kCollectives{{{Collective::kAllReduce, "all_reduce"},
                                                            {Collective::kAllGather, "all_gather"},
                                                            {Collective::kAllToAll, "all_to_all"},
                                                            {Collective::kReduceScatter, "reduce_scatter"},
                                                            {Collective::kBroadcast, "broadcast"},
                                                            {Collective::kReduce, "reduce"},
                                                            {Collective::kGather, "gather"},
                                                            {Collective::kScatter, "scatter"},
                                                            {Collective::kSendRecv, "send_recv"}}};

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

/// Reads "half+float" with `find`, which gives the value of one name.
template <class E, class Find>
bool parse_set(std::string_view text, SmallSet<E>& out, Find find) {
  SmallSet<E> set;
  while (true) {
    std::size_t const plus = std::min(text.find('+'), text.size());
    auto const value = find(text.substr(0, plus));
    if (!value) return false;
    set.insert(*value);
    if (plus == text.size()) break;
    text.remove_prefix(plus + 1);
  }
  out = set;
  return true;
}

/// Finds the row with that name.
template <class Rows, class Member>
auto row_named(Rows const& rows, Member member) {
  return [&rows, member](std::string_view name) {
    std::optional<std::decay_t<decltype(rows.front().*member)>> found;
    for (auto const& row : rows)
      if (name == row.name) found = row.*member;
    return found;
  };
}

template <class E>
std::string names_of(SmallSet<E> const& set) {
  std::string out;
  for (E value : set) out += (out.empty() ? "" : "+") + std::string(to_string(value));
  return out;
}

CUCO_EVOLVE_INLINE bool set_site_field(Site& s, std::string_view word, std::string_view value, bool& good) {
  if (word == "collective") {
    auto const found = row_named(kCollectives, &CollectiveRow::collective)(value);
    if (found) s.collective = *found;
    return good = found.has_value(), true;
  }
  if (word == "type") return good = parse_set(value, s.types, row_named(kElements, &ElementRow::type)), true;
  if (word == "op") return good = parse_set(value, s.ops, row_named(kReductions, &ReductionRow::op)), true;
  if (word == "runtime_type") return good = parse_yes_no(value, s.runtime_type), true;
  if (word == "in_place") return good = parse_yes_no(value, s.in_place), true;
  if (word == "send_offset_varies") return good = parse_yes_no(value, s.send_offset_varies), true;
  if (word == "recv_offset_varies") return good = parse_yes_no(value, s.recv_offset_varies), true;
  if (word == "several_streams") return good = parse_yes_no(value, s.several_streams), true;
  if (word == "send_staged") return good = parse_yes_no(value, s.send_staged), true;
  if (word == "recv_staged") return good = parse_yes_no(value, s.recv_staged), true;
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

CUCO_EVOLVE_INLINE char const* to_string(Collective collective) {
  for (auto const& row : impl::kCollectives)
    if (row.collective == collective) return row.name;
  return "all_reduce";
}
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
  std::string out = std::string("collective=") + to_string(s.collective);
  out += " type=" + impl::names_of(s.types) + " op=" + impl::names_of(s.ops);
  out += std::string(" runtime_type=") + yes_no(s.runtime_type) + " in_place=" + yes_no(s.in_place);
  out += std::string(" send_offset_varies=") + yes_no(s.send_offset_varies);
  out += std::string(" recv_offset_varies=") + yes_no(s.recv_offset_varies);
  out += std::string(" several_streams=") + yes_no(s.several_streams);
  out += std::string(" send_staged=") + yes_no(s.send_staged) + " recv_staged=" + yes_no(s.recv_staged);
  out += std::string(" api=") + to_string(s.api);
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
