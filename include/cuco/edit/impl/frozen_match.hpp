// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/markers.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/edit/evolve_blocks.hpp"

namespace cuco::impl {

/// Equal but for layout.
inline bool same_token(Token const& a, Token const& b) {
  if (a.text == b.text) return true;
  if (a.kind != TokenKind::kDirective || b.kind != TokenKind::kDirective) return false;
  DirectiveParts const x = split_directive(a.text);
  DirectiveParts const y = split_directive(b.text);
  return x.name == y.name && trim(x.rest) == trim(y.rest);
}

/// Tokens `[begin, end)` of a stream.
struct TokenRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// What brackets in the tokens open, less what they close.
inline long open_brackets(std::vector<Token> const& tokens, TokenRange r) {
  long depth = 0;
  for (std::size_t i = r.begin; i < r.end; ++i) {
    if (tokens[i].kind != TokenKind::kPunct || tokens[i].text.size() != 1) continue;
    char const c = tokens[i].text[0];
    depth += c == '{' || c == '(' || c == '[' ? 1 : c == '}' || c == ')' || c == ']' ? -1 : 0;
  }
  return depth;
}

/// True when the tokens have `main(` outside of braces.
inline bool has_main(std::vector<Token> const& tokens, TokenRange r) {
  long depth = 0;
  for (std::size_t i = r.begin; i < r.end; ++i) {
    depth += tokens[i].is("{") ? 1 : tokens[i].is("}") ? -1 : 0;
    if (depth <= 0 && tokens[i].is("main") && i + 1 < r.end && tokens[i + 1].is("(")) return true;
  }
  return false;
}

/// The frozen text around the one block of a program, to be found again in code without marker lines. Layout
/// and comments need not be the same.
class FrozenMatch {
 public:
  /// The views of `program` must outlive it.
  FrozenMatch(TokenStream const& program, Span block) : program_(program) {
    auto const before = [&](auto const& item) { return item.offset < block.begin; };
    auto const within = [&](auto const& item) { return item.offset < block.end; };
    auto const& t = program.tokens;
    head_ = static_cast<std::size_t>(std::partition_point(t.begin(), t.end(), before) - t.begin());
    tail_ = static_cast<std::size_t>(std::partition_point(t.begin(), t.end(), within) - t.begin());
    // Comments next to the block, without the marker lines.
    auto const& c = program.comments;
    auto const start = std::partition_point(c.begin(), c.end(), before) - 1;
    auto const end = std::partition_point(c.begin(), c.end(), within);
    std::size_t const last = head_ == 0 ? 0 : t[head_ - 1].offset;
    for (auto i = start; i != c.begin() && (i - 1)->offset >= last;)
      head_comments_.push_back(trim((--i)->text));
    std::reverse(head_comments_.begin(), head_comments_.end());
    for (auto i = end + 1; i < c.end() && (tail_ == t.size() || i->offset < t[tail_].offset); ++i)
      tail_comments_.push_back(trim(i->text));
    for (std::size_t i = 0; i < head_; ++i)
      if (is_include(t[i])) includes_.insert(included(t[i]));
  }

  [[nodiscard]] std::size_t head_size() const { return head_; }
  [[nodiscard]] std::size_t tail_size() const { return program_.tokens.size() - tail_; }
  [[nodiscard]] TokenRange block() const { return {head_, tail_}; }
  [[nodiscard]] std::vector<Token> const& tokens() const { return program_.tokens; }

  [[nodiscard]] bool begins(TokenStream const& code) const {
    return code.tokens.size() >= head_ &&
           std::equal(code.tokens.begin(), at(code.tokens, head_), program_.tokens.begin(), same_token);
  }
  [[nodiscard]] bool ends(TokenStream const& code) const {
    return code.tokens.size() >= tail_size() && std::equal(at(program_.tokens, tail_),
                                                           program_.tokens.end(),
                                                           at(code.tokens, code.tokens.size() - tail_size()),
                                                           same_token);
  }
  [[nodiscard]] bool has_include(Token const& token) const {
    return is_include(token) && includes_.count(included(token)) > 0;
  }

  /// Where the text of tokens `r` of `code` begins and ends, without the comments that the program has next
  /// to its block; whole lines where nothing else is on them.
  [[nodiscard]] std::pair<std::size_t, std::size_t> text_of(std::string_view source,
                                                            TokenStream const& code,
                                                            TokenRange r) const {
    std::size_t const first = r.begin < code.tokens.size() ? code.tokens[r.begin].offset : source.size();
    std::size_t const last = r.end > 0 ? end_of(code.tokens[r.end - 1]) : 0;
    std::size_t begin = r.begin > 0 ? end_of(code.tokens[r.begin - 1]) : 0;
    std::size_t end = r.end < code.tokens.size() ? code.tokens[r.end].offset : source.size();
    auto const& c = code.comments;
    auto i = std::partition_point(c.begin(), c.end(), [&](Comment const& x) { return x.offset < begin; });
    for (std::string_view want : head_comments_) {
      if (i == c.end() || i->offset >= first || trim(i->text) != want) break;
      begin = i->offset + i->text.size();
      ++i;
    }
    auto j = std::partition_point(c.begin(), c.end(), [&](Comment const& x) { return x.offset < end; });
    for (auto want = tail_comments_.rbegin(); want != tail_comments_.rend(); ++want) {
      if (j == i || (j - 1)->offset < std::max(last, begin) || trim((j - 1)->text) != *want) break;
      end = (--j)->offset;
    }
    if (begin > 0 || r.begin > 0) {
      std::size_t const line = line_end(source, begin);
      if (trim(source.substr(begin, line - begin)).empty()) begin = line;
    }
    std::size_t const line = line_begin(source, end);
    if (end < source.size() && trim(source.substr(line, end - line)).empty()) end = line;
    return {begin, std::max(begin, end)};
  }

 private:
  static bool is_include(Token const& t) {
    return t.kind == TokenKind::kDirective && split_directive(t.text).name == "include";
  }
  static std::string included(Token const& t) { return std::string(trim(split_directive(t.text).rest)); }
  static std::size_t end_of(Token const& t) { return t.offset + t.text.size(); }
  static std::vector<Token>::const_iterator at(std::vector<Token> const& tokens, std::size_t i) {
    return tokens.begin() + static_cast<std::ptrdiff_t>(i);
  }

  TokenStream const& program_;
  std::size_t head_ = 0;  ///< Tokens before the block.
  std::size_t tail_ = 0;  ///< First token after it.
  std::vector<std::string_view> head_comments_{}, tail_comments_{};
  std::set<std::string> includes_{};
};

}  // namespace cuco::impl
