// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/heads.hpp"
#include "cuco/analysis/impl/structure.hpp"

namespace cuco::impl {

/// A call `name(…)` of a lambda that a variable of the same function holds.
struct LambdaCall {
  int position;
  std::vector<Range> args;
};

struct Lambda {
  int name = -1;      ///< Token of the variable, or -1 for one that is used where it is written.
  int captures = -1;  ///< Its `[`.
  Index function = kNone;
  std::vector<Range> parameters;
  Range body;  ///< With its braces.
  std::vector<LambdaCall> calls;
};

/// The lambdas of host functions and where the named ones are called.
class Lambdas {
 public:
  Lambdas(Code const& code, Structure const& structure) {
    std::map<std::pair<Index, std::string_view>, std::vector<std::size_t>> named;
    auto function_of = [&](int i) { return structure.function_of[static_cast<std::size_t>(i)]; };
    for (int i = 0; i < code.size(); ++i) {
      if (!code.is(i, "[") || function_of(i) == kNone) continue;
      Lambda l;
      if (!read(code, i, l)) continue;
      l.function = function_of(i);
      if (code.is(i - 1, "=") && code.is_word(i - 2)) {
        l.name = i - 2;
        named[{l.function, code.text(l.name)}].push_back(all_.size());
      }
      all_.push_back(std::move(l));
    }
    if (named.empty()) return;
    for (int i = 0; i < code.size(); ++i) {
      if (!code.is_word(i) || code.is(i - 1, ".") || code.is(i - 1, "->")) continue;
      // for_each(step) calls it, too.
      bool const passed = (code.is(i - 1, "(") || code.is(i - 1, ",")) &&
                          (code.is(i + 1, ")") || code.is(i + 1, ",")) && code.is(code.enclosing(i), "(") &&
                          code.is_word(code.enclosing(i) - 1);
      if (!code.is(i + 1, "(") && !passed) continue;
      auto const it = named.find({function_of(i), code.text(i)});
      if (it == named.end()) continue;
      for (auto k = it->second.rbegin(); k != it->second.rend(); ++k) {
        Lambda& l = all_[*k];
        if (l.name > i) continue;
        l.calls.push_back({i, passed ? std::vector<Range>() : code.split(code.inside(i + 1))});
        break;
      }
    }
  }

  /// In the order of their `[`.
  [[nodiscard]] std::vector<Lambda> const& all() const { return all_; }

 private:
  static bool read(Code const& code, int open, Lambda& l) {
    // After an operand, `[` is an index.
    std::string_view const before = code.text(open - 1);
    bool const operand = (code.is_word(open - 1) && before != "return") || before == ")" || before == "]";
    if (operand || code.is(open + 1, "[") || before == "[") return false;
    constexpr int kLongestTail = 64;
    l.captures = open;
    int i = code.partner(open) + 1;
    if (code.is(i, "(")) {
      l.parameters = code.split(code.inside(i));
      i = code.partner(i) + 1;
    }
    for (int const stop = i + kLongestTail; i < std::min(stop, code.size()); i = code.next(i)) {
      if (code.is(i, "{")) {
        l.body = {i, code.partner(i) + 1};
        return true;
      }
      bool const tail = code.is_word(i) || code.is(i, "->") || code.is(i, "::") || code.is(i, "*") ||
                        code.is(i, "&") || code.is(i, "<") || code.is(i, ">") || code.is(i, "(");
      if (!tail) return false;
    }
    return false;
  }

  std::vector<Lambda> all_{};
};

}  // namespace cuco::impl
