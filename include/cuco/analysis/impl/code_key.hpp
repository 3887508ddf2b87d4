// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/hash.hpp"

namespace cuco::impl {

/// `code` without comments, layout and text under `#if 0`; `code` itself when it is not C++.
inline std::string normalised_code(std::string_view code) {
  auto const stream = lex(code);
  if (!stream) return std::string(code);
  std::string out;
  out.reserve(code.size());
  for (auto const& token : stream->tokens) {
    if (!token.active) continue;
    out.append(token.text);
    // A directive ends its line; elsewhere a blank keeps tokens apart.
    out.push_back(token.kind == TokenKind::kDirective ? '\n' : ' ');
  }
  return out;
}

/// Equal for programs that are the same but for comments and layout.
inline std::string code_key(std::string_view code) {
  return content_hash_128(normalised_code(code));
}

}  // namespace cuco::impl
