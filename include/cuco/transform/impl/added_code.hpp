// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/frozen_facts.hpp"
#include "cuco/transform/impl/added_callables.hpp"
#include "cuco/transform/impl/added_declarations.hpp"
#include "cuco/transform/impl/added_names.hpp"
#include "cuco/transform/impl/original_words.hpp"
#include "cuco/transform/impl/program_tree.hpp"

namespace cuco::impl::transforming {

/// Judges host code that the original program does not have. It may set up communication and launch kernels:
/// declare things, call what is harmless, read the original's numbers and its communication, write its own.
class AddedCode {
 public:
  /// @param gone words of the statements that the code takes the place of.
  /// @param by_rules the program has text that the rules generated.
  AddedCode(SourceModel const& m, OriginalWords const& original, WordSet const& gone, bool by_rules)
      : m_(m),
        code_(m.code),
        original_(original),
        gone_(gone),
        declared_(m, original),
        callables_(m),
        by_rules_(by_rules) {}

  /// Why the node may not be added; empty when it may.
  /// @param inside it stands in a function of the original.
  [[nodiscard]] std::string problem(ProgramNode const& n, bool inside) {
    Range const r = n.tokens;
    inside_ = inside;
    declared_.read(r);
    if (auto why = names(r); !why.empty()) return why;
    for (int i = r.begin; i < r.end; ++i) {
      std::string why = code_.at(i).kind == TokenKind::kString ? literal(i)
                        : code_.is_word(i)                     ? word(i, r)
                                                               : sign(i, r);
      if (!why.empty()) return why;
    }
    if (inside && depends_on_round_ && decides(r))
      return at(r.begin) + "decides by something that differs between the rounds of a loop";
    return {};
  }

 private:
  [[nodiscard]] bool defines(std::string_view name) const {
    return std::any_of(m_.report.functions.begin(), m_.report.functions.end(), [&](Function const& f) {
      return f.name == name;
    });
  }

  /// What is declared may not get in the way of the original's names, nor of those that its headers use.
  [[nodiscard]] std::string names(Range r) const {
    constexpr char const* kTaken = "is a name of the original program; take another one";
    for (AddedVariable const& v : declared_.all()) {
      std::string_view const w = code_.text(v.name);
      bool const prototype = code_.is(v.name + 1, "(") && m_.function_of(v.name) == kNone;
      if (prototype && !defines(w)) return at(v.name) + "is declared here and defined nowhere";
      if (is_reserved(w)) return at(v.name) + "may be a name of a library; take another one";
      // Directly in a block of the original, or of the file: whatever follows would see it.
      if (code_.enclosing(v.name) < r.begin && original_.uses(w)) return at(v.name) + kTaken;
    }
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
      int const name = m_.structure.function_tokens[f].name;
      std::string_view const w = m_.report.functions[f].name;
      if (r.begin <= name && name < r.end && (original_.uses(w) || is_library_function(w) || is_reserved(w)))
        return at(name) + "is defined; that is a name of the original program or of a library";
    }
    for (int i = r.begin; i + 1 < r.end; ++i)
      for (std::string_view w : {"struct", "class", "using", "namespace", "enum", "typename"}) {
        if (!code_.is(i, w) || !code_.is_word(i + 1) || declared_.is_template_parameter(i)) continue;
        std::string_view const name = code_.text(i + 1);
        if (original_.uses(name) || is_harmless_library_name(name) || is_harmless_cuda_name(name) ||
            is_reserved(name) || code_.is(i + 2, "::") || code_.is(i + 2, "<"))
          return at(i + 1) + kTaken;
      }
    return {};
  }
  /// Macros of headers may stand for objects of such names: MPI_MIN for one of the library's.
  [[nodiscard]] static bool is_reserved(std::string_view w) {
    return w.starts_with("_") || w.find("__") != std::string_view::npos ||
           w.find("mpi") != std::string_view::npos || w.starts_with("MPI") || w.starts_with("PMPI");
  }

  /// Whether a value may switch something on or off there.
  [[nodiscard]] bool decides(Range r) const {
    for (int i = r.begin; i < r.end; ++i) {
      for (std::string_view w :
           {"?", "&&", "||", "!", "==", "!=", "<=", ">=", "if", "while", "switch", "min", "max"})
        if (code_.is(i, w)) return true;
      bool const angle = code_.is(i, "<") || code_.is(i, ">");
      bool const list = code_.is(i, "<") ? code_.close_angle(i, r.end) > 0 : false;
      if (list) i = code_.close_angle(i, r.end);
      if (angle && !list) return true;
    }
    return false;
  }
  [[nodiscard]] std::string at(int i) const {
    return "line " + std::to_string(code_.at(i).line) + ": " + std::string(code_.text(i)).substr(0, 80) + " ";
  }

