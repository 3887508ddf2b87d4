// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/analysis/token.hpp"
#include "cuco/core/result.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/impl/parsed_program.hpp"

namespace cuco::impl {

/// What a block does to what stands around it. Both texts are empty for nearly every block. As long as they
/// stay as they are, frozen text keeps its place in functions, classes and conditions: `} void unused() {` in
/// a block would move the frozen code behind it to another function without changing a byte of it.
struct BlockOutline {
  std::string conditions;  ///< `#endif` and `#else` without an `#if` of the block, `#if` without an `#endif`.
  std::string brackets;    ///< Closing ones without an opening one in the block, then opening ones left open.
  bool operator==(BlockOutline const&) const = default;
};

/// The tokens inside a block.
inline std::pair<std::size_t, std::size_t> tokens_in(TokenStream const& stream, Span block) {
  auto const& t = stream.tokens;
  auto at = [&](std::uint32_t offset) {
    return static_cast<std::size_t>(
        std::partition_point(t.begin(), t.end(), [&](Token const& x) { return x.offset < offset; }) -
        t.begin());
  };
  return {at(block.begin), at(block.end)};
}

inline BlockOutline outline_of(TokenStream const& stream, Span block) {
  BlockOutline out;
  std::vector<std::string> open_conditions;
  std::string open;
  int alternative = 0;  // inside an #else or #elif of the block: another version of what was counted already
  auto const [first, last] = tokens_in(stream, block);
  for (std::size_t i = first; i < last; ++i) {
    Token const& t = stream.tokens[i];
    if (t.kind == TokenKind::kDirective) {
      std::string const name = split_directive(t.text).name;
      bool const branch = name == "else" || name == "elif" || name == "elifdef" || name == "elifndef";
      if (name == "if" || name == "ifdef" || name == "ifndef") {
        open_conditions.push_back("#" + name + " ");
        if (alternative > 0) ++alternative;
      } else if (name == "endif" && !open_conditions.empty()) {
        open_conditions.pop_back();
        if (alternative > 0) --alternative;
      } else if (name == "endif" || (branch && open_conditions.empty())) {
        out.conditions += "#" + name + " ";
      } else if (branch && alternative == 0) {
        alternative = 1;
      }
      continue;
    }
    if (!t.active || alternative > 0 || t.text.size() != 1) continue;
    char const c = t.text[0];
    if (c == '(' || c == '[' || c == '{') open += c;
    if (c != ')' && c != ']' && c != '}') continue;
    char const wanted = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (!open.empty() && open.back() == wanted) {
      open.pop_back();
    } else {
      // What does not match counts as loose, also when something else is open.
      out.brackets += c;
    }
  }
  for (std::string const& name : open_conditions) out.conditions += name;
  if (!out.conditions.empty()) out.conditions.pop_back();
  out.brackets += open;
  return out;
}

inline std::vector<BlockOutline> outlines_of(TokenStream const& stream,
                                             std::vector<EvolveBlock> const& blocks) {
  std::vector<BlockOutline> out;
  for (EvolveBlock const& block : blocks) out.push_back(outline_of(stream, block.text));
  return out;
}

/// Frozen bytes are the same; here, that they also stand where they stood.
inline Result<void> check_outlines(ParsedProgram const& original,
                                   ParsedProgram const& candidate,
                                   std::string_view file) {
  for (std::size_t i = 0; i < candidate.blocks.size() && i < original.blocks.size(); ++i) {
    auto const was = outline_of(original.stream, original.blocks[i].text);
    auto const is = outline_of(candidate.stream, candidate.blocks[i].text);
    if (is == was) continue;
    bool const condition = is.conditions != was.conditions;
    return fail_at(ErrorCode::kRefused,
                   std::string(file),
                   candidate.blocks[i].start_line,
                   condition ? "an #if of this EVOLVE block reaches out of it"
                             : "brackets of this EVOLVE block reach out of it, which moves frozen text",
                   "close inside a block what is opened there");
  }
  return {};
}

}  // namespace cuco::impl
