// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

/// Always the island's seed: the correct generation-0 program (smallest id when there are several), else the
/// earliest correct one. Draws n independent variations of one program, hence the name.
/// Errors: kInvalidArgument for an empty population.
struct BestOfNSelector {
  [[nodiscard]] Result<ProgramId> select(Population const& population, Rng& rng) const;
  static constexpr std::string_view name() { return "best_of_n"; }
};

static_assert(explain_selector<BestOfNSelector>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/select/best_of_n_selector-inl.hpp"
#endif
