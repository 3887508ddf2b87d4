// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/paths.hpp"
#include "cuco/analysis/impl/variables.hpp"

namespace cuco::impl {

/// A buffer's identity: a variable of a function (`kNone`: a global or a member) and the steps from it.
struct Place {
  Index scope = kNone;
  AccessPath path;
  double confidence = 1.0;
  std::vector<std::string> guesses;

  void doubt(double factor, std::string why) {
    confidence *= factor;
    if (std::find(guesses.begin(), guesses.end(), why) == guesses.end()) guesses.push_back(std::move(why));
  }
};

/// How two places relate.
enum class Overlap : std::uint8_t { kNo, kMaybe, kYes };

inline Overlap compare_steps(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  Overlap result = Overlap::kYes;
  auto literal = [](std::string const& step) { return step.size() > 2 && is_digit(step[1]); };
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) continue;
    if (a[i].front() != '[' || b[i].front() != '[' || (literal(a[i]) && literal(b[i]))) return Overlap::kNo;
    result = Overlap::kMaybe;
  }
  // A structure that is passed whole carries the buffers in it.
  return a.size() == b.size() ? result : Overlap::kMaybe;
}

/// Traces pointer expressions back to the variable that owns the buffer.
class Places {
 public:
  Places(Code const& code, Structure const& structure, CallTable const& calls, Report const& report)
      : code_(code),
        structure_(structure),
        calls_(calls),
        report_(report),
        variables_(code, structure),
        paths_(code) {
    for (std::size_t i = 0; i < report.allocations.size(); ++i) add_allocation(static_cast<Index>(i));
  }

  /// @param code where `r` lies; @param position the token of the program it is used at.
  [[nodiscard]] Place resolve(Code const& code, Range r, int position) const {
    Place place;
    place.path = PathReader(code).read(r);
    place.scope = structure_.function_of[static_cast<std::size_t>(position)];
    if (!place.path.ok()) {
      place.doubt(0.5, "the expression " + shorten(code.squeezed(r)) + " is not understood");
      return place;
    }
    if (!place.path.doubt.empty()) place.doubt(0.7, std::exchange(place.path.doubt, {}));
    std::vector<AccessPath> others = std::exchange(place.path.others, {});
    Index const scope = place.scope;
    follow(place, position, true);
    if (is_allocated(place)) return place;
    for (AccessPath& path : others) {
      Place other{scope, std::move(path), 1.0, {}};
      follow(other, position, true);
      if (is_allocated(other)) return other;
    }
    return place;
  }

  /// The allocation that made `place`, or `kNone`. Adds to the guesses of `place`.
  [[nodiscard]] Index allocation_of(Place& place) const {
    auto const it = allocations_.find({place.scope, place.path.root});
    if (it == allocations_.end()) return returned_allocation(place);
    Index maybe = kNone;
    int ambiguous = 0;
    for (auto const& [steps, index] : it->second) {
      if (steps.size() != place.path.steps.size()) continue;
      Overlap const o = compare_steps(steps, place.path.steps);
      if (o == Overlap::kYes) return index;
      if (o == Overlap::kNo) continue;
      maybe = index;
      ++ambiguous;
    }
    if (maybe != kNone)
      place.doubt(0.8,
                  "one element of " + place.path.root + " is taken for any" +
                      (ambiguous > 1 ? "; several allocations fit" : ""));
    return maybe;
  }

  static std::string shorten(std::string s) {
    constexpr std::size_t kLongest = 60;
    if (s.size() > kLongest) s.replace(kLongest, std::string::npos, "…");
    return s;
  }

 private:
  using Key = std::pair<Index, std::string>;
  static constexpr int kMostSteps = 16;
  static constexpr std::size_t kMostSites = 64;

  [[nodiscard]] int parameter(Index f, std::string const& name) const {
    if (f == kNone) return -1;
    auto const& names = structure_.functions[static_cast<std::size_t>(f)].parameter_names;
    auto const it = std::find(names.begin(), names.end(), name);
    return it == names.end() ? -1 : static_cast<int>(it - names.begin());
  }

