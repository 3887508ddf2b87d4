// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/codegen/plan.hpp"
#include "cuco/transform/impl/buffer_choice.hpp"
#include "cuco/transform/impl/group_calls.hpp"
#include "cuco/transform/impl/program_check.hpp"
#include "cuco/transform/impl/streams.hpp"
#include "cuco/transform/impl/use_types.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco::impl {

/// One use of an NCCL function and the launcher that takes its place.
struct PlannedUse {
  NcclUse use;
  std::size_t launcher = 0;
  std::vector<Index> nodes;  ///< Of the communication graph; several when a macro is used several times.
};

/// A buffer that is copied through landing memory, and why.
struct StagedBuffer {
  std::uint32_t line = 0;
  std::string buffer;
  std::string why;
  bool operator==(StagedBuffer const&) const = default;
};

/// What becomes of a program's communication.
struct Plan {
  std::vector<Launcher> launchers;
  std::vector<PlannedUse> uses;  ///< In source order.
  std::set<Index> symmetric;     ///< Allocations that become symmetric memory.
  std::set<Index> largest;       ///< Those of them whose size differs between ranks.
  std::vector<StagedBuffer> staged;
  [[nodiscard]] bool sends() const {
    for (Launcher const& l : launchers)
      if (l.site.collective == Collective::kSendRecv) return true;
    return false;
  }
};

/// Finds the launchers a program needs, or the first construct that the rules do not cover.
class SitePlanner {
 public:
  SitePlanner(SourceModel const& model, Api api, RewriteRequest const& request)
      : m_(model),
        api_(api),
        apis_(api == Api::Auto ? std::vector<Api>{Api::LSA, Api::GIN} : std::vector<Api>{api}),
        request_(request),
        ranks_(model),
        buffers_(model, ranks_),
        stream_reader_(model),
        macros_(macro_bodies(model)),
        types_(model, macros_) {}

  [[nodiscard]] Result<Plan> plan() {
    if (auto ok = check_program(m_, macros_, request_.file); !ok) return forward_error(std::move(ok));
    auto uses = find_uses(m_, macros_, [](std::string_view w) { return find_collective(w) != nullptr; });
    if (uses.empty())
      return fail_at(ErrorCode::kRefused,
                     request_.file,
                     0,
                     "the program has no collective to transform",
                     "give a program that calls NCCL from the host");
    if (auto groups = GroupReader(m_, macros_, request_.file).read(); !groups)
      return forward_error(std::move(groups));
    assign_nodes(uses);
    find_divided(uses);
    for (NcclUse& use : uses)
      if (auto ok = add(std::move(use)); !ok) return forward_error(std::move(ok));
    for (std::size_t i = 0; i < plan_.launchers.size(); ++i)
      plan_.launchers[i].site.several_streams = streams_.several(i, stream_reader_);
    if (auto ok = add_runtime_types(); !ok) return forward_error(std::move(ok));
    if (widen_) plan_.symmetric.insert(buffers_.common().begin(), buffers_.common().end());
    for (Index a : plan_.symmetric)
      if (buffers_.size_varies(a)) plan_.largest.insert(a);
    if (api_ == Api::Auto) split_launchers();
    if (auto ok = choose_directives(); !ok) return forward_error(std::move(ok));
    return std::move(plan_);
  }

  [[nodiscard]] RankDependence const& ranks() const { return ranks_; }
  [[nodiscard]] std::vector<MacroBody> const& macros() const { return macros_; }

 private:
  [[nodiscard]] tl::unexpected<Error> refuse(std::uint32_t line,
                                             std::string cause,
                                             std::string remedy) const {
    return fail_at(ErrorCode::kRefused, request_.file, line, std::move(cause), std::move(remedy));
  }

  /// The interfaces that every launcher is generated for.
  [[nodiscard]] std::vector<Api> const& apis() const { return apis_; }
  [[nodiscard]] Site for_api(Site site, Api api) const {
    site.api = api;
    site.lsa_team_is_world = api == Api::LSA || api_ != Api::Auto;  // The program puts where it is not.
    return site;
  }