  // ---- what it says -------------------------------------------------------------------------------------

  [[nodiscard]] std::string literal(int i) const {
    int next = i;
    return is_verdict_text(joined_literal(code_, i, next)) ? at(i) + "looks like a result line"
                                                           : std::string();
  }

  [[nodiscard]] std::string word(int i, Range r) const {
    std::string_view const w = code_.text(i);
    bool const linkage = w == "static" && m_.function_of(i) == kNone;
    if (linkage || is_device_word(w)) return {};
    if (is_never_added(w)) return at(i) + "may not be added";
    if (w == "device_nccl" && by_rules_) return {};
    if (w == "template" && code_.is(i + 1, "<") && code_.is(i + 2, ">"))
      return at(i) + "may not be added: it may change what other names mean";
    if (w == "using" && (code_.is(i + 1, "namespace") || !code_.is(i + 2, "=")))
      return at(i) + "may not be added: it may change what other names mean";
    if (is_harmless_keyword(w)) return jump(i, r);
    bool const call = code_.is(i + 1, "(");
    bool const member = code_.is(i - 1, ".") || code_.is(i - 1, "->");
    if (w == "fprintf" && !code_.is(i + 2, "stderr")) return at(i) + "may only write to stderr";
    if ((w == "exit" || w == "MPI_Abort") && call) return ends_well(i);
    if (w == "cudaMemset" || w == "cudaMemsetAsync") return only_own(i);
    if (w == "cudaMemcpyAsync" && call) {
      auto const args = code_.split(code_.inside(i + 1));
      if (args.size() < 4 || code_.squeezed(args[3]) != "cudaMemcpyDeviceToDevice")
        return at(i) + "may only copy with cudaMemcpyDeviceToDevice here";
      return {};
    }
    // After a bracket it may be a cast's.
    bool const cast = code_.is(i - 2, ")") && !code_.is_word(code_.partner(i - 2) - 1);
    if (code_.is(i - 1, "&") && (cast || !is_operand(i - 2))) {
      if (auto why = address(i); !why.empty()) return why;
    }
    if (member) return member_word(i);
    if (declared_.owns(i)) return call && !is_callable(i) ? at(i) + "may not be called" : std::string();
    if (!original_.declares(w) && (is_nccl_name(w) || is_harmless_cuda_name(w) || is_harmless_mpi_name(w) ||
                                   is_harmless_library_name(w)))
      return {};
    if (code_.is(i - 1, "::")) return qualified(i);
    if (has_word(original_.wrappers(), w)) {
      bool const leaves = inside_ && original_.jumps(w) && !original_.function_uses(function_at(i), w);
      if (!call || leaves)
        return at(i) +
               (call ? "may leave the function; the original does not use it there" : "may only be called");
      return {};
    }
    if (!original_.uses(w)) {
      if (!known(i) && !is_pasted(i)) return at(i) + "is declared nowhere in the program";
      return call && !is_callable(i) ? at(i) + "may not be called" : std::string();
    }
    return of_original(i, call);
  }

  [[nodiscard]] std::string function_at(int i) const {
    Index const f = m_.function_of(i);
    return f == kNone ? std::string() : m_.function(f).name;
  }
  /// What a macro that is added makes a name of NCCL's of.
  [[nodiscard]] bool is_pasted(int i) const {
    std::string_view const macro = code_.text(code_.enclosing(i) - 1);
    return std::any_of(m_.report.macros.begin(), m_.report.macros.end(), [&](Macro const& one) {
      return one.name == macro && !original_.uses(macro) && one.value.starts_with("nccl") &&
             one.value.find("##") != std::string::npos;
    });
  }

