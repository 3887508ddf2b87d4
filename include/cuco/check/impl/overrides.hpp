// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Replaces the values of a program's dimensions, to make it small.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/result.hpp"
#include "cuco/transform/load_program.hpp"

namespace cuco::checking {

struct Override {
  std::string name, value;
};

struct Overridden {
  std::string code;
  std::vector<std::string> notes;  ///< "N: 4096 -> 64 (main.cu:12)"
};

inline bool blank(char c) {
  return c == ' ' || c == '\t';
}
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (blank(text.front()) || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// The part of `#define NAME value` that is the value; empty: it defines something else.
inline std::string_view defined_value(std::string_view line, std::string_view name) {
  std::string_view rest = trimmed(line);
  if (rest.empty() || rest.front() != '#') return {};
  rest = trimmed(rest.substr(1));
  if (!rest.starts_with("define")) return {};
  rest = trimmed(rest.substr(6));
  if (!rest.starts_with(name)) return {};
  rest.remove_prefix(name.size());
  if (rest.empty() || !blank(rest.front())) return {};
  rest = trimmed(rest);
  if (std::size_t const comment = std::min(rest.find("//"), rest.find("/*"));
      comment != std::string_view::npos)
    rest = trimmed(rest.substr(0, comment));
  return rest;
}

/// `code` with the values of `#define`s and of `constexpr` and `const` variables replaced. Lines stay where
/// they are. Errors: kNotFound for a name that is neither, kInvalidArgument for a value that is no expression
/// of one line.
inline Result<Overridden> apply_overrides(SourceProgram const& program,
                                          std::vector<Override> const& overrides) {
  struct Edit {
    std::size_t at, length;
    std::string text;
  };
  Overridden out{program.code, {}};
  if (overrides.empty()) return out;
  auto const tokens = lex(program.code, program.path);
  if (!tokens) return tl::unexpected<Error>(tokens.error());
  std::vector<Edit> edits;
  for (Override const& o : overrides) {
    if (o.name.empty() || o.value.empty() || o.value.find_first_of("\n;#") != std::string::npos)
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("-D {}={} is no NAME=VALUE", o.name, o.value),
                  "use -D N=64");
    bool found = false;
    auto const replace = [&](std::string_view old, std::uint32_t line) {
      auto const at = static_cast<std::size_t>(old.data() - program.code.data());
      edits.push_back({at, old.size(), o.value});
      SourcePlace const place = program.map.empty() ? SourcePlace{"", line} : program.map.locate(line);
      out.notes.push_back(fmt::format("{}: {} -> {} ({}:{})",
                                      o.name,
                                      old,
                                      o.value,
                                      place.file.empty() ? program.name : place.file,
                                      place.line));
      found = true;
    };
    auto const& all = tokens->tokens;
    for (std::size_t i = 0; i < all.size(); ++i) {
      Token const& t = all[i];
      if (!t.active) continue;
      if (t.kind == TokenKind::kDirective) {
        std::string_view const old = defined_value(t.text, o.name);
        if (!old.empty()) replace(old, t.line);
        continue;
      }
      if (t.kind != TokenKind::kIdentifier || !t.is(o.name) || i == 0 || i + 2 >= all.size()) continue;
      bool const braces = all[i + 1].is("{");
      if (!all[i + 1].is("=") && !braces) continue;
      // A declaration of a constant: const or constexpr since the last end of a statement.
      bool constant = false;
      for (std::size_t k = i; k-- > 0 && i - k < 24;) {
        if (all[k].is(";") || all[k].is("{") || all[k].is("}") || all[k].kind == TokenKind::kDirective) break;
        constant = constant || all[k].is("constexpr") || all[k].is("const");
      }
      if (!constant) continue;
      int depth = 0;
      std::size_t last = i + 2;
      for (; last < all.size(); ++last) {
        if (depth == 0 && (all[last].is(";") || all[last].is(",") || all[last].is("}"))) break;
        if (all[last].is("(") || all[last].is("[") || all[last].is("{")) ++depth;
        if (all[last].is(")") || all[last].is("]") || all[last].is("}")) --depth;
      }
      if (last >= all.size() || last == i + 2) continue;
      std::size_t const from = all[i + 2].offset, to = all[last - 1].offset + all[last - 1].text.size();
      if (program.code.substr(from, to - from).find('\n') != std::string::npos) continue;
      replace(std::string_view(program.code).substr(from, to - from), all[i + 2].line);
      i = last;
    }
    if (!found)
      return fail_at(
          ErrorCode::kNotFound,
          program.path,
          0,
          fmt::format("'{}' is neither #defined to a value nor a constexpr or const variable with one",
                      o.name),
          "name a dimension of the program, as in -D N=64");
  }
  std::sort(edits.begin(), edits.end(), [](Edit const& a, Edit const& b) { return a.at > b.at; });
  for (Edit const& e : edits) out.code.replace(e.at, e.length, e.text);
  return out;
}

}  // namespace cuco::checking
