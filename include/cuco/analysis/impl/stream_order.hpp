// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/names.hpp"
#include "cuco/analysis/impl/places.hpp"
#include "cuco/analysis/impl/trace.hpp"

namespace cuco::impl {

/// Streams and events of a program, by the variables that hold them.
class Streams {
 public:
  static constexpr int kUnknown = -1;  ///< May be any.
  static constexpr int kDefault = 0;   ///< The legacy default stream.
  static constexpr int kMost = 32;     ///< Streams and events that are told apart.

  Streams(CallTable const& calls, Report const& report, Places const& places) : places_(places) {
    blocking_.assign(1, true);
    for (std::size_t c = 0; c < report.calls.size(); ++c) {
      std::string const& name = report.calls[c].name;
      CallTokens const& t = calls.calls[c];
      if (name.starts_with("cudaStreamCreate") && !t.args.empty()) {
        bool nonblocking = false;
        for (std::size_t a = 1; a < t.args.size(); ++a)
          for (int i = t.args[a].begin; i < t.args[a].end; ++i)
            nonblocking |= t.code->is(i, "cudaStreamNonBlocking");
        for (Place const& p : places.stored_to(*t.code, t.args.front(), t.position)) create(p, nonblocking);
      } else if (name.starts_with("cudaEventCreate") && !t.args.empty()) {
        for (Place const& p : places.stored_to(*t.code, t.args.front(), t.position)) {
          auto const id = static_cast<int>(events_.size());
          if (id < kMost) events_.try_emplace(key(p), id);
        }
      }
    }
  }

  [[nodiscard]] int count() const { return static_cast<int>(blocking_.size()); }
  [[nodiscard]] int event_count() const { return static_cast<int>(events_.size()); }
  /// Whether work on the default stream waits for it and the other way round.
  [[nodiscard]] bool blocking(int stream) const {
    return stream == kUnknown || blocking_[static_cast<std::size_t>(stream)];
  }

  [[nodiscard]] int of(Code const* code, Range r, int position) const {
    if (code == nullptr || r.empty()) return kDefault;
    constexpr std::array<std::string_view, 5> kNames = {
        "0", "nullptr", "NULL", "cudaStreamLegacy", "cudaStreamDefault"};
    std::string_view const last = code->text(r.end - 1);
    bool const cast = r.size() > 1 && code->is(r.end - 2, ")");
    if ((r.size() == 1 || cast) && one_of(last, kNames)) return kDefault;
    return find(streams_, *code, r, position);
  }
  [[nodiscard]] int event_of(Code const* code, Range r, int position) const {
    return code == nullptr || r.empty() ? kUnknown : find(events_, *code, r, position);
  }
  [[nodiscard]] int of_argument(CallTokens const& t, int argument) const {
    if (argument < 0 || static_cast<std::size_t>(argument) >= t.args.size()) return kDefault;
    return of(t.code, t.args[static_cast<std::size_t>(argument)], t.position);
  }
  [[nodiscard]] int event_of_argument(CallTokens const& t, int argument) const {
    if (argument < 0 || static_cast<std::size_t>(argument) >= t.args.size()) return kUnknown;
    return event_of(t.code, t.args[static_cast<std::size_t>(argument)], t.position);
  }

 private:
  using Key = std::tuple<Index, std::string, std::string>;

  /// Elements of an array are not told apart unless all indices are literals.
  static Key key(Place const& p) {
    std::string steps;
    for (std::string const& s : p.path.steps) {
      if (s == "&") continue;
      bool const index = s.front() == '[';
      steps += index && !is_number_index(s) ? "[]" : s;
    }
    return {p.scope, p.path.root, steps};
  }
  void create(Place const& p, bool nonblocking) {
    auto const id = static_cast<int>(blocking_.size());
    if (id >= kMost || !streams_.try_emplace(key(p), id).second) return;
    blocking_.push_back(!nonblocking);
  }

  [[nodiscard]] int find(std::map<Key, int> const& table, Code const& code, Range r, int position) const {
    Place const p = places_.resolve(code, r, position);
    if (!p.path.ok() || p.path.call || places_.is_parameter(p)) return kUnknown;
    for (std::string const& g : p.guesses)
      if (g.find("different") != std::string::npos || g.find("condition") != std::string::npos)
        return kUnknown;
    // What is not found is not known to differ: streams[i], where streams[0] and streams[1] were created.
    auto const it = table.find(key(p));
    return it == table.end() ? kUnknown : it->second;
  }

