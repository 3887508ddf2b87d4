// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/weighted_policy.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Status WeightedPolicy::start(std::size_t arms) const {
  double total = 0;
  for (double const weight : weights_) {
    if (!(weight >= 0) || !std::isfinite(weight))
      return fail(ErrorCode::kInvalidArgument, "a weight of the ensemble is not a number >= 0");
    total += weight;
  }
  if (weights_.size() != arms || !(total > 0))
    return fail(ErrorCode::kInvalidArgument,
                std::to_string(weights_.size()) + " weights for " + std::to_string(arms) + " backends",
                "give one weight per backend, not all of them 0");
  return {};
}

CUCO_EVOLVE_INLINE std::size_t WeightedPolicy::choose(ArmDraw const& draw, Rng& rng) const {
  return impl::pick_arm(weights_, draw.usable, rng);
}

CUCO_EVOLVE_INLINE Status WeightedPolicy::load(std::string_view /*text*/) {
  return {};
}

}  // namespace cuco
