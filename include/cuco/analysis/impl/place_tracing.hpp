// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/places.hpp"

// From an expression to what it denotes: aliases, parameters, callers.

namespace cuco::impl {

inline std::vector<Place> Places::stored_to(Code const& code, Range r, int position) const {
  std::vector<Place> out;
  Place place;
  place.path = PathReader(code).read(r);
  if (!place.path.ok()) return out;
  place.path.dereference("");
  place.scope = structure_.function_of[static_cast<std::size_t>(position)];
  std::vector<std::pair<Place, int>> todo{{std::move(place), position}};
  for (std::size_t done = 0; done < todo.size() && done < kMostSites; ++done) {
    auto [p, position] = todo[done];
    p.position = position;
    if (has_values_in_turn(p)) {
      for (auto& value : values_of(p))
        if (todo.size() < kMostSites) todo.push_back(std::move(value));
      continue;
    }
    int const argument = variables_.is_local(p.scope, p.path.root) ? -1 : parameter(p.scope, p.path.root);
    if (argument < 0 || calls_.sites[static_cast<std::size_t>(p.scope)].empty()) {
      if (!p.path.steps.empty() || is_reference(p, position)) follow(p, position, false);
      if (!variables_.is_local(p.scope, p.path.root) && parameter(p.scope, p.path.root) < 0) p.scope = kNone;
      out.push_back(std::move(p));
      continue;
    }
    for (CallSite const& site : calls_.sites[static_cast<std::size_t>(p.scope)]) {
      if (static_cast<std::size_t>(argument) >= site.args.size() || todo.size() >= kMostSites) continue;
      AccessPath path = paths_.read(site.args[static_cast<std::size_t>(argument)]);
      if (!path.ok()) continue;
      path.append(p.path.steps);
      todo.push_back({Place{site.caller, std::move(path), 1.0, {}, site.position}, site.position});
    }
  }
  return out;
}

inline std::vector<Place> Places::alternatives(Code const& code, Range r, int position) const {
  std::vector<Place> out;
  std::vector<Place> todo{resolve(code, r, position)};
  for (std::size_t done = 0; done < todo.size(); ++done) {
    if (!is_open_parameter(todo[done]) || todo.size() >= kMostSites) {
      out.push_back(std::move(todo[done]));
      continue;
    }
    Place const p = std::move(todo[done]);
    for (auto& [value, at] : values_of(p)) {
      Place next = std::move(value);
      if (todo.size() >= kMostSites) continue;
      if (!next.path.call) follow(next, at, true);
      // A recursive call leads back.
      bool const known = std::any_of(todo.begin(), todo.end(), [&](Place const& q) {
        return q.scope == next.scope && q.path.root == next.path.root && q.path.steps == next.path.steps;
      });
      if (!known && !(next.scope == p.scope && next.path.root == p.path.root))
        todo.push_back(std::move(next));
    }
  }
  return out;
}

inline std::vector<std::pair<Place, int>> Places::values_of(Place const& p) const {
  std::vector<std::pair<Place, int>> out;
  auto add = [&](AccessPath path, Index scope, int position, std::size_t skip) {
    if (!path.ok()) return;
    path.append({p.path.steps.begin() + static_cast<std::ptrdiff_t>(skip), p.path.steps.end()});
    path.doubt.clear();
    path.offset = path.offset || p.path.offset;
    out.emplace_back(Place{scope, std::move(path), 1.0, {}, position}, position);
  };
  if (has_values_in_turn(p)) {
    for (Assignment const& a : variables_.assignments(p.scope, p.path.root))
      if (a.one_of && sets_beginning(a, p) && holds_at(a, p.position))
        add(a.value, a.function, a.token, a.steps.size());
    return out;
  }
  auto const argument = static_cast<std::size_t>(parameter(p.scope, p.path.root));
  for (CallSite const& site : calls_.sites[static_cast<std::size_t>(p.scope)])
    if (argument < site.args.size()) add(paths_.read(site.args[argument]), site.caller, site.position, 0);
  return out;
}

inline void Places::follow(Place& p, int position, bool stop_at_allocation) const {
  for (int step = 0; step < kMostSteps; ++step) {
    p.position = position;
    p.path.drop_offset();
    p.path.others.clear();
    bool const local = variables_.is_local(p.scope, p.path.root);
    int const argument = local ? -1 : parameter(p.scope, p.path.root);
    if (!local && argument < 0) p.scope = kNone;
    if (p.path.call || (stop_at_allocation && is_allocated(p))) return;
    returned_members(p);
    if (has_values_in_turn(p)) return;
    if (follow_alias(p, position)) continue;
    if (argument < 0 || !follow_parameter(p, argument, position)) return;
  }
  p.doubt(0.7,
          "the aliases of " + p.path.root + " are followed " + std::to_string(kMostSteps) + " steps only");
}

inline bool Places::follow_alias(Place& p, int& position) const {
  // An object is what it is, whatever its constructor takes.
  if (p.scope == kNone && class_allocations_.count(classes_.of_any_member(p.path.root)) != 0) return false;
  AccessPath found;
  Assignment const* chosen = nullptr;
  int different = 0;
  for (Assignment const& a : variables_.assignments(p.scope, p.path.root)) {
    if (!sets_beginning(a, p) || !holds_at(a, position)) continue;
    if (a.declaration && p.scope != kNone && !in_block_of(a.token, position)) continue;
    AccessPath const& path = a.value;
    if (path.call || path.root == p.path.root) continue;
    if (chosen != nullptr && found.root == path.root && found.steps == path.steps) continue;
    ++different;
    // The last one before the use, else the first.
    if (chosen == nullptr || a.token < position) {
      chosen = &a;
      found = path;
    }
  }
  if (chosen == nullptr) return false;
  if (different > 1) p.doubt(0.7, p.path.root + " is set to different buffers; the nearest is taken");
  if (!found.doubt.empty()) p.doubt(0.7, found.doubt);
  found.append(
      {p.path.steps.begin() + static_cast<std::ptrdiff_t>(chosen->steps.size()), p.path.steps.end()});
  found.doubt.clear();
  found.offset = found.offset || p.path.offset;
  p.path = std::move(found);
  p.scope = chosen->function;
  position = chosen->token;
  return true;
}

inline bool Places::follow_parameter(Place& p, int argument, int& position) const {
  auto const f = static_cast<std::size_t>(p.scope);
  auto const& sites = calls_.sites[f];
  Function const& function = structure_.functions[f];
  if (function.is_kernel || function.name == "main") return false;
  if (sites.empty()) {
    bool const pointer = calls_.taken.count(p.scope) != 0;
    p.doubt(0.8,
            function.name + (pointer ? "() is called through a pointer" : "() is not called in this file") +
                ", so its parameter " + p.path.root + " is not traced");
    return false;
  }
  AccessPath found;
  for (std::size_t s = 0; s < sites.size(); ++s) {
    AccessPath path;
    if (static_cast<std::size_t>(argument) < sites[s].args.size())
      path = paths_.read(sites[s].args[static_cast<std::size_t>(argument)]);
    bool const agrees = s == 0 || (path.root == found.root && path.steps == found.steps &&
                                   sites[s].caller == sites[0].caller);
    if (!path.ok() || path.call || !agrees) {
      p.doubt(0.7,
              sites.size() > 1
                  ? function.name + "() is called with different buffers for its parameter " + p.path.root
                  : "the argument for " + p.path.root + " of " + function.name + "() is not understood");
      return false;
    }
    found = std::move(path);
  }
  found.append(p.path.steps);
  found.offset = found.offset || p.path.offset;
  p.path = std::move(found);
  p.scope = sites[0].caller;
  position = sites[0].position;
  return true;
}

}  // namespace cuco::impl
