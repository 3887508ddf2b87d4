// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/added_code.hpp"
#include "cuco/transform/impl/added_directives.hpp"
#include "cuco/transform/impl/added_launches.hpp"
#include "cuco/transform/impl/node_alignment.hpp"

namespace cuco::impl::transforming {

/// Whether a program is an original with other communication and nothing else. What an original computes,
/// checks, times and prints has to be there in the same words and the same order, under the same conditions.
/// Gone may be collectives, the memory of their buffers, and launches of kernels that only timed regions use.
/// Kernels may take the place of what moved data there and nowhere else, on the same stream and on every
/// path. Added host code is judged by `AddedCode`. Whatever cannot be followed is a difference.
class ProgramComparison {
 public:
  ProgramComparison(SourceModel const& original, SourceModel const& program)
      : a_(original),
        b_(program),
        words_(original),
        trusted_a_(original),
        trusted_b_(program),
        tree_a_(original, trusted_a_, words_.wrappers()),
        tree_b_(program, trusted_b_, words_.wrappers()),
        launches_(program, trusted_b_, words_) {}

  /// The first difference that is not allowed; empty without one.
  [[nodiscard]] std::string problem() {
    if (trusted_b_.bad_line() != 0 && !same_tag(trusted_b_.bad_line()))
      return "line " + std::to_string(trusted_b_.bad_line()) +
             ": this looks like generated text, and is not what the rules write; leave out the comment";
    if (left_out(b_))
      return "the brackets of the branches of an #if do not balance, so that the result lines cannot be "
             "compared with the original's; balance them inside each branch";
    problem_ = AddedDirectives(a_, b_, words_, trusted_a_, trusted_b_).problem();
    digraphs();
    constexpr char const* kSplice = "?\?/";  // A backslash, for some compilers.
    bool const spliced =
        b_.source.find(kSplice) != std::string::npos && a_.source.find(kSplice) == std::string::npos;
    if (problem_.empty() && spliced) problem_ = "there is a trigraph, which cannot be followed";
    if (problem_.empty()) walk(tree_a_.root(), tree_b_.root(), true);
    return problem_.empty() ? problem_ : problem_ + kWhy;
  }

 private:
  static constexpr char const* kWhy =
      "; the result lines must be computed, timed and printed as in the original program, only communication "
      "may change";
  static constexpr std::size_t kLongest = 240;
  using Nodes = std::vector<ProgramNode>;
  using Pointers = std::vector<ProgramNode const*>;

  [[nodiscard]] bool same_tag(std::uint32_t) const { return trusted_a_.bad_line() != 0; }
  [[nodiscard]] static bool left_out(SourceModel const& m) {
    auto const active = std::count_if(m.stream.tokens.begin(), m.stream.tokens.end(), [](Token const& t) {
      return t.active && t.kind != TokenKind::kDirective;
    });
    return active != m.code.size();
  }
  void digraphs() {
    auto count = [](Code const& code) {
      int n = 0;
      for (int i = 0; i + 1 < code.size(); ++i) n += AddedCode::is_digraph(code, i) ? 1 : 0;
      return n;
    };
    if (problem_.empty() && count(b_.code) > count(a_.code))
      problem_ = "brackets are written as digraphs, which cannot be followed";
  }

  void report(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
  }
  [[nodiscard]] std::string shown(SourceModel const& m, ProgramNode const& n) const {
    return "`" + m.code.squeezed(n.tokens, kLongest).substr(0, kLongest) + "`";
  }
  [[nodiscard]] static std::string line(SourceModel const& m, ProgramNode const& n) {
    return "line " + std::to_string(m.code.at(n.tokens.begin).line);
  }

  // ---- two lists ----------------------------------------------------------------------------------------

  void walk(Nodes const& a, Nodes const& b, bool file) {
    auto const pairs = align_nodes(a, b);
    if (!pairs) return report("the program is too long to compare with the original");
    Pointers gone, added;
    std::size_t i = 0, k = 0;
    for (auto const& [x, y] : *pairs) {
      for (; i < x; ++i) gone.push_back(&a[i]);
      for (; k < y; ++k) added.push_back(&b[k]);
      bool const neutral = !file && is_neutral(a[x]);
      if (!neutral) close(gone, added, file);
      match(a[x], b[y]);
      i = x + 1;
      k = y + 1;
      if (!problem_.empty()) return;
    }
    for (; i < a.size(); ++i) gone.push_back(&a[i]);
    for (; k < b.size(); ++k) added.push_back(&b[k]);
    close(gone, added, file);
  }

  /// Statements that launches may be on either side of.
  [[nodiscard]] static bool is_neutral(ProgramNode const& n) {
    if (!n.parts.empty()) return false;
    return n.head.find("cudaGetLastError()") != std::string::npos ||
           n.head.find("cudaPeekAtLastError()") != std::string::npos;
  }

