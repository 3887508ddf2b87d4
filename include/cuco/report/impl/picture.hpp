// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/analysis/report.hpp"
#include "cuco/report/graph_view.hpp"
#include "cuco/report/impl/canvas.hpp"
#include "cuco/report/impl/graph_facts.hpp"
#include "cuco/report/impl/graph_scope.hpp"

namespace cuco::impl {

/// Draws the graph for a terminal, function by function, in source order.
class Picture {
 public:
  Picture(Report const& report, PictureOptions const& options)
      : r_(report),
        facts_(report, !options.unicode),
        s_(options.unicode ? kUnicodeStrokes : kAsciiStrokes),
        canvas_(options, s_),
        compact_(report.graph.size() >= kCompactFrom) {}

  std::string run() {
    heading();
    std::map<Index, std::vector<Index>> by_function;  // in source order, as functions are
    for (std::size_t i = 0; i < r_.graph.size(); ++i)
      by_function[facts_.call_of(r_.graph[i]).function].push_back(static_cast<Index>(i));
    for (auto& [function, nodes] : by_function) {
      std::stable_sort(nodes.begin(), nodes.end(), [&](Index a, Index b) {
        return facts_.call_of(node(a)).span.begin < facts_.call_of(node(b)).span.begin;
      });
      draw_function(function, nodes);
    }
    return canvas_.take();
  }

 private:
  static constexpr std::size_t kCompactFrom = 40;
  static constexpr std::size_t kMostLanes = 8;
  static constexpr std::size_t kWidestBox = 88;

  [[nodiscard]] CommunicationNode const& node(Index i) const { return r_.graph[GraphFacts::at(i)]; }

  void heading() {
    StyledLine title(Style::kHeading, facts_.text(r_.file, 60));
    title.plain(fmt::format(": {} collective{}, {} kernel launch{}",
                            r_.graph.size(),
                            r_.graph.size() == 1 ? "" : "s",
                            r_.launches.size(),
                            r_.launches.size() == 1 ? "" : "es"));
    canvas_.line(std::move(title));
    if (r_.graph.empty())
      canvas_.line(StyledLine(Style::kPlain, "no host-driven collective: nothing to draw"));
  }

  void draw_function(Index function, std::vector<Index> const& nodes) {
    canvas_.line();
    StyledLine title(Style::kHeading, facts_.function(function));
    if (GraphFacts::known(function, r_.functions)) {
      Function const& f = r_.functions[GraphFacts::at(function)];
      title.faint("  " + facts_.places(f.line, f.end_line));
    }
    canvas_.line(std::move(title));
    set_lanes(function, nodes);
    std::vector<GraphScope> open;
    bool first = true;
    for (Index i : nodes) {
      Call const& call = facts_.call_of(node(i));
      std::vector<GraphScope> const wanted = scopes_around(r_, node(i), call.loop);
      std::size_t same = 0;
      while (same < open.size() && same < wanted.size() && open[same] == wanted[same]) ++same;
      for (; open.size() > same; open.pop_back()) canvas_.close();
      if (!first && !compact_) canvas_.line();
      first = false;
      for (; open.size() < wanted.size(); open.push_back(wanted[open.size()])) {
        GraphScope const& scope = wanted[open.size()];
        canvas_.open(scope.group, scope.group ? facts_.group(scope.index) : facts_.loop(scope.index));
      }
      compact_ ? draw_compact(i) : draw_node(i);
    }
    for (; !open.empty(); open.pop_back()) canvas_.close();
    canvas_.lanes(0);
  }

  /// A lane per stream, when the collectives of a function and what surrounds them use several.
  void set_lanes(Index function, std::vector<Index> const& nodes) {
    lane_of_.clear();
    std::vector<std::string> names;
    auto const add = [&](std::string const& stream) {
      if (!stream.empty() && names.size() <= kMostLanes && lane_of_.emplace(stream, names.size()).second)
        names.push_back(stream);
    };
    for (Index i : nodes) {
      CommunicationNode const& n = node(i);
      for (EventList const& list : {facts_.writers(n), facts_.readers(n)})
        for (GraphEvent const& e : list.shown)
          if (e.function == function) add(e.stream);
      add(facts_.stream_of(n));
    }
    if (names.size() < 2 || names.size() > kMostLanes) {
      lane_of_.clear();
      return;
    }
    StyledLine legend(Style::kFaint, "streams, one lane each: ");
    for (std::size_t i = 0; i < names.size(); ++i)
      legend.faint(i == 0 ? "" : ", ").plain(fmt::format("{} {}", i + 1, names[i]));
    canvas_.line(std::move(legend));
    StyledLine numbers;
    for (std::size_t i = 0; i < names.size(); ++i) numbers.faint(fmt::format("{} ", i + 1));
    numbers.faint(fmt::format("  {} kernel  {} copy  {} collective", s_.kernel, s_.copy, s_.collective));
    canvas_.line(std::move(numbers));
    canvas_.lanes(names.size());
  }
  [[nodiscard]] std::size_t lane(std::string const& stream) const {
    if (canvas_.lanes() == 0) return Canvas::kNoLane;
    auto const found = lane_of_.find(stream);
    return found == lane_of_.end() ? Canvas::kNoLane : found->second;
  }

