// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

/// Prefers programs that score well above the archive's middle and have few children.
///
/// Candidates are the archive members of the island. With a_0 the median of their scores and MAD the median
/// of |a - a_0|, program i has weight sigmoid(lambda * (a_i - a_0) / max(MAD, 1e-6)) / (1 + children_i).
/// Without archive members: the best program of the run if it is on the island, else a uniform draw.
/// Errors: kInvalidArgument for an empty population or a `lambda` that is not finite.
struct WeightedSelector {
  double lambda = 10.0;  ///< Sharpness in units of the median absolute deviation.

  [[nodiscard]] Result<ProgramId> select(Population const& population, Rng& rng) const;
  static constexpr std::string_view name() { return "weighted"; }
};

static_assert(explain_selector<WeightedSelector>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/select/weighted_selector-inl.hpp"
#endif
