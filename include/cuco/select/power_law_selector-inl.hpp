// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/select/power_law_selector.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<ProgramId> PowerLawSelector::select(Population const& population, Rng& rng) const {
  if (!std::isfinite(alpha) || alpha < 0)
    return fail(ErrorCode::kInvalidArgument,
                "power_law: alpha is " + std::to_string(alpha),
                "use a finite number that is at least 0");
  if (!(exploitation_ratio >= 0 && exploitation_ratio <= 1))
    return fail(ErrorCode::kInvalidArgument,
                "power_law: exploitation_ratio is " + std::to_string(exploitation_ratio),
                "use a probability between 0 and 1");
  auto pool = impl::draw_pool(population);
  if (!pool) return forward_error(std::move(pool));
  // The coin is tossed even when it cannot matter, so that the draw after it does not depend on the archive.
  bool const exploit = rng.chance(exploitation_ratio);
  if (!pool->correct) return pool->members[rng.below(pool->members.size())]->id;
  auto candidates = exploit ? impl::archived(*pool) : std::vector<Member const*>{};
  if (candidates.empty()) candidates = pool->members;
  impl::sort_by_rank(candidates);
  std::vector<double> weights(candidates.size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::pow(static_cast<double>(i + 1), -alpha);
  return candidates[rng.weighted(weights)]->id;
}

}  // namespace cuco
