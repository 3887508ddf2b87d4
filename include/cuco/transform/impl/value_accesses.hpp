// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "cuco/transform/impl/program_names.hpp"

namespace cuco::impl {

/// Where values are kept: in a variable (also the elements of an array or container), in what it points to,
/// and in what that points to.
using Location = int;
inline Location location(int variable, int level) {
  return 3 * variable + (level > 2 ? 2 : level);
}

/// One use of a variable in the text: `&ctx->buffer[i]`, `*p`, `sizes.back()`.
struct ValueAccess {
  Range range{};      ///< With the operators and casts in front of it.
  int root = -1;      ///< Its first word.
  int variable = -1;  ///< What is used: the last member, or the variable.
  int derefs = 0;     ///< Elements and pointers that are followed.
  bool address = false;
  bool path = true;     ///< It names the variable, not what a call of it gives.
  bool punned = false;  ///< What is read is not what was written: `*(int*)&x`.
  int method = -1;      ///< The name of the method that is called on it.
  int change = -1;      ///< A `++` or `--`.
};

class ValueAccessReader {
 public:
  ValueAccessReader(Code const& code, ProgramNames const& names) : code_(code), names_(names) {}

  /// The access whose first word is at `i`.
  [[nodiscard]] ValueAccess read(int i) const {
    ValueAccess a;
    a.root = i;
    a.variable = names_.resolve(i);
    a.range = {i, i + 1};
    if (code_.is(i, "this")) a.variable = -1;
    while (true) {
      if (postfix(a)) continue;
      if (prefix(a)) continue;
      // (*p).x
      bool const grouped = code_.is(a.range.end, ")") && code_.partner(a.range.end) == a.range.begin - 1 &&
                           !is_call(a.range.begin - 1) && a.method < 0 && a.change < 0;
      if (!grouped) return a;
      --a.range.begin;
      ++a.range.end;
    }
  }

  /// The places that `a` names.
  [[nodiscard]] std::vector<Location> places(ValueAccess const& a) const {
    return places(a.variable, a.derefs);
  }
  /// The places that the value of `a` points or refers to.
  [[nodiscard]] std::vector<Location> pointees(ValueAccess const& a) const {
    if (a.variable < 0) return {};
    if (a.address) return places(a);
    NamedVariable const& v = names_.variable(a.variable);
    bool const holder = v.kind == Kind::kArray || v.kind == Kind::kContainer;
    if (v.token < 0 && v.reference) return {location(a.variable, 0), location(a.variable, 1)};  // A result.
    if (v.scalar) return holder && a.derefs == 0 ? places(a) : std::vector<Location>{};
    if (v.object && a.derefs > 0) {
      std::vector<Location> out;
      for (std::string_view name : {"operator*", "operator[]"})
        for (int f : names_.functions(name)) out.push_back(location(names_.result(f), a.derefs));
      if (!out.empty()) return out;
    }
    if (v.kind == Kind::kOther && a.derefs == 0) return {location(a.variable, 1)};
    if (v.kind == Kind::kOther) return {location(a.variable, 1), location(a.variable, 2)};
    if (holder && a.derefs == 0)
      return {location(a.variable, 0), location(a.variable, 1)};  // Its elements, or what they point to.
    return {location(a.variable, level(v, a.derefs) + 1)};
  }
  /// Every place of `variable`.
  [[nodiscard]] static std::vector<Location> all(int variable) {
    return {location(variable, 0), location(variable, 1), location(variable, 2)};
  }
  /// What a pointer, or what keeps pointers, leads to.
  [[nodiscard]] std::vector<Location> places(int variable, int derefs) const {
    if (variable < 0) return {};
    NamedVariable const& v = names_.variable(variable);
    if (v.object && derefs > 0) {
      // What the operators of its class give.
      std::vector<Location> out{location(variable, 0)};
      for (std::string_view name : {"operator*", "operator[]"})
        for (int f : names_.functions(name)) out.push_back(location(names_.result(f), derefs - 1));
      if (out.size() > 1) return out;
    }
    if (v.kind == Kind::kOther && derefs > 0)
      return {location(variable, 0), location(variable, 1), location(variable, derefs)};
    bool const deep = v.kind == Kind::kArray || v.kind == Kind::kContainer;
    if (deep && v.stars > 0 && derefs > 1) return {location(variable, 0), location(variable, derefs - 1)};
    return {location(variable, level(v, derefs))};
  }

