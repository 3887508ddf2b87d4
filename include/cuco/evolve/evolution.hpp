// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/advice.hpp"
#include "cuco/evolve/evolution_options.hpp"
#include "cuco/evolve/impl/run_adviser.hpp"
#include "cuco/evolve/run_summary.hpp"
#include "cuco/population/seeds.hpp"
#include "cuco/store/run_storage.hpp"

namespace cuco {

/// Searches for better programs: select a parent, mutate it, evaluate the child, store it, generation by
/// generation.
///
/// **Deterministic.** Equal parts, options and seeds give equal databases but for timestamps, on any machine
/// and however the evaluations are scheduled: with k parallel evaluations, proposal g sees exactly the
/// results of proposals up to g - k, and results are stored in the order of the proposals. (What is being
/// evaluated when a budget ends or somebody cancels is still finished and stored, so there k > 1 may continue
/// differently.)
///
/// **Resumable.** With a run directory and a persistent storage the run may be killed at any instant. `run`
/// with the same seeds then continues: finished evaluations are imported, none is lost, none is done twice.
///
/// **Threads.** `run` calls storage, selector, mutator and observers from the calling thread, and the
/// evaluator from up to `parallel_evaluations` threads.
template <RunStorage S, Selector L, Mutator M, Evaluator E>
class Evolution {
 public:
  Evolution(S storage, L selector, M mutator, E evaluator, EvolutionOptions options = {})
      : storage_(std::move(storage)),
        selector_(std::move(selector)),
        mutator_(std::move(mutator)),
        evaluator_(std::move(evaluator)),
        options_(std::move(options)) {}

  /// Adds an observer, which is kept. Give `std::ref(observer)` to look at it afterwards.
  template <Observer O>
  Evolution& observe(O observer) {
    auto held = std::make_shared<O>(std::move(observer));
    observers_.push_back([held](Event const& event) { held->on(event); });
    return *this;
  }
  template <Observer O>
  Evolution& observe(std::reference_wrapper<O> observer) {
    observers_.push_back([observer](Event const& event) { observer.get().on(event); });
    return *this;
  }

  /// Lets `adviser` watch the run like an observer and asks it before each proposal what mutators should
  /// know: `adviser.advise(generation) -> Result<Advice>`. One at most; the last call counts. An error ends
  /// the run as one of the mutator does; the generation is then asked about again when the run goes on.
  ///
  /// With `adviser.conclude() -> Result<Advice>` it is told when the run has come to its end for good, before
  /// kStopped. Its cost is part of `RunSummary::unattributed_cost`; an error of it is logged.
  template <class A>
  requires Observer<A> && requires(A a) {
    { a.advise(0) } -> std::same_as<Result<Advice>>;
  }
  Evolution& advise(A adviser) {
    auto held = std::make_shared<A>(std::move(adviser));
    adviser_ = {};
    adviser_.advise = [held](int generation) { return held->advise(generation); };
    if constexpr (requires(A a) {
                    { a.conclude() } -> std::same_as<Result<Advice>>;
                  })
      adviser_.conclude = [held] { return held->conclude(); };
    observers_.push_back([held](Event const& event) { held->on(event); });
    return *this;
  }

  /// Runs from `seeds`, or continues a run of the same seeds that the storage holds.
  ///
  /// A seed with an island lives there; islands without a seed start with a copy of the best one.
  /// Errors: kInvalidArgument for options or seeds without meaning; kConflict when the storage holds a run
  /// with another random seed, other sources or another number of islands; kNotVerified when every seed fails
  /// and `require_correct_seed` is set; else whatever the storage, the selector or the evaluator reports.
  /// What is stored stays valid, and a later call continues. A mutator or an adviser that cannot work (no
  /// access to its model, a recording without the answer) is no error here: it stops the run, and
  /// `RunSummary::error` is what it said.
  [[nodiscard]] Result<RunSummary> run(std::vector<Seed> const& seeds);
  [[nodiscard]] Result<RunSummary> run(std::string_view code) {
    return run(std::vector<Seed>{{std::string(code)}});
  }
  [[nodiscard]] Result<RunSummary> run(Program const& seed) {
    return run(std::vector<Seed>{{seed.code, -1, {}, seed.metadata}});
  }

  [[nodiscard]] S const& storage() const { return storage_; }
  [[nodiscard]] EvolutionOptions const& options() const { return options_; }
  /// Changes options between two calls of `run`, for example more generations.
  void set_options(EvolutionOptions options) { options_ = std::move(options); }

 private:
  S storage_;
  L selector_;
  M mutator_;
  E evaluator_;
  EvolutionOptions options_;
  std::vector<std::function<void(Event const&)>> observers_;
  impl::RunAdviser adviser_;
};

/// `Evolution{…}` with errors in prose when a part does not model its role.
template <class S, class L, class M, class E>
auto make_evolution(S storage, L selector, M mutator, E evaluator, EvolutionOptions options = {}) {
  if constexpr (explain_run_storage<S>() && explain_selector<L>() && explain_mutator<M>() &&
                explain_evaluator<E>())
    return Evolution<S, L, M, E>(std::move(storage),
                                 std::move(selector),
                                 std::move(mutator),
                                 std::move(evaluator),
                                 std::move(options));
}

}  // namespace cuco

#include "cuco/evolve/evolution-inl.hpp"
