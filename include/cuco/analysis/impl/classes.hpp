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
#include "cuco/analysis/impl/structure.hpp"
#include "cuco/analysis/impl/variables.hpp"

namespace cuco::impl {

/// The classes of the file, the classes of their members, and which class a variable is of.
class Classes {
 public:
  Classes(Code const& code, Structure const& structure) : code_(code), structure_(structure) {
    std::map<int, std::string> bodies;
    for (int i = 0; i < code.size(); ++i) {
      bool const key = code.is(i, "struct") || code.is(i, "class");
      if (!key || code.is(i - 1, "enum")) continue;
      int const open = body_of(i);
      if (open <= 0) continue;
      std::string name = name_before(i, open);
      int const after = code.partner(open) + 1;
      if (name.empty() && code.is(i - 1, "typedef") && code.is_word(after)) name = code.text(after);
      bodies[open] = std::move(name);
    }
    for (auto const& [open, name] : bodies)
      if (!name.empty()) members_.try_emplace(name);
    if (members_.empty()) return;
    for (Statement const& s : structure.statements) {
      if (!s.simple || s.range.empty()) continue;
      Index const f = structure.function_of[static_cast<std::size_t>(s.range.begin)];
      if (f != kNone) {
        declarations(s.range, f);
        continue;
      }
      auto const body = bodies.find(code.enclosing(s.range.begin));
      if (body == bodies.end()) {
        declarations(s.range, f);
        continue;
      }
      for (Variable const& v : read_declaration(code, s.range)) {
        std::string const type = mentioned({s.range.begin, v.name});
        members_[body->second].emplace(code.text(v.name), type);
        auto const [it, fresh] = any_member_.try_emplace(std::string(code.text(v.name)), type);
        if (!fresh && it->second != type) it->second.clear();
      }
    }
    for (std::size_t f = 0; f < structure.functions.size(); ++f) {
      FunctionTokens const& t = structure.function_tokens[f];
      for (Range p : code.split(code.inside(t.parameters))) {
        int const name = parameter_name(code, p);
        if (name < 0) continue;
        std::string type = mentioned({p.begin, name});
        if (!type.empty()) variables_.insert({{static_cast<Index>(f), std::string(code.text(name))}, type});
      }
      if (std::string owner = around(static_cast<Index>(f)); !owner.empty())
        methods_[std::move(owner)].push_back(static_cast<Index>(f));
    }
    constexpr std::size_t kMostObjects = 64;
    for (auto const& [key, type] : variables_)
      if (auto& list = objects_[type]; list.size() < kMostObjects) list.push_back(key);
    for (auto const& [member, type] : any_member_)
      if (auto& list = objects_[type]; list.size() < kMostObjects) list.emplace_back(kNone, member);
  }

  /// Variables of class `type`, at most 64.
  [[nodiscard]] std::vector<std::pair<Index, std::string>> const& objects_of(std::string const& type) const {
    static std::vector<std::pair<Index, std::string>> const kNothing;
    auto const it = objects_.find(type);
    return it == objects_.end() ? kNothing : it->second;
  }
  [[nodiscard]] std::vector<Index> const& methods_of(std::string const& type) const {
    static std::vector<Index> const kNothing;
    auto const it = methods_.find(type);
    return it == methods_.end() ? kNothing : it->second;
  }
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] bool is_class(std::string_view name) const { return members_.find(name) != members_.end(); }
  /// The class of the variable `name` of `function` (`kNone`: a global), or "".
  [[nodiscard]] std::string of_variable(Index function, std::string const& name) const {
    auto const it = variables_.find({function, name});
    return it == variables_.end() ? std::string() : it->second;
  }
  /// The class of member `name` of class `of`, or "".
  [[nodiscard]] std::string of_member(std::string_view of, std::string_view name) const {
    auto const it = members_.find(of);
    if (it == members_.end()) return {};
    auto const m = it->second.find(name);
    return m == it->second.end() ? std::string() : m->second;
  }
  [[nodiscard]] bool has_member(std::string_view of, std::string_view name) const {
    auto const it = members_.find(of);
    return it != members_.end() && it->second.find(name) != it->second.end();
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (auto const& [name, members] : members_) out.push_back(name);
    return out;
  }
  /// The class of a member called `name` of any class, when they agree; or "".
  [[nodiscard]] std::string of_any_member(std::string const& name) const {
    auto const it = any_member_.find(name);
    return it == any_member_.end() ? std::string() : it->second;
  }
  /// The class that `function` is a member of, or "".
  [[nodiscard]] std::string around(Index function) const {
    if (function == kNone) return {};
    Function const& f = structure_.functions[static_cast<std::size_t>(function)];
    std::size_t const colon = f.scope.rfind(':');
    std::string last = colon == std::string::npos ? f.scope : f.scope.substr(colon + 1);
    if (is_class(last)) return last;
    // void Class::method() { … } outside of the class.
    int const name = structure_.function_tokens[static_cast<std::size_t>(function)].name;
    int i = code_.is(name - 1, "~") ? name - 2 : name - 1;
    if (!code_.is(i, "::")) return {};
    --i;
    if (code_.is(i, ">"))
      while (i > 0 && !code_.is(i, "<") && i > name - 64) --i;
    if (code_.is(i, "<")) --i;
    return is_class(code_.text(i)) ? std::string(code_.text(i)) : std::string();
  }

 private:
  /// The `{` of the class whose key is at `key`, or -1.
  [[nodiscard]] int body_of(int key) const {
    constexpr int kLongestHead = 64;
    for (int i = key + 1; i < std::min(code_.size(), key + kLongestHead); i = code_.next(i)) {
      if (code_.is(i, "{")) return i;
      if (code_.is(i, ";") || code_.is(i, "=") || code_.is(i, ")") || code_.is(i, "}")) return -1;
      if (code_.is(i, "(") && !is_attribute_call(code_.text(i - 1))) return -1;
    }
    return -1;
  }
  [[nodiscard]] std::string name_before(int key, int open) const {
    std::string name;
    for (int i = key + 1; i < open; i = code_.next(i)) {
      if (code_.is(i, ":") || code_.is(i, "<")) break;
      if (code_.is_word(i) && !code_.is(i, "final") && !is_attribute_call(code_.text(i)))
        name = code_.text(i);
    }
    return name;
  }
  /// The last class of the file that `r` names.
  [[nodiscard]] std::string mentioned(Range r) const {
    constexpr int kLongestType = 64;
    for (int i = r.end - 1; i >= std::max(r.begin, r.end - kLongestType); --i)
      if (code_.is_word(i) && is_class(code_.text(i))) return std::string(code_.text(i));
    return {};
  }
  void declarations(Range r, Index f) {
    for (Variable const& v : read_declaration(code_, r)) {
      std::string type = mentioned({r.begin, v.name});
      // auto x = Class(…), std::make_unique<Class>(…)
      if (type.empty() && code_.is(r.begin, "auto") && !v.init.empty())
        type = mentioned({v.init.begin, std::min(v.init.end, v.init.begin + 8)});
      if (!type.empty()) variables_.insert({{f, std::string(code_.text(v.name))}, std::move(type)});
    }
  }

  Code const& code_;
  Structure const& structure_;
  std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> members_{};
  std::map<std::string, std::vector<std::pair<Index, std::string>>> objects_{};
  std::map<std::string, std::vector<Index>> methods_{};
  std::map<std::string, std::string> any_member_{};
  std::map<std::pair<Index, std::string>, std::string> variables_{};
};

}  // namespace cuco::impl
