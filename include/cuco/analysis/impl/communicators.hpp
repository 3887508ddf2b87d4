// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/places.hpp"

namespace cuco::impl {

/// Which argument of a call takes the new communicator, and which the one that it is made from (-1: none).
struct CommunicatorSignature {
  std::string_view function;
  std::string_view how;
  int made, parent;
};
inline CommunicatorSignature const* find_communicator(std::string_view function) {
  static constexpr std::array<CommunicatorSignature, 7> kTable = {
      {{"ncclCommInitRank", "InitRank", 0, -1},
       {"ncclCommInitRankConfig", "InitRankConfig", 0, -1},
       {"ncclCommInitRankScalable", "InitRankScalable", 0, -1},
       {"ncclCommInitAll", "InitAll", 0, -1},
       {"ncclCommSplit", "Split", 3, 0},
       {"ncclCommShrink", "Shrink", 3, 0},
       {"ncclCommGrow", "Grow", 4, 0}}};
  if (function.starts_with("pnccl")) function.remove_prefix(1);
  for (CommunicatorSignature const& s : kTable)
    if (s.function == function) return &s;
  return nullptr;
}

/// Finds the communicators of a program and who uses which.
class CommunicatorReader {
 public:
  CommunicatorReader(CallTable const& calls, Places const& places, Report& report)
      : calls_(calls), places_(places), report_(report) {}

  void run() {
    std::vector<std::pair<Index, int>> parents;
    for (std::size_t c = 0; c < report_.calls.size(); ++c) {
      CommunicatorSignature const* s = find_communicator(report_.calls[c].name);
      CallTokens const& t = calls_.calls[c];
      if (s == nullptr || static_cast<std::size_t>(s->made) >= t.args.size()) continue;
      auto const made = places_.stored_to(*t.code, t.args[static_cast<std::size_t>(s->made)], t.position);
      for (Place const& p : made) {
        if (!p.path.ok()) continue;
        Index const index = add(p, printed(p), static_cast<Index>(c), std::string(s->how));
        if (s->parent >= 0) parents.emplace_back(index, s->parent);
      }
    }
    for (auto [index, argument] : parents) {
      CallTokens const& t = tokens(report_.communicators[static_cast<std::size_t>(index)].call);
      auto const found = used(t, argument);
      if (found.size() == 1) report_.communicators[static_cast<std::size_t>(index)].parent = found.front();
    }
    for (std::size_t n = 0; n < report_.graph.size(); ++n) {
      CommunicationNode& node = report_.graph[n];
      CollectiveSignature const* s = find_collective(report_.calls[static_cast<std::size_t>(node.call)].name);
      node.communicators = used(tokens(node.call), s->comm);
      if (node.communicators.size() == 1) node.communicator = node.communicators.front();
      for (Index c : node.communicators)
        report_.communicators[static_cast<std::size_t>(c)].nodes.push_back(static_cast<Index>(n));
    }
  }

 private:
  static constexpr std::size_t kMost = 256;
  struct Entry {
    std::vector<std::string> steps;
    Index communicator;
  };

  [[nodiscard]] CallTokens const& tokens(Index c) const { return calls_.calls[static_cast<std::size_t>(c)]; }

  Index add(Place const& p, std::string name, Index call, std::string how) {
    auto const index = static_cast<Index>(report_.communicators.size());
    Communicator c;
    c.name = std::move(name);
    c.call = call;
    c.how = std::move(how);
    report_.communicators.push_back(std::move(c));
    auto& list = known_[{p.scope, p.path.root}];
    if (list.size() < kMost) list.push_back({p.path.steps, index});
    return index;
  }

  static std::string printed(Place const& p) {
    std::string out = p.path.root;
    for (std::string const& s : p.path.steps)
      if (s != "&") out += s;
    return out;
  }

  /// The communicators that argument `argument` may be. One that nothing creates is added.
  std::vector<Index> used(CallTokens const& t, int argument) {
    std::vector<Index> out;
    if (argument < 0 || static_cast<std::size_t>(argument) >= t.args.size()) return out;
    for (Place const& p :
         places_.alternatives(*t.code, t.args[static_cast<std::size_t>(argument)], t.position)) {
      if (!p.path.ok()) continue;
      auto const it = known_.find({p.scope, p.path.root});
      std::vector<Index> exact;
      std::vector<Index> maybe;
      if (it != known_.end()) {
        for (Entry const& e : it->second) {
          if (e.steps.size() != p.path.steps.size()) continue;
          Overlap const o = compare_steps(e.steps, p.path.steps);
          if (o == Overlap::kYes) exact.push_back(e.communicator);
          if (o == Overlap::kMaybe) maybe.push_back(e.communicator);
        }
      }
      if (exact.empty()) exact = owned(p);
      if (exact.empty()) exact = std::move(maybe);
      if (exact.empty()) exact.push_back(add(p, printed(p), kNone, {}));
      for (Index c : exact)
        if (std::find(out.begin(), out.end(), c) == out.end() && out.size() < kMost) out.push_back(c);
    }
    return out;
  }

  /// The communicator that the class of an object makes for it: `world.get()`.
  [[nodiscard]] std::vector<Index> owned(Place const& p) const {
    std::vector<Index> out;
    std::string const type = places_.classes().of_variable(p.scope, p.path.root);
    if (type.empty()) return out;
    for (std::size_t c = 0; c < report_.communicators.size() && c < kMost; ++c) {
      Index const call = report_.communicators[c].call;
      if (call == kNone) continue;
      Index const f = report_.calls[static_cast<std::size_t>(call)].function;
      if (places_.classes().around(f) == type) out.push_back(static_cast<Index>(c));
    }
    return out;
  }

  CallTable const& calls_;
  Places const& places_;
  Report& report_;
  std::map<std::pair<Index, std::string>, std::vector<Entry>> known_{};
};

}  // namespace cuco::impl
