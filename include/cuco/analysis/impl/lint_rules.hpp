// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/frozen_facts.hpp"
#include "cuco/analysis/impl/macros.hpp"
#include "cuco/analysis/lint_finding.hpp"

namespace cuco::impl {

class LintRules {
 public:
  LintRules(Code const& code, TokenStream const& stream, std::vector<MarkedBlock> const& blocks)
      : code_(code),
        stream_(stream),
        blocks_(blocks),
        structure_(StructureReader(code, {"KERNEL"}, {}).run()),
        frozen_(code, structure_, blocks) {
    for (std::size_t f = 0; f < structure_.functions.size(); ++f) names_.insert(structure_.functions[f].name);
  }

  std::vector<LintFinding> run() {
    balance();
    for (Token const& t : code_.directives)
      if (block_at(blocks_, t.offset) >= 0) directive(t);
    for (int i = 0; i < code_.size(); ++i) {
      if (!frozen_.in_block(i)) continue;
      if (code_.at(i).kind == TokenKind::kString) {
        i = literal(i) - 1;
      } else if (code_.is_word(i)) {
        word(i);
      }
    }
    for (std::size_t f = 0; f < structure_.functions.size(); ++f)
      if (frozen_.in_block(structure_.function_tokens[f].name)) definition(structure_.functions[f]);
    for (Statement const& s : structure_.statements)
      if (s.simple && !s.range.empty() && frozen_.in_block(s.range.begin)) declaration(s.range);
    return std::move(out_);
  }

 private:
  void add(std::string rule,
           std::uint32_t line,
           std::string message,
           LintSeverity severity = LintSeverity::kError) {
    out_.push_back({std::move(rule), line, std::move(message), severity});
  }
  [[nodiscard]] std::uint32_t line(int i) const { return code_.at(i).line; }
  [[nodiscard]] Index function_of(int i) const { return structure_.function_of[static_cast<std::size_t>(i)]; }
  [[nodiscard]] bool in_device_code(int i) const {
    Index const f = function_of(i);
    if (f == kNone) return false;
    Function const& function = structure_.functions[static_cast<std::size_t>(f)];
    return function.is_kernel || function.is_device;
  }
  static std::string quoted(std::string_view w) { return "'" + std::string(w.substr(0, 80)) + "'"; }

  // ---- brackets and directives --------------------------------------------------------------------------

  /// Reports the first bracket and the first condition of each block that reach out of it.
  void balance() {
    std::vector<char> reported(blocks_.size());
    for (int i = 0; i < code_.size(); ++i) {
      int const partner = code_.partner(i);
      int const block = partner < 0 ? -1 : block_at(blocks_, code_.at(i).offset);
      if (block < 0 || block_at(blocks_, code_.at(partner).offset) == block) continue;
      if (std::exchange(reported[static_cast<std::size_t>(block)], 1) == 0)
        add("unbalanced",
            line(i),
            "the '" + std::string(code_.text(i)) + "' has its partner outside the block");
    }
    std::vector<int> depth(blocks_.size());
    for (Token const& t : stream_.tokens) {
      int const block = t.kind == TokenKind::kDirective ? block_at(blocks_, t.offset) : -1;
      if (block < 0) continue;
      int& d = depth[static_cast<std::size_t>(block)];
      std::string const name = split_directive(t.text).name;
      if (name.starts_with("if")) ++d;
      if (name == "endif") --d;
      if (d >= 0 && (d > 0 || !name.starts_with("el"))) continue;
      add("unbalanced", t.line, "#" + name + " belongs to an #if outside the block");
      d = 0;
    }
    for (std::size_t b = 0; b < blocks_.size(); ++b)
      if (depth[b] > 0) add("unbalanced", blocks_[b].end_line, "an #if of this block is not closed in it");
  }

  void directive(Token const& t) {
    DirectiveParts const d = split_directive(t.text);
    std::string_view const rest = trim(d.rest);
    std::size_t n = 0;
    while (n < rest.size() && is_identifier_char(rest[n])) ++n;
    std::string_view const name = rest.substr(0, n);
    if (d.name == "define" || d.name == "undef") {
      bool const keyword =
          is_control_word(name) || is_builtin_type(name) || is_specifier(name) || is_cv(name);
      if (frozen_.uses(name) || keyword || is_library_function(name))
        add("macro", t.line, "#" + d.name + " of " + quoted(name) + ", which code outside the block uses");
    } else if (d.name.starts_with("include") || d.name == "import") {
      if (!is_allowed_include(rest))
        add("include",
            t.line,
            "#include of " + quoted(rest) + "; only CUDA, NCCL and standard headers may be added");
    } else if (d.name == "pragma") {
      if (name != "unroll" && !rest.starts_with("GCC unroll"))
        add("pragma", t.line, "#pragma " + quoted(rest) + "; only #pragma unroll is allowed");
    } else if (d.name == "line" || (!d.name.empty() && is_digit(d.name.front()))) {
      add("macro", t.line, "#line forges positions");
    }
  }

