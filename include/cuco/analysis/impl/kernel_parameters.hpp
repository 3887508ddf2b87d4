// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

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
    for (std::size_t f = 0; f < structure.functions.size(); ++f)
      if (structure.functions[f].is_kernel)
        kernels_[structure.functions[f].name].push_back(static_cast<Index>(f));
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
  std::pair<bool, bool> cached(Index f, std::size_t i) {
    auto const [it, fresh] = uses_.try_emplace({f, i});
    if (fresh) it->second = compute(f, i);
    return it->second;
  }

  [[nodiscard]] std::pair<bool, bool> compute(Index f, std::size_t i) const {
    FunctionTokens const& t = structure_.function_tokens[static_cast<std::size_t>(f)];
    auto const parameters = code_.split(code_.inside(t.parameters));
    if (i >= parameters.size()) return {true, true};
    int const name = parameter_name(code_, parameters[i]);
    if (name < 0) return {false, false};
    if (points_to_const(parameters[i], name)) return {false, true};
    bool writes = false;
    bool reads = false;
    std::string_view const word = code_.text(name);
    for (int k = t.body.begin; k < t.body.end; ++k) {
      if (!code_.is(k, word) || code_.is(k - 1, ".") || code_.is(k - 1, "->") || code_.is(k - 1, "::"))
        continue;
      // Only p[…] = and p[…] as a value are understood; all else may do both.
      if (!code_.is(k + 1, "[")) return {true, true};
      int after = code_.next(k + 1);
      while (code_.is(after, ".") && code_.is_word(after + 1)) after += 2;
      std::string_view const op = code_.text(after);
      bool const assigns = op == "=";
      bool const updates = op == "+=" || op == "-=" || op == "*=" || op == "/=" || op == "%=" || op == "|=" ||
                           op == "&=" || op == "^=" || op == "<<=" || op == ">>=" || op == "++" ||
                           op == "--" || code_.is(k - 1, "++") || code_.is(k - 1, "--") ||
                           code_.is(k - 1, "&") || op == "[" || op == "(" || op == "->";
      writes |= assigns || updates;
      reads |= !assigns;
      // A function that takes a reference (an atomic operation) may change the element.
      int const open = code_.enclosing(k);
      if (code_.is(open, "(") && code_.is_word(open - 1) && !is_control_word(code_.text(open - 1)))
        writes |= !assigns;
    }
    return {writes, reads};
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
  std::map<std::string, std::vector<Index>, std::less<>> kernels_{};
  std::map<std::pair<Index, std::size_t>, std::pair<bool, bool>> uses_{};
};

}  // namespace cuco::impl
