// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/lint_names.hpp"
#include "cuco/analysis/impl/variables.hpp"
#include "cuco/transform/impl/device_ranges.hpp"

namespace cuco::impl::transforming {

using WordSet = std::set<std::string, std::less<>>;

inline bool has_word(WordSet const& words, std::string_view w) {
  return words.find(w) != words.end();
}

/// What the words of an original program are to those who may add code to it.
class OriginalWords {
 public:
  explicit OriginalWords(SourceModel const& m) : m_(m) {
    for (Token const& t : m.stream.tokens) add_words(t);
    for (Call const& c : m.report.calls)
      if (!c.wrapper.empty() && is_recognised_call(c.name) && !is_recognised_call(c.wrapper) &&
          !is_control_word(c.wrapper))
        wrappers_.insert(c.wrapper);
    for (Macro const& macro : m.report.macros) read_macro(macro);
    for (Macro const& macro : m.report.macros) read_macro(macro);  // They may be defined after their use.
    for (int i = 0; i < m.code.size(); ++i)
      if (m.code.is_word(i) && m.function_of(i) != kNone)
        function_words_[m.function(m.function_of(i)).name].emplace(m.code.text(i));
    read_communication();
    read_declarations();
    read_kernels();
  }

  [[nodiscard]] bool uses(std::string_view w) const { return has_word(all_, w); }
  /// Functions and macros that check the NCCL and CUDA calls they are given.
  [[nodiscard]] WordSet const& wrappers() const { return wrappers_; }
  /// Whether the wrapper may leave the function that calls it.
  [[nodiscard]] bool jumps(std::string_view w) const { return has_word(jumping_, w); }
  [[nodiscard]] bool function_uses(std::string const& function, std::string_view w) const {
    auto const it = function_words_.find(function);
    return it != function_words_.end() && has_word(it->second, w);
  }
  /// Macros whose expansion communicates.
  [[nodiscard]] bool is_communicating_macro(std::string_view w) const { return has_word(macros_, w); }
  /// Whether a variable or parameter has that name.
  [[nodiscard]] bool declares(std::string_view w) const {
    return has_word(numbers_, w) || has_word(others_, w);
  }
  /// In the arguments of collectives and of what sets communicators up.
  [[nodiscard]] bool is_of_communication(std::string_view w) const { return has_word(communication_, w); }
  [[nodiscard]] bool is_number(std::string_view w) const { return has_word(numbers_, w); }
  /// A number that is set before any loop, or a type, or a macro that is a number.
  [[nodiscard]] bool is_constant(std::string_view w) const {
    return (has_word(numbers_, w) && !has_word(changing_, w)) || has_word(types_, w);
  }
  /// Differs between the rounds of a loop.
  [[nodiscard]] bool changes(std::string_view w) const { return has_word(changing_, w); }
  [[nodiscard]] bool is_rank_count(std::string_view w) const {
    return has_word(rank_counts_, w) && !has_word(changing_, w);
  }
  /// Kernels that only timed regions launch, on the buffers of collectives, and their device functions.
  [[nodiscard]] bool may_change(Index function) const { return kernels_.count(function) != 0; }
  [[nodiscard]] bool may_change(std::string_view kernel) const { return has_word(kernel_names_, kernel); }
  /// A variable in device memory, by its name there.
  [[nodiscard]] bool is_device_variable(std::string_view w) const { return has_word(device_variables_, w); }

 private:
  void add_words(Token const& t) {
    if (t.kind == TokenKind::kIdentifier) all_.emplace(t.text);
    if (t.kind != TokenKind::kDirective) return;
    DirectiveParts const parts = split_directive(t.text);
    if (parts.name.starts_with("include")) return;
    if (auto inner = lex(parts.rest))
      for (Token const& w : inner->tokens)
        if (w.kind == TokenKind::kIdentifier) all_.emplace(w.text);
  }

