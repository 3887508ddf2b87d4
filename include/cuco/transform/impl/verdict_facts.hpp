// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/frozen_facts.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl::transforming {

/// The statements on which a program's result lines rest, as text without blanks, each with the conditions
/// around it: those that print the lines, and those that write what is printed.
class VerdictFacts {
 public:
  explicit VerdictFacts(SourceModel const& m) : m_(m) {
    for (Token const& t : m.code.directives)
      if (is_verdict_text(t.text)) statements_.emplace(std::string(trim(t.text)), t.line);
    for (int i = 0; i < m.code.size(); ++i) {
      if (m.code.at(i).kind != TokenKind::kString) continue;
      int next = i;
      if (is_verdict_text(joined_literal(m.code, i, next))) print_at(i);
      i = std::max(i, next - 1);
    }
    while (!open_.empty()) {
      Name const name = open_.back();
      open_.pop_back();
      find_writers(name);
    }
  }

  /// Text -> line; a text that occurs twice is there twice.
  [[nodiscard]] std::multimap<std::string, std::uint32_t> const& statements() const { return statements_; }
  /// Where they are.
  [[nodiscard]] std::vector<Range> const& ranges() const { return ranges_; }

 private:
  static constexpr int kDeepest = 2;
  struct Name {
    Index function;
    std::string text;
    int depth;
  };

  [[nodiscard]] Range statement_of(int token) const {
    int const s = m_.structure.statement_of[static_cast<std::size_t>(token)];
    return s < 0 ? Range{token, token + 1} : m_.structure.statements[static_cast<std::size_t>(s)].range;
  }

  /// The conditions under which the statement runs, outermost first.
  [[nodiscard]] std::vector<Range> conditions(Range statement) const {
    std::vector<Range> out;
    for (Statement const& s : m_.structure.statements) {
      bool const around = s.range.begin <= statement.begin && statement.end <= s.range.end;
      if (s.simple || !around || !m_.code.is(s.range.begin, "if")) continue;
      int const open = m_.code.is(s.range.begin + 1, "(") ? s.range.begin + 1 : s.range.begin + 2;
      if (m_.code.is(open, "(") && m_.code.partner(open) < statement.begin)
        out.push_back(m_.code.inside(open));
    }
    std::sort(out.begin(), out.end(), [](Range a, Range b) { return a.begin < b.begin; });
    out.erase(std::unique(out.begin(), out.end(), [](Range a, Range b) { return a.begin == b.begin; }),
              out.end());
    return out;
  }

  /// Keeps the statement and returns whether it is new.
  bool keep(Range statement) {
    if (!seen_.insert(statement.begin).second) return false;
    ranges_.push_back(statement);
    std::string text;
    for (Range c : conditions(statement)) text += "if (" + m_.code.squeezed(c) + ") ";
    text += m_.code.squeezed(statement);
    statements_.emplace(std::move(text), m_.code.at(statement.begin).line);
    return true;
  }

  void print_at(int token) {
    Range const s = statement_of(token);
    if (!keep(s)) return;
    follow(s, m_.function_of(token), 0);
    reach_callers(m_.function_of(token));
  }

  /// What a function prints comes from its callers' arguments.
  void reach_callers(Index f) {
    if (f == kNone || m_.function(f).name == "main" || !reached_.insert(f).second) return;
    for (CallSite const& site : m_.sites_of(f)) {
      Range const s = statement_of(site.position);
      if (!keep(s)) continue;
      follow(s, site.caller, 0);
      reach_callers(site.caller);
    }
  }

