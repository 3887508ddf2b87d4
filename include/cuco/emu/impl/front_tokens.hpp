// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/token.hpp"

namespace cuco::impl::emulating {

/// Active tokens of a file or of one macro body, and the questions the rewriter asks about them. Indices out
/// of range read as an empty punctuation token.
class TokenView {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  explicit TokenView(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] std::size_t size() const { return tokens_.size(); }
  [[nodiscard]] Token const& operator[](std::size_t i) const {
    static constexpr Token kEnd{TokenKind::kPunct, "", 0, 0, true};
    return i < tokens_.size() ? tokens_[i] : kEnd;
  }
  [[nodiscard]] bool is(std::size_t i, std::string_view text) const { return (*this)[i].text == text; }
  [[nodiscard]] bool identifier(std::size_t i) const {
    return i < size() && tokens_[i].kind == TokenKind::kIdentifier;
  }
  [[nodiscard]] bool opens(std::size_t i) const { return is(i, "(") || is(i, "[") || is(i, "{"); }
  [[nodiscard]] bool closes(std::size_t i) const { return is(i, ")") || is(i, "]") || is(i, "}"); }

  /// Index of the bracket that closes the one at `open`, or kNone.
  [[nodiscard]] std::size_t match(std::size_t open) const {
    if (!opens(open)) return kNone;
    int depth = 0;
    for (std::size_t i = open; i < size(); ++i) {
      if (opens(i)) ++depth;
      if (closes(i) && --depth == 0) return i;
    }
    return kNone;
  }
  /// Index of the bracket that opens the one at `close`, or kNone.
  [[nodiscard]] std::size_t match_back(std::size_t close) const {
    int depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
      if (closes(i)) ++depth;
      if (opens(i) && --depth == 0) return i;
    }
    return kNone;
  }
  /// Index of the `>` that closes the template argument list opened by the `<` at `open`, or kNone when it
  /// reads as a comparison.
  [[nodiscard]] std::size_t match_angle(std::size_t open, std::size_t end = kNone) const {
    int depth = 0;
    for (std::size_t i = open; i < std::min(end, size()); ++i) {
      if (opens(i)) {
        i = match(i);
        if (i == kNone) return kNone;
      } else if (is(i, "<")) {
        ++depth;
      } else if (is(i, ">")) {
        if (--depth == 0) return i;
      } else if (is(i, ";") || closes(i) || is(i, "&&") || is(i, "||") || is(i, "<<<")) {
        return kNone;
      }
    }
    return kNone;
  }
  /// The same backwards, from the `>` at `close`.
  [[nodiscard]] std::size_t match_angle_back(std::size_t close) const {
    int depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
      if (closes(i)) {
        i = match_back(i);
        if (i == kNone) return kNone;
      } else if (is(i, ">")) {
        ++depth;
      } else if (is(i, "<")) {
        if (--depth == 0) return i;
      } else if (is(i, ";") || opens(i)) {
        return kNone;
      }
    }
    return kNone;
  }

  /// Splits [begin, end) at its top-level commas. An empty range has no parts.
  [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> split(std::size_t begin,
                                                                       std::size_t end) const {
    std::vector<std::pair<std::size_t, std::size_t>> parts;
    if (begin >= end) return parts;
    std::size_t start = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (opens(i)) {
        std::size_t const close = match(i);
        if (close == kNone || close >= end) break;
        i = close;
      } else if (is(i, "<") && i > begin && identifier(i - 1)) {
        std::size_t const close = match_angle(i, end);
        if (close != kNone && (is(close + 1, "(") || is(close + 1, "::") || is(close + 1, "{"))) i = close;
      } else if (is(i, ",")) {
        parts.emplace_back(start, i);
        start = i + 1;
      }
    }
    parts.emplace_back(start, end);
    return parts;
  }

  /// Text of [begin, end) on one line, with spaces only where words would run together.
  [[nodiscard]] std::string flat(std::size_t begin, std::size_t end) const {
    std::string out;
    for (std::size_t i = begin; i < end; ++i) {
      bool const word = tokens_[i].kind != TokenKind::kPunct;
      if (i > begin && word && tokens_[i - 1].kind != TokenKind::kPunct) out += ' ';
      out += tokens_[i].text;
    }
    return out;
  }

 private:
  std::vector<Token> tokens_;
};

/// `text` as a C++ string literal.
inline std::string string_literal(std::string_view text) {
  std::string out = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace cuco::impl::emulating
