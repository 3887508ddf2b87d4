// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/impl/diff_grammar.hpp"
#include "cuco/edit/impl/diff_patcher.hpp"
#include "cuco/edit/impl/myers.hpp"
#include "cuco/edit/impl/patched_text.hpp"

namespace cuco::impl {

/// Writes the edits that turn `from` into `to`, which has the same frozen text. Each edit gets as much
/// context as makes its place unique when it is its turn.
class DiffWriter {
 public:
  /// Both must outlive it.
  DiffWriter(ParsedProgram const& from, ParsedProgram const& to)
      : from_program_(from), to_program_(to), from_(make_lines(from.text)), to_(make_lines(to.text)) {}

  std::optional<std::string> run() {
    find_hunks();
    if (make_edits()) {
      // Plain markers, unless the text has lines like them, mixed newlines or other things that need care.
      for (bool const verbatim : {false, true})
        if (std::string patch = render(verbatim); leads_to(patch)) return patch;
    }
    // All lines; but for a last one that ends in a lone carriage return, which the newline behind it would
    // change.
    for (Lines* lines : {&from_, &to_})
      if (lines->back().newline.empty() && lines->back().text.ends_with('\r')) lines->pop_back();
    edits_ = {{from_, to_, true, 0}};
    if (std::string patch = render(true); leads_to(patch)) return patch;
    return std::nullopt;
  }

 private:
  /// Lines `[a, a_end)` of `from` become `[b, b_end)` of `to`.
  struct Hunk {
    std::size_t block, a, a_end, b, b_end;
  };
  static constexpr std::size_t kMostHunks = 200;

  static std::vector<std::string_view> lines_of(std::string_view text, EvolveBlock const& block) {
    return split_lines(text.substr(block.text.begin, block.text.size()));
  }

  void find_hunks() {
    for (std::size_t i = 0; i < from_program_.blocks.size(); ++i) {
      std::size_t const a = from_program_.blocks[i].start_line;
      std::size_t const b = to_program_.blocks[i].start_line;
      for (DiffRun const& run : diff_lines(lines_of(from_program_.text, from_program_.blocks[i]),
                                           lines_of(to_program_.text, to_program_.blocks[i])))
        hunks_.push_back({i,
                          a + static_cast<std::size_t>(run.a),
                          a + static_cast<std::size_t>(run.a_end),
                          b + static_cast<std::size_t>(run.b),
                          b + static_cast<std::size_t>(run.b_end)});
    }
    if (hunks_.size() <= kMostHunks) return;
    // One for each block.
    std::vector<Hunk> merged;
    for (Hunk const& h : hunks_) {
      if (merged.empty() || merged.back().block != h.block) {
        merged.push_back(h);
      } else {
        merged.back().a_end = h.a_end;
        merged.back().b_end = h.b_end;
      }
    }
    hunks_ = std::move(merged);
  }

  using Lines = std::vector<TextLine>;
  static void add(Lines& out, Lines const& lines, std::size_t begin, std::size_t end) {
    out.insert(out.end(),
               lines.begin() + static_cast<std::ptrdiff_t>(begin),
               lines.begin() + static_cast<std::ptrdiff_t>(end));
  }

  /// False when an edit has no unique place.
  bool make_edits() {
    if (hunks_.size() > kMostEdits) return false;
    PatchedText text(from_program_.text, from_program_.blocks);
    for (std::size_t i = 0; i < hunks_.size();) {
      Hunk h = hunks_[i++];
      std::size_t const begin = to_program_.blocks[h.block].start_line;
      std::size_t const end = from_program_.blocks[h.block].end_line - 1;
      bool placed = false;
      for (std::size_t context = 3; !placed; context *= 2) {
        for (; i < hunks_.size() && hunks_[i].block == h.block && hunks_[i].a <= h.a_end + context; ++i) {
          h.a_end = hunks_[i].a_end;
          h.b_end = hunks_[i].b_end;
        }
        std::size_t const first = h.b - std::min(context, h.b - begin);
        std::size_t const last = h.a_end + std::min(context, end - h.a_end);
        placed = place(text, h, first, last);
        if (first == begin && last == end) break;
      }
      // Frozen lines on both sides help where the whole block does not.
      std::size_t const lowest = h.block == 0 ? 0 : to_program_.blocks[h.block - 1].end_line;
      std::size_t const highest = h.block + 1 == from_program_.blocks.size()
                                      ? from_.size()
                                      : from_program_.blocks[h.block + 1].start_line - 1;
      for (std::size_t context = 1; !placed; context *= 2) {
        std::size_t const first = begin - std::min(context, begin - lowest);
        std::size_t const last = end + std::min(context, highest - end);
        placed = place(text, h, first, last);
        if (first == lowest && last == highest) break;
      }
      if (!placed) return false;
    }
    return true;
  }

  /// Makes the edit with lines from `first` of `to` to `last` of `from` around it. Above the edit the text is
  /// that of `to` already.
  bool place(PatchedText& text, Hunk const& h, std::size_t first, std::size_t last) {
    SearchReplace edit;
    add(edit.search, to_, first, h.b);
    add(edit.search, from_, h.a, last);
    if (all_blank(edit.search)) return false;
    auto const at = text.locate(edit.search, Match::kExact);
    auto const& places = at.inside.empty() ? at.crossing : at.inside;
    if (places.size() != 1 || places[0] != first) return false;
    add(edit.replace, to_, first, h.b_end);
    add(edit.replace, from_, h.a_end, last);
    if (text.replace(first, edit.search, edit.replace, Match::kVerbatim, 1)) return false;
    edits_.push_back(std::move(edit));
    return true;
  }

  [[nodiscard]] std::string render(bool verbatim) const {
    std::size_t length = kMarkerLength;
    if (verbatim) {
      // Longer than every line that could be taken for a marker line.
      length = kVerbatimMarkerLength;
      for (SearchReplace const& e : edits_)
        for (auto const* lines : {&e.search, &e.replace})
          for (TextLine const& l : *lines) length = std::max(length, read_diff_marker(l.text).length + 1);
    }
    std::string out;
    auto write = [&](Lines const& lines) {
      for (TextLine const& l : lines) (out += l.text) += verbatim && l.newline.size() == 2 ? "\r\n" : "\n";
    };
    for (SearchReplace const& e : edits_) {
      out += std::string(length, '<') + " SEARCH\n";
      write(e.search);
      out += std::string(length, '=') + "\n";
      write(e.replace);
      out += std::string(length, '>') + " REPLACE\n";
    }
    return out;
  }

  [[nodiscard]] bool leads_to(std::string const& patch) const {
    auto const edits = DiffReader().run(patch);
    return edits && DiffPatcher(from_program_).text_after(*edits) == to_program_.text;
  }

  ParsedProgram const& from_program_;
  ParsedProgram const& to_program_;
  Lines from_, to_;
  std::vector<Hunk> hunks_{};
  std::vector<SearchReplace> edits_{};
};

}  // namespace cuco::impl
