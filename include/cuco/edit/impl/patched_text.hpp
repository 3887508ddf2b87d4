// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/impl/diff_grammar.hpp"
#include "cuco/edit/impl/reindent.hpp"
#include "cuco/edit/impl/text_line.hpp"

namespace cuco::impl {

/// The newline that most lines of the block have; that of its START line when it is empty.
inline std::string_view newline_for(std::string_view source, EvolveBlock const& block) {
  std::size_t lines = 0;
  std::size_t returns = 0;
  std::string_view const text = source.substr(block.text.begin, block.text.size());
  for (std::size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1)) {
    ++lines;
    returns += i > 0 && text[i - 1] == '\r' ? 1 : 0;
  }
  bool const crlf = lines == 0 ? source.substr(0, block.text.begin).ends_with("\r\n") : 2 * returns > lines;
  return crlf ? "\r\n" : "\n";
}

/// A program while edits are made to it: its lines, and which of them may change.
class PatchedText {
 public:
  /// Lines refer to `source`, which must outlive it. `blocks` are those of `source`.
  PatchedText(std::string_view source, std::vector<EvolveBlock> const& blocks) : lines_(make_lines(source)) {
    assign(lines_, blocks);
    for (std::size_t b = 0; b < blocks.size(); ++b) newlines_.push_back(newline_for(source, blocks[b]));
  }

  PatchedText(PatchedText const&) = delete;
  PatchedText& operator=(PatchedText const&) = delete;

  /// Where lines occur. An occurrence counts as crossing when it takes in marker lines.
  struct Places {
    std::vector<std::size_t> inside, crossing, frozen;
  };
  [[nodiscard]] Places locate(std::vector<TextLine> const& search, Match match) const {
    Places out;
    std::vector<std::size_t> markers;
    for (std::size_t const at : find_lines(lines_, search, match)) {
      std::size_t const end = at + search.size();
      bool const inside = !lines_[at].frozen() && lines_[at].block == lines_[end - 1].block;
      if (!inside && markers.empty())
        for (std::size_t i = 0; i < lines_.size(); ++i)
          if (lines_[i].start || lines_[i].end) markers.push_back(i);
      auto const next = std::lower_bound(markers.begin(), markers.end(), at);
      bool const crossing = next != markers.end() && *next < end;
      (inside ? out.inside : crossing ? out.crossing : out.frozen).push_back(at);
    }
    for (auto* places : {&out.inside, &out.crossing, &out.frozen}) verify(*places, search, match);
    return out;
  }

  /// Puts `replace` in place of the lines from `at` that `search` was found at. Fails with kMarkers or
  /// kFrozen when that would change frozen lines; those that it takes in unchanged stay byte for byte.
  [[nodiscard]] std::optional<EditProblem> replace(std::size_t at,
                                                   std::vector<TextLine> const& search,
                                                   std::vector<TextLine> const& replace,
                                                   Match match,
                                                   std::uint32_t edit) {
    std::size_t const end = at + search.size();
    std::vector<std::size_t> gaps;  // Begin and end of each stretch of mutable text, empty ones too.
    if (!lines_[at].frozen() || lines_[at].end) gaps.push_back(at);
    for (std::size_t i = at; i < end; ++i) {
      if (lines_[i].end) gaps.push_back(i);
      if (lines_[i].start) gaps.push_back(i + 1);
    }
    if (gaps.size() % 2 != 0) gaps.push_back(end);
    if (gaps.size() > 2) return replace_across(at, search, replace, match, edit);
    std::size_t const head = gaps[0] - at;
    std::size_t const tail = end - gaps[1];
    for (std::size_t k = 0; k < head; ++k)
      if (k >= replace.size() || !same_line(search[k], replace[k], Match::kIndentation))
        return changes(at + k);
    for (std::size_t k = 0; k < tail; ++k)
      if (head + k >= replace.size() ||
          !same_line(search[search.size() - 1 - k], replace[replace.size() - 1 - k], Match::kIndentation))
        return changes(end - 1 - k);
    auto part = [&](std::vector<TextLine> const& lines) {
      return std::vector<TextLine>(lines.begin() + static_cast<std::ptrdiff_t>(head),
                                   lines.end() - static_cast<std::ptrdiff_t>(tail));
    };
    std::int32_t const block = block_at(gaps[0]);
    splice(gaps[0], gaps[1], new_lines(gaps[0], part(search), part(replace), match, edit, block));
    return std::nullopt;
  }

