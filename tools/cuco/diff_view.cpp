// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "diff_view.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cuco/edit/unified_diff.hpp"

namespace cuco::tool {
namespace {

constexpr std::string_view kRed = "\x1b[31m", kGreen = "\x1b[32m", kCyan = "\x1b[36m", kDim = "\x1b[2m",
                           kReset = "\x1b[0m";

/// Begin and end of generated parts, as lines of a difference show them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kGenerated{
    {{"+// cuco: infrastructure begin", "+// cuco: infrastructure end"},
     {"+// cuco: section begin", "+// cuco: section end"}}};

std::string painted(std::string_view line, bool colour) {
  if (!colour || line.empty()) return std::string(line) + "\n";
  std::string_view const paint = line[0] == '+'   ? kGreen
                                 : line[0] == '-' ? kRed
                                 : line[0] == '@' ? kCyan
                                                  : "";
  return paint.empty() ? std::string(line) + "\n" : fmt::format("{}{}{}\n", paint, line, kReset);
}

}  // namespace

std::string diff_view(std::string_view before,
                      std::string_view after,
                      std::string const& before_name,
                      std::string const& after_name,
                      std::vector<Change> const& changes,
                      bool colour) {
  std::string out = "what changed, and why\n";
  std::size_t widest = 0;
  for (Change const& c : changes) widest = std::max(widest, c.what.size());
  auto sorted = changes;
  std::stable_sort(
      sorted.begin(), sorted.end(), [](Change const& a, Change const& b) { return a.line < b.line; });
  for (Change const& c : sorted)
    out += fmt::format("  {:>9}  {:<{}}  {}{}{}\n",
                       c.line == 0 ? std::string("generated") : fmt::format("line {}", c.line),
                       c.what,
                       std::min<std::size_t>(widest, 64),
                       colour ? kDim : "",
                       c.why,
                       colour ? kReset : "");
  out += "\n";
  std::string const diff = unified_diff(before, after, before_name, after_name);
  std::string_view rest = diff, until;
  std::size_t hidden = 0;
  while (!rest.empty()) {
    std::string_view const line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!until.empty()) {
      ++hidden;
      if (line.substr(0, until.size()) != until) continue;
      out += painted(fmt::format("+// ... {} more generated lines", hidden), colour);
      until = {};
      continue;
    }
    out += painted(line, colour);
    for (auto const& [begin, end] : kGenerated)
      if (line.substr(0, begin.size()) == begin) until = end, hidden = 0;
  }
  return out;
}

}  // namespace cuco::tool
