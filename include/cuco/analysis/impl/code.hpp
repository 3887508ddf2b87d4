// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/lexer.hpp"

namespace cuco::impl {

/// A half-open range of token indices.
struct Range {
  int begin = 0;
  int end = 0;
  [[nodiscard]] bool empty() const { return begin >= end; }
  [[nodiscard]] int size() const { return end - begin; }
};

/// The tokens that are compiled, directives left out, with their bracket structure.
struct Code {
  std::string_view source;
  std::vector<Token> tokens;
  std::vector<int> match;      ///< Partner of a bracket, -1 for other tokens.
  std::vector<int> parent;     ///< Innermost bracket that is open around the token, or -1.
  std::vector<char> has_code;  ///< For `{`: a `;` lies directly in it.
  std::vector<Token> directives;

  [[nodiscard]] int size() const { return static_cast<int>(tokens.size()); }
  [[nodiscard]] Token const& at(int i) const { return tokens[static_cast<std::size_t>(i)]; }
  [[nodiscard]] std::string_view text(int i) const {
    return i >= 0 && i < size() ? at(i).text : std::string_view();
  }
  [[nodiscard]] bool is(int i, std::string_view what) const { return text(i) == what; }
  [[nodiscard]] bool is_word(int i) const {
    return i >= 0 && i < size() && at(i).kind == TokenKind::kIdentifier;
  }
  [[nodiscard]] int partner(int i) const {
    return i >= 0 && i < size() ? match[static_cast<std::size_t>(i)] : -1;
  }
  [[nodiscard]] int enclosing(int i) const {
    return i >= 0 && i < size() ? parent[static_cast<std::size_t>(i)] : -1;
  }
  [[nodiscard]] bool opens(int i) const { return is(i, "(") || is(i, "[") || is(i, "{"); }
  /// The token after `i`, or after the whole group when `i` opens one.
  [[nodiscard]] int next(int i) const { return opens(i) ? partner(i) + 1 : i + 1; }
  [[nodiscard]] Span span(Range r) const {
    if (r.empty()) return {};
    return {at(r.begin).offset, at(r.end - 1).span().end};
  }
  /// The source of the tokens as written, `limit` bytes at most.
  [[nodiscard]] std::string text(Range r, std::size_t limit = 4096) const {
    Span const s = span(r);
    return std::string(source.substr(s.begin, std::min<std::size_t>(s.size(), limit)));
  }
  /// The tokens joined without blanks, except between words.
  [[nodiscard]] std::string squeezed(Range r, std::size_t limit = 4096) const {
    std::string out;
    for (int i = r.begin; i < r.end && out.size() < limit; ++i) {
      std::string_view const t = text(i);
      if (!out.empty() && !t.empty() && is_identifier_char(out.back()) && is_identifier_char(t.front()))
        out += ' ';
      out += t;
    }
    return out;
  }

  /// The `>` that closes the template argument list opened by the `<` at `open`, or -1 when it reads as an
  /// operator.
  [[nodiscard]] int close_angle(int open, int limit) const {
    constexpr int kLongest = 128;
    int depth = 1;
    for (int j = open + 1; j < std::min(limit, open + kLongest); j = next(j)) {
      std::string_view const t = text(j);
      if (t == "<") ++depth;
      if (t == ">" && --depth == 0) return j;
      if (t == ";" || t == ")" || t == "]" || t == "}" || t == "&&" || t == "||" || t == "<<<" || t == ">>>")
        return -1;
    }
    return -1;
  }
  /// The same, also checking that what stands around can only be a template argument list.
  [[nodiscard]] int template_close(int open, int limit) const {
    if (!is_word(open - 1) || is(open - 1, "return")) return -1;
    int const close = close_angle(open, limit);
    if (close < 0) return -1;
    std::string_view const after = close + 1 < limit ? text(close + 1) : std::string_view(")");
    for (std::string_view ok : {"(", ")", "::", "{", ",", ">", ";", "<<<", "*", "&"})
      if (after == ok) return close;
    return -1;
  }

