// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/analysis/flatten.hpp"
#include "cuco/analysis/report.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Reads a CUDA program and says how it communicates. Works on tokens: comments, strings and code under false
/// conditions never count; macro-wrapped and multi-line calls do.
class Analyzer {
 public:
  /// @param source the whole file; @param file its name for messages.
  /// Errors: kParse (file, line) for text that does not lex or whose braces, brackets or parentheses do not
  /// balance. O(n log n).
  [[nodiscard]] Result<Report> analyze(std::string_view source, std::string file = "<source>") const;
  /// The same for a program of several files. Lines of the report are those of `source.code`; what is
  /// printed, notes, and the place of an Error name the file and line where they were written.
  [[nodiscard]] Result<Report> analyze(FlatSource const& source, std::string file) const;
};

/// One JSON object, keys as in `Report`, spans omitted. Lines are those where things were written, with
/// "file" beside them where that is not the main file. Valid UTF-8 for any input.
[[nodiscard]] std::string to_json(Report const& report);
/// For people at a terminal.
[[nodiscard]] std::string to_text(Report const& report);
/// For a language model: graph, execution order, structure.
[[nodiscard]] std::string to_prompt(Report const& report);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/analysis/analyzer-inl.hpp"
#endif