  /// Two launchers in place of each: one over loads and stores, one over puts.
  void split_launchers() {
    std::vector<Launcher> all;
    for (Launcher const& l : plan_.launchers)
      for (Api api : apis()) all.push_back({name_for(l.name, api), for_api(l.site, api), {}});
    plan_.launchers = std::move(all);
    for (PlannedUse& use : plan_.uses) use.launcher *= apis().size();
  }

  /// Which nodes of the graph belong to which use: by place, or for those from macros, by function.
  void assign_nodes(std::vector<NcclUse> const& uses) {
    std::map<int, std::size_t> by_token;
    for (std::size_t u = 0; u < uses.size(); ++u)
      if (uses[u].token >= 0) by_token[uses[u].token] = u;
    for (std::size_t n = 0; n < m_.report.graph.size(); ++n) {
      Call const& call = m_.call(m_.report.graph[n].call);
      auto const direct = by_token.find(m_.token_at(call.span.begin));
      if (call.macro.empty() && direct != by_token.end()) {
        nodes_[uses[direct->second].name.begin].push_back(static_cast<Index>(n));
        continue;
      }
      auto in_macro = [&](NcclUse const& use) {
        return !use.macro.empty() && use.signature() == find_collective(call.name);
      };
      // The macro of the call itself, unless that uses another one.
      bool const named = std::any_of(uses.begin(), uses.end(), [&](NcclUse const& use) {
        return in_macro(use) && use.macro == call.macro;
      });
      for (NcclUse const& use : uses)
        if (in_macro(use) && (!named || use.macro == call.macro))
          nodes_[use.name.begin].push_back(static_cast<Index>(n));
    }
  }

  /// Collectives that ranks may call at different places. Their calls must meet in one launcher.
  void find_divided(std::vector<NcclUse> const& uses) {
    std::map<Collective, std::set<std::string>> kinds;
    std::map<Collective, int> count;
    for (NcclUse const& use : uses) {
      Collective const c = *collective_of(*use.signature());
      UseTypes const types = types_.read(use);
      std::string const op = types.op ? std::string(to_string(*types.op)) : std::string();
      kinds[c].insert(types.fixed ? std::string(to_string(*types.type)) + " " + op : std::string());
      ++count[c];
    }
    for (NcclUse const& use : uses) {
      Collective const c = *collective_of(*use.signature());
      if (c == Collective::kSendRecv) continue;
      auto const nodes = nodes_.find(use.name.begin);
      bool const unseen = nodes == nodes_.end() || (!use.is_call && use.macro.empty());
      bool const some =
          unseen ? count[c] > 1 : std::any_of(nodes->second.begin(), nodes->second.end(), [&](Index n) {
            return ranks_.some_ranks_call(m_.report.graph[static_cast<std::size_t>(n)].call);
          });
      if (!some) continue;
      divided_.insert(c);
      if (kinds[c].size() > 1) mixed_.insert(c);
    }
  }

  [[nodiscard]] Result<void> add(NcclUse use) {
    CollectiveSignature const& s = *use.signature();
    if (use.is_call && use.macro.empty() && static_cast<int>(use.args.size()) != s.arguments)
      return refuse(use.line,
                    use.function + " has " + std::to_string(use.args.size()) + " arguments, not " +
                        std::to_string(s.arguments),
                    "check the call");
    UseTypes const types = types_.read(use);
    if (auto ok = check_constants(use, types); !ok) return ok;
    Site site;
    site.collective = *collective_of(s);
    site.api = apis().front();
    site.max_ranks = std::max(site.max_ranks, request_.ranks);
    bool const fixed = types.fixed && mixed_.count(site.collective) == 0;
    site.runtime_type = !fixed;
    if (types.type) site.types = *types.type;
    if (types.op) site.ops = *types.op;
    if (fixed) fixed_.push_back({use.name.begin, use.args.back().span.end});
    PlannedUse planned{std::move(use), 0, {}};
    if (auto const found = nodes_.find(planned.use.name.begin); found != nodes_.end())
      planned.nodes = found->second;
    for (Index n : planned.nodes)
      if (site.collective == Collective::kAllToAll && m_.report.graph[static_cast<std::size_t>(n)].in_place)
        return refuse(planned.use.line,
                      planned.use.function + " has overlapping buffers, which NCCL does not define",
                      "give it two buffers");
    choose_buffers(planned, site);
    remember(std::move(planned), site);
    return {};
  }