  void match(ProgramNode const& a, ProgramNode const& b) {
    for (std::size_t u = 0; u < a.uses.size() && u < b.uses.size(); ++u) same_use(a.uses[u], b.uses[u], b);
    if (a.uses.size() != b.uses.size()) report(line(b_, b) + ": " + shown(b_, b) + " was changed");
    bool const device =
        a.function != kNone && (a_.function(a.function).is_kernel || a_.function(a.function).is_device);
    if (device && a.text != b.text) {
      if (words_.may_change(a.function)) return device_code(b, a.function);
      return report(line(b_, b) + ": " + b_.function(b.function).name +
                    " was changed; it is used outside of what is timed, or for what is checked");
    }
    for (std::size_t p = 0; p < a.parts.size(); ++p)
      walk(a.parts[p], b.parts[p], a.function == kNone && is_scope(a));
  }
  /// A namespace or a class.
  [[nodiscard]] bool is_scope(ProgramNode const& n) const { return a_.function_of(n.tokens.begin) == kNone; }

  void same_use(CommunicationUse const& a, CommunicationUse const& b, ProgramNode const& node) {
    if (b.host) {
      bool const same = a.host && a.name == b.name && a_.code.squeezed(a.args) == b_.code.squeezed(b.args);
      if (!same) report(line(b_, node) + ": the arguments of " + b.name + " were changed");
      return;
    }
    std::set<std::string> known;
    for (Range r : a_.code.split(a.args)) known.insert(a_.code.squeezed(r));
    for (Range r : b_.code.split(b.args)) {
      std::string const text = b_.code.squeezed(r);
      bool const once = text == "one_buffer" && !b.buffer.empty();
      if (!once && known.count(text) == 0)
        report(line(b_, node) + ": " + text + " is no argument of the collective in the original");
    }
    if (!b.buffer.empty() && known.count(b_.code.squeezed(b.buffer)) == 0)
      report(line(b_, node) + ": " + b_.code.squeezed(b.buffer) + " is no argument of the collective");
  }

  // ---- what differs -------------------------------------------------------------------------------------

  void close(Pointers& gone, Pointers& added, bool file) {
    Pointers const g = std::exchange(gone, {});
    Pointers n;
    for (ProgramNode const* x : std::exchange(added, {})) flatten(*x, file, n);
    if (!problem_.empty() || (g.empty() && n.empty())) return;
    bool communicates = false;
    bool must = false;
    WordSet words;
    std::set<std::string> streams;
    for (ProgramNode const* x : g) {
      Gone const kind = kind_of(*x, file);
      if (kind == Gone::kNot) {
        std::string why =
            "the original's " + line(a_, *x) + ", " + shown(a_, *x) + ", is gone or was changed";
        if (!n.empty())
          why = line(b_, *n.front()) + ": " + shown(b_, *n.front()) +
                " is not in the original program, whose " + line(a_, *x) + " has " + shown(a_, *x);
        return report(std::move(why));
      }
      must = must || kind == Gone::kCommunication;
      communicates = communicates || kind == Gone::kCommunication || kind == Gone::kLaunch;
      if (kind == Gone::kCommunication || kind == Gone::kLaunch) {
        for (int i = x->tokens.begin; i < x->tokens.end; ++i)
          if (a_.code.is_word(i) && !is_recognised_call(a_.code.text(i))) words.emplace(a_.code.text(i));
        streams_of(*x, streams);
      }
    }
    bool moves = false;
    for (ProgramNode const* x : n) {
      if (is_prepare(*x)) {
        prepares(*x);
        continue;
      }
      if (x->function != kNone && is_device(x->function)) {
        device_code(*x, kNone);
        continue;
      }
      AddedCode code(b_, words_, words, !trusted_b_.empty());
      if (auto why = code.problem(*x, !file); !why.empty()) return report(std::move(why));
      if (x->function != kNone) {
        if (auto why = launches_.function_problem(x->function); !why.empty()) return report(std::move(why));
        bool const always = launches_.always(children(*x));
        if (launches_.any(x->tokens) && !always)
          return report(line(b_, *x) + ": " + b_.function(x->function).name +
                        " launches its kernels only under conditions");
        continue;
      }
      if (!launches_.any(x->tokens)) continue;
      if (defines_lambda(*x))
        return report(line(b_, *x) + ": a lambda that launches kernels cannot be followed; write a function");
      if (file || !communicates)
        return report(line(b_, *x) + ": " + shown(b_, *x) +
                      " moves data where the original has no collective, before or after what it times");
      moves = true;
      if (auto why = launches_.stream_problem(*x, streams); !why.empty()) return report(std::move(why));
    }
    if (must && !(moves && launches_.always(n)))
      report("the original's " + line(a_, *g.front()) + ", " + shown(a_, *g.front()) +
             ", is gone, and no kernel is launched in its place on every path");
  }

