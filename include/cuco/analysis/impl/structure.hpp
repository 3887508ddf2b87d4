// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/heads.hpp"
#include "cuco/analysis/impl/words.hpp"
#include "cuco/analysis/report.hpp"

namespace cuco::impl {

/// A statement: a simple one, or a compound one with its header and everything it governs.
struct Statement {
  Range range;
  bool simple = true;
};

/// A function's tokens beside its `Function`.
struct FunctionTokens {
  int name = -1;
  int parameters = -1;
  Range body;  ///< Between the braces.
};

/// Functions, loops and statements, and for each token the innermost that holds it.
struct Structure {
  std::vector<Function> functions;
  std::vector<FunctionTokens> function_tokens;
  std::vector<Loop> loops;
  std::vector<Statement> statements;
  std::vector<Index> function_of;  ///< Per token; parameters and initialisers belong to their function.
  std::vector<Index> loop_of;
  std::vector<int> statement_of;
};

/// Reads declarations and statements. Works through lists instead of recursing, so that nesting costs no
/// stack.
class StructureReader {
 public:
  StructureReader(Code const& code,
                  std::set<std::string, std::less<>> kernel_macros,
                  std::set<std::string, std::less<>> loop_macros)
      : code_(code),
        heads_(code),
        kernel_macros_(std::move(kernel_macros)),
        loop_macros_(std::move(loop_macros)) {}

  Structure run() {
    auto const n = static_cast<std::size_t>(code_.size());
    out_.statement_of.assign(n, -1);
    work_.push_back({-1, kNone, true, {}});
    // Work is appended while it is done; outer regions come first.
    for (std::size_t i = 0; i < work_.size(); ++i) {
      Region const region = work_[i];
      if (region.declarations) {
        read_declarations(region);
      } else {
        read_code(region);
      }
    }
    order();
    assign_owners();
    return std::move(out_);
  }

 private:
  struct Region {
    int open;  ///< Its `{`, or -1 for the file.
    Index function;
    bool declarations;
    std::string scope;
  };
  enum class FrameKind : std::uint8_t { kBlock, kIf, kLoop, kDo, kPass };
  struct Frame {
    FrameKind kind;
    int close = -1;  ///< Of a block.
    int loop = -1;
    int statement = -1;
  };

  [[nodiscard]] int region_end(int open) const { return open < 0 ? code_.size() : code_.partner(open); }

  // ---- declarations -------------------------------------------------------------------------------------

  void read_declarations(Region const& region) {
    int const end = region_end(region.open);
    int head = region.open + 1;
    for (int i = head; i < end;) {
      std::string_view const t = code_.text(i);
      if (t == ";") {
        add_statement({head, i + 1}, true);
        // Groups in braces were handled where they opened.
        for (int j = head; j < i; j = code_.next(j))
          if (code_.is(j, "(") || code_.is(j, "[")) find_code_in(code_.inside(j), region.function);
        head = ++i;
      } else if (t == ":" && i == head + 1 &&
                 (code_.is(head, "public") || code_.is(head, "private") || code_.is(head, "protected"))) {
        head = ++i;
      } else if (t == "{") {
        int const close = code_.partner(i);
        if (open_declaration(region, {head, i}, i)) head = close + 1;
        i = close + 1;
      } else {
        i = code_.next(i);
      }
    }
  }

  /// Handles the `{` at `open` after `head`. Returns whether the declaration ends with its `}`.
  bool open_declaration(Region const& region, Range head_range, int open) {
    Head const head = heads_.read(head_range);
    auto nested = [&](std::string const& name) {
      std::string scope = region.scope.size() > 1000 ? std::string() : region.scope;
      if (!scope.empty() && !name.empty()) scope += "::";
      return scope + name;
    };
    switch (head.kind) {
      case HeadKind::kNamespace:
        work_.push_back({open, region.function, true, nested(head.text)});
        return true;
      case HeadKind::kClass: work_.push_back({open, region.function, true, nested(head.text)}); return false;
      case HeadKind::kEnum:
      case HeadKind::kMemberInitializer: return false;
      case HeadKind::kFunction: {
        auto const index = static_cast<Index>(out_.functions.size());
        out_.functions.push_back(describe_function(code_, head, head_range, open, kernel_macros_));
        out_.functions.back().scope = region.scope;
        out_.function_tokens.push_back({head.name, head.parameters, code_.inside(open)});
        find_code_in({head.parameters + 1, open}, index);
        work_.push_back({open, index, false, nested(head.text)});
        return true;
      }
      case HeadKind::kInitializer:
      case HeadKind::kUnknown:
        if (is_code_brace(open)) {
          work_.push_back({open, region.function, false, region.scope});
        } else {
          find_code_in(code_.inside(open), region.function);
        }
        return false;
    }
    return false;
  }

  // ---- statements ---------------------------------------------------------------------------------------

  /// Whether `{` inside an expression opens statements (a lambda's body) rather than a list of values.
  [[nodiscard]] bool is_code_brace(int open) const {
    if (code_.has_code[static_cast<std::size_t>(open)] != 0) return true;
    std::string_view const before = code_.text(open - 1);
    return before == ")" || before == "]" || before == "mutable" || before == "noexcept";
  }

  /// Queues the statement groups inside an expression. The caller owns the tokens outside them.
  void find_code_in(Range r, Index function) {
    for (int i = r.begin; i < r.end; ++i) {
      if (!code_.is(i, "{") || !is_code_brace(i)) continue;
      work_.push_back({i, function, false, {}});
      i = code_.partner(i);
    }
  }

