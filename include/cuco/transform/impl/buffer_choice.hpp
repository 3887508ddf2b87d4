// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/impl/foreign_uses.hpp"
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
/// that the buffer is the same on all ranks: made by the same statements, run by all, of one size, and given
/// to the collective by all of them at one place.
class BufferChooser {
 public:
  BufferChooser(SourceModel const& m, RankDependence const& ranks) : m_(m), ranks_(ranks), foreign_(m) {
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
    if (ranks_.some_ranks_call(node.call))
      return BufferChoice::landing("not all ranks come to this call alike");
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
    std::set<Index> const found = out.allocations;
    for (Index a : found)
      for (Index like : m_.places->allocations_like(a)) out.allocations.insert(like);
    if (out.allocations.empty()) return BufferChoice::landing("its allocation is not in sight");
    for (Index a : out.allocations)
      if (auto why = obstacle(a); !why.empty()) return BufferChoice::landing(std::move(why));
    if (out.guessed && common_.size() != device_allocations())
      return BufferChoice::landing("it may be memory that is not the same on all ranks");
    if (ranks_.base_varies(node.call, argument, r))
      return BufferChoice::landing("which buffer it is may differ between ranks");
    out.offset_varies = ranks_.varies(node.call, argument, r);
    return out;
  }

  /// Allocations that all ranks make alike, but perhaps for their size.
  [[nodiscard]] std::set<Index> const& common() const { return common_; }

  [[nodiscard]] bool size_varies(Index index) const {
    Index const call = m_.report.allocations[static_cast<std::size_t>(index)].call;
    CallTokens const& t = m_.call_tokens(call);
    return t.args.size() > 1 && ranks_.varies(call, 1, t.args[1]);
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
    if (ranks_.some_ranks_call(a.call)) return named(a) + " is not allocated by all ranks";
    // To agree on a size takes all ranks, so it is done where nothing but main decides that they come.
    if (size_varies(index) &&
        (a.allocator != "cudaMalloc" || m_.report.mpi.empty() || !is_in_main(t.position)))
      return named(a) + " differs in size between ranks";
    if (std::string const why = foreign_.why(index); !why.empty()) return named(a) + " " + why;
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
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    for (int i = body.begin; i < token; ++i)
      if (m_.code.is(i, "MPI_Finalize")) return false;  // Some ranks may have ended before.
    return open == body.begin - 1;
  }

  [[nodiscard]] bool frees_on_some_ranks(Index c, Index allocation) const {
    Call const& call = m_.call(c);
    CallTokens const& t = m_.call_tokens(c);
    if ((call.name != "cudaFree" && call.name != "ncclMemFree") || t.args.size() != 1 ||
        !ranks_.some_ranks_call(c))
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
  ForeignUses foreign_;
  std::set<Index> common_{};
};

}  // namespace cuco::impl
