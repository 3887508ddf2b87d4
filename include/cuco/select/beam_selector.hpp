// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

/// Stays with one parent until it has `beams` children, then moves to the best program of that moment.
///
/// Every island has a beam of its own. A beam parent that is not on the island any more, or is incorrect
/// while the island has a correct program, is replaced at once. `save` and `load` carry the beams across a
/// restart. Errors: kInvalidArgument for an empty population or `beams < 1`.
struct BeamSelector {
  int beams = 5;  ///< Children per beam parent.

  [[nodiscard]] Result<ProgramId> select(Population const& population, Rng& rng);

  /// The beam parents as text: the bare id for an unrestricted draw, else one `island id` per line.
  [[nodiscard]] std::string save() const;
  /// Restores what `save` wrote, replacing the present beams; other text leaves no beam.
  void load(std::string_view state);

  static constexpr std::string_view name() { return "beam_search"; }

  std::map<int, ProgramId> parents{};  ///< Island -> its beam parent; -1: draws without an island.
};

static_assert(explain_selector<BeamSelector>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/select/beam_selector-inl.hpp"
#endif
