// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/command_evaluator.hpp"
#include "cuco/evaluate/evaluation_files.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco {

namespace impl::evaluating {

/// True for an interpreter whose first argument is a script that is not there. The interpreter would say so
/// with an exit code that looks like a failing candidate.
CUCO_EVOLVE_INLINE bool script_is_missing(std::vector<std::string> const& argv) {
  if (argv.size() < 2 || argv[1].empty() || argv[1].front() == '-') return false;
  std::string_view program = argv[0];
  program.remove_prefix(program.rfind('/') + 1);
  bool interpreter =
      program == "sh" || program == "bash" || program == "perl" || program == "ruby" || program == "node";
  interpreter = interpreter || program.substr(0, 6) == "python";
  struct stat info {};
  return interpreter && ::stat(argv[1].c_str(), &info) != 0;
}

}  // namespace impl::evaluating

CUCO_EVOLVE_INLINE Result<Evaluation> CommandEvaluator::evaluate(Candidate const& candidate) const {
  if (options_.argv.empty())
    return fail(ErrorCode::kInvalidArgument, "the evaluator command is empty", "name a program");
  if (impl::evaluating::script_is_missing(options_.argv))
    return fail(ErrorCode::kNotFound,
                "evaluator program '" + options_.argv[1] + "' does not exist",
                "check its path");
  std::string const results = candidate.directory + "/results";
  std::string const source = candidate.directory + "/main.cu";
  if (auto made = impl::evaluating::make_directories(results); !made) return forward_error(std::move(made));
  for (char const* name : {"/metrics.json", "/correct.json"}) ::unlink((results + name).c_str());
  if (auto written = write_file_atomic(source, candidate.code); !written)
    return forward_error(std::move(written));

  Command command;
  command.argv = options_.argv;
  command.argv.insert(command.argv.end(), {"--program_path", source, "--results_dir", results});
  command.environment = options_.environment;
  command.deadline = options_.deadline;
  command.output_cap = options_.output_cap;
  auto process = run_process(command);
  if (!process) return forward_error(std::move(process));
  for (auto const& [name, text] :
       {std::pair{"/job_log.out", &process->out}, std::pair{"/job_log.err", &process->err}})
    if (auto written = write_file_atomic(results + name, *text); !written)
      return forward_error(std::move(written));

  auto read = read_evaluation_files(results);
  if (process->ok()) return read;
  Evaluation evaluation;
  if (read) evaluation = std::move(*read);
  bool const blamed = read && !evaluation.correct() && !evaluation.error.empty();
  evaluation.outcome = process->timed_out ? Outcome::kTimedOut : Outcome::kRunFailed;
  evaluation.combined_score = 0;
  evaluation.slowest_ms = 0;
  evaluation.rank_ms.clear();
  std::string const how = process->timed_out
                              ? "did not end within " + impl::evaluating::seconds_text(options_.deadline)
                              : describe(*process);
  evaluation.error = "evaluator: " + how + (blamed ? ": " + evaluation.error : "");
  constexpr std::size_t kMostFeedback = 3000;
  if (evaluation.text_feedback.empty())
    evaluation.text_feedback =
        evaluation.error + "\n" + impl::evaluating::excerpt(process->err, kMostFeedback);
  return evaluation;
}

}  // namespace cuco
