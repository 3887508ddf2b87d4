// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cuco/analysis/report.hpp"
#include "cuco/report/impl/printable.hpp"

namespace cuco::impl {

/// Names of things in a report. All text is printable; with `ascii`, in ASCII.
class GraphNames {
 public:
  explicit GraphNames(Report const& report, bool ascii = false) : r_(report), ascii_(ascii) {}

  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  template <class T>
  static bool known(Index i, std::vector<T> const& all) {
    return i >= 0 && at(i) < all.size();
  }

  [[nodiscard]] Report const& report() const { return r_; }
  [[nodiscard]] std::string text(std::string_view s, std::size_t columns = 60) const {
    // What is far beyond the limit is not even looked at.
    return shorten(printable(s.substr(0, columns * 8), ascii_), columns);
  }
  /// An expression without casts and brackets around all of it.
  [[nodiscard]] std::string expression(std::string_view s, std::size_t columns) const {
    for (int layers = 0; layers < 8; ++layers) {
      while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
      while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
      if (s.empty() || s.front() != '(') break;
      std::size_t depth = 0;
      std::size_t close = 0;
      for (; close < s.size(); ++close) {
        if (s[close] == '(') ++depth;
        if (s[close] == ')' && --depth == 0) break;
      }
      if (close + 1 == s.size())
        s = s.substr(1, close - 1);
      else if (close < s.size() && s[close - 1] == '*')
        s.remove_prefix(close + 1);
    }
    return text(s, columns);
  }
  [[nodiscard]] Call const& call_of(CommunicationNode const& n) const {
    static Call const none;
    return known(n.call, r_.calls) ? r_.calls[at(n.call)] : none;
  }
  /// "line 7", or "util.h line 7" where that is another file.
  [[nodiscard]] std::string place(std::uint32_t line) const {
    SourcePlace const p = r_.map.locate(line);
    return (p.file.empty() ? "" : text(p.file) + " ") + fmt::format("line {}", p.line);
  }
  [[nodiscard]] std::string places(std::uint32_t first, std::uint32_t last) const {
    if (first == last) return place(first);
    SourcePlace const from = r_.map.locate(first);
    SourcePlace const to = r_.map.locate(last);
    if (from.file != to.file) return place(first) + " to " + place(last);
    return (from.file.empty() ? "" : text(from.file) + " ") + fmt::format("lines {}-{}", from.line, to.line);
  }
  [[nodiscard]] std::string function(Index f) const {
    if (!known(f, r_.functions)) return "outside functions";
    Function const& fun = r_.functions[at(f)];
    std::string const name = (fun.scope.empty() ? "" : fun.scope + "::") + fun.name;
    return text(name, 50) + (fun.name.ends_with("()") ? "" : "()");
  }
  [[nodiscard]] std::string loop(Index l) const {
    if (!known(l, r_.loops)) return "";
    Loop const& loop = r_.loops[at(l)];
    return "loop, " + places(loop.line, loop.end_line) + ": " + text(loop.header, 80);
  }
  [[nodiscard]] std::string group(Index g) const { return group_place(g) + ": all of it starts at once"; }
  [[nodiscard]] std::string group_place(Index g) const {
    if (!known(g, r_.groups)) return "group";
    Group const& group = r_.groups[at(g)];
    if (!known(group.start, r_.calls)) return "group";
    std::uint32_t const start = r_.calls[at(group.start)].line;
    std::uint32_t const end = known(group.end, r_.calls) ? r_.calls[at(group.end)].line : start;
    return "group, " + (end < start ? place(start) : places(start, end));
  }
  [[nodiscard]] std::string stream(std::string_view s) const {
    std::string const name = text(s, 30);
    for (std::string_view other : {"0", "nullptr", "NULL", "cudaStreamLegacy", "(cudaStream_t)0"})
      if (name == other) return "default stream";
    return name;
  }
  [[nodiscard]] std::string stream_of(CommunicationNode const& n) const {
    return n.stream.empty() ? "" : stream(n.stream);
  }

 protected:
  Report const& r_;
  bool ascii_;
};

}  // namespace cuco::impl