  void draw_node(Index i) {
    CommunicationNode const& n = node(i);
    bool const sends = !n.send.expr.empty();
    bool const receives = !n.recv.expr.empty();
    if (sends) {
      writers(n);
      buffer(n.send, facts_.memory(n.send));
      canvas_.line(StyledLine(Style::kPlain, "  " + std::string(s_.rail)));
    }
    box(i, sends, receives);
    if (receives) {
      canvas_.line(StyledLine(Style::kPlain, "  " + std::string(s_.down)));
      buffer(n.recv, n.in_place ? "in place: the same memory" : facts_.memory(n.recv));
      readers(n);
    }
  }

  void buffer(BufferRole const& b, std::string const& memory) {
    StyledLine line;
    line.plain("  ").add(Style::kBuffer, facts_.expression(b.expr, 40)).faint("  " + memory);
    canvas_.line(std::move(line));
  }

  void event(GraphEvent const& e,
             CommunicationNode const& n,
             bool before,
             std::string_view stroke,
             std::size_t column) {
    Style const style = e.launch ? Style::kCompute : e.node != kNone ? Style::kCollective : Style::kPlain;
    StyledLine line;
    line.plain("  " + std::string(stroke))
        .add(style, e.name)
        .tab(column)
        .faint(facts_.circumstances(e, n, before));
    bool const here = e.function == facts_.call_of(n).function;
    canvas_.line(std::move(line),
                 here ? lane(e.stream) : Canvas::kNoLane,
                 e.launch          ? s_.kernel
                 : e.node != kNone ? s_.collective
                                   : s_.copy);
  }
  [[nodiscard]] static std::size_t column_after(std::vector<GraphEvent> const& events) {
    std::size_t widest = 0;
    for (GraphEvent const& e : events) widest = std::max(widest, columns_of(e.name));
    return widest + 8;
  }
  void writers(CommunicationNode const& n) {
    EventList const all = facts_.writers(n);
    if (all.shown.empty()) canvas_.line(StyledLine(Style::kFaint, "  nothing found that writes"));
    if (all.dropped > 0)
      canvas_.line(StyledLine(Style::kFaint, fmt::format("  {}{} more", s_.from, all.dropped)));
    std::size_t const column = column_after(all.shown);
    for (GraphEvent const& e : all.shown) event(e, n, true, s_.from, column);
    canvas_.line(StyledLine(Style::kPlain, "  " + std::string(all.shown.empty() ? s_.rail : s_.down)));
  }
  void readers(CommunicationNode const& n) {
    EventList const all = facts_.readers(n);
    if (all.shown.empty()) canvas_.line(StyledLine(Style::kFaint, "  nothing found that reads"));
    std::size_t const column = column_after(all.shown);
    for (GraphEvent const& e : all.shown)
      event(e, n, false, &e == &all.shown.back() && all.dropped == 0 ? s_.last : s_.tee, column);
    if (all.dropped > 0)
      canvas_.line(StyledLine(Style::kFaint, fmt::format("  {}{} more", s_.last, all.dropped)));
  }

