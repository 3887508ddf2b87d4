// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/impl/state.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/mutate/any_mutator.hpp"
#include "cuco/mutate/impl/ask_model.hpp"

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
  explicit Mixture(std::vector<Weighted<AnyMutator>> members) {
    for (auto& member : members) add(std::move(member));
  }

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    std::vector<double> weights;
    weights.reserve(members_.size());
    for (auto const& member : members_) {
      double const weight = context.phase == Phase::kExplore ? member.explore : member.exploit;
      weights.push_back(std::isfinite(weight) ? weight : 0);
    }
    impl::Spent spent;
    std::string cause;
    for (;;) {
      auto const drawn = draw(weights, !context.parent.correct, rng);
      if (drawn == members_.size()) break;
      auto mutation = members_[drawn].mutator.mutate(context, rng);
      if (mutation) {
        spent.add(mutation->cost_usd);
        mutation->cost_usd = spent.usd;
        return mutation;
      }
      auto error = std::move(mutation).error();
      spent.add(impl::spent_of(error).usd);
      if (error.code != ErrorCode::kNotFound)
        return tl::unexpected<Error>(impl::with_spent(std::move(error), spent));
      cause = std::move(error.cause);
      weights[drawn] = 0;
    }
    return tl::unexpected<Error>(impl::with_spent(
        Error{ErrorCode::kNotFound,
              cause.empty() ? "no member of the mixture has a weight in this phase"
                            : "no member of the mixture has anything to propose; the last: " + cause},
        spent));
  }

  void on_phase(Phase phase) {
    for (auto& member : members_) member.mutator.on_phase(phase);
  }
  /// The members' states, in order.
  [[nodiscard]] std::string save() const {
    std::string out;
    for (auto member = members_.rbegin(); member != members_.rend(); ++member)
      out = impl::join_states(member->mutator.save(), out);
    return out;
  }
  /// Restores what `save` wrote; other text is ignored.
  void load(std::string_view state) {
    std::vector<std::string_view> states;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      auto const parts = impl::split_states(state);
      if (!parts.valid) return;
      states.push_back(parts.first);
      state = parts.second;
    }
    if (!state.empty()) return;  // of a mixture with more members
    for (std::size_t i = 0; i < members_.size(); ++i) members_[i].mutator.load(states[i]);
  }

 private:
  template <class M>
  void add(Weighted<M>&& member) {
    members_.push_back({member.explore, member.exploit, AnyMutator(std::move(member.mutator))});
  }

  /// The member whose turn it is; `members_.size()` when none is left.
  [[nodiscard]] std::size_t draw(std::vector<double> const& weights, bool repair, Rng& rng) const {
    for (bool const repairing : {true, false}) {
      if (repairing && !repair) continue;
      std::vector<std::size_t> who;
      std::vector<double> chances;
      for (std::size_t i = 0; i < members_.size(); ++i) {
        if (!(weights[i] > 0) || (repairing && !members_[i].mutator.repairs_failures())) continue;
        who.push_back(i);
        chances.push_back(weights[i]);
      }
      if (!who.empty()) return who[rng.weighted(chances)];
    }
    return members_.size();
  }

  std::vector<Weighted<AnyMutator>> members_;
};

static_assert(explain_mutator<Mixture>());

}  // namespace cuco
