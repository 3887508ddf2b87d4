// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/trusted_text.hpp"

namespace cuco::impl::transforming {

/// A use of a host collective, or of a launcher of the rules that has taken its place.
struct CommunicationUse {
  bool host = true;
  std::string name;
  Range args;    ///< Empty for one that is not called.
  Range buffer;  ///< What the rules compute once, and hand on as `one_buffer`.
};

/// One declaration or statement. Its text is the program's with communication, allocation and what the rules
/// rename written in one way, so that two programs which differ in these have the same text.
struct ProgramNode {
  Range tokens;
  std::string head;  ///< Without what is in its blocks.
  std::string text;
  std::vector<CommunicationUse> uses;  ///< In the head.
  std::vector<std::vector<ProgramNode>> parts;
  Index function = kNone;  ///< That it defines.
};

/// Reads a program as a tree of declarations and statements. Whoever wants to know whether two programs do
/// the same compares trees: conditions, loops and blocks are nodes, so nothing moves into or out of them
/// unseen. Directives that are not decided before compiling are part of the text of what they hold.
class ProgramTree {
 public:
  /// @param wrappers names of functions and macros that check the calls they are given.
  ProgramTree(SourceModel const& m,
              TrustedText const& trusted,
              std::set<std::string, std::less<>> const& wrappers)
      : m_(m), code_(m.code), trusted_(trusted), wrappers_(wrappers) {
    for (std::size_t f = 0; f < m.structure.function_tokens.size(); ++f)
      bodies_[m.structure.function_tokens[f].body.begin - 1] = static_cast<Index>(f);
    read_conditions();
    root_ = list({0, code_.size()});
  }

  [[nodiscard]] std::vector<ProgramNode> const& root() const { return root_; }

  /// What the function of generated text takes the place of; empty for a launcher.
  [[nodiscard]] static std::string renamed(std::string_view name) {
    if (name == "allocate" || name == "allocate_largest") return "cudaMalloc";
    if (name == "release") return "cudaFree";
    if (name == "mem_alloc") return "ncclMemAlloc";
    if (name == "mem_free") return "ncclMemFree";
    for (char const* call : {"ncclCommDestroy", "ncclCommFinalize", "ncclCommAbort"})
      if (name == ending_name(call)) return call;
    for (char const* call :
         {"ncclCommInitRank", "ncclCommInitRankConfig", "ncclCommInitRankScalable", "ncclCommSplit"})
      if (name == creation_name(call)) return call;
    return {};
  }

 private:
  void read_conditions() {
    std::vector<std::string> open;
    std::size_t next = 0;
    for (Token const& t : code_.tokens) {
      for (; next < code_.directives.size() && code_.directives[next].offset < t.offset; ++next) {
        Token const& d = code_.directives[next];
        DirectiveParts const parts = split_directive(d.text);
        std::string const text = parts.name + " " + std::string(trim(parts.rest));
        if (trusted_.holds(d.offset)) continue;
        if (parts.name.starts_with("if")) open.push_back(text);
        if (parts.name.starts_with("el") && !open.empty()) open.back() += "; " + text;
        if (parts.name == "endif" && !open.empty()) open.pop_back();
      }
      std::string all;
      for (auto const& one : open) all += "#[" + one + "]";
      conditions_.push_back(std::move(all));
    }
  }

  [[nodiscard]] std::vector<ProgramNode> list(Range r) {
    std::vector<ProgramNode> out;
    for (int i = r.begin; i < r.end;) {
      if (trusted_.holds(code_.at(i).offset) || code_.is(i, ";"))
        ++i;
      else
        out.push_back(statement(i, r.end));
    }
    return out;
  }

  /// The statement that a head governs, as a list; a block's content.
  [[nodiscard]] std::vector<ProgramNode> body(int& i, int end) {
    if (code_.is(i, "{") && i < end) {
      Range const inside = code_.inside(i);
      i = code_.partner(i) + 1;
      return list(inside);
    }
    if (i >= end || code_.is(i, ";")) {
      ++i;
      return {};
    }
    std::vector<ProgramNode> out;
    out.push_back(statement(i, end));
    return out;
  }

