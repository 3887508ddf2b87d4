// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/lint_finding.hpp"

namespace cuco {

/// Checks the EVOLVE blocks of a program under the program contract; sorted by line. A program without blocks
/// has nothing to check. Static, so it catches mistakes and plain cheating; what it cannot see is the
/// checker's business.
[[nodiscard]] std::vector<LintFinding> lint(std::string_view source, std::string file = "<source>");

/// The same without what the original program does too: a finding is dropped when `original` has one of the
/// same rule and message.
[[nodiscard]] std::vector<LintFinding> lint_against(std::string_view source,
                                                    std::string_view original,
                                                    std::string file = "<source>");

/// True when a finding forbids building.
[[nodiscard]] bool has_errors(std::vector<LintFinding> const& findings);

/// `file:line: error: message [rule]`.
[[nodiscard]] std::string to_line(LintFinding const& finding, std::string_view file);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/analysis/lint-inl.hpp"
#endif
