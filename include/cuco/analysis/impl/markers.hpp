// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/token.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// The text between the EVOLVE marker lines `start_line` and `end_line`.
struct MarkedBlock {
  Span text;
  std::uint32_t start_line = 0;
  std::uint32_t end_line = 0;
};

inline std::size_t line_begin(std::string_view s, std::size_t offset) {
  std::size_t const newline = offset == 0 ? std::string_view::npos : s.rfind('\n', offset - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}
/// One past the newline, or the end of the text.
inline std::size_t line_end(std::string_view s, std::size_t offset) {
  std::size_t const newline = s.find('\n', offset);
  return newline == std::string_view::npos ? s.size() : newline + 1;
}

/// `EVOLVE-BLOCK-START` or `EVOLVE-BLOCK-END` of a comment that is a marker, in whatever spelling; else "".
inline std::string_view marker_word(std::string_view source, Comment const& comment) {
  if (!comment.text.starts_with("//")) return {};
  std::string_view const word = trim(comment.text.substr(2));
  if (word != "EVOLVE-BLOCK-START" && word != "EVOLVE-BLOCK-END") return {};
  std::size_t const begin = line_begin(source, comment.offset);
  return trim(source.substr(begin, comment.offset - begin)).empty() ? word : std::string_view();
}

/// What `find_evolve_blocks` documents, for a source that is lexed already.
inline Result<std::vector<MarkedBlock>> find_marked_blocks(std::string_view source,
                                                           TokenStream const& stream,
                                                           std::string_view file) {
  std::vector<MarkedBlock> blocks;
  bool open = false;
  for (Comment const& comment : stream.comments) {
    std::string_view const word = marker_word(source, comment);
    if (word.empty()) continue;
    bool const start = word == "EVOLVE-BLOCK-START";
    std::size_t const begin = line_begin(source, comment.offset);
    if (start) {
      if (open)
        return fail_at(ErrorCode::kParse,
                       std::string(file),
                       comment.line,
                       "EVOLVE-BLOCK-START inside the block that starts at line " +
                           std::to_string(blocks.back().start_line),
                       "write // EVOLVE-BLOCK-END before it");
      MarkedBlock block;
      block.text.begin = static_cast<std::uint32_t>(line_end(source, comment.offset + comment.text.size()));
      block.start_line = comment.line;
      blocks.push_back(block);
      open = true;
    } else {
      if (!open)
        return fail_at(ErrorCode::kParse,
                       std::string(file),
                       comment.line,
                       "EVOLVE-BLOCK-END without a START before it",
                       "write // EVOLVE-BLOCK-START before it");
      blocks.back().text.end = static_cast<std::uint32_t>(begin);
      blocks.back().end_line = comment.line;
      open = false;
    }
  }
  if (open)
    return fail_at(ErrorCode::kParse,
                   std::string(file),
                   blocks.back().start_line,
                   "EVOLVE-BLOCK-START without an END after it",
                   "write // EVOLVE-BLOCK-END after it");
  return blocks;
}

}  // namespace cuco::impl
