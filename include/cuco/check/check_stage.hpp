// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>

#include "cuco/check/checker.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// The rung that accepts only candidates in which the checker finds no defect. Defects become feedback: rule,
/// lines, ranks, schedule and remedy. What the checker cannot tell does not fail a candidate; it is said in
/// the verdict's message.
class CheckStage {
 public:
  explicit CheckStage(CheckOptions options = {}) : checker_(std::move(options)) {}

  [[nodiscard]] std::string_view name() const { return "check"; }
  /// Errors: as `Checker::check`.
  [[nodiscard]] Result<Verdict> run(Candidate const& candidate, Evidence& evidence) const;

 private:
  Checker checker_;
};

static_assert(explain_stage<CheckStage>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/check/check_stage-inl.hpp"
#endif