  /// A type or reduction that is a constant of NCCL without a kernel here.
  [[nodiscard]] Result<void> check_constants(NcclUse const& use, UseTypes const& types) const {
    CollectiveSignature const& s = *use.signature();
    if (!use.is_call || static_cast<int>(use.args.size()) != s.arguments) return {};
    std::string const type = types_.constant(use, s.datatype, "ncclDataType_t");
    if (!types.type && type.rfind("ncclFloat8", 0) == 0)
      return refuse(
          use.line,
          "the element type '" + type + "' of " + use.function + " has no kernel",
          "use one of ncclInt8, ncclUint8, ncclInt32, ncclUint32, ncclInt64, ncclUint64, ncclFloat16, "
          "ncclFloat32, ncclFloat64, ncclBfloat16");
    return {};
  }

  void choose_buffers(PlannedUse const& planned, Site& site) {
    if (site.collective == Collective::kSendRecv) return;
    bool const in_code = planned.use.is_call || !planned.use.macro.empty();
    // A program that failed with buffers that were taken for symmetric memory is tried without any.
    bool const mistaken = !request_.feedback.empty();
    bool const divided = divided_.count(site.collective) != 0;
    if (planned.nodes.empty() || !in_code || mistaken || divided) {
      site.send_staged = site.recv_staged = true;
      note(planned.use,
           "the buffers",
           mistaken  ? "in place, the program did not pass"
           : divided ? "not all ranks come to all its calls alike"
                     : "what it is called with is not in sight");
      return;
    }
    CollectiveSignature const& s = *planned.use.signature();
    std::set<Index> symmetric;
    for (Index n : planned.nodes) {
      CommunicationNode const& node = m_.report.graph[static_cast<std::size_t>(n)];
      auto send = buffers_.choose(node, node.send, static_cast<std::size_t>(s.send));
      auto recv = buffers_.choose(node, node.recv, static_cast<std::size_t>(s.recv));
      bool const share = std::any_of(send.allocations.begin(), send.allocations.end(), [&](Index a) {
        return recv.allocations.count(a) != 0;
      });
      // Parts of one allocation may be different buffers; where NCCL lets them be one, they may.
      site.in_place |= node.in_place ||
                       ((share || send.guessed || recv.guessed) && site.collective != Collective::kAllToAll);
      site.send_offset_varies |= send.offset_varies;
      site.recv_offset_varies |= recv.offset_varies;
      site.send_staged |= send.staged;
      site.recv_staged |= recv.staged;
      for (auto const* choice : {&send, &recv}) {
        symmetric.insert(choice->allocations.begin(), choice->allocations.end());
        if (choice->staged) note(planned.use, choice == &send ? node.send.expr : node.recv.expr, choice->why);
        widen_ = widen_ || (choice->guessed && !choice->staged);
      }
    }
    settle(site);
    if (site.send_staged && site.recv_staged) return;
    plan_.symmetric.insert(symmetric.begin(), symmetric.end());
  }

  /// Copies of buffers until some point of the design space is legal, as few as it takes.
  void settle(Site& site) const {
    auto legal_somewhere = [&] {
      return std::all_of(apis().begin(), apis().end(), [&](Api api) {
        Site const one = for_api(site, api);
        return !legal(conservative(one), one);
      });
    };
    auto forget = [&] {
      if (site.send_staged) site.send_offset_varies = false;
      if (site.recv_staged) site.recv_offset_varies = false;
      if (site.send_staged || site.recv_staged) site.in_place = false;
    };
    forget();
    for (auto [send, recv] : {std::pair{true, false}, std::pair{false, true}, std::pair{true, true}}) {
      if (legal_somewhere()) return;
      Site tried = site;
      tried.send_staged |= send;
      tried.recv_staged |= recv;
      std::swap(tried, site);
      forget();
      if (legal_somewhere()) return;
      site = tried;
    }
  }

  void note(NcclUse const& use, std::string buffer, std::string why) {
    StagedBuffer one{use.line, std::move(buffer), std::move(why)};
    if (std::find(plan_.staged.begin(), plan_.staged.end(), one) == plan_.staged.end())
      plan_.staged.push_back(std::move(one));
  }

