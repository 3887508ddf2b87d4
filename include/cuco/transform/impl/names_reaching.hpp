// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/lambdas.hpp"
#include "cuco/transform/impl/collective_uses.hpp"

namespace cuco::impl {

using Names = std::set<std::string, std::less<>>;

/// Names of host functions (methods and constructors too), lambdas and macros whose text holds a token that
/// `wanted` accepts, or such a name. By name, so that it does not matter which of several overloads is meant.
template <class Wanted>
Names names_reaching(SourceModel const& m, std::vector<MacroBody> const& macros, Wanted wanted) {
  Names names;
  Lambdas const lambdas(m.code, m.structure);
  auto in_code = [&](Range r) {
    for (int i = r.begin; i < r.end; ++i)
      if (wanted(m.code.text(i)) || (m.code.is_word(i) && names.count(m.code.text(i)) != 0)) return true;
    return false;
  };
  auto in_macro = [&](MacroBody const& body) {
    for (Token const& t : body.stream.tokens)
      if (wanted(t.text) || (t.kind == TokenKind::kIdentifier && names.count(t.text) != 0)) return true;
    return false;
  };
  for (bool found = true; found;) {
    std::size_t const before = names.size();
    for (std::size_t f = 0; f < m.report.functions.size(); ++f) {
      Function const& function = m.report.functions[f];
      if (function.is_kernel || function.is_device || function.name == "main") continue;
      if (names.count(function.name) == 0 && in_code(m.structure.function_tokens[f].body))
        names.insert(function.name);
    }
    for (Lambda const& l : lambdas.all()) {
      if (l.name < 0 || names.count(m.code.text(l.name)) != 0) continue;
      if (in_code(l.body)) names.emplace(m.code.text(l.name));
    }
    for (MacroBody const& body : macros)
      if (names.count(body.name) == 0 && in_macro(body)) names.insert(body.name);
    found = names.size() != before;
  }
  return names;
}

/// Tokens of the program's functions that `wanted` accepts, and every call of a function that holds one of
/// them, and so on.
template <class Wanted>
std::set<int> tokens_reaching(SourceModel const& m, Wanted wanted) {
  std::set<int> at;
  for (int i = 0; i < m.code.size(); ++i)
    if (m.function_of(i) != kNone && wanted(m.code.text(i))) at.insert(i);
  std::set<Index> functions;
  std::vector<int> open(at.begin(), at.end());
  while (!open.empty()) {
    Index const f = m.function_of(open.back());
    open.pop_back();
    if (f == kNone || !functions.insert(f).second) continue;
    for (CallSite const& site : m.sites_of(f))
      if (at.insert(site.position).second) open.push_back(site.position);
  }
  return at;
}

}  // namespace cuco::impl
