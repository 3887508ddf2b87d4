// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/analysis/report.hpp"
#include "cuco/report/impl/graph_names.hpp"

namespace cuco::impl {

/// A kernel launch, a copy, a fill or another collective: what writes or reads a buffer.
struct GraphEvent {
  bool launch = false;
  Index index = kNone;  ///< In `launches` or `calls`.
  std::string name;     ///< Printable.
  std::string kind;     ///< "kernel", "copy from host", …
  std::string stream;   ///< "" for a call that takes none.
  std::uint32_t line = 0;
  std::uint32_t offset = 0;
  Index function = kNone;
  Index loop = kNone;
  Index node = kNone;  ///< In `graph`, for a collective.
};

struct EventList {
  std::vector<GraphEvent> shown{};
  std::size_t dropped = 0;
};

/// What the pictures say of a report, in words. All text is printable.
class GraphFacts : public GraphNames {
 public:
  explicit GraphFacts(Report const& report, bool ascii = false)
      : GraphNames(report, ascii), node_of_(report.calls.size(), kNone) {
    for (std::size_t i = 0; i < r_.graph.size(); ++i)
      if (known(r_.graph[i].call, r_.calls)) node_of_[at(r_.graph[i].call)] = static_cast<Index>(i);
  }

  static constexpr std::size_t kMostEvents = 8;
  enum class Side : std::uint8_t { kEither, kBefore, kAfter };

