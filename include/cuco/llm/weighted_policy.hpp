// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

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

  [[nodiscard]] Status start(std::size_t arms) const;
  [[nodiscard]] std::size_t choose(ArmDraw const& draw, Rng& rng) const;
  static void submitted(std::size_t /*arm*/) {}
  static void completed(std::size_t /*arm*/, ArmResult const& /*result*/) {}
  [[nodiscard]] static std::string save() { return "{}"; }
  [[nodiscard]] static Status load(std::string_view text);
  static constexpr std::string_view name() { return "weighted"; }

 private:
  std::vector<double> weights_;
};

static_assert(EnsemblePolicy<WeightedPolicy>);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/weighted_policy-inl.hpp"
#endif