  /// A word of the original that the code does not declare for itself.
  [[nodiscard]] std::string of_original(int i, bool call) const {
    std::string_view const w = code_.text(i);
    if (has_word(gone_, w)) {
      depends_on_round_ = depends_on_round_ || original_.changes(w);
      return {};
    }
    if (call) return at(i) + "of the original program may not be called from what is added";
    if (original_.is_of_communication(w) && !original_.changes(w)) return {};
    if (original_.is_constant(w)) return {};
    return at(i) + "of the original program may not be used by what is added: it is no part of its " +
           "communication, or differs between rounds";
  }
  [[nodiscard]] std::string member_word(int i) const {
    if (is_own_chain(i) || is_harmless_reading(code_.text(i))) return {};
    return of_original(i, false);
  }
  [[nodiscard]] std::string qualified(int i) const {
    std::string_view const space = code_.text(i - 2), w = code_.text(i);
    bool const good = (space == "std" && is_harmless_qualified_name(w)) || space == "cuda" ||
                      space == "cooperative_groups" || (space == "device_nccl" && by_rules_) ||
                      (!original_.uses(space) && known(i - 2)) || code_.is(i - 3, "cuda");
    return good ? std::string() : of_original(i, code_.is(i + 1, "("));
  }
  [[nodiscard]] bool is_callable(int i) const {
    AddedVariable const* v = declared_.find(i);
    return (v != nullptr && v->name == i) || callables_.may_call(code_.text(i));
  }
  /// A new word that something in the program declares.
  [[nodiscard]] bool known(int i) const {
    return code_.is(i - 1, ".") || code_.is(i - 1, "->") || callables_.knows(code_.text(i));
  }

  /// Whether the first word of the member access at `i` is the code's own.
  [[nodiscard]] bool is_own_chain(int i) const {
    int const root = root_of(i);
    return root >= 0 && (declared_.owns(root) || !original_.uses(code_.text(root)));
  }
  [[nodiscard]] int root_of(int i) const {
    while (code_.is(i - 1, ".") || code_.is(i - 1, "->")) {
      i -= 2;
      while (code_.is(i, "]") || code_.is(i, ")")) i = code_.partner(i) - 1;
    }
    return code_.is_word(i) ? i : -1;
  }
  [[nodiscard]] bool is_operand(int i) const {
    return (code_.is_word(i) && !code_.is(i, "return")) || code_.is(i, ")") || code_.is(i, "]") ||
           code_.at(std::max(i, 0)).kind == TokenKind::kNumber;
  }
  /// Of a variable: whoever has it may write.
  [[nodiscard]] std::string address(int i) const {
    std::string_view const w = code_.text(i);
    if (declared_.owns(i) || !original_.uses(w)) return {};
    int const open = code_.enclosing(i);
    int const call = code_.is(open - 1, ">") ? code_.enclosing(open) : open;  // reinterpret_cast<void**>(&p)
    std::string_view const callee = code_.text(call - 1);
    bool const allocation = callee == "ncclMemAlloc" || callee == "cudaMalloc" || defines(callee);
    if (allocation && original_.is_of_communication(w) && !original_.is_number(w)) return {};
    return at(i) + "of the original program may not be written by what is added";
  }
  /// Not with success.
  [[nodiscard]] std::string ends_well(int i) const {
    auto const args = code_.split(code_.inside(i + 1));
    bool const number = !args.empty() && args.back().size() == 1 &&
                        code_.at(args.back().begin).kind == TokenKind::kNumber &&
                        code_.text(args.back().begin).find_first_not_of("0") != std::string_view::npos;
    if (number || (!args.empty() && code_.squeezed(args.back()) == "EXIT_FAILURE")) return {};
    return at(i) + "may only end the program with a number that is not 0";
  }
  [[nodiscard]] std::string only_own(int i) const {
    Range const args = code_.inside(i + 1);
    auto const parts = code_.split(args);
    if (!code_.is(i + 1, "(") || parts.empty()) return at(i) + "may only be called";
    for (int k = parts[0].begin; k < parts[0].end; ++k)
      if (code_.is_word(k) && original_.uses(code_.text(k)) && !declared_.owns(k) &&
          !is_builtin_type(code_.text(k)))
        return at(k) + "of the original program may not be written by what is added";
    return {};
  }

  /// Whether the code may leave what is around it there.
  [[nodiscard]] std::string jump(int i, Range r) const {
    std::string_view const w = code_.text(i);
    if (w == "case" || w == "default") {
      int open = code_.enclosing(i);
      return open >= r.begin ? std::string() : at(i) + "may not be added";
    }
    if (w == "break" || w == "continue") {
      Index const loop = m_.structure.loop_of[static_cast<std::size_t>(i)];
      std::uint32_t const begin = code_.at(r.begin).offset;
      bool const own =
          loop != kNone && m_.structure.loops[static_cast<std::size_t>(loop)].span.begin >= begin;
      return own ? std::string() : at(i) + "may not be added to a loop of the original program";
    }
    if (w != "return" || !inside_) return {};
    for (int open = code_.enclosing(i); open >= r.begin; open = code_.enclosing(open)) {
      if (!code_.is(open, "{")) continue;
      int before = open - 1;
      if (code_.is(before, ")")) before = code_.partner(before) - 1;
      if (code_.is(before, "]")) return {};
    }
    return at(i) + "may not be added to a function of the original program";
  }

