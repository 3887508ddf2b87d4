// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {
namespace impl {

inline constexpr std::size_t kMaxSourceBytes = std::size_t{64} << 20U;

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view file) : s_(source), file_(file) {}

  Result<TokenStream> run() {
    if (s_.size() > kMaxSourceBytes)
      return fail_at(ErrorCode::kParse,
                     std::string(file_),
                     0,
                     "the file is larger than 64 MiB",
                     "pass a CUDA source file");
    if (std::size_t const nul = s_.find('\0'); nul != std::string_view::npos) {
      advance_to(nul);
      return fail_at(ErrorCode::kParse,
                     std::string(file_),
                     line_,
                     "a NUL byte: this is a binary file",
                     "pass a CUDA source file");
    }
    out_.tokens.reserve(s_.size() / 5);
    if (s_.starts_with("\xEF\xBB\xBF")) pos_ = 3;
    while (pos_ < s_.size()) {
      char const c = s_[pos_];
      if (c == '\n') {
        line_start_ = true;
        advance_to(pos_ + 1);
      } else if (is_space(c)) {
        ++pos_;
      } else if (std::size_t const n = splice_length(s_, pos_); n != 0) {
        advance_to(pos_ + n);
      } else if (char const* problem = next_item(c); problem != nullptr) {
        return fail_at(ErrorCode::kParse, std::string(file_), line_, problem, remedy_);
      }
    }
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kNpos = std::string_view::npos;

  [[nodiscard]] char at(std::size_t i) const { return i < s_.size() ? s_[i] : '\0'; }
  /// First position at or after `i` that is not a line continuation.
  [[nodiscard]] std::size_t skip_splices(std::size_t i) const {
    for (std::size_t n = splice_length(s_, i); n != 0; n = splice_length(s_, i)) i += n;
    return i;
  }

  void advance_to(std::size_t end) {
    for (; pos_ < end; ++pos_) line_ += s_[pos_] == '\n' ? 1U : 0U;
  }
  void emit(TokenKind kind, std::size_t end) {
    out_.tokens.push_back(
        {kind, s_.substr(pos_, end - pos_), static_cast<std::uint32_t>(pos_), line_, conditions_.active()});
    advance_to(end);
    line_start_ = false;
  }

  /// Lexes one token or comment at `pos_`. Returns what is wrong, or null.
  char const* next_item(char c) {
    std::size_t const second = skip_splices(pos_ + 1);
    if (c == '/' && (at(second) == '/' || at(second) == '*')) return comment(second);
    if (line_start_ && (c == '#' || (c == '%' && at(second) == ':'))) return directive();
    if (is_identifier_start(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(at(second)))) {
      emit(TokenKind::kNumber, number_end(pos_));
      return nullptr;
    }
    if (c == '"' || c == '\'') return quoted(pos_);
    punctuation(c);
    return nullptr;
  }

  char const* comment(std::size_t second) {
    std::size_t const end = comment_end(second);
    if (end == kNpos) {
      remedy_ = "close it with */";
      return "a comment is not closed";
    }
    out_.comments.push_back(
        {s_.substr(pos_, end - pos_), static_cast<std::uint32_t>(pos_), line_, conditions_.active()});
    advance_to(end);
    return nullptr;
  }

  /// One past the comment whose second delimiter character is at `second`; without the newline of a line
  /// comment. `kNpos` when it is not closed.
  [[nodiscard]] std::size_t comment_end(std::size_t second) const {
    if (s_[second] == '*') {
      std::size_t i = second + 1;
      while (true) {
        i = s_.find('*', i);
        if (i == kNpos) return kNpos;
        std::size_t const j = skip_splices(i + 1);
        if (at(j) == '/') return j + 1;
        i = j;
      }
    }
    std::size_t i = second + 1;
    while (i < s_.size() && s_[i] != '\n') i += std::max<std::size_t>(1, splice_length(s_, i));
    if (i > second + 1 && i < s_.size() && s_[i - 1] == '\r') --i;
    return i;
  }

  [[nodiscard]] std::size_t identifier_end(std::size_t i) const {
    while (true) {
      std::size_t const j = skip_splices(i);
      if (j >= s_.size() || !is_identifier_char(s_[j])) return i;
      i = j + 1;
    }
  }

  [[nodiscard]] std::size_t number_end(std::size_t i) const {
    char previous = '\0';
    while (true) {
      std::size_t const j = skip_splices(i);
      if (j >= s_.size()) return i;
      char const c = s_[j];
      bool const sign = (c == '+' || c == '-') &&
                        (previous == 'e' || previous == 'E' || previous == 'p' || previous == 'P');
      bool const separator = c == '\'' && previous != '\0' && is_identifier_char(at(skip_splices(j + 1)));
      if (!is_identifier_char(c) && c != '.' && !sign && !separator) return i;
      previous = c;
      i = j + 1;
    }
  }

  /// One past the literal whose opening quote is at `i`, or `kNpos` when the line ends first.
  [[nodiscard]] std::size_t quoted_end(std::size_t i) const {
    char const quote = s_[i];
    for (++i; i < s_.size();) {
      if (std::size_t const n = splice_length(s_, i); n != 0) {
        i += n;
      } else if (s_[i] == '\n') {
        return kNpos;
      } else if (s_[i] == '\\') {
        i = skip_splices(i + 1);
        if (i < s_.size() && s_[i] != '\n') ++i;
      } else if (s_[i++] == quote) {
        return i;
      }
    }
    return kNpos;
  }

  /// The same for a raw string.
  [[nodiscard]] std::size_t raw_end(std::size_t i) const {
    std::size_t const open = i + 1;
    std::size_t j = open;
    while (j < s_.size() && j - open <= 16 && s_[j] != '(' && s_[j] != ')' && s_[j] != '\\' && s_[j] != '"' &&
           !is_space(s_[j]))
      ++j;
    if (j - open > 16 || at(j) != '(') return kNpos;
    std::string close(1, ')');
    close += s_.substr(open, j - open);
    close += '"';
    std::size_t const end = s_.find(close, j + 1);
    return end == kNpos ? kNpos : end + close.size();
  }

  /// One past the literal opened at `quote`, or `kNpos`. A search that failed is not repeated for every later
  /// quote of the same line (of the file, for raw strings), which would take quadratic time.
  [[nodiscard]] std::size_t literal_end(std::size_t quote, bool raw) {
    if (quote < (raw ? raw_hopeless_until_ : hopeless_until_)) return kNpos;
    std::size_t const end = raw ? raw_end(quote) : quoted_end(quote);
    if (end == kNpos && raw) raw_hopeless_until_ = s_.size();
    if (end == kNpos && !raw) hopeless_until_ = std::min(s_.find('\n', quote), s_.size());
    return end;
  }

  /// A literal from `pos_` whose opening quote is at `quote`.
  char const* quoted(std::size_t quote, bool raw = false) {
    std::size_t const end = literal_end(quote, raw);
    if (end == kNpos) {
      // Prose under `#if 0` may hold lone quotes; compilers take it too.
      if (!conditions_.active()) {
        emit(TokenKind::kPunct, quote + 1);
        return nullptr;
      }
      remedy_ = "close it, or escape the quote";
      return raw                ? "a raw string literal is not closed"
             : s_[quote] == '"' ? "a string literal is not closed on its line"
                                : "a character literal is not closed on its line";
    }
    emit(s_[quote] == '"' ? TokenKind::kString : TokenKind::kChar, end);
    return nullptr;
  }

  char const* word() {
    std::size_t const end = identifier_end(pos_);
    char const next = at(end);
    if (next == '"' || next == '\'') {
      std::string_view const prefix = s_.substr(pos_, end - pos_);
      if (prefix == "u8" || prefix == "u" || prefix == "U" || prefix == "L") return quoted(end);
      if (next == '"' &&
          (prefix == "R" || prefix == "u8R" || prefix == "uR" || prefix == "UR" || prefix == "LR"))
        return quoted(end, true);
    }
    emit(TokenKind::kIdentifier, end);
    return nullptr;
  }

  /// One token from `#` to the end of its logical line. A comment that ends the line is left out; one inside
  /// is part of the token.
  char const* directive() {
    std::size_t i = s_[pos_] == '#' ? pos_ + 1 : skip_splices(pos_ + 1) + 1;
    std::size_t end = i;
    bool first_word = true;
    bool header_name = false;
    while (i < s_.size() && s_[i] != '\n') {
      char const c = s_[i];
      if (std::size_t const n = splice_length(s_, i); n != 0) {
        i += n;
        continue;
      }
      if (is_space(c)) {
        ++i;
        continue;
      }
      std::size_t const second = skip_splices(i + 1);
      if (c == '/' && at(second) == '/') break;
      if (c == '/' && at(second) == '*') {
        std::size_t const close = comment_end(second);
        if (close == kNpos) {
          advance_to(i);
          remedy_ = "close it with */";
          return "a comment is not closed";
        }
        i = close;
        continue;
      }
      std::size_t stop = i + 1;
      if (header_name && c == '<') {
        std::size_t const close = s_.find_first_of(">\n", i);
        if (close != kNpos && s_[close] == '>') stop = close + 1;
      } else if (is_identifier_start(c)) {
        stop = identifier_end(i);
        std::string_view const w = s_.substr(i, stop - i);
        header_name = first_word && (w == "include" || w == "include_next" || w == "import");
        first_word = false;
        if (at(stop) == '"' && (w == "R" || w == "u8R" || w == "uR" || w == "UR" || w == "LR")) {
          std::size_t const close = literal_end(stop, true);
          if (close != kNpos) stop = close;
        }
      } else if (is_digit(c)) {
        stop = number_end(i);
      } else if (c == '"' || c == '\'') {
        // An unpaired quote, as in `#error don't`, is plain text.
        std::size_t const close = literal_end(i, false);
        if (close != kNpos) stop = close;
      }
      i = end = stop;
    }
    bool const active = conditions_.apply(s_.substr(pos_, end - pos_));
    emit(TokenKind::kDirective, end);
    out_.tokens.back().active = active;
    return nullptr;
  }

  void open_bracket() { ++depth_; }
  void close_bracket() {
    --depth_;
    while (!launches_.empty() && launches_.back() > depth_) launches_.pop_back();
  }

  void punctuation(char c) {
    if (c == '<' && s_.substr(pos_, 3) == "<<<") {
      launches_.push_back(depth_);
      return emit(TokenKind::kPunct, pos_ + 3);
    }
    if (c == '>' && !launches_.empty() && launches_.back() == depth_) {
      // In a run of `>`, the last three close the launch; those before close templates.
      std::size_t run = pos_;
      while (at(run) == '>') ++run;
      if (run - pos_ == 3) {
        launches_.pop_back();
        return emit(TokenKind::kPunct, run);
      }
      if (run - pos_ > 3) return emit(TokenKind::kPunct, pos_ + 1);
    }
    if (c == '(' || c == '[' || c == '{') open_bracket();
    if (c == ')' || c == ']' || c == '}') close_bracket();
    if (c == ';') {
      while (!launches_.empty() && launches_.back() >= depth_) launches_.pop_back();
    }
    static constexpr std::array<std::string_view, 24> kLong = {
        "...", "<=>", "<<=", ">>=", "->*", "->", "++", "--", "<<", "<=", ">=", "==",
        "!=",  "&&",  "||",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "::"};
    // Most punctuation is followed by what ends no operator.
    static constexpr std::string_view kSecond = ".=<>-+&|:";
    if (kSecond.find(at(pos_ + 1)) != kNpos)
      for (std::string_view op : kLong)
        if (op[0] == c && s_.substr(pos_, op.size()) == op) return emit(TokenKind::kPunct, pos_ + op.size());
    emit(TokenKind::kPunct, pos_ + 1);
  }

  std::string_view s_;
  std::string_view file_;
  std::size_t pos_ = 0;
  std::uint32_t line_ = 1;
  bool line_start_ = true;
  std::size_t hopeless_until_ = 0;      ///< No literal that starts before here is closed.
  std::size_t raw_hopeless_until_ = 0;  ///< The same for raw strings.
  int depth_ = 0;                       ///< Open brackets.
  std::vector<int> launches_{};         ///< Bracket depth of each open `<<<`.
  ConditionStack conditions_{};
  TokenStream out_{};
  char const* remedy_ = "";
};

}  // namespace impl

CUCO_EVOLVE_INLINE Result<TokenStream> lex(std::string_view source, std::string_view file) {
  return impl::Lexer(source, file).run();
}

}  // namespace cuco
