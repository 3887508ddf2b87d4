// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/lint_rules.hpp"
#include "cuco/analysis/lint.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE std::vector<LintFinding> lint(std::string_view source, std::string file) {
  auto not_readable = [](Error const& e) {
    return std::vector<LintFinding>{{"parse", e.line, e.cause, LintSeverity::kError}};
  };
  auto stream = lex(source, file);
  if (!stream) return not_readable(stream.error());
  auto blocks = impl::find_marked_blocks(source, *stream, file);
  if (!blocks) return not_readable(blocks.error());
  if (blocks->empty()) return {};
  bool first_branch_only = false;
  auto code = impl::make_code(source, *stream, file, first_branch_only);
  if (!code) return not_readable(code.error());
  auto findings = impl::LintRules(*code, *stream, *blocks).run();
  std::stable_sort(
      findings.begin(), findings.end(), [](auto const& a, auto const& b) { return a.line < b.line; });
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
  return findings;
}

CUCO_EVOLVE_INLINE std::vector<LintFinding> lint_against(std::string_view source,
                                                         std::string_view original,
                                                         std::string file) {
  std::vector<LintFinding> const known = lint(original, file);
  std::vector<LintFinding> findings = lint(source, std::move(file));
  std::erase_if(findings, [&](LintFinding const& f) {
    return f.rule != "parse" && std::any_of(known.begin(), known.end(), [&](LintFinding const& k) {
             return k.rule == f.rule && k.message == f.message;
           });
  });
  return findings;
}

CUCO_EVOLVE_INLINE bool has_errors(std::vector<LintFinding> const& findings) {
  return std::any_of(
      findings.begin(), findings.end(), [](auto const& f) { return f.severity == LintSeverity::kError; });
}

CUCO_EVOLVE_INLINE std::string to_line(LintFinding const& finding, std::string_view file) {
  return std::string(file) + ":" + std::to_string(finding.line) + ": " + to_string(finding.severity) + ": " +
         finding.message + " [" + finding.rule + "]";
}

}  // namespace cuco
