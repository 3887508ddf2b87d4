// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cuco/transform/codegen/plan.hpp"
#include "cuco/transform/impl/constants.hpp"
#include "cuco/transform/impl/rank_dependence.hpp"
#include "cuco/transform/impl/streams.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco::impl {

/// One collective call and the launcher that takes its place.
struct PlannedCall {
  Index call = kNone;
  Index node = kNone;
  std::size_t launcher = 0;
};

/// What becomes of a program's communication.
struct Plan {
  std::vector<Launcher> launchers;
  std::vector<PlannedCall> calls;
  std::set<Index> symmetric;  ///< Allocations that become symmetric memory.
  bool reduces = false;
};

inline constexpr char const* kSupportedCollectives =
    "the rules know ncclAllReduce, ncclAllGather and ncclAlltoAll";

/// Finds the launchers a program needs, or the first construct that the rules do not cover.
class SitePlanner {
 public:
  SitePlanner(SourceModel const& model, Api api, RewriteRequest const& request)
      : m_(model), api_(api), request_(request), ranks_(model) {}

  [[nodiscard]] Result<Plan> plan() {
    if (auto ok = check_program(); !ok) return forward_error(std::move(ok));
    for (std::size_t n = 0; n < m_.report.graph.size(); ++n) {
      if (auto ok = add(static_cast<Index>(n)); !ok) return forward_error(std::move(ok));
    }
    if (plan_.calls.empty())
      return fail_at(ErrorCode::kRefused,
                     request_.file,
                     0,
                     "the program has no collective to transform",
                     std::string(kSupportedCollectives));
    if (widen_) {
      for (std::size_t a = 0; a < m_.report.allocations.size(); ++a)
        if (m_.report.allocations[a].allocator == "cudaMalloc") plan_.symmetric.insert(static_cast<Index>(a));
    }
    for (Index a : plan_.symmetric)
      if (auto ok = check_allocation(a); !ok) return forward_error(std::move(ok));
    return choose_directives();
  }

 private:
  [[nodiscard]] tl::unexpected<Error> refuse(std::uint32_t line,
                                             std::string cause,
                                             std::string remedy) const {
    return fail_at(ErrorCode::kRefused, request_.file, line, std::move(cause), std::move(remedy));
  }

  /// Constructs that no rule covers, wherever they stand.
  [[nodiscard]] Result<void> check_program() const {
    for (Token const& t : m_.code.tokens) {
      if (t.is("device_nccl"))
        return refuse(
            t.line, "'device_nccl' is already in use", "rename it; the generated code needs that name");
    }
    for (Call const& c : m_.report.calls) {
      if (c.name == "ncclCommWindowRegister" || c.name == "ncclDevCommCreate")
        return refuse(c.line,
                      c.name + ": the program already uses device-side communication",
                      "start from the version that communicates from the host");
      if (c.name == "ncclCommInitAll")
        return refuse(
            c.line, "ncclCommInitAll: one process drives several GPUs", "use one MPI rank for each GPU");
    }
    return check_collective_words();
  }

  /// Every mention of a host collective must be a call that the analysis understood.
  [[nodiscard]] Result<void> check_collective_words() const {
    std::set<std::uint32_t> known;
    for (CommunicationNode const& n : m_.report.graph) known.insert(m_.call(n.call).span.begin);
    for (int i = 0; i < m_.code.size(); ++i) {
      if (!m_.code.is_word(i) || find_collective(m_.code.text(i)) == nullptr) continue;
      if (known.count(m_.code.at(i).offset) != 0 || m_.function_of(i) == kNone) continue;
      return refuse(m_.code.at(i).line,
                    std::string(m_.code.text(i)) + " is not called directly here",
                    "call it by name with its arguments in place");
    }
    for (Macro const& macro : m_.report.macros) {
      auto words = lex(macro.value);
      if (!words) continue;
      for (Token const& t : words->tokens)
        if (find_collective(t.text) != nullptr)
          return refuse(macro.line,
                        "macro " + macro.name + " contains " + std::string(t.text),
                        "write the call out where it is used");
    }
    return {};
  }

