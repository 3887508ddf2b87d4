// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cuco/evolve/evolution.hpp"
#include "cuco/evolve/impl/frozen_hash.hpp"
#include "cuco/evolve/impl/run_files.hpp"
#include "cuco/evolve/impl/search_state.hpp"
#include "cuco/evolve/impl/slots.hpp"
#include "cuco/select/impl/state.hpp"

namespace cuco::impl {

/// One call of `Evolution::run`. Its main loop is the fixed sequence "store g - k, propose g", which is what
/// makes the result independent of how long evaluations take. A killed run is a prefix of that sequence, and
/// proposals that it had written down are read back instead of made anew.
template <class S, class L, class M, class E>
class EvolutionRun {
 public:
  EvolutionRun(Evolution<S, L, M, E>& evolution,
               RunFiles files,
               std::vector<Seed> const& seeds,
               std::vector<int> islands)
      : evolution_(evolution),
        options_(evolution.options_),
        files_(std::move(files)),
        seeds_(seeds),
        islands_(std::move(islands)),
        state_(options_.islands),
        slots_(evolution.evaluator_, files_, options_.parallel_evaluations) {}
  EvolutionRun(EvolutionRun const&) = delete;
  EvolutionRun& operator=(EvolutionRun const&) = delete;

  Result<RunSummary> run();

 private:
  using Entry = typename Slots<E>::Entry;

  // evolution_start-inl.hpp: the beginning, fresh or resumed
  Status identify();
  Status begin();
  Result<Proposal> seed_proposal(std::size_t index);
  Status plant_seeds();
  Status restore();
  Status require_correct_seed(std::vector<Program> const& seeds);

  // evolution_propose-inl.hpp
  std::optional<Stop> interrupted() const;
  Result<std::optional<Proposal>> propose(int generation);
  Result<std::optional<Proposal>> draw(int generation);
  Status fill_in(Program& child, Program const& parent, Mutation&& mutation, Phase phase, int attempt);
  Result<std::vector<Program>> fetch(std::vector<ProgramId> const& ids);
  Status enqueue(Proposal proposal);

  // evolution_store-inl.hpp
  Status insert(Entry entry);
  Status insert_skip(Proposal const& proposal);
  Status admit(Program program);
  Status count_child(ProgramId const& parent);
  Status migrate(int generation, std::vector<std::string>& told);
  Status save_progress(Proposal const& proposal);
  Status save_states(std::string const& selector, std::string const& mutator);
  Result<RunSummary> finish(Stop stop);

  void emit(Event::Kind kind, int generation, Program const* program = nullptr, std::string text = {});
  [[nodiscard]] std::string selector_key() const {
    return name_of(evolution_.selector_, "") == "beam_search" ? key::beam_parent : key::selector_state;
  }
  S& storage() { return evolution_.storage_; }

  Evolution<S, L, M, E>& evolution_;
  EvolutionOptions const& options_;
  RunFiles files_;
  std::vector<Seed> const& seeds_;
  std::vector<int> islands_;
  std::string run_{};  ///< Names random seed, sources and islands.
  SearchState state_;
  Slots<E> slots_;
  std::optional<Stop> stop_{};
  bool transient_stop_ = false;  ///< A budget or a cancellation: not a property of the run.
  int next_ = 1;                 ///< First generation without a proposal.
  Program best_{};               ///< Empty id: none.
  RunSummary summary_{};
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

template <class S, class L, class M, class E>
Result<RunSummary> EvolutionRun<S, L, M, E>::run() {
  if (auto ready = begin(); !ready) return forward_error(std::move(ready));
  for (;;) {
    while (next_ < options_.generations && !slots_.full()) {
      if (!stop_ && (stop_ = interrupted())) transient_stop_ = true;
      // A run that was killed while it wound up still has to store what it had proposed.
      if (stop_ && (transient_stop_ || !files_.load(files_.paths(next_, -1), run_))) break;
      auto proposal = propose(next_);
      if (!proposal) return forward_error(std::move(proposal));
      if (!*proposal) break;  // the mutator's budget; stop_ is set
      if (auto queued = enqueue(**std::move(proposal)); !queued) return forward_error(std::move(queued));
      ++next_;
      summary_.evaluated += slots_.start();  // runs while the next one is proposed
    }
    if (!transient_stop_) summary_.evaluated += slots_.start();
    if (slots_.empty() || (transient_stop_ && !slots_.front().settled_or_running())) break;
    auto entry = slots_.pop();
    if (!entry) return forward_error(std::move(entry));
    if (auto stored = insert(*std::move(entry)); !stored) return forward_error(std::move(stored));
  }
  return finish(stop_.value_or(Stop{StopReason::kGenerations, "all planned generations are done"}));
}

template <class S, class L, class M, class E>
void EvolutionRun<S, L, M, E>::emit(Event::Kind kind,
                                    int generation,
                                    Program const* program,
                                    std::string text) {
  Event const event{
      kind, generation, options_.generations, program, best_.id.empty() ? nullptr : &best_, std::move(text)};
  for (auto const& observer : evolution_.observers_) observer(event);
}

}  // namespace cuco::impl

#include "cuco/evolve/impl/evolution_propose-inl.hpp"
#include "cuco/evolve/impl/evolution_start-inl.hpp"
#include "cuco/evolve/impl/evolution_store-inl.hpp"