  /// Merges `site` into the launcher of its kind, keeping what is worse.
  void remember(PlannedUse planned, Site const& site) {
    bool const staged = site.send_staged || site.recv_staged;
    std::string const name = name_of(site) + (staged ? "_staged" : "");
    std::size_t at = 0;
    while (at < plan_.launchers.size() && plan_.launchers[at].name != name) ++at;
    if (at == plan_.launchers.size()) {
      plan_.launchers.push_back({name, site, {}});
    }
    Site& merged = plan_.launchers[at].site;
    merged.types.insert(site.types);
    merged.ops.insert(site.ops);
    merged.in_place |= site.in_place;
    merged.send_offset_varies |= site.send_offset_varies;
    merged.recv_offset_varies |= site.recv_offset_varies;
    merged.send_staged |= site.send_staged;
    merged.recv_staged |= site.recv_staged;
    settle(merged);
    for (Index n : planned.nodes) {
      CommunicationNode const& node = m_.report.graph[static_cast<std::size_t>(n)];
      CallTokens const& t = m_.call_tokens(node.call);
      std::set<std::string> streams;
      if (!t.args.empty()) collect_streams(m_, *t.code, t.args.back(), t.position, streams);
      bool const known = node.communicator != kNone &&
                         m_.report.communicators[static_cast<std::size_t>(node.communicator)].call != kNone;
      streams_.add(at, known ? node.communicator : kNone, streams);
    }
    if (planned.nodes.empty()) streams_.add(at, kNone, {"one", "another"});
    planned.launcher = at;
    plan_.uses.push_back(std::move(planned));
  }

  /// Launchers that take the type at run time get all types the program names.
  [[nodiscard]] Result<void> add_runtime_types() {
    ElementTypes types;
    Reductions ops;
    types_.mentioned(fixed_, types, ops);
    for (std::size_t i = 0; i < plan_.launchers.size(); ++i) {
      Site& site = plan_.launchers[i].site;
      if (!site.runtime_type) continue;
      NcclUse const& use = std::find_if(plan_.uses.begin(), plan_.uses.end(), [&](PlannedUse const& u) {
                             return u.launcher == i;
                           })->use;
      if (types.empty() && is_reduction(site))
        return refuse(use.line,
                      "the element type of " + use.function + " is not known, and the program names none",
                      "pass one of ncclInt8, … ncclBfloat16, also through a variable or a template");
      if (ops.empty() && is_reduction(site))
        return refuse(use.line,
                      "the reduction of " + use.function + " is not known, and the program names none",
                      "pass one of ncclSum, ncclProd, ncclMin, ncclMax, ncclAvg, also through a variable");
      if (!types.empty()) site.types = types;
      if (!ops.empty()) site.ops = ops;
      settle(site);
    }
    return {};
  }

  [[nodiscard]] Result<void> choose_directives() {
    for (std::size_t i = 0; i < plan_.launchers.size(); ++i) {
      Launcher& l = plan_.launchers[i];
      l.directives = conservative(l.site);
      if (request_.directives && !legal(*request_.directives, l.site)) l.directives = *request_.directives;
      auto const reason = legal(l.directives, l.site);
      if (!reason) continue;
      auto const first = std::find_if(plan_.uses.begin(), plan_.uses.end(), [&](PlannedUse const& u) {
        return u.launcher == first_of(i);
      });
      return refuse(first->use.line,
                    first->use.function + ": " + reason->text,
                    "no point of the design space is legal here; change the call or keep it");
    }
    return {};
  }

  /// The launcher that uses know launcher `i` by.
  [[nodiscard]] std::size_t first_of(std::size_t i) const { return i - i % apis().size(); }

  SourceModel const& m_;
  Api api_;
  std::vector<Api> apis_;
  RewriteRequest const& request_;
  RankDependence ranks_;
  BufferChooser buffers_;
  StreamReader stream_reader_;
  std::vector<MacroBody> macros_;
  UseTypeReader types_;
  std::map<std::uint32_t, std::vector<Index>> nodes_{};  ///< By the offset of a use's name.
  std::vector<Span> fixed_{};
  std::set<Collective> divided_{};  ///< Those that ranks may call at different places.
  std::set<Collective> mixed_{};    ///< Those of them with several types or reductions.
  Plan plan_{};
  StreamUses streams_{};
  bool widen_ = false;
};

}  // namespace cuco::impl
