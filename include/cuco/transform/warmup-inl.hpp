// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/impl/names_reaching.hpp"
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
      for (Range arg : arguments(call))
        if (!early_.may_repeat(m_.code.squeezed(arg)))
          return unwanted("line " + std::to_string(m_.code.at(call).line) +
                         ": an argument of the communication may not be computed more often");
      auto const points = early_.before(call, {m_.code.squeezed({call, work_.call_end(call)})});
      if (points.size() != 1)
        return nothing("no place before the timed loop knows all arguments of the communication");
      point = point < 0 ? points.front().token : std::min(point, points.front().token);
    }
    if (int const reader = reads_first(calls, point); reader >= 0)
      return unwanted("line " + std::to_string(m_.code.at(reader).line) +
                      " may read what the communication writes, before the first round has written it");
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

  /// What may read a result of `calls` between `point` and the call that writes it for the first time, a
  /// communication of the same round included; -1: nothing.
  [[nodiscard]] int reads_first(std::vector<int> const& calls, int point) const {
    Names const working = names_reaching(m_, macro_bodies(m_), [](std::string_view w) {
      return w == "<<<" || w.starts_with("cudaLaunch") || w.starts_with("cudaMemcpy");
    });
    for (std::size_t k = 0; k < calls.size(); ++k) {
      Range const result = buffer_of(calls[k], true);
      if (result.empty()) continue;
      Place const place = m_.places->resolve(m_.code, result, calls[k]);
      if (!place.path.ok()) return calls[k];
      bool const local = place.scope != kNone && place.path.steps.empty();
      for (std::size_t i = 0; i < k; ++i)
        if (Range const input = buffer_of(calls[i], false); touches(input, calls[i], place)) return calls[i];
      for (int i = point; i < calls[k]; ++i) {
        bool const named = m_.code.is_word(i) && working.count(m_.code.text(i)) != 0;
        if (named && (!local || is_lambda(i))) return i;  // It may reach the buffer without being given it.
        bool const passive =
            !m_.code.is(i, "(") || m_.code.text(i - 1).starts_with("cudaMemset") ||
            std::any_of(calls.begin(), calls.end(), [&](int c) { return c < i && i < work_.call_end(c); });
        if (passive) continue;
        auto const args = m_.code.split(m_.code.inside(i));
        std::size_t const first = m_.code.text(i - 1).starts_with("cudaMemcpy") ? 1 : 0;  // Copied over.
        for (std::size_t a = first; a < args.size(); ++a)
          if (touches(args[a], i, place)) return i;
      }
    }
    return -1;
  }
  /// The argument of the communication at `call` that it writes, or reads; empty when it has none.
  [[nodiscard]] Range buffer_of(int call, bool written) const {
    int name = call;
    while (!m_.code.is(name + 1, "(")) ++name;
    std::string_view const word = m_.code.text(name);
    auto const args = arguments(call);
    bool const sends = word == "send" || word == "ncclSend", receives = word == "recv" || word == "ncclRecv";
    if (args.size() < 2 || (sends && written) || (receives && !written)) return {};
    return args[written && !receives && word != "ncclBcast" ? 1 : 0];
  }
  [[nodiscard]] bool touches(Range arg, int position, Place const& buffer) const {
    if (arg.empty()) return false;
    Place const p = m_.places->resolve(m_.code, arg, position);
    if (p.path.ok() && p.scope == buffer.scope && p.path.root == buffer.path.root) return true;
    for (int i = arg.begin; i < arg.end; i = m_.code.next(i))  // Calls in it have arguments of their own.
      if (m_.code.is(i, buffer.path.root) && m_.is_free_word(i)) return true;
    return false;
  }
  [[nodiscard]] bool is_lambda(int i) const {
    for (int k = 0; k < i; ++k)
      if (m_.code.is(k, m_.code.text(i)) && m_.code.is(k + 1, "=") && m_.code.is(k + 2, "[")) return true;
    return false;
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
