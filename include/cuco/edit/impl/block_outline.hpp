// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/analysis/token.hpp"
#include "cuco/core/result.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/impl/parsed_program.hpp"

namespace cuco::impl {

/// What a block does to what stands around it. Both texts are empty for nearly every block. As long as they
/// stay as they are, frozen text keeps its place in functions, classes and conditions: `} void unused() {` in
/// a block would move the frozen code behind it to another function without changing a byte of it.
struct BlockOutline {
  std::string conditions;  ///< `#endif` and `#else` without an `#if` of the block, `#if` without an `#endif`.
  /// Closing ones without an opening one in the block, then opening ones left open. Also what cannot be followed:
  /// digraphs, and conditions whose branches leave different ones.
  std::string brackets;
  bool operator==(BlockOutline const&) const = default;
};

/// The tokens inside a block.
inline std::pair<std::size_t, std::size_t> tokens_in(TokenStream const& stream, Span block) {
  auto const& t = stream.tokens;
  auto at = [&](std::uint32_t offset) {
    return static_cast<std::size_t>(
        std::partition_point(t.begin(), t.end(), [&](Token const& x) { return x.offset < offset; }) -
        t.begin());
  };
  return {at(block.begin), at(block.end)};
}

/// Brackets that were met, and what is left of them.
struct OpenBrackets {
  std::string loose;  ///< Closing ones without an opening one.
  std::string open;

  void meet(char c) {
    if (c == '(' || c == '[' || c == '{') open += c;
    if (c != ')' && c != ']' && c != '}') return;
    char const wanted = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (!open.empty() && open.back() == wanted) {
      open.pop_back();
    } else {
      // What does not match counts as loose, also when something else is open.
      loose += c;
    }
  }
  [[nodiscard]] std::string text() const { return loose + open; }
  bool operator==(OpenBrackets const&) const = default;
};

/// The brackets that each macro of a program leaves, for those that leave any. `?` for one with several
/// definitions that leave different ones.
class MacroBrackets {
 public:
  explicit MacroBrackets(TokenStream const& stream) {
    for (Token const& t : stream.tokens) {
      if (t.kind != TokenKind::kDirective || !t.active) continue;
      DirectiveParts const d = split_directive(t.text);
      if (d.name == "define") define(trim(d.rest));
    }
  }
  [[nodiscard]] std::string_view of(std::string_view name) const {
    auto const at = left_.find(name);
    return at == left_.end() ? std::string_view() : std::string_view(at->second);
  }

 private:
  void define(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && is_identifier_char(text[n])) ++n;
    std::string const name(text.substr(0, n));
    std::string_view body = text.substr(n);
    // Parameters stand directly behind the name.
    if (body.starts_with('(')) body = body.substr(std::min(body.find(')'), body.size() - 1) + 1);
    OpenBrackets brackets;
    if (auto const stream = lex(body)) {
      for (Token const& t : stream->tokens) {
        if (t.text.size() == 1) brackets.meet(t.text[0]);
        // A macro that uses one of these passes on what it leaves.
        for (char const c : of(t.text)) brackets.meet(c);
      }
    }
    auto const [at, fresh] = left_.try_emplace(name, brackets.text());
    if (!fresh && at->second != brackets.text()) at->second = "?";
  }
  std::map<std::string, std::string, std::less<>> left_{};
};

/// Follows one block.
class BlockReader {
 public:
  explicit BlockReader(MacroBrackets const& macros) : macros_(macros) {}