  /// Puts `replace` at the end of a block.
  void append(std::size_t block, std::vector<TextLine> const& replace, Match match, std::uint32_t edit) {
    std::size_t at = 0;
    for (std::size_t seen = 0; !lines_[at].end || seen++ != block;) ++at;
    splice(at, at, new_lines(at, {}, replace, match, edit, static_cast<std::int32_t>(block)));
  }

  [[nodiscard]] std::vector<TextLine> const& lines() const { return lines_; }
  [[nodiscard]] std::string text() const { return text_of(lines_); }
  /// The text of each block.
  [[nodiscard]] std::vector<std::string> block_texts() const {
    std::vector<std::string> out(newlines_.size());
    for (TextLine const& l : lines_)
      if (!l.frozen()) (out[static_cast<std::size_t>(l.block)] += l.text) += l.newline;
    return out;
  }

 private:
  static std::string text_of(std::vector<TextLine> const& lines) {
    std::string out;
    for (TextLine const& l : lines) (out += l.text) += l.newline;
    return out;
  }

  static void assign(std::vector<TextLine>& lines, std::vector<EvolveBlock> const& blocks) {
    for (TextLine& l : lines) l.block = -1, l.start = l.end = false;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      lines[blocks[b].start_line - 1].start = true;
      lines[blocks[b].end_line - 1].end = true;
      for (std::size_t i = blocks[b].start_line; i + 1 < blocks[b].end_line; ++i)
        lines[i].block = static_cast<std::int32_t>(b);
    }
  }

  /// Hashes may collide; what is used and what is shown is compared as text.
  void verify(std::vector<std::size_t>& places, std::vector<TextLine> const& search, Match match) const {
    constexpr std::size_t kMost = 8;
    std::vector<std::size_t> out;
    for (std::size_t const at : places) {
      bool same = true;
      for (std::size_t k = 0; out.size() < kMost && same && k < search.size(); ++k)
        same = same_line(lines_[at + k], search[k], match);
      if (same) out.push_back(at);
    }
    places = std::move(out);
  }

  [[nodiscard]] std::int32_t block_at(std::size_t at) const {
    if (at < lines_.size() && !lines_[at].frozen()) return lines_[at].block;
    std::int32_t block = -1;
    for (std::size_t i = 0; i < at; ++i) block += lines_[i].start ? 1 : 0;
    return block;
  }

  [[nodiscard]] EditProblem changes(std::size_t at) const {
    TextLine const& line = lines_[at];
    if (line.start || line.end)
      return {EditFault::kMarkers,
              "drops or moves the marker in line " + std::to_string(line.number),
              "keep marker lines where they are, or leave them out of both SEARCH and REPLACE"};
    return {EditFault::kFrozen,
            "changes line " + std::to_string(line.number) + ", which is frozen",
            "leave frozen lines out of both SEARCH and REPLACE"};
  }

  /// The lines that take the place of those from `at`. What REPLACE has in common with SEARCH at its two ends
  /// keeps the program's bytes.
  [[nodiscard]] std::vector<TextLine> new_lines(std::size_t at,
                                                std::vector<TextLine> const& search,
                                                std::vector<TextLine> const& replace,
                                                Match match,
                                                std::uint32_t edit,
                                                std::int32_t block) {
    Match const unchanged = match == Match::kVerbatim ? match : Match::kTrailing;
    std::size_t const least = std::min(search.size(), replace.size());
    std::size_t head = 0;
    while (head < least && same_line(search[head], replace[head], unchanged)) ++head;
    std::size_t tail = 0;
    while (tail < least - head &&
           same_line(search[search.size() - 1 - tail], replace[replace.size() - 1 - tail], unchanged))
      ++tail;
    Reindent reindent;
    if (match == Match::kIndentation)
      for (std::size_t k = 0; k < search.size(); ++k)
        if (!search[k].blank()) reindent.learn(indentation(search[k].text), indentation(lines_[at + k].text));
    std::vector<TextLine> out(lines_.begin() + static_cast<std::ptrdiff_t>(at),
                              lines_.begin() + static_cast<std::ptrdiff_t>(at + head));
    out.reserve(replace.size());
    for (std::size_t k = head; k < replace.size() - tail; ++k) {
      TextLine line = replace[k];
      if (match == Match::kIndentation) {
        std::string text = reindent(line.text);
        if (text != line.text) line = make_line(owned_.emplace_back(std::move(text)));
      }
      if (match != Match::kVerbatim) set_newline(line, newlines_[static_cast<std::size_t>(block)]);
      if (line.newline.empty()) set_newline(line, "\n");
      line.number = 0;
      line.edit = edit;
      line.block = block;
      out.push_back(line);
    }
    out.insert(out.end(),
               lines_.begin() + static_cast<std::ptrdiff_t>(at + search.size() - tail),
               lines_.begin() + static_cast<std::ptrdiff_t>(at + search.size()));
    return out;
  }

  /// The same for lines of several blocks. Which lines of `replace` go where, its marker lines say.
  [[nodiscard]] std::optional<EditProblem> replace_across(std::size_t at,
                                                          std::vector<TextLine> const& search,
                                                          std::vector<TextLine> const& replace,
                                                          Match match,
                                                          std::uint32_t edit) {
    auto const first = lines_.begin() + static_cast<std::ptrdiff_t>(at);
    auto const last = first + static_cast<std::ptrdiff_t>(search.size());
    std::vector<TextLine> next(lines_.begin(), first);
    auto const middle = new_lines(at, search, replace, match, edit, 0);
    next.insert(next.end(), middle.begin(), middle.end());
    next.insert(next.end(), last, lines_.end());
    for (std::size_t i = 0; i + 1 < next.size(); ++i)
      if (next[i].newline.empty()) set_newline(next[i], "\n");
    auto const blocks = find_evolve_blocks(text_of(next));
    if (!blocks || blocks->size() != newlines_.size())
      return EditProblem{EditFault::kMarkers,
                         "changes the markers that it takes in" + (blocks ? "" : ": " + blocks.error().cause),
                         "keep marker lines where they are, or leave them out of both SEARCH and REPLACE"};
    assign(next, *blocks);
    std::size_t old = 0;
    auto skip = [&] {
      while (old < lines_.size() && !lines_[old].frozen()) ++old;
    };
    for (TextLine& l : next) {
      if (!l.frozen()) {
        if (l.edit == edit && match != Match::kVerbatim)
          set_newline(l, newlines_[static_cast<std::size_t>(l.block)]);
        continue;
      }
      skip();
      if (old == lines_.size() || !same_line(l, lines_[old], Match::kIndentation))
        return changes(std::min(old, lines_.size() - 1));
      l = lines_[old++];
    }
    skip();
    if (old < lines_.size()) return changes(old);
    lines_ = std::move(next);
    return std::nullopt;
  }

  void splice(std::size_t begin, std::size_t end, std::vector<TextLine> const& with) {
    std::size_t const common = std::min(end - begin, with.size());
    auto const at = lines_.begin() + static_cast<std::ptrdiff_t>(begin);
    std::copy_n(with.begin(), common, at);
    if (with.size() > common) {
      lines_.insert(at + static_cast<std::ptrdiff_t>(common),
                    with.begin() + static_cast<std::ptrdiff_t>(common),
                    with.end());
    } else {
      lines_.erase(at + static_cast<std::ptrdiff_t>(common),
                   lines_.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }

  std::vector<TextLine> lines_;
  std::vector<std::string_view> newlines_{};  ///< Of each block.
  std::deque<std::string> owned_{};           ///< What lines refer to that is in neither source nor reply.
};

}  // namespace cuco::impl
