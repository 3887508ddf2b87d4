// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cuco/transform/impl/timed_region.hpp"

namespace cuco::impl {

/// Device code that may change: the kernels that only timed regions launch, the device functions that only
/// those use, and the generated section. Kernels that make inputs, and what hosts share with them, are left
/// out.
class DeviceRanges {
 public:
  explicit DeviceRanges(SourceModel const& m) : m_(m), work_(m), regions_(TimedRegions(m, work_).find()) {
    choose();
  }

  /// Whole lines with the comments directly above, in source order, neighbours merged.
  [[nodiscard]] std::vector<Span> ranges() const {
    std::vector<Span> out;
    for (Index f : chosen_) out.push_back(with_comments(m_.function(f).span));
    Span const section = work_.generated().section;
    if (!section.empty()) out.push_back(section);
    std::sort(out.begin(), out.end(), [](Span a, Span b) { return a.begin < b.begin; });
    std::vector<Span> merged;
    for (Span s : out) {
      bool const joins =
          !merged.empty() && (s.begin <= merged.back().end || only_blank(merged.back().end, s.begin));
      if (joins) {
        merged.back().end = std::max(merged.back().end, s.end);
      } else {
        merged.push_back(s);
      }
    }
    return merged;
  }

  [[nodiscard]] std::vector<TimedRegion> const& regions() const { return regions_; }
  /// The functions among them.
  [[nodiscard]] std::set<Index> const& chosen() const { return chosen_; }
  [[nodiscard]] Work const& work() const { return work_; }

 private:
  [[nodiscard]] bool in_region(std::uint32_t offset) const {
    int const token = m_.token_at(offset);
    return std::any_of(regions_.begin(), regions_.end(), [&](TimedRegion const& r) {
      return r.by_timer && r.tokens.begin <= token && token < r.tokens.end;
    });
  }

  /// A launch before the timer of its own function. Others may make inputs or reference results.
  [[nodiscard]] bool is_warm_up(Launch const& l) const {
    int const token = m_.token_at(l.span.begin);
    return std::any_of(regions_.begin(), regions_.end(), [&](TimedRegion const& r) {
      return r.by_timer && r.function == l.function && token < r.start;
    });
  }

  /// Functions that are called in a timed region, directly or not.
  void collect_timed(std::set<Index>& timed) const {
    bool grew = true;
    while (grew) {
      grew = false;
      for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
        auto const index = static_cast<Index>(f);
        if (timed.count(index) != 0) continue;
        for (CallSite const& site : m_.sites_of(index)) {
          if (!in_region(m_.code.at(site.position).offset) && timed.count(site.caller) == 0) continue;
          timed.insert(index);
          grew = true;
          break;
        }
      }
    }
  }

  void choose() {
    std::set<Index> timed;
    collect_timed(timed);
    std::set<std::string> launched, launched_elsewhere;
    for (Launch const& l : m_.report.launches) {
      std::string name = l.kernel.substr(0, l.kernel.find('<'));
      if (auto const colon = name.rfind(':'); colon != std::string::npos) name = name.substr(colon + 1);
      bool const is_timed = in_region(l.span.begin) || timed.count(l.function) != 0;
      if (is_timed) {
        launched.insert(name);
      } else if (!is_warm_up(l)) {
        launched_elsewhere.insert(name);
      }
    }
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
      Function const& function = m_.report.functions[f];
      bool const movable = function.is_kernel && launched.count(function.name) != 0 &&
                           launched_elsewhere.count(function.name) == 0 && at_file_scope(function);
      if (movable && !in_generated(function)) chosen_.insert(static_cast<Index>(f));
    }
    bool grew = true;
    while (grew) {
      grew = false;
      for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
        Function const& function = m_.report.functions[f];
        auto const index = static_cast<Index>(f);
        if (!function.is_device || function.is_kernel || chosen_.count(index) != 0) continue;
        if (!at_file_scope(function) || in_generated(function) || m_.sites_of(index).empty()) continue;
        bool const only = std::all_of(m_.sites_of(index).begin(),
                                      m_.sites_of(index).end(),
                                      [&](CallSite const& s) { return chosen_.count(s.caller) != 0; });
        if (only) grew = chosen_.insert(index).second || grew;
      }
    }
  }

  [[nodiscard]] bool at_file_scope(Function const& f) const {
    return m_.code.enclosing(m_.token_at(f.span.begin)) < 0;
  }
  [[nodiscard]] bool in_generated(Function const& f) const {
    Span const s = work_.generated().section, i = work_.generated().infrastructure;
    return (f.span.begin >= s.begin && f.span.begin < s.end) ||
           (f.span.begin >= i.begin && f.span.begin < i.end);
  }

  /// The lines of `span` and the comment lines directly above it.
  [[nodiscard]] Span with_comments(Span span) const {
    Span out{line_begin(m_.source, span.begin), line_end(m_.source, span.end)};
    while (out.begin > 0) {
      std::uint32_t const above = line_begin(m_.source, out.begin - 1);
      std::size_t const text = m_.source.find_first_not_of(" \t", above);
      if (text == std::string::npos || m_.source.compare(text, 2, "//") != 0) break;
      if (m_.source.find("EVOLVE-BLOCK", text) < out.begin || m_.source.compare(text, 8, "// cuco:") == 0)
        break;
      out.begin = above;
    }
    return out;
  }

  [[nodiscard]] bool only_blank(std::uint32_t begin, std::uint32_t end) const {
    return m_.source.substr(begin, end - begin).find_first_not_of(" \t\r\n") == std::string::npos;
  }

  SourceModel const& m_;
  Work work_;
  std::vector<TimedRegion> regions_;
  std::set<Index> chosen_{};
};

inline std::vector<Span> mutable_device_ranges(SourceModel const& m) {
  return DeviceRanges(m).ranges();
}

}  // namespace cuco::impl
