// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/kernel_parameters.hpp"
#include "cuco/analysis/impl/places.hpp"
#include "cuco/analysis/impl/program_order.hpp"

namespace cuco::impl {

/// One use of a buffer by a launch or a call.
struct Access {
  std::vector<std::string> steps;
  bool writes;
  bool reads;
  bool launch;
  Index index;  ///< In `launches` or `calls`.
  int position;
};

/// Builds the communication graph.
class GraphBuilder {
 public:
  GraphBuilder(Code const& code, Structure const& structure, CallTable const& calls, Report& report)
      : calls_(calls),
        report_(report),
        places_(code, structure, calls, report),
        kernels_(code, structure),
        order_(structure, calls) {}

  void run() {
    collect_accesses();
    int group = 0;
    Index group_function = kNone;
    for (Index c : report_.collectives) {
      Call const& call = report_.calls[static_cast<std::size_t>(c)];
      if (is_group_call(call.name)) {
        if (call.function != group_function) group = 0;
        group_function = call.function;
        group = std::max(0, group + (call.name == "ncclGroupStart" ? 1 : -1));
        continue;
      }
      report_.graph.push_back(node(c, group > 0 && call.function == group_function));
    }
  }

 private:
  static constexpr std::size_t kMostAccesses =
      1024;  ///< Per variable; keeps the cost of generated code bounded.
  static constexpr std::size_t kMostListed = 256;

  void access(CallTokens const& t, std::size_t argument, bool writes, bool reads, bool launch, Index index) {
    if (argument >= t.args.size() || !(writes || reads)) return;
    Place const p = places_.resolve(*t.code, t.args[argument], t.position);
    if (!p.path.ok()) return;
    auto& list = accesses_[{p.scope, p.path.root}];
    if (list.size() < kMostAccesses) list.push_back({p.path.steps, writes, reads, launch, index, t.position});
  }

  void collect_accesses() {
    for (std::size_t i = 0; i < report_.launches.size(); ++i) {
      CallTokens const& t = calls_.launches[i];
      for (std::size_t a = 0; a < t.args.size(); ++a) {
        auto const [writes, reads] = kernels_.use(report_.launches[i].kernel, a, t.args.size());
        access(t, a, writes, reads, true, static_cast<Index>(i));
      }
    }
    for (std::size_t i = 0; i < report_.calls.size(); ++i) {
      CallTokens const& t = calls_.calls[i];
      auto const index = static_cast<Index>(i);
      if (CopySignature const* s = find_copy(report_.calls[i].name)) {
        if (s->written >= 0) access(t, static_cast<std::size_t>(s->written), true, false, false, index);
        if (s->read >= 0) access(t, static_cast<std::size_t>(s->read), false, true, false, index);
      } else if (CollectiveSignature const* c = find_collective(report_.calls[i].name)) {
        if (c->send >= 0)
          access(t, static_cast<std::size_t>(c->send), c->send == c->recv, true, false, index);
        if (c->recv >= 0 && c->recv != c->send)
          access(t, static_cast<std::size_t>(c->recv), true, false, false, index);
      }
    }
  }

  CommunicationNode node(Index index, bool in_group) {
    Call const& call = report_.calls[static_cast<std::size_t>(index)];
    CallTokens const& t = calls_.calls[static_cast<std::size_t>(index)];
    CollectiveSignature const& s = *find_collective(call.name);
    CommunicationNode n;
    n.collective = s.collective;
    n.call = index;
    n.in_group = in_group;
    auto text = [&](int i) {
      return i >= 0 && static_cast<std::size_t>(i) < call.args.size()
                 ? call.args[static_cast<std::size_t>(i)].text
                 : std::string();
    };
    n.count = text(s.count);
    n.datatype = text(s.datatype);
    n.op = text(s.op);
    n.root = text(s.root);
    n.peer = text(s.peer);
    n.comm = text(s.comm);
    n.stream = text(s.stream);
    auto doubt = [&](double factor, std::string why) {
      n.confidence *= factor;
      n.guesses.push_back(std::move(why));
    };
    if (call.args.size() != static_cast<std::size_t>(s.arguments))
      doubt(0.3,
            call.name + " has " + std::to_string(call.args.size()) + " arguments where " +
                std::to_string(s.arguments) + " are expected");
    if (!call.macro.empty()) doubt(0.8, "found in the expansion of the macro " + call.macro);
    if (s.send >= 0) fill(n.send, n, t, s.send);
    if (s.recv >= 0) fill(n.recv, n, t, s.recv);
    if (s.send >= 0 && s.recv >= 0 && !n.send.expr.empty())
      n.in_place = normalised(t, s.send) == normalised(t, s.recv);
    return n;
  }

