// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/transform/impl/device_ranges.hpp"
#include "cuco/transform/impl/frozen_words.hpp"
#include "cuco/transform/markers.hpp"

namespace cuco {

namespace impl {

inline constexpr char const* kMarkerStart = "// EVOLVE-BLOCK-START";
inline constexpr char const* kMarkerEnd = "// EVOLVE-BLOCK-END";

class MarkerInserter {
 public:
  MarkerInserter(SourceModel const& m, std::string file)
      : m_(m), file_(std::move(file)), device_(m), siblings_(m) {}

  [[nodiscard]] Result<std::string> run() {
    for (Span const& range : device_.ranges()) {
      edits_.insert(range.begin, std::string(kMarkerStart) + "\n");
      bool const ends_line = range.end > 0 && m_.source[range.end - 1] == '\n';
      edits_.insert(range.end, std::string(ends_line ? "" : "\n") + kMarkerEnd + "\n");
    }
    bool any = false;
    for (TimedRegion const& region : device_.regions()) any = mark(region) || any;
    if (!any && device_.ranges().empty())
      return fail_at(ErrorCode::kRefused,
                     file_,
                     0,
                     "the program has nothing to evolve",
                     "it needs a kernel or a collective between the start and the stop of a timer");
    return edits_.apply(m_.source);
  }

 private:
  [[nodiscard]] std::string frozen_in(Range r) const {
    for (int i = r.begin; i < r.end; ++i)
      if (auto reason = frozen_reason(m_.code, i); !reason.empty()) return reason;
    return {};
  }
  [[nodiscard]] bool has_directive(Range r) const {
    Span const s = m_.code.span(r);
    return std::any_of(m_.code.directives.begin(), m_.code.directives.end(), [&](Token const& d) {
      return d.offset >= s.begin && d.offset < s.end;
    });
  }
  [[nodiscard]] bool works(Range r) const {
    return device_.work().any_communication() ? device_.work().works(r) : device_.work().works(r);
  }

  /// Marks runs of statements of `region` that may change and do some of the work.
  bool mark(TimedRegion const& region) {
    std::vector<Range> units = siblings_.in(region.tokens);
    // A timer around a loop: how often it runs stays frozen.
    std::vector<Range> busy;
    std::copy_if(units.begin(), units.end(), std::back_inserter(busy), [&](Range r) { return works(r); });
    if (busy.size() == 1 && (m_.code.is(busy[0].begin, "for") || m_.code.is(busy[0].begin, "while"))) {
      int const body = m_.code.partner(busy[0].begin + 1) + 1;
      if (m_.code.is(body, "{")) {
        units = siblings_.in(m_.code.inside(body));
      } else {
        Range const statement{body, busy[0].end};
        if (!frozen_in(statement).empty()) return false;
        embrace(busy[0], statement);
        return true;
      }
    }
    return mark_units(units);
  }

  /// Marks runs of neighbours in `units`; goes into those that hold something frozen beside the work.
  bool mark_units(std::vector<Range> const& units) {
    bool marked = false;
    std::vector<Range> run;
    auto flush = [&] {
      bool const useful = std::any_of(run.begin(), run.end(), [&](Range r) { return works(r); });
      if (useful) surround(run.front(), run.back());
      marked = marked || useful;
      run.clear();
    };
    for (std::size_t i = 0; i < units.size(); ++i) {
      bool const allowed = frozen_in(units[i]).empty() && !has_directive(units[i]);
      bool const apart = !run.empty() && has_directive({run.back().end - 1, units[i].begin + 1});
      if (!allowed || apart) flush();
      if (allowed) run.push_back(units[i]);
      if (!allowed && works(units[i])) marked = mark_blocks(units[i]) || marked;
    }
    flush();
    return marked;
  }

  /// The blocks of a loop, a condition or a bare pair of braces.
  bool mark_blocks(Range unit) {
    bool const compound = m_.code.is(unit.begin, "for") || m_.code.is(unit.begin, "while") ||
                          m_.code.is(unit.begin, "do") || m_.code.is(unit.begin, "if") ||
                          m_.code.is(unit.begin, "{");
    if (!compound) return false;
    bool marked = false;
    for (int i = unit.begin; i < unit.end; i = m_.code.next(i))
      if (m_.code.is(i, "{")) marked = mark_units(siblings_.in(m_.code.inside(i))) || marked;
    return marked;
  }

