// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cuco/core/error.hpp"
#include "cuco/core/program.hpp"

namespace cuco {

/// Why a run ended.
enum class StopReason : std::uint8_t {
  kGenerations,  ///< All planned generations are done.
  kTarget,       ///< The target score is reached.
  kStagnant,     ///< No new best for long enough.
  kExhausted,    ///< Nothing new could be proposed for long enough.
  kBudget,       ///< The wall-clock budget, or a budget of the mutator, is used up.
  kCancelled,    ///< Somebody asked it to stop.
  kFailed,       ///< The mutator or the adviser could not work; `RunSummary::error` says why.
};
constexpr char const* to_string(StopReason reason) {
  switch (reason) {
    case StopReason::kGenerations: return "generations";
    case StopReason::kTarget: return "target";
    case StopReason::kStagnant: return "stagnant";
    case StopReason::kExhausted: return "exhausted";
    case StopReason::kBudget: return "budget";
    case StopReason::kCancelled: return "cancelled";
    case StopReason::kFailed: return "failed";
  }
  return "generations";
}

/// How a run went. Counts are of the whole run, resumed parts included, unless they say otherwise.
struct RunSummary {
  Program best;  ///< An empty id when no program is correct.
  Program seed;  ///< The best of the programs the run started from.
  StopReason reason = StopReason::kGenerations;
  std::string reason_text;       ///< One line.
  std::optional<Error> error{};  ///< Of `kFailed`. What is stored is valid, and a later call continues.
  int generations_done = 0;      ///< Generations 0 … generations_done - 1 are complete.
  int generations = 0;           ///< Planned.
  int programs = 0;              ///< Proposed programs, seeds included, copies not.
  int correct = 0;
  int duplicates = 0;  ///< Took the result of a program with the same code.
  int skipped = 0;     ///< Generations without a proposal.
  int evaluated = 0;   ///< Evaluations done by this call.
  int imported = 0;    ///< Finished evaluations that an interrupted call had left.
  double seconds = 0;  ///< Wall clock of this call.
  bool resumed = false;
  /// USD that no program's row carries: of generations without a program, of the proposal that was being made
  /// when the run stopped, and of the adviser's conclusion. Empty: unknown.
  std::optional<double> unattributed_cost = 0;
  std::string directory;  ///< Empty for a run in memory.

  /// Time of the best as a share of the seed's, inverted: 2 means twice as fast. 0 when unknown.
  [[nodiscard]] double gain() const;
  /// One line: best, trust, time with its origin, gain, why it stopped.
  [[nodiscard]] std::string summary() const;
};

/// Slowest-rank time of a correct program, milliseconds: its `time_ms` metric, else from its score when
/// that has an origin; 0 when there is no time.
[[nodiscard]] double slowest_ms(Program const& program);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/run_summary-inl.hpp"
#endif