  /// Looks for the writers of the variables in `r`.
  void follow(Range r, Index function, int depth) {
    if (depth > kDeepest || function == kNone) return;
    for (int i = r.begin; i < r.end; ++i) {
      if (!m_.is_free_word(i) || is_control_word(m_.code.text(i)) || is_builtin_type(m_.code.text(i)))
        continue;
      if (m_.code.is(i + 1, "(") || m_.code.is(i + 1, "::") || m_.code.is(i - 1, "::")) continue;
      std::string const name(m_.code.text(i));
      if (is_all_caps(name) || is_recognised_call(name) || is_loop_variable(function, name)) continue;
      if (followed_.insert({function, name}).second) open_.push_back({function, name, depth});
    }
  }

  [[nodiscard]] bool is_loop_variable(Index function, std::string const& name) {
    auto [it, fresh] = loop_variables_.try_emplace(function);
    if (fresh) {
      Range const body = m_.structure.function_tokens[static_cast<std::size_t>(function)].body;
      for (int i = body.begin; i < body.end; ++i) {
        if (!m_.code.is(i, "for") || !m_.code.is(i + 1, "(")) continue;
        Range const head = m_.code.inside(i + 1);
        for (int k = head.begin; k < head.end && !m_.code.is(k, ";"); ++k)
          if (m_.code.is_word(k) && (m_.code.is(k + 1, "=") || m_.code.is(k + 1, ":")))
            it->second.emplace(m_.code.text(k));
      }
    }
    return it->second.count(name) != 0;
  }

  void find_writers(Name const& name) {
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(name.function)].body;
    for (int i = body.begin; i < body.end; ++i) {
      if (!m_.code.is(i, name.text) || !m_.is_free_word(i) || !writes(i, name.depth)) continue;
      Range const s = statement_of(i);
      if (moves_data(s) || !keep(s)) continue;
      follow(s, name.function, name.depth + 1);
      auto const around = conditions(s);
      if (!around.empty()) follow(around.back(), name.function, name.depth + 1);
    }
  }

  [[nodiscard]] bool writes(int i, int depth) const {
    auto assigns = [&](int at) {
      for (std::string_view op : {"=", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "%=", "<<=", ">>="})
        if (m_.code.is(at, op)) return true;
      return m_.code.is(at, "++") || m_.code.is(at, "--");
    };
    if (assigns(i + 1) || m_.code.is(i - 1, "++") || m_.code.is(i - 1, "--")) return true;
    if (m_.code.is(i + 1, "[") && assigns(m_.code.next(i + 1))) return true;
    if (m_.code.is(i + 1, ".") || m_.code.is(i + 1, "->"))
      for (std::string_view method : {"push_back", "emplace_back", "assign", "resize", "insert", "clear"})
        if (m_.code.is(i + 2, method)) return true;
    bool const address = m_.code.is(i - 1, "&") && (m_.code.is(i - 2, "(") || m_.code.is(i - 2, ","));
    if (!address) return false;
    // Farther away, only the calls that are known to write: others may be allocation in a helper.
    if (depth < kDeepest) return true;
    int const open = m_.code.enclosing(i);
    std::string_view const callee = m_.code.text(open - 1);
    return callee.starts_with("MPI_") || callee == "cudaEventElapsedTime" || callee.starts_with("cudaMemcpy");
  }

  /// Allocation, collectives and launches are what a transformation changes.
  [[nodiscard]] bool moves_data(Range s) const {
    for (int i = s.begin; i < s.end; ++i) {
      std::string_view const t = m_.code.text(i);
      if (t == "<<<" || t == "device_nccl" || t == "malloc" || t.starts_with("cudaMalloc")) return true;
      if (t.starts_with("nccl") || t.starts_with("pnccl") || t.starts_with("cudaHostAlloc")) return true;
    }
    return false;
  }

  SourceModel const& m_;
  std::multimap<std::string, std::uint32_t> statements_{};
  std::vector<Range> ranges_{};
  std::set<int> seen_{};
  std::set<Index> reached_{};
  std::set<std::pair<Index, std::string>> followed_{};
  std::map<Index, std::set<std::string>> loop_variables_{};
  std::vector<Name> open_{};
};

}  // namespace cuco::impl::transforming
