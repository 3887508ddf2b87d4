// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/lambdas.hpp"
#include "cuco/analysis/impl/paths.hpp"
#include "cuco/analysis/impl/structure.hpp"
#include "cuco/analysis/impl/words.hpp"

namespace cuco::impl {

/// A declared name with its initialiser, when it has one.
struct Variable {
  int name;
  Range init;
  bool constructed = false;  ///< `Type name(…)`, where the type is no pointer or reference.
  bool reference = false;
};

/// Names that `r`, a simple statement or a for-header's first part, declares; none when it declares nothing.
inline std::vector<Variable> read_declaration(Code const& code, Range r) {
  std::vector<Variable> out;
  int i = r.begin;
  auto skip_decorations = [&] {
    while (i < r.end) {
      std::string_view const t = code.text(i);
      if (is_specifier(t) || is_cv(t) || t == "struct" || t == "class" || t == "enum" || t == "union") {
        ++i;
      } else if (t == "[" || (t == "alignas" && code.is(i + 1, "("))) {
        i = t == "[" ? code.next(i) : code.next(i + 1);
      } else {
        return;
      }
    }
  };
  skip_decorations();
  if (code.is(i, "::")) ++i;
  if (!code.is_word(i) || is_control_word(code.text(i)) || code.is(i, "using") || code.is(i, "typedef"))
    return out;
  bool const builtin = is_builtin_type(code.text(i));
  bool const deduced = code.is(i, "auto");
  ++i;
  while (i < r.end) {
    if (builtin && is_builtin_type(code.text(i))) {
      ++i;
    } else if (code.is(i, "::") && code.is_word(i + 1)) {
      i += 2;
    } else if (code.is(i, "<")) {
      int const close = code.close_angle(i, r.end);
      if (close < 0) return out;
      i = close + 1;
    } else {
      break;
    }
  }
  while (i < r.end) {
    bool pointer = deduced;
    bool reference = false;
    for (; i < r.end && (code.is(i, "*") || code.is(i, "&") || code.is(i, "&&") || is_cv(code.text(i)));
         ++i) {
      pointer = pointer || !is_cv(code.text(i));
      reference = reference || code.is(i, "&") || code.is(i, "&&");
    }
    if (i >= r.end || !code.is_word(i)) return out;
    Variable v{i, {}, false, reference};
    ++i;
    while (i < r.end && code.is(i, "[")) i = code.next(i);
    if (i < r.end && (code.is(i, "=") || code.is(i, ":"))) {
      int const begin = ++i;
      while (i < r.end && !code.is(i, ",") && !code.is(i, ";")) {
        int const close = code.is(i, "<") ? code.template_close(i, r.end) : -1;
        i = close > 0 ? close + 1 : code.next(i);
      }
      v.init = {begin, i};
    } else if (i < r.end && (code.is(i, "(") || code.is(i, "{"))) {
      v.init = code.inside(i);
      v.constructed = !pointer;
      i = code.next(i);
    }
    if (i < r.end && !code.is(i, ",") && !code.is(i, ";")) return out;
    out.push_back(v);
    if (i >= r.end || code.is(i, ";")) return out;
    ++i;
  }
  return out;
}

/// A value that a place is set to: a declaration with initialiser or an assignment.
struct Assignment {
  std::vector<std::string> steps;  ///< From the variable to what is set.
  AccessPath value;
  int token;
  Index function;
  bool declaration;
  Range within{};          ///< Where it holds, for parameters of lambdas and loops; empty: everywhere.
  bool reference = false;  ///< The variable is another name for the value.
  bool one_of = false;  ///< One of several values it has in turn: a list that a loop goes through, calls of a
                        ///< lambda, elements of an array.
};

/// Who declares what, and what is assigned where.
class Variables {
 public:
  Variables(Code const& code, Structure const& structure) : code_(code), structure_(structure), paths_(code) {
    for (Statement const& s : structure.statements) {
      if (s.range.empty()) continue;
      Index const f = structure.function_of[static_cast<std::size_t>(s.range.begin)];
      if (s.simple) {
        simple(s.range, f);
      } else if (code.is(s.range.begin, "for") && code.is(s.range.begin + 1, "(")) {
        for (Variable const& v : read_declaration(code, code.inside(s.range.begin + 1)))
          declare(v, f, s.range);
      } else if ((code.is(s.range.begin, "if") || code.is(s.range.begin, "while")) &&
                 code.is(s.range.begin + 1, "(")) {
        auto const declared = read_declaration(code, code.inside(s.range.begin + 1));
        if (declared.size() == 1 && !declared.front().init.empty()) declare(declared.front(), f, s.range);
      }
    }
    for (std::size_t f = 0; f < structure.functions.size(); ++f)
      constructor_initialisers(static_cast<Index>(f));
    Lambdas const lambdas(code, structure);
    for (Lambda const& l : lambdas.all()) lambda(l);
  }

