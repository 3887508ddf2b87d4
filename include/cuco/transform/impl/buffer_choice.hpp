// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/impl/rank_dependence.hpp"

namespace cuco::impl {

/// How a collective gets at one of its buffers.
struct BufferChoice {
  std::set<Index> allocations;  ///< These become symmetric memory that peers reach; empty when `staged`.
  bool offset_varies = false;   ///< The pointer's offset in its allocation may differ between ranks.
  bool guessed = false;         ///< Other allocations may be meant.
  bool staged = false;          ///< The buffer stays what it is and is copied through a landing buffer.
  std::string why;              ///< For `staged`.
  static BufferChoice landing(std::string why) { return {{}, false, false, true, std::move(why)}; }
};

/// Decides between memory that peers access in place and copies through landing buffers. In place takes proof
/// that the buffer is the same on all ranks: made by the same statements, run by all, of one size.
class BufferChooser {
 public:
  BufferChooser(SourceModel const& m, RankDependence const& ranks) : m_(m), ranks_(ranks) {
    for (int i = 0; i < m_.code.size(); ++i)
      shares_handles_ = shares_handles_ || m_.code.is(i, "cudaIpcGetMemHandle");
    for (std::size_t a = 0; a < m_.report.allocations.size(); ++a)
      if (obstacle(static_cast<Index>(a)).empty()) common_.insert(static_cast<Index>(a));
  }

  /// @param argument position of the buffer among the call's arguments.
  [[nodiscard]] BufferChoice choose(CommunicationNode const& node,
                                    BufferRole const& role,
                                    std::size_t argument) const {
    CallTokens const& t = m_.call_tokens(node.call);
    if (argument >= t.args.size()) return BufferChoice::landing("it is not given here");
    Range const r = t.args[argument];
    std::string const text = t.code->squeezed(r);
    if (text == "nullptr" || text == "NULL" || text == "0") return BufferChoice::landing("it is null");
    BufferChoice out;
    if (role.allocation != kNone) {
      out.allocations.insert(role.allocation);
    } else {
      trace(*t.code, r, t.position, out.allocations, 0);
      out.guessed = true;
    }
    out.guessed = out.guessed || !node.guesses.empty();
    if (out.allocations.empty()) return BufferChoice::landing("its allocation is not in sight");
    for (Index a : out.allocations)
      if (auto why = obstacle(a); !why.empty()) return BufferChoice::landing(std::move(why));
    if (out.guessed && common_.size() != device_allocations())
      return BufferChoice::landing("it may be memory that is not the same on all ranks");
    if (base_varies(*t.code, r, t.position, 0))
      return BufferChoice::landing("which buffer it is may differ between ranks");
    out.offset_varies = ranks_.varies(*t.code, r, t.position);
    return out;
  }

  /// Allocations that all ranks make alike, but perhaps for their size.
  [[nodiscard]] std::set<Index> const& common() const { return common_; }

  [[nodiscard]] bool size_varies(Index index) const {
    CallTokens const& t = m_.call_tokens(m_.report.allocations[static_cast<std::size_t>(index)].call);
    return t.args.size() > 1 && ranks_.varies(*t.code, t.args[1], t.position);
  }

 private:
  static constexpr int kDeepest = 6;

  [[nodiscard]] std::string named(Allocation const& a) const {
    return "'" + a.buffer + "' of line " + std::to_string(m_.call(a.call).line);
  }

  /// Why allocation `index` cannot be symmetric memory; empty when it can.
  [[nodiscard]] std::string obstacle(Index index) const {
    Allocation const& a = m_.report.allocations[static_cast<std::size_t>(index)];
    Call const& call = m_.call(a.call);
    CallTokens const& t = m_.call_tokens(a.call);
    if (!call.macro.empty()) return named(a) + " is allocated by the macro " + call.macro;
    if (a.allocator != "cudaMalloc" && a.allocator != "ncclMemAlloc")
      return named(a) + " comes from " + a.allocator;
    if (t.args.size() != 2) return named(a) + " is allocated with other arguments than a pointer and a size";
    if (ranks_.some_ranks_only(t.position)) return named(a) + " is not allocated by all ranks";
    // To agree on a size takes all ranks, so it is done where nothing but main decides that they come.
    if (size_varies(index) &&
        (a.allocator != "cudaMalloc" || m_.report.mpi.empty() || !is_in_main(t.position)))
      return named(a) + " differs in size between ranks";
    if (shares_handles_) return named(a) + " may be given to other processes by cudaIpcGetMemHandle";
    for (std::size_t c = 0; c < m_.report.calls.size(); ++c)
      if (frees_on_some_ranks(static_cast<Index>(c), index))
        return named(a) + " is not freed by all ranks (line " + std::to_string(m_.report.calls[c].line) + ")";
    return {};
  }