  /// The expression without blanks, casts and outer parentheses.
  [[nodiscard]] std::string normalised(CallTokens const& t, int argument) const {
    if (static_cast<std::size_t>(argument) >= t.args.size()) return {};
    Code const& code = *t.code;
    Range r = t.args[static_cast<std::size_t>(argument)];
    PathReader const paths(code);
    for (int steps = 0; steps < 16 && r.size() > 1; ++steps) {
      int const close = code.partner(r.begin);
      if (code.is(r.begin, "(") && close == r.end - 1) {
        ++r.begin;
        --r.end;
      } else if (code.is(r.begin, "(") && close < r.end - 1 && paths.looks_like_type(code.inside(r.begin))) {
        r.begin = close + 1;
      } else if (code.is_word(r.begin) && code.text(r.begin).ends_with("_cast") && code.is(r.end - 1, ")") &&
                 code.is(code.partner(r.end - 1) - 1, ">")) {
        r = code.inside(code.partner(r.end - 1));
      } else {
        break;
      }
    }
    return code.squeezed(r);
  }

  void fill(BufferRole& role, CommunicationNode& n, CallTokens const& t, int argument) {
    if (static_cast<std::size_t>(argument) >= t.args.size()) return;
    role.expr = report_.calls[static_cast<std::size_t>(n.call)].args[static_cast<std::size_t>(argument)].text;
    Place p = places_.resolve(*t.code, t.args[static_cast<std::size_t>(argument)], t.position);
    role.base = p.path.root;
    role.allocation = p.path.ok() ? places_.allocation_of(p) : kNone;
    if (role.allocation == kNone && p.path.ok())
      p.doubt(0.8, "no allocation of " + Places::shorten(role.expr) + " was found");
    list_accesses(role, n, p, t.position);
    // The same doubt about both buffers counts once.
    std::size_t const known = n.guesses.size();
    for (std::string& g : p.guesses)
      if (std::find(n.guesses.begin(), n.guesses.end(), g) == n.guesses.end())
        n.guesses.push_back(std::move(g));
    if (n.guesses.size() > known) n.confidence *= p.confidence;
  }

  void list_accesses(BufferRole& role, CommunicationNode& n, Place& p, int position) {
    auto const it = accesses_.find({p.scope, p.path.root});
    if (it == accesses_.end()) return;
    auto add = [](std::vector<Index>& list, Index i) {
      if (list.size() < kMostListed && (list.empty() || list.back() != i)) list.push_back(i);
    };
    for (Access const& a : it->second) {
      if (!a.launch && a.index == n.call) continue;
      Overlap const overlap = compare_steps(a.steps, p.path.steps);
      if (overlap == Overlap::kNo) continue;
      auto const order = order_.relate(a.position, position);
      bool const produces = a.writes && order.before;
      bool const consumes = a.reads && order.after;
      if (produces) add(a.launch ? role.producers : role.copies_in, a.index);
      if (consumes) add(a.launch ? role.consumers : role.copies_out, a.index);
      if ((produces || consumes) && overlap == Overlap::kMaybe && a.steps.size() == p.path.steps.size())
        p.doubt(0.9, "different elements of " + p.path.root + " may be the same buffer");
    }
  }

  CallTable const& calls_;
  Report& report_;
  Places places_;
  KernelParameters kernels_;
  ProgramOrder order_;
  std::map<std::pair<Index, std::string>, std::vector<Access>> accesses_{};
};

}  // namespace cuco::impl
