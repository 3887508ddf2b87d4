// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/token.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// One mutable region: the text between a START marker line and its END marker line.
struct EvolveBlock {
  Span text;                     ///< Lines strictly between the two marker lines.
  std::uint32_t start_line = 0;  ///< Line of the START marker.
  std::uint32_t end_line = 0;    ///< Line of the END marker.
};

/// Finds the EVOLVE blocks of `source`.
///
/// A marker is a line comment that holds nothing but `EVOLVE-BLOCK-START` or `EVOLVE-BLOCK-END`, alone on its
/// line. Marker words in strings, in other comments or in code are not markers.
/// Errors (kParse with file and line): START without END, END without START, nested START. A source without
/// markers gives an empty vector.
[[nodiscard]] Result<std::vector<EvolveBlock>> find_evolve_blocks(std::string_view source,
                                                                  std::string_view file = "<source>");

/// Everything that is not mutable, marker lines included, byte for byte; blocks replaced by one NUL each.
[[nodiscard]] Result<std::string> frozen_text(std::string_view source, std::string_view file = "<source>");

/// 16 hex digits over `frozen_text`. Two programs with the same hash differ inside EVOLVE blocks only.
[[nodiscard]] Result<std::string> frozen_hash(std::string_view source, std::string_view file = "<source>");

/// The texts of the blocks, in source order.
[[nodiscard]] Result<std::vector<std::string>> extract_evolve_blocks(std::string_view source,
                                                                     std::string_view file = "<source>");

/// `source` with the text of block `i` replaced by `texts[i]`. A text that lacks its last newline gets one,
/// so that the END marker stays alone on its line.
///
/// Errors: kInvalidArgument when the sizes differ, or when a text would change what is frozen (it holds a
/// marker, leaves a comment or a literal open, or changes which brackets and conditions reach out of the
/// block).
[[nodiscard]] Result<std::string> replace_evolve_blocks(std::string_view source,
                                                        std::vector<std::string> const& texts);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/edit/evolve_blocks-inl.hpp"
#endif