  [[nodiscard]] ProgramNode statement(int& i, int end) {
    ProgramNode n;
    n.tokens.begin = i;
    condition_.clear();
    std::string_view const t = code_.text(i);
    int const open = code_.is(i + 1, "constexpr") ? i + 2 : i + 1;
    if ((t == "if" || t == "for" || t == "while" || t == "switch") && code_.is(open, "(")) {
      put_all(i, code_.partner(open) + 1, n);
      i = code_.partner(open) + 1;
      n.parts.push_back(body(i, end));
      if (t == "if" && code_.is(i, "else") && i < end) {
        condition_ = conditions_[static_cast<std::size_t>(n.tokens.begin)];
        i = put(i, n);
        n.parts.push_back(body(i, end));
      }
    } else if (t == "do") {
      i = put(i, n);
      n.parts.push_back(body(i, end));
      int const stop = code_.is(i, "while") ? std::min(end, code_.partner(i + 1) + 2) : i;
      condition_ = conditions_[static_cast<std::size_t>(n.tokens.begin)];
      put_all(i, stop, n);
      i = stop;
    } else if (t == "try") {
      i = put(i, n);
      n.parts.push_back(body(i, end));
      while (code_.is(i, "catch") && i < end) {
        int const stop = code_.partner(i + 1) + 1;
        put_all(i, stop, n);
        i = stop;
        n.parts.push_back(body(i, end));
      }
    } else if (t == "{") {
      word("{}", i, n);
      n.parts.push_back(body(i, end));
    } else if (int const stop = label_end(i, end); stop > 0) {
      put_all(i, stop, n);
      i = stop;
    } else {
      plain(i, end, n);
    }
    n.tokens.end = std::min(i, end);
    finish(n);
    return n;
  }

  /// After the `:` of a label or an access specifier; 0 when there is none.
  [[nodiscard]] int label_end(int i, int end) const {
    if (!code_.is_word(i)) return 0;
    if (code_.is(i + 1, ":")) return i + 2;
    if (!code_.is(i, "case")) return 0;
    while (i < end && !code_.is(i, ":") && !code_.is(i, ";")) i = code_.next(i);
    return std::min(i + 1, end);
  }

  void plain(int& i, int end, ProgramNode& n) {
    int const first = i;
    int const around = code_.enclosing(i);
    while (i < end) {
      if (code_.is(i, ";") && code_.enclosing(i) == around) {
        i = put(i, n);
        return;
      }
      if (!code_.is(i, "{") || !is_code(first, i)) {
        i = put(i, n);
        continue;
      }
      int const open = i;
      word("{}", i, n);
      auto const function = bodies_.find(open);
      if (function != bodies_.end() && n.function == kNone) n.function = function->second;
      std::string const kept = condition_;
      n.parts.push_back(list(code_.inside(open)));
      condition_ = kept;
      i = code_.partner(open) + 1;
      if (code_.enclosing(open) == around && ends(first, open, end)) return;
    }
  }

  /// Whether statements or declarations are in the braces, not values.
  [[nodiscard]] bool is_code(int first, int open) const {
    if (bodies_.count(open) != 0) return true;
    if (code_.enclosing(open) == code_.enclosing(first) && has_word(first, open, "namespace")) return true;
    int const close = code_.partner(open);
    for (int i = open + 1; i < close; ++i)
      if (code_.is(i, ";")) return true;
    return false;
  }
  [[nodiscard]] bool has_word(int first, int open, std::string_view what) const {
    for (int i = first; i < open; ++i)
      if (code_.is(i, what)) return true;
    return false;
  }
  [[nodiscard]] bool ends(int first, int open, int end) const {
    int const after = code_.partner(open) + 1;
    if (bodies_.count(open) != 0 || after >= end) return true;
    for (std::string_view w : {"class", "struct", "union", "enum", "="})
      if (has_word(first, open, w)) return false;
    for (std::string_view goes_on : {";", ",", ")", "(", ".", "->", "[", "]"})
      if (code_.is(after, goes_on)) return false;
    return true;
  }

  // ---- text ---------------------------------------------------------------------------------------------

  void word(std::string_view text, int at, ProgramNode& n) {
    std::string const& now = conditions_[static_cast<std::size_t>(at)];
    if (now != condition_) {
      n.head += now.empty() ? "#[]" : now;
      condition_ = now;
    }
    bool const apart = !n.head.empty() && !text.empty() && is_identifier_char(n.head.back()) &&
                       is_identifier_char(text.front());
    if (apart) n.head += ' ';
    n.head += text;
  }
  void put_all(int from, int to, ProgramNode& n) {
    while (from < to) from = put(from, n);
  }

