// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/asymmetric_ucb.hpp"
#include "cuco/llm/impl/policy_json.hpp"

namespace cuco {

namespace impl {

/// log(e^a + e^b)
CUCO_EVOLVE_INLINE double log_add(double a, double b) {
  double const high = std::max(a, b);
  double const low = std::min(a, b);
  if (!std::isfinite(high)) return high;
  return high + std::log1p(std::exp(low - high));
}

/// log(e^a - e^b), for a >= b.
CUCO_EVOLVE_INLINE double log_subtract(double a, double b) {
  if (!(a > b)) return -std::numeric_limits<double>::infinity();
  if (!std::isfinite(b)) return a;
  return a + std::log1p(-std::exp(b - a));
}

/// The logarithm of f S / (1 + (1 - f) S) for S = e^x.
CUCO_EVOLVE_INLINE double decayed_log(double x, double f) {
  if (!std::isfinite(x) || f == 1) return x;
  return std::log(f) + x - log_add(0, std::log1p(-f) + x);
}

}  // namespace impl

CUCO_EVOLVE_INLINE Status AsymmetricUcb::start(std::size_t arms) {
  auto const& o = options_;
  bool const sound = o.exploration >= 0 && std::isfinite(o.exploration) && o.epsilon >= 0 && o.epsilon <= 1 &&
                     o.decay > 0 && o.decay <= 1 && o.scale >= 0 && std::isfinite(o.scale) &&
                     (!o.exponential_base || (*o.exponential_base > 0 && std::isfinite(*o.exponential_base)));
  if (!sound)
    return fail(ErrorCode::kInvalidArgument,
                "an option of the asymmetric UCB policy is out of range",
                "exploration and scale >= 0, epsilon in [0, 1], decay in (0, 1], exponential_base > 0");
  Arm fresh;
  if (o.exponential_base) fresh.sum = kMinus;
  arms_.assign(arms, fresh);
  most_ = kMinus;
  least_ = -kMinus;
  unit_ = o.scale;
  return {};
}

CUCO_EVOLVE_INLINE void AsymmetricUcb::submitted(std::size_t arm) {
  ++arms_[arm].submitted;
}

CUCO_EVOLVE_INLINE double AsymmetricUcb::mean(Arm const& arm) const {
  double const weight = std::max(arm.weight, 1e-7);
  return options_.exponential_base ? arm.sum - std::log(weight) : arm.sum / weight;
}

/// What a failure counts as in the linear symmetric mode: a standard deviation below the worst mean.
CUCO_EVOLVE_INLINE std::optional<double> AsymmetricUcb::failure_value() const {
  std::vector<double> means;
  for (Arm const& arm : arms_)
    if (arm.completed > 0) means.push_back(mean(arm));
  if (means.empty()) return -1;
  double deviation = 1;
  if (means.size() > 1) {
    double average = 0;
    for (double const m : means) average += m / static_cast<double>(means.size());
    double squares = 0;
    for (double const m : means) squares += (m - average) * (m - average);
    deviation = std::sqrt(squares / static_cast<double>(means.size() - 1));
  }
  return *std::min_element(means.begin(), means.end()) - deviation;
}

/// The reward above what it is measured from, in units of the scale; minus infinity for a failure.
CUCO_EVOLVE_INLINE double AsymmetricUcb::gain(ArmResult const& result) {
  double const baseline = result.baseline.value_or(0);
  double from = 0;
  if (options_.shift_by_baseline) from = baseline;
  if (options_.shift_by_parent) {
    from = options_.shift_by_baseline ? std::max(from, result.parent.value_or(from))
                                      : result.parent.value_or(baseline);
  }
  // The first positive score there is, and then for good: changing the unit would make old results
  // incomparable.
  if (!(unit_ > 0)) unit_ = baseline > 0 ? baseline : std::max(0.0, result.reward.value_or(0));
  if (!result.reward || !std::isfinite(*result.reward)) return kMinus;
  double const r = (*result.reward - from) / (unit_ > 0 ? unit_ : 1);
  return options_.asymmetric ? std::max(r, 0.0) : r;
}

CUCO_EVOLVE_INLINE void AsymmetricUcb::completed(std::size_t index, ArmResult const& result) {
  Arm& arm = arms_[index];
  double r = gain(result);
  bool const real = std::isfinite(r);
  if (!real && options_.asymmetric) r = 0;
  if (options_.exponential_base) {
    double const z = r * *options_.exponential_base;
    bool const above_one = options_.asymmetric && options_.shift_by_baseline;
    double const value = !std::isfinite(z) ? kMinus : above_one && z <= 50 ? std::log(std::expm1(z)) : z;
    if (real || options_.asymmetric) arm.sum = impl::log_add(arm.sum, value);
    if (real) {
      most_ = std::max(most_, value);
      least_ = std::min(least_, value);
    }
  } else {
    if (!real && !options_.asymmetric) r = *failure_value();
    arm.sum += r;
    if (real) {
      most_ = std::max(most_, r);
      least_ = std::min(least_, r);
    }
  }
  ++arm.completed;
  arm.weight += 1;
  decay();
}

CUCO_EVOLVE_INLINE void AsymmetricUcb::decay() {
  double const f = options_.decay;
  if (f == 1) return;
  double highest = kMinus;
  double lowest = -kMinus;
  for (Arm& arm : arms_) {
    arm.weight *= f;
    arm.sum = options_.exponential_base ? impl::decayed_log(arm.sum, f) : arm.sum * f;
    if (arm.completed == 0) continue;
    highest = std::max(highest, mean(arm));
    lowest = std::min(lowest, mean(arm));
  }
  if (options_.exponential_base) {
    most_ = std::max(impl::decayed_log(most_, f), highest);
    if (std::isfinite(least_)) least_ = std::min(impl::decayed_log(least_, f), lowest);
  } else if (std::isfinite(most_)) {
    most_ = std::max(f * most_ + (1 - f) * highest, highest);
    least_ = std::min(f * least_ + (1 - f) * lowest, lowest);
  }
}

CUCO_EVOLVE_INLINE std::vector<double> AsymmetricUcb::values() const {
  std::vector<double> out;
  out.reserve(arms_.size());
  for (Arm const& arm : arms_) {
    double const m = mean(arm);
    double value = 0;
    if (arm.completed == 0) {
      value = 0;
    } else if (!options_.adaptive_scale) {
      value = options_.exponential_base ? std::exp(m) : m;
    } else if (options_.exponential_base && options_.asymmetric) {
      value = std::isfinite(most_) ? std::exp(m - most_) : 0;
    } else if (options_.exponential_base) {
      double const range = impl::log_subtract(most_, least_);
      value = std::isfinite(range) ? std::exp(impl::log_subtract(m, least_) - range) : 0;
    } else {
      value = most_ > least_ ? (m - least_) / (most_ - least_) : 0;
    }
    out.push_back(value);
  }
  return out;
}

CUCO_EVOLVE_INLINE std::vector<std::int64_t> AsymmetricUcb::tries(std::vector<int> const& pulls) const {
  std::vector<std::int64_t> out;
  out.reserve(arms_.size());
  for (std::size_t i = 0; i < arms_.size(); ++i)
    out.push_back(std::max(arms_[i].submitted, arms_[i].completed) + (i < pulls.size() ? pulls[i] : 0));
  return out;
}

CUCO_EVOLVE_INLINE std::vector<double> AsymmetricUcb::scores(std::vector<int> const& pulls) const {
  auto const n = tries(pulls);
  double total = 0;
  for (auto const count : n) total += static_cast<double>(count);
  double const bonus = 2 * std::log(std::max(total, 2.0));
  auto out = values();
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] =
        n[i] == 0 ? -kMinus : out[i] + options_.exploration * std::sqrt(bonus / static_cast<double>(n[i]));
  return out;
}

