// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/asymmetric_ucb.hpp"
#include "cuco/llm/ensemble_policy.hpp"

namespace cuco {

struct CostAwareUcbOptions {
  double cost_weight = 0.5;       ///< Share of the cheapness in a score; 0: `AsymmetricUcb`.
  double cost_power = 1.0;        ///< How strongly cheapness grows as the cost falls.
  double cost_exploration = 0.1;  ///< How much an arm that was tried rarely may be cheaper than it looks.
  AsymmetricUcbOptions reward{};
};

/// `AsymmetricUcb` that also prefers cheap arms.
///
/// An arm's score is (1 - w) (value + c sqrt(2 ln t / n)) + w u, with u = (ref / cost)^p relative to the
/// cheapest arm, where ref is the median of the arms' mean costs per program and cost is the arm's own mean,
/// lowered by cost_exploration ref sqrt(2 ln t / n). An arm whose cost is not known is taken to cost ref.
class CostAwareUcb {
 public:
  CostAwareUcb() = default;
  explicit CostAwareUcb(CostAwareUcbOptions options) : options_(options), reward_(options.reward) {}

  /// Errors: kInvalidArgument for options without meaning.
  [[nodiscard]] Status start(std::size_t arms);
  [[nodiscard]] std::size_t choose(ArmDraw const& draw, Rng& rng) const;
  void submitted(std::size_t arm) { reward_.submitted(arm); }
  void completed(std::size_t arm, ArmResult const& result);
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Status load(std::string_view text);
  static constexpr std::string_view name() { return "cost_aware_ucb"; }

  /// Probability of each arm, when arm i has `pulls[i]` more tries than are known. Empty `pulls`: none.
  [[nodiscard]] std::vector<double> posterior(std::vector<int> const& pulls = {}) const;
  /// Cheapness of each arm, in [0, 1].
  [[nodiscard]] std::vector<double> cheapness(std::vector<int> const& pulls = {}) const;

 private:
  struct Cost {
    double sum = 0;
    double count = 0;
  };
  CostAwareUcbOptions options_{};
  AsymmetricUcb reward_{};
  std::vector<Cost> costs_{};
};

static_assert(EnsemblePolicy<CostAwareUcb>);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/cost_aware_ucb-inl.hpp"
#endif
