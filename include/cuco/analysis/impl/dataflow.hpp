// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/communicators.hpp"
#include "cuco/analysis/impl/device_side.hpp"
#include "cuco/analysis/impl/groups.hpp"
#include "cuco/analysis/impl/kernel_parameters.hpp"
#include "cuco/analysis/impl/places.hpp"
#include "cuco/analysis/impl/stream_order.hpp"
#include "cuco/analysis/impl/trace.hpp"

namespace cuco::impl {

/// One use of a buffer by a launch or a call.
struct Access {
  std::vector<std::string> steps;
  bool writes;
  bool reads;
  bool launch;
  Index index;  ///< In `launches` or `calls`.
  Index function;
  bool offset;  ///< It begins somewhere in the buffer.
};

/// Builds the communication graph.
class GraphBuilder {
 public:
  GraphBuilder(Code const& code, Structure const& structure, CallTable const& calls, Report& report)
      : calls_(calls),
        report_(report),
        places_(code, structure, calls, report),
        kernels_(code, structure),
        trace_(code, structure, calls, report),
        streams_(calls, report, places_),
        order_(trace_, streams_, calls, report) {}

  void run() {
    collect_accesses();
    for (Index c : report_.collectives)
      if (!is_group_call(report_.calls[static_cast<std::size_t>(c)].name)) report_.graph.push_back(node(c));
    read_groups(trace_, report_);
    CommunicatorReader(calls_, places_, report_).run();
    for (CommunicationNode& n : report_.graph) describe_device_side(n, report_);
  }

 private:
  static constexpr std::size_t kMostAccesses =
      256;  ///< Per variable; keeps the cost of generated code bounded.
  static constexpr std::size_t kMostListed = 64;

