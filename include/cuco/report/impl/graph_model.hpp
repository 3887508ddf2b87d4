// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/analysis/report.hpp"
#include "cuco/report/impl/graph_facts.hpp"
#include "cuco/report/impl/graph_scope.hpp"

namespace cuco::impl {

enum class VertexKind : std::uint8_t { kKernel, kCopy, kBuffer, kCollective };

struct Vertex {
  VertexKind kind = VertexKind::kKernel;
  std::string title;                                       ///< One line.
  std::vector<std::string> lines;                          ///< What stands below the title.
  std::vector<std::pair<std::string, std::string>> facts;  ///< All there is to say, as name and text.
  Index function = kNone;
  std::vector<GraphScope> scopes;  ///< Around it in its function, the outermost first.
  std::uint64_t position = 0;      ///< By place in the source; a buffer is next to its collective.
  Index group = kNone;
  bool doubtful = false;  ///< A guess is in it, or nothing orders it with something else.
};

enum class EdgeKind : std::uint8_t { kData, kNextRound, kUnordered };

struct Edge {
  std::size_t from = 0;
  std::size_t to = 0;
  EdgeKind kind = EdgeKind::kData;
};

/// The graph as vertices and edges: a vertex per kernel launch, copy and collective, and one per buffer of a
/// collective. Both are linear in the number of collectives.
class GraphModel {
 public:
  explicit GraphModel(Report const& report) : r_(report), facts_(report), buffers_(report.graph.size()) {
    for (std::size_t i = 0; i < r_.graph.size(); ++i) add_collective(static_cast<Index>(i));
    for (std::size_t i = 0; i < r_.graph.size(); ++i) connect(static_cast<Index>(i));
  }

  std::vector<Vertex> vertices{};
  std::vector<Edge> edges{};
  [[nodiscard]] GraphFacts const& facts() const { return facts_; }

 private:
  static constexpr std::size_t kNo = static_cast<std::size_t>(-1);
  struct Buffers {
    std::size_t collective = kNo, send = kNo, recv = kNo;
  };

  static std::uint64_t position(std::uint32_t offset, unsigned step) {
    return std::uint64_t{offset} * 4 + step;
  }

  void add_collective(Index i) {
    CommunicationNode const& n = r_.graph[GraphFacts::at(i)];
    Call const& call = facts_.call_of(n);
    std::vector<GraphScope> const scopes = scopes_around(r_, n, call.loop);
    std::vector<std::string> const warnings = facts_.warnings(n, 20);
    Vertex v;
    v.kind = VertexKind::kCollective;
    v.title = fmt::format("[{}] {}{}", i + 1, facts_.text(n.collective, 40), n.in_place ? ", in place" : "");
    v.lines = {facts_.place(call.line) + " in " + facts_.text(facts_.function(call.function), 46)};
    if (!scopes.empty() && !scopes.back().group)
      v.lines.push_back(facts_.text(facts_.loop(scopes.back().index), 60));
    if (GraphFacts::known(n.group, r_.groups))
      v.lines.push_back(facts_.text(facts_.group_place(n.group), 60));
    v.lines.push_back(facts_.text(facts_.movement(n), 60));
    v.lines.push_back(facts_.text(facts_.amount(n), 60));
    if (n.confidence < 1) v.lines.push_back(fmt::format("confidence {:.2f}", n.confidence));

    v.facts = {{"where", facts_.place(call.line) + " in " + facts_.function(call.function)}};
    for (GraphScope const& s : scopes)
      v.facts.emplace_back("inside", s.group ? facts_.group(s.index) : facts_.loop(s.index));
    v.facts.emplace_back("moves", facts_.movement(n));
    v.facts.emplace_back("amount", facts_.amount(n));
    v.facts.emplace_back("communicator", facts_.communicator(n).substr(sizeof "communicator"));
    if (!n.stream.empty()) v.facts.emplace_back("stream", facts_.stream_of(n));
    add_buffer_facts(v, n, "sends", "written by", n.send, true);
    add_buffer_facts(v, n, "receives into", "read by", n.recv, false);
    if (!n.pattern.empty()) v.facts.emplace_back("in a kernel", facts_.text(n.pattern, 160));
    for (std::string const& w : warnings) v.facts.emplace_back("caution", w);
    v.function = call.function;
    v.scopes = scopes;
    v.position = position(call.span.begin, 1);
    v.group = n.group;
    v.doubtful = !warnings.empty();
    Buffers& b = buffers_[GraphFacts::at(i)];
    b.collective = add(v);
    if (!n.send.expr.empty()) {
      b.send = passed_on(n);
      if (b.send == kNo)
        b.send = add(buffer(n, n.send, v, 0, "sent by " + v.title));
      else
        vertices[b.send].facts.emplace_back("use", "sent by " + v.title);
    }
    if (!n.recv.expr.empty()) b.recv = add(buffer(n, n.recv, v, 2, "received by " + v.title));
  }

  /// The vertex of the buffer that another collective filled and this one sends as it is; kNo when there is
  /// none.
  [[nodiscard]] std::size_t passed_on(CommunicationNode const& n) const {
    if (!n.send.producers.empty() || n.send.copies_in.size() != 1) return kNo;
    std::vector<GraphEvent> const writers = facts_.writers(n).shown;
    if (writers.size() != 1 || writers[0].node == kNone || facts_.wraps_around(writers[0], n, true))
      return kNo;
    CommunicationNode const& writer = r_.graph[GraphFacts::at(writers[0].node)];
    bool const same = writer.recv.expr == n.send.expr && writer.recv.allocation == n.send.allocation;
    return same ? buffers_[GraphFacts::at(writers[0].node)].recv : kNo;
  }