  int add_statement(Range r, bool simple) {
    int const id = static_cast<int>(out_.statements.size());
    out_.statements.push_back({r, simple});
    own(r, id);
    return id;
  }
  /// Makes statement `id` the owner of tokens in `r`, code groups skipped so that each token is visited once.
  void own(Range r, int id) {
    for (int i = r.begin; i < r.end; ++i) {
      out_.statement_of[static_cast<std::size_t>(i)] = id;
      if (code_.is(i, "{") && is_code_brace(i)) i = code_.partner(i) - 1;
    }
  }

  int add_loop(int keyword, Range header, Index function) {
    Loop loop;
    loop.header = code_.text(header, 256);
    loop.line = code_.at(keyword).line;
    loop.span.begin = code_.at(keyword).offset;
    loop.function = function;
    out_.loops.push_back(std::move(loop));
    loop_tokens_.push_back({keyword, keyword + 1});
    return static_cast<int>(out_.loops.size()) - 1;
  }
  void begin_body(int loop, int token) {
    Loop& l = out_.loops[static_cast<std::size_t>(loop)];
    l.braced = code_.is(token, "{");
    l.body.begin = token < code_.size() ? code_.at(token).offset : l.span.begin;
  }

  class CodeReader;
  void read_code(Region const& region);

  void order() {
    // Regions are read breadth first; reports are in source order.
    std::vector<std::size_t> permutation(out_.functions.size());
    for (std::size_t i = 0; i < permutation.size(); ++i) permutation[i] = i;
    std::sort(permutation.begin(), permutation.end(), [&](std::size_t a, std::size_t b) {
      return out_.function_tokens[a].name < out_.function_tokens[b].name;
    });
    std::vector<Index> renumbered(permutation.size());
    std::vector<Function> functions;
    std::vector<FunctionTokens> tokens;
    for (std::size_t i = 0; i < permutation.size(); ++i) {
      renumbered[permutation[i]] = static_cast<Index>(i);
      functions.push_back(std::move(out_.functions[permutation[i]]));
      tokens.push_back(out_.function_tokens[permutation[i]]);
    }
    out_.functions = std::move(functions);
    out_.function_tokens = std::move(tokens);
    std::vector<std::pair<Range, Loop>> loops;
    for (std::size_t i = 0; i < out_.loops.size(); ++i) {
      Loop& l = out_.loops[i];
      if (l.function != kNone) l.function = renumbered[static_cast<std::size_t>(l.function)];
      loops.emplace_back(loop_tokens_[i], std::move(l));
    }
    std::stable_sort(loops.begin(), loops.end(), [](auto const& a, auto const& b) {
      return a.first.begin < b.first.begin;
    });
    for (std::size_t i = 0; i < loops.size(); ++i) {
      loop_tokens_[i] = loops[i].first;
      out_.loops[i] = std::move(loops[i].second);
    }
  }

  void assign_owners() {
    auto const n = static_cast<std::size_t>(code_.size());
    std::vector<Range> functions;
    for (FunctionTokens const& f : out_.function_tokens) functions.push_back({f.name, f.body.end + 1});
    out_.function_of = innermost(functions, n);
    out_.loop_of = innermost(loop_tokens_, n);
    for (std::size_t i = 0; i < n; ++i) {
      Index& l = out_.loop_of[i];
      // A method of a class that is local to a loop's body is not itself in the loop.
      if (l != kNone && out_.loops[static_cast<std::size_t>(l)].function != out_.function_of[i]) l = kNone;
    }
    for (std::size_t i = 0; i < loop_tokens_.size(); ++i) {
      int const before = loop_tokens_[i].begin - 1;
      if (before < 0) continue;
      Index const outer = out_.loop_of[static_cast<std::size_t>(before)];
      // The keyword may follow the end of a sibling loop; only a loop that goes on holds it.
      Index candidate = outer;
      while (candidate != kNone &&
             loop_tokens_[static_cast<std::size_t>(candidate)].end <= loop_tokens_[i].begin)
        candidate = out_.loops[static_cast<std::size_t>(candidate)].parent;
      if (candidate != kNone &&
          out_.loops[static_cast<std::size_t>(candidate)].function == out_.loops[i].function)
        out_.loops[i].parent = candidate;
    }
  }

  /// For each token the last of the (properly nested, sorted) ranges that holds it.
  static std::vector<Index> innermost(std::vector<Range> const& ranges, std::size_t n) {
    std::vector<Index> owner(n, kNone);
    std::vector<Index> stack;
    std::size_t next = 0;
    for (std::size_t i = 0; i < n; ++i) {
      while (!stack.empty() && ranges[static_cast<std::size_t>(stack.back())].end <= static_cast<int>(i))
        stack.pop_back();
      while (next < ranges.size() && ranges[next].begin <= static_cast<int>(i))
        stack.push_back(static_cast<Index>(next++));
      if (!stack.empty()) owner[i] = stack.back();
    }
    return owner;
  }

  Code const& code_;
  HeadReader heads_;
  std::set<std::string, std::less<>> kernel_macros_;
  std::set<std::string, std::less<>> loop_macros_;
  std::vector<Region> work_{};
  std::vector<Range> loop_tokens_{};
  Structure out_{};
};

}  // namespace cuco::impl

#include "cuco/analysis/impl/statements.hpp"
