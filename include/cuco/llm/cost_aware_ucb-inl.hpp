// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/cost_aware_ucb.hpp"
#include "cuco/llm/impl/policy_json.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Status CostAwareUcb::start(std::size_t arms) {
  auto const& o = options_;
  if (!(o.cost_weight >= 0 && o.cost_weight <= 1 && o.cost_power >= 0 && std::isfinite(o.cost_power) &&
        o.cost_exploration >= 0 && std::isfinite(o.cost_exploration)))
    return fail(ErrorCode::kInvalidArgument,
                "an option of the cost-aware UCB policy is out of range",
                "cost_weight in [0, 1], cost_power and cost_exploration >= 0");
  costs_.assign(arms, {});
  return reward_.start(arms);
}

CUCO_EVOLVE_INLINE void CostAwareUcb::completed(std::size_t arm, ArmResult const& result) {
  reward_.completed(arm, result);
  if (!result.cost_usd || !std::isfinite(*result.cost_usd) || *result.cost_usd < 0) return;
  costs_[arm].sum += *result.cost_usd;
  costs_[arm].count += 1;
}

CUCO_EVOLVE_INLINE std::vector<double> CostAwareUcb::cheapness(std::vector<int> const& pulls) const {
  std::vector<double> known;
  for (Cost const& cost : costs_)
    if (cost.count > 0) known.push_back(cost.sum / cost.count);
  std::vector<double> out(costs_.size(), 1.0);
  if (known.empty()) return out;
  std::sort(known.begin(), known.end());
  double const reference = (known[(known.size() - 1) / 2] + known[known.size() / 2]) / 2;
  auto const n = reward_.tries(pulls);
  double total = 0;
  for (auto const count : n) total += static_cast<double>(count);
  // A floor keeps an arm that costs nothing comparable; all at the floor are alike.
  double const floor = std::max(reference * 1e-3, 1e-12);
  double most = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    double const mean = costs_[i].count > 0 ? costs_[i].sum / costs_[i].count : reference;
    double const unsure =
        n[i] > 0 ? std::sqrt(2 * std::log(std::max(total, 2.0)) / static_cast<double>(n[i])) : 0;
    double const cost = std::max(mean - options_.cost_exploration * reference * unsure, floor);
    out[i] = std::pow(std::max(reference, floor) / cost, options_.cost_power);
    most = std::max(most, out[i]);
  }
  for (double& value : out) value /= most;
  return out;
}

CUCO_EVOLVE_INLINE std::vector<double> CostAwareUcb::posterior(std::vector<int> const& pulls) const {
  auto all = reward_.scores(pulls);
  if (std::any_of(all.begin(), all.end(), [](double score) { return std::isinf(score); }))
    return reward_.posterior(pulls);
  auto const cheap = cheapness(pulls);
  double const w = options_.cost_weight;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = (1 - w) * all[i] + w * cheap[i];
  return impl::epsilon_greedy(all, options_.reward.epsilon);
}

CUCO_EVOLVE_INLINE std::size_t CostAwareUcb::choose(ArmDraw const& draw, Rng& rng) const {
  return impl::pick_arm(posterior(draw.pulls), impl::fresh_arms(draw), rng);
}

CUCO_EVOLVE_INLINE std::string CostAwareUcb::save() const {
  auto json = impl::PolicyJson::parse(reward_.save());
  for (std::size_t i = 0; i < costs_.size(); ++i) {
    json["arms"][i]["cost_sum"] = impl::policy_number(costs_[i].sum);
    json["arms"][i]["cost_count"] = impl::policy_number(costs_[i].count);
  }
  return json.dump();
}

CUCO_EVOLVE_INLINE Status CostAwareUcb::load(std::string_view text) {
  auto const json = impl::policy_state(text, costs_.size());
  if (!json) return tl::unexpected<Error>(json.error());
  if (Status loaded = reward_.load(text); !loaded) return loaded;
  for (std::size_t i = 0; i < costs_.size(); ++i) {
    auto const& arm = (*json)["arms"][i];
    costs_[i] = {};
    if (arm.is_object())
      costs_[i] = {impl::policy_number(arm, "cost_sum"), impl::policy_number(arm, "cost_count")};
  }
  return {};
}

}  // namespace cuco
