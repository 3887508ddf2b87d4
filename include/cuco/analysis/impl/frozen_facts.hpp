// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/lint_names.hpp"
#include "cuco/analysis/impl/markers.hpp"
#include "cuco/analysis/impl/structure.hpp"
#include "cuco/analysis/impl/variables.hpp"

namespace cuco::impl {

using NameSet = std::set<std::string, std::less<>>;

/// The index of the block that holds `offset`, or -1.
inline int block_at(std::vector<MarkedBlock> const& blocks, std::uint32_t offset) {
  auto const it =
      std::upper_bound(blocks.begin(), blocks.end(), offset, [](std::uint32_t o, MarkedBlock const& b) {
        return o < b.text.begin;
      });
  if (it == blocks.begin()) return -1;
  auto const index = it - blocks.begin() - 1;
  return offset < blocks[static_cast<std::size_t>(index)].text.end ? static_cast<int>(index) : -1;
}

inline bool is_verdict_text(std::string_view s) {
  return s.find("Time:") != std::string_view::npos || s.find("Verification") != std::string_view::npos;
}

/// The value of the adjacent string literals that begin at `i`; `next` is the token after them.
inline std::string joined_literal(Code const& code, int i, int& next) {
  std::string out;
  for (next = i; next < code.size() && code.at(next).kind == TokenKind::kString; ++next)
    out += literal_value(code.at(next).text);
  return out;
}

/// What the text outside the blocks relies on.
class FrozenFacts {
 public:
  FrozenFacts(Code const& code, Structure const& structure, std::vector<MarkedBlock> const& blocks)
      : code_(code), structure_(structure), blocks_(blocks) {
    for (int i = 0; i < code.size(); ++i) {
      if (in_block(i)) continue;
      if (code.is_word(i)) word(i);
      if (code.at(i).kind == TokenKind::kString) literal(i);
      if (code.at(i).kind == TokenKind::kPunct) accumulator(i);
    }
    for (Token const& t : code.directives) {
      if (block_at(blocks, t.offset) >= 0) continue;
      DirectiveParts const parts = split_directive(t.text);
      auto stream = lex(parts.rest);
      if (!stream) continue;
      for (Token const& inner : stream->tokens)
        if (inner.kind == TokenKind::kIdentifier) words_.emplace(inner.text);
    }
    for (Statement const& s : structure.statements) {
      if (!s.simple || s.range.empty() || in_block(s.range.begin)) continue;
      for (Variable const& v : read_declaration(code, s.range))
        declared_[{function_of(v.name), std::string(code.text(v.name))}] = v.name;
    }
    for (std::size_t f = 0; f < structure.functions.size(); ++f)
      if (!in_block(structure.function_tokens[f].name)) defined_.insert(structure.functions[f].name);
  }

  [[nodiscard]] bool in_block(int token) const { return block_at(blocks_, code_.at(token).offset) >= 0; }
  [[nodiscard]] bool uses(std::string_view word) const { return words_.count(word) != 0; }
  [[nodiscard]] bool calls(std::string_view name) const { return called_.count(name) != 0; }
  [[nodiscard]] bool defines(std::string_view name) const { return defined_.count(name) != 0; }
  /// An event or clock variable of the frozen part of `function`.
  [[nodiscard]] bool is_clock(Index function, std::string_view name) const {
    return has(clocks_, function, name);
  }
  /// A variable that the frozen part of `function` prints in a result line, returns, counts or sums up in.
  [[nodiscard]] bool is_reported(Index function, std::string_view name) const {
    return has(reported_, function, name);
  }
  [[nodiscard]] bool declares(Index function, std::string_view name) const {
    return declared_.count({function, std::string(name)}) != 0;
  }

 private:
  using FunctionNames = std::map<Index, NameSet>;
  static bool has(FunctionNames const& names, Index f, std::string_view name) {
    auto const it = names.find(f);
    return it != names.end() && it->second.count(name) != 0;
  }
  [[nodiscard]] Index function_of(int i) const { return structure_.function_of[static_cast<std::size_t>(i)]; }

  void accumulator(int i) {
    std::string_view const t = code_.text(i);
    bool const step = t == "++" || t == "--";
    bool const sum = t == "+=" || t == "-=" || t == "|=" || t == "&=" || t == "^=" || t == "*=";
    if (function_of(i) == kNone || !(step || sum)) return;
    if (code_.is_word(i - 1)) return names_in({i - 1, i}, reported_[function_of(i)]);
    if (step && code_.is_word(i + 1)) names_in({i + 1, i + 2}, reported_[function_of(i)]);
  }

  void word(int i) {
    std::string_view const w = code_.text(i);
    words_.emplace(w);
    if (w == "return" && function_of(i) != kNone) {
      int end = i + 1;
      while (end < code_.size() && !code_.is(end, ";") && !code_.is(end, "}")) end = code_.next(end);
      names_in({i + 1, end}, reported_[function_of(i)]);
    }
    if (code_.is(i + 1, "<<<")) called_.emplace(w);
    if (!code_.is(i + 1, "(")) return;
    if (function_of(i) != kNone) called_.emplace(w);
    if (!w.starts_with("cudaEvent") && w != "MPI_Wtime") return;
    if (w == "MPI_Wtime") return assigned_from(i);
    bool const elapsed =
        w == "cudaEventElapsedTime";  // The others may name a stream, which is not the clock's.
    for (Range a : code_.split(code_.inside(i + 1))) {
      names_in(a, clocks_[function_of(i)]);
      if (!elapsed) break;
    }
  }

  /// `t0 = MPI_Wtime()`: t0 belongs to the clock.
  void assigned_from(int i) {
    int const s = structure_.statement_of[static_cast<std::size_t>(i)];
    if (s < 0) return;
    Range const r = structure_.statements[static_cast<std::size_t>(s)].range;
    for (int k = r.begin + 1; k < i; ++k)
      if (code_.is(k, "=") && code_.is_word(k - 1)) clocks_[function_of(i)].emplace(code_.text(k - 1));
  }

  void literal(int i) {
    int next = i;
    if (!is_verdict_text(joined_literal(code_, i, next))) return;
    int const s = structure_.statement_of[static_cast<std::size_t>(i)];
    if (s < 0) return;
    Range r = structure_.statements[static_cast<std::size_t>(s)].range;
    r.begin = i;
    names_in(r, reported_[function_of(i)]);
  }

  /// Variables in `r`; of `a.b` the member, as ".b".
  void names_in(Range r, NameSet& out) const {
    for (int k = r.begin; k < r.end; ++k) {
      if (!code_.is_word(k) || is_control_word(code_.text(k)) || is_builtin_type(code_.text(k))) continue;
      if (code_.is(k + 1, ".") || code_.is(k + 1, "->") || code_.is(k + 1, "(") || code_.is(k + 1, "::"))
        continue;
      std::string_view const w = code_.text(k);
      if (is_all_caps(w) || is_recognised_call(w)) continue;  // Constants and types.
      bool const member = code_.is(k - 1, ".") || code_.is(k - 1, "->");
      out.insert((member ? "." : "") + std::string(w));
    }
  }

  Code const& code_;
  Structure const& structure_;
  std::vector<MarkedBlock> const& blocks_;
  NameSet words_{}, called_{}, defined_{};
  FunctionNames clocks_{}, reported_{};
  std::map<std::pair<Index, std::string>, int> declared_{};
};

}  // namespace cuco::impl
