// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/lint.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/frozen_check.hpp"
#include "cuco/evaluate/lint_stage.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<Verdict> LintStage::run(Candidate const& candidate, Evidence& /*evidence*/) const {
  constexpr char const* kFile = "main.cu";
  auto refuse = [](std::string message, std::string feedback) {
    Verdict verdict;
    verdict.outcome = Outcome::kLintFailed;
    verdict.message = std::move(message);
    verdict.feedback = std::move(feedback);
    return verdict;
  };
  auto const blocks = find_evolve_blocks(candidate.code, kFile);
  if (!blocks) return refuse(to_line(blocks.error()), to_line(blocks.error()) + "\n");
  if (!options_.original.empty()) {
    if (auto const same = check_frozen(options_.original, candidate.code, kFile); !same)
      return refuse(to_line(same.error()), to_line(same.error()) + "\n");
  }
  if (!candidate.frozen_hash.empty()) {
    auto const hash = frozen_hash(candidate.code, kFile);
    if (!hash) return refuse(to_line(hash.error()), to_line(hash.error()) + "\n");
    if (*hash != candidate.frozen_hash) {
      std::string const message = "text outside the EVOLVE blocks differs from the seed's";
      return refuse(message, message + "; change only what is between the markers\n");
    }
  }

  auto const findings = options_.original.empty() ? lint(candidate.code, kFile)
                                                  : lint_against(candidate.code, options_.original, kFile);
  Verdict verdict;
  for (auto const& finding : findings) {
    std::string const line = to_line(finding, kFile);
    verdict.feedback += line + "\n";
    if (finding.severity == LintSeverity::kError && verdict.message.empty()) verdict.message = line;
  }
  if (has_errors(findings)) {
    verdict.outcome = Outcome::kLintFailed;
    return verdict;
  }
  verdict.message = std::to_string(blocks->size()) + (blocks->size() == 1 ? " block" : " blocks");
  if (candidate.frozen_hash.empty() && options_.original.empty())
    verdict.message += "; frozen text not compared";
  return verdict;
}

}  // namespace cuco
