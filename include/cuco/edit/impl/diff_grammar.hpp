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

#include <tl/expected.hpp>

#include "cuco/edit/edit_result.hpp"
#include "cuco/edit/impl/excerpt.hpp"
#include "cuco/edit/impl/text_line.hpp"

namespace cuco::impl {

inline constexpr std::size_t kMostEdits = 1000;           ///< In one reply.
inline constexpr std::size_t kMarkerLength = 7;           ///< As written.
inline constexpr std::size_t kVerbatimMarkerLength = 10;  ///< From here on, exactly as many close as opened.

inline constexpr char const* kDiffGrammar =
    "write each edit as\n"
    "<<<<<<< SEARCH\n"
    "whole lines, as they are in the program\n"
    "=======\n"
    "the lines that take their place\n"
    ">>>>>>> REPLACE";

/// One SEARCH/REPLACE block of a reply. Lines refer to the reply.
struct SearchReplace {
  std::vector<TextLine> search;
  std::vector<TextLine> replace;
  bool verbatim = false;
  std::size_t reply_line = 0;  ///< Of its first marker line.
};

struct DiffReply {
  std::vector<SearchReplace> edits;
  std::vector<std::string> notes;
};

inline bool equal_words(std::string_view a, std::string_view upper_case) {
  return std::equal(a.begin(), a.end(), upper_case.begin(), upper_case.end(), [](char x, char y) {
    return (x >= 'a' && x <= 'z' ? static_cast<char>(x - 'a' + 'A') : x) == y;
  });
}

/// What a line of a reply is in the grammar.
struct DiffMarker {
  enum Kind : std::uint8_t { kNone, kSearch, kSeparator, kReplace, kOpenTag, kCloseTag };
  Kind kind = kNone;
  std::size_t length = 0;  ///< Of the run of `<`, `=` or `>`.
  bool named = false;      ///< REPLACE is written out.
  bool opens = false;      ///< `<DIFF>` stands before it on the line.
};

inline DiffMarker read_plain_marker(std::string_view s) {
  if (s.size() < 3 || (s[0] != '<' && s[0] != '=' && s[0] != '>')) return {};
  std::size_t const n = std::min(s.find_first_not_of(s[0]), s.size());
  if (n < 3) return {};
  std::string_view word = trim(s.substr(n));
  if (s[0] == '>' && word.size() >= 7 && equal_words(word.substr(word.size() - 7), "</DIFF>"))
    word = trim_right(word.substr(0, word.size() - 7));
  if (word.ends_with(':')) word = trim_right(word.substr(0, word.size() - 1));
  if (s[0] == '<') return equal_words(word, "SEARCH") ? DiffMarker{DiffMarker::kSearch, n} : DiffMarker{};
  if (s[0] == '=') return word.empty() ? DiffMarker{DiffMarker::kSeparator, n} : DiffMarker{};
  bool const named = equal_words(word, "REPLACE");
  return named || word.empty() ? DiffMarker{DiffMarker::kReplace, n, named} : DiffMarker{};
}

inline DiffMarker read_diff_marker(std::string_view line) {
  std::string_view const s = trim(line);
  if (equal_words(s, "</DIFF>")) return {DiffMarker::kCloseTag};
  if (!equal_words(s.substr(0, 6), "<DIFF>")) return read_plain_marker(s);
  if (s.size() == 6) return {DiffMarker::kOpenTag, 0, false, true};
  DiffMarker m = read_plain_marker(trim(s.substr(6)));
  if (m.kind != DiffMarker::kSearch) return {};
  m.opens = true;
  return m;
}

/// Reads the blocks of a reply, line by line. Total; O(reply).
class DiffReader {
 public:
  tl::expected<DiffReply, EditProblem> run(std::string_view reply) {
    for (std::string_view line : split_lines(reply)) {
      ++line_;
      take(line, read_diff_marker(line));
    }
    if (state_ != kOutside && state_ != kSkip)
      broken("is not finished: the reply ends " +
             std::string(state_ == kSearch ? "before its =======" : "before its >>>>>>> REPLACE"));
    return result(reply);
  }

 private:
  enum State : std::uint8_t { kOutside, kSearch, kReplace, kSkip };
  struct Block {
    SearchReplace edit;
    bool in_element;
    std::string problem;
    std::string note;
  };

  void take(std::string_view line, DiffMarker m) {
    if (state_ == kOutside || state_ == kSkip) return outside(m);
    bool const verbatim = blocks_.back().edit.verbatim;
    bool const counts = verbatim ? m.length == length_ : m.length >= 5 && m.length < kVerbatimMarkerLength;
    bool const tag = !verbatim && (m.kind == DiffMarker::kOpenTag || m.kind == DiffMarker::kCloseTag);
    if (m.kind == DiffMarker::kSearch && counts) {
      broken("is not finished: another one begins in line " + std::to_string(line_) + " of the reply");
      return outside(m);
    }
    if (tag) {
      broken("is not finished: the reply's <DIFF> element " +
             std::string(m.kind == DiffMarker::kOpenTag ? "begins" : "ends") + " inside it");
      return outside(m);
    }
    if (m.kind == DiffMarker::kSeparator && counts) {
      odd_length(m.length);
      if (state_ == kReplace) {
        // Which of the two separates is not to be guessed.
        broken("has two ======= lines");
        state_ = kSkip;
      }
      if (state_ == kSearch) state_ = kReplace;
      return;
    }
    if (m.kind == DiffMarker::kReplace && counts) {
      odd_length(m.length);
      if (state_ == kSearch) broken("has no ======= line before its >>>>>>> REPLACE");
      if (!m.named && blocks_.back().problem.empty()) add_note("ends without the word REPLACE");
      state_ = kOutside;
      return;
    }
    SearchReplace& edit = blocks_.back().edit;
    (state_ == kSearch ? edit.search : edit.replace).push_back(make_line(line));
  }

