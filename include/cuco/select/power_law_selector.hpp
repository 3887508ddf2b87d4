// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

/// Prefers good programs by rank: the program of rank i (0-based, best first) has weight (i+1)^-alpha.
///
/// With probability `exploitation_ratio` the draw is among the archive members of the island, otherwise, and
/// when the archive has none there, among all correct programs of the island.
/// Errors: kInvalidArgument for an empty population, an `alpha` that is not finite and >= 0, or an
/// `exploitation_ratio` outside [0, 1].
struct PowerLawSelector {
  double alpha = 1.0;               ///< 0: uniform; large: greedy.
  double exploitation_ratio = 0.2;  ///< Share of draws from the archive only.

  [[nodiscard]] Result<ProgramId> select(Population const& population, Rng& rng) const;
  static constexpr std::string_view name() { return "power_law"; }
};

static_assert(explain_selector<PowerLawSelector>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/select/power_law_selector-inl.hpp"
#endif
