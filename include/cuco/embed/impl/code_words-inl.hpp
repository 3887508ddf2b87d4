// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/embed/impl/code_words.hpp"

namespace cuco::impl {

/// Cuts a text into words. Simpler than a compiler's lexer on purpose: it only has to be stable.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  std::vector<CodeWord> read() {
    while (at_ < text_.size()) {
      char const c = text_[at_];
      if (is_blank(c) || (c == '\\' && line_ends_after(at_))) {
        ++at_;
      } else if (starts("//")) {
        skip_line();
      } else if (starts("/*")) {
        auto const end = text_.find("*/", at_ + 2);
        at_ = end == npos ? text_.size() : end + 2;
      } else if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
        number();
      } else if (is_name(c)) {
        name();
      } else if (c == '"' || c == '\'') {
        quoted(at_);
      } else {
        operation();
      }
    }
    return std::move(words_);
  }

 private:
  static constexpr auto npos = std::string_view::npos;
  static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f';
  }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c) ||
           static_cast<unsigned char>(c) >= 0x80;
  }
  [[nodiscard]] bool starts(std::string_view word) const { return text_.substr(at_, word.size()) == word; }
  [[nodiscard]] bool line_ends_after(std::size_t at) const {
    return at + 1 < text_.size() && (text_[at + 1] == '\n' || text_[at + 1] == '\r');
  }
  void add(CodeWord::Kind kind, std::string text) { words_.push_back({kind, std::move(text)}); }

  void skip_line() {
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_)
      if (text_[at_] == '\\' && line_ends_after(at_)) at_ += text_[at_ + 1] == '\r' ? 2 : 1;
  }

  void number() {
    std::string spelled;
    for (; at_ < text_.size(); ++at_) {
      char const c = text_[at_];
      bool const sign = (c == '+' || c == '-') && !spelled.empty() &&
                        ((spelled.back() == 'e' && !spelled.starts_with("0x")) || spelled.back() == 'p');
      if (c == '\'' && at_ + 1 < text_.size() && is_name(text_[at_ + 1])) continue;
      if (!is_name(c) && c != '.' && !sign) break;
      spelled += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    add(CodeWord::Kind::kNumber, value_of(spelled));
  }

  /// Whole numbers by value; others without their suffix.
  static std::string value_of(std::string const& spelled) {
    int base = 10;
    std::string_view digits = spelled;
    if (digits.starts_with("0x") || digits.starts_with("0b")) {
      base = digits[1] == 'x' ? 16 : 2;
      digits.remove_prefix(2);
    }
    auto last = digits.find_last_not_of("ulz");
    auto const whole = digits.substr(0, last == npos ? 0 : last + 1);
    if (base == 10 && whole.size() > 1 && whole[0] == '0') base = 8;
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value, base);
    if (error == std::errc{} && end == whole.data() + whole.size()) return std::to_string(value);
    if (base == 16) return spelled;
    last = spelled.find_last_not_of("fl");
    return last == npos ? spelled : spelled.substr(0, last + 1);
  }

  void name() {
    std::size_t const begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    auto const word = text_.substr(begin, at_ - begin);
    bool const prefix = word == "R" || word == "u8R" || word == "uR" || word == "UR" || word == "LR";
    if (prefix && at_ < text_.size() && text_[at_] == '"') return raw(begin);
    bool const encoded = word == "u8" || word == "u" || word == "U" || word == "L";
    if (encoded && at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return quoted(begin);
    add(kind_of(word), std::string(word));
  }

  void raw(std::size_t begin) {
    auto const open = text_.find('(', at_);
    std::string const close =
        open == npos ? std::string() : ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
    auto const end = open == npos ? npos : text_.find(close, open);
    at_ = end == npos ? text_.size() : end + close.size();
    add(CodeWord::Kind::kLiteral, std::string(text_.substr(begin, at_ - begin)));
  }

  /// A literal ends at its quote, or with its line.
  void quoted(std::size_t begin) {
    char const quote = text_[at_++];
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n')
      at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2 : 1;
    at_ = std::min(at_ + (at_ < text_.size() && text_[at_] == quote ? 1 : 0), text_.size());
    add(CodeWord::Kind::kLiteral, std::string(text_.substr(begin, at_ - begin)));
  }

  void operation() {
    static constexpr std::array<std::string_view, 27> kOperators{
        "<<<", ">>>", "<=>", "...", "->*", "<<=", ">>=", "->", "::", "++", "--", "<<", ">>", "<=",
        ">=",  "==",  "!=",  "&&",  "||",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^="};
    for (auto const word : kOperators) {
      if (!starts(word)) continue;
      at_ += word.size();
      return add(CodeWord::Kind::kOperator, std::string(word));
    }
    add(CodeWord::Kind::kOperator, std::string(1, text_[at_++]));
  }

  static CodeWord::Kind kind_of(std::string_view word) {
    static constexpr std::array<std::string_view, 74> kKeywords{
        "alignas",  "alignof",   "asm",         "auto",
        "bool",     "break",     "case",        "catch",
        "char",     "class",     "const",       "constexpr",
        "continue", "decltype",  "default",     "define",
        "delete",   "do",        "double",      "else",
        "endif",    "enum",      "explicit",    "extern",
        "false",    "final",     "float",       "for",
        "friend",   "goto",      "if",          "ifdef",
        "ifndef",   "include",   "inline",      "int",
        "int16_t",  "int32_t",   "int64_t",     "int8_t",
        "long",     "mutable",   "namespace",   "new",
        "noexcept", "nullptr",   "operator",    "pragma",
        "private",  "protected", "public",      "reinterpret_cast",
        "return",   "short",     "signed",      "size_t",
        "sizeof",   "static",    "static_cast", "std",
        "struct",   "switch",    "template",    "this",
        "true",     "typename",  "uint32_t",    "uint64_t",
        "union",    "unsigned",  "using",       "virtual",
        "void",     "while"};
    static_assert(std::is_sorted(kKeywords.begin(), kKeywords.end()));
    static constexpr std::array<std::string_view, 10> kPrefixes{"nccl",
                                                                "NCCL",
                                                                "cuda",
                                                                "CUDA",
                                                                "MPI_",
                                                                "__",
                                                                "atomic",
                                                                "cooperative_groups",
                                                                "memory_order",
                                                                "thread_scope"};
    static constexpr std::array<std::string_view, 12> kBuiltins{"threadIdx",
                                                                "blockIdx",
                                                                "blockDim",
                                                                "gridDim",
                                                                "warpSize",
                                                                "dim3",
                                                                "float2",
                                                                "float4",
                                                                "int4",
                                                                "uint4",
                                                                "half",
                                                                "nv_bfloat16"};
    if (std::binary_search(kKeywords.begin(), kKeywords.end(), word)) return CodeWord::Kind::kKeyword;
    bool const known = std::find(kBuiltins.begin(), kBuiltins.end(), word) != kBuiltins.end() ||
                       std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](auto prefix) {
                         return word.starts_with(prefix);
                       });
    return known ? CodeWord::Kind::kKnown : CodeWord::Kind::kName;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<CodeWord> words_{};
};

CUCO_EVOLVE_INLINE std::vector<CodeWord> code_words(std::string_view text) {
  return WordReader(text).read();
}

}  // namespace cuco::impl
