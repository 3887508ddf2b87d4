// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cuco::impl {

enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };

inline bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_identifier_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
inline bool is_identifier_char(char c) {
  return is_identifier_start(c) || is_digit(c);
}

inline std::string_view trim(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

/// Length of the line continuation at `s[i]` (backslash, blanks, newline), or 0. Blanks before the newline
/// are accepted because the compilers accept them.
inline std::size_t splice_length(std::string_view s, std::size_t i) {
  if (i >= s.size() || s[i] != '\\') return 0;
  std::size_t j = i + 1;
  while (j < s.size() && (s[j] == ' ' || s[j] == '\t' || s[j] == '\v' || s[j] == '\f' || s[j] == '\r')) ++j;
  return j < s.size() && s[j] == '\n' ? j + 1 - i : 0;
}

/// A directive's text on one line: continuations removed, comments replaced by a blank, strings kept.
inline std::string flatten_directive(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::size_t const n = splice_length(text, i); n != 0) {
      i += n - 1;
      continue;
    }
    char const c = text[i];
    if (quote != 0) {
      out += c;
      if (c == '\\' && i + 1 < text.size()) {
        out += text[++i];
      } else if (c == quote) {
        quote = 0;
      }
      continue;
    }
    if (c == '/' && i + 1 < text.size() && text[i + 1] == '*') {
      std::size_t const end = text.find("*/", i + 2);
      out += ' ';
      if (end == std::string_view::npos) break;
      i = end + 1;
      continue;
    }
    if (c == '/' && i + 1 < text.size() && text[i + 1] == '/') break;
    // A quote after a digit separates digits.
    if (c == '"' || (c == '\'' && (out.empty() || !is_identifier_char(out.back())))) {
      if (text.find(c, i + 1) != std::string_view::npos) quote = c;
    }
    out += c;
  }
  return out;
}

/// The parts of `s` between occurrences of `op` outside parentheses.
inline std::vector<std::string_view> split_top_level(std::string_view s, std::string_view op) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i + op.size() <= s.size(); ++i) {
    if (s[i] == '(') ++depth;
    if (s[i] == ')') --depth;
    if (depth == 0 && s.substr(i, op.size()) == op) {
      parts.push_back(s.substr(start, i - start));
      start = i + op.size();
      i = start - 1;
    }
  }
  parts.push_back(s.substr(start));
  return parts;
}

/// True or false when `#if expression` is so for every set of macros; unknown else.
inline Truth evaluate_condition(std::string_view expression, int depth = 0) {
  std::string_view s = trim(expression);
  if (depth > 16 || s.empty() || s.find_first_of("?\"'") != std::string_view::npos) return Truth::kUnknown;
  for (bool const disjunction : {true, false}) {
    auto const parts = split_top_level(s, disjunction ? "||" : "&&");
    if (parts.size() < 2) continue;
    Truth const deciding = disjunction ? Truth::kTrue : Truth::kFalse;
    bool unknown = false;
    for (auto part : parts) {
      Truth const t = evaluate_condition(part, depth + 1);
      if (t == deciding) return deciding;
      unknown |= t == Truth::kUnknown;
    }
    if (unknown) return Truth::kUnknown;
    return disjunction ? Truth::kFalse : Truth::kTrue;
  }
  if (s.front() == '!' && s.size() > 1 && s[1] != '=') {
    // "!0 == x" would not negate the whole, so only a single operand is understood.
    std::string_view const operand = trim(s.substr(1));
    bool const single = operand.find_first_of("=<>+-*/%&|^ ") == std::string_view::npos;
    Truth const t = single ? evaluate_condition(operand, depth + 1) : Truth::kUnknown;
    return t == Truth::kUnknown ? t : t == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
  }
  if (s.front() == '(' && s.back() == ')') {
    int level = 0;
    for (std::size_t i = 0; i + 1 < s.size(); ++i) {
      level += s[i] == '(' ? 1 : s[i] == ')' ? -1 : 0;
      if (level == 0) return Truth::kUnknown;
    }
    return evaluate_condition(s.substr(1, s.size() - 2), depth + 1);
  }
  if (s == "true") return Truth::kTrue;
  if (s == "false") return Truth::kFalse;
  std::string_view digits = s;
  while (!digits.empty() && std::string_view("uUlL").find(digits.back()) != std::string_view::npos)
    digits.remove_suffix(1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return Truth::kUnknown;
  return digits.find_first_not_of('0') == std::string_view::npos ? Truth::kFalse : Truth::kTrue;
}

/// The name after `#` ("if", "define", …) and the flattened rest of a directive token.
struct DirectiveParts {
  std::string name;
  std::string rest;
};
inline DirectiveParts split_directive(std::string_view token_text) {
  std::string const flat = flatten_directive(token_text);
  std::size_t i = flat.starts_with("%:") ? 2 : 1;
  while (i < flat.size() && is_space(flat[i])) ++i;
  std::size_t j = i;
  while (j < flat.size() && is_identifier_char(flat[j])) ++j;
  return {flat.substr(i, j - i), flat.substr(j)};
}

/// Follows #if … #endif and says whether the text between is certainly skipped.
class ConditionStack {
 public:
  [[nodiscard]] bool active() const { return frames_.empty() || frames_.back().active; }

  /// To be called with each directive token; returns whether the directive itself counts as active.
  bool apply(std::string_view directive) {
    DirectiveParts const d = split_directive(directive);
    bool const outer = frames_.empty() || frames_.back().parent_active;
    if (d.name == "if" || d.name == "ifdef" || d.name == "ifndef") {
      bool const parent = active();
      Truth const t = d.name == "if" ? evaluate_condition(d.rest) : Truth::kUnknown;
      frames_.push_back({parent, parent && t != Truth::kFalse, t == Truth::kTrue});
      return parent;
    }
    if (d.name == "elif" || d.name == "elifdef" || d.name == "elifndef") {
      if (frames_.empty()) return true;
      Frame& f = frames_.back();
      Truth const t = d.name == "elif" ? evaluate_condition(d.rest) : Truth::kUnknown;
      f.active = f.parent_active && !f.taken && t != Truth::kFalse;
      f.taken = f.taken || t == Truth::kTrue;
      return outer;
    }
    if (d.name == "else") {
      if (frames_.empty()) return true;
      Frame& f = frames_.back();
      f.active = f.parent_active && !f.taken;
      f.taken = true;
      return outer;
    }
    if (d.name == "endif") {
      if (!frames_.empty()) frames_.pop_back();
      return outer;
    }
    return active();
  }

 private:
  struct Frame {
    bool parent_active;
    bool active;
    bool taken;  ///< An earlier branch is certainly the one compiled.
  };
  std::vector<Frame> frames_;
};

}  // namespace cuco::impl
