// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/program_names.hpp"

namespace cuco::impl {

inline void ProgramNames::read_classes() {
  unit_of_.assign(static_cast<std::size_t>(code_.size()), kNone);
  prototype_.assign(static_cast<std::size_t>(code_.size()), 0);
  constexpr int kLongest = 200;
  for (int i = 0; i < code_.size(); ++i) {
    if (code_.is(i, "using") && code_.is(i + 2, "=")) {
      types_.insert(code_.text(i + 1));
      for (int k = i + 3; k < code_.size() && !code_.is(k, ";") && !code_.is(k, "<"); ++k)
        if (code_.is_word(k)) aliases_[code_.text(i + 1)] = code_.text(k);
    }
    if (code_.is(i, "typedef")) {
      int k = i;
      while (k < code_.size() && !code_.is(k, ";")) k = code_.next(k);
      types_.insert(code_.text(k - 1));
      if (code_.is_word(k - 2)) aliases_[code_.text(k - 1)] = code_.text(k - 2);
    }
    bool const key = code_.is(i, "struct") || code_.is(i, "class") || code_.is(i, "union");
    if (!key || code_.is(i - 1, "enum") || code_.is(i - 1, "<") || code_.is(i - 1, ",")) continue;
    ProgramClass c;
    bool bases = false;
    for (int k = i + 1; k < std::min(code_.size(), i + kLongest); k = code_.next(k)) {
      if (code_.is(k, "{")) {
        c.open = k;
        break;
      }
      bases = bases || code_.is(k, ":");
      if (code_.is(k, ";") || code_.is(k, "=") || code_.is(k, ")") || (code_.is(k, "(") && !bases)) break;
      if (c.name.empty() && code_.is_word(k) && !is_attribute_call(code_.text(k))) c.name = code_.text(k);
    }
    if (c.open < 0) continue;
    c.head = {i, c.open};
    types_.insert(c.name);
    class_braces_[c.open] = classes_.size();
    classes_.push_back(std::move(c));
  }
}

inline void ProgramNames::read_functions() {
  auto const& tokens = p_.structure.function_tokens;
  for (int i = 0; i < code_.size(); ++i)
    unit_of_[static_cast<std::size_t>(i)] = p_.structure.function_of[static_cast<std::size_t>(i)];
  auto const& lambdas = p_.lambdas->all();
  for (std::size_t l = 0; l < lambdas.size(); ++l)
    for (int i = code_.partner(lambdas[l].captures) + 1; i < lambdas[l].body.end; ++i)
      unit_of_[static_cast<std::size_t>(i)] = functions_ + static_cast<int>(l);
  for (std::size_t f = 0; f < tokens.size(); ++f) {
    Function const& function = p_.structure.functions[f];
    by_function_[function.name].push_back(static_cast<int>(f));
    definitions_.insert(tokens[f].name);
    std::size_t const colon = function.scope.rfind(':');
    std::string_view const scope = colon == std::string::npos
                                       ? std::string_view(function.scope)
                                       : std::string_view(function.scope).substr(colon + 1);
    for (ProgramClass& c : classes_)
      if (!c.name.empty() && c.name == scope && function.name == c.name)
        c.constructors.emplace_back(static_cast<Index>(f), code_.is(tokens[f].name - 1, "explicit"));
    std::vector<int> parameters;
    for (Range r : code_.split(code_.inside(tokens[f].parameters)))
      if (r.size() != 1 || !code_.is(r.begin, "void"))
        parameters.push_back(parameter(r, {tokens[f].parameters, tokens[f].body.end}, static_cast<int>(f)));
    parameters_.push_back(std::move(parameters));
  }
}

inline void ProgramNames::read_lambda(Lambda const& l) {
  int const unit = functions_ + static_cast<int>(&l - p_.lambdas->all().data());
  std::vector<int> parameters;
  for (Range r : l.parameters) parameters.push_back(parameter(r, {l.captures, l.body.end}, unit));
  parameters_.push_back(std::move(parameters));
  for (Range c : code_.split(code_.inside(l.captures))) {
    int const name = code_.is(c.begin, "&") ? c.begin + 1 : c.begin;
    if (c.end - name >= 3 && code_.is(name + 1, "="))
      declare(name, {c.begin, name}, {l.captures, l.body.end}, unit);
  }
}

inline void ProgramNames::read_result(int unit) {
  NamedVariable v;
  v.unit = unit;
  if (!is_lambda(unit)) {
    int const name = p_.structure.function_tokens[static_cast<std::size_t>(unit)].name;
    int begin = name;
    while (begin > 0 && !code_.is(begin - 1, ";") && !code_.is(begin - 1, "}") && !code_.is(begin - 1, "{") &&
           !code_.is(begin - 1, ":"))
      --begin;
    v.type = {begin, name};
    describe(v);
  }
  results_.push_back(static_cast<int>(variables_.size()));
  variables_.push_back(v);
}

inline void ProgramNames::read_statement(Statement const& s) {
  Range const r = s.range;
  if (r.empty()) return;
  if (!s.simple) {
    int open = r.begin + 1;
    while (open < r.begin + 3 && !code_.is(open, "(")) ++open;
    bool const header = code_.is(r.begin, "for") || code_.is(r.begin, "if") || code_.is(r.begin, "while") ||
                        code_.is(r.begin, "switch");
    if (header && code_.is(open, "(")) read_declarations(code_.inside(open), r);
    if (code_.is(r.begin, "catch") && code_.is(open, "(")) parameter(code_.inside(open), r, unit_of(r.begin));
    return;
  }
  int const open = code_.enclosing(r.begin);
  bool const in_class = class_braces_.count(open) != 0;
  Range scope{};
  if (!in_class && unit_of(r.begin) != kNone && open >= 0) scope = {r.begin, code_.partner(open)};
  read_declarations(r, scope);
}

inline void ProgramNames::read_objects(Range head, int open) {
  int i = code_.partner(open) + 1;
  while (code_.is(i, "*") || code_.is(i, "&")) ++i;
  bool const ends =
      code_.is(i + 1, ";") || code_.is(i + 1, "[") || code_.is(i + 1, "=") || code_.is(i + 1, "{");
  if (!code_.is_word(i) || !ends || code_.is(head.begin - 1, "typedef")) return;
  int const outer = code_.enclosing(head.begin);
  int const unit = unit_of(head.begin);
  bool const local = unit != kNone && outer >= 0 && class_braces_.count(outer) == 0;
  declare(i, head, local ? Range{head.begin, code_.partner(outer)} : Range{}, local ? unit : kNone);
}

inline void ProgramNames::read_declarations(Range r, Range scope) {
  int const unit = unit_of(r.begin);
  for (int i = r.begin; i < r.end; i = code_.next(i)) {
    // auto [a, b] = …
    bool const bound = code_.is(i, "[") && (code_.is(i - 1, "auto") || code_.is(i - 2, "auto"));
    if (!bound || code_.is(i - 1, ")") || i == r.begin) continue;
    for (Range name : code_.split(code_.inside(i)))
      if (name.size() == 1) declare(name.begin, {r.begin, i}, scope, scope.empty() ? kNone : unit);
    return;
  }
  for (Variable const& v : read_declaration(code_, r)) {
    bool const function_like = v.constructed && code_.is(v.init.begin - 1, "(");
    if (function_like && scope.empty() && (unit == kNone || !functions(code_.text(v.name)).empty())) {
      for (int i = r.begin; i < r.end; ++i) prototype_[static_cast<std::size_t>(i)] = 1;
      return;
    }
    int type_end = v.name;
    declare(v.name, {r.begin, type_end}, scope, scope.empty() ? kNone : unit);
  }
  // A prototype whose return type is a pointer or reference.
  bool const outside = unit == kNone && code_.is(r.end - 1, ";") && code_.is(r.end - 2, ")");
  int const open = outside ? code_.partner(r.end - 2) : -1;
  if (open > r.begin && code_.is_word(open - 1) && !functions(code_.text(open - 1)).empty())
    for (int i = r.begin; i < r.end; ++i) prototype_[static_cast<std::size_t>(i)] = 1;
}

inline int ProgramNames::declare(int token, Range type, Range scope, int unit) {
  NamedVariable v;
  v.token = token;
  v.type = type;
  v.scope = scope;
  v.unit = scope.empty() || has(type, "static") ? kNone : unit;
  describe(v);
  declared_.insert(token);
  int const index = static_cast<int>(variables_.size());
  auto const c = class_braces_.find(code_.enclosing(token));
  if (scope.empty()) {
    auto const [it, fresh] = global_.emplace(code_.text(token), index);
    if (!fresh) {
      NamedVariable& known = variables_[static_cast<std::size_t>(it->second)];
      if (known.kind != v.kind || known.stars != v.stars) known.kind = Kind::kOther;
      known.reference = known.reference || v.reference;
      known.constant = known.constant && v.constant;
      known.scalar = known.scalar && v.scalar;
      known.stars = std::max(known.stars, v.stars);
    }
    if (c != class_braces_.end() && !has(type, "static")) classes_[c->second].members.push_back(it->second);
    if (!fresh) return it->second;
  } else {
    local_[code_.text(token)].variables.push_back(index);
  }
  variables_.push_back(v);
  return index;
}

inline void ProgramNames::describe(NamedVariable& v) const {
  int own = v.type.begin, first_end = v.type.end, depth = 0;
  for (int i = v.type.begin; i < v.type.end; i = code_.next(i)) {
    depth += code_.is(i, "<") ? 1 : code_.is(i, ">") ? -1 : 0;
    if ((code_.is(i, ",") || code_.is(i, "=")) && depth <= 0) first_end = std::min(first_end, i);
    if (code_.is(i, ",") && depth <= 0) own = i;
    if (declared_.count(i) != 0) first_end = std::min(first_end, i);
  }
  bool container = false, numbers = true, any = false, smart = false;
  int pointers = 0;
  depth = 0;
  for (int i = v.type.begin; i < first_end;
       i = code_.is(i, "[") || code_.is(i, "(") ? code_.next(i) : i + 1) {
    std::string_view const t = code_.text(i);
    depth += t == "<" ? 1 : t == ">" ? -1 : 0;
    if (t == "*" && depth > 0) ++v.stars;
    v.constant = v.constant || t == "const" || t == "constexpr";
    if (!code_.is_word(i) || is_cv(t) || is_specifier(t) || code_.is(i + 1, "::")) continue;
    bool const holds = is_listed(
        "vector array deque list string initializer_list valarray bitset pair map "
        "unordered_map set unordered_set span",
        t);
    container = container || (holds && depth == 0);
    smart = smart || t == "unique_ptr" || t == "shared_ptr";
    any = true;
    numbers = numbers && (holds || is_number_name(t));
  }
  for (int i = own; i < v.type.end; ++i) {
    if (own == v.type.begin && (code_.is(i, "<") && code_.close_angle(i, v.type.end) > 0))
      i = code_.close_angle(i, v.type.end);
    pointers += code_.is(i, "*") ? 1 : 0;
    v.reference = v.reference || code_.is(i, "&") || code_.is(i, "&&");
  }
  v.stars += pointers;
  bool const array = v.token >= 0 && code_.is(v.token + 1, "[");
  v.numbers = any && numbers;
  v.scalar = v.numbers && v.stars == 0;
  v.kind = array                 ? Kind::kArray
           : pointers > 0        ? Kind::kPointer
           : container && !smart ? Kind::kContainer
           : v.scalar            ? Kind::kScalar
                                 : Kind::kOther;
  for (int i = v.type.begin; i < first_end && v.kind == Kind::kOther; ++i) {
    if (!code_.is_word(i) || is_cv(code_.text(i)) || is_specifier(code_.text(i)) || code_.is(i + 1, "::"))
      continue;
    v.object = find_class(code_.text(i)) != nullptr;
    break;
  }
}

inline void ProgramNames::read_constants(int i) {
  if (code_.is(i, "enum")) {
    int k = i + 1;
    while (k < code_.size() && !code_.is(k, "{") && !code_.is(k, ";") && !code_.is(k, ")")) ++k;
    for (int w = i + 1; w < k; ++w)
      if (code_.is_word(w) && !is_library_type(code_.text(w))) types_.insert(code_.text(w));
    if (!code_.is(k, "{")) return;
    for (Range e : code_.split(code_.inside(k)))
      if (!e.empty()) constants_.insert(code_.text(e.begin));
  }
  if (!code_.is(i, "template") || !code_.is(i + 1, "<")) return;
  int const close = code_.close_angle(i + 1, code_.size());
  for (int w = i + 2; w < close; ++w) {
    bool const type = code_.is(w - 1, "class") || code_.is(w - 1, "typename") || code_.is(w - 1, "...");
    bool const last = code_.is(w + 1, ",") || code_.is(w + 1, ">") || code_.is(w + 1, "=");
    if (!code_.is_word(w) || !last) continue;
    if (type) {
      types_.insert(code_.text(w));
    } else {
      constants_.insert(code_.text(w));
    }
  }
}

}  // namespace cuco::impl
