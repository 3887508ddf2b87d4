// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/value_accesses.hpp"

namespace cuco::impl {

/// Something is set at token `at`: to the value of `value`, where `place` says which thing it is.
struct Flow {
  Location to;
  Range value{};
  Range place{};
  int at = 0;
  bool deep = false;     ///< Also to what `value` points to.
  bool element = false;  ///< To an element of `value`.
};

/// A call of a function of the program.
struct UnitCall {
  int at;
  std::vector<Range> args;
  Range object{};    ///< What the method is called on.
  int pointer = -1;  ///< The member that holds the function, when one does.
};

/// All that sets values in a program.
struct FlowTable {
  std::vector<Flow> flows;
  std::vector<std::pair<Location, Location>> links;  ///< Two names for one place.
  std::set<Location> unknown;                        ///< Set by something that is not understood.
  std::vector<std::vector<UnitCall>> sites;          ///< By unit.
  std::set<int> taken;                               ///< Units that something else may call.
  std::set<int> valued;                              ///< Functions that calls through pointers may call.
};

/// Collects what sets values: declarations, assignments, results, lists, calls. Whatever it does not
/// understand makes the variables in it unknown.
class FlowReader {
 public:
  FlowReader(ExpandedProgram const& p, ProgramNames const& names)
      : p_(p), code_(p.code), names_(names), accesses_(p.code, names) {}

  [[nodiscard]] FlowTable run() {
    auto const n = static_cast<std::size_t>(code_.size());
    claimed_.assign(n, 0);
    covered_.assign(n, 0);
    out_.sites.resize(static_cast<std::size_t>(names_.units()));
    find_world();
    for (Statement const& s : p_.structure.statements) declarations(s);
    for (int u = 0; u < names_.units(); ++u) parameters(u);
    for (int i = 0; i < code_.size(); ++i)
      if (is_host(i)) {
        result(i);
        list(i);
        call(i);
        launch(i);
      }
    for (int i = 0; i < code_.size(); ++i)
      if (is_host(i) && code_.is_word(i)) use(i);
    for (int i = 0; i < code_.size(); ++i)
      if (is_host(i)) unclaimed(i);
    for (UnitCall& site : indirect_) through_pointer(std::move(site));
    for (ProgramClass const& c : names_.classes())
      for (std::size_t k = 1; k < c.members.size() && code_.is(c.head.begin, "union"); ++k)
        link({location(c.members[0], 0)}, {location(c.members[k], 0)});
    return std::move(out_);
  }

 private:
  using Kind = NamedVariable::Kind;

  [[nodiscard]] bool is_host(int i) const { return !names_.on_device(i) && !names_.is_prototype(i); }
  [[nodiscard]] static bool is_assignment(std::string_view t) {
    return t == "=" || (t.size() > 1 && t.back() == '=' && t != "==" && t != "!=" && t != "<=" && t != ">=");
  }
  /// To the end of the expression that begins at `i`.
  [[nodiscard]] Range expression(int i) const {
    int end = i;
    while (end < code_.size() && !code_.is(end, ";") && !code_.is(end, ",") && !code_.is(end, ")") &&
           !code_.is(end, "]") && !code_.is(end, "}")) {
      int const close = code_.is(end, "<") ? code_.template_close(end, code_.size()) : -1;
      end = close > 0 ? close + 1 : code_.next(end);
    }
    return {i, end};
  }

  void set(std::vector<Location> const& places, Range value, Range place, int at, bool deep = false) {
    for (Location l : places) out_.flows.push_back({l, value, place, at, deep, false});
  }
  void forget(std::vector<Location> const& places) { out_.unknown.insert(places.begin(), places.end()); }
  void link(std::vector<Location> const& a, std::vector<Location> const& b) {
    for (Location x : a)
      for (Location y : b)
        if (x != y) out_.links.emplace_back(x, y);
  }

  /// Calls `visit` with each access of `r`, not with those in arguments of calls within it.
  template <class F>
  void each_access(Range r, F visit, bool into_calls = false) const {
    for (int i = r.begin; i < r.end; ++i) {
      if (code_.is(i, "[") && is_lambda(i) >= 0) {
        i = names_.body(is_lambda(i)).end - 1;
        continue;
      }
      if (!code_.is_word(i) || code_.is(i + 1, "::")) continue;
      if (code_.is(i, "sizeof") && code_.is(i + 1, "(")) i = code_.partner(i + 1);
      int const variable = code_.is(i, "this") ? 0 : names_.resolve(i);
      int const open = accesses_.call_open(i);
      if (variable < 0 || (open >= 0 && names_.is_member(i))) {
        bool const transparent =
            into_calls || names_.is_type(code_.text(i)) ||
            is_listed("move forward exchange as_const min max data begin end", code_.text(i));
        if (open >= 0)
          for (int f : names_.functions(code_.text(i)))
            if (names_.find_class(code_.text(i)) == nullptr) visit(whole(names_.result(f), i));
        if (open >= 0 && !transparent) i = code_.partner(open);
        continue;
      }
      ValueAccess const a = accesses_.read(i);
      bool const of_call = a.method >= 0 || !a.path;  // What a method gives is another thing.
      if (a.variable >= 0 && !of_call) visit(a);
      i = std::max(i, a.range.end - 1);
    }
  }
  [[nodiscard]] int is_lambda(int captures) const {
    auto const& all = p_.lambdas->all();
    for (std::size_t l = 0; l < all.size(); ++l)
      if (all[l].captures == captures) return names_.units() - static_cast<int>(all.size() - l);
    return -1;
  }

