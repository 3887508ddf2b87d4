// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/policy_json.hpp"
#include "cuco/llm/thompson_policy.hpp"

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE double draw_normal(Rng& rng) {
  double const radius = std::sqrt(-2 * std::log1p(-rng.uniform()));
  return radius * std::cos(6.283185307179586 * rng.uniform());
}

/// Marsaglia and Tsang's method; for shapes below 1 by way of shape + 1.
CUCO_EVOLVE_INLINE double draw_gamma(double shape, Rng& rng) {
  if (shape < 1) return draw_gamma(shape + 1, rng) * std::pow(1 - rng.uniform(), 1 / shape);
  double const d = shape - 1.0 / 3;
  double const c = 1 / std::sqrt(9 * d);
  for (;;) {
    double const x = draw_normal(rng);
    double const v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

CUCO_EVOLVE_INLINE double draw_beta(double a, double b, Rng& rng) {
  double const x = draw_gamma(a, rng);
  double const y = draw_gamma(b, rng);
  return x + y > 0 ? x / (x + y) : 0.5;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Status ThompsonPolicy::start(std::size_t arms) {
  auto const& o = options_;
  if (!(o.prior_wins > 0 && std::isfinite(o.prior_wins) && o.prior_losses > 0 &&
        std::isfinite(o.prior_losses) && o.epsilon >= 0 && o.epsilon <= 1 && o.decay > 0 && o.decay <= 1))
    return fail(ErrorCode::kInvalidArgument,
                "an option of the Thompson policy is out of range",
                "priors > 0, epsilon in [0, 1], decay in (0, 1]");
  arms_.assign(arms, {});
  return {};
}

CUCO_EVOLVE_INLINE std::size_t ThompsonPolicy::choose(ArmDraw const& draw, Rng& rng) const {
  std::vector<double> drawn(arms_.size(), 0.0);
  bool const anything = rng.chance(options_.epsilon);
  if (anything) return impl::pick_arm(drawn, draw.usable, rng);
  std::size_t best = arms_.size();
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    // Drawn for every arm, so that one that is out of order does not change the others' luck.
    drawn[i] = impl::draw_beta(
        options_.prior_wins + arms_[i].wins, options_.prior_losses + arms_[i].losses + draw.pulls[i], rng);
    if (draw.usable[i] && (best == arms_.size() || drawn[i] > drawn[best])) best = i;
  }
  return best;
}

CUCO_EVOLVE_INLINE void ThompsonPolicy::completed(std::size_t arm, ArmResult const& result) {
  for (Arm& each : arms_) {
    each.wins *= options_.decay;
    each.losses *= options_.decay;
  }
  double const from = result.parent.value_or(result.baseline.value_or(0));
  (result.reward && *result.reward > from ? arms_[arm].wins : arms_[arm].losses) += 1;
}

CUCO_EVOLVE_INLINE std::string ThompsonPolicy::save() const {
  impl::PolicyJson json = impl::PolicyJson::object();
  json["arms"] = impl::PolicyJson::array();
  for (Arm const& arm : arms_)
    json["arms"].push_back(
        {{"wins", impl::policy_number(arm.wins)}, {"losses", impl::policy_number(arm.losses)}});
  return json.dump();
}

CUCO_EVOLVE_INLINE Status ThompsonPolicy::load(std::string_view text) {
  auto const json = impl::policy_state(text, arms_.size());
  if (!json) return tl::unexpected<Error>(json.error());
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    auto const& arm = (*json)["arms"][i];
    arms_[i] = {};
    if (arm.is_object()) arms_[i] = {impl::policy_number(arm, "wins"), impl::policy_number(arm, "losses")};
  }
  return {};
}

}  // namespace cuco
