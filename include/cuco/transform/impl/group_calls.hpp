// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/trace.hpp"
#include "cuco/core/result.hpp"
#include "cuco/transform/impl/names_reaching.hpp"
#include "cuco/transform/impl/streams.hpp"

namespace cuco::impl {

/// A use of ncclGroupStart or ncclGroupEnd.
struct GroupUse {
  NcclUse use;
  bool of_communicators = false;  ///< The group makes or ends communicators, so it stays NCCL's.
  bool creates = false;           ///< It makes some.
};

/// Which groups hold what: communicators are made and ended in groups of NCCL, data moves without. NCCL
/// starts the operations of a group at its end, on all its streams together; generated launchers start where
/// they are called, so a group may hold nothing for which that makes a difference.
class GroupReader {
 public:
  GroupReader(SourceModel const& m, std::vector<MacroBody> const& macros, std::string const& file)
      : m_(m),
        macros_(macros),
        file_(file),
        lambdas_(m.code, m.structure),
        work_(names_reaching(m, macros, is_work)),
        collectives_(names_reaching(m, macros, is_collective)),
        moves_(tokens_reaching(m, [](std::string_view w) { return find_collective(w) != nullptr; })),
        makes_(tokens_reaching(m, makes_communicator)),
        creates_(tokens_reaching(m, creates_communicator)) {}

  /// In source order. Errors: kRefused for a group that the rules do not cover.
  [[nodiscard]] Result<std::vector<GroupUse>> read() const {
    std::vector<GroupUse> out;
    for (NcclUse& use : find_uses(m_, macros_, is_group_call))
      if (!in_helper(use)) out.push_back({std::move(use)});
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (out[i].use.token < 0 || out[i].use.function != "ncclGroupStart") continue;
      std::size_t const end = end_of(out, i);
      Range const group{out[i].use.token, end < out.size() ? out[end].use.token : body_end(out[i].use.token)};
      bool const makes = any(group, makes_);
      bool const moves = any(group, moves_);
      if (makes && end == out.size())
        return refuse(out[i].use.line,
                      "a group of communicators ends in another function than it begins in",
                      "put ncclGroupStart and ncclGroupEnd into one function");
      if (makes && moves)
        return refuse(
            out[i].use.line, "a group makes communicators and moves data", "use one group for each");
      if (int const other = work_after_collective(group); other >= 0) return refuse_work(line_of(other));
      out[i].of_communicators = makes;
      out[i].creates = makes && any(group, creates_);
      if (end < out.size()) {
        out[end].of_communicators = out[i].of_communicators;
        out[end].creates = out[i].creates;
      }
    }
    if (auto ok = check_order(); !ok) return forward_error(std::move(ok));
    if (auto ok = check_streams(); !ok) return forward_error(std::move(ok));
    return out;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> refuse(std::uint32_t line,
                                             std::string cause,
                                             std::string remedy) const {
    return fail_at(ErrorCode::kRefused, file_, line, std::move(cause), std::move(remedy));
  }
  [[nodiscard]] tl::unexpected<Error> refuse_work(std::uint32_t line) const {
    return refuse(line,
                  "work is given to the GPU between a collective and the end of its group",
                  "move it before ncclGroupStart or after ncclGroupEnd; NCCL runs the collective at the end");
  }

  /// In creation_group_start or creation_group_end, which the infrastructure stage has made.
  [[nodiscard]] bool in_helper(NcclUse const& use) const {
    Index const f = use.token < 0 ? kNone : m_.function_of(use.token);
    return f != kNone && m_.function(f).name.starts_with("creation_group_");
  }

