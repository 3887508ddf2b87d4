// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cuco::impl::evaluating {

/// What came out of `mpirun --xml`, taken apart.
struct MpirunOutput {
  std::vector<std::string> rank_stdout;  ///< Index = rank.
  std::vector<std::string> rank_stderr;  ///< Index = rank.
  std::string launcher_text;             ///< Of the launcher itself.
};

/// Splits the output of `mpirun --xml` by rank.
///
/// This format and not `--tag-output`, because there a rank that prints "[1,1]<stdout>:Verification: PASS"
/// cannot be told from rank 1. With --xml the launcher escapes '<', '>' and '&' in what ranks print, so an
/// unescaped tag is always the launcher's. Elements may follow each other on one line (partial writes of
/// several ranks) and a line of text may be spread over several elements. Text outside elements belongs to
/// the launcher. An element cut off by the output cap counts up to the cut. Ranks >= `ranks` are dropped.
[[nodiscard]] MpirunOutput parse_mpirun_xml(std::string_view text, int ranks);

/// All of `texts`, rank by rank, each line with "[rank] " in front and ended.
[[nodiscard]] std::string join_by_rank(std::vector<std::string> const& texts);

/// `&lt;`, `&gt;`, `&amp;` and `&#nnn;` replaced by what they stand for; anything else is left alone.
[[nodiscard]] std::string unescape_xml(std::string_view text);

/// The number N of "exited on signal N" in the launcher's report; 0 when there is none.
[[nodiscard]] int launcher_signal(std::string_view launcher_text);

}  // namespace cuco::impl::evaluating

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/impl/mpirun_output-inl.hpp"
#endif
