// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/mutate/any_mutator.hpp"
#include "cuco/select/impl/state.hpp"

namespace cuco {

namespace impl {
/// Proposes nothing; only to check that the template below models its role.
struct IdleMutator {
  Result<Mutation> mutate(MutationContext const& /*context*/, Rng& /*rng*/) {
    return fail(ErrorCode::kNotFound, "there is nothing to propose");
  }
};
}  // namespace impl

/// One mutator for the explore phase, another for the exploit phase of the same run.
template <Mutator Explore, Mutator Exploit>
class PhasedMutator {
 public:
  PhasedMutator(Explore explore, Exploit exploit)
      : explore_(std::move(explore)), exploit_(std::move(exploit)) {}

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    return context.phase == Phase::kExplore ? explore_.mutate(context, rng) : exploit_.mutate(context, rng);
  }
  void on_phase(Phase phase) {
    phase_ = phase;
    impl::set_phase(explore_, phase);
    impl::set_phase(exploit_, phase);
  }
  /// Whether the part for the phase that was set last does.
  [[nodiscard]] bool repairs_failures() const {
    return phase_ == Phase::kExplore ? impl::repairs_failures(explore_) : impl::repairs_failures(exploit_);
  }

  /// Length of the explore part's state, a colon, that state, the exploit part's state.
  [[nodiscard]] std::string save() const {
    return impl::join_states(impl::save_state(explore_), impl::save_state(exploit_));
  }
  /// Restores what `save` wrote; other text is ignored.
  void load(std::string_view state) {
    auto const [first, second, valid] = impl::split_states(state);
    if (!valid) return;
    impl::load_state(explore_, first);
    impl::load_state(exploit_, second);
  }

 private:
  Explore explore_;
  Exploit exploit_;
  Phase phase_ = Phase::kExplore;
};

static_assert(explain_mutator<PhasedMutator<impl::IdleMutator, impl::IdleMutator>>());

}  // namespace cuco
