// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuco/core/metric.hpp"
#include "cuco/core/program.hpp"

namespace cuco {

/// How far a candidate came. Everything but `kCorrect` is a failing candidate, which is a value.
enum class Outcome : std::uint8_t {
  kCorrect,
  kLintFailed,  ///< Frozen text changed, or the source does something candidates may not do.
  kCompileFailed,
  kRunFailed,   ///< Non-zero exit, crash, illegal access.
  kDeadlocked,  ///< The emulator reported who waits for whom.
  kTimedOut,
  kUnsound,      ///< The checker found communication that nothing orders.
  kWrongAnswer,  ///< It ran to the end and its verification failed or was missing.
};
constexpr char const* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCorrect: return "correct";
    case Outcome::kLintFailed: return "lint_failed";
    case Outcome::kCompileFailed: return "compile_failed";
    case Outcome::kRunFailed: return "run_failed";
    case Outcome::kDeadlocked: return "deadlocked";
    case Outcome::kTimedOut: return "timed_out";
    case Outcome::kUnsound: return "unsound";
    case Outcome::kWrongAnswer: return "wrong_answer";
  }
  return "run_failed";
}

/// A program on its way through the cascade.
struct Candidate {
  ProgramId id;
  std::string code;           ///< The whole source file.
  std::string directory;      ///< Where its files and results go; exists, belongs to this candidate alone.
  std::string frozen_hash{};  ///< Hash of the frozen text it must keep; empty: not checked.
  int generation = 0;
};

/// What one rung of the cascade says. A pass lets the next rung run.
struct Verdict {
  Outcome outcome = Outcome::kCorrect;
  std::string message{};   ///< One line: why it failed, or what was skipped.
  std::string feedback{};  ///< Diagnostics for the next mutation; may be long.
  bool skipped = false;    ///< The rung did not apply here (for example no nvcc); `message` says why.
  [[nodiscard]] bool passed() const { return outcome == Outcome::kCorrect; }
};

/// What the rungs of one cascade tell each other about one candidate.
struct Evidence {
  std::string source_path;             ///< The candidate as a file.
  std::string binary_path;             ///< Set by the compile rung.
  std::vector<double> rank_ms;         ///< Per-rank time of one operation, milliseconds, index = rank.
  std::vector<double> repetitions_ms;  ///< Slowest-rank time of each repetition, milliseconds.
  Origin origin = Origin::kNone;
  Trust trust = Trust::kSelfReported;
  Metrics public_metrics{};
  Metrics private_metrics{};
  std::string feedback{};  ///< Text for the next mutation.
  Attributes notes{};      ///< Rung name -> what it did or why it was skipped.
};

/// The result of evaluating one candidate. Always produced when the harness itself works.
struct Evaluation {
  Outcome outcome = Outcome::kRunFailed;
  double combined_score = 0;  ///< 10000 / (1 + slowest-rank ms); 0 unless correct.
  double slowest_ms = 0;  ///< Median over repetitions of the slowest rank, milliseconds; 0 unless correct.
  std::vector<double> rank_ms{};
  Origin origin = Origin::kNone;
  Trust trust = Trust::kSelfReported;
  Metrics public_metrics{};
  Metrics private_metrics{};
  std::string text_feedback{};
  std::string error{};  ///< One line; empty when correct.
  Attributes notes{};   ///< Rung name -> what it did or why it was skipped.
  [[nodiscard]] bool correct() const { return outcome == Outcome::kCorrect; }
};

/// The score of a correct program whose slowest rank takes `ms` milliseconds.
constexpr double combined_score(double ms) {
  return 10000.0 / (1.0 + ms);
}

}  // namespace cuco
