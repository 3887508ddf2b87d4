// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// What `text` stands for when it is a macro or a variable of type `type` with one value; else `text`.
inline std::string constant_of(SourceModel const& m, std::string text, std::string_view type) {
  constexpr int kDeepest = 8;
  for (int depth = 0; depth < kDeepest; ++depth) {
    std::string next;
    for (Macro const& macro : m.report.macros)
      if (macro.name == text && macro.parameters.empty()) next = macro.value;
    for (int i = 1; next.empty() && i + 2 < m.code.size(); ++i) {
      if (!m.code.is(i, text) || !(m.code.is(i + 1, "=") || m.code.is(i + 1, "{"))) continue;
      bool const typed = m.code.is(i - 1, type) || (m.code.is(i - 1, "const") && m.code.is(i - 2, type)) ||
                         m.code.is(i - 1, "auto");
      bool const single = m.code.is(i + 3, ";") || m.code.is(i + 3, "}") || m.code.is(i + 3, ",");
      if (typed && single) next = m.code.text(i + 2);
    }
    if (next.empty()) return text;
    // An assignment elsewhere would make it a variable.
    int assignments = 0;
    for (int i = 1; i + 1 < m.code.size(); ++i)
      assignments += m.code.is(i, text) && m.code.is(i + 1, "=") ? 1 : 0;
    if (assignments > 1) return text;
    text = next;
  }
  return text;
}

}  // namespace cuco::impl