  [[nodiscard]] bool is_call(int open) const {
    if (!code_.is(open, "(")) return false;
    std::string_view const before = code_.text(open - 1);
    if (code_.is_word(open - 1))
      return before != "return" && before != "case" && before != "else" && before != "in";
    return before == ")" || before == "]" || (before == ">" && angle_name(open) >= 0);
  }
  /// The name in front of the template arguments that end before the `(` at `open`, or -1.
  [[nodiscard]] int angle_name(int open) const {
    if (!code_.is(open - 1, ">")) return -1;
    int depth = 0;
    constexpr int kLongest = 64;
    for (int i = open - 1; i > std::max(0, open - kLongest); --i) {
      if (code_.is(i, ";") || code_.is(i, "{") || code_.is(i, "}")) return -1;
      if (code_.is(i, ")") || code_.is(i, "]")) i = code_.partner(i);
      if (code_.is(i, ">")) ++depth;
      if (code_.is(i, "<") && --depth == 0) return code_.is_word(i - 1) ? i - 1 : -1;
    }
    return -1;
  }
  /// The `(` of a call whose name is at `i`, or -1.
  [[nodiscard]] int call_open(int i) const {
    if (code_.is(i + 1, "(")) return i + 1;
    if (!code_.is(i + 1, "<")) return -1;
    int const close = code_.close_angle(i + 1, code_.size());
    return close > 0 && code_.is(close + 1, "(") ? close + 1 : -1;
  }
  /// Whether the operator at `i` has no operand on its left.
  [[nodiscard]] bool is_unary(int i) const {
    if (code_.is_word(i - 1))
      return is_listed("return case else do throw delete co_return and or not", code_.text(i - 1));
    if (code_.is(i - 1, ")")) {
      int const open = code_.partner(i - 1);
      return is_cast(open) || is_listed("if for while switch", code_.text(open - 1));
    }
    if (code_.is(i - 1, "]")) return false;
    return i > 0 && (code_.at(i - 1).kind == TokenKind::kPunct) && !code_.is(i - 1, "++") &&
           !code_.is(i - 1, "--");
  }
  /// `(void**)`
  [[nodiscard]] bool is_cast(int open) const {
    if (!code_.is(open, "(") || (is_call(open) && !code_.is(open - 1, ">"))) return false;
    Range const r = code_.inside(open);
    bool word = false;
    for (int i = r.begin; i < r.end; ++i) {
      if (code_.is_word(i)) {
        bool const type = names_.is_type(code_.text(i)) || code_.is(i + 1, "::");
        if (!type || names_.resolve(i) >= 0) return false;
        word = true;
      } else if (!code_.is(i, "*") && !code_.is(i, "&") && !code_.is(i, "::") && !code_.is(i, "<") &&
                 !code_.is(i, ">") && !code_.is(i, ",")) {
        return false;
      }
    }
    return word;
  }

 private:
  using Kind = NamedVariable::Kind;

  [[nodiscard]] static int level(NamedVariable const& v, int derefs) {
    bool const holder = v.kind == Kind::kArray || v.kind == Kind::kContainer;
    if (v.kind == Kind::kScalar) return 0;
    if (v.kind == Kind::kPointer && v.stars == 1)
      return std::min(derefs, 1);  // Elements of what it points to.
    if (!holder) return derefs;
    return v.stars > 0 ? std::max(0, derefs - 1) : 0;
  }

  /// Takes in what follows; false when nothing that belongs to it does.
  bool postfix(ValueAccess& a) const {
    int const e = a.range.end;
    if (a.method >= 0 || a.change >= 0 || !a.path) return false;
    if (code_.is(e, "[")) {
      a.punned = a.punned || a.address;
      ++a.derefs;
      a.range.end = code_.partner(e) + 1;
      return true;
    }
    if (code_.is(e, "++") || code_.is(e, "--")) {
      a.change = e;
      a.range.end = e + 1;
      return true;
    }
    if (code_.is(e, "(") && !a.address) {
      a.path = false;
      return false;
    }
    if (!code_.is(e, ".") && !code_.is(e, "->")) return false;
    if (!code_.is_word(e + 1)) return false;
    int const open = call_open(e + 1);
    if (open < 0) {
      a.variable = names_.resolve(e + 1);
      a.derefs = 0;
      a.address = false;
      a.range.end = e + 2;
      return true;
    }
    std::string_view const name = code_.text(e + 1);
    bool const own = !names_.functions(name).empty();
    bool const element = is_listed("front back at top value", name);
    bool const iterator = is_listed("data begin end rbegin rend cbegin cend", name);
    if (own || (!element && !iterator && name != "get")) {
      a.method = e + 1;
      return false;
    }
    bool const through =
        code_.is(e, "->") && a.variable >= 0 && names_.variable(a.variable).kind == Kind::kPointer;
    if (through) ++a.derefs;
    if (element || iterator) ++a.derefs;
    a.address = iterator;
    a.range.end = code_.partner(open) + 1;
    return true;
  }

  bool prefix(ValueAccess& a) const {
    int const p = a.range.begin - 1;
    if (p < 0) return false;
    if (code_.is(p, "::") && code_.is_word(p - 1)) {
      a.range.begin = p - 1;  // Class::member
      return true;
    }
    if (a.address && code_.is(p, "*") && is_unary(p)) a.punned = true;
    if (a.address) return cast(a, p);
    if ((code_.is(p, "++") || code_.is(p, "--")) && is_unary(p)) {
      a.change = p;
      a.range.begin = p;
      return true;
    }
    if (code_.is(p, "*") && is_unary(p)) {
      ++a.derefs;
      a.range.begin = p;
      return true;
    }
    if (code_.is(p, "&") && is_unary(p)) {
      a.address = true;
      a.range.begin = p;
      return true;
    }
    return cast(a, p);
  }
  bool cast(ValueAccess& a, int p) const {
    if (!code_.is(p, ")") || !is_cast(code_.partner(p))) return false;
    a.range.begin = code_.partner(p);
    return true;
  }

  Code const& code_;
  ProgramNames const& names_;
};

}  // namespace cuco::impl