  [[nodiscard]] Result<void> add(Index node_index) {
    CommunicationNode const& node = m_.report.graph[static_cast<std::size_t>(node_index)];
    Call const& call = m_.call(node.call);
    Site site;
    site.api = api_;
    site.max_ranks = std::max(site.max_ranks, request_.ranks);
    if (node.collective == "AllReduce") {
      site.collective = Collective::kAllReduce;
    } else if (node.collective == "AllGather") {
      site.collective = Collective::kAllGather;
    } else if (node.collective == "AlltoAll") {
      site.collective = Collective::kAllToAll;
    } else {
      return refuse(call.line, call.name + " has no rule", kSupportedCollectives);
    }
    bool const reduces = site.collective == Collective::kAllReduce;
    if (!call.macro.empty())
      return refuse(call.line,
                    call.name + " comes from the macro " + call.macro,
                    "write the call out where it is used");
    if (call.args.size() != (reduces ? 7U : 6U))
      return refuse(
          call.line, call.name + " has " + std::to_string(call.args.size()) + " arguments", "check the call");
    if (node.in_group)
      return refuse(
          call.line, call.name + " is inside ncclGroupStart and ncclGroupEnd", "call it outside a group");
    auto const type = element_type_of(constant_of(m_, node.datatype, "ncclDataType_t"));
    if (!type)
      return refuse(
          call.line,
          "the element type '" + node.datatype + "' of " + call.name + " is not a constant the rules know",
          "use one of ncclInt8, ncclUint8, ncclInt32, ncclUint32, ncclInt64, ncclUint64, ncclFloat16, "
          "ncclFloat32, "
          "ncclFloat64, ncclBfloat16");
    site.type = *type;
    if (reduces) {
      auto const op = reduction_of(constant_of(m_, node.op, "ncclRedOp_t"));
      if (!op)
        return refuse(call.line,
                      "the reduction '" + node.op + "' is not a constant the rules know",
                      "use ncclSum, ncclProd, ncclMin, ncclMax or ncclAvg");
      site.op = *op;
      plan_.reduces = true;
    }
    auto const send = allocations_of(node.send, call, "send", 0);
    if (!send) return tl::unexpected<Error>(send.error());
    auto const recv = allocations_of(node.recv, call, "receive", 1);
    if (!recv) return tl::unexpected<Error>(recv.error());
    plan_.symmetric.insert(send->begin(), send->end());
    plan_.symmetric.insert(recv->begin(), recv->end());
    widen_ = widen_ || !node.guesses.empty();
    bool const share = std::any_of(send->begin(), send->end(), [&](Index a) { return recv->count(a) != 0; });
    site.in_place = node.in_place || (reduces && share);
    CallTokens const& t = m_.call_tokens(node.call);
    site.send_offset_varies = ranks_.varies(m_.code, t.args[0], t.position);
    site.recv_offset_varies = ranks_.varies(m_.code, t.args[1], t.position);
    remember(site, node, node_index);
    return {};
  }

  /// Merges `site` into the launcher of its kind, keeping what is worse.
  void remember(Site const& site, CommunicationNode const& node, Index node_index) {
    std::string const name = name_of(site);
    std::size_t at = 0;
    while (at < plan_.launchers.size() && plan_.launchers[at].name != name) ++at;
    if (at == plan_.launchers.size()) plan_.launchers.push_back({name, site, {}});
    if (at == streams_.size()) streams_.emplace_back();
    Site& merged = plan_.launchers[at].site;
    merged.in_place |= site.in_place;
    merged.send_offset_varies |= site.send_offset_varies;
    merged.recv_offset_varies |= site.recv_offset_varies;
    CallTokens const& t = m_.call_tokens(node.call);
    collect_streams(m_, t.args.back(), t.position, streams_[at]);
    merged.several_streams |= streams_[at].size() > 1;
    plan_.calls.push_back({node.call, node_index, at});
  }