  /// What is in namespaces that are added, in place of these.
  void flatten(ProgramNode const& n, bool file, Pointers& out) {
    int const first = n.tokens.begin;
    bool const space = file && b_.code.is(first, "namespace") && n.parts.size() == 1;
    if (!space) return out.push_back(&n);
    for (int i = first + 1; i < n.tokens.end && !b_.code.is(i, "{"); ++i)
      if (b_.code.is_word(i) &&
          (words_.uses(b_.code.text(i)) || b_.code.is(i, "device_nccl") ||
           is_harmless_library_name(b_.code.text(i)) || is_harmless_cuda_name(b_.code.text(i))))
        report(line(b_, n) + ": namespace " + std::string(b_.code.text(i)) + " is in use; take another name");
    for (ProgramNode const& c : n.parts[0]) flatten(c, file, out);
  }

  enum class Gone { kNot, kCommunication, kGroup, kLaunch, kMemory };

  [[nodiscard]] Gone kind_of(ProgramNode const& n, bool file) const {
    if (n.function != kNone) return is_changeable(n) ? Gone::kMemory : Gone::kNot;
    if (file) return Gone::kNot;
    if (n.parts.empty()) return kind_of_simple(n);
    Gone found = Gone::kNot;
    std::string_view const first = a_.code.text(n.tokens.begin);
    if (first != "for" && first != "if" && first != "{") return Gone::kNot;
    bool const tested = !n.uses.empty() && first == "if";  // if (ncclX() != ncclSuccess) return 1;
    for (auto const& part : n.parts)
      for (ProgramNode const& c : part) {
        bool const leaves = tested && c.parts.empty();
        Gone const kind = leaves ? Gone::kCommunication : kind_of(c, false);
        bool const local = c.parts.empty() && !read_declaration(a_.code, c.tokens).empty() && c.uses.empty();
        if (kind == Gone::kNot && !local) return Gone::kNot;
        if (kind == Gone::kCommunication || found == Gone::kNot) found = kind == Gone::kNot ? found : kind;
      }
    return found;
  }
  [[nodiscard]] Gone kind_of_simple(ProgramNode const& n) const {
    Code const& code = a_.code;
    int i = n.tokens.begin;
    if (code.is(i, "(") && code.is(i + 1, "void")) i += 3;
    if (n.head.starts_with("@allocate(") || n.head.starts_with("@free(")) {
      bool mine = false;
      for (int k = i; k < n.tokens.end; ++k)
        if (code.is_word(k) && !is_recognised_call(code.text(k)) &&
            !has_word(words_.wrappers(), code.text(k))) {
          mine = words_.is_of_communication(code.text(k)) && !words_.is_constant(code.text(k));
          break;
        }
      return mine ? Gone::kMemory : Gone::kNot;
    }
    bool const wrapped = code.is_word(i) && code.is(i + 1, "(") && has_word(words_.wrappers(), code.text(i));
    if (words_.is_communicating_macro(code.text(i))) return Gone::kCommunication;
    if (wrapped) i += 2;
    std::string_view const t = code.text(i);
    if (find_collective(t) != nullptr || words_.is_communicating_macro(t)) return Gone::kCommunication;
    if (is_group_call(t)) return Gone::kGroup;
    bool const launch =
        code.is(i + 1, "<<<") || (code.is(i + 1, "<") && code.close_angle(i + 1, n.tokens.end) > 0 &&
                                  code.is(code.close_angle(i + 1, n.tokens.end) + 1, "<<<"));
    return launch && words_.may_change(t) ? Gone::kLaunch : Gone::kNot;
  }
  [[nodiscard]] bool is_changeable(ProgramNode const& n) const { return words_.may_change(n.function); }

  void streams_of(ProgramNode const& n, std::set<std::string>& out) const {
    for (int i = n.tokens.begin; i < n.tokens.end; ++i) {
      CollectiveSignature const* s = a_.code.is_word(i) ? find_collective(a_.code.text(i)) : nullptr;
      bool const macro = words_.is_communicating_macro(a_.code.text(i));
      if ((s == nullptr && !macro) || !a_.code.is(i + 1, "(")) continue;
      auto const args = a_.code.split(a_.code.inside(i + 1));
      if (s != nullptr && static_cast<std::size_t>(s->stream) < args.size())
        out.insert(AddedLaunches::plain_stream(a_.code.squeezed(args[static_cast<std::size_t>(s->stream)])));
    }
    for (CommunicationNode const& c : a_.report.graph) {
      int const token = a_.token_at(a_.call(c.call).span.begin);
      if (token >= n.tokens.begin && token < n.tokens.end) out.insert(AddedLaunches::plain_stream(c.stream));
    }
    for (Launch const& l : a_.report.launches) {
      int const token = a_.token_at(l.span.begin);
      if (token >= n.tokens.begin && token < n.tokens.end) out.insert(AddedLaunches::plain_stream(l.stream));
    }
  }

