// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string_view>

#include "cuco/analysis/impl/variables.hpp"
#include "cuco/transform/impl/original_words.hpp"

namespace cuco::impl::transforming {

/// The names that a program declares, and which of them may be called: not variables, which could hold any
/// function, and no device functions, whose bodies are not looked at.
class AddedCallables {
 public:
  explicit AddedCallables(SourceModel const& m) : code_(m.code) {
    for (Function const& f : m.report.functions) {
      (f.is_kernel || f.is_device ? names_ : callable_).insert(f.name);
      names_.insert(f.parameter_names.begin(), f.parameter_names.end());
    }
    for (Function const& f : m.report.functions)
      if (f.is_kernel || f.is_device) callable_.erase(f.name);
    for (Macro const& macro : m.report.macros) callable_.insert(macro.name);
    for (Statement const& s : m.structure.statements) {
      if (s.range.empty()) continue;
      if (s.simple) declare(s.range);
      if (code_.is(s.range.begin, "for") && code_.is(s.range.begin + 1, "("))
        declare(code_.inside(s.range.begin + 1));
    }
    for (int i = 0; i + 1 < code_.size(); ++i) {
      for (std::string_view w : {"struct", "class", "enum", "using", "typename", "namespace"})
        if (code_.is(i, w) && code_.is_word(i + 1)) callable_.emplace(code_.text(i + 1));
      // A parameter of a lambda.
      bool const list = code_.is(code_.enclosing(i), "(") && code_.is(code_.enclosing(i) - 1, "]");
      if (list && code_.is_word(i) && (code_.is(i + 1, ",") || code_.is(i + 1, ")")))
        names_.emplace(code_.text(i));
    }
    names_.insert(callable_.begin(), callable_.end());
  }

  [[nodiscard]] bool knows(std::string_view w) const { return has_word(names_, w); }
  [[nodiscard]] bool may_call(std::string_view w) const { return has_word(callable_, w); }

 private:
  void declare(Range r) {
    for (Variable const& v : read_declaration(code_, r)) {
      names_.emplace(code_.text(v.name));
      if (code_.is(v.init.begin, "[")) callable_.emplace(code_.text(v.name));
    }
  }

  Code const& code_;
  WordSet names_{}, callable_{};
};

}  // namespace cuco::impl::transforming
