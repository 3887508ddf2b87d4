// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

#include "cuco/check/check_stage.hpp"
#include "cuco/check/soundness_rule.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<Verdict> CheckStage::run(Candidate const& candidate, Evidence& /*evidence*/) const {
  auto program = make_program(candidate.code, "main.cu");
  if (!program) return forward_error(std::move(program));
  auto const report = checker_.check(*program);
  if (!report) return tl::unexpected<Error>(report.error());
  Verdict verdict;
  if (report->verdict == Soundness::kUnknown) {
    verdict.message = "not checked: " + report->stopped;
    return verdict;
  }
  if (report->verdict == Soundness::kSound) {
    verdict.message = fmt::format("no defect in {} schedules", report->runs.size());
    return verdict;
  }
  verdict.outcome = Outcome::kUnsound;
  verdict.message = report->defects[0].rule + ": " + report->defects[0].message;
  verdict.feedback = to_text(*report);
  for (Defect const& d : report->defects)
    if (SoundnessRule const* rule = find_soundness_rule(d.rule); rule != nullptr)
      verdict.feedback += fmt::format("{}: {} {}\n", rule->id, rule->reason, rule->remedy);
  return verdict;
}

}  // namespace cuco
