// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "cuco/emu/impl/front_tokens.hpp"

namespace cuco::impl::emulating {

/// What the text says about all kernels of one name.
struct KernelFacts {
  std::size_t template_parameters = 0;      ///< 0: not a template.
  bool pack = false;                        ///< Some template parameter is a pack.
  bool defaults = false;                    ///< Some function parameter has a default argument.
  std::set<std::string> parameter_lists{};  ///< More than one: overloaded.

  /// Whether `name`, followed by `explicit_arguments` template arguments, names one function.
  [[nodiscard]] bool names_one_function(std::size_t explicit_arguments) const {
    return !pack && !defaults && parameter_lists.size() <= 1 && explicit_arguments >= template_parameters;
  }
};

using KernelTable = std::map<std::string, KernelFacts, std::less<>>;

/// Adds the `__global__` functions in `view` to `table`.
inline void find_kernels(TokenView const& view, KernelTable& table) {
  for (std::size_t i = 0; i < view.size(); ++i) {
    if (!view.is(i, "__global__")) continue;
    // The template header, if any, stands between the end of the previous declaration and here.
    std::size_t head = i;
    while (head > 0 && !view.is(head - 1, ";") && !view.is(head - 1, "}") && !view.is(head - 1, "{")) --head;
    std::size_t parameters = 0;
    bool pack = false;
    for (std::size_t j = head; j < i; ++j) {
      if (!view.is(j, "template") || !view.is(j + 1, "<")) continue;
      std::size_t const close = view.match_angle(j + 1, i);
      if (close == TokenView::kNone) continue;
      parameters += view.split(j + 2, close).size();
      for (std::size_t k = j + 2; k < close; ++k) pack = pack || view.is(k, "...");
      j = close;
    }
    std::size_t name = i + 1;
    for (; name < view.size() && !view.is(name, ";") && !view.is(name, "{"); ++name) {
      if (!view.is(name + 1, "(") || !view.identifier(name)) continue;
      if (view[name].text.substr(0, 2) != "__") break;
      name = view.match(name + 1);
      if (name == TokenView::kNone) return;
    }
    if (!view.identifier(name) || !view.is(name + 1, "(")) continue;
    std::size_t const close = view.match(name + 1);
    if (close == TokenView::kNone) continue;
    KernelFacts& facts = table[std::string(view[name].text)];
    facts.template_parameters = std::max(facts.template_parameters, parameters);
    facts.pack = facts.pack || pack;
    std::string types;
    for (auto [begin, end] : view.split(name + 2, close)) {
      for (std::size_t k = begin; k < end; ++k) {
        if (view.is(k, "=")) {
          facts.defaults = true;
          end = k;
        }
      }
      // Without the parameter's name, which may differ between a declaration and the definition.
      bool const named = end - begin > 1 && view.identifier(end - 1);
      types += view.flat(begin, named ? end - 1 : end) + ",";
    }
    facts.parameter_lists.insert(std::move(types));
  }
}

}  // namespace cuco::impl::emulating
