// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/fwd.hpp"
#include "cuco/population/inspiration_options.hpp"
#include "cuco/population/island_options.hpp"

namespace cuco {

/// Everything about a run that is not one of its four parts.
struct EvolutionOptions {
  int generations = 40;  ///< Total, the seeds' generation 0 included. May grow when a run is resumed.
  int islands = 4;
  std::uint64_t seed = 0;         ///< Decides every draw of the run.
  int parallel_evaluations = 1;   ///< k: proposal g sees the results of proposals up to g - k.
  double explore_fraction = 0.4;  ///< Share of the generations in `Phase::kExplore`; the rest exploits.

  double budget_seconds = 0;    ///< Wall clock of this call; 0: none. What is being evaluated is finished.
  int stop_after_stagnant = 0;  ///< Stop when that many generations brought no new best; 0: never.
  double target_score = 0;      ///< Stop at this score; 0: none.
  int stop_after_skips = 10;    ///< Stop when that many generations in a row proposed nothing.
  int max_attempts = 256;       ///< Parents tried per generation while the mutator has nothing new for them.

  int archive_size = 100;
  int archive_inspirations = 5;
  int top_k_inspirations = 2;
  double elite_ratio = 0.3;
  int failures_told = 2;  ///< Children of the parent that failed, newest first, that a mutator gets to see.
  /// Share of the proposals that repair a failing child of the selected parent, when it has one and the
  /// mutator is made for that (`FixMutator`, alone or in a `Mixture`).
  double repair_fraction = 0.25;

  int migration_interval = 10;
  double migration_rate = 0.1;
  bool elitism = true;
  bool separation = true;
  std::vector<std::vector<int>> migration_graph{};  ///< Empty: anywhere.

  bool require_correct_seed = true;  ///< A run whose seeds all fail is an error (kNotVerified).
  std::string task{};                ///< What the programs are to be good at, for mutators that read prose.
  std::string language = "cuda";

  /// Where the run keeps its files, opened and locked for the duration of `run`. Empty, and no
  /// `run_directory`: candidates live in a private folder that is removed afterwards.
  std::string directory{};
  /// The same for a caller that has it open already. Must outlive the run.
  RunDirectory const* run_directory = nullptr;
  /// Set by a signal handler or another thread: nothing new is proposed, what is being evaluated is finished.
  std::atomic<bool> const* cancel = nullptr;

  [[nodiscard]] IslandOptions island_options() const;
  [[nodiscard]] InspirationOptions inspiration_options() const;
};

/// Errors: kInvalidArgument naming the first option that has no meaning.
[[nodiscard]] Status check(EvolutionOptions const& options);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/evolution_options-inl.hpp"
#endif
