// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cuco {

/// A half-open range of bytes of one source file.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  [[nodiscard]] bool empty() const { return begin >= end; }
  [[nodiscard]] std::uint32_t size() const { return end - begin; }
  bool operator==(Span const&) const = default;
};

enum class TokenKind : std::uint8_t {
  kIdentifier,  ///< Keywords too.
  kNumber,
  kString,  ///< Any string literal, prefix and raw forms included.
  kChar,
  kPunct,      ///< `<<<` is one token; `>>>` is one only where it closes a `<<<`; `>` `>` else.
  kDirective,  ///< A whole preprocessor line with its continuations, as one token.
};

/// One token. `text` points into the lexed source, so it holds line continuations as written.
struct Token {
  TokenKind kind;
  std::string_view text;
  std::uint32_t offset;  ///< Byte offset of `text` in the source.
  std::uint32_t line;    ///< 1-based.
  bool active = true;    ///< False under `#if 0` and its like.
  [[nodiscard]] Span span() const { return {offset, offset + static_cast<std::uint32_t>(text.size())}; }
  [[nodiscard]] bool is(std::string_view what) const { return text == what; }
};

/// A comment with its delimiters.
struct Comment {
  std::string_view text;
  std::uint32_t offset;
  std::uint32_t line;
  bool active = true;
};

/// A lexed file. Views point into the source that was lexed, which must outlive it.
struct TokenStream {
  std::vector<Token> tokens;      ///< In source order, inactive ones included.
  std::vector<Comment> comments;  ///< In source order.
};

}  // namespace cuco