  static bool creates_communicator(std::string_view w) {
    return w.starts_with("ncclCommInit") || w == "ncclCommSplit" || w.starts_with("comm_init_rank") ||
           w == "comm_split";
  }
  static bool makes_communicator(std::string_view w) {
    return creates_communicator(w) || w == "ncclCommDestroy" || w == "ncclCommFinalize" ||
           w == "ncclCommAbort" || w == "comm_destroy" || w == "comm_finalize" || w == "comm_abort";
  }
  static bool is_collective(std::string_view w) {
    auto const* s = find_collective(w);
    return s != nullptr && s->peer < 0;
  }
  /// What the GPU does in the order in which the host says so; libraries may launch anything.
  static bool is_work(std::string_view w) {
    static constexpr std::array<std::string_view, 12> kWork = {"cudaLaunch",
                                                               "cudaMemcpy",
                                                               "cudaMemset",
                                                               "cudaStreamWaitEvent",
                                                               "cudaGraphLaunch",
                                                               "cuLaunch",
                                                               "cublas",
                                                               "cudnn",
                                                               "cusparse",
                                                               "cusolver",
                                                               "cufft",
                                                               "curand"};
    return w == "<<<" || w == "thrust" || w == "cub" ||
           std::any_of(kWork.begin(), kWork.end(), [&](std::string_view p) { return w.starts_with(p); });
  }

  /// The end that belongs to the start at `i`, in the same function.
  [[nodiscard]] std::size_t end_of(std::vector<GroupUse> const& uses, std::size_t i) const {
    int depth = 0;
    for (std::size_t k = i; k < uses.size(); ++k) {
      if (uses[k].use.token < 0 || m_.function_of(uses[k].use.token) != m_.function_of(uses[i].use.token))
        continue;
      depth += uses[k].use.function == "ncclGroupStart" ? 1 : -1;
      if (depth == 0) return k;
    }
    return uses.size();
  }

  [[nodiscard]] int body_end(int token) const {
    Index const f = m_.function_of(token);
    return f == kNone ? token : m_.structure.function_tokens[static_cast<std::size_t>(f)].body.end;
  }
  [[nodiscard]] std::uint32_t line_of(int token) const { return m_.code.at(token).line; }

  template <class Predicate>
  [[nodiscard]] bool is(int i, Names const& names, Predicate matches) const {
    if (matches(m_.code.text(i))) return true;
    // The name of a class is that of its constructor, but not in `Class const&`, `Class*`, `Class::…`.
    std::string_view const next = m_.code.text(i + 1);
    bool const type =
        next == "*" || next == "&" || next == "&&" || next == "::" || next == ">" || next == "const";
    return m_.code.is_word(i) && !type && names.count(m_.code.text(i)) != 0;
  }
  static bool any(Range r, std::set<int> const& at) {
    auto const first = at.lower_bound(r.begin);
    return first != at.end() && *first < r.end;
  }
  template <class Predicate>
  [[nodiscard]] bool any(Range r, Names const& names, Predicate matches) const {
    for (int i = r.begin; i < r.end; ++i)
      if (is(i, names, matches)) return true;
    return false;
  }

  /// Work in the text of a group that comes after a collective, or that follows one in the next round of a
  /// loop; -1: none.
  [[nodiscard]] int work_after_collective(Range group) const {
    bool after = false;
    for (int i = group.begin; i < group.end; ++i) {
      if (is(i, work_, is_work) && (after || follows_in_loop(i, group))) return i;
      after = after || is(i, collectives_, is_collective);
    }
    return -1;
  }
  [[nodiscard]] bool follows_in_loop(int i, Range group) const {
    for (Index l = m_.structure.loop_of[static_cast<std::size_t>(i)]; l != kNone;
         l = m_.report.loops[static_cast<std::size_t>(l)].parent) {
      Range const loop = m_.tokens_in(m_.report.loops[static_cast<std::size_t>(l)].span);
      if (loop.begin < group.begin) return false;
      if (any(loop, collectives_, is_collective)) return true;
    }
    return false;
  }

  /// The same in the order in which the program runs, through functions, lambdas and guards.
  [[nodiscard]] Result<void> check_order() const {
    Trace const trace(m_.code, m_.structure, m_.calls, m_.report);
    for (auto const& run : trace.runs()) {
      int depth = 0;
      bool after = false;
      for (TraceItem const& item : run) {
        bool const launch = item.kind == TraceItem::kLaunch;
        if (launch && after)
          return refuse_work(m_.report.launches[static_cast<std::size_t>(item.index)].line);
        if (launch) continue;
        Call const& call = m_.call(item.index);
        if (call.name == "ncclGroupStart") ++depth;
        if (call.name == "ncclGroupEnd" && depth > 0) --depth;
        if (after && is_work(call.name)) return refuse_work(call.line);
        after = depth > 0 && (after || is_collective(call.name));
      }
    }
    return {};
  }

