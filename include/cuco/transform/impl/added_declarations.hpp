// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/added_names.hpp"
#include "cuco/transform/impl/original_words.hpp"

namespace cuco::impl::transforming {

/// A variable or parameter that added code declares.
struct AddedVariable {
  int name = -1;
  Range scope;             ///< Where the name means it.
  bool reference = false;  ///< What is written to it is written elsewhere.
  bool follows = false;    ///< It points to, or refers to, something that only added code has.
  bool indirect = false;   ///< A pointer or a reference.
};

/// What a piece of added code declares, and what the names in it mean.
class AddedDeclarations {
 public:
  AddedDeclarations(SourceModel const& m, OriginalWords const& original)
      : m_(m), code_(m.code), original_(original) {}

  void read(Range r) {
    all_.clear();
    for (Statement const& s : m_.structure.statements) {
      if (s.range.begin < r.begin || s.range.end > r.end || s.range.empty()) continue;
      if (s.simple) declare(s.range, {});
      bool const head = code_.is(s.range.begin, "for") && code_.is(s.range.begin + 1, "(");
      if (head) declare(code_.inside(s.range.begin + 1), s.range);
    }
    for (FunctionTokens const& t : m_.structure.function_tokens) {
      if (t.name < r.begin || t.name >= r.end || !code_.is(t.parameters, "(")) continue;
      for (Range p : code_.split(code_.inside(t.parameters))) parameter(p, {t.parameters, t.body.end});
    }
    templates_.clear();
    for (int i = r.begin; i + 1 < r.end; ++i)
      if (is_template_parameter(i)) templates_.emplace(code_.text(i + 1));
  }

  [[nodiscard]] std::vector<AddedVariable> const& all() const { return all_; }

  /// What the word at `i` means; null when the code does not declare it, or not yet.
  [[nodiscard]] AddedVariable const* find(int i) const {
    AddedVariable const* best = nullptr;
    for (AddedVariable const& v : all_) {
      bool const member = m_.function_of(v.name) == kNone && code_.is(code_.enclosing(v.name), "{");
      bool const sees = v.scope.begin <= i && i < v.scope.end && (v.name <= i || member);
      if (!sees || !code_.is(v.name, code_.text(i))) continue;
      bool const nearer = best == nullptr || v.scope.begin > best->scope.begin ||
                          (v.scope.begin == best->scope.begin && v.name > best->name);
      if (nearer) best = &v;
    }
    return best;
  }
  [[nodiscard]] bool owns(int i) const { return find(i) != nullptr || has_word(templates_, code_.text(i)); }

  /// `typename T` and `class T` of a template's head.
  [[nodiscard]] bool is_template_parameter(int i) const {
    bool const word = code_.is(i, "typename") || code_.is(i, "class");
    return word && (code_.is(i - 1, "<") || code_.is(i - 1, ",")) && m_.function_of(i) == kNone &&
           code_.is_word(i + 1);
  }

 private:
  void declare(Range r, Range whole) {
    for (Variable const& v : read_declaration(code_, r)) {
      AddedVariable out;
      out.name = v.name;
      out.scope = whole;
      if (whole.empty()) {
        int const open = code_.enclosing(v.name);
        out.scope = {open < 0 ? 0 : open, open < 0 ? code_.size() : code_.partner(open)};
      }
      out.reference = v.reference;
      out.indirect = v.reference || code_.is(v.name - 1, "*") || code_.is(r.begin, "auto");
      out.follows = is_own_type(r.begin, v.name);
      all_.push_back(out);
    }
  }
  void parameter(Range p, Range scope) {
    int name = p.end - 1;
    for (int i = p.begin; i < p.end; ++i)
      if (code_.is(i, "=") || code_.is(i, "[")) {
        name = i - 1;
        break;
      }
    if (name <= p.begin || !code_.is_word(name)) return;
    AddedVariable out;
    out.name = name;
    out.scope = scope;
    out.reference = code_.is(name - 1, "&") || code_.is(name - 1, "&&");
    out.indirect =
        out.reference || code_.is(name - 1, "*") || code_.is(name + 1, "[") || code_.is(p.begin, "auto");
    // T** p: a place for a pointer.
    bool const twice = code_.is(name - 1, "*") && code_.is(name - 2, "*");
    out.follows = is_own_type(p.begin, name) || twice;
    all_.push_back(out);
  }
  /// Whether the words before `name` have a type that only added code knows, or one of NCCL's.
  [[nodiscard]] bool is_own_type(int begin, int name) const {
    for (int i = begin; i < name; ++i) {
      std::string_view const t = code_.text(i);
      if (!code_.is_word(i) || is_cv(t) || is_specifier(t) || t == "struct") continue;
      return is_nccl_name(t) || (!original_.uses(t) && !is_builtin_type(t) && !is_harmless_library_name(t) &&
                                 !has_word(templates_, t) && t != "auto");
    }
    return false;
  }

  SourceModel const& m_;
  Code const& code_;
  OriginalWords const& original_;
  std::vector<AddedVariable> all_{};
  WordSet templates_{};
};

}  // namespace cuco::impl::transforming
