// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/evaluate/program_verifier.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<VerifyOutcome> ProgramVerifier::verify(std::string_view code,
                                                                 std::string const& directory,
                                                                 std::string const& label) const {
  std::string const stem = directory + "/" + label;
  if (auto made = impl::evaluating::make_directories(directory); !made) return forward_error(std::move(made));
  if (auto written = write_file_atomic(stem + ".cu", code); !written)
    return forward_error(std::move(written));

  BuildSpec build;
  build.source_path = stem + ".cu";
  build.output_path = stem + ".bin";
  build.deadline = options_.build_deadline;
  auto built = devices_.build(build);
  if (!built) return forward_error(std::move(built));
  std::string log = built->diagnostics;
  VerifyOutcome outcome;
  outcome.built = built->built;
  outcome.shape = options_.shape.value_or(ContractShape::kEveryRank);
  if (!built->built) {
    std::string const said = impl::evaluating::without_paths(built->diagnostics, {directory});
    outcome.message =
        built->timed_out ? "the compiler did not end within " + impl::evaluating::seconds_text(build.deadline)
                         : impl::evaluating::first_compiler_error(said);
    outcome.diagnostics = impl::evaluating::relevant_compiler_lines(said);
  }

  std::optional<ContractShape> shape = options_.shape;
  int const runs = 1 + (devices_.is_emulated() ? options_.schedules : 0);
  for (int i = 0; outcome.built && i < runs; ++i) {
    RunSpec run;
    run.binary = build.output_path;
    run.args = options_.args;
    run.ranks = options_.ranks;
    run.directory = directory;
    run.deadline = options_.deadline;
    std::string title = "run";
    if (i > 0) {
      run.gin_mode = GinMode::kRandom;
      run.seed = options_.seed + static_cast<std::uint64_t>(i - 1);
      run.skew_us = options_.skew_us;
      title = "run under reordered delivery, seed " + std::to_string(run.seed);
    }
    auto result = devices_.run(run);
    if (!result) return forward_error(std::move(result));
    log += impl::evaluating::run_log(title, run, *result);
    if (!shape) shape = detect_contract_shape(result->rank_stdout);
    auto judgement = impl::evaluating::judge_run(run, *result, *shape);
    outcome.ran = result->ok();
    outcome.verified = judgement.verdict.passed();
    outcome.outcome = judgement.verdict.outcome;
    outcome.shape = *shape;
    if (!outcome.verified) {
      std::string const when = i == 0 ? std::string{} : title + ": ";
      outcome.message = when + judgement.verdict.message;
      outcome.diagnostics = when + judgement.verdict.feedback;
      outcome.rank_ms.clear();
      outcome.slowest_ms = 0;
      break;
    }
    if (i == 0) {
      outcome.rank_ms = std::move(judgement.contract.rank_ms);
      outcome.slowest_ms = judgement.contract.slowest_ms;
    }
  }
  if (outcome.verified) outcome.origin = devices_.origin();
  if (auto written = write_file_atomic(stem + ".log", log); !written)
    return forward_error(std::move(written));
  return outcome;
}

}  // namespace cuco
