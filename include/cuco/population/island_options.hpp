// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco {

/// How the programs of a run are divided and how good ones travel.
struct IslandOptions {
  int islands = 4;
  int migration_interval = 10;  ///< Generations between migrations; 0: no migration.
  double migration_rate =
      0.1;                 ///< Share of an island's correct programs that is copied, at least one; 0: none.
  bool elitism = true;     ///< Copy the best ones; otherwise uniformly drawn ones.
  bool separation = true;  ///< Inspirations come from the parent's island only.
  /// Element i lists where island i may send copies; empty: anywhere.
  std::vector<std::vector<int>> migration_graph{};
};

/// Errors: kInvalidArgument naming the first option that has no meaning.
[[nodiscard]] Status check(IslandOptions const& options);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/population/island_options-inl.hpp"
#endif