  /// Writes what begins at `i`; returns what comes after it.
  int put(int i, ProgramNode& n) {
    if (int const after = one_buffer(i, n); after > 0) return after;
    std::string_view const t = code_.text(i);
    bool const service = t == "device_nccl" && code_.is(i + 1, "::") && !trusted_.empty();
    if (service) {
      std::string_view const name = code_.text(i + 2);
      if (auto const old = renamed(name); !old.empty()) {
        word(old, i, n);
        return i + 3;
      }
      if (name.ends_with("group_start") || name.ends_with("group_end")) return group(i, i + 3, n);
      if (name != "prepare") return use(i, i + 3, false, n);
    }
    if (code_.is_word(i) && find_collective(t) != nullptr) return use(i, i + 1, true, n);
    if (is_group_call(t)) return group(i, i + 1, n);
    word(t, i, n);
    return i + 1;
  }
  int use(int i, int after, bool host, ProgramNode& n) {
    CommunicationUse use{host, std::string(code_.text(after - 1)), {}, {}};
    word("@communicate", i, n);
    if (code_.is(after, "(")) {
      use.args = code_.inside(after);
      after = code_.partner(after) + 1;
    }
    n.uses.push_back(std::move(use));
    return after;
  }
  /// Groups mean nothing to kernels; the rules leave a success where one is asked for.
  int group(int i, int after, ProgramNode& n) {
    word("ncclSuccess", i, n);
    return code_.is(after, "(") ? code_.partner(after) + 1 : after;
  }
  /// `[&](void* one_buffer) { return device_nccl::…(one_buffer, one_buffer, …); }(buffer)` of the rules.
  int one_buffer(int i, ProgramNode& n) {
    bool const begins = code_.is(i, "[") && code_.is(i + 1, "&") && code_.is(i + 6, "one_buffer") &&
                        code_.is(i + 8, "{") && code_.is(i + 9, "return") && code_.is(i + 10, "device_nccl");
    if (!begins || trusted_.empty() || !code_.is(i + 13, "(")) return 0;
    int const close = code_.partner(i + 8);
    if (code_.partner(i + 13) + 2 != close || !code_.is(close + 1, "(")) return 0;
    word("@communicate", i, n);
    n.uses.push_back({false,
                      std::string(code_.text(i + 12)),
                      {i + 14, code_.partner(i + 13)},
                      {close + 2, code_.partner(close + 1)}});
    return code_.partner(close + 1) + 1;
  }

  void finish(ProgramNode& n) {
    if (n.parts.empty()) memory(n);
    n.text = n.head;
    for (auto const& part : n.parts) {
      n.text += " {";
      for (ProgramNode const& c : part) n.text += " " + c.text;
      n.text += " }";
    }
  }
  /// `CHECK(cudaMalloc(&p, n));` and `CHECK(ncclMemAlloc((void**)&p, n));` become `@allocate(&p,n);`.
  void memory(ProgramNode& n) {
    int i = n.tokens.begin;
    if (code_.is(i, "(") && code_.is(i + 1, "void") && code_.is(i + 2, ")")) i += 3;
    bool const wrapped = code_.is_word(i) && code_.is(i + 1, "(") && wrappers_.count(code_.text(i)) != 0;
    int const outer = wrapped ? code_.partner(i + 1) : n.tokens.end;
    if (wrapped) i += 2;
    std::string name(code_.text(i));
    bool const service = name == "device_nccl" && code_.is(i + 1, "::") && !trusted_.empty();
    if (service) name = renamed(code_.text(i += 2));
    bool const allocates = name == "cudaMalloc" || name == "ncclMemAlloc";
    bool const frees = name == "cudaFree" || name == "ncclMemFree";
    if ((!allocates && !frees) || !code_.is(i + 1, "(")) return;
    int const close = code_.partner(i + 1);
    bool const whole = wrapped ? close < outer && code_.is(outer + 1, ";") && outer + 2 == n.tokens.end &&
                                     (close + 1 == outer || code_.is(close + 1, ","))
                               : code_.is(close + 1, ";") && close + 2 == n.tokens.end;
    for (int k = close + 1; wrapped && k < outer; ++k) {  // The wrapper's other arguments are only texts.
      TokenKind const kind = code_.at(k).kind;
      if (kind != TokenKind::kString && !code_.is(k, ",") && !code_.is(k, "__LINE__") &&
          !code_.is(k, "__FILE__"))
        return;
    }
    auto const args = code_.split(code_.inside(i + 1));
    if (!whole || args.size() != (allocates ? 2U : 1U)) return;
    std::string pointer = code_.squeezed(args[0]);
    for (std::string_view cast : {"(void**)", "reinterpret_cast<void**>"})
      if (allocates && pointer.starts_with(cast)) pointer.erase(0, cast.size());
    if (pointer.starts_with("(") && pointer.ends_with(")")) pointer = pointer.substr(1, pointer.size() - 2);
    n.head = conditions_[static_cast<std::size_t>(n.tokens.begin)] + (allocates ? "@allocate(" : "@free(") +
             pointer + (allocates ? "," + code_.squeezed(args[1]) : std::string()) + ");";
  }

  SourceModel const& m_;
  Code const& code_;
  TrustedText const& trusted_;
  std::set<std::string, std::less<>> const& wrappers_;
  std::map<int, Index> bodies_{};
  std::vector<std::string> conditions_{};  ///< Per token.
  std::string condition_{};                ///< Of the text written last.
  std::vector<ProgramNode> root_{};
};

}  // namespace cuco::impl::transforming