  BlockOutline read(TokenStream const& stream, Span block) {
    auto const [first, last] = tokens_in(stream, block);
    for (std::size_t i = first; i < last; ++i) {
      Token const& t = stream.tokens[i];
      if (t.kind == TokenKind::kDirective) {
        directive(split_directive(t.text).name);
      } else if (t.active) {
        for (Branch& b : branches_) b.active = true;
        if (t.text.size() == 1) brackets_.meet(t.text[0]);
        bool const digraph = i + 1 < last && is_digraph(t, stream.tokens[i + 1]);
        if (digraph) out_.brackets += std::string(t.text) + std::string(stream.tokens[i + 1].text);
        if (t.kind == TokenKind::kIdentifier) use(t.text);
      }
    }
    for (Branch const& b : branches_) out_.conditions += "#" + b.name + " ";
    if (!out_.conditions.empty()) out_.conditions.pop_back();
    out_.brackets += brackets_.text();
    return std::move(out_);
  }

 private:
  /// An open #if of the block.
  struct Branch {
    std::string name;
    OpenBrackets before;
    std::vector<OpenBrackets> after{};  ///< Of the branches that may be compiled.
    bool active = false;                ///< The present branch may be compiled.
    bool otherwise = false;             ///< There was an #else.
  };

  void directive(std::string const& name) {
    if (name == "if" || name == "ifdef" || name == "ifndef") {
      branches_.push_back({name, brackets_});
      return;
    }
    bool const other = name == "else" || name == "elif" || name == "elifdef" || name == "elifndef";
    if (!other && name != "endif") return;
    if (branches_.empty()) {
      out_.conditions += "#" + name + " ";
      return;
    }
    Branch& b = branches_.back();
    if (b.active) b.after.push_back(brackets_);
    b.active = false;
    b.otherwise = b.otherwise || name == "else";
    if (other) {
      brackets_ = b.before;
      return;
    }
    if (!b.otherwise) b.after.push_back(b.before);
    brackets_ = b.after.empty() ? b.before : b.after.front();
    // Whichever branch is compiled, what follows has to stand at the same place.
    for (OpenBrackets const& after : b.after)
      if (after != brackets_) out_.brackets += "#" + after.text();
    branches_.pop_back();
  }
  void use(std::string_view word) {
    std::string_view const left = macros_.of(word);
    if (left == "?") out_.brackets += word;
    for (char const c : left) brackets_.meet(c);
  }
  static bool is_digraph(Token const& a, Token const& b) {
    if (a.text.size() != 1 || b.text.empty() || a.span().end != b.offset) return false;
    char const x = a.text[0], y = b.text[0];
    bool const single = b.text.size() == 1;
    return (x == '<' && (y == '%' || (y == ':' && single))) || (x == '%' && (y == '>' || y == ':')) ||
           (x == ':' && y == '>');
  }

  MacroBrackets const& macros_;
  BlockOutline out_{};
  OpenBrackets brackets_{};
  std::vector<Branch> branches_{};
};

inline BlockOutline outline_of(TokenStream const& stream, MacroBrackets const& macros, Span block) {
  return BlockReader(macros).read(stream, block);
}

inline std::vector<BlockOutline> outlines_of(TokenStream const& stream,
                                             std::vector<EvolveBlock> const& blocks) {
  MacroBrackets const macros(stream);
  std::vector<BlockOutline> out;
  for (EvolveBlock const& block : blocks) out.push_back(outline_of(stream, macros, block.text));
  return out;
}

/// Frozen bytes are the same; here, that they also stand where they stood.
inline Result<void> check_outlines(ParsedProgram const& original,
                                   ParsedProgram const& candidate,
                                   std::string_view file) {
  auto const before = outlines_of(original.stream, original.blocks);
  auto const after = outlines_of(candidate.stream, candidate.blocks);
  for (std::size_t i = 0; i < after.size() && i < before.size(); ++i) {
    if (after[i] == before[i]) continue;
    bool const condition = after[i].conditions != before[i].conditions;
    return fail_at(ErrorCode::kRefused,
                   std::string(file),
                   candidate.blocks[i].start_line,
                   condition ? "an #if of this EVOLVE block reaches out of it"
                             : "brackets of this EVOLVE block reach out of it, which moves frozen text",
                   "close inside a block what is opened there");
  }
  return {};
}

}  // namespace cuco::impl
