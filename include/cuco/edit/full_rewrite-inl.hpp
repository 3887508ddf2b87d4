// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/full_rewrite.hpp"
#include "cuco/edit/impl/edit_check.hpp"
#include "cuco/edit/impl/found_code.hpp"
#include "cuco/edit/impl/full_rewriter.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE EditResult apply_full_rewrite(std::string_view source, std::string_view reply) {
  auto const program = impl::program_to_edit(source);
  if (!program) return tl::unexpected<EditProblem>(program.error());
  auto const has_markers = [](std::string_view code) {
    auto const found = find_evolve_blocks(code);
    return found && !found->empty();
  };
  auto code = impl::CodeFinder(reply).run(has_markers);
  if (!code) return tl::unexpected<EditProblem>(std::move(code).error());
  impl::FullRewriter rewriter(*program);
  auto texts = rewriter.run(code->text);
  if (!texts) return tl::unexpected<EditProblem>(std::move(texts).error());

  Edited out;
  out.notes = std::move(code->notes);
  out.notes.insert(out.notes.end(), rewriter.notes().begin(), rewriter.notes().end());
  impl::NewlineFitter const newlines(code->text);
  bool marker_lines = false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < texts->size(); ++i) {
    EvolveBlock const& block = program->blocks[i];
    std::string const text = newlines.fit((*texts)[i], impl::newline_for(source, block));
    for (std::string_view line : impl::split_lines(text))
      marker_lines = marker_lines || impl::looks_like_marker(line);
    out.edits += text == source.substr(block.text.begin, block.text.size()) ? 0 : 1;
    (out.code += source.substr(at, block.text.begin - at)) += text;
    at = block.text.end;
  }
  out.code += source.substr(at);
  auto problem = impl::check_edit(
      *program, out.code, [](std::uint32_t) { return std::string(); }, marker_lines);
  if (problem) return tl::unexpected<EditProblem>(std::move(*problem));
  return out;
}

}  // namespace cuco