  [[nodiscard]] std::string sign(int i, Range r) const {
    std::string_view const t = code_.text(i);
    if (i > r.begin && is_digraph(code_, i - 1)) return at(i) + "is written in an unusual way";
    bool const steps = t == "++" || t == "--";
    bool const sets =
        (t.size() <= 3 && t.ends_with("=") && t != "==" && t != "!=" && t != "<=" && t != ">=" && t != "<=>");
    if (!steps && !sets) return {};
    if (code_.is(i - 1, "[")) return {};  // A lambda's captures.
    bool const prefix = steps && !is_operand(i - 1);
    int root = prefix ? i + 1 : i - 1;
    if (!prefix) {
      while (code_.is(root, "]")) root = code_.partner(root) - 1;
      root = root_of(root);
    }
    if (!code_.is_word(root)) return at(i) + "writes to something that cannot be followed";
    // Named types and template parameters: using T = …, typename T = ….
    for (std::string_view w : {"using", "typename", "class"})
      if (code_.is(root - 1, w)) return {};
    AddedVariable const* v = declared_.find(root);
    if (v != nullptr && v->name == root) return {};  // Initialises it.
    // p->x, p[i], *p: once, at the variable; then members.
    int accessor = root + 1;
    bool const star = code_.is(root - 1, "*");
    bool through = star || code_.is(accessor, "->") || code_.is(accessor, "[");
    bool const steep =
        star && (code_.is(root - 2, "*") || code_.is(accessor, "->") || code_.is(accessor, "["));
    if (code_.is(accessor, "[")) accessor = code_.partner(accessor) + 1;
    while ((code_.is(accessor, ".") || (code_.is(accessor, "->") && accessor == root + 1)) &&
           code_.is_word(accessor + 1))
      accessor += 2;
    bool const whole = prefix
                           ? !code_.is(accessor, "->") && !code_.is(accessor, "[") && !code_.is(accessor, "(")
                           : accessor == i;
    if (steep || !whole) return at(root) + "is written through in a way that cannot be followed";
    if (v != nullptr) {
      through = through || v->reference;
      if (!through || !v->indirect || v->follows) return {};
      return at(root) + "is written through, and may point to something of the original program";
    }
    if (inside_ && !original_.uses(code_.text(root)) && is_local(root, r, through)) return {};
    return at(root) + "is written by what is added, but declared elsewhere";
  }
  /// Whether the new word at `i` is a variable that another added statement of the function has declared for
  /// the same round of the original's loops: nothing is carried from round to round.
  [[nodiscard]] bool is_local(int i, Range r, bool through) const {
    Index loop = m_.structure.loop_of[static_cast<std::size_t>(i)];
    auto const begin = code_.at(r.begin).offset;
    while (loop != kNone && m_.report.loops[static_cast<std::size_t>(loop)].span.begin >= begin)
      loop = m_.report.loops[static_cast<std::size_t>(loop)].parent;
    bool any = false;
    for (Statement const& s : m_.structure.statements) {
      if (!s.simple || s.range.empty()) continue;
      for (Variable const& v : read_declaration(code_, s.range)) {
        if (!code_.is(v.name, code_.text(i)) || m_.function_of(v.name) != m_.function_of(i)) continue;
        bool const pointer = code_.is(v.name - 1, "*") || code_.is(s.range.begin, "auto");
        bool const same_round =
            loop == kNone || loop == m_.structure.loop_of[static_cast<std::size_t>(v.name)];
        if (v.reference || (through && pointer) || !same_round) return false;
        any = true;
      }
    }
    return any;
  }

 public:
  /// `<%` and its like: other spellings of brackets, which the lexer does not pair.
  static bool is_digraph(Code const& code, int i) {
    if (i < 0 || i + 1 >= code.size() || code.at(i).span().end != code.at(i + 1).offset) return false;
    std::string_view const a = code.text(i), b = code.text(i + 1);
    return (a == "<" && (b.starts_with("%") || b == ":")) || (a == "%" && (b.starts_with(">") || b == ":")) ||
           (a == ":" && b.starts_with(">"));
  }

 private:
  SourceModel const& m_;
  Code const& code_;
  OriginalWords const& original_;
  WordSet const& gone_;
  bool inside_ = false;
  AddedDeclarations declared_;
  AddedCallables callables_;
  mutable bool depends_on_round_ = false;
  bool by_rules_;
};

}  // namespace cuco::impl::transforming
