// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "cuco/analysis/impl/markers.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/result.hpp"
#include "cuco/edit/edit_result.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/impl/block_outline.hpp"
#include "cuco/edit/impl/excerpt.hpp"
#include "cuco/edit/impl/parsed_program.hpp"

namespace cuco::impl {

inline constexpr char const* kMarkerAdvice =
    "a block stands between the lines // EVOLVE-BLOCK-START and // EVOLVE-BLOCK-END, each alone on its line; "
    "neither "
    "may be added, removed or moved";

[[nodiscard]] inline tl::unexpected<EditProblem> refuse(EditFault fault,
                                                        std::string cause,
                                                        std::string advice = {}) {
  return tl::unexpected<EditProblem>(EditProblem{fault, std::move(cause), std::move(advice)});
}

/// True for a line that would be a marker if it stood in code.
inline bool looks_like_marker(std::string_view line) {
  std::string_view const s = trim(line);
  if (!s.starts_with("//")) return false;
  std::string_view const word = trim(s.substr(2));
  return word == "EVOLVE-BLOCK-START" || word == "EVOLVE-BLOCK-END";
}

/// "lines 10-40 and 60-80", as many as fit in a sentence.
inline std::string name_regions(std::vector<EvolveBlock> const& blocks) {
  constexpr std::size_t kMost = 8;
  std::string out;
  for (std::size_t i = 0; i < blocks.size() && i < kMost; ++i) {
    if (i > 0) out += i + 1 == blocks.size() ? " and " : ", ";
    std::uint32_t const first = blocks[i].start_line + 1;
    std::uint32_t const last = blocks[i].end_line - 1;
    if (first > last) {
      out += "the place after line " + std::to_string(blocks[i].start_line);
    } else {
      out += first == last ? "line " + std::to_string(first)
                           : "lines " + std::to_string(first) + "-" + std::to_string(last);
    }
  }
  if (blocks.size() > kMost) out += " and " + std::to_string(blocks.size() - kMost) + " more";
  return out;
}

inline tl::expected<ParsedProgram, EditProblem> program_to_edit(std::string_view source) {
  auto program = parse_program(source, "the program");
  if (!program)
    return refuse(EditFault::kMarkers, "the program cannot be edited: " + to_line(program.error()));
  if (program->blocks.empty())
    return refuse(EditFault::kMarkers, "the program has no EVOLVE block, so all of it is frozen");
  return std::move(*program);
}

/// Equal but for comments, layout and what is under `#if 0`.
inline bool same_code(TokenStream const& a, TokenStream const& b) {
  auto i = a.tokens.begin();
  auto j = b.tokens.begin();
  while (true) {
    while (i != a.tokens.end() && !i->active) ++i;
    while (j != b.tokens.end() && !j->active) ++j;
    if (i == a.tokens.end() || j == b.tokens.end()) return i == a.tokens.end() && j == b.tokens.end();
    if (i++->text != j++->text) return false;
  }
}

/// For programs with as many blocks: equal, byte for byte, outside of them.
inline bool same_frozen_text(ParsedProgram const& a, ParsedProgram const& b) {
  std::size_t i = 0;
  std::size_t j = 0;
  for (std::size_t k = 0; k < a.blocks.size(); ++k) {
    if (a.text.substr(i, a.blocks[k].text.begin - i) != b.text.substr(j, b.blocks[k].text.begin - j))
      return false;
    i = a.blocks[k].text.end;
    j = b.blocks[k].text.end;
  }
  return a.text.substr(i) == b.text.substr(j);
}

/// Checks `code`, made from `source` by new texts of its blocks: frozen bytes are the same, nothing that
/// begins in a block reaches out of it, and something has changed.
///
/// @param writer Names the edit to blame for a line of `code` ("edit 2: ", or nothing); for line 0, for
/// marker lines.
inline std::optional<EditProblem> check_edit(ParsedProgram const& source,
                                             std::string_view code,
                                             std::function<std::string(std::uint32_t)> const& writer,
                                             bool marker_lines_written) {
  auto problem = [](EditFault fault, std::string cause, std::string advice = {}) {
    return EditProblem{fault, std::move(cause), std::move(advice)};
  };
  if (code.find('\0') != std::string_view::npos)
    return problem(EditFault::kLanguage, "the new text holds a NUL byte", "send text only");
  auto stream = lex(code);
  if (!stream)
    return problem(EditFault::kMalformed,
                   writer(stream.error().line) + stream.error().cause + ", in line " +
                       std::to_string(stream.error().line) + " of the result",
                   stream.error().remedy);
  auto const result = parse_program(code, std::move(*stream), "the result");
  std::string const why = result ? "" : ": " + result.error().cause;
  if (!result || result->blocks.size() != source.blocks.size()) {
    if (marker_lines_written)
      return problem(EditFault::kMarkers, writer(0) + "the new text has marker lines" + why, kMarkerAdvice);
    return problem(EditFault::kMalformed,
                   writer(result ? 0 : result.error().line) +
                       "the new text leaves something open that hides a marker line",
                   "close every comment, literal and line continuation inside its block");
  }
  if (!same_frozen_text(source, *result)) {
    if (marker_lines_written)
      return problem(EditFault::kMarkers,
                     writer(0) + "the new text has marker lines, which would move a block",
                     kMarkerAdvice);
    return problem(EditFault::kFrozen, "the result differs outside of the EVOLVE blocks", kMarkerAdvice);
  }
  auto const was = outlines_of(source.stream, source.blocks);
  auto const is = outlines_of(result->stream, result->blocks);
  for (std::size_t i = 0; i < is.size(); ++i) {
    std::string const block = "block " + std::to_string(i + 1);
    if (is[i].conditions != was[i].conditions)
      return problem(
          EditFault::kMalformed,
          block + " has " +
              (is[i].conditions.empty() ? "lost its " + excerpt(was[i].conditions, 60)
                                        : excerpt(is[i].conditions, 60) + " without its other half"),
          "every #if needs its #endif inside the same block");
    if (is[i].brackets != was[i].brackets)
      return problem(
          EditFault::kMalformed,
          block + (is[i].brackets.empty() ? " has lost its loose " + excerpt(was[i].brackets, 60)
                                          : " has the loose brackets " + excerpt(is[i].brackets, 60)),
          "brackets must balance inside a block: what they leave open moves frozen text to another place");
  }
  if (source.text == code)
    return problem(
        EditFault::kNoChange, "the program is unchanged, byte for byte", "send a change of the code");
  if (same_code(source.stream, result->stream))
    return problem(EditFault::kNoChange,
                   "only comments and layout change; the program is the same",
                   "send a change of the code");
  return std::nullopt;
}

}  // namespace cuco::impl
