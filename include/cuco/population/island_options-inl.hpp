// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/population/island_options.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Status check(IslandOptions const& options) {
  auto bad = [](std::string cause, char const* remedy) {
    return fail(ErrorCode::kInvalidArgument, std::move(cause), remedy);
  };
  if (options.islands < 1) return bad("islands is " + std::to_string(options.islands), "use at least 1");
  if (options.migration_interval < 0)
    return bad("migration_interval is " + std::to_string(options.migration_interval),
               "use 0 for no migration");
  if (!(options.migration_rate >= 0 && options.migration_rate <= 1))
    return bad("migration_rate is " + std::to_string(options.migration_rate), "use a share between 0 and 1");
  auto const& graph = options.migration_graph;
  if (!graph.empty() && graph.size() != static_cast<std::size_t>(options.islands))
    return bad("migration_graph has " + std::to_string(graph.size()) + " rows for " +
                   std::to_string(options.islands) + " islands",
               "give one list of destinations per island");
  for (std::size_t from = 0; from < graph.size(); ++from)
    for (int to : graph[from])
      if (to < 0 || to >= options.islands || to == static_cast<int>(from))
        return bad(
            "migration_graph: island " + std::to_string(from) + " cannot send to " + std::to_string(to),
            "name other islands, counted from 0");
  return {};
}

}  // namespace cuco
