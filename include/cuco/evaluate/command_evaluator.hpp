// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Settings of `CommandEvaluator`.
struct CommandEvaluatorOptions {
  /// The evaluator and its own arguments, for example {"python3", "evaluate.py", "--ranks", "4"}. No shell.
  std::vector<std::string> argv{};
  std::chrono::milliseconds deadline{std::chrono::minutes(30)};
  std::vector<std::string> environment{};  ///< NAME=VALUE, added to the scrubbed environment.
  std::size_t output_cap = std::size_t{4} << 20U;
};

/// An `Evaluator` that is another program.
///
/// Writes the candidate to `directory`/main.cu, removes results of earlier attempts and runs
///
///     argv… --program_path <directory>/main.cu --results_dir <directory>/results
///
/// Then reads metrics.json and correct.json as `read_evaluation_files` says and keeps the program's output in
/// job_log.out and job_log.err. The working directory is the caller's. The verdict is the evaluator's own
/// word, so the trust is `kSelfReported`.
///
/// A deadline that passes is `kTimedOut`; a crash or an exit code other than 0 is `kRunFailed` whatever the
/// files say, with the error that correct.json gives, if any. Errors: kInvalidArgument without argv,
/// kToolMissing or kNotFound when the evaluator does not exist, kParse for a malformed correct.json, kIo,
/// kProcess.
class CommandEvaluator {
 public:
  explicit CommandEvaluator(CommandEvaluatorOptions options) : options_(std::move(options)) {}

  [[nodiscard]] Result<Evaluation> evaluate(Candidate const& candidate) const;

 private:
  CommandEvaluatorOptions options_;
};

static_assert(explain_evaluator<CommandEvaluator>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/command_evaluator-inl.hpp"
#endif
