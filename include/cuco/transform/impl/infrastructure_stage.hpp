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
#include "cuco/transform/impl/launcher_calls.hpp"
#include "cuco/transform/impl/placement.hpp"
#include "cuco/transform/impl/prepare_point.hpp"

namespace cuco::impl {

/// Stage A: symmetric memory, windows, device communicator; collectives stay.
class InfrastructureStage {
 public:
  InfrastructureStage(SourceModel const& model, Api api, RewriteRequest const& request)
      : m_(model), api_(api), request_(request), planner_(model, api, request), early_(model) {}

  [[nodiscard]] Result<Rewrite> run() {
    auto plan = planner_.plan();
    if (!plan) return forward_error(std::move(plan));
    plan_ = std::move(*plan);
    options_.api = api_;
    options_.landing = needs_landing(plan_.launchers);
    options_.exchanges = sends_and_receives(plan_.launchers);
    allocations();
    frees();
    endings();
    if (plan_.sends()) creations();
    preparations();
    for (StagedBuffer const& s : plan_.staged)
      changes_.push_back({s.line, "copy " + s.buffer + " through a landing buffer", s.why});
    insert_generated();
    auto code = edits_.apply(m_.source);
    if (!code) return forward_error(std::move(code));
    std::stable_sort(
        changes_.begin(), changes_.end(), [](Change const& a, Change const& b) { return a.line < b.line; });
    return Rewrite{std::move(*code), std::move(changes_)};
  }

 private:
  void rename(
      Span name, std::uint32_t line, std::string const& from, std::string const& to, std::string why) {
    edits_.replace(name, "device_nccl::" + to);
    changes_.push_back({line, "call device_nccl::" + to + " in place of " + from, std::move(why)});
    first_use_ = std::min(first_use_, name.begin);
  }
  void rename(NcclUse const& use, std::string const& to, std::string why) {
    rename(use.name, use.line, use.function, to, std::move(why));
  }

  void allocations() {
    for (Index a : plan_.symmetric) {
      Allocation const& allocation = m_.report.allocations[static_cast<std::size_t>(a)];
      Call const& call = m_.call(allocation.call);
      bool const plain = allocation.allocator == "cudaMalloc";
      bool const largest = plan_.largest.count(a) != 0;
      options_.uses_nccl_mem_alloc = options_.uses_nccl_mem_alloc || !plain;
      options_.uses_largest = options_.uses_largest || largest;
      rename({call.span.begin, call.span.begin + static_cast<std::uint32_t>(call.name.size())},
             call.line,
             call.name,
             largest ? "allocate_largest"
             : plain ? "allocate"
                     : "mem_alloc",
             "peers must reach '" + allocation.buffer + "'" +
                 (largest ? ", whose size differs between ranks" : ""));
    }
  }

  /// Frees that may be of a symmetric buffer. `release` frees other memory too, so doubt does no harm.
  void frees() {
    if (plan_.symmetric.empty()) return;
    std::set<std::uint32_t> others;  // Offsets of frees of other memory.
    for (std::size_t c = 0; c < m_.report.calls.size(); ++c) {
      Call const& call = m_.report.calls[c];
      CallTokens const& t = m_.call_tokens(static_cast<Index>(c));
      if ((call.name != "cudaFree" && call.name != "ncclMemFree") || t.args.size() != 1) continue;
      Place place = m_.places->resolve(*t.code, t.args.front(), t.position);
      Index const allocation = m_.places->allocation_of(place);
      if (allocation != kNone && place.guesses.empty() && plan_.symmetric.count(allocation) == 0)
        others.insert(call.span.begin);
    }
    for (NcclUse const& use : uses({"cudaFree", "ncclMemFree"})) {
      if (others.count(use.name.begin) != 0) continue;
      bool const cuda = use.function == "cudaFree";
      options_.uses_nccl_mem_free = options_.uses_nccl_mem_free || !cuda;
      rename(use, cuda ? "release" : "mem_free", "it may be symmetric memory");
    }
  }

  void endings() {
    for (NcclUse const& use : uses({"ncclCommDestroy", "ncclCommFinalize", "ncclCommAbort"})) {
      add_once(options_.endings, use.function);
      rename(use, ending_name(use.function), "windows and device communicator must go first");
    }
  }