  [[nodiscard]] Result<std::set<Index>> allocations_of(BufferRole const& role,
                                                       Call const& call,
                                                       char const* which,
                                                       int arg) {
    if (role.allocation != kNone) return std::set<Index>{role.allocation};
    CallTokens const& t = m_.call_tokens(m_.report.graph.empty() ? kNone : index_of(call));
    std::set<Index> out;
    trace_parameter(t.args[static_cast<std::size_t>(arg)], t.position, out, 0);
    if (!out.empty()) {
      widen_ = true;
      return out;
    }
    return refuse(
        call.line,
        std::string("the allocation of the ") + which + " buffer '" + role.expr + "' of " + call.name +
            " was not found",
        "allocate it with cudaMalloc in this file and pass it as a variable, a member or a parameter");
  }

  [[nodiscard]] Index index_of(Call const& call) const {
    return static_cast<Index>(&call - m_.report.calls.data());
  }

  /// A parameter that different callers give different buffers.
  void trace_parameter(Range r, int position, std::set<Index>& out, int depth) const {
    constexpr int kDeepest = 6;
    Place place = m_.places->resolve(m_.code, r, position);
    Index const direct = m_.places->allocation_of(place);
    if (direct != kNone) {
      out.insert(direct);
      return;
    }
    Index const f = place.scope;
    if (f == kNone || depth > kDeepest || !place.path.ok()) return;
    auto const& names = m_.function(f).parameter_names;
    auto const at = std::find(names.begin(), names.end(), place.path.root);
    if (at == names.end()) return;
    auto const argument = static_cast<std::size_t>(at - names.begin());
    std::string const member = place.path.steps.empty() ? std::string() : place.path.steps.back();
    for (CallSite const& site : m_.sites_of(f)) {
      if (argument >= site.args.size()) continue;
      if (member.empty()) trace_parameter(site.args[argument], site.position, out, depth + 1);
    }
    // A structure that callers fill differently: every allocation that is kept in a member of that name.
    for (std::size_t a = 0; !member.empty() && a < m_.report.allocations.size(); ++a) {
      std::string const& buffer = m_.report.allocations[a].buffer;
      std::string const name = member.substr(1);
      if (buffer.size() > name.size() &&
          buffer.compare(buffer.size() - name.size(), name.size(), name) == 0 &&
          (buffer[buffer.size() - name.size() - 1] == '.' || buffer[buffer.size() - name.size() - 1] == '>'))
        out.insert(static_cast<Index>(a));
    }
  }

  [[nodiscard]] Result<void> check_allocation(Index index) const {
    Allocation const& a = m_.report.allocations[static_cast<std::size_t>(index)];
    Call const& call = m_.call(a.call);
    if (!call.macro.empty())
      return refuse(call.line,
                    call.name + " of '" + a.buffer + "' comes from the macro " + call.macro,
                    "write the call out where it is used");
    if (a.allocator != "cudaMalloc" && a.allocator != "ncclMemAlloc")
      return refuse(call.line,
                    a.allocator + ": communication buffer '" + a.buffer + "' must be plain device memory",
                    "allocate it with cudaMalloc");
    CallTokens const& t = m_.call_tokens(a.call);
    if (t.args.size() > 1 && ranks_.varies(m_.code, t.args[1], t.position))
      return refuse(
          call.line,
          "the size '" + a.size + "' of communication buffer '" + a.buffer + "' may differ between ranks",
          "allocate the same size on every rank");
    return {};
  }

  [[nodiscard]] Result<Plan> choose_directives() {
    for (std::size_t i = 0; i < plan_.launchers.size(); ++i) {
      Launcher& l = plan_.launchers[i];
      l.directives = conservative(l.site);
      if (request_.directives && !legal(*request_.directives, l.site)) l.directives = *request_.directives;
      auto const reason = legal(l.directives, l.site);
      if (!reason) continue;
      auto const first = std::find_if(
          plan_.calls.begin(), plan_.calls.end(), [&](PlannedCall const& c) { return c.launcher == i; });
      Call const& call = m_.call(first->call);
      return refuse(call.line,
                    call.name + ": " + reason->text,
                    "no point of the design space is legal here; change the call or keep it");
    }
    return std::move(plan_);
  }

  SourceModel const& m_;
  Api api_;
  RewriteRequest const& request_;
  RankDependence ranks_;
  Plan plan_{};
  std::vector<std::set<std::string>> streams_{};
  bool widen_ = false;
};

}  // namespace cuco::impl