  Places const& places_;
  std::map<Key, int> streams_{};
  std::map<Key, int> events_{};
  std::vector<bool> blocking_{};
};

/// In which order the operations of a program run: program order on the host, streams, events and waits.
class StreamOrder {
 public:
  StreamOrder(Trace const& trace, Streams const& streams, CallTable const& calls, Report const& report)
      : trace_(trace), streams_(streams), calls_(calls), report_(report) {
    width_ = static_cast<std::size_t>(streams.count());
    instances_.resize(report.launches.size() + report.calls.size());
    for (std::vector<TraceItem> const& t : trace.runs()) run(t);
  }

  /// How an operation stands to another.
  struct Relation {
    bool before = false;  ///< It runs before the other for certain, as far as can be seen.
    bool after = false;
    bool unordered = false;  ///< Nothing orders the two.
  };
  /// @param launch whether `index` is one of a launch; `node` is a collective call. @param part whether the
  /// two may touch different parts, so that another one than the nearest may be the one that counts.
  [[nodiscard]] Relation relate(bool launch, Index index, Index node, bool part) const {
    Relation out;
    auto const& as = instances_[slot(launch, index)];
    auto const& bs = instances_[slot(false, node)];
    for (int b : bs) {
      // The nearest one before and the nearest one after it.
      auto const next = std::lower_bound(as.begin(), as.end(), b);
      for (auto a = next; a != as.begin();)
        if (pair(*--a, b, out.before, out.unordered) && (!part || out.before)) break;
      for (auto a = next; a != as.end(); ++a)
        if (*a != b && pair(b, *a, out.after, out.unordered) && (!part || out.after)) break;
    }
    return out;
  }

 private:
  static constexpr std::size_t kMostInstances = 8;
  struct Operation {
    int run;
    int stream;
    std::uint32_t number;  ///< On its stream, from 1.
    int group;             ///< Operations of one group start together; -1 for none.
  };
  using Clock = std::vector<std::uint32_t>;

  [[nodiscard]] std::size_t slot(bool launch, Index i) const {
    return static_cast<std::size_t>(i) + (launch ? 0 : report_.launches.size());
  }

  /// False when the two have no order of their own: of different programs, or started together.
  bool pair(int first, int second, bool& ordered, bool& unordered) const {
    Operation const& a = operations_[static_cast<std::size_t>(first)];
    Operation const& b = operations_[static_cast<std::size_t>(second)];
    if (a.run != b.run || (a.group >= 0 && a.group == b.group)) return false;
    bool const known = a.stream != Streams::kUnknown && b.stream != Streams::kUnknown;
    bool const done = !known || clock(second)[a.stream] >= a.number;
    (done ? ordered : unordered) = true;
    return true;
  }
  [[nodiscard]] std::uint32_t const* clock(int operation) const {
    return clocks_.data() + static_cast<std::size_t>(operation) * width_;
  }

  static void merge(Clock& into, Clock const& from) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = std::max(into[i], from[i]);
  }

  struct State {
    std::vector<Clock> streams;  ///< What the next operation on each stream comes after.
    std::vector<Clock> events;
    Clock host, all;
  };

  void run(std::vector<TraceItem> const& items) {
    State s;
    s.streams.assign(width_, Clock(width_, 0));
    s.events.assign(static_cast<std::size_t>(streams_.event_count()), Clock(width_, 0));
    s.host = s.all = Clock(width_, 0);
    ++run_;
    std::vector<Index> grouped;
    int depth = 0;
    for (TraceItem const& item : items) {
      if (item.kind == TraceItem::kLaunch) {
        CallTokens const& t = calls_.launches[static_cast<std::size_t>(item.index)];
        operation(s, true, item.index, streams_.of(t.stream_code, t.stream, t.position), -1);
        continue;
      }
      Call const& call = report_.calls[static_cast<std::size_t>(item.index)];
      if (call.name == "ncclGroupStart") {
        ++depth;
      } else if (call.name == "ncclGroupEnd") {
        if (depth > 0 && --depth == 0) end_group(s, grouped);
      } else if (find_collective(call.name) != nullptr) {
        if (depth > 0) {
          grouped.push_back(item.index);
        } else {
          operation(s, false, item.index, stream_of_collective(item.index), -1);
        }
      } else {
        other(s, call, item.index);
      }
    }
    end_group(s, grouped);
  }

  [[nodiscard]] int stream_of_collective(Index c) const {
    return streams_.of_argument(calls_.calls[static_cast<std::size_t>(c)],
                                find_collective(report_.calls[static_cast<std::size_t>(c)].name)->stream);
  }

