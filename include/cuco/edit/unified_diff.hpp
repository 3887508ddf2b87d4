// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cuco {

/// How much a change touches, in lines. A deleted line next to an added one counts as one modified line.
struct DiffCounts {
  std::size_t added = 0;
  std::size_t deleted = 0;
  std::size_t modified = 0;
  bool operator==(DiffCounts const&) const = default;
};

/// The change from `from` to `to` in unified format, with `\ No newline at end of file` where it applies;
/// empty for equal texts. Lines end in `\n`; a `\r` before it is part of the line.
///
/// Minimal (Myers) up to several thousand differing lines, correct beyond. O((n+m)·d) time, O(n+m) space.
[[nodiscard]] std::string unified_diff(std::string_view from,
                                       std::string_view to,
                                       std::string const& from_name,
                                       std::string const& to_name,
                                       int context = 3);

/// Counts the lines of the same change.
[[nodiscard]] DiffCounts diff_counts(std::string_view from, std::string_view to);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/edit/unified_diff-inl.hpp"
#endif
