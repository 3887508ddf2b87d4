// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/flatten.hpp"
#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/dataflow.hpp"
#include "cuco/analysis/impl/macros.hpp"
#include "cuco/analysis/impl/report_json.hpp"
#include "cuco/analysis/impl/report_text.hpp"
#include "cuco/analysis/impl/structure.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {
namespace impl {

/// A note `line N: …` with the place where the line was written.
inline std::string note_at_origin(std::string note, SourceMap const& map) {
  constexpr std::string_view kLine = "line ";
  std::size_t const colon = note.find(':');
  if (!note.starts_with(kLine) || colon == std::string::npos) return note;
  std::string const digits = note.substr(kLine.size(), colon - kLine.size());
  if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos)
    return note;
  SourcePlace const place = map.locate(static_cast<std::uint32_t>(std::stoul(digits)));
  return (place.file.empty() ? "" : place.file + " ") + "line " + std::to_string(place.line) +
         note.substr(colon);
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<Report> Analyzer::analyze(std::string_view source, std::string file) const {
  auto stream = lex(source, file);
  if (!stream) return forward_error(std::move(stream));
  bool first_branch_only = false;
  auto code = impl::make_code(source, *stream, file, first_branch_only);
  if (!code) return forward_error(std::move(code));

  Report report;
  report.file = std::move(file);
  auto const newlines = std::count(source.begin(), source.end(), '\n');
  report.lines = static_cast<std::uint32_t>(newlines + (!source.empty() && source.back() != '\n' ? 1 : 0));
  if (first_branch_only)
    report.notes.emplace_back(
        "brackets balance only with the first branch of each undecided #if; the others are not read");
  impl::read_directives(*code, report);
  impl::Macros const macros(report.macros);
  impl::Structure structure =
      impl::StructureReader(*code, macros.containing("__global__"), macros.containing("for", "while")).run();
  impl::CallTable const calls = impl::CallReader(*code, structure, macros, report).run();
  impl::GraphBuilder(*code, structure, calls, report).run();
  report.functions = std::move(structure.functions);
  report.loops = std::move(structure.loops);
  return report;
}

CUCO_EVOLVE_INLINE Result<Report> Analyzer::analyze(FlatSource const& source, std::string file) const {
  auto report = analyze(std::string_view(source.code), file);
  if (source.map.empty()) return report;
  if (!report) {
    Error error = std::move(report).error();
    return tl::unexpected<Error>(at_origin(std::move(error), source.map, file));
  }
  report->map = source.map;
  for (std::string& note : report->notes) note = impl::note_at_origin(std::move(note), source.map);
  return report;
}

}  // namespace cuco
