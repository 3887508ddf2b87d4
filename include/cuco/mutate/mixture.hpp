// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/mutate/any_mutator.hpp"

namespace cuco {

/// A member of a `Mixture` with how often it is drawn, relative to the others. Weights need not add up to 1.
template <Mutator M>
struct Weighted {
  double explore = 0;
  double exploit = 0;
  M mutator;
};

template <Mutator M>
[[nodiscard]] Weighted<M> weighted(double weight, M mutator) {
  return {weight, weight, std::move(mutator)};
}
/// Weights for the two phases of a run.
template <Mutator M>
[[nodiscard]] Weighted<M> weighted(double explore, double exploit, M mutator) {
  return {explore, exploit, std::move(mutator)};
}

/// One of several mutators, drawn anew for each mutation:
///
///     Mixture{weighted(.5, FullMutator{llm}), weighted(.2, DiffMutator{llm}), weighted(.3,
///     DirectiveMutator{})}
///
/// A member that has nothing to propose for the parent (kNotFound) is put aside and another is drawn from the
/// rest. For a parent that fails, members made for repair (`FixMutator`) are drawn before all others.
///
/// Errors: kNotFound when no member has anything to propose; any other error of a member, as it is. What
/// members put aside have cost is part of `Mutation::cost_usd`, or of the error (`impl::spent_of`).
class Mixture {
 public:
  template <class... M>
  requires(sizeof...(M) > 0) explicit Mixture(Weighted<M>... members) { (add(std::move(members)), ...); }
  explicit Mixture(std::vector<Weighted<AnyMutator>> members);

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng);
  /// Whether a member with a weight in the present phase does.
  [[nodiscard]] bool repairs_failures() const;
  void on_phase(Phase phase);
  /// The members' states, in order.
  [[nodiscard]] std::string save() const;
  /// Restores what `save` wrote; other text is ignored.
  void load(std::string_view state);

 private:
  template <class M>
  void add(Weighted<M>&& member) {
    add(member.explore, member.exploit, AnyMutator(std::move(member.mutator)));
  }
  void add(double explore, double exploit, AnyMutator mutator);

  /// The member whose turn it is; `members_.size()` when none is left.
  [[nodiscard]] std::size_t draw(std::vector<double> const& weights, bool repair, Rng& rng) const;

  std::vector<Weighted<AnyMutator>> members_;
  Phase phase_ = Phase::kExplore;
};

static_assert(explain_mutator<Mixture>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/mixture-inl.hpp"
#endif