  /// Directly in the body of main: in no block, loop, condition or lambda.
  [[nodiscard]] bool is_in_main(int token) const {
    Index const f = m_.function_of(token);
    if (f == kNone || m_.function(f).name != "main") return false;
    int open = m_.code.enclosing(token);
    while (open >= 0 && !m_.code.is(open, "{")) open = m_.code.enclosing(open);
    return open == m_.structure.function_tokens[static_cast<std::size_t>(f)].body.begin - 1 &&
           !ranks_.some_ranks_only(token);
  }

  [[nodiscard]] bool frees_on_some_ranks(Index c, Index allocation) const {
    Call const& call = m_.call(c);
    CallTokens const& t = m_.call_tokens(c);
    if ((call.name != "cudaFree" && call.name != "ncclMemFree") || t.args.size() != 1 ||
        !ranks_.some_ranks_only(t.position))
      return false;
    Place place = m_.places->resolve(*t.code, t.args.front(), t.position);
    Index const freed = m_.places->allocation_of(place);
    return freed == kNone || freed == allocation || !place.guesses.empty();
  }

  [[nodiscard]] std::size_t device_allocations() const {
    return static_cast<std::size_t>(
        std::count_if(m_.report.allocations.begin(), m_.report.allocations.end(), [](Allocation const& a) {
          return a.allocator != "cudaMallocHost" && a.allocator != "cudaHostAlloc";
        }));
  }

  /// Whether more than the offset of the pointer `r` may differ between ranks: it may be another buffer, or
  /// null.
  [[nodiscard]] bool base_varies(Code const& code, Range r, int position, int depth) const {
    Range const base = base_of(code, r);
    if (!ranks_.varies(code, base, position)) return false;
    if (base.size() != 1 || depth > kDeepest) return true;
    // A variable that is set once, to a buffer that does not vary and an offset that does.
    Index const f = m_.function_of(position);
    if (f == kNone) return true;
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    int set = -1;
    for (int i = body.begin; i + 1 < body.end; ++i) {
      if (!m_.code.is(i, code.text(base.begin)) || m_.code.is(i - 1, ".") || m_.code.is(i - 1, "->"))
        continue;
      bool const assigned = m_.code.text(i + 1).ends_with("=") && !m_.code.is(i + 1, "==") &&
                            !m_.code.is(i + 1, "!=") && !m_.code.is(i + 1, "<=") && !m_.code.is(i + 1, ">=");
      bool const changed =
          assigned || m_.code.is(i + 1, "++") || m_.code.is(i - 1, "++") || m_.code.is(i - 1, "&");
      if (changed && set >= 0) return true;
      if (changed) set = i;
    }
    if (set < 0 || !m_.code.is(set + 1, "=") || ranks_.some_ranks_only(set)) return true;
    int end = set + 2;
    while (end < body.end && !m_.code.is(end, ";") && !m_.code.is(end, ",")) end = m_.code.next(end);
    return base_varies(m_.code, {set + 2, end}, set, depth + 1);
  }

  /// `recv` of `recv + rank * n`, of `&recv[rank * n]` and of casts around them.
  [[nodiscard]] static Range base_of(Code const& code, Range r) {
    for (int steps = 0; steps < kDeepest; ++steps) {
      if (code.is(r.begin, "(") && code.partner(r.begin) == r.end - 1) {
        r = code.inside(r.begin);
      } else if (code.text(r.begin).ends_with("_cast") && code.is(r.end - 1, ")")) {
        r = code.inside(code.partner(r.end - 1));
      } else {
        break;
      }
    }
    bool const address = code.is(r.begin, "&");
    if (address) ++r.begin;
    int cut = r.end;
    for (int i = r.begin; i < r.end; i = code.next(i)) {
      if (!address && i > r.begin && (code.is(i, "+") || code.is(i, "-"))) return {r.begin, i};
      if (address && code.is(i, "[")) cut = i;
    }
    return {r.begin, cut};
  }

  /// A parameter that different callers give different buffers, or a member that different places set.
  void trace(Code const& code, Range r, int position, std::set<Index>& out, int depth) const {
    Place place = m_.places->resolve(code, r, position);
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
      if (member.empty()) trace(m_.code, site.args[argument], site.position, out, depth + 1);
    }
    for (std::size_t a = 0; !member.empty() && a < m_.report.allocations.size(); ++a)
      if (kept_in(m_.report.allocations[a].buffer, member.substr(1))) out.insert(static_cast<Index>(a));
  }

  /// Whether `buffer` ends in `.member` or `->member`.
  [[nodiscard]] static bool kept_in(std::string const& buffer, std::string const& member) {
    if (buffer.size() <= member.size() || !buffer.ends_with(member)) return false;
    char const before = buffer[buffer.size() - member.size() - 1];
    return before == '.' || before == '>';
  }

  SourceModel const& m_;
  RankDependence const& ranks_;
  std::set<Index> common_{};
  bool shares_handles_ = false;
};

}  // namespace cuco::impl
