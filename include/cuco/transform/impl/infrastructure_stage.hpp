// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/codegen/infrastructure.hpp"
#include "cuco/transform/codegen/section.hpp"
#include "cuco/transform/impl/collective_sites.hpp"
#include "cuco/transform/impl/placement.hpp"
#include "cuco/transform/impl/prepare_point.hpp"

namespace cuco::impl {

/// Stage A: symmetric memory, windows, device communicator; collectives stay.
class InfrastructureStage {
 public:
  InfrastructureStage(SourceModel const& model, Api api, RewriteRequest const& request)
      : m_(model), api_(api), request_(request), early_(model) {}

  [[nodiscard]] Result<Rewrite> run() {
    auto plan = SitePlanner(m_, api_, request_).plan();
    if (!plan) return forward_error(std::move(plan));
    plan_ = std::move(*plan);
    options_.api = api_;
    options_.reduces = plan_.reduces;
    allocations();
    if (auto ok = frees(); !ok) return forward_error(std::move(ok));
    if (auto ok = endings(); !ok) return forward_error(std::move(ok));
    preparations();
    insert_generated();
    auto code = edits_.apply(m_.source);
    if (!code) return forward_error(std::move(code));
    std::sort(
        changes_.begin(), changes_.end(), [](Change const& a, Change const& b) { return a.line < b.line; });
    return Rewrite{std::move(*code), std::move(changes_)};
  }

 private:
  void rename(Call const& call, std::string const& name, std::string why) {
    edits_.replace({call.span.begin, call.span.begin + static_cast<std::uint32_t>(call.name.size())},
                   "device_nccl::" + name);
    changes_.push_back(
        {call.line, "call device_nccl::" + name + " in place of " + call.name, std::move(why)});
    first_use_ = std::min(first_use_, call.span.begin);
  }

  void allocations() {
    for (Index a : plan_.symmetric) {
      Allocation const& allocation = m_.report.allocations[static_cast<std::size_t>(a)];
      bool const plain = allocation.allocator == "cudaMalloc";
      options_.uses_nccl_mem_alloc = options_.uses_nccl_mem_alloc || !plain;
      rename(m_.call(allocation.call),
             plain ? "allocate" : "mem_alloc",
             "peers must reach '" + allocation.buffer + "'");
    }
  }

  /// Frees that may be of a symmetric buffer. `release` frees other memory too, so doubt does no harm.
  [[nodiscard]] Result<void> frees() {
    for (std::size_t c = 0; c < m_.report.calls.size(); ++c) {
      Call const& call = m_.report.calls[c];
      bool const cuda = call.name == "cudaFree";
      if (!cuda && call.name != "ncclMemFree") continue;
      CallTokens const& t = m_.call_tokens(static_cast<Index>(c));
      if (t.args.size() != 1) continue;
      Place place = m_.places->resolve(*t.code, t.args.front(), t.position);
      Index const allocation = m_.places->allocation_of(place);
      if (allocation != kNone && place.guesses.empty() && plan_.symmetric.count(allocation) == 0) continue;
      if (!call.macro.empty())
        return fail_at(
            ErrorCode::kRefused,
            request_.file,
            call.line,
            call.name + " of what may be a communication buffer comes from the macro " + call.macro,
            "write the call out where it is used");
      options_.uses_nccl_mem_free = options_.uses_nccl_mem_free || !cuda;
      rename(call, cuda ? "release" : "mem_free", "it may be symmetric memory");
    }
    free_names();
    return {};
  }

  /// cudaFree as a value, for example a deleter.
  void free_names() {
    for (int i = 0; i < m_.code.size(); ++i) {
      if (!m_.code.is(i, "cudaFree") || m_.code.is(i + 1, "(") || !m_.is_free_word(i)) continue;
      edits_.replace(m_.code.at(i).span(), "device_nccl::release");
      changes_.push_back({m_.code.at(i).line,
                          "use device_nccl::release in place of cudaFree",
                          "it may free symmetric memory"});
      first_use_ = std::min(first_use_, m_.code.at(i).offset);
    }
  }

