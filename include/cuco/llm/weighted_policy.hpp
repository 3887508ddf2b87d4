// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/ensemble_policy.hpp"

namespace cuco {

/// Fixed probabilities, in proportion to the weights. Learns nothing.
class WeightedPolicy {
 public:
  /// One finite weight >= 0 per arm, at least one above 0; else the ensemble reports kInvalidArgument.
  explicit WeightedPolicy(std::vector<double> weights) : weights_(std::move(weights)) {}

  [[nodiscard]] Status start(std::size_t arms) {
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
  [[nodiscard]] std::size_t choose(ArmDraw const& draw, Rng& rng) const {
    return impl::pick_arm(weights_, draw.usable, rng);
  }
  static void submitted(std::size_t /*arm*/) {}
  static void completed(std::size_t /*arm*/, ArmResult const& /*result*/) {}
  [[nodiscard]] static std::string save() { return "{}"; }
  [[nodiscard]] static Status load(std::string_view /*text*/) { return {}; }
  static constexpr std::string_view name() { return "weighted"; }

 private:
  std::vector<double> weights_;
};

static_assert(EnsemblePolicy<WeightedPolicy>);

}  // namespace cuco
