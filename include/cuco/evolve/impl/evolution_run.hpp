// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cuco/evolve/evolution_options.hpp"
#include "cuco/evolve/impl/frozen_hash.hpp"
#include "cuco/evolve/impl/run_files.hpp"
#include "cuco/evolve/impl/run_parts.hpp"
#include "cuco/evolve/impl/search_state.hpp"
#include "cuco/evolve/impl/slots.hpp"
#include "cuco/evolve/run_summary.hpp"

namespace cuco::impl {

/// One call of `Evolution::run`. Its main loop is the fixed sequence "store g - k, propose g", which is what
/// makes the result independent of how long evaluations take. A killed run is a prefix of that sequence, and
/// proposals that it had written down are read back instead of made anew. A mutator that cannot work ends it
/// like a kill, so that the run goes on later as if nothing had happened.
class EvolutionRun {
 public:
  EvolutionRun(RunParts const& parts,
               RunFiles files,
               std::vector<Seed> const& seeds,
               std::vector<int> islands)
      : parts_(parts),
        options_(parts.options),
        files_(std::move(files)),
        seeds_(seeds),
        islands_(std::move(islands)),
        state_(options_.islands),
        slots_(parts.evaluator, files_, options_.parallel_evaluations) {}
  EvolutionRun(EvolutionRun const&) = delete;
  EvolutionRun& operator=(EvolutionRun const&) = delete;

  Result<RunSummary> run();

 private:
  using Entry = Slots::Entry;

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
  struct Draw;
  Result<std::optional<Proposal>> draw(int generation);
  Result<std::optional<Proposal>> ask_about(ProgramId const& parent, Draw& draw, int attempt, Rng const& rng);
  void fill_in(Program& child, Program const& parent, Mutation&& mutation, Phase phase, int attempt);
  void end_of_means(Error const& error, char const* whose, std::optional<double> spent);
  [[nodiscard]] ProgramId to_repair(ProgramId const& parent, Rng rng) const;
  [[nodiscard]] std::vector<ProgramId> recent_failures(ProgramId const& parent) const;
  Result<std::vector<Program>> fetch(std::vector<ProgramId> const& ids);
  Result<std::string> code_of(ProgramId const& id);
  Status enqueue(Proposal proposal);

  // evolution_store-inl.hpp
  Status insert(Entry entry);
  Status insert_skip(Proposal const& proposal);
  Status admit(Program program);
  Status count_child(ProgramId const& parent);
  Status migrate(int generation, std::vector<std::string>& told);
  Status save_progress(Proposal const& proposal);
  Status save_states(std::string const& selector, std::string const& mutator);
  Status note_trailing_cost(Stop const& stop);
  Result<RunSummary> finish(Stop stop);

  void emit(Event::Kind kind, int generation, Program const* program = nullptr, std::string text = {});
  [[nodiscard]] std::string selector_key() const {
    return parts_.selector.name("") == "beam_search" ? key::beam_parent : key::selector_state;
  }
  RunStore& storage() { return parts_.storage; }

  RunParts const& parts_;
  EvolutionOptions const& options_;
  RunFiles files_;
  std::pair<ProgramId, std::string> last_parent_{};               ///< And its code, which never changes.
  std::unordered_map<std::string, std::string> frozen_hashes_{};  ///< Of programs that were parents.
  std::vector<Seed> const& seeds_;
  std::vector<int> islands_;
  std::string run_{};  ///< Names random seed, sources and islands.
  SearchState state_;
  Slots slots_;
  std::optional<Stop> stop_{};
  bool transient_stop_ = false;  ///< A budget, a cancellation or a failure: not a property of the run.
  std::optional<double> unfinished_ = 0;  ///< USD of the proposal that the stop kept from being made.
  int next_ = 1;                          ///< First generation without a proposal.
  Program best_{};                        ///< Empty id: none.
  RunSummary summary_{};
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace cuco::impl
