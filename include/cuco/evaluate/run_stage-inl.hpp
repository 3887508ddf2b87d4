// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/evaluate/run_stage.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<Verdict> RunStage::run(Candidate const& candidate, Evidence& evidence) const {
  if (evidence.binary_path.empty())
    return fail(ErrorCode::kInvalidArgument, "a run rung has nothing to run", "put a compile rung before it");
  bool const one_sided = candidate.code.find("ncclGin") != std::string::npos;
  int const schedules = !devices_.is_emulated() ? 0
                        : one_sided             ? options_.schedules
                                                : std::min(1, options_.schedules);

  for (int i = 0; i <= schedules; ++i) {
    RunSpec spec;
    spec.binary = evidence.binary_path;
    spec.args = options_.args;
    spec.ranks = options_.ranks;
    spec.deadline = options_.deadline;
    std::string when = "in program order";
    if (i > 0) {
      spec.gin_mode = GinMode::kRandom;
      spec.seed = options_.seed + static_cast<std::uint64_t>(i - 1);
      spec.skew_us = options_.skew_us;
      when = "under reordered delivery and start skew (seed " + std::to_string(spec.seed) + ")";
    }
    auto result = devices_.run(spec);
    if (!result) return forward_error(std::move(result));
    auto const logged = impl::evaluating::append_text(
        candidate.directory + "/results/run.log",
        impl::evaluating::run_log(devices_.is_emulated() ? when : "run", spec, *result));
    if (!logged) return tl::unexpected(logged.error());
    auto judgement = impl::evaluating::judge_run(spec, *result, options_.shape);
    if (!judgement.verdict.passed()) {
      if (i > 0) {
        judgement.verdict.message = when + ": " + judgement.verdict.message;
        judgement.verdict.feedback =
            "The program passes when network operations are delivered in program order and fails " + when +
            ": a wait, signal, barrier or memory order that the program relies on is missing.\n" +
            judgement.verdict.feedback;
      }
      return std::move(judgement.verdict);
    }
    if (i == 0) {
      evidence.rank_ms = std::move(judgement.contract.rank_ms);
      evidence.repetitions_ms = {judgement.contract.slowest_ms};
      evidence.origin = devices_.origin();
    }
  }
  bool const frozen = !candidate.frozen_hash.empty();
  if (schedules > 0 && frozen && evidence.trust == Trust::kSelfReported) evidence.trust = Trust::kEmulated;
  Verdict verdict;
  verdict.message = "passed on " + std::to_string(options_.ranks) + " ranks";
  if (schedules > 0)
    verdict.message += ", also under " + std::to_string(schedules) +
                       (schedules == 1 ? " reordered schedule" : " reordered schedules");
  return verdict;
}

}  // namespace cuco
