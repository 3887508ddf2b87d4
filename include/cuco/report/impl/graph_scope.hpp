// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "cuco/analysis/report.hpp"
#include "cuco/report/impl/graph_facts.hpp"

namespace cuco::impl {

/// What encloses a collective in its function, from the outside in: loops and groups.
struct GraphScope {
  bool group = false;
  Index index = kNone;
  bool operator==(GraphScope const&) const = default;
};

/// The loops around `loop`, the outermost first, `loop` last; of very many the inner ones.
inline std::vector<GraphScope> loops_around(Report const& r, Index loop) {
  constexpr std::size_t kMost = 8;
  std::vector<GraphScope> out;
  while (GraphFacts::known(loop, r.loops) && out.size() < kMost) {
    out.push_back({false, loop});
    loop = r.loops[GraphFacts::at(loop)].parent;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

/// Those around a collective; its group goes inside the loop that the group starts in, and outside of all
/// when it starts in another function.
inline std::vector<GraphScope> scopes_around(Report const& r, CommunicationNode const& n, Index loop) {
  std::vector<GraphScope> out = loops_around(r, loop);
  if (!GraphFacts::known(n.group, r.groups)) return out;
  Index const outer = r.groups[GraphFacts::at(n.group)].loop;
  auto const inside = std::find(out.begin(), out.end(), GraphScope{false, outer});
  out.insert(inside == out.end() ? out.begin() : inside + 1, GraphScope{true, n.group});
  return out;
}

}  // namespace cuco::impl