  [[nodiscard]] bool is_local(Index function, std::string const& name) const {
    return function != kNone && locals_.count({function, name}) != 0;
  }
  /// Assignments to `name`: those in `function` for a local, all for `kNone`.
  [[nodiscard]] std::vector<Assignment> const& assignments(Index function, std::string const& name) const {
    static std::vector<Assignment> const kNothing;
    auto const it = assignments_.find({function, name});
    return it == assignments_.end() ? kNothing : it->second;
  }

 private:
  using Key = std::pair<Index, std::string>;

  static constexpr std::size_t kMost = 256;  // Per variable; keeps the cost of generated code bounded.

  void declare(Variable const& v, Index f, Range within = {}) {
    std::string name(code_.text(v.name));
    if (f != kNone) locals_.insert({Key{f, name}, v.name});
    if (v.init.empty()) return;
    bool const range_for = code_.is(v.init.begin - 1, ":");
    if (v.constructed) {
      // std::vector<float*> list{a, b}; the arguments of other constructors are not what the object is.
      if (!code_.is(v.init.begin - 1, "{") || !is_container(v.name)) return;
      int k = 0;
      for (Range element : code_.split(v.init))
        set({f, name}, {"[" + std::to_string(k++) + "]"}, element, v.name, f, true, within, true);
      return;
    }
    bool const list = code_.is(v.init.begin, "{") && code_.partner(v.init.begin) == v.init.end - 1;
    if (list && (range_for || code_.is(v.name + 1, "[") || is_container(v.name))) {
      int k = 0;
      for (Range element : code_.split(code_.inside(v.init.begin))) {
        std::vector<std::string> steps;
        if (!range_for) steps.push_back("[" + std::to_string(k++) + "]");
        set({f, name}, std::move(steps), element, v.name, f, true, within, true);
      }
      return;
    }
    if (range_for) {
      AccessPath path = paths_.read(v.init);
      path.dereference("");
      return add({f, std::move(name)}, {{}, std::move(path), v.name, f, true, within, v.reference, false});
    }
    add({f, std::move(name)},
        {{}, paths_.read(invoked_result(v.init)), v.name, f, true, within, v.reference, false});
  }
  /// std::vector<T> name, std::array<T, n> name
  [[nodiscard]] bool is_container(int name) const {
    constexpr int kLongest = 24;
    for (int i = name - 1; i > std::max(0, name - kLongest); --i) {
      if (code_.is(i, "vector") || code_.is(i, "array")) return true;
      if (code_.is(i, ";") || code_.is(i, "{") || code_.is(i, "}")) return false;
    }
    return false;
  }

  void set(Key key,
           std::vector<std::string> steps,
           Range value,
           int token,
           Index f,
           bool declaration,
           Range within = {},
           bool one_of = false) {
    value = invoked_result(value);
    add(std::move(key), {std::move(steps), paths_.read(value), token, f, declaration, within, false, one_of});
  }
  /// What `[&] { …; return x; }()` gives: `x`.
  [[nodiscard]] Range invoked_result(Range r) const {
    if (!code_.is(r.begin, "[") || r.size() < 5 || !code_.is(r.end - 1, ")")) return r;
    int const call = code_.partner(r.end - 1);
    if (!code_.is(call - 1, "}") || code_.partner(call - 1) < r.begin) return r;
    constexpr int kLongest = 400;
    int const open = code_.partner(call - 1);
    for (int i = call - 2; i > std::max(open, call - kLongest); --i) {
      if (!code_.is(i, "return") || code_.enclosing(i) != open) continue;
      int end = i + 1;
      while (end < call - 1 && !code_.is(end, ";")) end = code_.next(end);
      return {i + 1, end};
    }
    return r;
  }
  void add(Key key, Assignment a) {
    auto& list = assignments_[std::move(key)];
    if (list.size() < kMost && a.value.ok()) list.push_back(std::move(a));
  }

