// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/markers.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/result.hpp"
#include "cuco/edit/evolve_blocks.hpp"

namespace cuco::impl {

/// A program, lexed, with its EVOLVE blocks. Refers to its text.
struct ParsedProgram {
  std::string_view text;
  TokenStream stream;
  std::vector<EvolveBlock> blocks;
};

inline Result<ParsedProgram> parse_program(std::string_view text, TokenStream stream, std::string_view name) {
  auto marked = find_marked_blocks(text, stream, name);
  if (!marked) return forward_error(std::move(marked));
  ParsedProgram out{text, std::move(stream), {}};
  for (MarkedBlock const& b : *marked) out.blocks.push_back({b.text, b.start_line, b.end_line});
  return out;
}

inline Result<ParsedProgram> parse_program(std::string_view text, std::string_view name) {
  auto stream = lex(text, name);
  if (!stream) return forward_error(std::move(stream));
  return parse_program(text, std::move(*stream), name);
}

}  // namespace cuco::impl
