// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <utility>

#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Which variables may differ between ranks, as far as assignments and arguments show it.
class RankDependence {
 public:
  explicit RankDependence(SourceModel const& model) : m_(model) {
    for (std::size_t c = 0; c < m_.report.calls.size(); ++c) seed(static_cast<Index>(c));
    for (int round = 0; round < kRounds; ++round) {
      std::size_t const before = names_.size();
      for (Statement const& s : m_.structure.statements)
        if (s.simple) follow_assignments(s.range);
      for (std::size_t f = 0; f < m_.report.functions.size(); ++f) follow_arguments(static_cast<Index>(f));
      if (names_.size() == before) break;
    }
  }

  /// Whether the value of tokens `r`, used at token `position`, may differ between ranks.
  [[nodiscard]] bool varies(Code const& code, Range r, int position) const {
    Index const f = m_.function_of(position);
    for (int i = r.begin; i < r.end; ++i) {
      if (!code.is_word(i)) continue;
      if (code.is(i + 1, ".") || code.is(i + 1, "->") || code.is(i + 1, "::"))
        continue;  // The member decides.
      bool const member = code.is(i - 1, ".") || code.is(i - 1, "->");
      if (contains(member ? kNone : f, std::string(code.text(i)))) return true;
    }
    return false;
  }

 private:
  static constexpr int kRounds = 8;

  [[nodiscard]] bool contains(Index f, std::string const& name) const {
    return names_.count({f, name}) != 0 || (f != kNone && names_.count({kNone, name}) != 0);
  }

  /// Adds the variable that the last word of `r` names: a member for all functions, others for their own.
  void add(Code const& code, Range r, Index f) {
    int last = -1;
    for (int i = r.begin; i < r.end; i = code.next(i))
      if (code.is_word(i)) last = i;
    if (last < 0) return;
    bool const member = code.is(last - 1, ".") || code.is(last - 1, "->");
    bool const local = f != kNone && declared_in(f, std::string(code.text(last)));
    names_.insert({member || !local ? kNone : f, std::string(code.text(last))});
  }

  /// Whether `name` is a parameter of `f` or stands after a type in it.
  [[nodiscard]] bool declared_in(Index f, std::string const& name) const {
    auto const& parameters = m_.function(f).parameter_names;
    if (std::find(parameters.begin(), parameters.end(), name) != parameters.end()) return true;
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    for (int i = body.begin; i < body.end; ++i) {
      if (!m_.code.is(i, name)) continue;
      std::string_view const before = m_.code.text(i - 1);
      if (m_.code.is_word(i - 1) ? before != "return" : (before == "*" || before == "&" || before == ","))
        return true;
    }
    return false;
  }

  void seed(Index c) {
    Call const& call = m_.call(c);
    CallTokens const& t = m_.call_tokens(c);
    std::size_t const last = t.args.size() - 1;
    bool const asks = call.name == "MPI_Comm_rank" || call.name == "ncclCommUserRank";
    bool const tells = call.name.rfind("ncclCommInitRank", 0) == 0 && t.args.size() >= 4;
    if (asks && t.args.size() == 2) add(*t.code, t.args[last], call.function);
    if (tells) add(*t.code, t.args[3], call.function);
  }

  void follow_assignments(Range r) {
    Index const f = m_.function_of(r.begin);
    for (int i = r.begin + 1; i < r.end; i = m_.code.next(i)) {
      bool const assigns = m_.code.is(i, "=") || m_.code.is(i, "+=") || m_.code.is(i, "*=");
      if (!assigns) continue;
      int end = i + 1;
      while (end < r.end && !m_.code.is(end, ",") && !m_.code.is(end, ";")) end = m_.code.next(end);
      if (varies(m_.code, {i + 1, end}, i)) add(m_.code, {i - 1, i}, f);
    }
  }

  void follow_arguments(Index f) {
    auto const& parameters = m_.function(f).parameter_names;
    for (CallSite const& site : m_.sites_of(f))
      for (std::size_t a = 0; a < std::min(site.args.size(), parameters.size()); ++a)
        if (!parameters[a].empty() && varies(m_.code, site.args[a], site.position))
          names_.insert({f, parameters[a]});
  }

  SourceModel const& m_;
  std::set<std::pair<Index, std::string>> names_{};
};

}  // namespace cuco::impl