  void outside(DiffMarker m) {
    if (m.opens) in_element_ = true;
    if (m.kind == DiffMarker::kCloseTag) in_element_ = false;
    if (m.kind == DiffMarker::kReplace && m.named && state_ == kOutside && m.length >= 5) stray_ = line_;
    if (m.kind == DiffMarker::kReplace) state_ = kOutside;
    if (m.kind != DiffMarker::kSearch) return;
    if (m.length < 5) {
      short_ = m.length;
      return;
    }
    state_ = kSearch;
    length_ = m.length;
    blocks_.push_back({{}, in_element_, {}, {}});
    blocks_.back().edit.verbatim = m.length >= kVerbatimMarkerLength;
    blocks_.back().edit.reply_line = line_;
    odd_length(m.length);
  }

  void broken(std::string what) {
    if (blocks_.back().problem.empty()) blocks_.back().problem = std::move(what);
    state_ = kOutside;
  }
  void add_note(std::string const& what) {
    std::string& note = blocks_.back().note;
    if (note.empty()) note = what;
  }
  void odd_length(std::size_t n) {
    if (n != kMarkerLength && !blocks_.back().edit.verbatim)
      add_note("a marker line has " + std::to_string(n) + " characters in place of 7");
  }

  /// A fence around the lines of one side is no part of them.
  static bool strip_fence(std::vector<TextLine>& lines) {
    auto blank = [](TextLine const& l) { return l.blank(); };
    auto const first = std::find_if_not(lines.begin(), lines.end(), blank);
    auto const last = std::find_if_not(lines.rbegin(), lines.rend(), blank).base();
    if (last - first < 2) return false;
    std::string_view const open = trim(first->text);
    std::string_view const close = trim((last - 1)->text);
    if (!(open.starts_with("```") || open.starts_with("~~~")) || !close.starts_with(open.substr(0, 3)) ||
        close.find_first_not_of(open[0]) != std::string_view::npos)
      return false;
    lines.erase(last - 1, lines.end());
    lines.erase(lines.begin(), first + 1);
    return true;
  }

  tl::expected<DiffReply, EditProblem> result(std::string_view reply) {
    DiffReply out;
    bool const element =
        std::any_of(blocks_.begin(), blocks_.end(), [](Block const& b) { return b.in_element; });
    std::size_t const all = blocks_.size();
    if (element)
      blocks_.erase(
          std::remove_if(blocks_.begin(), blocks_.end(), [](Block const& b) { return !b.in_element; }),
          blocks_.end());
    if (blocks_.size() != all)
      out.notes.push_back(std::to_string(all - blocks_.size()) + " blocks outside of <DIFF> left out");
    if (blocks_.empty()) return tl::unexpected<EditProblem>(no_blocks(reply));
    if (blocks_.size() > kMostEdits)
      return tl::unexpected<EditProblem>(EditProblem{EditFault::kMalformed,
                                                     "the reply holds " + std::to_string(blocks_.size()) +
                                                         " edits, more than " + std::to_string(kMostEdits),
                                                     "put neighbouring lines into one edit"});
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      std::string const name = blocks_.size() == 1 ? "the edit" : "edit " + std::to_string(i + 1);
      if (!blocks_[i].problem.empty())
        return tl::unexpected<EditProblem>(
            EditProblem{EditFault::kMalformed, name + " " + blocks_[i].problem, advice(blocks_[i].problem)});
      SearchReplace& edit = blocks_[i].edit;
      if (!blocks_[i].note.empty()) out.notes.push_back(name + ": " + blocks_[i].note);
      bool const search_fenced = !edit.verbatim && strip_fence(edit.search);
      bool const replace_fenced = !edit.verbatim && strip_fence(edit.replace);
      if (search_fenced || replace_fenced) out.notes.push_back(name + ": code fence inside it left out");
      out.edits.push_back(std::move(edit));
    }
    return out;
  }

  static std::string advice(std::string const& problem) {
    std::string out = "nothing was applied; send all edits again, complete; ";
    out += kDiffGrammar;
    if (problem == "has two ======= lines")
      out +=
          "\nwhere the code itself has such lines, write all three marker lines with 10 characters in place "
          "of 7";
    return out;
  }

  [[nodiscard]] EditProblem no_blocks(std::string_view reply) const {
    if (short_ != 0)
      return {EditFault::kMalformed,
              "the marker lines have " + std::to_string(short_) + " characters in place of 7",
              kDiffGrammar};
    if (stray_ != 0)
      return {EditFault::kMalformed,
              ">>>>>>> REPLACE in line " + std::to_string(stray_) +
                  " of the reply has no <<<<<<< SEARCH before it",
              kDiffGrammar};
    bool unified = false;
    bool fence = false;
    for (std::string_view line : split_lines(reply)) {
      unified = unified || line.starts_with("@@ -") || line.starts_with("diff --git ");
      fence = fence || trim(line).starts_with("```");
    }
    if (unified) return {EditFault::kMalformed, "the reply holds a unified diff", kDiffGrammar};
    return {EditFault::kNothing,
            fence ? "the reply holds code, but no edit" : "the reply holds no edit",
            kDiffGrammar};
  }

  State state_ = kOutside;
  std::size_t line_ = 0;
  std::size_t length_ = 0;  ///< Of the marker line that opened the block.
  bool in_element_ = false;
  std::size_t stray_ = 0;
  std::size_t short_ = 0;
  std::vector<Block> blocks_{};
};

}  // namespace cuco::impl
