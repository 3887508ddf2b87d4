// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/analysis/source_map.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// A program in one piece.
struct FlatSource {
  std::string code;
  SourceMap map;  ///< Empty when the text is the file's.
};

/// Reads the program at `path` and puts in place of each `#include "x"` whose file lies next to the including
/// file (or at that relative path) the text of that file, between comment lines that name it. A file with
/// `#pragma once` or include guards comes once; others each time. Includes in angle brackets, in comments,
/// under `#if 0`, of macros, and of files that are not there stay as they are. Names of functions that macros
/// paste together (`nccl##verb`) are written out in macros of their own. Without either the text is that of
/// the file, byte for byte. Errors: kNotFound, kIo; kParse for a file that includes itself without a
/// guard, includes nested deeper than 64, more than 64 MiB in all, and included files that do not lex.
[[nodiscard]] Result<FlatSource> flatten_includes(std::string const& path);

/// `error`, whose line is one of the flattened program `file`, with the file and line where that was written.
[[nodiscard]] Error at_origin(Error error, SourceMap const& map, std::string const& file);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/analysis/flatten-inl.hpp"
#endif