  /// What `to` points or refers to from now on is what `value` does.
  /// @param binds a reference is made here, and not what it refers to is set.
  void alias(ValueAccess const& to, Range value, bool element = false, bool binds = true) {
    NamedVariable const& v = names_.variable(to.variable);
    bool const refers = v.reference && binds;
    if (v.scalar && !refers) return;
    each_access(value, [&](ValueAccess a) {
      covered_[static_cast<std::size_t>(a.root)] = 1;
      NamedVariable const& from = names_.variable(a.variable);
      if (element) ++a.derefs;
      if (from.scalar && !a.address && !refers && (from.kind == Kind::kScalar || a.derefs > 0)) return;
      if (refers && to.derefs == 0) {
        link(accesses_.places(to), accesses_.places(a));
        link({location(to.variable, 1)}, accesses_.pointees(a));
        return;
      }
      ValueAccess target = to;
      target.address = false;
      // What numbers are read from through a pointer are the members of an object.
      bool const punned = a.address && v.numbers && !from.numbers && from.kind == Kind::kOther;
      if (punned) forget({location(to.variable, 1)});
      auto const inner = v.kind == Kind::kPointer ? accesses_.pointees(target)
                                                  : std::vector<Location>{location(to.variable, 1)};
      link(inner, accesses_.pointees(a));
      if (v.stars > 1 && from.stars > 1) link({location(to.variable, 2)}, {location(a.variable, 2)});
    });
  }
  void assign(ValueAccess const& to, Range value, int at, bool element = false, bool binds = true) {
    for (Location l : accesses_.places(to)) out_.flows.push_back({l, value, to.range, at, false, element});
    alias(to, value, element, binds);
  }
  [[nodiscard]] static ValueAccess whole(int variable, int token) {
    ValueAccess a;
    a.variable = variable;
    a.root = token;
    a.range = {token, token};
    return a;
  }

  // ---- declarations and lists (declaration_flows.hpp) ----------------------------------------------------

  void declarations(Statement const& s);
  void declaration(Range r);
  void parameters(int unit);
  void result(int i);
  /// Classes of the program that `r` names.
  [[nodiscard]] std::vector<ProgramClass const*> classes_in(Range r) const;
  void construct(std::vector<ProgramClass const*> const& classes,
                 std::vector<Range> const& args,
                 int at,
                 bool listed = true);
  void list(int i);

  // ---- calls (call_flows.hpp) ----------------------------------------------------------------------------

  void call(int i);
  void launch(int i);
  [[nodiscard]] bool is_kept(int i) const;
  void through_pointer(UnitCall site);
  [[nodiscard]] std::vector<ProgramClass const*> argument_classes(int list, bool& known) const;
  [[nodiscard]] bool gives_all_the_same(int call) const;
  void find_world();
  [[nodiscard]] bool is_alone(int i) const;
  [[nodiscard]] bool is_freed_in_turn(int i) const;
  [[nodiscard]] bool collective_between(int from, int to, int variable) const;
  void bind(int unit, UnitCall site);
  void library_call(std::string_view name, std::vector<Range> const& args, Range all, int at);
  bool interface_call(std::string_view name, std::vector<Range> const& args, int at);
  [[nodiscard]] bool is_argument_array(int variable) const;
  void changes_arguments(std::vector<Range> const& args, bool by_name);
  void method(int i, ValueAccess const& object);

  // ---- other uses ----------------------------------------------------------------------------------------

  void use(int i) {
    if (code_.is(i + 1, "::") || names_.declares(i) || names_.defines_function_at(i)) return;
    int const open = accesses_.call_open(i);
    if (code_.is(i, "this")) {
      ValueAccess const a = accesses_.read(i);
      if (a.variable < 0) return;
      return use(a);
    }
    int const variable = names_.resolve(i);
    if (variable < 0) {
      // A function whose name is used as a value.
      bool const value =
          open < 0 && !names_.is_member(i) && !code_.is(i + 1, "<<<") && !names_.is_type(code_.text(i));
      if (value)
        for (int f : names_.functions(code_.text(i))) (is_kept(i) ? out_.valued : out_.taken).insert(f);
      return;
    }
    if (names_.is_member(i) && (open >= 0 || used_.count(i) != 0)) return;
    use(accesses_.read(i));
  }

