// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace cuco {

struct Report;

/// How `to_picture` draws.
struct PictureOptions {
  std::size_t width = 100;  ///< Columns; at least 50 are used.
  bool colour = false;      ///< SGR escape sequences.
  bool unicode = true;      ///< Box drawing characters in UTF-8; plain ASCII else.
};

/// The communication graph for a terminal: per collective what writes its buffer, where the data go, and what
/// reads the result, inside brackets for loops and boxes for groups; one lane per stream where a function
/// uses several. From 40 collectives on, each takes a few lines instead of a box. Nothing from the program
/// reaches the terminal unescaped. Time is linear in the number of collectives and of their writers and
/// readers.
[[nodiscard]] std::string to_picture(Report const& report, PictureOptions options = {});

/// The same for Graphviz: one vertex per kernel, copy, collective and buffer, clusters per function, loop and
/// group, a legend.
[[nodiscard]] std::string to_dot(Report const& report);

/// One self-contained HTML page in UTF-8: the graph as SVG, the facts of a vertex on selecting it, and all of
/// it as text below. Needs no network and holds nothing of the source but what the report quotes.
[[nodiscard]] std::string to_html(Report const& report);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/report/graph_view-inl.hpp"
#endif
