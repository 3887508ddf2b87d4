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

#include "cuco/analysis/impl/frozen_facts.hpp"
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
      : m_(m), code_(m.code), original_(original), gone_(gone), by_rules_(by_rules) {}

  /// Why the node may not be added; empty when it may.
  /// @param inside it stands in a function of the original.
  [[nodiscard]] std::string problem(ProgramNode const& n, bool inside) {
    Range const r = n.tokens;
    inside_ = inside;
    read_declarations(r);
    for (Variable const& v : declared_variables_) {
      // Directly in a block of the original, or of the file: whatever follows would see it.
      bool const prototype = code_.is(v.name + 1, "(") && m_.function_of(v.name) == kNone;
      if (prototype && !defines(code_.text(v.name)))
        return at(v.name) + "is declared here and defined nowhere";
      if (!is_outermost(r, v.name) || !original_.uses(code_.text(v.name))) continue;
      return at(v.name) + "is a name of the original program; take another one";
    }
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
      int const name = m_.structure.function_tokens[f].name;
      bool const mine = r.begin <= name && name < r.end;
      std::string_view const w = m_.report.functions[f].name;
      if (mine && (original_.uses(w) || is_library_function(w)))
        return at(name) + "is defined; that is a name of the original program or of a library";
    }
    if (int const name = defined_type(r);
        name >= 0 &&
        (original_.uses(code_.text(name)) || is_harmless_library_name(code_.text(name)) ||
         is_harmless_cuda_name(code_.text(name)) || code_.is(name + 1, "::") || code_.is(name + 1, "<")))
      return at(name) + "is a name of the original program; take another one";
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

  // ---- what the code declares ---------------------------------------------------------------------------

  void read_declarations(Range r) {
    declared_.clear();
    writable_.clear();
    declared_variables_.clear();
    for (Statement const& s : m_.structure.statements) {
      if (s.range.begin < r.begin || s.range.end > r.end || s.range.empty()) continue;
      if (s.simple) declare(s.range);
      bool const head = code_.is(s.range.begin, "for") && code_.is(s.range.begin + 1, "(");
      if (head) declare(code_.inside(s.range.begin + 1));
    }
    for (std::size_t f = 0; f < m_.structure.function_tokens.size(); ++f) {
      FunctionTokens const& t = m_.structure.function_tokens[f];
      if (t.name < r.begin || t.name >= r.end || !code_.is(t.parameters, "(")) continue;
      declared_.emplace(m_.report.functions[f].name);
      for (Range p : code_.split(code_.inside(t.parameters))) parameter(p);
    }
    for (int i = r.begin; i + 1 < r.end; ++i)
      if ((code_.is(i, "typename") || code_.is(i, "class") || code_.is(i, "struct") ||
           code_.is(i, "namespace") || code_.is(i, "using") || code_.is(i, "enum")) &&
          code_.is_word(i + 1))
        declared_.emplace(code_.text(i + 1));
  }
  void declare(Range r) {
    for (Variable const& v : read_declaration(code_, r)) {
      std::string const name(code_.text(v.name));
      declared_.insert(name);
      declared_variables_.push_back(v);
      bool const pointer = code_.is(v.name - 1, "*");
      bool const own_type = is_own_type(r.begin, v.name);
      if (!v.reference && (!pointer || own_type)) writable_.insert(name);
    }
  }
  void parameter(Range p) {
    int name = p.end - 1;
    for (int i = p.begin; i < p.end; ++i)
      if (code_.is(i, "=") || code_.is(i, "[")) {
        name = i - 1;
        break;
      }
    if (name <= p.begin || !code_.is_word(name)) return;
    declared_.emplace(code_.text(name));
    bool const indirect = code_.is(name - 1, "*") || code_.is(name - 1, "&");
    bool const twice = code_.is(name - 1, "*") && code_.is(name - 2, "*");
    if (!indirect || is_own_type(p.begin, name) || twice) writable_.emplace(code_.text(name));
  }
  /// Whether the words before `name` have a type that only added code knows, or one of NCCL's.
  [[nodiscard]] bool is_own_type(int begin, int name) const {
    for (int i = begin; i < name; ++i) {
      std::string_view const t = code_.text(i);
      if (!code_.is_word(i) || is_cv(t) || is_specifier(t) || t == "struct") continue;
      return is_nccl_name(t) ||
             (!original_.uses(t) && !is_builtin_type(t) && !is_harmless_library_name(t) && t != "auto");
    }
    return false;
  }
  [[nodiscard]] bool is_outermost(Range r, int i) const {
    int open = code_.enclosing(i);
    // The head of a loop that is added is part of it.
    return open < r.begin;
  }
  [[nodiscard]] int defined_type(Range r) const {
    for (int i = r.begin; i < std::min(r.end, r.begin + 6); ++i)
      for (std::string_view w : {"struct", "class", "using", "namespace", "enum", "typedef"})
        if (code_.is(i, w) && code_.is_word(i + 1)) return i + 1;
    return -1;
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
    if (code_.is(i - 1, "&") && !is_operand(i - 2)) {
      if (auto why = address(i); !why.empty()) return why;
    }
    if (member) return member_word(i);
    if (has_word(declared_, w)) return call && !is_callable(i) ? at(i) + "may not be called" : std::string();
    if (!original_.declares(w) && (is_nccl_name(w) || is_harmless_cuda_name(w) || is_harmless_mpi_name(w) ||
                                   is_harmless_library_name(w)))
      return {};
    if (code_.is(i - 1, "::")) return qualified(i);
    if (has_word(original_.wrappers(), w)) return call ? std::string() : at(i) + "may only be called";
    if (!original_.uses(w)) {
      if (!known(i) && !is_pasted(i)) return at(i) + "is declared nowhere in the program";
      return call && !is_callable(i) ? at(i) + "may not be called" : std::string();
    }
    return of_original(i, call);
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
  /// Whether the word is a function, a macro, a lambda or a type; a variable could hold any function.
  [[nodiscard]] bool is_callable(int i) const {
    if (names_.empty()) read_names();
    return has_word(callable_, code_.text(i)) || is_declared_at(i);
  }

  /// A new word that something in the program declares.
  [[nodiscard]] bool known(int i) const {
    std::string_view const w = code_.text(i);
    if (code_.is(i - 1, ".") || code_.is(i - 1, "->")) return true;
    if (names_.empty()) read_names();
    return has_word(names_, w);
  }
  void read_names() const {
    for (Function const& f : m_.report.functions) {
      callable_.insert(f.name);
      names_.insert(f.parameter_names.begin(), f.parameter_names.end());
    }
    for (Macro const& macro : m_.report.macros) callable_.insert(macro.name);
    for (Statement const& s : m_.structure.statements) {
      if (s.range.empty()) continue;
      if (s.simple)
        for (Variable const& v : read_declaration(code_, s.range)) {
          names_.emplace(code_.text(v.name));
          if (code_.is(v.init.begin, "[")) callable_.emplace(code_.text(v.name));
        }
      if (code_.is(s.range.begin, "for") && code_.is(s.range.begin + 1, "("))
        for (Variable const& v : read_declaration(code_, code_.inside(s.range.begin + 1)))
          names_.emplace(code_.text(v.name));
    }
    for (int i = 0; i + 1 < code_.size(); ++i) {
      for (std::string_view w : {"struct", "class", "enum", "using", "typename", "namespace"})
        if (code_.is(i, w) && code_.is_word(i + 1)) callable_.emplace(code_.text(i + 1));
      // A parameter of a lambda.
      bool const list = code_.is(code_.enclosing(i), "(") && code_.is(code_.enclosing(i) - 1, "]");
      if (list && code_.is_word(i) && (code_.is(i + 1, ",") || code_.is(i + 1, ")")))
        names_.emplace(code_.text(i));
    }
    names_.insert(callable_.begin(), callable_.end());
  }

  /// Whether the first word of the member access at `i` is the code's own.
  [[nodiscard]] bool is_own_chain(int i) const {
    int const root = root_of(i);
    return root >= 0 && (has_word(declared_, code_.text(root)) || !original_.uses(code_.text(root)));
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
    bool const mine = has_word(declared_, w) || !original_.uses(w);
    int const open = code_.enclosing(i);
    int const cast = code_.is(open - 1, ">") ? open : -1;
    int const call = cast >= 0 ? code_.enclosing(cast) : open;
    std::string_view const callee = code_.text(call - 1);
    bool const allocation = callee == "ncclMemAlloc" || callee == "cudaMalloc" || !original_.uses(callee);
    if (mine || (allocation && original_.is_of_communication(w) && !original_.is_constant(w))) return {};
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
      if (code_.is_word(k) && original_.uses(code_.text(k)) && !has_word(declared_, code_.text(k)) &&
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
    int k = prefix ? i + 1 : i - 1;
    bool indirect = false;
    while (code_.is(k, "]")) {
      k = code_.partner(k) - 1;
      indirect = true;
    }
    if (!code_.is_word(k)) return at(i) + "writes to something that cannot be followed";
    int const root = prefix ? k : root_of(k);
    if (root < 0) return at(i) + "writes to something that cannot be followed";
    std::string_view const w = code_.text(root);
    bool const through = code_.is(root + 1, "->") || code_.is(root - 1, "*") || indirect;
    bool const initialises = is_declared_at(root);
    if (initialises) return {};
    // Named types and template parameters: using T = …, typename T = ….
    if (code_.is(root - 1, "using") || code_.is(root - 1, "typename") || code_.is(root - 1, "class"))
      return {};
    bool const own = has_word(declared_, w);
    if (own && (!through || has_word(writable_, w))) return {};
    if (own) return at(root) + "is written through, and may point to something of the original program";
    if (inside_ && !original_.uses(w) && is_local(root, r, through)) return {};
    return at(root) + "is written by what is added, but declared elsewhere";
  }
  /// Whether the new word at `i` is a variable that another added statement of the function has declared for
  /// the same round of the original's loops: nothing is carried from round to round.
  [[nodiscard]] bool is_local(int i, Range r, bool through) const {
    for (Statement const& s : m_.structure.statements) {
      if (!s.simple || s.range.empty() || s.range.begin > i) continue;
      for (Variable const& v : read_declaration(code_, s.range)) {
        if (!code_.is(v.name, code_.text(i)) || m_.function_of(v.name) != m_.function_of(i)) continue;
        if (v.reference || (through && code_.is(v.name - 1, "*"))) return false;
        Index loop = m_.structure.loop_of[static_cast<std::size_t>(i)];
        while (loop != kNone &&
               m_.report.loops[static_cast<std::size_t>(loop)].span.begin >= code_.at(r.begin).offset)
          loop = m_.report.loops[static_cast<std::size_t>(loop)].parent;
        return loop == kNone || loop == m_.structure.loop_of[static_cast<std::size_t>(v.name)];
      }
    }
    return false;
  }
  [[nodiscard]] bool is_declared_at(int i) const {
    for (Variable const& v : declared_variables_)
      if (v.name == i) return true;
    Index const f = m_.function_of(i);  // A default argument.
    return f != kNone && code_.is(code_.enclosing(i), "(") &&
           code_.enclosing(i) == m_.structure.function_tokens[static_cast<std::size_t>(f)].parameters;
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
  WordSet declared_{}, writable_{};
  std::vector<Variable> declared_variables_{};
  mutable WordSet names_{}, callable_{};
  mutable bool depends_on_round_ = false;
  bool by_rules_;
};

}  // namespace cuco::impl::transforming
