// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cuco/core/program.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/population/roster.hpp"

namespace cuco {

/// One program that is to be copied to another island.
struct Move {
  ProgramId id;
  int from = 0;
  int to = 0;
  bool operator==(Move const&) const = default;
};

/// Copies the best of every island to a random other island. The original stays, so that no island drains.
///
/// An island sends max(1, floor(rate * correct programs)) copies, best first. A destination never gets a
/// program that it already has; a program that every destination has gives its turn to the next best.
struct ElitistCopyMigration {
  double rate = 0.1;
  bool elitism = true;  ///< Otherwise the senders are drawn uniformly among the correct programs.

  /// The moves of one migration, in order of the sending island. Equal rosters and generators give equal
  /// plans.
  [[nodiscard]] std::vector<Move> plan(Roster const& roster, Rng& rng) const;
};

/// The same along the edges of a directed graph only. Islands without destinations send nothing.
struct GraphMigration {
  std::vector<std::vector<int>> destinations{};  ///< Element i: where island i may send.
  double rate = 0.1;
  bool elitism = true;

  [[nodiscard]] std::vector<Move> plan(Roster const& roster, Rng& rng) const;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/population/migration-inl.hpp"
#endif