  /// Gives a loop body without braces both braces and markers.
  void embrace(Range loop, Range body) {
    Span const s = m_.code.span(body);
    std::string const outer = indentation_at(m_.source, m_.code.at(loop.begin).offset);
    std::string const inner = outer + "  ";
    edits_.insert(s.begin, "{\n" + inner + kMarkerStart + "\n" + inner);
    edits_.insert(s.end, "\n" + inner + kMarkerEnd + "\n" + outer + "}");
  }

  void surround(Range first, Range last) {
    Span const s{m_.code.span(first).begin, m_.code.span(last).end};
    std::string const indent = indentation_at(m_.source, s.begin);
    std::uint32_t const line = line_begin(m_.source, s.begin);
    if (m_.source.find_first_not_of(" \t", line) == s.begin) {
      edits_.insert(line, indent + kMarkerStart + "\n");
    } else {
      edits_.insert(s.begin, "\n" + indent + kMarkerStart + "\n" + indent);
    }
    std::size_t const rest = m_.source.find_first_not_of(" \t\r", s.end);
    bool const line_ends =
        rest == std::string::npos || m_.source[rest] == '\n' || m_.source.compare(rest, 2, "//") == 0;
    std::uint32_t const end = line_end(m_.source, s.end);
    if (line_ends && end > 0 && m_.source[end - 1] == '\n') {
      edits_.insert(end, indent + kMarkerEnd + "\n");
    } else {
      edits_.insert(s.end, "\n" + indent + kMarkerEnd + "\n" + indent);
    }
  }

  SourceModel const& m_;
  std::string file_;
  DeviceRanges device_;
  Siblings siblings_;
  SourceEdits edits_{};
};

}  // namespace impl

CUCO_EVOLVE_INLINE Result<void> check_evolve_markers(std::string_view code, std::string const& file) {
  auto blocks = find_evolve_blocks(code, file);
  if (!blocks) return forward_error(std::move(blocks));
  auto model = impl::SourceModel::make(code, file);
  if (!model) return forward_error(std::move(model));
  impl::SourceModel const& m = **model;
  impl::GeneratedText const generated = impl::generated_text(m);
  auto frozen = [&](std::uint32_t line, std::string const& what) {
    return fail_at(ErrorCode::kRefused,
                   file,
                   line,
                   "EVOLVE block holds " + what,
                   "move the marker; this must stay frozen");
  };
  for (EvolveBlock const& b : *blocks) {
    for (Token const& d : m.code.directives) {
      if (d.offset < b.text.begin || d.offset >= b.text.end) continue;
      impl::DirectiveParts const parts = impl::split_directive(d.text);
      if (parts.name != "pragma") return frozen(d.line, "a preprocessor line");
    }
    for (int i = m.token_at(b.text.begin); i < m.token_at(b.text.end); ++i) {
      std::uint32_t const at = m.code.at(i).offset;
      if (at >= generated.section.begin && at < generated.section.end) continue;
      if (auto const reason = impl::frozen_reason(m.code, i); !reason.empty())
        return frozen(m.code.at(i).line, reason);
    }
  }
  return {};
}

CUCO_EVOLVE_INLINE Result<std::string> insert_evolve_markers(std::string_view code, Report const& report) {
  auto blocks = find_evolve_blocks(code, report.file);
  if (!blocks) return forward_error(std::move(blocks));
  if (!blocks->empty()) return std::string(code);
  auto model = impl::SourceModel::make(code, report.file);
  if (!model) return forward_error(std::move(model));
  auto marked = impl::MarkerInserter(**model, report.file).run();
  if (!marked) return marked;
  if (auto ok = check_evolve_markers(*marked, report.file); !ok) return forward_error(std::move(ok));
  return marked;
}

}  // namespace cuco