  [[nodiscard]] Result<void> endings() {
    for (Call const& call : m_.report.calls) {
      if (call.name != "ncclCommDestroy" && call.name != "ncclCommFinalize" && call.name != "ncclCommAbort")
        continue;
      if (!call.macro.empty())
        return fail_at(ErrorCode::kRefused,
                       request_.file,
                       call.line,
                       call.name + " comes from the macro " + call.macro,
                       "write the call out where it is used");
      if (std::find(options_.endings.begin(), options_.endings.end(), call.name) == options_.endings.end())
        options_.endings.push_back(call.name);
      rename(call, ending_name(call.name), "windows and device communicator must go first");
    }
    return {};
  }

  void preparations() {
    std::vector<EarlyPoint> done;
    for (PlannedCall const& planned : plan_.calls) {
      Call const& call = m_.call(planned.call);
      CallTokens const& t = m_.call_tokens(planned.call);
      std::size_t const comm = call.args.size() - 2;
      auto points = early_.before(t.position, {text_of(t, comm), text_of(t, 0), text_of(t, 1)});
      if (points.empty())  // With the buffers alone, their offsets left out.
        points = early_.before(t.position, {text_of(t, comm), first_term(t.args[0]), first_term(t.args[1])});
      if (points.empty())
        changes_.push_back({call.line,
                            "register the buffers of " + call.name + " when it first runs",
                            "no place before its loop knows them all"});
      for (EarlyPoint& p : points) {
        if (covered(p, done)) continue;
        insert_before(edits_,
                      m_,
                      p.token,
                      "device_nccl::prepare(" + p.expressions[0] + ", {" + p.expressions[1] + ", " +
                          p.expressions[2] + "});");
        changes_.push_back({m_.code.at(p.token).line,
                            "register " + p.expressions[1] + " and " + p.expressions[2],
                            "once, outside what is timed"});
        first_use_ = std::min(first_use_, m_.code.at(p.token).offset);
        done.push_back(std::move(p));
      }
    }
  }

  [[nodiscard]] std::string text_of(CallTokens const& t, std::size_t argument) const {
    return m_.code.squeezed(t.args[argument]);
  }

  [[nodiscard]] std::string first_term(Range r) const {
    for (int i = r.begin + 1; i < r.end; i = m_.code.next(i))
      if (m_.code.is(i, "+")) return m_.code.squeezed({r.begin, i});
    return m_.code.squeezed(r);
  }

  /// Whether the same is prepared before, in a block around `p`.
  [[nodiscard]] bool covered(EarlyPoint const& p, std::vector<EarlyPoint> const& done) const {
    return std::any_of(done.begin(), done.end(), [&](EarlyPoint const& d) {
      int const open = m_.code.enclosing(d.token);
      return d.expressions == p.expressions && d.token <= p.token && open < p.token &&
             p.token < m_.code.partner(open);
    });
  }

  void insert_generated() {
    for (PlannedCall const& planned : plan_.calls)
      first_use_ = std::min(first_use_, m_.call(planned.call).span.begin);
    Headers const headers = missing_headers(m_, plan_);
    if (!headers.beside_nccl.empty()) edits_.insert(headers.after_nccl, headers.beside_nccl);
    InsertionPoints const points = insertion_points(m_, first_use_);
    std::string text = headers.others + "\n" + infrastructure_text(options_);
    std::string const section = "\n" + section_text(api_, plan_.launchers, false);
    edits_.insert(points.infrastructure,
                  text + (points.section == points.infrastructure ? section : std::string()));
    if (points.section != points.infrastructure) edits_.insert(points.section, section.substr(1) + "\n");
    changes_.push_back(
        {1, "add symmetric memory and the device communicator", "kernels that communicate need them"});
  }

  SourceModel const& m_;
  Api api_;
  RewriteRequest const& request_;
  EarlyPoints early_;
  Plan plan_{};
  InfrastructureOptions options_{};
  SourceEdits edits_{};
  std::vector<Change> changes_{};
  std::uint32_t first_use_ = static_cast<std::uint32_t>(-1);
};

}  // namespace cuco::impl
