// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>

#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Adds the texts of all streams that the expression `r`, used at token `position`, may stand for. Parameters
/// are followed to the callers; what is not a plain name counts as two.
inline void collect_streams(
    SourceModel const& m, Range r, int position, std::set<std::string>& out, int depth = 0) {
  constexpr int kDeepest = 8;
  std::string const text = m.code.squeezed(r);
  if (text == "0" || text == "NULL" || text == "nullptr" || text == "cudaStreamLegacy") {
    out.insert("0");
    return;
  }
  Index const f = m.function_of(position);
  if (r.size() == 1 && f != kNone && depth < kDeepest) {
    auto const& names = m.function(f).parameter_names;
    auto const at = std::find(names.begin(), names.end(), text);
    if (at != names.end() && !m.sites_of(f).empty()) {
      auto const argument = static_cast<std::size_t>(at - names.begin());
      for (CallSite const& site : m.sites_of(f))
        if (argument < site.args.size())
          collect_streams(m, site.args[argument], site.position, out, depth + 1);
      return;
    }
  }
  out.insert(text);
  if (text.find_first_of("[(") != std::string::npos) out.insert(text + " again");
}

}  // namespace cuco::impl
