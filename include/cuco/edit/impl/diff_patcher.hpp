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

#include <tl/expected.hpp>

#include "cuco/edit/edit_result.hpp"
#include "cuco/edit/impl/diff_grammar.hpp"
#include "cuco/edit/impl/edit_check.hpp"
#include "cuco/edit/impl/nearest_lines.hpp"
#include "cuco/edit/impl/patched_text.hpp"

namespace cuco::impl {

inline bool all_blank(std::vector<TextLine> const& lines) {
  return std::all_of(lines.begin(), lines.end(), [](TextLine const& l) { return l.blank(); });
}

/// Applies the edits of one reply to one program.
class DiffPatcher {
 public:
  /// `program` must outlive it.
  explicit DiffPatcher(ParsedProgram const& program)
      : program_(program), text_(program.text, program.blocks) {}

  tl::expected<Edited, EditProblem> run(DiffReply const& reply) {
    Edited out;
    out.notes = reply.notes;
    notes_ = &out.notes;
    for (std::size_t i = 0; i < reply.edits.size(); ++i) {
      SearchReplace const& edit = reply.edits[i];
      name_ = reply.edits.size() == 1 ? "the edit" : "edit " + std::to_string(i + 1);
      number_ = static_cast<std::uint32_t>(i + 1);
      bool done = false;
      if (auto problem = apply(edit, done)) return tl::unexpected<EditProblem>(std::move(*problem));
      out.edits += done ? 1 : 0;
    }
    out.code = text_.text();
    bool const markers = std::any_of(text_.lines().begin(), text_.lines().end(), writes_marker);
    auto problem = check_edit(
        program_, out.code, [&](std::uint32_t line) { return writer(line); }, markers);
    if (problem) return tl::unexpected<EditProblem>(std::move(*problem));
    return out;
  }

  /// What the edits make of the program, whether it changes or not, without a check.
  std::optional<std::string> text_after(DiffReply const& reply) {
    std::vector<std::string> ignored;
    notes_ = &ignored;
    for (std::size_t i = 0; i < reply.edits.size(); ++i) {
      number_ = static_cast<std::uint32_t>(i + 1);
      bool done = false;
      if (apply(reply.edits[i], done)) return std::nullopt;
    }
    return text_.text();
  }

 private:
  using Lines = std::vector<TextLine>;

  void note(std::string const& what) { notes_->push_back(name_ + ": " + what); }
  [[nodiscard]] EditProblem problem(EditFault fault, std::string const& cause, std::string advice) const {
    return {fault, name_ + ": " + cause, std::move(advice)};
  }
  [[nodiscard]] std::string editable() const {
    return "only these may be edited: " + name_regions(program_.blocks);
  }

  std::optional<EditProblem> apply(SearchReplace const& edit, bool& done) {
    if (all_blank(edit.search)) return append(edit, done);
    auto const same = [&](TextLine const& a, TextLine const& b) {
      return same_line(a, b, edit.verbatim ? Match::kVerbatim : Match::kTrailing);
    };
    if (std::equal(edit.search.begin(), edit.search.end(), edit.replace.begin(), edit.replace.end(), same)) {
      note("left out, its REPLACE is its SEARCH");
      return std::nullopt;
    }
    std::vector<std::size_t> frozen;
    if (auto found = try_matches(edit.search, edit.replace, edit.verbatim, frozen))
      return finish(*found, done);
    if (!edit.verbatim) {
      Lines search = edit.search;
      Lines replace = edit.replace;
      if (strip_blank_lines(search, replace)) {
        if (auto found = try_matches(search, replace, false, frozen)) {
          if (!found->failed) note("matched without the blank lines around it");
          return finish(*found, done);
        }
      }
    }
    if (!frozen.empty())
      return problem(EditFault::kFrozen, "its SEARCH text is in frozen text, " + places(frozen), editable());
    return not_found(edit);
  }

  struct Found {
    std::optional<EditProblem> failed;
  };
  static std::optional<EditProblem> finish(Found& found, bool& done) {
    done = !found.failed;
    return std::move(found.failed);
  }

