// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/impl/prepare_point.hpp"
#include "cuco/transform/impl/timed_region.hpp"
#include "cuco/transform/warmup.hpp"

namespace cuco {

namespace impl {

class WarmupInserter {
 public:
  explicit WarmupInserter(SourceModel const& m) : m_(m), work_(m), regions_(m, work_), early_(m) {}

  [[nodiscard]] Result<Warmup> run() {
    auto const regions = regions_.find();
    auto const region =
        std::find_if(regions.begin(), regions.end(), [](TimedRegion const& r) { return r.by_timer; });
    if (region == regions.end()) return nothing("no timer was found around the communication");
    if (warms_up(*region)) return unwanted("the program warms up already");
    std::vector<int> calls;
    for (int call : work_.direct_communication())
      if (region->tokens.begin <= call && call < region->tokens.end) calls.push_back(call);
    if (calls.empty()) return nothing("the timed communication is inside another function");
    int point = -1;
    for (int call : calls) {
      if (overwrites_input(call) && !input_is_remade(call, *region))
        return unwanted("line " + std::to_string(m_.code.at(call).line) +
                        ": an extra round would change the input of an "
                        "in-place collective");
      auto const points = early_.before(call, {m_.code.squeezed({call, work_.call_end(call)})});
      if (points.size() != 1)
        return nothing("no place before the timed loop knows all arguments of the communication");
      point = point < 0 ? points.front().token : std::min(point, points.front().token);
    }
    insert(point, calls);
    auto code = edits_.apply(m_.source);
    if (!code) return forward_error(std::move(code));
    return Warmup{std::move(*code), true, "two rounds before line " + std::to_string(m_.code.at(point).line)};
  }

 private:
  [[nodiscard]] Warmup nothing(std::string reason) const { return {m_.source, false, std::move(reason)}; }
  [[nodiscard]] Warmup unwanted(std::string reason) const {
    return {m_.source, false, std::move(reason), true};
  }

  /// Communication that runs before the timer, or times that are left out by an if on the iteration.
  [[nodiscard]] bool warms_up(TimedRegion const& region) const {
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(region.function)].body;
    int const limit = region.start;
    if (work_.communicates({body.begin, limit})) return true;
    Index const loop = m_.outermost_loop(region.start);
    if (loop == kNone) return false;
    Loop const& l = m_.report.loops[static_cast<std::size_t>(loop)];
    std::string const variable = loop_variable(l);
    Range const tokens = m_.tokens_in(l.span);
    for (int i = tokens.begin; i < tokens.end; ++i) {
      if (!m_.code.is(i, "if") || !m_.code.is(i + 1, "(") || variable.empty()) continue;
      Range const condition = m_.code.inside(i + 1);
      bool const on_iteration =
          condition.size() >= 3 && m_.code.is(condition.begin, variable) &&
          (m_.code.is(condition.begin + 1, ">=") || m_.code.is(condition.begin + 1, ">"));
      if (on_iteration) return true;
    }
    return false;
  }

  [[nodiscard]] std::string loop_variable(Loop const& l) const {
    int const head = m_.token_at(l.span.begin) + 1;
    if (!m_.code.is(head, "(")) return {};
    Range const r = m_.code.inside(head);
    for (int i = r.begin; i < r.end && !m_.code.is(i, ";"); ++i)
      if (m_.code.is(i + 1, "=") && m_.code.is_word(i)) return std::string(m_.code.text(i));
    return {};
  }

  [[nodiscard]] std::vector<Range> arguments(int call) const {
    int open = call;
    while (!m_.code.is(open, "(")) ++open;
    return m_.code.split(m_.code.inside(open));
  }

  [[nodiscard]] bool overwrites_input(int call) const {
    auto const args = arguments(call);
    if (args.size() < 2) return true;
    Place a = m_.places->resolve(m_.code, args[0], call);
    Place b = m_.places->resolve(m_.code, args[1], call);
    if (!a.path.ok() || !b.path.ok()) return true;
    return a.scope == b.scope && a.path.root == b.path.root && a.path.steps == b.path.steps;
  }

  /// Whether something writes the send buffer in the loop, before the timer.
  [[nodiscard]] bool input_is_remade(int call, TimedRegion const& region) const {
    Index const loop = m_.outermost_loop(call);
    if (loop == kNone) return false;
    int const begin = m_.token_at(m_.report.loops[static_cast<std::size_t>(loop)].span.begin);
    if (begin >= region.start) return false;  // The timer is around the loop.
    Place const input = m_.places->resolve(m_.code, arguments(call)[0], call);
    for (int i = begin; i < region.start; ++i) {
      if (!m_.code.is(i, "(")) continue;
      for (Range arg : m_.code.split(m_.code.inside(i))) {
        if (arg.empty()) continue;
        Place const p = m_.places->resolve(m_.code, arg, i);
        if (p.path.ok() && p.scope == input.scope && p.path.root == input.path.root) return true;
      }
    }
    return false;
  }

  void insert(int point, std::vector<int> const& calls) {
    std::string text = "// Warm-up, not timed.\n";
    std::string const indent = indentation_at(m_.source, m_.code.at(point).offset);
    text += indent + "for (int warmup_round = 0; warmup_round < 2; ++warmup_round) {\n";
    for (int call : calls) {
      Call const* host = nullptr;
      for (Call const& c : m_.report.calls)
        if (m_.token_at(c.span.begin) == call) host = &c;
      Range const statement = regions_.siblings().around(call);
      bool const whole = host == nullptr ? is_checked_call(statement, call) : host->bare_statement;
      text +=
          indent + "  " +
          (whole ? m_.code.text(statement) : "(void)" + m_.code.text({call, work_.call_end(call)}) + ";") +
          "\n";
    }
    text += indent + "}\n" + indent + "cudaDeviceSynchronize();\n" + indent + "MPI_Barrier(MPI_COMM_WORLD);";
    insert_before(edits_, m_, point, text);
  }

  /// `call(…);` or `CHECK(call(…));`
  [[nodiscard]] bool is_checked_call(Range s, int call) const {
    int const end = work_.call_end(call);
    if (s.begin == call && s.end == end + 1) return true;
    return m_.code.is(s.begin + 1, "(") && s.begin + 2 == call && m_.code.is(end, ")") && s.end == end + 2;
  }

  SourceModel const& m_;
  Work work_;
  TimedRegions regions_;
  EarlyPoints early_;
  SourceEdits edits_{};
};

}  // namespace impl

CUCO_EVOLVE_INLINE Result<Warmup> insert_warmup(std::string_view code, std::string const& file) {
  auto model = impl::SourceModel::make(code, file);
  if (!model) return forward_error(std::move(model));
  return impl::WarmupInserter(**model).run();
}

}  // namespace cuco
