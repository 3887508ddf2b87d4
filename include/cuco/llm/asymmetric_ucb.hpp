// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/ensemble_policy.hpp"

namespace cuco {

struct AsymmetricUcbOptions {
  double exploration = 1.0;       ///< Weight of the bonus for arms that were tried rarely.
  double epsilon = 0.2;           ///< Probability of an arm that is not the best.
  double decay = 0.95;            ///< Weight of old results after each new one; 1: all count alike.
  bool shift_by_baseline = true;  ///< Rewards count from the best score of generation 0 …
  bool shift_by_parent = true;    ///< … or from the parent's, if that is higher.
  bool adaptive_scale = true;     ///< Means are mapped to [0, 1] by the best result so far.
  bool asymmetric = true;         ///< A loss counts like no gain.
  /// Results are averaged as exponentials of base * gain, so that rare large gains count most; empty: as they
  /// are.
  std::optional<double> exponential_base = 1.0;
  /// Scores are divided by this. 0: by the baseline, which makes the choice independent of the unit of
  /// scores; 1 gives the published formula, in which e to the power of a raw score decides.
  double scale = 0;
};

/// Upper confidence bounds on how much each arm's programs improve, where only improvements count.
///
/// With gain r = max(0, (score - max(parent, baseline)) / scale), 0 for a program that is not correct, an
/// arm's value is the decayed mean of e^r - 1, relative to the best such result; the arm with the largest
/// value + c sqrt(2 ln t / n) has probability 1 - epsilon. Arms that were never tried come first; an arm
/// that was chosen in this generation already comes after the others.
/// docs/budgets-and-recordings.md has the formula in full. In the symmetric exponential mode results are
/// averaged as e^r, since e^r - 1 may be negative.
class AsymmetricUcb {
 public:
  AsymmetricUcb() = default;
  explicit AsymmetricUcb(AsymmetricUcbOptions options) : options_(options) {}

  /// Errors: kInvalidArgument for options without meaning.
  [[nodiscard]] Status start(std::size_t arms);
  [[nodiscard]] std::size_t choose(ArmDraw const& draw, Rng& rng) const;
  void submitted(std::size_t arm);
  void completed(std::size_t arm, ArmResult const& result);
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Status load(std::string_view text);
  static constexpr std::string_view name() { return "asymmetric_ucb"; }

  /// Probability of each arm, when arm i has `pulls[i]` more tries than are known. Empty `pulls`: none.
  [[nodiscard]] std::vector<double> posterior(std::vector<int> const& pulls = {}) const;
  /// Shares of a batch of `k` choices made before any result is known.
  [[nodiscard]] std::vector<double> allocation(int k, Rng& rng) const;
  /// Mean result of each arm, mapped to [0, 1] if `adaptive_scale`; 0 for arms without results.
  [[nodiscard]] std::vector<double> values() const;
  /// Value plus bonus; infinite for arms that were never tried.
  [[nodiscard]] std::vector<double> scores(std::vector<int> const& pulls = {}) const;
  /// Tries of each arm, `pulls` included.
  [[nodiscard]] std::vector<std::int64_t> tries(std::vector<int> const& pulls = {}) const;

 private:
  static constexpr double kMinus = -std::numeric_limits<double>::infinity();
  struct Arm {
    std::int64_t submitted = 0;
    std::int64_t completed = 0;
    double sum = 0;  ///< Decayed; its logarithm in the exponential mode.
    double weight = 0;
  };
  [[nodiscard]] double gain(ArmResult const& result);
  [[nodiscard]] double mean(Arm const& arm) const;
  [[nodiscard]] std::optional<double> failure_value() const;
  void decay();

  AsymmetricUcbOptions options_{};
  std::vector<Arm> arms_{};
  double most_ = kMinus;  ///< Largest result seen, decayed; its logarithm in the exponential mode.
  double least_ = -kMinus;
  double unit_ = 0;  ///< What scores are divided by; 0: not known yet.
};

static_assert(EnsemblePolicy<AsymmetricUcb>);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/asymmetric_ucb-inl.hpp"
#endif