  void read_macro(Macro const& macro) {
    auto body = lex(macro.value);
    if (!body) return;
    bool plain = macro.parameters.empty() && !body->tokens.empty();
    for (Token const& t : body->tokens) {
      for (std::string_view w : {"return", "break", "continue", "goto", "throw"})
        if (t.is(w)) jumping_.insert(macro.name);
      if (has_word(jumping_, t.text)) jumping_.insert(macro.name);
      if (find_collective(t.text) != nullptr || has_word(macros_, t.text)) macros_.insert(macro.name);
      plain = plain && (t.kind == TokenKind::kNumber || t.kind == TokenKind::kPunct) && !t.is("{");
    }
    if (plain) numbers_.insert(macro.name);
  }

  void words_of(Range r, WordSet& out) const {
    for (int i = r.begin; i < r.end; ++i)
      if (m_.code.is_word(i)) out.emplace(m_.code.text(i));
  }
  void read_communication() {
    for (int i = 0; i < m_.code.size(); ++i) {
      if (!m_.code.is_word(i) || !m_.code.is(i + 1, "(")) continue;
      std::string_view const t = m_.code.text(i);
      bool const comm = t.starts_with("ncclComm") && is_setup_call(t);
      if (find_collective(t) != nullptr || comm || is_communicating_macro(t))
        words_of(m_.code.inside(i + 1), communication_);
      if (t == "MPI_Comm_size") words_of(m_.code.inside(i + 1), rank_counts_);
    }
    for (CommunicationNode const& n : m_.report.graph) {
      for (std::string const* text : {&n.comm, &n.send.expr, &n.recv.expr, &n.count, &n.root, &n.peer})
        if (auto words = lex(*text))
          for (Token const& t : words->tokens)
            if (t.kind == TokenKind::kIdentifier) communication_.emplace(t.text);
      for (BufferRole const* role : {&n.send, &n.recv}) {
        communication_.insert(role->base);
        std::vector<Index> all = role->alternatives;
        all.push_back(role->allocation);
        for (Index a : all)
          if (a != kNone) communication_.insert(m_.report.allocations[static_cast<std::size_t>(a)].base);
      }
    }
    communication_.erase("");
  }

  [[nodiscard]] bool in_loop(int i) const {
    return m_.structure.loop_of[static_cast<std::size_t>(i)] != kNone;
  }