  [[nodiscard]] GraphEvent launch(Index i) const {
    Launch const& l = r_.launches[at(i)];
    return {true,
            i,
            text(l.kernel, 48),
            l.cooperative ? "cooperative kernel" : "kernel",
            stream(l.stream),
            l.line,
            l.span.begin,
            l.function,
            l.loop,
            kNone};
  }
  [[nodiscard]] GraphEvent call(Index i) const {
    Call const& c = r_.calls[at(i)];
    GraphEvent e{
        false, i, text(c.name, 48), "call", "", c.line, c.span.begin, c.function, c.loop, node_of_[at(i)]};
    auto const has = [&](std::string_view what) { return c.name.find(what) != std::string::npos; };
    if (e.node != kNone) {
      CommunicationNode const& n = r_.graph[at(e.node)];
      e.name = fmt::format("[{}] {}", e.node + 1, text(n.collective, 40));
      e.kind = "collective";
      e.stream = stream_of(n);
      return e;
    }
    if (has("Memset")) e.kind = "fill";
    if (has("Memcpy")) {
      e.kind = "copy";
      for (Argument const& a : c.args) {
        if (a.text.ends_with("HostToDevice")) e.kind = "copy from host";
        if (a.text.ends_with("DeviceToHost")) e.kind = "copy to host";
        if (a.text.ends_with("DeviceToDevice")) e.kind = "copy on device";
      }
    }
    if (c.name.starts_with("MPI_")) e.kind = "MPI";
    if (has("Async") && !c.args.empty()) {
      // The stream may be left out of copies and fills of memory: they take it as their last argument.
      std::size_t const full = c.name == "cudaMemcpyAsync" ? 5 : c.name == "cudaMemsetAsync" ? 4 : 0;
      bool const given = full == 0 || c.args.size() >= full;
      e.stream = given ? stream(c.args.back().text) : "default stream";
    }
    return e;
  }
  /// Launches and calls by position, each once; of many, those nearest to the collective in the text, first
  /// those on the side given.
  [[nodiscard]] EventList events(CommunicationNode const& n,
                                 std::vector<Index> const& launches,
                                 std::vector<Index> const& calls,
                                 std::size_t most = kMostEvents,
                                 Side side = Side::kEither) const {
    using Key = std::tuple<std::uint32_t, bool, Index>;
    std::vector<Key> keys;
    for (Index i : launches)
      if (known(i, r_.launches)) keys.emplace_back(r_.launches[at(i)].span.begin, true, i);
    for (Index i : calls)
      if (known(i, r_.calls)) keys.emplace_back(r_.calls[at(i)].span.begin, false, i);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    EventList out;
    if (keys.size() > most) {
      std::uint32_t const here = call_of(n).span.begin;
      auto const distance = [&](Key const& k) {
        std::uint32_t const offset = std::get<0>(k);
        bool const wrong_side =
            side == Side::kBefore ? offset >= here : side == Side::kAfter && offset <= here;
        return std::tuple(wrong_side, offset > here ? offset - here : here - offset, k);
      };
      out.dropped = keys.size() - most;
      std::nth_element(keys.begin(),
                       keys.begin() + static_cast<std::ptrdiff_t>(most),
                       keys.end(),
                       [&](Key const& x, Key const& y) { return distance(x) < distance(y); });
      keys.resize(most);
      std::sort(keys.begin(), keys.end());
    }
    for (auto const& [offset, is_launch, i] : keys) out.shown.push_back(is_launch ? launch(i) : call(i));
    return out;
  }
  [[nodiscard]] EventList writers(CommunicationNode const& n, std::size_t most = kMostEvents) const {
    return events(n, n.send.producers, n.send.copies_in, most, Side::kBefore);
  }
  [[nodiscard]] EventList readers(CommunicationNode const& n, std::size_t most = kMostEvents) const {
    return events(n, n.recv.consumers, n.recv.copies_out, most, Side::kAfter);
  }
  /// What may run at the same time as the collective and touches one of its buffers.
  [[nodiscard]] EventList unordered(CommunicationNode const& n) const {
    std::vector<Index> launches = n.send.unordered_launches;
    launches.insert(launches.end(), n.recv.unordered_launches.begin(), n.recv.unordered_launches.end());
    std::vector<Index> calls = n.send.unordered_calls;
    calls.insert(calls.end(), n.recv.unordered_calls.begin(), n.recv.unordered_calls.end());
    return events(n, launches, calls);
  }
  [[nodiscard]] bool is_around(Index loop, Index inner) const {
    for (std::size_t steps = 0; known(inner, r_.loops) && steps <= r_.loops.size(); ++steps) {
      if (inner == loop) return true;
      inner = r_.loops[at(inner)].parent;
    }
    return false;
  }
  /// Some loop is around both.
  [[nodiscard]] bool shares_loop(Index a, Index b) const {
    for (std::size_t steps = 0; known(a, r_.loops) && steps <= r_.loops.size(); ++steps) {
      if (is_around(a, b)) return true;
      a = r_.loops[at(a)].parent;
    }
    return false;
  }
  /// True when the event comes before or after the collective only by way of a loop around both.
  [[nodiscard]] bool wraps_around(GraphEvent const& e, CommunicationNode const& n, bool before) const {
    Call const& call = call_of(n);
    if (e.function != call.function) return false;
    return before ? e.offset >= call.span.begin : e.offset <= call.span.begin;
  }
  /// ", previous iteration" and the like; "" where the order in the text is the order in time.
  [[nodiscard]] std::string order(GraphEvent const& e, CommunicationNode const& n, bool before) const {
    Call const& call = call_of(n);
    if (e.function != call.function) return ", in " + function(e.function);
    bool const wraps = wraps_around(e, n, before);
    if (e.node != kNone && n.group != kNone && r_.graph[at(e.node)].group == n.group)
      return !wraps ? ", same group" : before ? ", previous round" : ", next round";
    if (wraps && shares_loop(e.loop, call.loop)) return before ? ", previous iteration" : ", next iteration";
    if (wraps) return before ? ", an earlier call" : ", a later call";
    if (known(call.loop, r_.loops) && !is_around(call.loop, e.loop))
      return before ? ", before the loop" : ", after the loop";
    return "";
  }
  /// What an event is, when, where and on which stream, as far as that differs from the collective's.
  [[nodiscard]] std::string circumstances(GraphEvent const& e,
                                          CommunicationNode const& n,
                                          bool before) const {
    bool const other_stream = !e.stream.empty() && e.stream != stream_of(n);
    return e.kind + ", " + place(e.line) + order(e, n, before) + (other_stream ? ", stream " + e.stream : "");
  }

  [[nodiscard]] std::string allocation(Index i) const {
    Allocation const& a = r_.allocations[at(i)];
    std::string out = text(a.allocator, 30);
    if (known(a.call, r_.calls)) out += ", " + place(r_.calls[at(a.call)].line);
    if (!a.size.empty()) out += ", size = " + expression(a.size, 44);
    if (a.symmetric) out += ", symmetric";
    return out;
  }
  /// Where a buffer's memory comes from.
  [[nodiscard]] std::string memory(BufferRole const& b) const {
    if (known(b.allocation, r_.allocations)) return allocation(b.allocation);
    std::string out;
    std::size_t const shown = std::min<std::size_t>(b.alternatives.size(), 4);
    for (std::size_t i = 0; i < shown; ++i) {
      if (!known(b.alternatives[i], r_.allocations)) continue;
      Allocation const& a = r_.allocations[at(b.alternatives[i])];
      out += (out.empty() ? "one of " : " or ") + text(a.buffer, 30);
      if (known(a.call, r_.calls)) out += " (" + place(r_.calls[at(a.call)].line) + ")";
    }
    if (b.alternatives.size() > shown) out += fmt::format(" or {} more", b.alternatives.size() - shown);
    return out.empty() ? "allocation not found" : out;
  }

