// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "cuco/edit/unified_diff.hpp"

namespace cuco::impl {

/// The `diff_counts` of what `unified_diff` wrote; the comparison itself is the expensive part.
inline DiffCounts diff_text_counts(std::string_view diff) {
  DiffCounts counts;
  std::size_t deleted = 0;
  std::size_t added = 0;
  auto end_run = [&] {
    std::size_t const both = std::min(deleted, added);
    counts.modified += both;
    counts.deleted += std::exchange(deleted, 0) - both;
    counts.added += std::exchange(added, 0) - both;
  };
  // The first two lines name the files.
  for (int line = 0; !diff.empty(); ++line) {
    char const mark = diff.front();
    diff.remove_prefix(std::min(diff.find('\n'), diff.size() - 1) + 1);
    if (line < 2 || mark == '\\') continue;
    if (mark == '-') {
      ++deleted;
    } else if (mark == '+') {
      ++added;
    } else {
      end_run();
    }
  }
  end_run();
  return counts;
}

}  // namespace cuco::impl