  [[nodiscard]] bool is_prepare(ProgramNode const& n) const {
    return !trusted_b_.empty() && b_.code.is(n.tokens.begin, "device_nccl") &&
           b_.code.is(n.tokens.begin + 2, "prepare") && n.head.ends_with(");");
  }
  /// Registers buffers of collectives, and computes nothing on the way.
  void prepares(ProgramNode const& n) {
    for (int i = n.tokens.begin + 3; i < n.tokens.end; ++i) {
      std::string_view const t = b_.code.text(i);
      bool const writes = t == "++" || t == "--" || (t.ends_with("=") && t.size() < 4);
      bool const member = b_.code.is(i - 1, ".") || b_.code.is(i - 1, "->");
      bool const cast = is_harmless_keyword(t) || t.ends_with("_t");
      bool const word = b_.code.is_word(i) && b_.code.is(i + 1, "(") && !words_.is_of_communication(t) &&
                        !cast && !(member && is_harmless_reading(t));
      if (writes || word)
        return report(line(b_, n) + ": " + std::string(t) + " is no buffer of a collective");
    }
  }
  [[nodiscard]] bool is_device(Index f) const { return b_.function(f).is_kernel || b_.function(f).is_device; }
  [[nodiscard]] bool defines_lambda(ProgramNode const& n) const {
    return n.parts.size() == 1 && n.head.find("=[") != std::string::npos;
  }
  [[nodiscard]] static Pointers children(ProgramNode const& n) {
    Pointers out;
    for (auto const& part : n.parts)
      for (ProgramNode const& c : part) out.push_back(&c);
    return out;
  }

  /// Device code is free, except for what reaches the host and what the original keeps on the device.
  void device_code(ProgramNode const& n, Index was) {
    WordSet before;
    if (was != kNone)
      for (int i = 0; i < a_.code.size(); ++i)
        if (a_.function_of(i) == was) before.emplace(a_.code.text(i));
    std::string const& name = b_.function(n.function).name;
    if (was == kNone && words_.uses(name) && !words_.may_change(name))
      return report(line(b_, n) + ": " + name + " is a name of the original program; take another one");
    // `__global__` has to be there, not in the arguments of a macro that drops it.
    int const start = b_.structure.function_tokens[static_cast<std::size_t>(n.function)].name;
    for (int i = n.tokens.begin; i < start; ++i) {
      std::string_view const t = b_.code.text(i);
      bool const hidden = (t == "__global__" || t == "__device__") && b_.code.enclosing(i) >= n.tokens.begin;
      bool const macro = !words_.uses(t) && std::any_of(b_.report.macros.begin(),
                                                        b_.report.macros.end(),
                                                        [&](Macro const& one) { return one.name == t; });
      if (hidden || macro) return report(line(b_, n) + ": the head of " + name + " cannot be followed");
    }
    for (int i = n.tokens.begin; i < n.tokens.end; ++i) {
      std::string_view const t = b_.code.text(i);
      bool const head = b_.function_of(i) == kNone ||
                        i < b_.structure.function_tokens[static_cast<std::size_t>(n.function)].body.begin;
      bool const bad = is_stdout_function(t) || t == "__managed__" ||
                       (t == "extern" && !b_.code.is(i + 1, "__shared__")) || t == "operator" ||
                       (head && (t == "asm" || t == "__attribute__" || t == "gnu"));
      if (b_.code.is_word(i) && bad && !has_word(before, t))
        return report(line(b_, n) + ": " + std::string(t) + " may not be used by " + name);
      if (b_.code.is_word(i) && words_.is_device_variable(t) && !has_word(before, t))
        return report(line(b_, n) + ": " + name + " uses " + std::string(t) + " of the original program");
      if (b_.code.at(i).kind == TokenKind::kString && is_verdict_text(b_.code.text(i)))
        return report(line(b_, n) + ": " + name + " has text that looks like a result line");
    }
  }

  SourceModel const& a_;
  SourceModel const& b_;
  OriginalWords words_;
  TrustedText trusted_a_, trusted_b_;
  ProgramTree tree_a_, tree_b_;
  AddedLaunches launches_;
  std::string problem_{};
};

}  // namespace cuco::impl::transforming
