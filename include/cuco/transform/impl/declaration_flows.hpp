// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/value_flows.hpp"

namespace cuco::impl {

inline void FlowReader::declarations(Statement const& s) {
  Range const r = s.range;
  if (r.empty() || !is_host(r.begin)) return;
  if (s.simple) return declaration(r);
  int open = r.begin + 1;
  while (open < r.begin + 3 && !code_.is(open, "(")) ++open;
  if (code_.is(open, "(") && is_control_word(code_.text(r.begin))) declaration(code_.inside(open));
}

inline void FlowReader::declaration(Range r) {
  auto claim = [&](int i) { claimed_[static_cast<std::size_t>(i)] = 1; };
  for (int i = r.begin; i < r.end; i = code_.next(i)) {
    if (!code_.is(i, "[") || !names_.declares(i + 1)) continue;
    int const at = code_.partner(i) + 1;  // auto [a, b] = …
    claim(at);
    bool const element = code_.is(at, ":");
    Range const value = element ? Range{at + 1, r.end} : expression(at + 1);
    for (Range name : code_.split(code_.inside(i)))
      if (name.size() == 1) assign(whole(names_.resolve(name.begin), name.begin), value, at, element);
    return;
  }
  for (Variable const& v : read_declaration(code_, r)) {
    int const variable = names_.declares(v.name) ? names_.resolve(v.name) : -1;
    if (variable < 0) continue;
    NamedVariable const& x = names_.variable(variable);
    bool const object = x.kind == Kind::kOther && !x.reference;
    auto const classes = object ? classes_in(x.type) : std::vector<ProgramClass const*>{};
    for (std::string_view word :
         {"__device__", "__managed__", "__constant__", "volatile", "thread_local", "extern"})
      for (int i = x.type.begin; i < x.type.end; ++i)
        if (code_.is(i, word)) forget(ValueAccessReader::all(variable));
    // Containers that are sorted by addresses.
    bool const keyed = x.kind == Kind::kContainer && x.stars > 0;
    for (int i = x.type.begin; keyed && i < x.type.end; ++i) {
      if (!is_listed("map set unordered_map unordered_set", code_.text(i))) continue;
      auto const key = code_.split({i + 2, x.type.end});
      for (int k = i + 2; !key.empty() && k < key.front().end; ++k)
        if (code_.is(k, "*")) forget(ValueAccessReader::all(variable));
    }
    if (v.init.empty()) {
      if (!classes.empty()) construct(classes, {}, v.name);
      continue;
    }
    int const before = v.init.begin - 1;
    claim(before);
    bool const listed = code_.is(v.init.begin, "{") && code_.partner(v.init.begin) == v.init.end - 1;
    bool const opened = code_.is(before, "(") || code_.is(before, "{");
    if (!classes.empty() && (opened || listed)) {
      auto const args = code_.split(listed ? code_.inside(v.init.begin) : v.init);
      construct(classes, args, v.name);
      bool followed = true;
      for (ProgramClass const* c : classes) {
        bool fits =
            c->constructors.empty() && args.size() <= c->members.size() && !code_.is(c->head.end - 1, ">");
        for (int i = c->head.begin; i < c->head.end; ++i) fits = fits && !code_.is(i, ":");
        for (auto const& [f, only] : c->constructors)
          fits = fits || args.size() <= names_.parameters(f).size();
        followed = followed && fits;
      }
      set({location(variable, 0)}, followed ? Range{} : v.init, {}, v.name);
      alias(whole(variable, v.name), v.init);
      continue;
    }
    if (is_argument_array(variable)) {
      // The kernel changes what its pointers point to.
      each_access(v.init, [&](ValueAccess a) {
        covered_[static_cast<std::size_t>(a.root)] = 1;
        a.address = false;
        forget(accesses_.pointees(a));
      });
      continue;
    }
    if (!classes.empty()) construct(classes, {v.init}, v.name, false);
    assign(whole(variable, v.name),
           v.init,
           v.name,
           code_.is(before, ":") && code_.is(code_.enclosing(before), "("));
  }
}

inline void FlowReader::parameters(int unit) {
  for (int v : names_.parameters(unit)) {
    if (v < 0) continue;
    int const at = names_.variable(v).token + 1;
    if (!code_.is(at, "=")) continue;
    claimed_[static_cast<std::size_t>(at)] = 1;
    assign(whole(v, at - 1), expression(at + 1), at);
  }
  if (names_.is_lambda(unit)) {
    Lambda const& l = names_.lambda(unit);
    for (Range c : code_.split(code_.inside(l.captures))) {
      int const name = code_.is(c.begin, "&") ? c.begin + 1 : c.begin;
      if (c.end - name < 3 || !code_.is(name + 1, "=")) continue;
      claimed_[static_cast<std::size_t>(name + 1)] = 1;
      assign(whole(names_.resolve(name), name), {name + 2, c.end}, name);
    }
    for (LambdaCall const& site : l.calls) bind(unit, {site.position, site.args, {}});
    // [&] { … }(arguments)
    if (code_.is(l.body.end, "(")) bind(unit, {l.captures, code_.split(code_.inside(l.body.end)), {}});
    return;
  }
  // Class(…) : member(value), …
  FunctionTokens const& t = p_.structure.function_tokens[static_cast<std::size_t>(unit)];
  int i = code_.partner(t.parameters) + 1;
  while (i < t.body.begin - 1 && !code_.is(i, ":")) i = code_.next(i);
  for (++i; i < t.body.begin - 1 && code_.is_word(i); ++i) {
    int const open = code_.opens(i + 1) ? i + 1 : accesses_.call_open(i);
    if (open < 0) return;
    int const v = names_.resolve(i);
    if (v >= 0 && is_host(i)) {
      Range const value = code_.inside(open);
      NamedVariable const& x = names_.variable(v);
      auto const classes =
          x.kind == Kind::kOther && !x.reference ? classes_in(x.type) : std::vector<ProgramClass const*>{};
      construct(classes, code_.split(value), i, code_.is(open, "{"));
      assign(whole(v, i), value, i);
      claimed_[static_cast<std::size_t>(i)] = 1;
    }
    i = code_.partner(open) + 1;
    if (!code_.is(i, ",")) return;
  }
}

inline void FlowReader::result(int i) {
  int const unit = names_.unit_of(i);
  if (!code_.is(i, "return") || unit < 0) return;
  Range const value = expression(i + 1);
  if (value.empty()) return;
  assign(whole(names_.result(unit), i), value, i);
  auto const classes = classes_in(names_.variable(names_.result(unit)).type);
  if (!classes.empty() && !code_.is(value.begin, "{")) construct(classes, {value}, i, false);
}

inline std::vector<ProgramClass const*> FlowReader::classes_in(Range r) const {
  std::vector<ProgramClass const*> out;
  for (int i = r.begin; i < r.end; ++i)
    if (code_.is_word(i) && !code_.is(i + 1, "::"))
      if (ProgramClass const* c = names_.find_class(code_.text(i))) out.push_back(c);
  return out;
}

/// An object of one of `classes` is made from `args`.
inline void FlowReader::construct(std::vector<ProgramClass const*> const& classes,
                                  std::vector<Range> const& args,
                                  int at,
                                  bool listed) {
  for (ProgramClass const* c : classes) {
    for (auto const& [f, only] : c->constructors)
      if (args.size() <= names_.parameters(f).size()) bind(f, {at, args, {}});
    if (!c->constructors.empty()) continue;
    for (std::size_t k = 0; listed && k < std::min(args.size(), c->members.size()); ++k)
      if (!code_.is(args[k].begin, ".")) assign(whole(c->members[k], at), args[k], at);
  }
}

/// `{a, b}` where a value stands.
inline void FlowReader::list(int i) {
  if (!code_.is(i, "{")) return;
  int outer = i;
  while ((code_.is(outer - 1, "{") || code_.is(outer - 1, ",")) && code_.is(code_.enclosing(outer), "{"))
    outer = code_.enclosing(outer);
  std::string_view const before = code_.text(outer - 1);
  std::vector<ProgramClass const*> classes;
  bool known = false;
  if (before == "=") {
    int const name = code_.is(outer - 2, "]") ? code_.partner(outer - 2) - 1 : outer - 2;
    int const v = names_.resolve(name);
    if (v >= 0) classes = classes_in(names_.variable(v).type);
    bool const pointers = v >= 0 && names_.variable(v).stars > 0;
    if (pointers) classes.clear();
    known = v >= 0 && (names_.variable(v).numbers || pointers || !classes.empty());
  } else if (before == "return") {
    int const unit = names_.unit_of(i);
    if (unit >= 0) classes = classes_in(names_.variable(names_.result(unit)).type);
    known = !classes.empty();
  } else if (code_.is_word(outer - 1)) {
    ProgramClass const* c = names_.find_class(before);
    int const v = c == nullptr && names_.declares(outer - 1) ? names_.resolve(outer - 1) : -1;
    if (c == nullptr && v < 0) return;
    if (c != nullptr && code_.is(outer - 2, c->name)) return;
    if (c != nullptr && (code_.is(outer - 2, "struct") || code_.is(outer - 2, "class"))) return;
    if (c != nullptr) classes = {c};
    if (v >= 0) classes = classes_in(names_.variable(v).type);
    if (v >= 0 && outer == i && names_.variable(v).kind == Kind::kOther) return;  // A declaration.
    known = true;
  } else if (before == ">") {
    int const name = accesses_.angle_name(outer);
    if (name < 0) return;
    known = false;
  } else if (before == ":") {
    if (!code_.is(code_.enclosing(outer), "(")) return;
    int const v = names_.declares(outer - 2) ? names_.resolve(outer - 2) : -1;
    if (v >= 0) classes = classes_in(names_.variable(v).type);
    known = v >= 0 &&
            (names_.variable(v).kind == Kind::kPointer || names_.variable(v).numbers || !classes.empty());
  } else if (before == "(" || before == ",") {
    classes = argument_classes(outer, known);
  } else if (before != "?") {
    return;
  }
  if (!known && classes.empty())
    for (ProgramClass const& c : names_.classes()) classes.push_back(&c);
  construct(classes, code_.split(code_.inside(i)), i);
}

}  // namespace cuco::impl
