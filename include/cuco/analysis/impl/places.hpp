// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/classes.hpp"
#include "cuco/analysis/impl/paths.hpp"
#include "cuco/analysis/impl/place.hpp"
#include "cuco/analysis/impl/variables.hpp"

namespace cuco::impl {

/// Traces pointer expressions back to the variable that owns the buffer.
class Places {
 public:
  Places(Code const& code, Structure const& structure, CallTable const& calls, Report const& report)
      : code_(code),
        structure_(structure),
        calls_(calls),
        report_(report),
        variables_(code, structure),
        classes_(code, structure),
        paths_(code) {
    for (std::size_t f = 0; f < structure.functions.size(); ++f)
      methods_[structure.functions[f].name].push_back(static_cast<Index>(f));
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
    if (!place.path.doubt.empty()) place.doubt(kMethodDoubt, std::exchange(place.path.doubt, {}));
    std::vector<AccessPath> others = std::exchange(place.path.others, {});
    Index const scope = place.scope;
    follow(place, position, true);
    if (is_allocated(place)) return place;
    for (AccessPath& path : others) {
      Place other{scope, std::move(path), 1.0, {}, -1};
      follow(other, position, true);
      if (is_allocated(other)) return other;
    }
    return place;
  }

  /// The allocation that made `place`, or `kNone`. Adds to the guesses of `place`.
  [[nodiscard]] Index allocation_of(Place& place) const {
    auto const it = allocations_.find({place.scope, place.path.root});
    if (it == allocations_.end()) {
      Index const owned = owned_allocation(place);
      return owned != kNone ? owned : returned_allocation(place);
    }
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

  /// The allocation `index` and all others that may set the same variable: a buffer that grows has several.
  [[nodiscard]] std::vector<Index> allocations_like(Index index) const {
    std::vector<Index> out{index};
    for (auto const& [key, list] : allocations_)
      for (auto const& [steps, at] : list) {
        if (at != index) continue;
        for (auto const& [other_steps, other] : list) {
          bool const same =
              other_steps.size() == steps.size() && compare_steps(steps, other_steps) != Overlap::kNo;
          if (same && std::find(out.begin(), out.end(), other) == out.end()) out.push_back(other);
        }
      }
    return out;
  }

  /// What `r`, the argument of a call that stores through a pointer, lets it set. A helper that does so for
  /// its callers stands for one place at each call.
  [[nodiscard]] std::vector<Place> stored_to(Code const& code, Range r, int position) const;

  /// What `r` may denote: one place, or one for each caller when it is a parameter for which callers pass
  /// different things. At most 64.
  [[nodiscard]] std::vector<Place> alternatives(Code const& code, Range r, int position) const;

  /// True for a parameter that several callers give different values, and for variables like it.
  [[nodiscard]] bool is_open_parameter(Place const& p) const {
    if (p.path.call || is_allocated(p)) return false;
    if (p.scope != kNone && !variables_.is_local(p.scope, p.path.root) &&
        parameter(p.scope, p.path.root) >= 0)
      return calls_.sites[static_cast<std::size_t>(p.scope)].size() > 1;
    return has_values_in_turn(p);
  }
  /// True for a parameter of a function other than main.
  [[nodiscard]] bool is_parameter(Place const& p) const {
    return p.scope != kNone && !variables_.is_local(p.scope, p.path.root) &&
           parameter(p.scope, p.path.root) >= 0 &&
           structure_.functions[static_cast<std::size_t>(p.scope)].name != "main";
  }
  /// Where else `p`, seen in `function`, is accessed: see `ObjectBuffer`.
  [[nodiscard]] std::vector<std::pair<std::pair<Index, std::string>, ObjectBuffer>> same_buffer(
      Place const& p, Index function) const;
  [[nodiscard]] Index function_of(int token) const {
    return structure_.function_of[static_cast<std::size_t>(token)];
  }
  [[nodiscard]] Classes const& classes() const { return classes_; }
  [[nodiscard]] std::string function_name(Index f) const {
    return f == kNone ? std::string() : structure_.functions[static_cast<std::size_t>(f)].name;
  }

  static std::string shorten(std::string s) {
    constexpr std::size_t kLongest = 60;
    if (s.size() > kLongest) s.replace(kLongest, std::string::npos, "…");
    return s;
  }

 private:
  using Key = std::pair<Index, std::string>;

  /// An assignment that sets the whole or the beginning of `p`.
  static bool sets_beginning(Assignment const& a, Place const& p) {
    return a.steps.size() <= p.path.steps.size() &&
           std::equal(a.steps.begin(), a.steps.end(), p.path.steps.begin(), sets);
  }
  [[nodiscard]] bool has_values_in_turn(Place const& p) const {
    if (p.position < 0) return false;
    int n = 0;
    for (Assignment const& a : variables_.assignments(p.scope, p.path.root))
      if (a.one_of && sets_beginning(a, p) && holds_at(a, p.position)) ++n;
    return n > 1;
  }
  /// `auto& b = buffers[i]`
  [[nodiscard]] bool is_reference(Place const& p, int position) const {
    for (Assignment const& a : variables_.assignments(p.scope, p.path.root))
      if (a.reference && holds_at(a, position)) return true;
    return false;
  }
  static bool holds_at(Assignment const& a, int position) {
    return a.within.empty() || (position >= a.within.begin && position < a.within.end);
  }
  /// What the callers pass for the parameter `p`, or what the variable `p` is in turn, and where.
  [[nodiscard]] std::vector<std::pair<Place, int>> values_of(Place const& p) const;

  static constexpr int kMostSteps = 16;
  static constexpr std::size_t kMostSites = 64;
  static constexpr double kMethodDoubt = 0.7;

  [[nodiscard]] int parameter(Index f, std::string const& name) const {
    if (f == kNone) return -1;
    auto const& names = structure_.functions[static_cast<std::size_t>(f)].parameter_names;
    auto const it = std::find(names.begin(), names.end(), name);
    return it == names.end() ? -1 : static_cast<int>(it - names.begin());
  }

  void add_allocation(Index index) {
    Allocation const& a = report_.allocations[static_cast<std::size_t>(index)];
    CallTokens const& t = calls_.calls[static_cast<std::size_t>(a.call)];
    if (t.args.empty()) return;
    for (Place& p : stored_to(*t.code, t.args.front(), t.position)) {
      if (p.scope == kNone) {
        std::string owner = classes_.around(structure_.function_of[static_cast<std::size_t>(t.position)]);
        if (!owner.empty() && class_allocations_[owner].size() < kMostSites)
          class_allocations_[owner].emplace_back(p.path.root, index);
      }
      auto& list = allocations_[{p.scope, std::move(p.path.root)}];
      if (list.size() < 4096) list.emplace_back(std::move(p.path.steps), index);
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
  void follow(Place& p, int position, bool stop_at_allocation) const;

  bool follow_alias(Place& p, int& position) const;

  /// Whether an assignment to `left` may set `right`: the same step, or an element appended to a list.
  static bool sets(std::string const& left, std::string const& right) {
    if (left.front() != '[' || right.front() != '[') return left == right;
    return left == right || left == "[]" || (is_number_index(left) && !is_number_index(right));
  }

  [[nodiscard]] bool in_block_of(int declaration, int use) const {
    int const open = code_.enclosing(declaration);
    if (open < 0 || !code_.is(open, "{")) return true;  // A for-header or the like.
    return open < use && use < code_.partner(open);
  }

  bool follow_parameter(Place& p, int argument, int& position) const;

  /// `arena.at(i)` is `arena.base_`, where that is what at() of its class returns.
  void returned_members(Place& p) const;

  /// What the class of an object, `buffer.data()` or `buffers[i]`, allocates for it.
  Index owned_allocation(Place const& p) const;
  /// Methods of `type` that are called on a variable `object`, its constructors included.
  [[nodiscard]] std::set<Index> const& methods_called_on(std::string const& object,
                                                         std::string const& type) const;
  [[nodiscard]] Index allocated_member(std::string const& type, std::string const& member) const;
  /// The class of a member named `name`, when all classes of the file agree on it.
  [[nodiscard]] std::string member_class(std::string const& name) const;
  /// The member that the method `name()` of `type` returns, or `name`.
  [[nodiscard]] std::string returned_member(std::string const& type, std::string const& name) const;

  /// `p = make(n)`, where make() returns a local, or an object made of a local, that it allocated.
  Index returned_allocation(Place& p) const;

  Code const& code_;
  Structure const& structure_;
  CallTable const& calls_;
  Report const& report_;
  Variables variables_;
  Classes classes_;
  PathReader paths_;
  mutable std::map<std::pair<std::string, std::string>, std::set<Index>> called_on_{};
  std::map<std::string, std::vector<Index>, std::less<>> methods_{};
  std::map<std::string, std::vector<std::pair<std::string, Index>>> class_allocations_{};
  std::map<Key, std::vector<std::pair<std::vector<std::string>, Index>>> allocations_{};
};

}  // namespace cuco::impl

#include "cuco/analysis/impl/object_buffers.hpp"
#include "cuco/analysis/impl/place_tracing.hpp"
