// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/report.hpp"

namespace cuco::impl {

/// One line for people on how kernels would do a collective themselves.
inline std::string_view device_pattern(std::string_view collective) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kPatterns = {{
      {"AllReduce", "each rank reduces its share from all peers, then writes the result to all peers"},
      {"AllGather", "each rank writes its share to the same place of every peer"},
      {"AlltoAll", "each rank writes slice p of its send buffer to slice (own rank) of peer p"},
      {"ReduceScatter", "each rank reads its share from all peers and reduces it"},
      {"Broadcast", "the root writes its buffer to every peer"},
      {"Reduce", "the root reads the buffers of all peers and reduces them"},
      {"Gather", "each rank writes its buffer to its slice at the root"},
      {"Scatter", "the root writes slice p to peer p"},
      {"Send", "a one-sided put into the peer's window, then a signal"},
      {"Recv", "waits for the signal of the peer that puts the data"},
  }};
  for (auto const& [name, pattern] : kPatterns)
    if (collective == name) return pattern;
  return {};
}

/// Fills in the pattern and what has to become symmetric memory.
inline void describe_device_side(CommunicationNode& n, Report const& report) {
  n.pattern = device_pattern(n.collective);
  for (BufferRole* b : {&n.send, &n.recv}) {
    if (b->expr.empty()) continue;
    std::vector<Index> all = b->alternatives;
    if (b->allocation != kNone) all.push_back(b->allocation);
    b->symmetric = !all.empty();
    for (Index a : all) {
      if (report.allocations[static_cast<std::size_t>(a)].symmetric) continue;
      b->symmetric = false;
      if (std::find(n.needs_symmetric.begin(), n.needs_symmetric.end(), a) == n.needs_symmetric.end())
        n.needs_symmetric.push_back(a);
    }
  }
}

}  // namespace cuco::impl