  /// The parts of `r` between top-level commas. Nothing for an empty range.
  [[nodiscard]] std::vector<Range> split(Range r) const {
    std::vector<Range> parts;
    if (r.empty()) return parts;
    int begin = r.begin;
    for (int i = r.begin; i < r.end;) {
      if (is(i, "<")) {
        int const close = template_close(i, r.end);
        if (close > 0) {
          i = close + 1;
          continue;
        }
      }
      if (is(i, ",")) {
        parts.push_back({begin, i});
        begin = i + 1;
      }
      i = next(i);
    }
    parts.push_back({begin, r.end});
    return parts;
  }
  /// What is between the brackets at `open` and its partner.
  [[nodiscard]] Range inside(int open) const { return {open + 1, partner(open)}; }
};

/// Keeps the first branch of every undecided #if … #else, for sources whose branches open the same brace
/// twice.
class FirstBranchFilter {
 public:
  /// To be called for each directive.
  void apply(std::string_view directive) {
    auto const [name, rest] = split_directive(directive);
    if (name.starts_with("if")) {
      // A first branch that is certainly skipped does not count as one.
      bool const skipped = name == "if" && evaluate_condition(rest) == Truth::kFalse;
      branches_.push_back(skipped ? -1 : 0);
    }
    if (name.starts_with("el") && !branches_.empty()) {
      if (branches_.back()++ == 0) ++skipping_;
    }
    if (name == "endif" && !branches_.empty()) {
      if (branches_.back() > 0) --skipping_;
      branches_.pop_back();
    }
  }
  [[nodiscard]] bool keep() const { return skipping_ == 0; }

 private:
  std::vector<int> branches_;
  int skipping_ = 0;
};

inline Result<Code> pair_brackets(Code code, std::string_view file) {
  auto const n = code.tokens.size();
  code.match.assign(n, -1);
  code.parent.assign(n, -1);
  code.has_code.assign(n, 0);
  std::vector<int> open;
  auto problem = [&](Token const& t, std::string cause, std::string remedy) {
    return fail_at(ErrorCode::kParse, std::string(file), t.line, std::move(cause), std::move(remedy));
  };
  for (std::size_t i = 0; i < n; ++i) {
    Token const& t = code.tokens[i];
    if (!open.empty()) code.parent[i] = open.back();
    if (t.kind != TokenKind::kPunct || t.text.size() != 1) continue;
    char const c = t.text.front();
    if (c == ';' && !open.empty()) code.has_code[static_cast<std::size_t>(open.back())] = 1;
    if (c == '(' || c == '[' || c == '{') open.push_back(static_cast<int>(i));
    if (c != ')' && c != ']' && c != '}') continue;
    if (open.empty())
      return problem(t, std::string("'") + c + "' closes nothing", "remove it, or add what it should close");
    Token const& o = code.at(open.back());
    if (c != (o.is("(") ? ')' : o.is("[") ? ']' : '}'))
      return problem(t,
                     std::string("'") + c + "' does not close the '" + std::string(o.text) + "' of line " +
                         std::to_string(o.line),
                     "balance the brackets");
    code.match[i] = open.back();
    code.match[static_cast<std::size_t>(open.back())] = static_cast<int>(i);
    open.pop_back();
    code.parent[i] = open.empty() ? -1 : open.back();
  }
  if (!open.empty()) {
    Token const& o = code.at(open.back());
    return problem(o, "'" + std::string(o.text) + "' is not closed", "balance the brackets");
  }
  return code;
}

/// @param first_branch_only set when the whole did not balance and only the first branch of each undecided
///        condition was kept.
inline Result<Code> make_code(std::string_view source,
                              TokenStream const& stream,
                              std::string_view file,
                              bool& first_branch_only) {
  auto collect = [&](bool first_only) {
    Code code;
    code.source = source;
    FirstBranchFilter filter;
    for (Token const& t : stream.tokens) {
      if (!t.active) continue;
      if (t.kind == TokenKind::kDirective) {
        if (first_only) filter.apply(t.text);
        if (filter.keep()) code.directives.push_back(t);
      } else if (filter.keep()) {
        code.tokens.push_back(t);
      }
    }
    return pair_brackets(std::move(code), file);
  };
  first_branch_only = false;
  auto whole = collect(false);
  bool conditional = false;
  for (Token const& t : stream.tokens)
    conditional |=
        t.active && t.kind == TokenKind::kDirective && split_directive(t.text).name.starts_with("el");
  if (whole || !conditional) return whole;
  auto first = collect(true);
  if (!first) return whole;
  first_branch_only = true;
  return first;
}

}  // namespace cuco::impl