  void creations() {
    for (NcclUse const& use :
         uses({"ncclCommInitRank", "ncclCommInitRankConfig", "ncclCommInitRankScalable", "ncclCommSplit"})) {
      add_once(options_.creations, use.function);
      rename(use, creation_name(use.function), "all its ranks set up the memory that sends go through");
    }
    auto const groups = GroupReader(m_, planner_.macros(), request_.file).read();
    if (!groups) return;  // The planner has read them before.
    for (GroupUse const& g : *groups) {
      if (!g.creates) continue;
      options_.creates_in_groups = true;
      rename(g.use,
             g.use.function == "ncclGroupStart" ? "creation_group_start" : "creation_group_end",
             "its communicators are there at the end");
    }
  }

  [[nodiscard]] std::vector<NcclUse> uses(std::vector<std::string_view> const& names) const {
    return find_uses(m_, planner_.macros(), [&](std::string_view w) {
      return std::find(names.begin(), names.end(), w) != names.end();
    });
  }
  static void add_once(std::vector<std::string>& list, std::string const& name) {
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  }

  void preparations() {
    std::vector<EarlyPoint> done;
    for (PlannedUse const& planned : plan_.uses) {
      Site const& site = plan_.launchers[planned.launcher].site;
      if (site.collective == Collective::kSendRecv || planned.use.token < 0 || planned.nodes.empty())
        continue;
      CallTokens const& t = m_.call_tokens(m_.report.graph[static_cast<std::size_t>(planned.nodes[0])].call);
      CollectiveSignature const& s = *planned.use.signature();
      std::vector<int> buffers;
      if (!site.send_staged) buffers.push_back(s.send);
      if (!site.recv_staged && s.recv != s.send) buffers.push_back(s.recv);
      std::vector<std::string> exact{text_of(t, s.comm)}, terms{text_of(t, s.comm)};
      for (int b : buffers) {
        exact.push_back(text_of(t, b));
        terms.push_back(first_term(t.args[static_cast<std::size_t>(b)]));
      }
      auto points = early_.before(t.position, exact);
      if (points.empty()) points = early_.before(t.position, terms);  // Their offsets left out.
      if (!std::all_of(exact.begin(), exact.end(), [&](auto const& e) { return early_.may_repeat(e); }))
        points.clear();
      for (auto p = points.begin(); p != points.end();)  // Registering takes all ranks.
        p = planner_.ranks().some_ranks_only(p->token) ? points.erase(p) : p + 1;
      if (points.empty())
        changes_.push_back({planned.use.line,
                            "register the buffers of " + planned.use.function + " when it first runs",
                            "no place before its loop knows them all, or may compute them once more"});
      for (EarlyPoint& p : points) prepare_at(std::move(p), done);
    }
  }

  void prepare_at(EarlyPoint p, std::vector<EarlyPoint>& done) {
    if (covered(p, done)) return;
    std::string buffers;
    for (std::size_t i = 1; i < p.expressions.size(); ++i) buffers += (i == 1 ? "" : ", ") + p.expressions[i];
    insert_before(edits_, m_, p.token, "device_nccl::prepare(" + p.expressions[0] + ", {" + buffers + "});");
    changes_.push_back({m_.code.at(p.token).line,
                        buffers.empty() ? "set up the device communicator" : "register " + buffers,
                        "once, outside what is timed"});
    first_use_ = std::min(first_use_, m_.code.at(p.token).offset);
    done.push_back(std::move(p));
  }

  [[nodiscard]] std::string text_of(CallTokens const& t, int argument) const {
    return m_.code.squeezed(t.args[static_cast<std::size_t>(argument)]);
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
    for (PlannedUse const& planned : plan_.uses) first_use_ = std::min(first_use_, planned.use.name.begin);
    InsertionPoints const points = insertion_points(m_, first_use_);
    Headers const headers = missing_headers(m_, plan_, points.infrastructure);
    if (!headers.beside_nccl.empty()) edits_.insert(headers.after_nccl, headers.beside_nccl);
    std::string text = headers.others + "\n" + infrastructure_text(options_);
    std::string const section =
        "\n" + with_launcher_calls(section_text(api_, plan_.launchers, false), plan_, api_);
    edits_.insert(points.infrastructure,
                  text + (points.section == points.infrastructure ? section : std::string()));
    if (points.section != points.infrastructure) edits_.insert(points.section, section.substr(1) + "\n");
    changes_.push_back(
        {1, "add symmetric memory and the device communicator", "kernels that communicate need them"});
  }

  SourceModel const& m_;
  Api api_;
  RewriteRequest const& request_;
  SitePlanner planner_;
  EarlyPoints early_;
  Plan plan_{};
  InfrastructureOptions options_{};
  SourceEdits edits_{};
  std::vector<Change> changes_{};
  std::uint32_t first_use_ = static_cast<std::uint32_t>(-1);
};

}  // namespace cuco::impl
