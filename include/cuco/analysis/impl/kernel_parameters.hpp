// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/structure.hpp"

namespace cuco::impl {

/// How kernels of the file use their pointer parameters.
class KernelParameters {
 public:
  KernelParameters(Code const& code, Structure const& structure) : code_(code), structure_(structure) {
    for (std::size_t f = 0; f < structure.functions.size(); ++f) {
      Function const& function = structure.functions[f];
      (function.is_kernel ? kernels_ : functions_)[function.name].push_back(static_cast<Index>(f));
    }
  }

  /// {writes, reads} of argument `i` of the kernel written as `name` (qualifiers and template arguments
  /// allowed).
  [[nodiscard]] std::pair<bool, bool> use(std::string_view name, std::size_t i, std::size_t arguments) {
    name = name.substr(0, name.find('<'));
    if (std::size_t const colon = name.rfind(':'); colon != std::string_view::npos)
      name.remove_prefix(colon + 1);
    auto const it = kernels_.find(name);
    std::pair<bool, bool> out{true, true};
    if (it == kernels_.end()) return out;
    bool first = true;
    for (Index f : it->second) {
      Function const& function = structure_.functions[static_cast<std::size_t>(f)];
      if (it->second.size() > 1 && function.parameter_names.size() != arguments) continue;
      auto const one = cached(f, i);
      out = first ? one : std::pair{out.first || one.first, out.second || one.second};
      first = false;
    }
    return out;
  }

 private:
  using Use = std::pair<bool, bool>;
  static constexpr int kDeepest = 4;  ///< Of aliases and device functions.

  Use cached(Index f, std::size_t i) { return of_parameter(f, i, 0); }

  Use of_parameter(Index f, std::size_t i, int depth) {
    auto const [it, fresh] = uses_.try_emplace({f, i}, Use{true, true});  // Recursion finds the safe answer.
    if (!fresh) return it->second;
    Use const found = compute(f, i, depth);
    return uses_[{f, i}] = found;
  }

  [[nodiscard]] Use compute(Index f, std::size_t i, int depth) {
    FunctionTokens const& t = structure_.function_tokens[static_cast<std::size_t>(f)];
    auto const parameters = code_.split(code_.inside(t.parameters));
    if (i >= parameters.size()) return {true, true};
    int const name = parameter_name(code_, parameters[i]);
    if (name < 0) return {false, false};
    if (points_to_const(parameters[i], name)) return {false, true};
    return of_variable(code_.text(name), t.body, depth);
  }

  /// How the pointer `word` is used in `body`.
  [[nodiscard]] Use of_variable(std::string_view word, Range body, int depth) {
    Use use{false, false};
    if (depth > kDeepest || ++spent_ > kMostBodies) return {true, true};
    for (int k = body.begin; k < body.end; ++k) {
      if (!code_.is(k, word) || code_.is(k - 1, ".") || code_.is(k - 1, "->") || code_.is(k - 1, "::"))
        continue;
      Use const one = of_mention(k, body, depth);
      use = {use.first || one.first, use.second || one.second};
      if (use.first && use.second) break;
    }
    return use;
  }

  /// What the mention of a pointer at `k` does: p[…], *p, an alias, an argument; all else may do both.
  [[nodiscard]] Use of_mention(int k, Range body, int depth) {
    if (code_.is(k + 1, "[")) return of_element(k, code_.next(k + 1));
    if (code_.is(k - 1, "*") && !ends_operand(k - 2)) return of_element(k - 1, k + 1);
    std::string_view const after = code_.text(k + 1);
    if (after == "==" || after == "!=" || code_.is(k - 1, "==") || code_.is(k - 1, "!=") ||
        code_.is(k - 1, "!"))
      return {false, false};
    // Declaring or moving the pointer itself touches no memory.
    static constexpr std::array<std::string_view, 5> kMoves = {"=", "+=", "-=", "++", "--"};
    if (one_of(after, kMoves) && (!code_.is(k - 1, "*") || ends_operand(k - 2))) return {false, false};
    // *(p + i) = …
    int const open = code_.enclosing(k);
    if (code_.is(open, "(") && code_.is(open - 1, "*") && !ends_operand(open - 2))
      return of_element(open - 1, code_.next(open));
    // T* q = p + i;
    if (int const alias = declared_alias(k, body); alias > 0)
      return of_variable(code_.text(alias), body, depth + 1);
    // f(p + i, …) with a function of the file.
    if (code_.is(open, "(") && code_.is_word(open - 1) && !is_control_word(code_.text(open - 1)))
      return of_argument(open, k, depth);
    return {true, true};
  }

