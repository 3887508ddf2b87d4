// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/original_words.hpp"
#include "cuco/transform/impl/program_tree.hpp"

namespace cuco::impl::transforming {

/// Where code that was added moves data: kernels, copies on the device, and calls of what does so.
class AddedLaunches {
 public:
  AddedLaunches(SourceModel const& m, TrustedText const& trusted, OriginalWords const& original)
      : m_(m), code_(m.code), original_(original) {
    for (Launch const& l : m.report.launches)
      if (!trusted.holds(l.span.begin)) moves_.insert(m.token_at(l.span.begin));
    for (int i = 0; i < code_.size(); ++i) {
      if (trusted.holds(code_.at(i).offset)) continue;
      std::string_view const t = code_.text(i);
      if (code_.is(i, "<<<")) moves_.insert(i);
      bool const copies = t.starts_with("cudaMemcpy") && code_.is(i + 1, "(");
      bool const launches = t.starts_with("cudaLaunch") && code_.is(i + 1, "(");
      if (copies || launches || find_collective(t) != nullptr) moves_.insert(i);
      bool const service = t == "device_nccl" && code_.is(i + 1, "::") && !trusted.empty();
      if (service && is_launcher(code_.text(i + 2))) moves_.insert(i);
    }
    // Functions and lambdas that do so, and what calls them.
    for (bool grew = true; std::exchange(grew, false);) {
      for (std::size_t f = 0; f < m.report.functions.size(); ++f) {
        Function const& function = m.report.functions[f];
        Range const body = m.structure.function_tokens[f].body;
        bool const host = !function.is_kernel && !function.is_device;
        if (host && !original.uses(function.name) && any(body)) grew = name(function.name) || grew;
      }
      for (int i = 0; i + 2 < code_.size(); ++i)
        if (code_.is(i + 1, "=") && code_.is(i + 2, "[") && code_.is_word(i) &&
            !original.uses(code_.text(i)) && any({i, end_of_statement(i)}))
          grew = name(std::string(code_.text(i))) || grew;
    }
  }

  [[nodiscard]] bool any(Range r) const {
    auto const first = moves_.lower_bound(r.begin);
    return first != moves_.end() && *first < r.end;
  }

  /// Whether one of the nodes moves data on every path that gets to the first of them.
  [[nodiscard]] bool always(std::vector<ProgramNode const*> const& nodes) const {
    for (ProgramNode const* n : nodes) {
      if (always(*n)) return true;
      if (leaves(*n)) return false;
    }
    return false;
  }

  /// Why the launches of `n` do not run on one of `streams`; empty when they do.
  [[nodiscard]] std::string stream_problem(ProgramNode const& n, std::set<std::string> const& streams) const {
    for (Launch const& l : m_.report.launches) {
      int const token = m_.token_at(l.span.begin);
      if (token < n.tokens.begin || token >= n.tokens.end) continue;
      auto stream = lex(l.stream);
      std::string text;
      if (stream)
        for (Token const& t : stream->tokens) text += t.text;
      if (streams.count(plain_stream(text)) != 0) continue;
      return "line " + std::to_string(l.line) + ": the kernel runs on stream '" + text +
             "', not on that of the collective it takes the place of";
    }
    for (int i = n.tokens.begin; i < n.tokens.end; ++i) {
      if (!copies(i) || streams.count(plain_stream(copy_stream(i))) != 0) continue;
      return "line " + std::to_string(code_.at(i).line) + ": the copy runs on stream '" + copy_stream(i) +
             "', not on that of the collective it takes the place of";
    }
    for (int i = n.tokens.begin; i < n.tokens.end; ++i) {
      if (!code_.is_word(i) || named_.count(std::string(code_.text(i))) == 0 || !code_.is(i + 1, "("))
        continue;
      bool given = false;
      for (Range a : code_.split(code_.inside(i + 1)))
        given = given || streams.count(plain_stream(code_.squeezed(a))) != 0;
      if (!given)
        return "line " + std::to_string(code_.at(i).line) + ": " + std::string(code_.text(i)) +
               " launches kernels and is not given the stream of the collective it takes the place of";
    }
    return {};
  }
  /// The default stream has many names.
  static std::string plain_stream(std::string text) {
    for (char const* name :
         {"", "nullptr", "NULL", "cudaStreamLegacy", "cudaStreamDefault", "(cudaStream_t)0"})
      if (text == name) return "0";
    return text;
  }