  void read_declarations() {
    auto declare = [&](Range r, bool loop) {
      auto const all = read_declaration(m_.code, r);
      for (Variable const& v : all) {
        bool number = !v.reference && !m_.code.is(v.name + 1, "[") && !m_.code.is(v.name - 1, "*");
        bool device = false;
        bool builtin = false;
        for (int i = r.begin; i < all.front().name; ++i) {
          std::string_view const t = m_.code.text(i);
          device = device || t == "__device__" || t == "__constant__" || t == "__managed__";
          bool const of_type = (is_builtin_type(t) && t != "auto") || t.starts_with("uint") ||
                               t.starts_with("int") || t == "size_t" || t == "std" || t == "::";
          builtin = builtin || of_type;
          number = number && (of_type || is_specifier(t) || is_cv(t));
          if (m_.code.is_word(i) && !is_specifier(t) && !is_cv(t)) type(t);
        }
        std::string const name(m_.code.text(v.name));
        if (device && m_.function_of(v.name) == kNone) device_variables_.insert(name);
        (number && builtin ? numbers_ : others_).insert(name);
        if (loop || (m_.function_of(v.name) != kNone && in_loop(v.name))) changing_.insert(name);
      }
    };
    for (Statement const& s : m_.structure.statements) {
      if (s.range.empty()) continue;
      if (s.simple) declare(s.range, false);
      bool const head = m_.code.is(s.range.begin, "for") && m_.code.is(s.range.begin + 1, "(");
      if (head) declare(m_.code.inside(s.range.begin + 1), true);
    }
    for (int i = 0; i < m_.code.size(); ++i) {
      if (!m_.code.is_word(i) || m_.function_of(i) == kNone || !in_loop(i)) continue;
      std::string_view const after = m_.code.text(i + 1), before = m_.code.text(i - 1);
      bool const steps = after == "++" || after == "--" || before == "++" || before == "--";
      bool const sets = after.size() <= 3 && after.ends_with("=") && after != "==" && after != "!=" &&
                        after != "<=" && after != ">=";
      bool const address = before == "&" && (m_.code.is(i - 2, "(") || m_.code.is(i - 2, ","));
      if (steps || sets || address) changing_.emplace(m_.code.text(i));
    }
    for (Function const& f : m_.report.functions) {
      if (!f.scope.empty()) {
        std::size_t const colon = f.scope.rfind(':');
        types_.erase(colon == std::string::npos ? f.scope : f.scope.substr(colon + 1));
      }
    }
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
      int const open = m_.structure.function_tokens[f].parameters;
      if (!m_.code.is(open, "(")) continue;
      for (Range p : m_.code.split(m_.code.inside(open))) {
        int name = p.begin;
        bool indirect = false;
        for (int i = p.begin; i < p.end && !m_.code.is(i, "="); ++i) {
          indirect = indirect || m_.code.is(i, "*") || m_.code.is(i, "&") || m_.code.is(i, "[");
          if (m_.code.is_word(i)) name = i;
        }
        if (indirect) others_.emplace(m_.code.text(name));
      }
    }
    for (std::string const& name : others_) numbers_.erase(name);
    for (WordSet const* variables : {&numbers_, &others_})
      for (std::string const& name : *variables) types_.erase(name);
  }
  /// A type's name; one with functions of its own does things when it is used.
  void type(std::string_view t) {
    if (!is_recognised_call(t)) types_.emplace(t);
  }

  void read_kernels() {
    WordSet read;  // What the host reads back.
    for (int i = 0; i < m_.code.size(); ++i)
      if (m_.code.is(i, "cudaMemcpyDeviceToHost") || m_.code.is(i, "cudaMemcpyDefault")) {
        int const open = m_.code.enclosing(i);
        if (open >= 0) words_of(m_.code.inside(open), read);
      }
    DeviceRanges const ranges(m_);
    WordSet bound;
    for (Launch const& l : m_.report.launches)
      for (Argument const& a : l.args)
        if (auto words = lex(a.text))
          for (Token const& w : words->tokens) {
            std::string const word(w.text);
            bool const reported = has_word(read, word) && !is_of_communication(word);
            if (w.kind == TokenKind::kIdentifier && reported && !is_constant(word))
              bound.insert(l.kernel.substr(0, l.kernel.find('<')));
          }
    for (Index f : ranges.chosen()) {
      if (has_word(bound, m_.function(f).name)) continue;
      kernels_.insert(f);
      if (m_.function(f).is_kernel) kernel_names_.insert(m_.function(f).name);
    }
    // A device function changes only with all that call it.
    for (bool again = true; std::exchange(again, false);)
      for (auto f = kernels_.begin(); f != kernels_.end();) {
        bool const shared = !m_.function(*f).is_kernel &&
                            std::any_of(m_.sites_of(*f).begin(),
                                        m_.sites_of(*f).end(),
                                        [&](CallSite const& s) { return kernels_.count(s.caller) == 0; });
        again = again || shared;
        f = shared ? kernels_.erase(f) : std::next(f);
      }
  }

  SourceModel const& m_;
  WordSet all_{}, wrappers_{}, macros_{}, communication_{}, numbers_{}, others_{}, types_{}, changing_{},
      rank_counts_{}, jumping_{}, device_variables_{}, kernel_names_{};
  std::map<std::string, WordSet> function_words_{};
  std::set<Index> kernels_{};
};

}  // namespace cuco::impl::transforming