  // ---- words and literals -------------------------------------------------------------------------------

  int literal(int i) {
    int next = i;
    if (is_verdict_text(joined_literal(code_, i, next)))
      add("verdict", line(i), "text that looks like a result line ('Time:' or 'Verification')");
    return next;
  }

  void word(int i) {
    std::string_view const w = code_.text(i);
    std::string_view const before = code_.text(i - 1);
    if (before == "." || before == "->") {
      if (!in_device_code(i)) clock(i, "." + std::string(w), false);
      return;
    }
    bool const call = code_.is(i + 1, "(");
    bool const declared = code_.is_word(i - 1) && !is_control_word(before);
    bool const own = names_.count(w) != 0 && in_device_code(i);
    bool const common = is_common_word(w);
    // A common word counts where it is called, and not where a kernel calls a helper of that name.
    bool const relevant = !(declared && (call || common)) && !(common && (!call || own));
    if (relevant && is_process_function(w))
      add("process", line(i), quoted(w) + " ends, starts or steers a process");
    if (relevant && is_file_function(w)) add("file", line(i), quoted(w) + " reaches files");
    if (relevant && is_descriptor_function(w) && call)
      add("stdout", line(i), quoted(w) + " writes to or redirects a descriptor");
    if (relevant && is_stdout_function(w) && (call || w == "cout" || w == "stdout"))
      add("stdout",
          line(i),
          quoted(w) + " writes to standard output, where results are read",
          LintSeverity::kWarning);
    if (w == "main" && call) add("main", line(i), "main belongs to the frozen part");
    if (w == "constructor" || w == "destructor" || w == "init_priority" || w == "ifunc" ||
        w == "__constructor__")
      if (inside_attribute(i)) add("constructor", line(i), quoted(w) + " runs code outside of main");
    if (w == "asm" || w == "__asm__" || w == "__asm") inline_assembly(i);
    if (w == "_Pragma") pragma_operator(i);
    if (w == "namespace" && code_.is(i + 1, "std") && code_.is(i + 2, "{"))
      add("shadow", line(i), "namespace std is reopened");
    if (!in_device_code(i)) {
      clock(i, w, declared);
      control_flow(i, w);
    }
  }

  [[nodiscard]] bool inside_attribute(int i) const {
    int open = code_.enclosing(i);
    for (int depth = 0; open >= 0 && depth < 4; ++depth, open = code_.enclosing(open)) {
      if (code_.is(open - 1, "__attribute__") || code_.is(open - 1, "__attribute")) return true;
      if (code_.is(open, "[") && code_.is(open - 1, "[")) return true;
    }
    return false;
  }

  void inline_assembly(int i) {
    int open = i + 1;
    while (code_.is_word(open)) ++open;
    bool trap = !in_device_code(i);
    if (code_.is(open, "(")) {
      for (int k = open; k < code_.partner(open); ++k) {
        if (code_.at(k).kind != TokenKind::kString) continue;
        std::string const text = literal_value(code_.at(k).text);
        for (std::string_view bad : {"syscall", "sysenter", "int $0x80", "int 0x80", "svc"})
          trap |= text.find(bad) != std::string::npos;
      }
    }
    if (trap)
      add("asm", line(i), "inline assembly is allowed in device code only, and never for system calls");
  }

  void pragma_operator(int i) {
    std::string const text = code_.is(i + 2, ")") ? std::string() : literal_value(code_.text(i + 2));
    if (!text.starts_with("unroll")) add("pragma", line(i), "_Pragma is allowed for unroll only");
  }

  void clock(int i, std::string_view w, bool declared) {
    Index const f = function_of(i);
    if (declared || f == kNone) return;
    if (frozen_.is_clock(f, w)) {
      int const open = code_.enclosing(i);
      bool const waits = code_.is(open, "(") && code_.is(open - 1, "cudaStreamWaitEvent");
      if (!waits)
        add("timing",
            line(i),
            quoted(w.substr(w.front() == '.' ? 1 : 0)) + " belongs to the timing of the frozen code");
    } else if (frozen_.is_reported(f, w) && is_changed(i)) {
      add("protected",
          line(i),
          quoted(w.substr(w.front() == '.' ? 1 : 0)) +
              " is counted, returned or reported by the frozen code and may not be changed");
    }
  }

