// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/ensemble_policy.hpp"

namespace cuco {

struct ThompsonOptions {
  double prior_wins = 1;    ///< > 0.
  double prior_losses = 1;  ///< > 0.
  double epsilon = 0.1;     ///< Probability of an arm at random.
  double decay = 1;         ///< Weight of old results after each new one, in (0, 1].
};

/// Thompson sampling: for each arm a success probability is drawn from its Beta distribution, and the largest
/// wins.
///
/// A program succeeds when it is correct and scores higher than its parent, or than generation 0 when its
/// parent is not correct. The size of the gain does not count, so the unit of scores does not matter.
class ThompsonPolicy {
 public:
  ThompsonPolicy() = default;
  explicit ThompsonPolicy(ThompsonOptions options) : options_(options) {}

  /// Errors: kInvalidArgument for options without meaning.
  [[nodiscard]] Status start(std::size_t arms);
  [[nodiscard]] std::size_t choose(ArmDraw const& draw, Rng& rng) const;
  static void submitted(std::size_t /*arm*/) {}
  void completed(std::size_t arm, ArmResult const& result);
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Status load(std::string_view text);
  static constexpr std::string_view name() { return "thompson"; }

 private:
  struct Arm {
    double wins = 0;
    double losses = 0;
  };
  ThompsonOptions options_{};
  std::vector<Arm> arms_{};
};

static_assert(EnsemblePolicy<ThompsonPolicy>);

namespace impl {
/// A draw from the Beta distribution; both parameters > 0.
[[nodiscard]] double draw_beta(double a, double b, Rng& rng);
}  // namespace impl

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/thompson_policy-inl.hpp"
#endif
