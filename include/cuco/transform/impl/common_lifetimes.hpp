// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/value_accesses.hpp"

namespace cuco::impl {

/// Whether what no text calls by name is run by all ranks alike: constructors of members, destructors, what
/// frees the memory of smart pointers, assignment operators.
class Lifetimes {
 public:
  /// @param reach whether all ranks get to a token; @param same whether a value is the same on all ranks.
  Lifetimes(ExpandedProgram const& p,
            ProgramNames const& names,
            std::function<bool(int)> reach,
            std::function<bool(Range)> same)
      : code_(p.code), names_(names), accesses_(p.code, names), reach_(std::move(reach)) {
    auto const lambdas = lambda_variables();
    for (int i = 0; i < code_.size(); ++i) {
      if (!code_.is_word(i) || names_.on_device(i) || names_.unit_of(i) < 0) continue;
      std::string_view const t = code_.text(i);
      int const open = accesses_.call_open(i);
      bool const member = names_.is_member(i);
      if (t == "move" && open >= 0 && !member && !is_numbers(open + 1))
        moves_ = moves_ && reach_(i) && same(code_.inside(open));
      bool const destroys =
          (member && open >= 0 &&
           is_listed("reset clear erase pop_back pop_front pop resize assign swap release emplace", t) &&
           !is_numbers(root_before(i))) ||
          (t == "delete" && !code_.is(i - 1, "="));
      if (destroys && !reach_(i)) ends_ = false;
      bool const smart = t == "unique_ptr" || t == "shared_ptr";
      if (smart && (!reach_(i) || !scope_ends(i))) ends_ = false;
      // An object that is called, or assigned to.
      int const v = names_.resolve(i);
      if (v < 0 || member || names_.declares(i) || lambdas.count(v) != 0) continue;
      ValueAccess const a = accesses_.read(i);
      if (a.variable < 0) continue;
      NamedVariable const& x = names_.variable(a.variable);
      bool const object = x.kind == NamedVariable::Kind::kOther || x.kind == NamedVariable::Kind::kContainer;
      bool const handle = x.token > 0 && code_.text(x.token - 1).ends_with("_t");
      bool const assigned = code_.is(a.range.end, "=") && object && !x.numbers && !handle;
      if (assigned && !reach_(i)) ends_ = assigns_ = false;
      bool const called = !a.path && open >= 0 && !reach_(i);
      if (called) calls_ = false;
    }
  }

  [[nodiscard]] bool moves_common() const { return moves_ && assigns_; }

  /// Whether all ranks have the same objects of the class of the constructor call in a class at `i`.
  [[nodiscard]] bool member_is_common(int i) const {
    int open = code_.enclosing(i);
    while (open >= 0 && !code_.is(open, "{")) open = code_.enclosing(open);
    if (open < 0) return true;  // A global object.
    for (ProgramClass const& c : names_.classes())
      if (c.open == open) return class_is_common(c.name, 0);
    return true;  // In a namespace.
  }

  /// Of a destructor or an operator.
  [[nodiscard]] bool is_implicitly_common(Function const& f) const {
    std::size_t const colon = f.scope.rfind(':');
    std::string_view const scope = f.scope;
    std::string_view const name = colon == std::string::npos ? scope : scope.substr(colon + 1);
    if (f.name.starts_with("~")) return ends_ && moves_ && class_is_common(name, 0);
    if (f.name == "operator()") return ends_ && calls_ && moves_ && class_is_common(name, 0);
    if (f.name == "operator=") return assigns_ && moves_ && class_is_common(name, 0);
    return false;
  }

  /// A lambda that is called where it is written, or by the name of a variable that holds nothing else.
  [[nodiscard]] bool is_called_by_name(int unit) const {
    Lambda const& l = names_.lambda(unit);
    if (l.name < 0) return code_.is(l.body.end, "(") && reach_(l.captures);
    if (!code_.is(l.name - 1, "auto")) return false;
    int const variable = names_.resolve(l.name);
    for (int i = 0; i < code_.size(); ++i) {
      if (!code_.is(i, code_.text(l.name)) || i == l.name || names_.resolve(i) != variable) continue;
      bool const captured = code_.is(code_.enclosing(i), "[");
      if (!code_.is(i + 1, "(") && !captured) return false;
      if (!captured && !reach_(i)) return false;
    }
    return true;
  }

 private:
  static constexpr int kDeepest = 8;

  [[nodiscard]] std::set<int> lambda_variables() const {
    std::set<int> out;
    for (int u = 0; u < names_.units(); ++u)
      if (names_.is_lambda(u) && names_.lambda(u).name >= 0)
        out.insert(names_.resolve(names_.lambda(u).name));
    return out;
  }
  /// The first word of what the method at `i` is called on.
  [[nodiscard]] int root_before(int i) const {
    int k = i - 2;
    while (k > 0 && (code_.is(k, "]") || code_.is(k, ")"))) k = code_.partner(k) - 1;
    return k;
  }
  [[nodiscard]] bool is_numbers(int i) const {
    if (!code_.is_word(i)) return false;
    int const v = names_.resolve(i);
    return v >= 0 && names_.variable(v).numbers;
  }
  /// Whether all ranks leave the block around `i` alike.
  [[nodiscard]] bool scope_ends(int i) const {
    int open = code_.enclosing(i);
    while (open >= 0 && !code_.is(open, "{")) open = code_.enclosing(open);
    return open < 0 || names_.unit_of(open) < 0 || reach_(code_.partner(open));
  }

  /// Whether all ranks make and end objects of class `name` alike.
  [[nodiscard]] bool class_is_common(std::string_view name, int depth) const {
    if (depth > kDeepest) return false;
    ProgramClass const* c = names_.find_class(name);
    if (c == nullptr) return false;
    for (int i = 0; i < code_.size(); ++i) {
      if (!code_.is_word(i) || names_.find_class(code_.text(i)) != c || names_.on_device(i)) continue;
      if (c->head.begin <= i && i <= code_.partner(c->open)) continue;
      int const after =
          code_.is(i + 1, "<") ? std::max(i, code_.close_angle(i + 1, code_.size())) + 1 : i + 1;
      if (code_.is(after, "*") || code_.is(after, "&") || code_.is(after, "&&") || code_.is(after, "::"))
        continue;
      if (names_.unit_of(i) >= 0) {
        if (!reach_(i) || !scope_ends(i)) return false;
        continue;
      }
      // A member, or a base.
      for (ProgramClass const& owner : names_.classes()) {
        bool const holds = code_.enclosing(i) == owner.open || (owner.head.begin <= i && i < owner.head.end);
        if (holds && &owner != c && !owner.name.empty() && !class_is_common(owner.name, depth + 1))
          return false;
      }
    }
    return true;
  }

  Code const& code_;
  ProgramNames const& names_;
  ValueAccessReader accesses_;
  std::function<bool(int)> reach_;
  bool moves_ = true, ends_ = true, assigns_ = true, calls_ = true;
};

}  // namespace cuco::impl