  /// Applies at the strictest match that has a place in mutable text; empty when none has.
  std::optional<Found> try_matches(Lines const& search,
                                   Lines const& replace,
                                   bool verbatim,
                                   std::vector<std::size_t>& frozen) {
    for (Match const match : {Match::kVerbatim, Match::kExact, Match::kTrailing, Match::kIndentation}) {
      if (verbatim != (match == Match::kVerbatim)) continue;
      PatchedText::Places const at = text_.locate(search, match);
      auto const& hits = at.inside.empty() ? at.crossing : at.inside;
      if (frozen.empty()) frozen = at.frozen;
      if (hits.empty()) continue;
      if (hits.size() > 1)
        return Found{problem(EditFault::kAmbiguous,
                             "its SEARCH text occurs " + std::to_string(hits.size()) +
                                 " times in mutable text, " + places(hits),
                             "repeat more of the lines before and after it, so that only one place fits")};
      if (auto failed = text_.replace(hits[0], search, replace, match, number_)) {
        failed->cause = name_ + " " + failed->cause;
        if (failed->fault != EditFault::kMarkers) failed->advice += "\n" + editable();
        return Found{std::move(failed)};
      }
      if (match == Match::kTrailing) note("matched without blanks at the ends of lines");
      if (match == Match::kIndentation)
        note("matched without indentation; its REPLACE is indented as the program is");
      return Found{std::nullopt};
    }
    return std::nullopt;
  }

  std::optional<EditProblem> append(SearchReplace const& edit, bool& done) {
    if (all_blank(edit.replace))
      return problem(
          EditFault::kNothing, "it is empty: neither SEARCH nor REPLACE holds a line", kDiffGrammar);
    if (program_.blocks.size() > 1)
      return problem(EditFault::kAmbiguous,
                     "its SEARCH is empty, and the program has " + std::to_string(program_.blocks.size()) +
                         " EVOLVE blocks to insert at the end of",
                     "write the line that it shall follow in SEARCH, and again in REPLACE\n" + editable());
    text_.append(0, edit.replace, edit.verbatim ? Match::kVerbatim : Match::kExact, number_);
    note("SEARCH is empty; inserted at the end of the block");
    done = true;
    return std::nullopt;
  }

  /// Takes the blank lines off both ends of `search`, and at most as many off those of `replace`.
  static bool strip_blank_lines(Lines& search, Lines& replace) {
    auto blank = [](TextLine const& l) { return l.blank(); };
    auto const head = std::find_if_not(search.begin(), search.end(), blank) - search.begin();
    auto const tail = std::find_if_not(search.rbegin(), search.rend(), blank) - search.rbegin();
    if (head + tail == 0) return false;
    search = Lines(search.begin() + head, search.end() - tail);
    auto const replace_tail =
        std::min(std::find_if_not(replace.rbegin(), replace.rend(), blank) - replace.rbegin(), tail);
    replace.erase(replace.end() - replace_tail, replace.end());
    auto const replace_head =
        std::min(std::find_if_not(replace.begin(), replace.end(), blank) - replace.begin(), head);
    replace.erase(replace.begin(), replace.begin() + replace_head);
    return true;
  }

  [[nodiscard]] std::string places(std::vector<std::size_t> const& at) const {
    constexpr std::size_t kMost = 8;
    std::string out;
    for (std::size_t i = 0; i < at.size() && i < kMost; ++i)
      out += (i == 0 ? "at " : i + 1 == at.size() ? " and " : ", ") + name_of(text_.lines()[at[i]]);
    if (at.size() > kMost) out += " and " + std::to_string(at.size() - kMost) + " more";
    return out;
  }

  [[nodiscard]] EditProblem not_found(SearchReplace const& edit) const {
    std::string cause = "its SEARCH text does not occur in the program";
    if (number_ > 1) {
      PatchedText const original(program_.text, program_.blocks);
      if (!original.locate(edit.search, Match::kIndentation).inside.empty())
        cause = "its SEARCH text no longer occurs: an earlier edit of the reply changed it";
    }
    std::string advice = describe_nearest(text_.lines(), edit.search);
    if (advice.empty()) advice = "no line of the blocks is like it\n";
    advice += "SEARCH holds whole lines, exactly as they are in the program\n" + editable();
    return problem(EditFault::kNotFound, cause, std::move(advice));
  }

  /// "edit 2: ", the edit to blame for what is wrong in a line of the result, or, for line 0, for marker
  /// lines; empty when there is but one.
  [[nodiscard]] std::string writer(std::uint32_t line) const {
    if (number_ == 1) return {};
    auto const& lines = text_.lines();
    std::uint32_t edit = 0;
    for (std::size_t i = 0; i < lines.size() && edit == 0 && line == 0; ++i)
      if (writes_marker(lines[i])) edit = lines[i].edit;
    for (std::size_t i = line == 0 ? 0 : line - 1; i < lines.size() && edit == 0; ++i) edit = lines[i].edit;
    for (std::size_t i = lines.size(); i-- > 0 && edit == 0;) edit = lines[i].edit;
    return edit == 0 ? std::string() : "edit " + std::to_string(edit) + ": ";
  }
  static bool writes_marker(TextLine const& l) { return l.edit != 0 && looks_like_marker(l.text); }

  ParsedProgram const& program_;
  PatchedText text_;
  std::vector<std::string>* notes_ = nullptr;
  std::string name_{};
  std::uint32_t number_ = 0;
};

}  // namespace cuco::impl
