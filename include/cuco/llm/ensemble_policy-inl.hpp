// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/ensemble_policy.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::size_t pick_arm(std::vector<double> weights,
                                        std::vector<bool> const& usable,
                                        Rng& rng) {
  double left = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) left += usable[i] ? weights[i] : 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!usable[i]) {
      weights[i] = 0;
    } else if (!(left > 0)) {
      weights[i] = 1;
    }
  }
  std::size_t arm = rng.weighted(weights);
  // Rounding may leave the last element, which need not be usable.
  while (!usable[arm]) arm = arm == 0 ? weights.size() - 1 : arm - 1;
  return arm;
}

CUCO_EVOLVE_INLINE std::vector<bool> fresh_arms(ArmDraw const& draw) {
  std::vector<bool> fresh = draw.usable;
  bool any = false;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    fresh[i] = fresh[i] && draw.pulls[i] == 0;
    any = any || fresh[i];
  }
  return any ? fresh : draw.usable;
}

CUCO_EVOLVE_INLINE std::vector<double> epsilon_greedy(std::vector<double> const& scores, double epsilon) {
  std::vector<double> out(scores.size(), 0.0);
  if (scores.empty()) return out;
  double const best = *std::max_element(scores.begin(), scores.end());
  auto const winners = static_cast<double>(std::count(scores.begin(), scores.end(), best));
  auto const others = static_cast<double>(scores.size()) - winners;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (others == 0) {
      out[i] = 1 / winners;
    } else {
      out[i] = scores[i] == best ? (1 - epsilon) / winners : epsilon / others;
    }
  }
  return out;
}

}  // namespace cuco::impl
