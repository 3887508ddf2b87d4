// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Arguments that some text gives to a constructor of the program.
struct Construction {
  Index constructor;
  int position;
  std::vector<Range> args;
};

/// Finds where objects of the program's classes are made: declarations, temporaries, `new`, `make_unique`,
/// initialisers of members, elements of containers.
class ConstructionReader {
 public:
  explicit ConstructionReader(SourceModel const& m) : m_(m) {
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
      Function const& function = m_.report.functions[f];
      std::size_t const colon = function.scope.rfind(':');
      std::string_view const scope = function.scope;
      std::string_view const name = colon == std::string::npos ? scope : scope.substr(colon + 1);
      if (function.name == name && !name.empty()) classes_[name].push_back(static_cast<Index>(f));
      definitions_.insert(m_.structure.function_tokens[f].name);
    }
  }

  [[nodiscard]] std::vector<Construction> run() {
    if (classes_.empty()) return {};
    for (int i = 0; i < m_.code.size(); ++i) alias(i);
    for (int i = 0; i < m_.code.size(); ++i) type_name(i);
    for (int i = 0; i < m_.code.size(); ++i) element(i);
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) members(static_cast<Index>(f));
    return std::move(out_);
  }

 private:
  using Class = std::vector<Index>;

  [[nodiscard]] Class const* class_at(int i) const {
    auto const it = m_.code.is_word(i) ? classes_.find(m_.code.text(i)) : classes_.end();
    return it == classes_.end() ? nullptr : &it->second;
  }

  /// After the template arguments of the name at `i`, when it has any.
  [[nodiscard]] int after_type(int i) const {
    int const close = m_.code.is(i + 1, "<") ? m_.code.close_angle(i + 1, m_.code.size()) : -1;
    return close < 0 ? i + 1 : close + 1;
  }

  /// `using Alias = Class<…>;`
  void alias(int i) {
    if (!m_.code.is(i, "using") || !m_.code.is(i + 2, "=")) return;
    int end = i + 3;
    while (end < m_.code.size() && !m_.code.is(end, ";") && !m_.code.is(end, "<") && class_at(end) == nullptr)
      ++end;
    if (Class const* c = class_at(end)) classes_[m_.code.text(i + 1)] = *c;
  }

  void site(Class const& c, int open) {
    auto const args = m_.code.split(m_.code.inside(open));
    for (Index f : c)
      if (m_.function(f).parameter_names.size() == args.size()) out_.push_back({f, open, args});
  }
  [[nodiscard]] bool opens_arguments(int i) const { return m_.code.is(i, "(") || m_.code.is(i, "{"); }

  void type_name(int i) {
    Class const* const c = class_at(i);
    if (c == nullptr || definitions_.count(i) != 0 || m_.code.is(i - 1, "class") ||
        m_.code.is(i - 1, "struct"))
      return;
    int j = after_type(i);
    if (opens_arguments(j)) return site(*c, j);
    // vector<Class> name;  make_unique<Class>(arguments)
    if (m_.code.is(j, ">")) {
      if (m_.code.is(j + 1, "(")) site(*c, j + 1);
      if (m_.code.is_word(j + 1)) containers_[m_.code.text(j + 1)] = *c;
      return;
    }
    for (; m_.code.is_word(j); ++j) {
      objects_[m_.code.text(j)] = *c;
      ++j;
      if (opens_arguments(j)) {
        site(*c, j);
        j = m_.code.partner(j) + 1;
      }
      if (!m_.code.is(j, ",")) return;
    }
  }

  /// `container.emplace_back(arguments)`
  void element(int i) {
    if (!m_.code.is(i, ".") || !m_.code.is(i + 2, "(")) return;
    bool const adds = m_.code.is(i + 1, "emplace_back") || m_.code.is(i + 1, "emplace");
    auto const it = adds ? containers_.find(m_.code.text(i - 1)) : containers_.end();
    if (it != containers_.end()) site(it->second, i + 2);
  }

  /// `Owner(…) : member(arguments), … {`
  void members(Index f) {
    FunctionTokens const& tokens = m_.structure.function_tokens[static_cast<std::size_t>(f)];
    int i = m_.code.partner(tokens.parameters) + 1;
    if (!m_.code.is(i, ":")) return;
    for (++i; i < tokens.body.begin - 1 && m_.code.is_word(i) && opens_arguments(i + 1);
         i = m_.code.partner(i + 1) + 2) {
      auto const it = objects_.find(m_.code.text(i));
      if (it != objects_.end()) site(it->second, i + 1);
    }
  }

  SourceModel const& m_;
  std::map<std::string_view, Class> classes_{};
  std::set<int> definitions_{};
  std::map<std::string_view, Class> objects_{}, containers_{};
  std::vector<Construction> out_{};
};

}  // namespace cuco::impl
