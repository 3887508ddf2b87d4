// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/report/impl/graph_model.hpp"

namespace cuco::impl {

/// Text inside a quoted string of the DOT language.
inline std::string dot_escaped(std::string_view s) {
  std::string out;
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
    if (c == '&') out += "amp;";  // labels know HTML entities
  }
  return out;
}

class DotWriter {
 public:
  explicit DotWriter(Report const& report) : r_(report), model_(report) {}

  std::string run() {
    line("digraph communication {{");
    line("  graph [label=\"{}\", labelloc=t, fontname=\"Helvetica\", compound=true, rankdir=TB];",
         dot_escaped(model_.facts().text(r_.file, 100)));
    line(
        "  node [fontname=\"Helvetica\", fontsize=11, fontcolor=\"#1b1f24\", color=\"#57606a\", "
        "style=filled];");
    line("  edge [fontname=\"Helvetica\", fontsize=10, color=\"#57606a\"];");
    std::vector<std::size_t> order(model_.vertices.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      Vertex const& x = model_.vertices[a];
      Vertex const& y = model_.vertices[b];
      return std::tie(x.function, x.position, a) < std::tie(y.function, y.position, b);
    });
    for (std::size_t v : order) {
      enter(model_.vertices[v]);
      vertex(fmt::format("v{}", v), model_.vertices[v]);
    }
    leave(0);
    for (Edge const& e : model_.edges) edge(e);
    if (model_.vertices.empty())
      line("  none [label=\"no host-driven collective\", shape=plaintext, style=\"\"];");
    legend();
    line("}}");
    return std::move(out_);
  }

 private:
  struct Cluster {
    std::string name;
    std::string label;
    bool group = false;
    bool operator==(Cluster const& other) const { return name == other.name; }
  };

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  /// Opens the clusters around `v` and closes the others. A name that comes again continues its cluster.
  void enter(Vertex const& v) {
    std::vector<Cluster> wanted;
    if (v.function != kNone) {
      wanted.push_back(
          {fmt::format("cluster_function{}", v.function), model_.facts().function(v.function), false});
      for (GraphScope const& s : v.scopes)
        wanted.push_back({fmt::format("cluster_{}{}", s.group ? "group" : "loop", s.index),
                          s.group ? model_.facts().group(s.index) : model_.facts().loop(s.index),
                          s.group});
    }
    std::size_t same = 0;
    while (same < open_.size() && same < wanted.size() && open_[same] == wanted[same]) ++same;
    leave(same);
    for (; same < wanted.size(); ++same) {
      Cluster const& c = wanted[same];
      line("  subgraph {} {{", c.name);
      line(
          "  label=\"{}\"; labeljust=l; fontname=\"Helvetica\"; fontsize=11; color=\"#8c959f\"; "
          "style=\"{}\";",
          dot_escaped(c.label),
          c.group         ? "bold"
          : open_.empty() ? "solid"
                          : "dashed,rounded");
      open_.push_back(c);
    }
  }
  void leave(std::size_t depth) {
    for (; open_.size() > depth; open_.pop_back()) line("  }}");
  }

  void vertex(std::string const& name, Vertex const& v) {
    static constexpr std::string_view kLooks[] = {
        "shape=box, fillcolor=\"#dafbe1\", style=\"filled,rounded\"",
        "shape=box, fillcolor=\"#f6f8fa\", style=\"filled,rounded\"",
        "shape=cylinder, fillcolor=\"#ddf4ff\"",
        "shape=box, fillcolor=\"#fbefff\", penwidth=2",
    };
    std::string label = dot_escaped(v.title);
    for (std::string const& l : v.lines) label += "\\n" + dot_escaped(l);
    std::string tip;
    for (auto const& [key, value] : v.facts) tip += dot_escaped(key + ": " + value) + "\\n";
    line("  {} [label=\"{}\", {}{}, tooltip=\"{}\"];",
         name,
         label,
         kLooks[static_cast<std::size_t>(v.kind)],
         v.doubtful ? ", color=\"#bc4c00\"" : "",
         tip);
  }
  void edge(Edge const& e) {
    static constexpr std::string_view kLooks[] = {
        "",
        " [style=dashed, label=\"next iteration or call\", constraint=false]",
        " [style=dotted, color=\"#bc4c00\", label=\"not ordered\", dir=none, constraint=false]"};
    line("  v{} -> v{}{};", e.from, e.to, kLooks[static_cast<std::size_t>(e.kind)]);
  }
  void legend() {
    line("  subgraph cluster_legend {{");
    line("  label=\"legend\"; fontname=\"Helvetica\"; fontsize=11; color=\"#8c959f\"; style=solid;");
    static constexpr std::pair<VertexKind, std::string_view> kKinds[] = {
        {VertexKind::kKernel, "kernel"},
        {VertexKind::kCopy, "copy or fill"},
        {VertexKind::kBuffer, "buffer of a collective"},
        {VertexKind::kCollective, "collective"},
    };
    int number = 0;
    for (auto const& [kind, text] : kKinds) {
      Vertex v;
      v.kind = kind;
      v.title = text;
      vertex(fmt::format("legend{}", number++), v);
    }
    Vertex doubtful;
    doubtful.kind = VertexKind::kCopy;
    doubtful.title = "orange: something is guessed or not ordered";
    doubtful.doubtful = true;
    vertex("legend4", doubtful);
    line("  legend0 -> legend2 [label=\"writes\"];");
    line("  legend2 -> legend3 [label=\"is sent\"];");
    line("  legend3 -> legend1 [label=\"next iteration\", style=dashed];");
    line("  }}");
  }

  Report const& r_;
  GraphModel model_;
  std::vector<Cluster> open_{};
  std::string out_{};
};

}  // namespace cuco::impl