  /// Parameters of a lambda stand for what its calls pass; captures with an initialiser for that.
  void lambda(Lambda const& l) {
    for (Range c : code_.split(code_.inside(l.captures))) {
      int const name = code_.is(c.begin, "&") ? c.begin + 1 : c.begin;
      if (c.end - name < 3 || !code_.is_word(name) || !code_.is(name + 1, "=")) continue;
      bind(l, name, {name + 2, c.end}, name);
    }
    for (std::size_t p = 0; p < l.parameters.size(); ++p) {
      int const name = parameter_name(code_, l.parameters[p]);
      if (name < 0) continue;
      if (l.calls.empty()) locals_.insert({Key{l.function, std::string(code_.text(name))}, name});
      for (LambdaCall const& call : l.calls)
        if (p < call.args.size()) bind(l, name, call.args[p], call.position);
    }
  }
  void bind(Lambda const& l, int name, Range value, int token) {
    std::string text(code_.text(name));
    locals_.insert({Key{l.function, text}, name});
    set({l.function, std::move(text)}, {}, value, token, l.function, false, l.body, true);
  }

  void simple(Range r, Index f) {
    auto const declared = read_declaration(code_, r);
    for (Variable const& v : declared) declare(v, f);
    if (!declared.empty()) return;
    for (int i = r.begin; i < r.end; i = code_.next(i)) {
      if ((code_.is(i, "push_back") || code_.is(i, "emplace_back")) && code_.is(i + 1, "(") &&
          (code_.is(i - 1, ".") || code_.is(i - 1, "->"))) {
        auto const args = code_.split(code_.inside(i + 1));
        AccessPath path = paths_.read({r.begin, i - 1});
        if (args.size() != 1 || !path.ok() || path.call) return;
        path.dereference("");
        assign(path, args.front(), i, f);
        return;
      }
      if (!code_.is(i, "=")) continue;
      AccessPath const path = paths_.read({r.begin, i});
      if (!path.ok() || path.call) return;
      int const end = code_.is(r.end - 1, ";") ? r.end - 1 : r.end;
      assign(path, {i + 1, end}, i, f);
      return;
    }
  }

  void assign(AccessPath const& path, Range value, int token, Index f) {
    Index const scope = is_local(f, path.root) || is_parameter(f, path.root) ? f : kNone;
    set({scope, path.root}, path.steps, value, token, f, false);
  }

  [[nodiscard]] bool is_parameter(Index f, std::string const& name) const {
    if (f == kNone) return false;
    auto const& names = structure_.functions[static_cast<std::size_t>(f)].parameter_names;
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  /// `Foo(T* p) : p_(p), q_{q} {`
  void constructor_initialisers(Index f) {
    FunctionTokens const& t = structure_.function_tokens[static_cast<std::size_t>(f)];
    int const open = t.body.begin - 1;
    int i = code_.partner(t.parameters) + 1;
    while (i < open && !code_.is(i, ":")) {
      if (code_.is(i, "->")) return;
      i = code_.next(i);
    }
    for (++i; i < open; ++i) {
      int const group = i + 1;
      if (!code_.is_word(i) || !code_.opens(group)) return;
      if (!code_.inside(group).empty())
        set({kNone, std::string(code_.text(i))}, {}, code_.inside(group), i, f, false);
      i = code_.partner(group) + 1;
      if (!code_.is(i, ",")) return;
    }
  }

  Code const& code_;
  Structure const& structure_;
  PathReader paths_;
  std::map<Key, int> locals_{};
  std::map<Key, std::vector<Assignment>> assignments_{};
};

}  // namespace cuco::impl
