// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/report/impl/graph_layout.hpp"
#include "cuco/report/impl/graph_model.hpp"
#include "cuco/report/impl/graph_page.hpp"

namespace cuco::impl {

/// Text for HTML, in elements and in quoted attributes.
inline std::string html_escaped(std::string_view s) {
  std::string out;
  for (char c : s) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

class HtmlWriter {
 public:
  explicit HtmlWriter(Report const& report) : r_(report), model_(report), layout_(model_) {}

  std::string run() {
    std::string const file = html_escaped(model_.facts().text(r_.file, 100));
    line("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
    line(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; "
        "script-src 'unsafe-inline'\">");
    line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    line("<title>Communication of {}</title>", file);
    out_ += kPageStyle;
    line("</head>\n<body>\n<main>\n<h1>Communication of {}</h1>", file);
    if (r_.graph.empty()) {
      line("<p>No host-driven collective: nothing to draw.</p>");
    } else {
      line(
          "<p>{} collective{}. Data flow down: what writes a buffer, the buffer, the collective, the buffer "
          "it fills, "
          "what reads that. Select a box for its facts; the <a href=\"#words\">same in words</a> is "
          "below.</p>",
          r_.graph.size(),
          r_.graph.size() == 1 ? "" : "s");
      legend();
      drawing(file);
      line("<div id=\"selected\" aria-live=\"polite\"></div>");
      words();
    }
    notes();
    line("</main>");
    if (!r_.graph.empty()) out_ += kPageScript;
    line("</body>\n</html>");
    return std::move(out_);
  }

 private:
  static constexpr std::string_view kClasses[] = {"kernel", "copy", "buffer", "collective"};
  static constexpr std::string_view kNames[] = {"kernel", "copy or fill", "buffer", "collective"};
  static constexpr double kMargin = 36, kBackRoom = 60;

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  void legend() {
    line("<ul class=\"legend\">");
    for (std::size_t k = 0; k < std::size(kClasses); ++k)
      line(
          "<li><svg width=\"26\" height=\"14\" class=\"{}\" aria-hidden=\"true\"><rect x=\"1\" y=\"1\" "
          "width=\"24\" "
          "height=\"12\" rx=\"{}\"/></svg> {}</li>",
          kClasses[k],
          k == 2 ? 6 : 2,
          kNames[k]);
    for (auto const& [kind, text] : {std::pair{"next", "only in the next iteration or call"},
                                     std::pair{"unordered", "same buffer, nothing orders the two"}})
      line(
          "<li><svg width=\"26\" height=\"14\" aria-hidden=\"true\"><path class=\"edge {}\" d=\"M0 "
          "7H26\"/></svg> {}</li>",
          kind,
          text);
    line(
        "<li><svg width=\"26\" height=\"14\" class=\"doubt\" aria-hidden=\"true\"><rect x=\"1\" y=\"1\" "
        "width=\"24\" "
        "height=\"12\" fill=\"none\"/></svg> something is guessed or not ordered</li>\n</ul>");
  }

  void drawing(std::string const& file) {
    double const width = layout_.width + 2 * kMargin + kBackRoom;
    double const height = layout_.height + 2 * kMargin;
    line(
        "<div class=\"frame\">\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" "
        "viewBox=\"{2:.0f} {2:.0f} {0:.0f} {1:.0f}\" role=\"group\" aria-label=\"Communication graph of {3}; "
        "in words "
        "below\">",
        width,
        height,
        -kMargin,
        file);
    line(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
        "markerHeight=\"7\" "
        "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>");
    for (Edge const& e : model_.edges) edge(e);
    for (std::size_t v = 0; v < model_.vertices.size(); ++v) vertex(v);
    line("</svg>\n</div>");
  }

  void edge(Edge const& e) {
    Box const& a = layout_.boxes[e.from];
    Box const& b = layout_.boxes[e.to];
    std::string path;
    if (a.y + a.height < b.y) {
      double const x1 = a.centre(), y1 = a.y + a.height, x2 = b.centre(), y2 = b.y - 1;
      double const bend = std::min(60.0, (y2 - y1) / 2);
      path = fmt::format("M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}",
                         x1,
                         y1,
                         x1,
                         y1 + bend,
                         x2,
                         y2 - bend,
                         x2,
                         y2);
    } else if (b.y < a.y + a.height && a.y < b.y + b.height) {  // level: over the tops
      double const x1 = a.centre(), x2 = b.centre(), top = std::min(a.y, b.y) - 34;
      path = fmt::format(
          "M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}", x1, a.y, x1, top, x2, top, x2, b.y - 1);
    } else {  // upwards: around the right sides
      double const x1 = a.x + a.width, y1 = a.y + a.height / 2, x2 = b.x + b.width + 1,
                   y2 = b.y + b.height / 2;
      double const out = std::max(x1, x2) + kBackRoom * 0.9;
      path = fmt::format(
          "M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}", x1, y1, out, y1, out, y2, x2, y2);
    }
    line("<path class=\"edge{}\" data-from=\"{}\" data-to=\"{}\" d=\"{}\"{}/>",
         e.kind == EdgeKind::kNextRound   ? " next"
         : e.kind == EdgeKind::kUnordered ? " unordered"
                                          : "",
         e.from,
         e.to,
         path,
         e.kind == EdgeKind::kUnordered ? "" : " marker-end=\"url(#tip)\"");
  }

  void vertex(std::size_t i) {
    Vertex const& v = model_.vertices[i];
    Box const& b = layout_.boxes[i];
    auto const kind = static_cast<std::size_t>(v.kind);
    std::string tip;
    for (auto const& [key, value] : v.facts)
      tip += (tip.empty() ? "" : "\n") + html_escaped(key + ": " + value);
    line("<a class=\"vertex {}{}\" href=\"#t{}\" data-id=\"{}\" aria-label=\"{}: {}\"><title>{}</title>",
         kClasses[kind],
         v.doubtful ? " doubt" : "",
         i,
         i,
         kNames[kind],
         html_escaped(v.title),
         tip);
    line("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"{}\"/>",
         b.x,
         b.y,
         b.width,
         b.height,
         v.kind == VertexKind::kBuffer ? 14 : 4);
    double y = b.y + GraphLayout::kPadding / 2 + 12;
    text("title", b.centre(), y, v.title);
    for (std::string const& l : v.lines) text("", b.centre(), y += GraphLayout::kLine, l);
    line("</a>");
  }
  void text(std::string_view style, double x, double y, std::string_view what) {
    line("<text text-anchor=\"middle\"{} x=\"{:.0f}\" y=\"{:.0f}\">{}</text>",
         style.empty() ? "" : fmt::format(" class=\"{}\"", style),
         x,
         y,
         html_escaped(what));
  }

  /// Collectives first: they say who writes and who reads.
  void words() {
    line("<section id=\"words\">\n<h2>In words</h2>");
    for (bool const collectives : {true, false}) {
      if (!collectives) line("<details>\n<summary>Kernels, copies and buffers</summary>");
      for (std::size_t i = 0; i < model_.vertices.size(); ++i) {
        Vertex const& v = model_.vertices[i];
        if ((v.kind == VertexKind::kCollective) != collectives) continue;
        line("<article id=\"t{}\">\n<h3>{}</h3>\n<dl>", i, html_escaped(v.title));
        for (auto const& [key, value] : v.facts)
          line("<dt>{}</dt><dd{}>{}</dd>",
               html_escaped(key),
               key == "caution" ? " class=\"caution\"" : "",
               html_escaped(value));
        line("</dl>\n</article>");
      }
      if (!collectives) line("</details>");
    }
    line("</section>");
  }
  void notes() {
    if (r_.notes.empty()) return;
    line("<h2>Not followed</h2>\n<ul>");
    for (std::string const& n : r_.notes) line("<li>{}</li>", html_escaped(model_.facts().text(n, 200)));
    line("</ul>");
  }

  Report const& r_;
  GraphModel model_;
  GraphLayout layout_;
  std::string out_{};
};

}  // namespace cuco::impl
