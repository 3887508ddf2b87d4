// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/collective_uses.hpp"

namespace cuco::impl {

/// Uses of device memory that symmetric memory, which is CUDA's virtual memory, does not stand: MPI libraries
/// that know about GPUs and cudaIpcGetMemHandle share it with other processes in a way for cudaMalloc's only,
/// and cudaFreeAsync does not know it.
class ForeignUses {
 public:
  explicit ForeignUses(SourceModel const& m) : m_(m) {
    auto const macros = macro_bodies(m);
    for (NcclUse const& use :
         find_uses(m, macros, [](std::string_view w) { return w == "cudaIpcGetMemHandle"; }))
      any_ = "may be given to other processes by cudaIpcGetMemHandle (line " + std::to_string(use.line) + ")";
    for (NcclUse const& use : find_uses(m, macros, [](std::string_view w) { return w == "cudaFreeAsync"; })) {
      std::string const why = "is freed by cudaFreeAsync (line " + std::to_string(use.line) + ")";
      Range const args = use.token >= 0 && use.is_call ? m.code.inside(use.token + 1) : Range{};
      auto const split = args.empty() ? std::vector<Range>() : m.code.split(args);
      if (split.size() != 2 || !note(m.code, split.front(), use.token, why)) any_ = why;
    }
    for (std::size_t c = 0; c < m.report.calls.size(); ++c) {
      Call const& call = m.report.calls[c];
      if (!call.name.starts_with("MPI_")) continue;
      CallTokens const& t = m.call_tokens(static_cast<Index>(c));
      for (Range const& arg : t.args)
        if (!arg.empty())
          note(*t.code,
               arg,
               t.position,
               "is used by " + call.name + " (line " + std::to_string(call.line) + ")");
    }
  }

  /// Why allocation `index` must stay what it is; empty when nothing speaks against changing it.
  [[nodiscard]] std::string why(Index index) const {
    auto const it = whys_.find(index);
    return it == whys_.end() ? any_ : it->second;
  }

 private:
  /// False when the allocation behind `r` is not known for certain.
  bool note(Code const& code, Range r, int position, std::string const& why) {
    // The address of a variable is no address in the buffer that it may point to.
    if (code.is(r.begin, "&") && code.squeezed(r).find('[') == std::string::npos) return false;
    bool known = false;
    for (Place place : m_.places->alternatives(code, r, position)) {
      Index const allocation = m_.places->allocation_of(place);
      if (allocation == kNone) continue;
      for (Index a : m_.places->allocations_like(allocation)) whys_.emplace(a, why);
      known = place.guesses.empty();
    }
    return known;
  }

  SourceModel const& m_;
  std::map<Index, std::string> whys_{};
  std::string any_{};
};

}  // namespace cuco::impl