  /// Why a function that is added does not launch on a stream that it is given; empty when it does.
  [[nodiscard]] std::string function_problem(Index f) const {
    Function const& function = m_.function(f);
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    for (Launch const& l : m_.report.launches) {
      int const token = m_.token_at(l.span.begin);
      if (token < body.begin || token >= body.end) continue;
      auto const& names = function.parameter_names;
      if (std::find(names.begin(), names.end(), l.stream) == names.end())
        return "line " + std::to_string(l.line) + ": " + function.name +
               " has to launch its kernels on a stream that is one of its parameters";
    }
    for (int i = body.begin; i < body.end; ++i) {
      auto const& names = function.parameter_names;
      if (copies(i) && std::find(names.begin(), names.end(), copy_stream(i)) == names.end())
        return "line " + std::to_string(code_.at(i).line) + ": " + function.name +
               " has to copy on a stream that is one of its parameters";
    }
    return {};
  }

 private:
  [[nodiscard]] bool copies(int i) const { return code_.is(i, "cudaMemcpyAsync") && code_.is(i + 1, "("); }
  [[nodiscard]] std::string copy_stream(int i) const {
    auto const args = code_.split(code_.inside(i + 1));
    return args.size() == 5 ? code_.squeezed(args[4]) : std::string();
  }
  static bool is_launcher(std::string_view name) {
    static constexpr std::array<std::string_view, 8> kServices = {"prepare",
                                                                  "allocate",
                                                                  "allocate_largest",
                                                                  "release",
                                                                  "mem_alloc",
                                                                  "mem_free",
                                                                  "forget",
                                                                  "group_start"};
    return !one_of(name, kServices) && !name.starts_with("comm_") && !name.starts_with("creation_");
  }
  [[nodiscard]] int end_of_statement(int i) const {
    while (i < code_.size() && !code_.is(i, ";")) i = code_.next(i);
    return i;
  }
  bool name(std::string const& function) {
    if (!named_.insert(function).second) return false;
    for (int i = 0; i + 1 < code_.size(); ++i)
      if (code_.is(i, function) && code_.is(i + 1, "(")) moves_.insert(i);
    return true;
  }

  [[nodiscard]] bool always(ProgramNode const& n) const {
    if (!any(n.tokens)) return false;
    std::string_view const first = code_.text(n.tokens.begin);
    auto part = [&](std::size_t i) {
      std::vector<ProgramNode const*> all;
      for (ProgramNode const& c : n.parts[i]) all.push_back(&c);
      return always(all);
    };
    if (first == "{") return part(0);
    if (first == "if") return n.parts.size() == 2 && part(0) && part(1);
    if (first == "do") return part(0);
    if (first == "for") return is_counted(n) && part(0);
    if (!n.parts.empty()) return false;
    for (int i = n.tokens.begin; i < n.tokens.end; ++i) {
      for (std::string_view w : {"?", "&&", "||", "!", "==", "!="})
        if (code_.is(i, w)) return false;
    }
    return true;
  }
  /// `for (int i = 0; i < ranks; ++i)`, where it is known that there are ranks.
  [[nodiscard]] bool is_counted(ProgramNode const& n) const {
    Range const head = code_.inside(n.tokens.begin + 1);
    std::vector<int> ends;
    for (int i = head.begin; i < head.end; i = code_.next(i))
      if (code_.is(i, ";")) ends.push_back(i);
    if (ends.size() != 2 || ends[1] - ends[0] != 4) return false;
    int const value = ends[0] - 1, bound = ends[1] - 1;
    std::string_view const start = code_.text(value);
    bool const from = code_.is(value - 1, "=") && (start == "0" || start == "1");
    bool const to = original_.is_rank_count(code_.text(bound)) ||
                    (code_.at(bound).kind == TokenKind::kNumber && code_.text(bound) > start);
    return from && to && (code_.is(ends[0] + 2, "<") || code_.is(ends[0] + 2, "<=")) &&
           code_.is(ends[0] + 1, code_.text(value - 2));
  }
  [[nodiscard]] bool leaves(ProgramNode const& n) const {
    for (int i = n.tokens.begin; i < n.tokens.end; ++i)
      for (std::string_view w : {"return", "break", "continue", "exit", "abort"})
        if (code_.is(i, w)) return true;
    return false;
  }

  SourceModel const& m_;
  Code const& code_;
  OriginalWords const& original_;
  std::set<int> moves_{};
  std::set<std::string> named_{};
};

}  // namespace cuco::impl::transforming
