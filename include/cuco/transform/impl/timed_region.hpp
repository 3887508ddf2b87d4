// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/work.hpp"

namespace cuco::impl {

/// The statements between a timer's start and its stop.
struct TimedRegion {
  Index function = kNone;
  Range tokens;          ///< After the statement that starts the timer, up to the one that stops it.
  int start = 0;         ///< First token of the statement that starts the timer.
  bool by_timer = true;  ///< False: no timer was found; the smallest range that communicates.
};

/// Statements of one block, one after the other.
class Siblings {
 public:
  explicit Siblings(SourceModel const& m) : m_(m) {
    for (Statement const& s : m.structure.statements) {
      if (s.range.empty()) continue;
      int& end = end_[s.range.begin];
      end = std::max(end, s.range.end);
    }
  }

  /// The statements that begin in `r`, which lies in one block. An else belongs to its if.
  [[nodiscard]] std::vector<Range> in(Range r) const {
    std::vector<Range> out;
    for (int i = r.begin; i < r.end;) {
      auto const known = end_.find(i);
      int end = known != end_.end() ? known->second : m_.code.is(i, "{") ? m_.code.partner(i) + 1 : i + 1;
      bool const goes_on = (m_.code.is(i, "else") || m_.code.is(i, "catch")) && !out.empty();
      if (goes_on) {
        out.back().end = end;
      } else if (!m_.code.is(i, ";") || known != end_.end()) {
        out.push_back({i, end});
      }
      i = end;
    }
    return out;
  }

  /// The whole statement around token `i` that lies directly in the innermost block.
  [[nodiscard]] Range around(int i) const {
    int open = m_.code.enclosing(i);
    while (open >= 0 && !m_.code.is(open, "{")) open = m_.code.enclosing(open);
    Range const block = open < 0 ? Range{0, m_.code.size()} : m_.code.inside(open);
    for (Range const& s : in(block))
      if (s.begin <= i && i < s.end) return s;
    return {i, i + 1};
  }

 private:
  SourceModel const& m_;
  std::map<int, int> end_{};
};

/// Finds the regions that are timed and communicate.
class TimedRegions {
 public:
  TimedRegions(SourceModel const& m, Work const& work) : m_(m), work_(work), siblings_(m) {}

  [[nodiscard]] std::vector<TimedRegion> find() const {
    std::vector<TimedRegion> out;
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) pairs_of(static_cast<Index>(f), out);
    // A region inside another one is measured twice; the outer one counts.
    std::vector<TimedRegion> outer;
    for (TimedRegion const& a : out) {
      bool const nested = std::any_of(out.begin(), out.end(), [&](TimedRegion const& b) {
        return b.tokens.begin < a.tokens.begin && a.tokens.end < b.tokens.end;
      });
      if (!nested) outer.push_back(a);
    }
    if (outer.empty()) fall_back(outer);
    return outer;
  }

  [[nodiscard]] Siblings const& siblings() const { return siblings_; }

 private:
  struct Mark {
    std::string key;  ///< The event, or the kind of clock.
    Range statement;
  };

  /// Statements of `f` that read a clock, in source order.
  [[nodiscard]] std::vector<Mark> marks_of(Index f) const {
    std::vector<Mark> marks;
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    for (int i = body.begin; i < body.end; ++i) {
      std::string_view const t = m_.code.text(i);
      std::string key;
      if ((t == "cudaEventRecord" || t == "cudaEventRecordWithFlags") && m_.code.is(i + 1, "(")) {
        auto const args = m_.code.split(m_.code.inside(i + 1));
        if (!args.empty()) key = m_.code.squeezed(args.front());
      } else if (t == "MPI_Wtime" && m_.code.is(i + 1, "(")) {
        key = "MPI_Wtime()";
      } else if (t == "now" && m_.code.is(i - 1, "::") && m_.code.is(i + 1, "(")) {
        key = "now()";
      }
      if (!key.empty()) marks.push_back({std::move(key), siblings_.around(i)});
    }
    return marks;
  }

  /// Pairs of events that an elapsed time is asked for in `f`.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> elapsed_pairs(Index f) const {
    std::vector<std::pair<std::string, std::string>> out;
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    for (int i = body.begin; i < body.end; ++i) {
      if (!m_.code.is(i, "cudaEventElapsedTime") || !m_.code.is(i + 1, "(")) continue;
      auto const args = m_.code.split(m_.code.inside(i + 1));
      if (args.size() == 3) out.emplace_back(m_.code.squeezed(args[1]), m_.code.squeezed(args[2]));
    }
    return out;
  }

  void pairs_of(Index f, std::vector<TimedRegion>& out) const {
    auto const marks = marks_of(f);
    auto const elapsed = elapsed_pairs(f);
    for (std::size_t a = 0; a < marks.size(); ++a) {
      for (std::size_t b = a + 1; b < marks.size(); ++b) {
        Range const inner{marks[a].statement.end, marks[b].statement.begin};
        if (m_.code.enclosing(marks[a].statement.begin) != m_.code.enclosing(marks[b].statement.begin) ||
            inner.empty())
          continue;
        if (!belong(marks[a].key, marks[b].key, elapsed)) continue;
        bool const wanted = work_.any_communication() ? work_.communicates(inner) : work_.works(inner);
        if (wanted) out.push_back({f, inner, marks[a].statement.begin, true});
        break;
      }
    }
  }

  static bool belong(std::string const& start,
                     std::string const& stop,
                     std::vector<std::pair<std::string, std::string>> const& elapsed) {
    bool const clocks = start == "MPI_Wtime()" || start == "now()";
    if (clocks) return start == stop;
    if (stop == "MPI_Wtime()" || stop == "now()") return false;
    if (elapsed.empty()) return start != stop;
    return std::any_of(
        elapsed.begin(), elapsed.end(), [&](auto const& e) { return e.first == start && e.second == stop; });
  }

  /// No timer: the statements from the first to the last communication of one block.
  void fall_back(std::vector<TimedRegion>& out) const {
    auto const& calls = work_.direct_communication();
    if (calls.empty()) return;
    int const first = *calls.begin();
    Index const f = m_.function_of(first);
    Range range = siblings_.around(first);
    int open = m_.code.enclosing(range.begin);
    for (int call : calls) {
      if (m_.function_of(call) != f) continue;
      // Widen to the block that holds both.
      while (open >= 0 && !(m_.code.is(open, "{") && open < call && call < m_.code.partner(open)))
        open = m_.code.enclosing(open);
      if (open < 0) return;
      for (Range const& s : siblings_.in(m_.code.inside(open))) {
        bool const holds =
            (s.begin <= range.begin && range.begin < s.end) || (s.begin <= call && call < s.end);
        if (!holds) continue;
        range.begin = std::min(range.begin, s.begin);
        range.end = std::max(range.end, s.end);
      }
    }
    out.push_back({f, range, range.begin, false});
  }

  SourceModel const& m_;
  Work const& work_;
  Siblings siblings_;
};

}  // namespace cuco::impl