  /// A group waits for all of its streams, and all of them wait for it.
  void end_group(State& s, std::vector<Index>& grouped) {
    if (grouped.empty()) return;
    ++groups_;
    std::set<int> used;
    for (Index c : grouped) used.insert(stream_of_collective(c));
    Clock before(width_, 0);
    for (int u : used)
      if (u != Streams::kUnknown) merge(before, s.streams[static_cast<std::size_t>(u)]);
    for (int u : used)
      if (u != Streams::kUnknown) merge(s.streams[static_cast<std::size_t>(u)], before);
    for (Index c : grouped) operation(s, false, c, stream_of_collective(c), groups_);
    Clock after(width_, 0);
    for (int u : used)
      if (u != Streams::kUnknown) merge(after, s.streams[static_cast<std::size_t>(u)]);
    for (int u : used)
      if (u != Streams::kUnknown) merge(s.streams[static_cast<std::size_t>(u)], after);
    grouped.clear();
  }

  void operation(State& s, bool launch, Index index, int stream, int group) {
    auto& list = instances_[slot(launch, index)];
    auto const id = static_cast<int>(operations_.size());
    if (stream == Streams::kUnknown) {
      clocks_.resize(clocks_.size() + width_, 0);
      operations_.push_back({run_, stream, 0, group});
    } else {
      auto const at = static_cast<std::size_t>(stream);
      Clock& c = s.streams[at];
      merge(c, s.host);
      if (stream == Streams::kDefault)
        for (std::size_t k = 1; k < width_; ++k)
          if (streams_.blocking(static_cast<int>(k))) merge(c, s.streams[k]);
      if (stream != Streams::kDefault && streams_.blocking(stream)) merge(c, s.streams[0]);
      clocks_.insert(clocks_.end(), c.begin(), c.end());
      ++c[at];
      s.all[at] = std::max(s.all[at], c[at]);
      operations_.push_back({run_, stream, c[at], group});
    }
    if (list.size() < kMostInstances) list.push_back(id);
  }

  void host_waits(State& s, int stream) {
    if (stream == Streams::kUnknown) return merge(s.host, s.all);
    merge(s.host, s.streams[static_cast<std::size_t>(stream)]);
    if (stream != Streams::kDefault) return;
    for (std::size_t k = 1; k < width_; ++k)
      if (streams_.blocking(static_cast<int>(k))) merge(s.host, s.streams[k]);
  }

  void other(State& s, Call const& call, Index index) {
    CallTokens const& t = calls_.calls[static_cast<std::size_t>(index)];
    if (CopySignature const* copy = find_copy(call.name)) {
      operation(s, false, index, streams_.of_argument(t, copy->stream), -1);
      bool const fill = call.name.starts_with("cudaMemset");
      if (copy->stream < 0 && !fill) host_waits(s, Streams::kDefault);
    } else if (call.name == "cudaDeviceSynchronize" || call.name == "cudaThreadSynchronize" ||
               call.name == "cudaFree" || call.name == "cudaDeviceReset") {
      merge(s.host, s.all);
    } else if (call.name == "cudaStreamSynchronize" || call.name == "cudaStreamQuery") {
      host_waits(s, streams_.of_argument(t, 0));
    } else if (call.name == "cudaEventSynchronize" || call.name == "cudaEventQuery") {
      int const e = streams_.event_of_argument(t, 0);
      merge(s.host, e == Streams::kUnknown ? s.all : s.events[static_cast<std::size_t>(e)]);
    } else if (call.name.starts_with("cudaEventRecord")) {
      int const e = streams_.event_of_argument(t, 0);
      int const stream = streams_.of_argument(t, 1);
      if (e == Streams::kUnknown) return;
      Clock& event = s.events[static_cast<std::size_t>(e)];
      merge(event, s.host);
      merge(event, stream == Streams::kUnknown ? s.all : s.streams[static_cast<std::size_t>(stream)]);
      if (stream == Streams::kDefault)
        for (std::size_t k = 1; k < width_; ++k)
          if (streams_.blocking(static_cast<int>(k))) merge(event, s.streams[k]);
    } else if (call.name == "cudaStreamWaitEvent") {
      int const stream = streams_.of_argument(t, 0);
      int const e = streams_.event_of_argument(t, 1);
      Clock const& event = e == Streams::kUnknown ? s.all : s.events[static_cast<std::size_t>(e)];
      if (stream != Streams::kUnknown) return merge(s.streams[static_cast<std::size_t>(stream)], event);
      for (Clock& c : s.streams) merge(c, event);
    }
  }

  Trace const& trace_;
  Streams const& streams_;
  CallTable const& calls_;
  Report const& report_;
  std::size_t width_ = 1;
  int run_ = -1;
  int groups_ = -1;
  std::vector<Operation> operations_{};
  std::vector<std::uint32_t> clocks_{};        ///< `width_` of each operation.
  std::vector<std::vector<int>> instances_{};  ///< Operations of each launch, then of each call.
};

}  // namespace cuco::impl
