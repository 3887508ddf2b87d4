// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace cuco {

/// How bad a finding is. A candidate with an error must not be built; warnings are for people and models.
enum class LintSeverity : std::uint8_t { kWarning, kError };
constexpr char const* to_string(LintSeverity severity) {
  return severity == LintSeverity::kError ? "error" : "warning";
}

/// Something that text inside an EVOLVE block may not do.
///
/// Rules: `parse` (the file does not lex, balance, or have sound markers), `verdict` (text that looks like a
/// result line), `stdout` (writes to standard output), `process` (ends, starts or steers processes, sockets,
/// libraries), `file` (opens files), `timing` (touches the clock of the frozen code), `protected` (changes a
/// variable that the frozen code reports), `control-flow` (leaves the block), `macro` (defines what frozen
/// code uses), `include`, `pragma`, `main`, `constructor`, `asm`, `shadow` (hides a function or variable that
/// frozen code uses), `unbalanced` (brackets or conditions not closed in the block).
struct LintFinding {
  std::string rule;
  std::uint32_t line = 0;
  std::string message;  ///< One line.
  LintSeverity severity = LintSeverity::kError;
  bool operator==(LintFinding const&) const = default;
};

}  // namespace cuco
