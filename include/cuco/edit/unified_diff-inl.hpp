// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/impl/myers.hpp"
#include "cuco/edit/unified_diff.hpp"

namespace cuco {
namespace impl {

CUCO_EVOLVE_INLINE void append_diff_line(std::string& out, char mark, std::string_view line) {
  out += mark;
  out += line;
  if (!line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
}

/// "start,count" of a hunk; an empty range is named by the line before it.
CUCO_EVOLVE_INLINE std::string hunk_range(int begin, int end) {
  int const count = end - begin;
  std::string out = std::to_string(count == 0 ? begin : begin + 1);
  if (count != 1) out += "," + std::to_string(count);
  return out;
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::string unified_diff(std::string_view from,
                                            std::string_view to,
                                            std::string const& from_name,
                                            std::string const& to_name,
                                            int context) {
  if (from == to) return {};
  context = std::max(context, 0);
  auto const a = impl::split_lines(from);
  auto const b = impl::split_lines(to);
  auto const runs = impl::diff_lines(a, b);
  int const a_size = static_cast<int>(a.size());
  std::string out = "--- " + from_name + "\n+++ " + to_name + "\n";
  for (std::size_t i = 0; i < runs.size();) {
    // Runs whose contexts touch share a hunk.
    std::size_t last = i;
    while (last + 1 < runs.size() && runs[last + 1].a - runs[last].a_end <= 2 * static_cast<long>(context))
      ++last;
    int const before = std::min(context, runs[i].a);
    int const after = std::min(context, a_size - runs[last].a_end);
    out += "@@ -" + impl::hunk_range(runs[i].a - before, runs[last].a_end + after) + " +" +
           impl::hunk_range(runs[i].b - before, runs[last].b_end + after) + " @@\n";
    int at = runs[i].a - before;
    auto keep_to = [&](int end) {
      for (; at < end; ++at) impl::append_diff_line(out, ' ', a[static_cast<std::size_t>(at)]);
    };
    for (; i <= last; ++i) {
      keep_to(runs[i].a);
      for (; at < runs[i].a_end; ++at) impl::append_diff_line(out, '-', a[static_cast<std::size_t>(at)]);
      for (int j = runs[i].b; j < runs[i].b_end; ++j)
        impl::append_diff_line(out, '+', b[static_cast<std::size_t>(j)]);
    }
    keep_to(runs[last].a_end + after);
  }
  return out;
}

CUCO_EVOLVE_INLINE DiffCounts diff_counts(std::string_view from, std::string_view to) {
  DiffCounts counts;
  for (auto const& run : impl::diff_lines(impl::split_lines(from), impl::split_lines(to))) {
    auto const deleted = static_cast<std::size_t>(run.a_end - run.a);
    auto const added = static_cast<std::size_t>(run.b_end - run.b);
    std::size_t const both = std::min(deleted, added);
    counts.modified += both;
    counts.deleted += deleted - both;
    counts.added += added - both;
  }
  return counts;
}

}  // namespace cuco
