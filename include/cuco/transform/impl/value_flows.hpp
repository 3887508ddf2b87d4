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

  // ---- declarations and lists ----------------------------------------------------------------------------

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

#include "cuco/transform/impl/call_flows.hpp"
