// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/evolution_options.hpp"
#include "cuco/evolve/impl/proposal.hpp"
#include "cuco/evolve/run_summary.hpp"
#include "cuco/population/migration.hpp"
#include "cuco/population/roster.hpp"
#include "cuco/population/seeds.hpp"

namespace cuco::impl {

/// Keys of the storage's values. The first three are the reference's.
namespace key {
inline constexpr char const* last_iteration = "last_iteration";
inline constexpr char const* best_program_id = "best_program_id";
inline constexpr char const* beam_parent = "beam_search_parent_id";
inline constexpr char const* selector_state = "selector_state";
inline constexpr char const* mutator_state = "mutator_state";
inline constexpr char const* run_seed = "run_seed";
inline constexpr char const* run_sources = "run_sources";
inline constexpr char const* run_islands = "run_islands";
inline constexpr char const* run_options = "run_options";
inline constexpr char const* skipped = "skipped_generations";
inline constexpr char const* skips_in_a_row = "skips_in_a_row";
inline constexpr char const* stopped = "stopped";
inline constexpr char const* stop_options = "stop_options";
/// USD, or "unknown": of generations without a program; of what came after the last generation.
inline constexpr char const* unattributed_cost = "unattributed_cost";
inline constexpr char const* trailing_cost = "trailing_cost";
}  // namespace key

struct Stop {
  StopReason reason = StopReason::kGenerations;
  std::string text{};
};

/// What a run knows about its programs, without their stored results. A function of the rows in storage and
/// of the proposals in flight, so that a restart rebuilds it exactly.
struct SearchState {
  explicit SearchState(int islands) : roster(islands) {}

  Roster roster;
  std::vector<std::string> codes{};              ///< All codes, those in flight included.
  std::vector<std::vector<float>> embeddings{};  ///< Of `codes`; empty ones where there are none.
  std::unordered_map<std::string, std::vector<ProgramId>> failures{};  ///< Parent -> children that failed.
  std::unordered_set<std::string> repaired{};            ///< Programs that failed and have a correct child.
  std::unordered_map<std::string, ProgramId> by_code{};  ///< Code key -> the first program with it.
  int last_generation = -1;                              ///< All generations up to this one are complete.
  int skips_in_a_row = 0;
  int skipped = 0;
  int programs = 0;
  int correct = 0;
  int duplicates = 0;
  std::optional<double> unattributed = 0;  ///< USD of generations without a program. Empty: unknown.

  /// Makes a code known before its program is stored. Returns the earlier program with the same code, if any.
  ProgramId announce(Program const& program);
  /// Takes in a stored program whose code is known.
  void enter(Program const& program);
  /// The newest child of `parent` that failed and may still be repaired: nothing that works came of it, and
  /// it was tried less than twice. Empty: none.
  [[nodiscard]] ProgramId to_repair(ProgramId const& parent) const;

 private:
  /// `code_key`, read once for all copies of a program.
  std::string const& key_of(std::string const& code);
  std::unordered_map<std::string, std::string> keys_{};
};

/// The rule that ends the run now, if one does. Depends on state and options only.
[[nodiscard]] std::optional<Stop> stop_after(SearchState const& state, EvolutionOptions const& options);

/// The options `stop_after` reads, as text: a stored decision holds as long as they are the same.
[[nodiscard]] std::string stop_options(EvolutionOptions const& options);
/// All options as JSON, for the record.
[[nodiscard]] std::string options_json(EvolutionOptions const& options, std::string const& selector);

[[nodiscard]] Phase phase_of(int generation, EvolutionOptions const& options);

/// Deterministic ids: `g<generation>-<8 hex digits>`.
[[nodiscard]] ProgramId make_id(std::string_view run, int generation, int slot, std::string_view code);

/// Names the sources of a run: the same seeds on the same islands give the same text.
[[nodiscard]] std::string sources_hash(std::vector<Seed> const& seeds, std::vector<int> const& islands);

/// Copies results into the row. A score that is not finite makes the program incorrect.
void apply(Evaluation const& evaluation, Program& program);
/// The same from the row of a program with equal code.
void apply(Program const& twin, Program& program);

/// A price as the storage keeps it, and back. Text that is no price is unknown; no text is nothing.
[[nodiscard]] std::string price_text(std::optional<double> usd);
[[nodiscard]] std::optional<double> price_of(std::string_view text);

/// Seconds since the epoch.
[[nodiscard]] double now();

/// The moves of a migration after generation `generation`; empty when none is due.
[[nodiscard]] std::vector<Move> plan_migration(Roster const& roster,
                                               int generation,
                                               EvolutionOptions const& options);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/impl/search_state-inl.hpp"
#endif
