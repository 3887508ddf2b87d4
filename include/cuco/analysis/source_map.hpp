// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  [[nodiscard]] SourcePlace locate(std::uint32_t line) const;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/analysis/source_map-inl.hpp"
#endif