  /// NCCL joins the streams that a group uses with one communicator, which launchers do not.
  [[nodiscard]] Result<void> check_streams() const {
    StreamReader const streams(m_);
    for (Group const& g : m_.report.groups) {
      std::map<Index, std::vector<Index>> by_communicator;
      for (Index c : g.calls) by_communicator[communicator_of(c)].push_back(c);
      bool const apart = by_communicator.count(kNone) == 0;
      if (!apart) by_communicator = {{kNone, g.calls}};
      for (auto const& [communicator, calls] : by_communicator)
        if (!on_one_stream(g, calls, streams))
          return refuse(
              m_.call(g.start).line,
              "the collectives of a group may be on different streams, which NCCL makes wait for each other",
              "use one stream for each group");
    }
    return {};
  }

  /// The communicator of the collective `call`, or `kNone` when it may be any.
  [[nodiscard]] Index communicator_of(Index call) const {
    for (CommunicationNode const& n : m_.report.graph) {
      if (n.call != call || n.communicator == kNone) continue;
      auto const& made = m_.report.communicators[static_cast<std::size_t>(n.communicator)];
      // Of those that are made in a loop and kept in an array, one may be used for several indices.
      return made.call == kNone ? kNone : n.communicator;
    }
    return kNone;
  }

  [[nodiscard]] bool on_one_stream(Group const& g,
                                   std::vector<Index> const& calls,
                                   StreamReader const& streams) const {
    std::set<std::string> texts;
    bool collective = false;
    bool alike = true;  // One variable, where the group is.
    std::string first;
    for (Index c : calls) {
      auto const* s = find_collective(m_.call(c).name);
      CallTokens const& t = m_.call_tokens(c);
      if (s == nullptr || static_cast<std::size_t>(s->stream) >= t.args.size()) continue;
      collective = collective || s->peer < 0;
      Range const stream = t.args[static_cast<std::size_t>(s->stream)];
      collect_streams(m_, *t.code, stream, t.position, texts);
      std::string const text = t.code->squeezed(stream);
      if (first.empty()) first = text;
      alike = alike && text == first && stays_one(text, t.position, g);
    }
    return !collective || alike || streams.is_one_stream(texts);
  }

  /// Whether the stream `text`, used at `position`, is one variable that the group does not change.
  [[nodiscard]] bool stays_one(std::string const& text, int position, Group const& g) const {
    if (text == "0" || text == "nullptr" || text == "NULL") return true;
    int const begin = m_.call_tokens(g.start).position;
    int const end = g.end == kNone ? -1 : m_.call_tokens(g.end).position;
    bool const here = end >= 0 && m_.function_of(position) == m_.function_of(begin) &&
                      m_.function_of(end) == m_.function_of(begin) && begin < position && position < end;
    if (!here || lambda_at(position) != lambda_at(begin) || text.find_first_of("[(?") != std::string::npos)
      return false;
    std::size_t const root_end = text.find_first_of(".-:");
    std::string_view const root = std::string_view(text).substr(0, root_end);
    for (int i = begin; i < end; ++i) {
      if (!m_.code.is(i, root) || m_.code.is(i - 1, ".") || m_.code.is(i - 1, "->")) continue;
      std::string_view const next = m_.code.text(i + 1), before = m_.code.text(i - 1);
      bool const set = next == "=" || next == ":" || next == "{" || next == "(" || next == "++" ||
                       next == "--" || next == "+=" || before == "++" || before == "--" || before == "&";
      if (set) return false;
    }
    return true;
  }
  [[nodiscard]] int lambda_at(int token) const {
    int found = -1;
    for (Lambda const& l : lambdas_.all())
      if (l.body.begin <= token && token < l.body.end) found = l.body.begin;
    return found;
  }

  SourceModel const& m_;
  std::vector<MacroBody> const& macros_;
  std::string const& file_;
  Lambdas lambdas_;
  Names work_, collectives_;
  std::set<int> moves_, makes_, creates_;
};

}  // namespace cuco::impl
