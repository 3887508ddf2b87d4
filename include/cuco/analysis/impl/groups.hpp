// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/trace.hpp"

namespace cuco::impl {

/// Which calls lie between ncclGroupStart and the ncclGroupEnd that closes it, when the program runs.
inline void read_groups(Trace const& trace, Report& report) {
  struct Found {
    Index end = kNone;
    std::set<Index> members;
  };
  std::map<Index, Found> groups;
  auto call = [&](Index i) -> Call const& { return report.calls[static_cast<std::size_t>(i)]; };
  for (auto const& run : trace.runs()) {
    int depth = 0;
    Index start = kNone;
    for (TraceItem const& item : run) {
      if (item.kind != TraceItem::kCall) continue;
      if (call(item.index).name == "ncclGroupStart") {
        if (depth++ == 0) groups.try_emplace(start = item.index);
      } else if (call(item.index).name == "ncclGroupEnd") {
        if (depth > 0 && --depth == 0) groups[start].end = item.index;
      } else if (depth > 0 && find_collective(call(item.index).name) != nullptr) {
        groups[start].members.insert(item.index);
      }
    }
  }
  std::map<Index, Index> node_of;
  for (std::size_t n = 0; n < report.graph.size(); ++n) node_of[report.graph[n].call] = static_cast<Index>(n);
  for (auto& [start, found] : groups) {
    auto const index = static_cast<Index>(report.groups.size());
    Group g;
    g.start = start;
    g.end = found.end;
    g.calls.assign(found.members.begin(), found.members.end());
    g.loop = call(start).loop;
    for (Index c : g.calls) {
      auto const node = node_of.find(c);
      if (node == node_of.end()) continue;
      CommunicationNode& n = report.graph[static_cast<std::size_t>(node->second)];
      n.in_group = true;
      if (n.group == kNone) n.group = index;
    }
    report.groups.push_back(std::move(g));
  }
}

}  // namespace cuco::impl
