// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Settings of `LintStage`.
struct LintOptions {
  /// The seed's text. With it, messages about changed frozen text name the line, and findings that the seed
  /// has too are forgiven. May be empty.
  std::string original{};
};

/// The rung that reads the candidate and runs nothing: sound EVOLVE markers, frozen text as in
/// `Candidate::frozen_hash` (and as in `LintOptions::original`), no forbidden construct inside the blocks.
/// Warnings become feedback and do not fail the candidate.
class LintStage {
 public:
  explicit LintStage(LintOptions options = {}) : options_(std::move(options)) {}

  [[nodiscard]] std::string_view name() const { return "lint"; }
  /// Never an error: what is wrong here is the candidate.
  [[nodiscard]] Result<Verdict> run(Candidate const& candidate, Evidence& evidence) const;

 private:
  LintOptions options_;
};

static_assert(explain_stage<LintStage>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/lint_stage-inl.hpp"
#endif
