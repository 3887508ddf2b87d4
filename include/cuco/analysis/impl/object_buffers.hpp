// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/places.hpp"

// Buffers that objects own: what `Places` knows of classes, their members and methods.

namespace cuco::impl {

inline std::vector<std::pair<std::pair<Index, std::string>, ObjectBuffer>> Places::same_buffer(
    Place const& p, Index function) const {
  std::vector<std::pair<Key, ObjectBuffer>> out;
  if (class_allocations_.empty() || !p.path.ok()) return out;
  std::string const around = classes_.around(function);
  if (p.scope == kNone && allocated_member(around, p.path.root) != kNone) {
    for (Key const& object : classes_.objects_of(around)) out.push_back({object, {{}, p.path.root}});
    return out;
  }
  std::string type = classes_.of_variable(p.scope, p.path.root);
  if (type.empty() && p.scope == kNone) type = classes_.of_any_member(p.path.root);
  auto const it = class_allocations_.find(type);
  if (it == class_allocations_.end()) return out;
  for (auto const& [member, unused] : it->second) {
    (void)unused;
    bool wanted = true;
    for (std::string const& s : p.path.steps)
      if (s.front() == '.') wanted = s == "." + member;
    if (!wanted) continue;
    ObjectBuffer buffer{methods_called_on(p.path.root, type), member};
    if (!buffer.methods.empty()) out.push_back({{kNone, member}, std::move(buffer)});
  }
  return out;
}

inline void Places::returned_members(Place& p) const {
  if (classes_.empty()) return;
  std::string type = classes_.of_variable(p.scope, p.path.root);
  if (type.empty() && p.scope == kNone) type = classes_.of_any_member(p.path.root);
  for (std::string& step : p.path.steps) {
    if (step.front() != '.' || type.empty()) continue;
    if (step.ends_with("()")) {
      std::string const name = step.substr(1, step.size() - 3);
      std::string member = returned_member(type, name);
      if (member == name) return;
      std::string const guess = "the result of " + name + "() stands for its buffer";
      if (auto const at = std::find(p.guesses.begin(), p.guesses.end(), guess); at != p.guesses.end()) {
        p.guesses.erase(at);
        p.confidence /= kMethodDoubt;
      }
      step = "." + member;
    }
    type = classes_.of_member(type, step.substr(1));
  }
}

inline Index Places::owned_allocation(Place const& p) const {
  if (class_allocations_.empty()) return kNone;
  std::string type = classes_.of_variable(p.scope, p.path.root);
  if (type.empty() && p.scope == kNone) type = member_class(p.path.root);
  for (std::size_t s = 0; s < p.path.steps.size() && !type.empty(); ++s) {
    std::string name = p.path.steps[s];
    if (name.front() != '.') continue;
    name.erase(0, 1);
    if (name.ends_with("()")) name = returned_member(type, name.substr(0, name.size() - 2));
    if (Index const a = allocated_member(type, name); a != kNone) return a;
    type = classes_.of_member(type, name);
  }
  auto const it = class_allocations_.find(type);
  if (it == class_allocations_.end()) return kNone;
  auto const& list = it->second;
  bool const one =
      std::all_of(list.begin(), list.end(), [&](auto const& a) { return a.first == list.front().first; });
  return one ? list.front().second : kNone;
}

inline std::set<Index> const& Places::methods_called_on(std::string const& object,
                                                        std::string const& type) const {
  auto const [it, fresh] = called_on_.try_emplace({object, type});
  if (!fresh) return it->second;
  for (Index f : classes_.methods_of(type)) {
    std::size_t n = 0;
    for (CallSite const& s : calls_.sites[static_cast<std::size_t>(f)]) {
      bool const method = code_.is(s.position - 1, ".") || code_.is(s.position - 1, "->");
      int const variable = method ? s.position - 2 : s.position + 1;
      if (code_.is(variable, object) || (method && !code_.is_word(variable))) it->second.insert(f);
      if (++n > 1000) break;
    }
  }
  return it->second;
}

inline Index Places::allocated_member(std::string const& type, std::string const& member) const {
  auto const it = class_allocations_.find(type);
  if (it != class_allocations_.end())
    for (auto const& [name, index] : it->second)
      if (name == member) return index;
  return kNone;
}

inline std::string Places::member_class(std::string const& name) const {
  std::string found;
  for (auto const& [owner, unused] : class_allocations_) {
    (void)unused;
    if (std::string type = classes_.of_member(owner, name); !type.empty()) found = std::move(type);
  }
  return found.empty() ? classes_.of_any_member(name) : found;
}

inline std::string Places::returned_member(std::string const& type, std::string const& name) const {
  auto const it = methods_.find(name);
  if (it == methods_.end()) return name;
  for (Index f : it->second) {
    if (classes_.around(f) != type) continue;
    Range const body = structure_.function_tokens[static_cast<std::size_t>(f)].body;
    for (int i = body.begin; i < std::min(body.end, body.begin + 200); ++i) {
      if (!code_.is(i, "return")) continue;
      int end = i + 1;
      while (end < body.end && !code_.is(end, ";")) end = code_.next(end);
      AccessPath const path = paths_.read({i + 1, end});
      return path.ok() && !path.call ? path.root : name;
    }
  }
  return name;
}

inline Index Places::returned_allocation(Place& p) const {
  for (Assignment const& a : variables_.assignments(p.scope, p.path.root)) {
    if (!a.steps.empty() || !a.value.call) continue;
    auto const named = methods_.find(a.value.root);
    if (named == methods_.end()) continue;
    for (Index f : named->second) {
      Range const body = structure_.function_tokens[static_cast<std::size_t>(f)].body;
      for (int i = body.begin; i < std::min(body.end, body.begin + 4000); ++i) {
        if (!code_.is(i, "return")) continue;
        for (int k = i + 1; k < body.end && !code_.is(k, ";"); ++k) {
          if (!code_.is_word(k)) continue;
          auto const it = allocations_.find({f, std::string(code_.text(k))});
          if (it == allocations_.end()) continue;
          for (auto const& [steps, index] : it->second) {
            if (!steps.empty() && compare_steps(steps, p.path.steps) == Overlap::kNo) continue;
            p.doubt(0.9, p.path.root + " is taken to hold what " + a.value.root + "() allocates");
            return index;
          }
        }
      }
    }
  }
  return kNone;
}

}  // namespace cuco::impl