  void add_allocation(Index index) {
    Allocation const& a = report_.allocations[static_cast<std::size_t>(index)];
    CallTokens const& t = calls_.calls[static_cast<std::size_t>(a.call)];
    Place place;
    place.path = PathReader(*t.code).read(t.args.front());
    if (!place.path.ok()) return;
    place.path.dereference("");  // The call stores through the pointer.
    place.scope = structure_.function_of[static_cast<std::size_t>(t.position)];
    // A helper that allocates for its callers stands for one allocation at each call.
    std::vector<std::pair<Place, int>> todo{{place, t.position}};
    for (std::size_t done = 0; done < todo.size() && done < kMostSites; ++done) {
      auto [p, position] = todo[done];
      int const argument = variables_.is_local(p.scope, p.path.root) ? -1 : parameter(p.scope, p.path.root);
      if (argument < 0 || calls_.sites[static_cast<std::size_t>(p.scope)].empty()) {
        if (!p.path.steps.empty()) follow(p, position, false);
        if (!variables_.is_local(p.scope, p.path.root) && parameter(p.scope, p.path.root) < 0)
          p.scope = kNone;
        auto& list = allocations_[{p.scope, p.path.root}];
        if (list.size() < 4096) list.emplace_back(p.path.steps, index);
        continue;
      }
      for (CallSite const& site : calls_.sites[static_cast<std::size_t>(p.scope)]) {
        if (static_cast<std::size_t>(argument) >= site.args.size() || todo.size() >= kMostSites) continue;
        AccessPath path = paths_.read(site.args[static_cast<std::size_t>(argument)]);
        if (!path.ok()) continue;
        path.append(p.path.steps);
        todo.push_back({Place{site.caller, std::move(path), 1.0, {}}, site.position});
      }
    }
  }

  [[nodiscard]] bool is_allocated(Place const& p) const {
    auto const it = allocations_.find({p.scope, p.path.root});
    if (it == allocations_.end()) return false;
    return std::any_of(it->second.begin(), it->second.end(), [&](auto const& a) {
      return a.first.size() == p.path.steps.size() && compare_steps(a.first, p.path.steps) != Overlap::kNo;
    });
  }

  /// Replaces aliases and parameters by what they stand for, as far as that is certain enough.
  void follow(Place& p, int position, bool stop_at_allocation) const {
    for (int step = 0; step < kMostSteps; ++step) {
      p.path.drop_offset();
      p.path.others.clear();
      bool const local = variables_.is_local(p.scope, p.path.root);
      int const argument = local ? -1 : parameter(p.scope, p.path.root);
      if (!local && argument < 0) p.scope = kNone;
      if (p.path.call || (stop_at_allocation && is_allocated(p))) return;
      if (follow_alias(p, position)) continue;
      if (argument < 0 || !follow_parameter(p, argument, position)) return;
    }
    p.doubt(0.7,
            "the aliases of " + p.path.root + " are followed " + std::to_string(kMostSteps) + " steps only");
  }

  bool follow_alias(Place& p, int& position) const {
    AccessPath found;
    Assignment const* chosen = nullptr;
    int different = 0;
    for (Assignment const& a : variables_.assignments(p.scope, p.path.root)) {
      if (a.steps.size() > p.path.steps.size() ||
          !std::equal(a.steps.begin(), a.steps.end(), p.path.steps.begin()))
        continue;
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
    p.path = std::move(found);
    p.scope = chosen->function;
    position = chosen->token;
    return true;
  }

  [[nodiscard]] bool in_block_of(int declaration, int use) const {
    int const open = code_.enclosing(declaration);
    if (open < 0 || !code_.is(open, "{")) return true;  // A for-header or the like.
    return open < use && use < code_.partner(open);
  }

  bool follow_parameter(Place& p, int argument, int& position) const {
    auto const f = static_cast<std::size_t>(p.scope);
    auto const& sites = calls_.sites[f];
    Function const& function = structure_.functions[f];
    if (function.is_kernel || function.name == "main") return false;
    if (sites.empty()) {
      p.doubt(0.8,
              function.name + "() is not called in this file, so its parameter " + p.path.root +
                  " is not traced");
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
    p.path = std::move(found);
    p.scope = sites[0].caller;
    position = sites[0].position;
    return true;
  }

  /// `p = make(n)`, where make() returns a local that it allocated.
  Index returned_allocation(Place& p) const {
    for (Assignment const& a : variables_.assignments(p.scope, p.path.root)) {
      if (!a.steps.empty() || !p.path.steps.empty()) continue;
      AccessPath const& path = a.value;
      if (!path.call) continue;
      for (std::size_t f = 0; f < structure_.functions.size(); ++f) {
        if (structure_.functions[f].name != path.root) continue;
        Range const body = structure_.function_tokens[f].body;
        for (int i = body.begin; i < std::min(body.end, body.begin + 4000); ++i) {
          if (!code_.is(i, "return")) continue;
          int end = i + 1;
          while (end < body.end && !code_.is(end, ";")) end = code_.next(end);
          AccessPath const result = paths_.read({i + 1, end});
          auto const it = allocations_.find({static_cast<Index>(f), result.root});
          if (it == allocations_.end() || !result.steps.empty()) continue;
          p.doubt(0.9, p.path.root + " is taken to hold what " + path.root + "() allocates");
          return it->second.front().second;
        }
      }
    }
    return kNone;
  }

  Code const& code_;
  Structure const& structure_;
  CallTable const& calls_;
  Report const& report_;
  Variables variables_;
  PathReader paths_;
  std::map<Key, std::vector<std::pair<std::vector<std::string>, Index>>> allocations_{};
};

}  // namespace cuco::impl
