// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string_view>

#include "cuco/transform/impl/common_lifetimes.hpp"
#include "cuco/transform/impl/common_proof.hpp"

namespace cuco::impl {

inline void CommonProof::find_simple() {
  ValueAccessReader const accesses{code_, names_};
  auto refuse = [&](int unit) {
    if (unit >= 0) facts_.simple[static_cast<std::size_t>(unit)] = 0;
  };
  for (int u = 0; u < names_.units(); ++u) {
    if (names_.is_lambda(u)) {
      refuse(u);
      refuse(names_.unit_of(names_.lambda(u).captures));
      continue;
    }
    Function const& f = p_.structure.functions[static_cast<std::size_t>(u)];
    if (f.name == "main" || f.name.starts_with("operator") || f.name.starts_with("~") ||
        names_.find_class(f.name) != nullptr)
      refuse(u);
  }
  for (Flow const& f : flows_.flows) {
    NamedVariable const& v = names_.variable(f.to / 3);
    int const unit = names_.unit_of(f.at);
    if (v.unit != unit || f.to % 3 != 0 || (v.reference && v.token >= 0 && v.unit == unit && f.at != v.token))
      refuse(unit);
  }
  bool again = true;
  while (again) {
    again = false;
    for (int i = 0; i < code_.size(); ++i) {
      int const unit = names_.unit_of(i);
      if (unit < 0 || facts_.simple[static_cast<std::size_t>(unit)] == 0) continue;
      bool bad = code_.is(i, "<<<") || code_.is(i, "goto") || code_.is(i, "throw");
      int const open = code_.is_word(i) ? accesses.call_open(i) : -1;
      std::string_view const name = code_.text(i);
      if (open >= 0 && !is_control_word(name) && !names_.defines_function_at(i) && !names_.declares(i)) {
        auto const& functions = names_.functions(name);
        bool known = names_.is_type(name) || effect_of(name) != Effect::kUnknown;
        if (names_.is_member(i))
          known = is_reading_method(name) || is_writing_method(name) ||
                  is_listed("front back at top value data begin end get", name);
        bad = functions.empty() ? !known || names_.resolve(i) >= 0 : names_.find_class(name) != nullptr;
        for (int f : functions) bad = bad || facts_.simple[static_cast<std::size_t>(f)] == 0;
      }
      if (!bad) continue;
      refuse(unit);
      again = true;
    }
  }
}

inline void CommonProof::find_choices() {
  for (int i = 0; i < code_.size(); ++i) {
    if (names_.on_device(i) || (!code_.is(i, "?") && !code_.is(i, "&&") && !code_.is(i, "||"))) continue;
    auto ends = [&](int k) {
      return code_.is(k, ";") || code_.is(k, ",") || code_.is(k, "{") || code_.is(k, "}") ||
             code_.is(k, "return");
    };
    int begin = i;
    while (begin > 0 && !ends(begin - 1) && !code_.opens(begin - 1)) {
      --begin;
      if (code_.partner(begin) >= 0) begin = code_.partner(begin);
    }
    int end = i + 1;
    while (end < code_.size() && !ends(end) && !code_.is(end, ")") && !code_.is(end, "]"))
      end = code_.next(end);
    choices_.push_back({{begin, i}, {i + 1, end}});
  }
}

/// The loop, or also the switch, that token `i` lies in.
inline Statement const* CommonProof::around(int i, bool switches) const {
  Statement const* best = nullptr;
  for (Statement const& s : p_.structure.statements) {
    if (s.simple || s.range.begin >= i || i >= s.range.end ||
        names_.unit_of(s.range.begin) != names_.unit_of(i))
      continue;
    bool const wanted = is_listed("for while do", code_.text(s.range.begin)) ||
                        (switches && code_.is(s.range.begin, "switch"));
    if (wanted && (best == nullptr || s.range.begin > best->range.begin)) best = &s;
  }
  return best;
}

/// Whether every way through `block` ends the program. `deep`: functions that it calls count.
inline bool CommonProof::ends_program(Range block, bool deep, int open) const {
  if (open < 0) open = block.begin - 1;
  for (int i = block.begin; i < block.end; ++i) {
    if (code_.is(i, "{")) i = code_.partner(i);
    if (!code_.is_word(i)) continue;
    std::string_view const name = code_.text(i);
    if (is_listed("exit _exit abort MPI_Abort quick_exit terminate", name) && code_.is(i + 1, "("))
      return true;
    bool const leaves = name == "throw" || (name == "return" && names_.is_main(names_.unit_of(i)));
    if (leaves && code_.enclosing(i) == open) return true;
    for (int f : names_.functions(name))
      if (deep && code_.is(i + 1, "(") && ends_program(names_.body(f), false)) return true;
  }
  return false;
}

inline void CommonProof::branch(Statement const& s) {
  Range const r = s.range;
  if (s.simple || r.empty() || names_.on_device(r.begin)) return;
  std::string_view const keyword = code_.text(r.begin);
  int open = r.begin + 1;
  while (open < r.begin + 3 && !code_.is(open, "(")) ++open;
  Range const header = code_.is(open, "(") ? code_.inside(open) : Range{};
  Range const body{header.end + 1, r.end};
  if (keyword == "if" || keyword == "switch") {
    if (!header.empty()) lower(body, values_.of(header));
  } else if (keyword == "while") {
    lower({r.begin + 1, r.end}, values_.of(header));
  } else if (keyword == "do") {
    int close = r.end - 1;
    while (close > r.begin && !code_.is(close, ")")) --close;
    lower({r.begin + 1, r.end}, values_.of(code_.inside(code_.partner(close))));
  } else if (keyword == "for") {
    int first = header.begin;
    while (first < header.end && !code_.is(first, ";") && !code_.is(first, ":")) first = code_.next(first);
    int second = first + 1;
    while (second < header.end && !code_.is(second, ";")) second = code_.next(second);
    lower({r.begin + 1, r.end}, values_.of({first + 1, second}));
  } else if (keyword == "catch") {
    lower(body, Common::kUnproven);
  } else if (keyword == "try") {
    // Those that throw leave out the rest, unless that is their end.
    int const block = r.begin + 1;
    bool ends = true;
    for (int i = code_.partner(block) + 1; code_.is(i, "catch");) {
      int const begin = code_.partner(i + 1) + 1;
      ends = ends && ends_program(code_.inside(begin));
      i = code_.partner(begin) + 1;
    }
    if (!ends) lower(code_.inside(block), Common::kUnproven);
  } else if (!is_control_word(keyword)) {
    lower({r.begin + 1, r.end}, Common::kUnproven);  // A macro of some header.
  }
}

/// Whether a rank that gets to the statement at `then` ends the program, or returns to callers that do.
inline bool CommonProof::leads_out(int then, int unit, int depth) const {
  bool const block = code_.is(then, "{");
  Range body = block ? code_.inside(then) : Range{then, then};
  while (!block && body.end < code_.size() && !code_.is(body.end, ";")) body.end = code_.next(body.end);
  int const open = block ? then : code_.enclosing(then);
  if (ends_program(body, true, open)) return true;
  for (int i = body.begin; i < body.end; ++i) {
    if (code_.is(i, "{")) i = code_.partner(i);
    if ((code_.is(i, "return") || code_.is(i, "goto")) && code_.enclosing(i) == open)
      return is_checked(unit, depth + 1);
  }
  return false;
}

/// Whether all callers of `unit` end the program when it says that it failed.
inline bool CommonProof::is_checked(int unit, int depth) const {
  constexpr int kDeepest = 6;
  if (unit < 0 || depth > kDeepest || flows_.taken.count(unit) + flows_.valued.count(unit) != 0) return false;
  if (names_.is_main(unit)) return true;
  for (UnitCall const& site : flows_.sites[static_cast<std::size_t>(unit)]) {
    int const at = p_.structure.statement_of[static_cast<std::size_t>(site.at)];
    int const caller = names_.unit_of(site.at);
    if (at < 0) return false;
    Statement const& s = p_.structure.statements[static_cast<std::size_t>(at)];
    auto condition = [&](int i) { return code_.is(i, "if") && code_.is(i + 1, "("); };
    if (!s.simple) {
      if (!condition(s.range.begin) || !leads_out(code_.partner(s.range.begin + 1) + 1, caller, depth))
        return false;
    } else if (code_.is(s.range.begin, "return")) {
      if (!is_checked(caller, depth + 1)) return false;
    } else {
      // status = f(); if (status …) …
      int name = s.range.begin;
      while (name < site.at && !code_.is(name + 1, "=")) ++name;
      int const next = s.range.end;
      if (name >= site.at || !condition(next)) return false;
      Range const header = code_.inside(next + 1);
      bool tests = false;
      for (int i = header.begin; i < header.end; ++i) tests = tests || code_.is(i, code_.text(name));
      if (!tests || !leads_out(header.end + 1, caller, depth)) return false;
    }
  }
  return !flows_.sites[static_cast<std::size_t>(unit)].empty();
}

/// Whether only ranks get to `i` for which some call has failed.
inline bool CommonProof::is_failure(int i) const {
  return std::any_of(p_.structure.statements.begin(), p_.structure.statements.end(), [&](Statement const& s) {
    if (s.simple || s.range.begin >= i || i >= s.range.end || !code_.is(s.range.begin, "if") ||
        !code_.is(s.range.begin + 1, "(") || names_.unit_of(s.range.begin) != names_.unit_of(i))
      return false;
    return values_.of(code_.inside(s.range.begin + 1)) == Common::kIfCallsSucceed;
  });
}

/// Whether what follows a label in the body of a function ends the program and does nothing else that
/// matters.
inline bool CommonProof::is_end(Range r) const {
  for (int i = r.begin; i < r.end; ++i) {
    if (code_.is(i, "<<<") || find_collective(code_.text(i)) != nullptr ||
        find_allocator(code_.text(i)) != nullptr)
      return false;
    if (!code_.is_word(i) || !code_.is(i + 1, "(")) continue;
    for (int f : names_.functions(code_.text(i)))
      if (!ends_program(names_.body(f), false) && facts_.simple[static_cast<std::size_t>(f)] == 0)
        return false;
    if (names_.resolve(i) >= 0) return false;
  }
  return ends_program(r, true, code_.enclosing(r.begin));
}

/// What a jump that only some ranks take does to what stands around it.
inline void CommonProof::leave(int i) {
  Common const how = facts_.tokens[static_cast<std::size_t>(i)];
  if (how == Common::kYes || names_.on_device(i)) return;
  int const unit = names_.unit_of(i);
  if (unit < 0) return;
  // A call that failed is the end of the program.
  bool const jumps = code_.is(i, "return") || code_.is(i, "goto");
  if (jumps && is_failure(i) && is_checked(unit, 0)) return;
  if (code_.is(i, "break")) {
    if (Statement const* s = around(i, true)) lower({s->range.begin + 1, s->range.end}, how);
  } else if (code_.is(i, "continue")) {
    if (Statement const* s = around(i, false)) lower({i, s->range.end}, how);
  } else if (code_.is(i, "goto")) {
    // To what ends the program.
    Range const body = names_.body(unit);
    for (int k = i; k < body.end; ++k)
      if (code_.is(k, code_.text(i + 1)) && code_.is(k + 1, ":") && code_.enclosing(k) == body.begin - 1 &&
          is_end({k + 2, body.end}))
        return;
    lower(body, how);
  } else if (code_.is(i, "return") && !names_.is_main(unit)) {
    int begin = i;
    while (Statement const* s = around(begin, false)) begin = s->range.begin;
    lower({begin, names_.body(unit).end + 1}, how);
  }
}

inline void CommonProof::control() {
  for (Statement const& s : p_.structure.statements) branch(s);
  for (Choice const& c : choices_)
    if (!names_.on_device(c.condition.begin)) lower(c.chosen, values_.of(c.condition));
}

inline void CommonProof::units() {
  auto reach = [&](int i) { return all_reach(i); };
  auto same = [&](Range r) { return values_.of(r) == Common::kYes; };
  Lifetimes const lifetimes(p_, names_, reach, same);
  moves_common_ = lifetimes.moves_common();
  for (int u = 0; u < names_.units(); ++u) {
    if (is_rare(u) || names_.is_main(u)) continue;
    bool rare = flows_.taken.count(u) != 0;
    auto const& sites = flows_.sites[static_cast<std::size_t>(u)];
    if (names_.is_lambda(u)) {
      rare = !lifetimes.is_called_by_name(u);
      int const parent = names_.unit_of(names_.lambda(u).captures);
      rare = rare || (parent >= 0 && is_rare(parent));
    } else {
      Function const& f = p_.structure.functions[static_cast<std::size_t>(u)];
      if (f.name.starts_with("~") || f.name.starts_with("operator")) {
        rare = rare || !lifetimes.is_implicitly_common(f);
      } else {
        rare = rare || sites.empty() || (flows_.valued.count(u) != 0 && f.is_template);
      }
    }
    for (UnitCall const& site : sites) {
      bool const inside = names_.unit_of(site.at) < 0;  // A member: made with its object.
      rare =
          rare || (inside ? !lifetimes.member_is_common(site.at) : !all_reach(site.at)) || !same(site.object);
      int const pointer = site.pointer < 0 ? -1 : names_.resolve(site.pointer);
      rare = rare ||
             (pointer >= 0 && facts_.places[static_cast<std::size_t>(location(pointer, 0))] != Common::kYes);
    }
    if (!rare) continue;
    facts_.rare[static_cast<std::size_t>(u)] = 1;
    changed_ = true;
  }
}

}  // namespace cuco::impl
