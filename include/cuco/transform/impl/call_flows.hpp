// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/value_flows.hpp"

namespace cuco::impl {

/// The call named at `i`, whatever its function is.
inline void FlowReader::call(int i) {
  int const open = code_.is_word(i) ? accesses_.call_open(i) : -1;
  if (open < 0 || names_.defines_function_at(i) || names_.declares(i) ||
      claimed_[static_cast<std::size_t>(i)] != 0)
    return;
  std::string_view const name = code_.text(i);
  if (is_control_word(name) || is_attribute_call(name) || code_.is(i + 1, "<<<")) return;
  Range const inside = code_.inside(open);
  auto const args = code_.split(inside);
  bool const member = names_.is_member(i);
  bool const library = code_.is(i - 1, "::") && (code_.is(i - 2, "std") || code_.is(i - 2, "chrono"));
  if (name == "make_unique" || name == "make_shared") {
    each_access(inside, [&](ValueAccess const& a) { covered_[static_cast<std::size_t>(a.root)] = 1; });
    return construct(classes_in({i + 1, open}), args, i);
  }
  if (member && is_listed("emplace_back emplace push_back push insert emplace_front", name)) {
    int const v = code_.is_word(i - 2) ? names_.resolve(i - 2) : -1;
    auto of = v >= 0 && names_.variable(v).kind == Kind::kContainer ? classes_in(names_.variable(v).type)
                                                                    : std::vector<ProgramClass const*>{};
    if (of.empty() && (v < 0 || !names_.variable(v).numbers))
      for (ProgramClass const& c : names_.classes()) of.push_back(&c);
    for (ProgramClass const* c : of)
      for (auto const& [f, only] : c->constructors)
        if (args.size() == names_.parameters(f).size() && (name.starts_with("emplace") || !only))
          bind(f, {i, args, {}});
  }
  if (!member && names_.resolve(i) >= 0) {
    // A lambda, which is bound elsewhere, or an object that is called.
    bool const lambda = std::any_of(p_.lambdas->all().begin(), p_.lambdas->all().end(), [&](Lambda const& l) {
      return l.name >= 0 && code_.is(l.name, name);
    });
    if (lambda) {
      each_access(inside, [&](ValueAccess const& a) { covered_[static_cast<std::size_t>(a.root)] = 1; });
      return;
    }
    indirect_.push_back({i, args, {i, i}, i});
    return;
  }
  if (member && names_.functions(name).empty() && names_.resolve(i) >= 0 && !is_reading_method(name) &&
      !is_writing_method(name)) {
    int begin = i;
    while (names_.is_member(begin) && begin > 1)
      begin = code_.is(begin - 2, "]") ? code_.partner(begin - 2) - 1 : begin - 2;
    indirect_.push_back({i, args, {begin, i - 1}, i});
    return;
  }
  auto const& functions = library ? names_.functions({}) : names_.functions(name);
  if (!functions.empty()) {
    ProgramClass const* c = member ? nullptr : names_.find_class(name);
    if (c != nullptr) return construct({c}, args, i);
    Range object{i, i};
    if (member) {
      int begin = i - 1;
      while (begin > 0 && (code_.is_word(begin - 1) || code_.is(begin - 1, "]") || code_.is(begin - 1, ")") ||
                           names_.is_member(begin) || code_.is(begin - 1, "::"))) {
        --begin;
        if (code_.partner(begin) >= 0) begin = code_.partner(begin);
        if (code_.is_word(begin) && is_listed("return else case", code_.text(begin))) break;
        if (code_.is_word(begin) && !names_.is_member(begin) && !code_.is(begin - 1, "::")) break;
      }
      object = {begin, i - 1};
    }
    for (int f : functions) bind(f, {i, args, object});
    return;
  }
  if (member) return;  // With its object.
  if (ProgramClass const* c = names_.find_class(name)) return construct({c}, args, i);
  if (names_.is_type(name)) {
    if (name.starts_with("unique_ptr") || name.starts_with("shared_ptr"))
      each_access(inside, [&](ValueAccess const& a) { covered_[static_cast<std::size_t>(a.root)] = 1; });
    return;
  }
  library_call(name, args, inside, i);
}

/// Whether the function whose name is used as a value at `i` stays in the program's own tables and variables.
inline bool FlowReader::is_kept(int i) const {
  for (int open = code_.enclosing(i); open >= 0 && !code_.is(open, "{"); open = code_.enclosing(open)) {
    if (!accesses_.is_call(open)) continue;
    int const name = code_.is(open - 1, ">") ? accesses_.angle_name(open) : open - 1;
    std::string_view const t = code_.text(name);
    bool const own = !names_.functions(t).empty() || names_.find_class(t) != nullptr;
    return own || (names_.is_member(name) && is_writing_method(t));
  }
  return true;
}

/// What a call through a pointer may call are the functions that are kept in variables.
inline void FlowReader::through_pointer(UnitCall site) {
  bool known = false, lambdas = false;
  for (int f : out_.valued)
    if (names_.parameters(f).size() == site.args.size()) {
      known = true;
      bind(f, site);
    }
  for (int u = 0; u < names_.units(); ++u) {
    if (!names_.is_lambda(u) || names_.parameters(u).size() != site.args.size()) continue;
    known = true;
    for (int v : names_.parameters(u))
      lambdas = lambdas || (v >= 0 && names_.variable(v).reference && !names_.variable(v).constant);
  }
  for (int f : names_.functions("operator()"))
    if (names_.parameters(f).size() == site.args.size()) {
      known = true;
      bind(f, site);
    }
  if (!known || lambdas) changes_arguments(site.args, true);
}

/// Classes of the program of which an object may be made from the list at `list` among arguments.
inline std::vector<ProgramClass const*> FlowReader::argument_classes(int list, bool& known) const {
  int const open = code_.enclosing(list);
  if (!accesses_.is_call(open)) return {};
  int const name = code_.is(open - 1, ">") ? accesses_.angle_name(open) : open - 1;
  std::string_view const t = code_.text(name);
  if (is_listed("max min", t)) {
    known = true;
    return {};
  }
  if (names_.is_member(name) && names_.functions(t).empty() && code_.is_word(name - 2)) {
    int const v = names_.resolve(name - 2);
    if (v < 0 || names_.variable(v).kind != Kind::kContainer) return {};
    auto const classes = classes_in(names_.variable(v).type);
    known = names_.variable(v).numbers || !classes.empty();
    return classes;
  }
  // The parameters of lambdas and functions.
  std::vector<int> units;
  int const variable = names_.is_member(name) ? -1 : names_.resolve(name);
  for (int u = 0; u < names_.units() && variable >= 0; ++u)
    if (names_.is_lambda(u) && names_.lambda(u).name >= 0 &&
        names_.resolve(names_.lambda(u).name) == variable)
      units.push_back(u);
  if (variable < 0) units = names_.functions(t);
  auto const args = code_.split(code_.inside(open));
  std::vector<ProgramClass const*> out;
  known = !units.empty();
  for (int u : units)
    for (std::size_t k = 0; k < args.size(); ++k) {
      if (list < args[k].begin || list >= args[k].end) continue;
      if (k >= names_.parameters(u).size() || names_.parameters(u)[k] < 0) {
        known = false;
        continue;
      }
      NamedVariable const& v = names_.variable(names_.parameters(u)[k]);
      auto const classes = classes_in(v.type);
      known = known && (!classes.empty() || v.numbers);
      out.insert(out.end(), classes.begin(), classes.end());
    }
  return out;
}

/// Parameters of `unit` get what `site` passes.
inline void FlowReader::bind(int unit, UnitCall site) {
  auto const& parameters = names_.parameters(unit);
  for (std::size_t k = 0; k < site.args.size(); ++k) {
    if (k >= parameters.size() || parameters[k] < 0) {
      if (parameters.size() < site.args.size() && !parameters.empty() && parameters.back() >= 0)
        forget(ValueAccessReader::all(parameters.back()));  // A pack.
      continue;
    }
    NamedVariable const& v = names_.variable(parameters[k]);
    if (v.reference && v.constant) {
      // What is read through it is what is passed.
      each_access(site.args[k], [&](ValueAccess const& a) {
        covered_[static_cast<std::size_t>(a.root)] = 1;
        link({location(parameters[k], 1)}, accesses_.pointees(a));
      });
    } else {
      alias(whole(parameters[k], site.at), site.args[k]);
    }
  }
  out_.sites[static_cast<std::size_t>(unit)].push_back(std::move(site));
}

/// Functions that are not known may change all that they can reach.
inline void FlowReader::changes_arguments(std::vector<Range> const& args, bool by_name) {
  for (Range r : args)
    each_access(r, [&](ValueAccess const& a) {
      covered_[static_cast<std::size_t>(a.root)] = 1;
      forget(accesses_.pointees(a));
      bool const alone = a.range.begin == r.begin && a.range.end == r.end;
      if (by_name && alone && a.path) forget(accesses_.places(a));
    });
}

inline void FlowReader::library_call(std::string_view name,
                                     std::vector<Range> const& args,
                                     Range all,
                                     int at) {
  if (interface_call(name, args, at)) return;
  switch (effect_of(name)) {
    case Effect::kPure:
    case Effect::kQuiet:
      each_access(all, [&](ValueAccess const& a) {
        bool const read =
            effect_of(name) == Effect::kQuiet || is_listed("strtol strtoul strtoll strtoull", name);
        if (read) covered_[static_cast<std::size_t>(a.root)] = 1;
      });
      if (name == "exchange" && args.size() == 2)
        each_access(args[0], [&](ValueAccess const& a) { assign(a, args[1], at); });
      return;
    case Effect::kWriter: {
      bool const c = is_c_function(name);
      // An object is more than its variable shows.
      bool bytes = false;
      each_access(all, [&](ValueAccess const& a) {
        covered_[static_cast<std::size_t>(a.root)] = 1;
        NamedVariable const& v = names_.variable(a.variable);
        bytes = bytes || (c && a.address && v.kind == Kind::kOther && !v.scalar);
      });
      for (std::size_t k = 0; k < args.size(); ++k) {
        bool const written = !c || (name == "sscanf" ? k > 1 : k == 0);
        bool const by_name = name == "swap" || name == "iter_swap" || name == "fill" || name == "fill_n";
        if (written)
          each_access(args[k], [&](ValueAccess const& a) {
            if (bytes) forget(accesses_.pointees(a));
            set(accesses_.pointees(a), all, a.range, at, true);
            if (by_name) set(accesses_.places(a), all, a.range, at);
          });
      }
      if (name == "swap" && args.size() == 2)
        each_access(args[0], [&](ValueAccess const& a) { alias(a, args[1], false, false); });
      return;
    }
    case Effect::kUnknown: changes_arguments(args, !is_c_function(name)); return;
  }
}

/// A method that the program does not define is called on `object`.
inline void FlowReader::method(int i, ValueAccess const& object) {
  std::string_view const name = code_.text(i);
  int const open = accesses_.call_open(i);
  if (open < 0) return;
  auto const args = code_.split(code_.inside(open));
  bool const own = !names_.functions(name).empty();
  if (!is_writing_method(name) && names_.resolve(i) >= 0) return;  // A pointer to a function.
  if (is_writing_method(name)) {
    Range const all = code_.inside(open);
    int const through = code_.is(i - 1, "->") ? 1 : 0;
    set(accesses_.places(object.variable, object.derefs + through), all, object.range, i);
    if (object.derefs == 0) set({location(object.variable, 0)}, all, object.range, i);
    each_access(all, [&](ValueAccess const& a) {
      covered_[static_cast<std::size_t>(a.root)] = 1;
      link({location(object.variable, 1)}, accesses_.pointees(a));
      if (name == "swap") assign(a, object.range, i);
    });
  } else if (!own && !is_reading_method(name)) {
    forget(ValueAccessReader::all(object.variable));
    forget({location(names_.resolve(object.root) < 0 ? object.variable : names_.resolve(object.root), 0)});
    changes_arguments(args, true);
  }
}

}  // namespace cuco::impl