  /// The element whose expression begins at `begin` and ends before `after`.
  [[nodiscard]] Use of_element(int begin, int after) const {
    while (code_.is(after, ".") && code_.is_word(after + 1)) after += 2;
    std::string_view const op = code_.text(after);
    static constexpr std::array<std::string_view, 15> kUpdates = {
        "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>=", "++", "--", "[", "(", "->"};
    bool const assigns = op == "=";
    bool const updates = one_of(op, kUpdates) || code_.is(begin - 1, "++") || code_.is(begin - 1, "--") ||
                         (code_.is(begin - 1, "&") && !ends_operand(begin - 2));
    bool writes = assigns || updates;
    // A function that takes a reference (an atomic operation) may change the element.
    int const open = code_.enclosing(begin);
    if (code_.is(open, "(") && code_.is_word(open - 1) && !is_control_word(code_.text(open - 1)))
      writes |= !assigns;
    return {writes, !assigns};
  }

  /// The variable that `T* q = p + …;` or `auto q = (T*)p;` around `k` declares, or -1.
  [[nodiscard]] int declared_alias(int k, Range body) const {
    constexpr int kLongest = 48;
    int i = k - 1;
    for (; i > std::max(body.begin, k - kLongest) && !code_.is(i, "="); --i) {
      std::string_view const t = code_.text(i);
      bool const cast = t == ")" || t == "(" || t == "*" || t == "<" || t == ">" || t == "::" || t == "+" ||
                        code_.is_word(i);
      if (!cast) return -1;
      if (t == ")") i = code_.partner(i);
    }
    if (!code_.is(i, "=") || !code_.is_word(i - 1)) return -1;
    bool const declares = code_.is(i - 2, "*") || code_.is(i - 2, "auto") || is_cv(code_.text(i - 2));
    // What follows must not use the pointer for more than an offset.
    if (!declares || code_.is(k + 1, "->") || code_.is(k + 1, ".") || code_.is(k + 1, "(")) return -1;
    return i - 1;
  }

  [[nodiscard]] Use of_argument(int open, int k, int depth) {
    auto const it = functions_.find(code_.text(open - 1));
    if (it == functions_.end()) return {true, true};
    auto const args = code_.split(code_.inside(open));
    Use use{false, false};
    bool found = false;
    for (std::size_t a = 0; a < args.size(); ++a) {
      if (k < args[a].begin || k >= args[a].end) continue;
      for (Index f : it->second) {
        if (structure_.functions[static_cast<std::size_t>(f)].parameter_names.size() != args.size()) continue;
        if (depth + 1 > kDeepest) return {true, true};
        Use const one = of_parameter(f, a, depth + 1);
        use = {use.first || one.first, use.second || one.second};
        found = true;
      }
    }
    return found ? use : Use{true, true};
  }

  [[nodiscard]] bool ends_operand(int i) const {
    std::string_view const t = code_.text(i);
    // if (c) *p = 1; begins a statement.
    if (t == ")") return !is_control_word(code_.text(code_.partner(i) - 1));
    return t == "]" || (code_.is_word(i) && !is_control_word(t)) ||
           (i >= 0 && code_.at(i).kind == TokenKind::kNumber);
  }

  [[nodiscard]] bool points_to_const(Range r, int name) const {
    int star = -1;
    for (int k = r.begin; k < name; ++k)
      if (code_.is(k, "*")) {
        star = k;
        break;
      }
    if (star < 0) return false;
    for (int k = r.begin; k < star; ++k)
      if (code_.is(k, "const")) return true;
    return false;
  }

  Code const& code_;
  Structure const& structure_;
  static constexpr int kMostBodies = 20000;  ///< Searches in all.
  int spent_ = 0;
  std::map<std::string, std::vector<Index>, std::less<>> kernels_{};
  std::map<std::string, std::vector<Index>, std::less<>> functions_{};  ///< The others.
  std::map<std::pair<Index, std::size_t>, std::pair<bool, bool>> uses_{};
};

}  // namespace cuco::impl