  void access(CallTokens const& t, std::size_t argument, bool writes, bool reads, bool launch, Index index) {
    if (argument >= t.args.size() || !(writes || reads)) return;
    for (Place& p : places_.alternatives(*t.code, t.args[argument], t.position)) {
      if (!p.path.ok()) continue;
      auto& list = accesses_[{p.scope, std::move(p.path.root)}];
      if (list.size() < kMostAccesses)
        list.push_back({std::move(p.path.steps),
                        writes,
                        reads,
                        launch,
                        index,
                        places_.function_of(t.position),
                        p.path.offset});
    }
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

  CommunicationNode node(Index index) {
    Call const& call = report_.calls[static_cast<std::size_t>(index)];
    CallTokens const& t = calls_.calls[static_cast<std::size_t>(index)];
    CollectiveSignature const& s = *find_collective(call.name);
    CommunicationNode n;
    n.collective = s.collective;
    n.call = index;
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
    Range const r = t.args[static_cast<std::size_t>(argument)];
    role.expr = report_.calls[static_cast<std::size_t>(n.call)].args[static_cast<std::size_t>(argument)].text;
    if (r.size() == 1 &&
        (t.code->is(r.begin, "nullptr") || t.code->is(r.begin, "NULL") || t.code->is(r.begin, "0")))
      return;  // NCCL ignores the buffer on the ranks that get here.
    Place p = places_.resolve(*t.code, r, t.position);
    role.base = p.path.root;
    std::vector<Place> places;
    if (places_.is_open_parameter(p)) {
      places = places_.alternatives(*t.code, r, t.position);
      std::erase_if(places, [&](Place const& q) { return !q.path.ok(); });
    }
    if (places.empty()) {
      places.push_back(std::move(p));
      role.allocation = places[0].path.ok() ? places_.allocation_of(places[0]) : kNone;
      if (role.allocation == kNone && places[0].path.ok())
        places[0].doubt(0.8, "no allocation of " + Places::shorten(role.expr) + " was found");
    } else {
      callers_disagree(role, p, places);
      places.push_back(std::move(p));
    }
    for (Place& place : places) list_accesses(role, n, place);
    // The same doubt about both buffers counts once.
    for (Place& place : places) {
      std::size_t const known = n.guesses.size();
      for (std::string& g : place.guesses)
        if (std::find(n.guesses.begin(), n.guesses.end(), g) == n.guesses.end())
          n.guesses.push_back(std::move(g));
      if (n.guesses.size() > known) n.confidence *= place.confidence;
    }
  }

  /// `places` are what the callers pass for the parameter `p`.
  void callers_disagree(BufferRole& role, Place& p, std::vector<Place>& places) {
    bool all = true;
    for (Place& q : places) {
      Index const a = places_.allocation_of(q);
      all = all && a != kNone;
      if (a == kNone) q.doubt(0.8, "no allocation of " + q.path.root + " was found");
      if (a != kNone &&
          std::find(role.alternatives.begin(), role.alternatives.end(), a) == role.alternatives.end())
        role.alternatives.push_back(a);
    }
    std::string bases;
    for (Place const& q : places)
      if ((", " + bases + ",").find(", " + q.path.root + ",") == std::string::npos)
        bases += (bases.empty() ? "" : ", ") + q.path.root;
    // Earlier guesses spoke of one buffer.
    p.guesses.clear();
    p.confidence = 1.0;
    if (role.alternatives.size() == 1 && all) {
      role.allocation = role.alternatives.front();
      role.alternatives.clear();
      if (bases.find(',') == std::string::npos) return;
    }
    std::string const function = report_.calls.empty() ? "" : places_.function_name(p.scope);
    p.doubt(0.7,
            function + "() is called with different buffers for its parameter " + p.path.root + ": " +
                Places::shorten(bases));
  }

  using Key = std::pair<Index, std::string>;

  /// True for an element whose index is no number.
  static bool indexed(std::vector<std::string> const& steps) {
    return std::any_of(steps.begin(), steps.end(), [](std::string const& s) {
      return s.front() == '[' && !is_number_index(s);
    });
  }

  void list_accesses(BufferRole& role, CommunicationNode const& n, Place& p) {
    list_accesses(role, n, p, {p.scope, p.path.root}, nullptr);
    // What methods of an object's class do to its buffer, and what is done to the buffer of `this` outside.
    Index const here = report_.calls[static_cast<std::size_t>(n.call)].function;
    for (auto const& [key, object] : places_.same_buffer(p, here)) list_accesses(role, n, p, key, &object);
  }

  /// @param object what the accesses of `key` are done to, when that is not `p` itself.
  void list_accesses(
      BufferRole& role, CommunicationNode const& n, Place& p, Key const& key, ObjectBuffer const* object) {
    auto const it = accesses_.find(key);
    if (it == accesses_.end()) return;
    auto add = [](std::vector<Index>& list, Index i) {
      auto const at = std::lower_bound(list.begin(), list.end(), i);
      if (list.size() < kMostListed && (at == list.end() || *at != i)) list.insert(at, i);
    };
    bool const written = &role == &n.recv || n.in_place;
    for (Access const& a : it->second) {
      if (!a.launch && a.index == n.call) continue;
      if (object != nullptr && !object->admits(a.steps, a.function)) continue;
      Overlap const overlap = object != nullptr ? Overlap::kMaybe : compare_steps(a.steps, p.path.steps);
      if (overlap == Overlap::kNo) continue;
      bool const elsewhere = a.offset || p.path.offset || indexed(p.path.steps);
      auto const order = order_.relate(a.launch, a.index, n.call, elsewhere);
      bool const produces = a.writes && order.before;
      bool const consumes = a.reads && order.after;
      if (produces) add(a.launch ? role.producers : role.copies_in, a.index);
      if (consumes) add(a.launch ? role.consumers : role.copies_out, a.index);
      // With offsets, what another iteration does may well be to another part.
      bool const part = elsewhere && (order.before || order.after);
      bool const conflict = order.unordered && !part && (a.writes || written) && overlap == Overlap::kYes;
      if (conflict) add(a.launch ? role.unordered_launches : role.unordered_calls, a.index);
      if ((produces || consumes) && overlap == Overlap::kMaybe && object == nullptr &&
          a.steps.size() == p.path.steps.size())
        p.doubt(0.9, "different elements of " + p.path.root + " may be the same buffer");
    }
  }

  CallTable const& calls_;
  Report& report_;
  Places places_;
  KernelParameters kernels_;
  Trace trace_;
  Streams streams_;
  StreamOrder order_;
  std::map<std::pair<Index, std::string>, std::vector<Access>> accesses_{};
};

}  // namespace cuco::impl
