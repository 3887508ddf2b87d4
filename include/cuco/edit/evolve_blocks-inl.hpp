// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/markers.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/impl/block_outline.hpp"

namespace cuco {
namespace impl {

/// `source` without its blocks, each of which leaves one NUL. A source holds no NUL, so the joints are
/// unique.
CUCO_EVOLVE_INLINE std::string join_frozen(std::string_view source, std::vector<EvolveBlock> const& blocks) {
  std::string out;
  out.reserve(source.size());
  std::size_t at = 0;
  for (EvolveBlock const& b : blocks) {
    out += source.substr(at, b.text.begin - at);
    out += '\0';
    at = b.text.end;
  }
  out += source.substr(at);
  return out;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<std::vector<EvolveBlock>> find_evolve_blocks(std::string_view source,
                                                                       std::string_view file) {
  auto parsed = impl::parse_program(source, file);
  if (!parsed) return forward_error(std::move(parsed));
  return std::move(parsed->blocks);
}

CUCO_EVOLVE_INLINE Result<std::vector<std::string>> extract_evolve_blocks(std::string_view source,
                                                                          std::string_view file) {
  auto blocks = find_evolve_blocks(source, file);
  if (!blocks) return forward_error(std::move(blocks));
  std::vector<std::string> texts;
  for (EvolveBlock const& b : *blocks) texts.emplace_back(source.substr(b.text.begin, b.text.size()));
  return texts;
}

CUCO_EVOLVE_INLINE Result<std::string> frozen_text(std::string_view source, std::string_view file) {
  auto blocks = find_evolve_blocks(source, file);
  if (!blocks) return forward_error(std::move(blocks));
  return impl::join_frozen(source, *blocks);
}

CUCO_EVOLVE_INLINE Result<std::string> frozen_hash(std::string_view source, std::string_view file) {
  auto text = frozen_text(source, file);
  if (!text) return forward_error(std::move(text));
  std::uint64_t state = impl::fnv1a(*text) ^ text->size();
  std::uint64_t hash = impl::splitmix64(state);
  std::string hex(16, '0');
  for (std::size_t i = 16; i-- > 0; hash >>= 4U) hex[i] = "0123456789abcdef"[hash & 15U];
  return hex;
}

CUCO_EVOLVE_INLINE Result<std::string> replace_evolve_blocks(std::string_view source,
                                                             std::vector<std::string> const& texts) {
  auto const before = impl::parse_program(source, "<source>");
  if (!before) return tl::unexpected<Error>(before.error());
  auto const& blocks = before->blocks;
  if (blocks.size() != texts.size())
    return fail(
        ErrorCode::kInvalidArgument,
        std::to_string(texts.size()) + " texts for " + std::to_string(blocks.size()) + " EVOLVE blocks",
        "pass one text per block");
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Span const old = blocks[i].text;
    out += source.substr(at, old.begin - at);
    out += texts[i];
    if (!texts[i].empty() && texts[i].back() != '\n')
      out += source.substr(0, old.begin).ends_with("\r\n") ? "\r\n" : "\n";
    at = old.end;
  }
  out += source.substr(at);
  auto const after = impl::parse_program(out, "<source>");
  if (!after || impl::join_frozen(out, after->blocks) != impl::join_frozen(source, blocks))
    return fail(ErrorCode::kInvalidArgument,
                "the new text of an EVOLVE block changes frozen text" +
                    (after ? std::string() : " (" + to_line(after.error()) + ")"),
                "write no markers and leave no comment or literal open inside a block");
  if (auto placed = impl::check_outlines(*before, *after, "<program>"); !placed)
    return fail(ErrorCode::kInvalidArgument, placed.error().cause, placed.error().remedy);
  return out;
}

}  // namespace cuco
