// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/state.hpp"
#include "cuco/mutate/impl/ask_model.hpp"
#include "cuco/mutate/mixture.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Mixture::Mixture(std::vector<Weighted<AnyMutator>> members)
    : members_(std::move(members)) {}

CUCO_EVOLVE_INLINE void Mixture::add(double explore, double exploit, AnyMutator mutator) {
  members_.push_back({explore, exploit, std::move(mutator)});
}

CUCO_EVOLVE_INLINE Result<Mutation> Mixture::mutate(MutationContext const& context, Rng& rng) {
  if (context.phase != phase_) on_phase(context.phase);
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

CUCO_EVOLVE_INLINE bool Mixture::repairs_failures() const {
  return std::any_of(members_.begin(), members_.end(), [this](auto const& member) {
    double const weight = phase_ == Phase::kExplore ? member.explore : member.exploit;
    return weight > 0 && std::isfinite(weight) && member.mutator.repairs_failures();
  });
}

CUCO_EVOLVE_INLINE void Mixture::on_phase(Phase phase) {
  phase_ = phase;
  for (auto& member : members_) member.mutator.on_phase(phase);
}

CUCO_EVOLVE_INLINE std::string Mixture::save() const {
  std::string out;
  for (auto member = members_.rbegin(); member != members_.rend(); ++member)
    out = impl::join_states(member->mutator.save(), out);
  return out;
}

CUCO_EVOLVE_INLINE void Mixture::load(std::string_view state) {
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

/// The member whose turn it is; `members_.size()` when none is left.
CUCO_EVOLVE_INLINE std::size_t Mixture::draw(std::vector<double> const& weights,
                                             bool repair,
                                             Rng& rng) const {
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

}  // namespace cuco
