// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// What `text` stands for when it is a macro with one definition or a constant that is declared once; else
/// `text`.
inline std::string constant_of(SourceModel const& m, std::string text, std::string_view type) {
  constexpr int kDeepest = 8;
  for (int depth = 0; depth < kDeepest; ++depth) {
    std::string next;
    int definitions = 0;
    for (Macro const& macro : m.report.macros) {
      if (macro.name != text) continue;
      ++definitions;
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
        bool const changed = (m.code.is(i + 1, "=") || m.code.is(i - 1, "&") || m.code.is(i - 1, "*"));
        if (changed) return text;
        continue;
      }
      bool const constant =
          m.code.is(i - 1, "const") || m.code.is(i - 2, "const") || m.code.is(i - 2, "constexpr");
      bool const assigned = m.code.is(i + 1, "=") || m.code.is(i + 1, "{");
      bool const single = m.code.is(i + 3, ";") || m.code.is(i + 3, "}");
      if (!constant || !assigned || !single || !next.empty()) return text;
      next = m.code.text(i + 2);
    }
    if (next.empty()) return text;
    text = next;
  }
  return text;
}

}  // namespace cuco::impl