  void add_buffer_facts(Vertex& v,
                        CommunicationNode const& n,
                        std::string_view name,
                        std::string_view events_name,
                        BufferRole const& b,
                        bool before) const {
    if (b.expr.empty()) return;
    v.facts.emplace_back(name, facts_.expression(b.expr, 80) + ": " + facts_.memory(b));
    EventList const events = before ? facts_.writers(n) : facts_.readers(n);
    std::string list;
    for (GraphEvent const& e : events.shown)
      list += (list.empty() ? "" : "; ") + e.name + " (" + facts_.circumstances(e, n, before) + ")";
    if (events.dropped > 0) list += fmt::format("; and {} more", events.dropped);
    v.facts.emplace_back(events_name, list.empty() ? "nothing found" : list);
  }

  Vertex buffer(CommunicationNode const& n,
                BufferRole const& b,
                Vertex const& collective,
                unsigned step,
                std::string const& use) const {
    Vertex v;
    v.kind = VertexKind::kBuffer;
    v.title = facts_.expression(b.expr, 40);
    std::string const memory = facts_.memory(b);
    v.lines = {facts_.text(memory, 56)};
    v.facts = {{"buffer", facts_.expression(b.expr, 80)}, {"memory", memory}, {"use", use}};
    v.function = collective.function;
    v.scopes = collective.scopes;
    v.position = position(facts_.call_of(n).span.begin, step);
    v.group = collective.group;
    v.doubtful = !GraphFacts::known(b.allocation, r_.allocations) && b.alternatives.empty();
    return v;
  }

  /// The vertex of a kernel or copy.
  std::size_t vertex_of(GraphEvent const& e) {
    auto const [found, is_new] =
        events_.try_emplace(std::int64_t{e.index} * 2 + (e.launch ? 1 : 0), vertices.size());
    if (!is_new) return found->second;
    Vertex v;
    v.kind = e.launch ? VertexKind::kKernel : VertexKind::kCopy;
    v.title = e.name;
    v.lines = {e.kind + ", " + facts_.place(e.line)};
    v.facts = {{"what", e.kind}, {"where", facts_.place(e.line) + " in " + facts_.function(e.function)}};
    v.scopes = loops_around(r_, e.loop);
    for (GraphScope const& s : v.scopes) v.facts.emplace_back("inside", facts_.loop(s.index));
    if (!e.stream.empty()) v.facts.emplace_back("stream", e.stream);
    if (e.launch) {
      Launch const& l = r_.launches[GraphFacts::at(e.index)];
      v.facts.emplace_back("grid", facts_.text(l.grid, 80));
      v.facts.emplace_back("block", facts_.text(l.block, 80));
    }
    v.function = e.function;
    v.position = position(e.offset, 1);
    return add(std::move(v));
  }

  void connect(Index i) {
    CommunicationNode const& n = r_.graph[GraphFacts::at(i)];
    Buffers const own = buffers_[GraphFacts::at(i)];
    if (own.send != kNo) {
      for (GraphEvent const& e : facts_.writers(n).shown) {
        std::size_t const from = e.node != kNone ? result_of(e.node) : vertex_of(e);
        join(from, own.send, facts_.wraps_around(e, n, true) ? EdgeKind::kNextRound : EdgeKind::kData);
      }
      join(own.send, own.collective, EdgeKind::kData);
    }
    if (own.recv != kNo) {
      join(own.collective, own.recv, EdgeKind::kData);
      for (GraphEvent const& e : facts_.readers(n).shown) {
        std::size_t const to = e.node != kNone ? input_of(e.node) : vertex_of(e);
        join(own.recv, to, facts_.wraps_around(e, n, false) ? EdgeKind::kNextRound : EdgeKind::kData);
      }
    }
    for (GraphEvent const& e : facts_.unordered(n).shown) {
      std::size_t const other = e.node != kNone ? buffers_[GraphFacts::at(e.node)].collective : vertex_of(e);
      vertices[other].doubtful = true;
      join(other, own.collective, EdgeKind::kUnordered);
    }
  }
  [[nodiscard]] std::size_t result_of(Index node) const {
    Buffers const& b = buffers_[GraphFacts::at(node)];
    return b.recv != kNo ? b.recv : b.collective;
  }
  [[nodiscard]] std::size_t input_of(Index node) const {
    Buffers const& b = buffers_[GraphFacts::at(node)];
    return b.send != kNo ? b.send : b.collective;
  }

  std::size_t add(Vertex v) {
    vertices.push_back(std::move(v));
    return vertices.size() - 1;
  }
  void join(std::size_t from, std::size_t to, EdgeKind kind) {
    if (from == to) return;
    if (seen_.emplace(from, to, kind).second) edges.push_back({from, to, kind});
  }

  Report const& r_;
  GraphFacts facts_;
  std::vector<Buffers> buffers_;
  std::unordered_map<std::int64_t, std::size_t> events_{};
  std::set<std::tuple<std::size_t, std::size_t, EdgeKind>> seen_{};
};

}  // namespace cuco::impl
