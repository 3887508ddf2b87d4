// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

/// What a policy may know when it chooses an arm, besides its own state. Both vectors have one element per
/// arm.
struct ArmDraw {
  std::vector<int> const& pulls;    ///< Choices of this generation that no program has come of yet.
  std::vector<bool> const& usable;  ///< At least one is.
};

/// What came of one program.
struct ArmResult {
  std::optional<double> reward{};    ///< The program's score; empty: it is not correct.
  std::optional<double> parent{};    ///< Its parent's score, if the parent is correct.
  std::optional<double> baseline{};  ///< Best score of generation 0.
  std::optional<double> cost_usd{};  ///< What the program's mutation cost.
};

/// Chooses among the backends of an `Ensemble`, its arms.
///
/// **Syntax.**    `p.start(n) -> Status` forgets everything, for n arms; `p.choose(draw, rng)` const gives an
/// index;
///                `p.submitted(arm)` a program of that arm is proposed; `p.completed(arm, result)` it is
///                evaluated; `p.save() -> std::string` JSON with one element per arm in "arms"; `p.load(text)
///                -> Status`, where null stands for an arm that is new.
/// **Semantics.** The choice depends on state, draw and rng alone. Never an arm that is not usable.
/// **Threads.**   One at a time.
template <class P>
concept EnsemblePolicy = std::copyable<P> && requires(P p,
                                                      P const& c,
                                                      std::size_t arm,
                                                      ArmDraw const& draw,
                                                      ArmResult const& result,
                                                      Rng& rng,
                                                      std::string_view text) {
  { p.start(arm) } -> std::same_as<Status>;
  { c.choose(draw, rng) } -> std::same_as<std::size_t>;
  p.submitted(arm);
  p.completed(arm, result);
  { c.save() } -> std::same_as<std::string>;
  { p.load(text) } -> std::same_as<Status>;
  { c.name() } -> std::convertible_to<std::string_view>;
};

namespace impl {

/// Draws an arm by weight among the usable ones; evenly when none of them has any.
[[nodiscard]] std::size_t pick_arm(std::vector<double> weights, std::vector<bool> const& usable, Rng& rng);

/// `draw.usable`, but for arms that were chosen in this generation already, as long as others are left: an
/// arm whose reply was of no use is not asked again at once, however much a policy would like to know it
/// better.
[[nodiscard]] std::vector<bool> fresh_arms(ArmDraw const& draw);

/// Gives all of 1 - epsilon to the highest scores, and epsilon to the others; evenly when all are equal.
[[nodiscard]] std::vector<double> epsilon_greedy(std::vector<double> const& scores, double epsilon);

}  // namespace impl

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/ensemble_policy-inl.hpp"
#endif
