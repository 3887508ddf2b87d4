// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "cuco/analysis/token.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Splits CUDA C++ `source` into tokens and comments. Total: any bytes give a stream or an `Error`.
///
/// Handles comments, string, character and raw-string literals, digit separators, line continuations, CRLF,
/// `<<<` … `>>>`, and preprocessor lines (one token each). Tokens under a condition that is false for sure
/// (`#if 0`, the `#else` of `#if 1`, their `#elif`s, nested) are marked inactive; unknown conditions are
/// taken as true on every branch.
///
/// @param file name for error messages only.
/// Errors: kParse with file and line for an unterminated comment or literal, a NUL byte (a binary file),
/// or a source over 64 MiB. O(source.size()).
[[nodiscard]] Result<TokenStream> lex(std::string_view source, std::string_view file = "<source>");

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/analysis/lexer-inl.hpp"
#endif