CUCO_EVOLVE_INLINE std::vector<double> AsymmetricUcb::posterior(std::vector<int> const& pulls) const {
  auto const all = scores(pulls);
  auto const unseen = static_cast<double>(std::count(all.begin(), all.end(), -kMinus));
  if (unseen == 0) return impl::epsilon_greedy(all, options_.epsilon);
  std::vector<double> out(all.size(), 0.0);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] == -kMinus) out[i] = 1 / unseen;
  return out;
}

CUCO_EVOLVE_INLINE std::vector<double> AsymmetricUcb::allocation(int k, Rng& rng) const {
  std::vector<int> pulls(arms_.size(), 0);
  std::vector<bool> const usable(arms_.size(), true);
  auto const n = tries();
  int given = 0;
  for (std::size_t i = 0; i < pulls.size() && given < k; ++i)
    if (n[i] == 0) pulls[i] = 1, ++given;
  for (; given < k && !pulls.empty(); ++given) ++pulls[impl::pick_arm(posterior(pulls), usable, rng)];
  std::vector<double> out;
  out.reserve(pulls.size());
  for (int const count : pulls) out.push_back(given > 0 ? static_cast<double>(count) / given : 0);
  return out;
}

CUCO_EVOLVE_INLINE std::size_t AsymmetricUcb::choose(ArmDraw const& draw, Rng& rng) const {
  return impl::pick_arm(posterior(draw.pulls), impl::fresh_arms(draw), rng);
}

CUCO_EVOLVE_INLINE std::string AsymmetricUcb::save() const {
  impl::PolicyJson json = impl::PolicyJson::object();
  json["arms"] = impl::PolicyJson::array();
  for (Arm const& arm : arms_)
    json["arms"].push_back({{"submitted", arm.submitted},
                            {"completed", arm.completed},
                            {"sum", impl::policy_number(arm.sum)},
                            {"weight", impl::policy_number(arm.weight)}});
  json["most"] = impl::policy_number(most_);
  json["least"] = impl::policy_number(least_);
  json["unit"] = impl::policy_number(unit_);
  return json.dump();
}

CUCO_EVOLVE_INLINE Status AsymmetricUcb::load(std::string_view text) {
  auto const json = impl::policy_state(text, arms_.size());
  if (!json) return tl::unexpected<Error>(json.error());
  std::size_t const count = arms_.size();
  if (Status fresh = start(count); !fresh) return fresh;
  for (std::size_t i = 0; i < count; ++i) {
    auto const& arm = (*json)["arms"][i];
    if (!arm.is_object()) continue;
    arms_[i] = {impl::policy_count(arm, "submitted"),
                impl::policy_count(arm, "completed"),
                impl::policy_number(arm, "sum", arms_[i].sum),
                impl::policy_number(arm, "weight")};
  }
  most_ = impl::policy_number(*json, "most", most_);
  least_ = impl::policy_number(*json, "least", least_);
  unit_ = options_.scale > 0 ? options_.scale : impl::policy_number(*json, "unit");
  return {};
}

}  // namespace cuco
