// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/known_functions.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Whether a directive that only the compiler decides chooses what stands at `offset`: another definition may
/// come from the command line. The guard of a header does not count.
inline bool is_conditional(SourceModel const& m, std::uint32_t offset) {
  std::vector<bool> open;
  auto const& directives = m.code.directives;
  for (std::size_t i = 0; i < directives.size() && directives[i].offset < offset; ++i) {
    auto const [name, rest] = split_directive(directives[i].text);
    if (name.starts_with("if")) {
      bool guard = false;
      if (name == "ifndef" && i + 1 < directives.size()) {
        auto const next = split_directive(directives[i + 1].text);
        guard = next.name == "define" && trim(next.rest) == trim(rest) && directives[i + 1].offset != offset;
      }
      bool const decided = name == "if" && evaluate_condition(rest) != Truth::kUnknown;
      open.push_back(!guard && !decided);
    } else if (name == "endif" && !open.empty()) {
      open.pop_back();
    }
  }
  return std::find(open.begin(), open.end(), true) != open.end();
}

/// Whether the name at `i` may be declared there, as something else than a constant.
inline bool may_declare(SourceModel const& m, int i) {
  if (m.code.is_word(i - 1))
    return !is_listed("return case else sizeof throw not and or co_return in goto", m.code.text(i - 1));
  int const open = m.code.enclosing(i);
  bool const bound = m.code.is(open, "[") && (m.code.is(open - 1, "auto") || m.code.is(open - 2, "auto"));
  return bound || m.code.is(i - 1, ">") || m.code.is(i - 1, "&") || m.code.is(i - 1, "*") ||
         m.code.is(i + 1, "=");
}

/// What `text` stands for when it is a macro with one definition, whatever the compiler is told, or a
/// constant that is declared once under that name; else `text`.
inline std::string constant_of(SourceModel const& m, std::string text, std::string_view type) {
  constexpr int kDeepest = 8;
  for (int depth = 0; depth < kDeepest; ++depth) {
    std::string next;
    int definitions = 0;
    for (Macro const& macro : m.report.macros) {
      if (macro.name != text) continue;
      ++definitions;
      if (is_conditional(m, macro.span.begin)) return text;
      if (macro.parameters.empty()) next = macro.value;
    }
    if (definitions > 1) return text;
    for (int i = 1; definitions == 0 && i + 2 < m.code.size(); ++i) {
      if (!m.code.is(i, text) || m.code.is(i - 1, ".") || m.code.is(i - 1, "->")) continue;
      // `const ncclDataType_t name = value`, in one of the orders of the words. Whatever else declares, sets
      // or refers to the name makes it a variable.
      bool const declares =
          m.code.is(i - 1, type) || (m.code.is(i - 1, "auto")) ||
          (m.code.is(i - 1, "const") && (m.code.is(i - 2, type) || m.code.is(i - 2, "auto")));
      if (!declares) {
        if (may_declare(m, i)) return text;
        continue;
      }
      bool const constant =
          m.code.is(i - 1, "const") || m.code.is(i - 2, "const") || m.code.is(i - 2, "constexpr");
      bool const assigned = m.code.is(i + 1, "=") || m.code.is(i + 1, "{");
      bool const single = m.code.is(i + 3, ";") || m.code.is(i + 3, "}");
      if (!constant || !assigned || !single || !next.empty() || is_conditional(m, m.code.at(i).offset))
        return text;
      next = m.code.text(i + 2);
    }
    if (next.empty()) return text;
    text = next;
  }
  return text;
}

}  // namespace cuco::impl
