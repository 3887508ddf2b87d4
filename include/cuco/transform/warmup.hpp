// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/result.hpp"

namespace cuco {

/// What `insert_warmup` did.
struct Warmup {
  std::string code;  ///< Equal to the input when nothing was inserted.
  bool inserted = false;
  std::string reason;  ///< One line: where it went, or why there is none.
  /// Nobody should add any: the program warms up already, or a round more would change its input.
  bool unwanted = false;
};

/// Adds two untimed rounds of the timed communication, a device synchronisation and an MPI barrier before the
/// loop (or the timer) that measures it, in frozen text. Nothing is inserted when the program warms up
/// already (by structure: communication before the timer, or iterations whose times are left out; a comment
/// does not count), when the loop would not make its inputs anew although the collective overwrites them, or
/// when no early place knows all arguments. Errors: kParse for text that does not lex.
[[nodiscard]] Result<Warmup> insert_warmup(std::string_view code, std::string const& file = "<source>");

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/warmup-inl.hpp"
#endif
