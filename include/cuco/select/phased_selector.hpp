// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/select/impl/state.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"

namespace cuco {

/// One selector for the explore phase, another for the exploit phase of the same run.
///
/// `Evolution` calls `on_phase` before each draw. The state of both parts survives a restart.
template <class Explore, class Exploit>
class PhasedSelector {
 public:
  PhasedSelector(Explore explore, Exploit exploit)
      : explore_(std::move(explore)), exploit_(std::move(exploit)) {}

  [[nodiscard]] Result<ProgramId> select(Population const& population, Rng& rng) {
    return phase_ == Phase::kExplore ? explore_.select(population, rng) : exploit_.select(population, rng);
  }

  void on_phase(Phase phase) {
    phase_ = phase;
    impl::set_phase(explore_, phase);
    impl::set_phase(exploit_, phase);
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

  static constexpr std::string_view name() { return "phased"; }

 private:
  Explore explore_;
  Exploit exploit_;
  Phase phase_ = Phase::kExplore;
};

static_assert(explain_selector<PhasedSelector<UniformSelector, PowerLawSelector>>());

}  // namespace cuco
