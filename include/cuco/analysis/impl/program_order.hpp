// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/structure.hpp"

namespace cuco::impl {

/// Program order across functions: where a token stands in its own function and in the callers of it.
class ProgramOrder {
 public:
  ProgramOrder(Structure const& structure, CallTable const& calls) : structure_(structure), calls_(calls) {}

  struct Relation {
    bool before = false;  ///< `a` may run before `b`.
    bool after = false;
  };
  [[nodiscard]] Relation relate(int a, int b) {
    Relation out;
    for (Chain const& x : chains(a)) {
      for (Chain const& y : chains(b)) {
        relate_chains(x, y, out);
        if (out.before && out.after) return out;
      }
    }
    return out;
  }

 private:
  struct Link {
    Index function;
    int position;
  };
  using Chain = std::vector<Link>;
  static constexpr std::size_t kMostChains = 4;
  static constexpr std::size_t kLongestChain = 8;
  static constexpr int kMostLoops = 64;

  std::vector<Chain> const& chains(int token) {
    auto const [it, fresh] = chains_.try_emplace(token);
    if (!fresh) return it->second;
    std::vector<Chain> done;
    std::vector<Chain> open{{{function_of(token), token}}};
    while (!open.empty() && done.size() < kMostChains) {
      Chain c = std::move(open.back());
      open.pop_back();
      Index const f = c.back().function;
      auto const* sites = f == kNone ? nullptr : &calls_.sites[static_cast<std::size_t>(f)];
      if (sites == nullptr || sites->empty() || c.size() >= kLongestChain) {
        done.push_back(std::move(c));
        continue;
      }
      std::size_t const n = std::min(sites->size(), kMostChains);
      for (std::size_t s = 0; s < n; ++s) {
        Chain longer = c;
        longer.push_back({(*sites)[s].caller, (*sites)[s].position});
        open.push_back(std::move(longer));
      }
    }
    return it->second = std::move(done);
  }

  void relate_chains(Chain const& x, Chain const& y, Relation& out) const {
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t j = 0; j < y.size(); ++j) {
        if (x[i].function != y[j].function) continue;
        if (x[i].position == y[j].position && i + 1 < x.size() && j + 1 < y.size()) {
          // The same call leads to both; it says nothing about their order.
          continue;
        }
        out.before |= x[i].position < y[j].position;
        out.after |= x[i].position > y[j].position;
        bool again = share_loop(x[i].position, y[j].position);
        // A function that is called in a loop runs all of itself again.
        for (std::size_t k = i + 1; k < x.size(); ++k) again |= loop_of(x[k].position) != kNone;
        if (again) out.before = out.after = true;
        return;
      }
    }
  }

  [[nodiscard]] bool share_loop(int a, int b) const {
    int n = 0;
    for (Index la = loop_of(a); la != kNone && n < kMostLoops; la = parent(la), ++n) {
      int m = 0;
      for (Index lb = loop_of(b); lb != kNone && m < kMostLoops; lb = parent(lb), ++m)
        if (la == lb) return true;
    }
    return false;
  }
  [[nodiscard]] Index function_of(int t) const { return structure_.function_of[static_cast<std::size_t>(t)]; }
  [[nodiscard]] Index loop_of(int t) const { return structure_.loop_of[static_cast<std::size_t>(t)]; }
  [[nodiscard]] Index parent(Index l) const { return structure_.loops[static_cast<std::size_t>(l)].parent; }

  Structure const& structure_;
  CallTable const& calls_;
  std::map<int, std::vector<Chain>> chains_{};
};

}  // namespace cuco::impl