  /// Where the data go.
  [[nodiscard]] std::string movement(CommunicationNode const& n) const {
    std::string const root = expression(n.root, 30);
    std::string const peer = expression(n.peer, 40);
    std::string const op = operation(n);
    std::string const& c = n.collective;
    if (c == "AllReduce") return op + " over all ranks; every rank gets the result";
    if (c == "AllGather") return "every rank gets the parts of all ranks, in rank order";
    if (c == "AlltoAll") return "slice p of every rank goes to rank p";
    if (c == "ReduceScatter") return op + " over all ranks; rank r gets slice r of the result";
    if (c == "Broadcast") return "from rank " + root + " to every rank";
    if (c == "Reduce") return op + " over all ranks; rank " + root + " gets the result";
    if (c == "Gather") return "rank " + root + " gets the parts of all ranks, in rank order";
    if (c == "Scatter") return "slice p of rank " + root + " goes to rank p";
    if (c == "Send") return "to rank " + peer;
    if (c == "Recv") return "from rank " + peer;
    return "moves data between ranks";
  }
  /// "n × ncclFloat per rank".
  [[nodiscard]] std::string amount(CommunicationNode const& n) const {
    std::string out = expression(n.count, 40) + (ascii_ ? " x " : " × ") + text(n.datatype, 30);
    for (std::string_view slices : {"AllGather", "AlltoAll", "ReduceScatter", "Gather", "Scatter"})
      if (n.collective == slices) out += " per rank";
    return out;
  }
  /// What a reader should not rely on.
  [[nodiscard]] std::vector<std::string> warnings(CommunicationNode const& n,
                                                  std::size_t most_guesses) const {
    std::vector<std::string> out;
    if (n.confidence < 1) {
      std::size_t const shown = std::min(n.guesses.size(), most_guesses);
      std::string const confidence = fmt::format("confidence {:.2f}", n.confidence);
      if (shown == 0) out.push_back(confidence);
      for (std::size_t g = 0; g < shown; ++g)
        out.push_back((g == 0 ? confidence + ": " : "") + text(n.guesses[g], 200));
      if (n.guesses.size() > shown && shown > 0)
        out.push_back(fmt::format("and {} more guesses", n.guesses.size() - shown));
    }
    EventList const events = unordered(n);
    for (GraphEvent const& e : events.shown)
      out.push_back(fmt::format("{} ({}{}) touches the buffer, and nothing orders the two",
                                e.name,
                                place(e.line),
                                e.stream.empty() ? "" : ", stream " + e.stream));
    if (events.dropped > 0) out.push_back(fmt::format("and {} more that nothing orders", events.dropped));
    return out;
  }
  [[nodiscard]] std::string communicator(CommunicationNode const& n) const {
    std::string out = "communicator " + text(n.comm, 30);
    if (known(n.communicator, r_.communicators)) {
      Communicator const& c = r_.communicators[at(n.communicator)];
      std::string from = c.how.empty() ? "" : text(c.how, 30);
      if (known(c.parent, r_.communicators)) from += " of " + text(r_.communicators[at(c.parent)].name, 30);
      if (known(c.call, r_.calls)) from += (from.empty() ? "" : ", ") + place(r_.calls[at(c.call)].line);
      if (!from.empty()) out += " (" + from + ")";
    } else if (n.communicators.size() > 1) {
      out += fmt::format(" (one of {})", n.communicators.size());
    }
    return out;
  }

 private:
  [[nodiscard]] std::string operation(CommunicationNode const& n) const {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames = {
        {{"ncclSum", "sum"},
         {"ncclProd", "product"},
         {"ncclMin", "minimum"},
         {"ncclMax", "maximum"},
         {"ncclAvg", "average"}}};
    for (auto const& [name, word] : kNames)
      if (n.op == name) return std::string(word);
    return "reduction " + expression(n.op, 30);
  }

  std::vector<Index> node_of_;
};

}  // namespace cuco::impl
