// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace cuco {

/// A line of one of the files that a program was put together from.
struct SourcePlace {
  std::string file;  ///< "" for the main file.
  std::uint32_t line = 0;
  bool operator==(SourcePlace const&) const = default;
};

/// Says for each line of a flattened program where it was written. Empty: every line is the main file's own.
struct SourceMap {
  /// Lines from `first` on come from `file` (index into `files`), beginning with its line `line`.
  struct Segment {
    std::uint32_t first = 1;
    std::uint32_t file = 0;
    std::uint32_t line = 1;
  };
  std::vector<std::string> files;  ///< As named in the include; the first is "", the main file.
  std::vector<Segment> segments;   ///< By `first`.

  [[nodiscard]] bool empty() const { return segments.empty(); }
  /// Where line `line` (from 1) was written.
  [[nodiscard]] SourcePlace locate(std::uint32_t line) const {
    auto const after =
        std::upper_bound(segments.begin(), segments.end(), line, [](std::uint32_t l, Segment const& s) {
          return l < s.first;
        });
    if (after == segments.begin()) return {{}, line};
    Segment const& s = *(after - 1);
    return {files[s.file], s.line + (line - s.first)};
  }
};

}  // namespace cuco
