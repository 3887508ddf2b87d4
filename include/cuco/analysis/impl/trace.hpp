// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/lambdas.hpp"
#include "cuco/analysis/impl/structure.hpp"

namespace cuco::impl {

/// A launch or call that runs.
struct TraceItem {
  enum Kind : std::uint8_t { kLaunch, kCall };
  Kind kind;
  Index index;
};

/// What the host does, in order: from each function that nobody calls (main first), with the functions that
/// it calls in place and loops run twice. Branches are all taken. Bounded: what goes beyond some times the
/// size of the program is left out.
class Trace {
 public:
  Trace(Code const& code, Structure const& structure, CallTable const& calls, Report const& report)
      : structure_(structure), lambdas_(code, structure), functions_(structure.functions.size()) {
    bodies_.resize(functions_ + lambdas_.all().size());
    collect(code, calls, report);
    for (auto& body : bodies_)
      std::stable_sort(
          body.begin(), body.end(), [](Event const& a, Event const& b) { return a.position < b.position; });
    seen_.assign(bodies_.size(), false);
    active_.assign(bodies_.size(), false);
    for (bool const main_only : {true, false})
      for (std::size_t f = 0; f < functions_; ++f)
        if ((structure.functions[f].name == "main") == main_only && calls.sites[f].empty()) start(f);
    for (std::size_t f = 0; f < functions_; ++f)
      if (!seen_[f]) start(f);
  }

  [[nodiscard]] std::vector<std::vector<TraceItem>> const& runs() const { return runs_; }

 private:
  struct Event {
    int position;
    enum Kind : std::uint8_t { kLaunch, kCall, kEnter } kind;
    Index index;  ///< In `launches`, `calls`, or `bodies_`.
  };
  static constexpr std::size_t kDeepest = 24;  ///< Of functions and loops together.

  static bool matters(std::string const& name) {
    return find_collective(name) != nullptr || is_group_call(name) || find_copy(name) != nullptr ||
           is_sync_call(name) || name == "cudaStreamQuery" || name == "cudaEventQuery" ||
           name == "cudaFree" || name == "cudaDeviceReset";
  }

  void collect(Code const& code, CallTable const& calls, Report const& report) {
    // The innermost called lambda around each token, by a sweep over the nested bodies.
    std::vector<std::pair<Range, Index>> called;
    for (std::size_t l = 0; l < lambdas_.all().size(); ++l)
      if (!lambdas_.all()[l].calls.empty())
        called.emplace_back(lambdas_.all()[l].body, static_cast<Index>(functions_ + l));
    std::vector<Index> owner(static_cast<std::size_t>(code.size()), kNone);
    std::vector<std::size_t> stack;
    std::size_t next = 0;
    for (int i = 0; i < code.size() && !called.empty(); ++i) {
      while (!stack.empty() && called[stack.back()].first.end <= i) stack.pop_back();
      while (next < called.size() && called[next].first.begin <= i) stack.push_back(next++);
      if (!stack.empty()) owner[static_cast<std::size_t>(i)] = called[stack.back()].second;
    }
    auto add = [&](int position, Event::Kind kind, Index index) {
      Index const f = structure_.function_of[static_cast<std::size_t>(position)];
      if (f == kNone) return;
      Index const lambda = owner[static_cast<std::size_t>(position)];
      bodies_[static_cast<std::size_t>(lambda == kNone ? f : lambda)].push_back({position, kind, index});
      ++events_;
    };
    for (std::size_t i = 0; i < report.calls.size(); ++i)
      if (matters(report.calls[i].name)) add(calls.calls[i].position, Event::kCall, static_cast<Index>(i));
    for (std::size_t i = 0; i < report.launches.size(); ++i)
      add(calls.launches[i].position, Event::kLaunch, static_cast<Index>(i));
    for (std::size_t f = 0; f < functions_; ++f)
      for (CallSite const& s : calls.sites[f]) add(s.position, Event::kEnter, static_cast<Index>(f));
    for (CallSite const& s : calls.ends) add(s.position, Event::kEnter, s.caller);
    for (std::size_t l = 0; l < lambdas_.all().size(); ++l)
      for (LambdaCall const& c : lambdas_.all()[l].calls)
        add(c.position, Event::kEnter, static_cast<Index>(functions_ + l));
  }

  void start(std::size_t body) {
    Function const& f = structure_.functions[body];
    if (seen_[body] || f.is_kernel || f.is_device) return;
    run_.clear();
    enter(body);
    if (!run_.empty()) runs_.push_back(std::move(run_));
    run_ = {};
  }

  void enter(std::size_t body) {
    if (active_[body] || deep_ >= kDeepest || spent_ > budget()) return;
    seen_[body] = active_[body] = true;
    ++deep_;
    auto const& events = bodies_[body];
    Index around = kNone;
    if (body >= functions_) around = loop_of(lambdas_.all()[body - functions_].body.begin);
    play(events, 0, events.size(), around);
    --deep_;
    active_[body] = false;
  }

  [[nodiscard]] std::size_t budget() const { return 8 * events_ + 4096; }
  [[nodiscard]] Index loop_of(int token) const { return structure_.loop_of[static_cast<std::size_t>(token)]; }
  [[nodiscard]] Loop const& loop(Index l) const { return structure_.loops[static_cast<std::size_t>(l)]; }

  /// Plays events [begin, end), all in the loop `around`.
  void play(std::vector<Event> const& events, std::size_t begin, std::size_t end, Index around) {
    for (std::size_t i = begin; i < end;) {
      Index inner = loop_of(events[i].position);
      int steps = 0;
      while (inner != kNone && inner != around && loop(inner).parent != around && steps++ < 64)
        inner = loop(inner).parent;
      bool const nested = inner != kNone && inner != around && loop(inner).parent == around;
      if (!nested || deep_ >= kDeepest) {
        step(events[i++]);
        continue;
      }
      std::size_t stop = i + 1;
      while (stop < end && in_loop(events[stop].position, inner, around)) ++stop;
      int const times = spent_ < budget() / 2 ? 2 : 1;
      ++deep_;
      for (int k = 0; k < times; ++k) play(events, i, stop, inner);
      --deep_;
      i = stop;
    }
  }
  [[nodiscard]] bool in_loop(int token, Index wanted, Index around) const {
    int steps = 0;
    for (Index l = loop_of(token); l != kNone && l != around && steps++ < 64; l = loop(l).parent)
      if (l == wanted) return true;
    return false;
  }
  void step(Event const& e) {
    ++spent_;
    if (e.kind == Event::kEnter) return enter(static_cast<std::size_t>(e.index));
    if (spent_ > 2 * budget()) return;
    run_.push_back({e.kind == Event::kLaunch ? TraceItem::kLaunch : TraceItem::kCall, e.index});
  }

  Structure const& structure_;
  Lambdas lambdas_;
  std::size_t functions_;
  std::vector<std::vector<Event>> bodies_{};  ///< Of functions, then of called lambdas.
  std::vector<bool> seen_{}, active_{};
  std::vector<TraceItem> run_{};
  std::vector<std::vector<TraceItem>> runs_{};
  std::size_t events_ = 0, spent_ = 0, deep_ = 0;
};

}  // namespace cuco::impl