  /// "[3] Send --> rank next".
  [[nodiscard]] std::string title(Index i) const {
    CommunicationNode const& n = node(i);
    std::string out = fmt::format("[{}] {}", i + 1, facts_.text(n.collective, 40));
    if (n.collective == "Send") out += fmt::format(" {} rank {}", s_.right, facts_.expression(n.peer, 40));
    if (n.collective == "Recv") out += fmt::format(" {} rank {}", s_.left, facts_.expression(n.peer, 40));
    return out + (n.in_place ? ", in place" : "");
  }
  [[nodiscard]] std::string where(CommunicationNode const& n) const {
    std::string out = communication_stream(n);
    if (n.in_group && !GraphFacts::known(n.group, r_.groups))
      out += (out.empty() ? "" : std::string(s_.dot)) + "in a group";
    return out;
  }
  [[nodiscard]] std::string communication_stream(CommunicationNode const& n) const {
    std::string const stream = facts_.stream_of(n);
    if (stream.empty() || stream == "default stream") return stream;
    return "stream " + stream;
  }
  void box(Index i, bool sends, bool receives) {
    CommunicationNode const& n = node(i);
    std::size_t const width = std::min(canvas_.room(), kWidestBox);
    std::string const line = facts_.place(facts_.call_of(n).line);
    std::string const name = shorten(title(i), width - 10 - std::min<std::size_t>(columns_of(line), 40));
    std::string const end = " " + shorten(line, 40) + " " + std::string(s_.box[4]) + std::string(s_.box[1]);
    StyledLine top(Style::kFrame, std::string(s_.box[0]) + std::string(s_.box[4]));
    top.add(Style::kFrame, std::string(sends ? s_.box_in : s_.box[4]) + std::string(s_.box[4]) + " ");
    top.add(Style::kCollective, name).plain(" ");
    std::size_t const used = top.columns() + columns_of(end);
    top.add(Style::kFrame, repeated(s_.box[4], width > used ? width - used : 0)).faint(end);
    canvas_.line(std::move(top), lane(facts_.stream_of(n)), s_.collective);
    bool const peer_in_title = n.collective == "Send" || n.collective == "Recv";
    if (!peer_in_title) side_lines(width, Style::kPlain, {}, facts_.movement(n));
    side_lines(width, Style::kPlain, {}, facts_.amount(n));
    std::string const stream = where(n);
    side_lines(width,
               Style::kPlain,
               {},
               facts_.communicator(n) + (stream.empty() ? "" : std::string(s_.dot) + stream));
    for (std::string const& w : facts_.warnings(n, compact_ ? 1 : 6))
      side_lines(width, Style::kWarning, std::string(s_.warning) + " ", w);
    StyledLine bottom(Style::kFrame, std::string(s_.box[2]) + std::string(s_.box[4]));
    bottom.add(Style::kFrame, std::string(receives ? s_.box_out : s_.box[4]));
    bottom.add(Style::kFrame, repeated(s_.box[4], width - 4) + std::string(s_.box[3]));
    canvas_.line(std::move(bottom));
  }
  /// Text inside the box, broken at blanks.
  void side_lines(std::size_t width, Style style, std::string const& mark, std::string text) {
    std::size_t const room = width - 4 - columns_of(mark);
    bool first = true;
    while (!text.empty()) {
      std::string_view part = clip(text, room);
      if (part.size() < text.size()) {
        std::size_t const blank = part.rfind(' ');
        if (blank != std::string_view::npos && blank > room / 3) part = part.substr(0, blank);
      }
      StyledLine line(Style::kFrame, std::string(s_.box[5]));
      line.plain(" ")
          .add(style, first ? mark : std::string(columns_of(mark), ' '))
          .add(style, std::string(part));
      line.tab(width - 1).add(Style::kFrame, std::string(s_.box[5]));
      canvas_.line(std::move(line));
      text.erase(0, part.size());
      text.erase(0, text.find_first_not_of(' '));
      first = false;
    }
  }

  void draw_compact(Index i) {
    CommunicationNode const& n = node(i);
    StyledLine head(Style::kCollective, std::string(s_.collective) + " " + title(i));
    head.faint("  " + facts_.place(facts_.call_of(n).line)).plain("  ");
    if (!n.send.expr.empty()) head.add(Style::kBuffer, facts_.expression(n.send.expr, 30));
    if (!n.recv.expr.empty() && !n.in_place)
      head.plain(" " + std::string(s_.right) + " ").add(Style::kBuffer, facts_.expression(n.recv.expr, 30));
    head.plain("  " + facts_.amount(n));
    if (!n.op.empty()) head.plain(" " + facts_.text(n.op, 20));
    if (std::string const stream = where(n); !stream.empty()) head.faint(std::string(s_.dot) + stream);
    canvas_.line(std::move(head), lane(facts_.stream_of(n)), s_.collective);
    listed("written by", facts_.writers(n, 3), n, true);
    listed("read by", facts_.readers(n, 3), n, false);
    for (std::string const& w : facts_.warnings(n, compact_ ? 1 : 6))
      canvas_.line(StyledLine(Style::kWarning, "    " + std::string(s_.warning) + " " + w));
  }
  void listed(std::string_view what, EventList const& events, CommunicationNode const& n, bool before) {
    if (events.shown.empty()) return;
    StyledLine line(Style::kFaint, "    " + std::string(what));
    for (GraphEvent const& e : events.shown) {
      line.plain(&e == &events.shown.front() ? " " : ", ")
          .add(e.launch ? Style::kCompute : Style::kPlain, e.name);
      line.faint(" (" + facts_.place(e.line) + facts_.order(e, n, before) + ")");
    }
    if (events.dropped > 0) line.faint(fmt::format(" and {} more", events.dropped));
    canvas_.line(std::move(line));
  }

  Report const& r_;
  GraphFacts facts_;
  Strokes s_;
  Canvas canvas_;
  bool compact_;
  std::map<std::string, std::size_t> lane_of_{};
};

}  // namespace cuco::impl