  /// Whether the variable at `i` is assigned, incremented, or has its address taken.
  [[nodiscard]] bool is_changed(int i) const {
    int root = i;
    while (code_.is(root - 1, ".") || code_.is(root - 1, "->")) root -= 2;
    std::string_view const before = code_.text(root - 1);
    if (before == "++" || before == "--") return true;
    if (before == "&" && !code_.is_word(root - 2) && !code_.is(root - 2, ")") && !code_.is(root - 2, "]"))
      return true;
    int after = i + 1;
    while (code_.is(after, "[")) after = code_.next(after);
    std::string_view const op = code_.text(after);
    return op == "++" || op == "--" ||
           (op.size() >= 1 && op.back() == '=' && op != "==" && op != "!=" && op != "<=" && op != ">=");
  }

  // ---- control flow -------------------------------------------------------------------------------------

  void control_flow(int i, std::string_view w) {
    if (w != "return" && w != "goto" && w != "break" && w != "continue" && w != "throw" && w != "co_return")
      return;
    if (function_of(i) == kNone) return;
    std::uint32_t const begin =
        blocks_[static_cast<std::size_t>(block_at(blocks_, code_.at(i).offset))].text.begin;
    bool const jump = w == "break" || w == "continue";
    Index const loop = structure_.loop_of[static_cast<std::size_t>(i)];
    if (jump && loop != kNone && structure_.loops[static_cast<std::size_t>(loop)].span.begin >= begin) return;
    FunctionTokens const& f = structure_.function_tokens[static_cast<std::size_t>(function_of(i))];
    if (w != "goto" && code_.at(f.name).offset >= begin) return;
    for (int open = code_.enclosing(i); open >= 0 && code_.at(open).offset >= begin;
         open = code_.enclosing(open)) {
      if (!code_.is(open, "{")) continue;
      if (!jump && w != "goto" && is_lambda(open)) return;
      int const header = code_.is(open - 1, ")") ? code_.partner(open - 1) : -1;
      if (w == "break" && code_.is(header - 1, "switch")) return;
    }
    add("control-flow", line(i), quoted(w) + " may leave the block and skip frozen code");
  }

  [[nodiscard]] bool is_lambda(int open) const {
    int i = open - 1;
    while (code_.is(i, "mutable") || code_.is(i, "noexcept")) --i;
    if (code_.is(i, ")")) i = code_.partner(i) - 1;
    return code_.is(i, "]") && !code_.is_word(code_.partner(i) - 1);
  }

  // ---- definitions --------------------------------------------------------------------------------------

  void definition(Function const& f) {
    if (f.name == "main") add("main", f.line, "main belongs to the frozen part");
    if (!f.scope.empty() && f.scope != "std") return;
    if (frozen_.calls(f.name) && frozen_.defines(f.name))
      add("shadow",
          f.line,
          quoted(f.name) + " is defined and called by the frozen code; an overload may take its place");
    if (is_library_function(f.name) && (frozen_.uses(f.name) || is_recognised_call(f.name)))
      add("shadow", f.line, quoted(f.name) + " redefines a library function that the frozen code uses");
    if (f.name.starts_with("operator new") || f.name.starts_with("operator delete"))
      add("shadow", f.line, quoted(f.name) + " replaces the allocation of the whole program");
  }

  void declaration(Range r) {
    Index const f = function_of(r.begin);
    int const block = block_at(blocks_, code_.at(r.begin).offset);
    int const open = code_.enclosing(r.begin);
    // Declarations in braces of the block end before frozen code goes on.
    if (open >= 0 && block_at(blocks_, code_.at(open).offset) == block) return;
    for (Variable const& v : read_declaration(code_, r)) {
      std::string_view const name = code_.text(v.name);
      if (frozen_.calls(name) && (frozen_.defines(name) || is_library_function(name)))
        add("shadow", line(v.name), quoted(name) + " hides a function that the frozen code calls");
      if (f != kNone && frozen_.declares(f, name))
        add("shadow", line(v.name), quoted(name) + " hides a variable of the frozen code");
    }
  }

  Code const& code_;
  TokenStream const& stream_;
  std::vector<MarkedBlock> const& blocks_;
  Structure structure_;
  FrozenFacts frozen_;
  std::set<std::string, std::less<>> names_{};
  std::vector<LintFinding> out_{};
};

}  // namespace cuco::impl
