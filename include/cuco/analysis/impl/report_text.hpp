// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/impl/condition.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {
namespace impl {

/// `s` on one line, runs of blanks as one, at most `limit` bytes.
inline std::string one_line(std::string_view s, std::size_t limit = 80) {
  std::string out;
  for (char c : s) {
    if (is_space(c)) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
    if (out.size() > limit) return out + "...";
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// Writes a report; `to_text` and `to_prompt` differ in layout and in what a model must be told.
class ReportWriter {
 public:
  ReportWriter(Report const& report, bool prompt) : r_(report), prompt_(prompt) {}

  std::string run() {
    if (prompt_) {
      line("# Communication analysis of {} ({} lines)", r_.file, r_.lines);
    } else {
      line("{}: {} lines, {} collective call{}, {} kernel launch{}",
           r_.file,
           r_.lines,
           r_.graph.size(),
           r_.graph.size() == 1 ? "" : "s",
           r_.launches.size(),
           r_.launches.size() == 1 ? "" : "es");
    }
    graph();
    communicators();
    groups();
    allocations();
    execution_order();
    structure();
    if (!r_.notes.empty()) {
      heading("Not followed");
      for (auto const& note : r_.notes) line("  {}", one_line(note, 200));
    }
    return std::move(out_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void heading(std::string_view text) { line("\n{}{}", prompt_ ? "## " : "", text); }

  /// "line 12", or "line 3 of exchange.cuh" for what another file holds.
  [[nodiscard]] std::string at(std::uint32_t flat) const {
    SourcePlace const place = r_.map.locate(flat);
    return place.file.empty() ? fmt::format("line {}", place.line)
                              : fmt::format("line {} of {}", place.line, one_line(place.file, 60));
  }
  [[nodiscard]] std::string numbers(std::vector<Index> const& nodes) const {
    constexpr std::size_t kMostShown = 24;
    std::string out;
    for (std::size_t i = 0; i < std::min(nodes.size(), kMostShown); ++i)
      out += fmt::format("{}[{}]", i == 0 ? "" : ", ", nodes[i] + 1);
    if (nodes.size() > kMostShown) out += fmt::format(", and {} more", nodes.size() - kMostShown);
    return out;
  }
  [[nodiscard]] Call const& call(Index i) const { return r_.calls[static_cast<std::size_t>(i)]; }
  [[nodiscard]] Launch const& launch(Index i) const { return r_.launches[static_cast<std::size_t>(i)]; }
  [[nodiscard]] std::string where(Index function, Index loop) const {
    std::string out = function == kNone
                          ? "outside functions"
                          : "in " + r_.functions[static_cast<std::size_t>(function)].name + "()";
    if (loop != kNone) {
      Loop const& l = r_.loops[static_cast<std::size_t>(loop)];
      out += fmt::format(", loop of {}: {}", at(l.line), one_line(l.header, 60));
    }
    return out;
  }
  [[nodiscard]] std::string uses(std::vector<Index> const& launches, std::vector<Index> const& calls) const {
    constexpr std::size_t kMostShown = 12;
    std::vector<std::pair<std::uint32_t, std::string>> items;
    for (Index i : launches) items.emplace_back(launch(i).line, one_line(launch(i).kernel, 60));
    for (Index i : calls) items.emplace_back(call(i).line, call(i).name);
    std::sort(items.begin(), items.end());
    std::string out;
    for (std::size_t i = 0; i < std::min(items.size(), kMostShown); ++i)
      out += fmt::format("{}{} ({})", i == 0 ? "" : ", ", items[i].second, at(items[i].first));
    if (items.size() > kMostShown) out += fmt::format(", and {} more", items.size() - kMostShown);
    return out.empty() ? "nothing found" : out;
  }

  void graph() {
    heading("Communication graph");
    if (r_.graph.empty()) line("  no host-driven collective");
    int number = 0;
    for (CommunicationNode const& n : r_.graph) {
      Call const& c = call(n.call);
      line("  [{}] {} at {}, {}", ++number, n.collective, at(c.line), where(c.function, c.loop));
      std::string what = fmt::format("count {}, type {}", one_line(n.count), n.datatype);
      for (auto const& [name, value] : {std::pair{"op", &n.op},
                                        {"root", &n.root},
                                        {"peer", &n.peer},
                                        {"comm", &n.comm},
                                        {"stream", &n.stream}})
        if (!value->empty()) what += fmt::format(", {} {}", name, one_line(*value));
      std::string const group = n.group == kNone ? std::string() : fmt::format(", in group {}", n.group + 1);
      line("      {}{}{}", what, n.in_place ? ", in place" : "", group);
      if (!n.send.expr.empty()) buffer("send", n.send);
      if (!n.recv.expr.empty()) buffer("recv", n.recv);
      advice(n);
      if (n.confidence < 1) {
        line("      confidence {:.2f}:", n.confidence);
        for (auto const& g : n.guesses) line("        - {}", one_line(g, 200));
      }
    }
  }

  [[nodiscard]] std::string memory(Index index) const {
    Allocation const& a = r_.allocations[static_cast<std::size_t>(index)];
    return fmt::format("{} at {}, {} bytes{}",
                       a.allocator,
                       at(call(a.call).line),
                       one_line(a.size),
                       a.symmetric ? ", usable by device communication" : "");
  }
  void buffer(std::string_view role, BufferRole const& b) {
    bool const ignored = b.base.empty() && b.allocation == kNone && b.producers.empty() &&
                         b.copies_in.empty() && (b.expr == "nullptr" || b.expr == "NULL" || b.expr == "0");
    if (ignored) return line("      {} {}: none here", role, b.expr);
    std::string from = b.allocation == kNone ? "allocation not found" : memory(b.allocation);
    for (std::size_t i = 0; i < b.alternatives.size(); ++i)
      from = (i == 0 ? "one of " : from + "; ") + memory(b.alternatives[i]);
    line("      {} {}: {}", role, one_line(b.expr), from);
    line("        written before by {}", uses(b.producers, b.copies_in));
    line("        read after by {}", uses(b.consumers, b.copies_out));
    if (!b.unordered_launches.empty() || !b.unordered_calls.empty())
      line("        nothing orders it and {}", uses(b.unordered_launches, b.unordered_calls));
  }

  void advice(CommunicationNode const& n) {
    line("      device side: {}", n.pattern);
    std::vector<std::string> needed;
    for (Index i : n.needs_symmetric) {
      Allocation const& a = r_.allocations[static_cast<std::size_t>(i)];
      needed.push_back(fmt::format("{} ({})", one_line(a.buffer), at(call(a.call).line)));
    }
    for (BufferRole const* b : {&n.send, &n.recv}) {
      std::string name = one_line(b->base);
      if (!name.empty() && b->allocation == kNone && b->alternatives.empty() &&
          std::find(needed.begin(), needed.end(), name) == needed.end())
        needed.push_back(std::move(name));
    }
    if (!needed.empty()) line("      needs ncclMemAlloc and a window: {}", fmt::join(needed, ", "));
  }

  void communicators() {
    if (r_.communicators.empty()) return;
    heading("Communicators");
    for (Communicator const& c : r_.communicators) {
      std::string made = "creation not found";
      if (c.call != kNone) made = fmt::format("{} at {}", c.how, at(call(c.call).line));
      if (c.parent != kNone)
        made += fmt::format(" of {}", one_line(r_.communicators[static_cast<std::size_t>(c.parent)].name));
      line("  {}: {}; {}",
           one_line(c.name),
           made,
           c.nodes.empty() ? std::string("no collective uses it") : "used by " + numbers(c.nodes));
    }
  }

  void groups() {
    if (r_.groups.empty()) return;
    heading("Groups");
    std::vector<Index> node_of(r_.calls.size(), kNone);
    for (std::size_t n = 0; n < r_.graph.size(); ++n)
      node_of[static_cast<std::size_t>(r_.graph[n].call)] = static_cast<Index>(n);
    int number = 0;
    for (Group const& g : r_.groups) {
      std::vector<Index> nodes;
      for (Index c : g.calls)
        if (node_of[static_cast<std::size_t>(c)] != kNone)
          nodes.push_back(node_of[static_cast<std::size_t>(c)]);
      line("  {}: from {} to {}: {}",
           ++number,
           at(call(g.start).line),
           g.end == kNone ? std::string("an end that was not found") : at(call(g.end).line),
           nodes.empty() ? std::string("nothing") : numbers(nodes));
    }
  }

  void allocations() {
    heading("Allocations");
    if (r_.allocations.empty()) line("  none");
    for (Allocation const& a : r_.allocations)
      line("  {}: {} = {}({})", at(call(a.call).line), one_line(a.buffer), a.allocator, one_line(a.size));
  }

  void execution_order() {
    heading("Execution order per function");
    struct Item {
      std::uint32_t offset, line;
      std::string text;
    };
    std::vector<std::vector<Item>> items(r_.functions.size());
    auto add = [&](Index f, Item item) {
      if (f != kNone) items[static_cast<std::size_t>(f)].push_back(std::move(item));
    };
    for (Launch const& l : r_.launches)
      add(l.function, {l.span.begin, l.line, one_line(l.kernel, 60) + " [compute]"});
    for (Index i : r_.collectives)
      add(call(i).function, {call(i).span.begin, call(i).line, call(i).name + " [communicate]"});
    for (Index i : r_.sync_points)
      add(call(i).function, {call(i).span.begin, call(i).line, call(i).name + " [synchronize]"});
    for (std::size_t f = 0; f < items.size(); ++f) {
      if (items[f].empty()) continue;
      std::sort(
          items[f].begin(), items[f].end(), [](Item const& a, Item const& b) { return a.offset < b.offset; });
      line("  {}():", r_.functions[f].name);
      for (Item const& i : items[f]) line("    {}: {}", at(i.line), i.text);
    }
  }

  void structure() {
    heading("Structure");
    std::string kernels;
    std::string functions;
    for (Function const& f : r_.functions) {
      std::string& list = f.is_kernel ? kernels : functions;
      SourcePlace const first = r_.map.locate(f.line);
      list += fmt::format("{}{} ({}{}{}-{})",
                          list.empty() ? "" : ", ",
                          f.name,
                          first.file,
                          first.file.empty() ? "" : ":",
                          first.line,
                          r_.map.locate(f.end_line).line);
    }
    line("  kernels: {}", kernels.empty() ? "none" : kernels);
    line("  functions: {}", functions.empty() ? "none" : functions);
    auto const symmetric = std::count_if(
        r_.allocations.begin(), r_.allocations.end(), [](auto const& a) { return a.symmetric; });
    line("  {} loops, {} macros, {} includes, {} allocations ({} by ncclMemAlloc)",
         r_.loops.size(),
         r_.macros.size(),
         r_.includes.size(),
         r_.allocations.size(),
         symmetric);
    line("  {} host synchronisations, {} NCCL set-up calls, {} MPI calls",
         r_.sync_points.size(),
         r_.setup.size(),
         r_.mpi.size());
  }

  Report const& r_;
  bool prompt_;
  std::string out_{};
};

}  // namespace impl

CUCO_EVOLVE_INLINE std::string to_text(Report const& report) {
  return impl::ReportWriter(report, false).run();
}
CUCO_EVOLVE_INLINE std::string to_prompt(Report const& report) {
  return impl::ReportWriter(report, true).run();
}

}  // namespace cuco