  void use(ValueAccess const& a) {
    for (int i = a.root; i < a.range.end; ++i)
      if (code_.is_word(i) && names_.is_member(i)) used_.insert(i);
    int const e = a.range.end;
    int const p = a.range.begin - 1;
    bool const claimed = claimed_[static_cast<std::size_t>(a.root)] != 0;
    if (claimed) return;
    if (a.change >= 0) {
      claimed_[static_cast<std::size_t>(a.change)] = 1;
      // *p++ = …
      ValueAccess counted = a;
      if (a.derefs > 0 && names_.variable(a.variable).kind == Kind::kPointer &&
          code_.is(a.range.begin, "*")) {
        counted.derefs = 0;
        if (is_assignment(code_.text(e))) forget(accesses_.places(a));
      }
      set(accesses_.places(counted), {}, a.range, a.change);
      if (a.punned) forget(ValueAccessReader::all(a.variable));
      return;
    }
    if (a.method < 0 && a.path && is_assignment(code_.text(e))) {
      claimed_[static_cast<std::size_t>(e)] = 1;
      if (a.punned || a.address) return forget(ValueAccessReader::all(a.variable));
      Range const value = expression(e + 1);
      assign(a, value, e, false, false);
      return;
    }
    if (a.method >= 0) return method(a.method, a);
    // `in >> x` may set x; `n >> x` does not.
    bool const shifts = code_.is(p, ">") && code_.is(p - 1, ">");
    bool const number =
        code_.at(p - 2 < 0 ? 0 : p - 2).kind == TokenKind::kNumber || code_.is(p - 2, ")") ||
        (code_.is_word(p - 2) && names_.resolve(p - 2) >= 0 && names_.variable(names_.resolve(p - 2)).scalar);
    if (shifts && !number) forget(accesses_.places(a));
    bool const word =
        code_.is_word(p) && !is_listed(
                                "return else case sizeof delete throw new do in not and or co_return "
                                "goto typename const using namespace",
                                code_.text(p));
    if (word) forget(ValueAccessReader::all(a.variable));
    bool const captured = code_.is(code_.enclosing(a.root), "[") && is_lambda(code_.enclosing(a.root)) >= 0;
    if (a.address && code_.is(a.range.begin, "&") && !captured &&
        covered_[static_cast<std::size_t>(a.root)] == 0)
      forget(accesses_.places(a));
  }

  /// Assignments to something that is no path: `f(x) = …`, `(a ? b : c) = …`, `std::tie(a, b) = …`.
  void unclaimed(int i) {
    std::string_view const t = code_.text(i);
    bool const changes = is_assignment(t) || t == "++" || t == "--";
    if (!changes || claimed_[static_cast<std::size_t>(i)] != 0 || code_.is(i - 1, "operator")) return;
    bool const one = t == "++" || t == "--";
    bool const after = one && (code_.is_word(i - 1) || code_.is(i - 1, ")") || code_.is(i - 1, "]"));
    int begin = i;
    while ((!one || after) && begin > 0 && !code_.is(begin - 1, ";") && !code_.is(begin - 1, "{") &&
           !code_.is(begin - 1, "}") && !code_.is(begin - 1, ",") && !code_.is(begin - 1, "(")) {
      --begin;
      if ((code_.is(begin, ")") || code_.is(begin, "]")) && code_.partner(begin) >= 0)
        begin = code_.partner(begin);
    }
    int const end = one && !after ? expression(i + 1).end : i;
    // (a ? b : c) = …
    if (!one && code_.is(begin, "(") && code_.partner(begin) == i - 1) {
      int question = begin + 1;
      while (question < i - 1 && !code_.is(question, "?")) question = code_.next(question);
      if (code_.is(question, "?"))
        return each_access({question + 1, i - 1}, [&](ValueAccess const& a) {
          set(accesses_.places(a), expression(i + 1), {begin + 1, question}, i);
        });
    }
    for (int k = begin; k < end; ++k) {
      if (!code_.is_word(k)) continue;
      if (int const v = names_.resolve(k); v >= 0) forget(ValueAccessReader::all(v));
      for (int f : names_.functions(code_.text(k))) forget(ValueAccessReader::all(names_.result(f)));
    }
  }

  ExpandedProgram const& p_;
  Code const& code_;
  ProgramNames const& names_;
  ValueAccessReader accesses_;
  FlowTable out_{};
  std::set<int> used_{};
  std::vector<UnitCall> indirect_{};  ///< Calls through pointers.
  bool only_world_ = false;           ///< No other communicator of MPI is made.
  int world_ = -1;                    ///< The call that makes the only communicator, of all ranks.
  std::vector<char> claimed_{};       ///< Operators, and roots of accesses, that are dealt with.
  std::vector<char> covered_{};       ///< Roots of accesses whose address is followed.
};

}  // namespace cuco::impl

#include "cuco/transform/impl/call_flows.hpp"
#include "cuco/transform/impl/declaration_flows.hpp"
#include "cuco/transform/impl/interface_flows.hpp"
