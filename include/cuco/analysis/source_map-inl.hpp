// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuco/analysis/source_map.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE SourcePlace SourceMap::locate(std::uint32_t line) const {
  auto const after = std::upper_bound(
      segments.begin(), segments.end(), line, [](std::uint32_t l, Segment const& s) { return l < s.first; });
  if (after == segments.begin()) return {{}, line};
  Segment const& s = *(after - 1);
  return {files[s.file], s.line + (line - s.first)};
}

}  // namespace cuco
