// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/transform/impl/device_ranges.hpp"
#include "cuco/transform/impl/trusted_text.hpp"
#include "cuco/transform/impl/verdict_facts.hpp"

namespace cuco::impl::transforming {

/// What EVOLVE blocks may hold that somebody else than the rules has set: kernels that only timed regions
/// launch, with their device functions; the generated section, where it is what the rules write; statements
/// of timed regions on which no result line rests; constants that nothing else uses.
class MarkerScope {
 public:
  explicit MarkerScope(SourceModel const& m) : m_(m), trusted_(m), device_(m), facts_(m) {
    allowed_.assign(static_cast<std::size_t>(m.code.size()), false);
    for (Index f : device_.chosen()) allow(m.tokens_in(m.function(f).span));
    for (Span s : trusted_.spans())
      if (m.source.compare(s.begin, std::string_view(kSectionBegin).size(), kSectionBegin) == 0)
        allow(m.tokens_in(s));
    for (TimedRegion const& r : device_.regions()) allow(r.tokens);
    for (Range r : facts_.ranges()) forbid(r);
    loops();
    for (Statement const& s : m.structure.statements)
      if (s.simple && !s.range.empty() && m.function_of(s.range.begin) == kNone &&
          m.code.enclosing(s.range.begin) < 0 && is_private(s.range))
        constants_.push_back(s.range);
    for (Range r : constants_) allow(r);
  }

  /// Empty when all is well.
  [[nodiscard]] std::string problem(std::vector<EvolveBlock> const& blocks) const {
    for (EvolveBlock const& b : blocks) {
      Range const r = m_.tokens_in(b.text);
      for (int i = r.begin; i < r.end; ++i)
        if (!allowed_[static_cast<std::size_t>(i)])
          return "the EVOLVE block of line " + std::to_string(b.start_line) + " holds line " +
                 std::to_string(m_.code.at(i).line) +
                 ", which is not only communication or computation that is " +
                 "timed; blocks may hold kernels that are timed, and their launches";
    }
    return {};
  }

 private:
  void set(Range r, bool value) {
    for (int i = r.begin; i < r.end; ++i) allowed_[static_cast<std::size_t>(i)] = value;
  }
  void allow(Range r) { set(r, true); }
  void forbid(Range r) { set(r, false); }

  /// The heads of loops around what decides.
  void loops() {
    for (Loop const& l : m_.report.loops) {
      Range const whole = m_.tokens_in(l.span);
      bool const decides = std::any_of(facts_.ranges().begin(), facts_.ranges().end(), [&](Range f) {
        return whole.begin <= f.begin && f.end <= whole.end;
      });
      if (!decides) continue;
      int const open = m_.code.is(whole.begin + 1, "(") ? whole.begin + 1 : -1;
      forbid({whole.begin, open > 0 ? m_.code.partner(open) + 1 : whole.begin + 1});
    }
  }

  /// Whether everything that names what `r` declares is in text that may change.
  [[nodiscard]] bool is_private(Range r) const {
    auto const declared = read_declaration(m_.code, r);
    if (declared.empty()) return false;
    for (Variable const& v : declared) {
      std::string_view const name = m_.code.text(v.name);
      for (int i = 0; i < m_.code.size(); ++i)
        if (m_.code.is(i, name) && (i < r.begin || i >= r.end) && !allowed_[static_cast<std::size_t>(i)])
          return false;
      for (Token const& d : m_.code.directives)
        if (d.text.find(name) != std::string_view::npos) return false;
    }
    return true;
  }

  SourceModel const& m_;
  TrustedText trusted_;
  DeviceRanges device_;
  VerdictFacts facts_;
  std::vector<bool> allowed_{};
  std::vector<Range> constants_{};
};

}  // namespace cuco::impl::transforming
