// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/macros.hpp"
#include "cuco/analysis/impl/names.hpp"
#include "cuco/analysis/impl/paths.hpp"
#include "cuco/analysis/impl/structure.hpp"
#include "cuco/analysis/report.hpp"

namespace cuco::impl {

/// The tokens behind a `Call` or a `Launch`. Those of a macro's expansion lie in a `Code` of their own.
struct CallTokens {
  Code const* code = nullptr;
  std::vector<Range> args;
  int position = 0;                   ///< Token of the program where it stands.
  Range stream{};                     ///< Of a launch; empty for the default stream.
  Code const* stream_code = nullptr;  ///< Where `stream` lies.
};

/// A call of a function that the program defines.
struct CallSite {
  int position;
  Index caller;
  std::vector<Range> args;
};

struct CallTable {
  std::vector<CallTokens> calls;             ///< Beside `Report::calls`.
  std::vector<CallTokens> launches;          ///< Beside `Report::launches`.
  std::vector<std::vector<CallSite>> sites;  ///< Beside `Report::functions`.
  std::set<Index> taken;                     ///< Functions that are used as values.
  std::vector<CallSite>
      ends;  ///< Where objects whose class has a destructor end: `caller` is that destructor.
  std::deque<std::string> expanded_sources;  ///< Own what `expansions` point into.
  std::deque<Code> expansions;
};

/// Finds calls and launches, also those that macros of the file hide.
class CallReader {
 public:
  CallReader(Code const& code, Structure const& structure, Macros const& macros, Report& report)
      : code_(code), structure_(structure), macros_(macros), report_(report) {}

  CallTable run() {
    out_.sites.resize(structure_.functions.size());
    for (std::size_t f = 0; f < structure_.functions.size(); ++f) {
      definitions_.insert(structure_.function_tokens[f].name);
      std::string const& name = structure_.functions[f].name;
      by_name_[name].push_back(static_cast<Index>(f));
      std::string const& scope = structure_.functions[f].scope;
      if (name.starts_with("~")) destructors_.emplace(name.substr(1), static_cast<Index>(f));
      if (name == "operator()" && !scope.empty()) {
        std::size_t const colon = scope.rfind(':');
        functors_.emplace(colon == std::string::npos ? scope : scope.substr(colon + 1),
                          static_cast<Index>(f));
      }
    }
    for (int i = 0; i < code_.size(); ++i) {
      while (!enclosing_.empty() && enclosing_.back() <= i) enclosing_.pop_back();
      if (code_.is(i, "<<<")) {
        if (enclosing_.size() < kDeepest) launch(code_, i, i, {});
      } else if (code_.is_word(i)) {
        word(i);
      }
    }
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kDeepest = 16;  ///< Calls nested deeper are not calls anybody wrote.
  static constexpr std::size_t kMostExpansions = 1000;

  /// The `(` of a call whose function name is at `i`, or -1.
  static int call_open(Code const& code, int i) {
    int open = i + 1;
    if (code.is(open, "<")) {
      int const close = code.close_angle(open, code.size());
      if (close > 0) open = close + 1;
    }
    return code.is(open, "(") ? open : -1;
  }

  [[nodiscard]] Index function_of(int i) const { return structure_.function_of[static_cast<std::size_t>(i)]; }

  /// A prototype, a method of the same name, or a name of another namespace.
  [[nodiscard]] bool is_something_else(int i) const {
    if (definitions_.count(i) != 0) return true;
    std::string_view const before = code_.text(i - 1);
    if (before == "." || before == "->") return true;
    if (before == "::") return code_.is_word(i - 2);
    return is_prototype(i);
  }
  [[nodiscard]] bool is_prototype(int i) const {
    std::string_view const before = code_.text(i - 1);
    return function_of(i) == kNone &&
           (code_.is_word(i - 1) || before == "*" || before == "&" || before == ">");
  }

  void word(int i) {
    std::string_view const t = code_.text(i);
    int const open = call_open(code_, i);
    if (macros_.hides_something(t, open == i + 1)) return expand(i, open == i + 1 ? open : -1);
    if (open < 0) {
      if (find_collective(t) != nullptr && !code_.is(i - 1, "::") && function_of(i) != kNone)
        report_.notes.push_back("line " + std::to_string(code_.at(i).line) + ": " + std::string(t) +
                                " is used as a value; calls through pointers are not followed");
      // run = exchange; takes the address of a function.
      auto const function = by_name_.find(t);
      bool const value = !code_.is(i - 1, ".") && !code_.is(i - 1, "->") && definitions_.count(i) == 0;
      if (function != by_name_.end() && value && !code_.is_word(i + 1) && !code_.is(i + 1, "<<<"))
        for (Index f : function->second) out_.taken.insert(f);
      int name = i + 1;
      if (code_.is(name, "<") && by_name_.count(t) + functors_.count(t) != 0 &&
          code_.close_angle(name, code_.size()) > 0)
        name = code_.close_angle(name, code_.size()) + 1;
      if (functors_.count(t) != 0) {
        // Functor f; const Functor<T>& f
        int const variable = code_.is(name, "&") || code_.is(name, "*") ? name + 1 : name;
        if (code_.is_word(variable))
          objects_.insert_or_assign(std::string(code_.text(variable)), functors_.find(t)->second);
      }
      if (function_of(i) != kNone && code_.is_word(name)) object(i, name, t);
      return;
    }
    std::string name(t);
    if (!is_recognised_call(t)) name = macros_.alias(t);
    if (!name.empty() && enclosing_.size() < kDeepest && !is_something_else(i)) {
      enclosing_.push_back(code_.partner(open));
      record(code_, i, open, i, name, {});
    }
    if (t == "make_unique" || t == "make_shared") {
      // std::make_unique<ns::Class<T>>(a, b) calls the constructor.
      for (int k = i + 2; k < open; ++k)
        if (code_.is_word(k) && !code_.is(k + 1, "::")) return call_site(i, open, code_.text(k));
    }
    call_site(i, open, t);
  }

  // ---- calls --------------------------------------------------------------------------------------------

  void record(Code const& code,
              int name_token,
              int open,
              int position,
              std::string const& name,
              std::string const& macro) {
    Call call;
    call.name = name;
    call.macro = macro;
    call.line = code_.at(position).line;
    CallTokens tokens;
    tokens.code = &code;
    tokens.position = position;
    tokens.args = code.split(code.inside(open));
    bool const direct = &code == &code_;
    for (Range a : tokens.args)
      call.args.push_back({direct ? code.text(a) : code.squeezed(a), direct ? code.span(a) : Span{}});
    Range extent{position, position + 1};
    if (direct) extent.end = code.partner(open) + 1;
    if (!direct && code_.is(position + 1, "(")) extent.end = code_.partner(position + 1) + 1;
    call.span = code_.span(extent);
    call.statement = statement_span(extent);
    call.wrapper = direct ? wrapper(name_token) : macro;
    call.bare_statement = direct && is_bare(extent);
    call.function = function_of(position);
    call.loop = structure_.loop_of[static_cast<std::size_t>(position)];
    classify(call, static_cast<Index>(report_.calls.size()));
    allocation(call, tokens);
    report_.calls.push_back(std::move(call));
    out_.calls.push_back(std::move(tokens));
    if (name.starts_with("cudaLaunch")) launch_call(static_cast<Index>(report_.calls.size()) - 1);
  }

  [[nodiscard]] Span statement_span(Range extent) const {
    int const s = structure_.statement_of[static_cast<std::size_t>(extent.begin)];
    return code_.span(s < 0 ? extent : structure_.statements[static_cast<std::size_t>(s)].range);
  }

  [[nodiscard]] bool is_bare(Range extent) const {
    int const s = structure_.statement_of[static_cast<std::size_t>(extent.begin)];
    if (s < 0) return false;
    Statement const& statement = structure_.statements[static_cast<std::size_t>(s)];
    Range r = statement.range;
    if (!statement.simple || !code_.is(r.end - 1, ";")) return false;
    --r.end;
    if (code_.is(r.begin, "(") && code_.is(r.begin + 1, "void") && code_.is(r.begin + 2, ")")) r.begin += 3;
    auto same = [&] {
      return (r.begin == extent.begin || (code_.is(r.begin, "::") && r.begin + 1 == extent.begin)) &&
             r.end == extent.end;
    };
    if (same()) return true;
    if (!code_.is_word(r.begin) || is_control_word(code_.text(r.begin)) || !code_.is(r.begin + 1, "(") ||
        code_.partner(r.begin + 1) != r.end - 1)
      return false;
    r.begin += 2;
    --r.end;
    return same();
  }

  [[nodiscard]] std::string wrapper(int i) const {
    for (int open = code_.enclosing(i), depth = 0; open >= 0 && code_.is(open, "(") && depth < 64;
         open = code_.enclosing(open), ++depth) {
      if (!code_.is_word(open - 1)) continue;
      return is_control_word(code_.text(open - 1)) ? std::string() : std::string(code_.text(open - 1));
    }
    return {};
  }

  void classify(Call const& call, Index index) {
    if (find_collective(call.name) != nullptr || is_group_call(call.name))
      report_.collectives.push_back(index);
    if (is_setup_call(call.name)) report_.setup.push_back(index);
    if (is_sync_call(call.name)) report_.sync_points.push_back(index);
    if (call.name.starts_with("MPI_") || call.name.starts_with("PMPI_")) report_.mpi.push_back(index);
  }

  void allocation(Call const& call, CallTokens const& tokens) {
    AllocatorSignature const* s = find_allocator(call.name);
    if (s == nullptr || call.args.size() < 2) return;
    Allocation a;
    a.call = static_cast<Index>(report_.calls.size());
    a.allocator = call.name;
    Range r = tokens.args[static_cast<std::size_t>(s->pointer)];
    a.base = PathReader(*tokens.code).read(r).root;
    a.buffer = stored_to(*tokens.code, r);
    if (s->size >= 0) a.size = call.args[static_cast<std::size_t>(s->size)].text;
    if (s->size < 0 && call.args.size() > 3) a.size = call.args[2].text + " * " + call.args[3].text;
    a.symmetric = call.name == "ncclMemAlloc";
    report_.allocations.push_back(std::move(a));
  }

  /// `(void**)&x` and its like, without cast and `&`.
  static std::string stored_to(Code const& code, Range r) {
    PathReader const paths(code);
    for (int steps = 0; steps < 16 && r.size() > 1; ++steps) {
      int const close = code.partner(r.begin);
      if (code.is(r.begin, "(") && close == r.end - 1) {
        ++r.begin;
        --r.end;
      } else if (code.is(r.begin, "(") && paths.looks_like_type(code.inside(r.begin))) {
        r.begin = close + 1;
      } else if (code.is_word(r.begin) && code.text(r.begin).ends_with("_cast") && code.is(r.end - 1, ")")) {
        r = code.inside(code.partner(r.end - 1));
      } else if (code.is(r.begin, "&")) {
        ++r.begin;
      } else {
        break;
      }
    }
    return code.squeezed(r);
  }

  // ---- launches (launches.hpp) ---------------------------------------------------------------------------

  /// `kernel<<<…>>>(…)` with its `<<<` at `mark`.
  void launch(Code const& code, int mark, int position, std::string const& macro);
  static int kernel_begin(Code const& code, int mark);
  void finish(Launch l, CallTokens tokens, Range extent);
  /// cudaLaunchKernel, cudaLaunchCooperativeKernel, cudaLaunchKernelEx, cudaLaunchKernelExC.
  void launch_call(Index index);
  /// Finds `void* name[] = {&a, &b};` for the argument `name` and takes `a`, `b`.
  bool argument_array(Code const& code, Range r, Index function, CallTokens& out);
  /// Looks for the fields of a cudaLaunchConfig_t set before the call.
  void configuration(Code const& code, Range r, Call const& call, Launch& l, CallTokens& out);
  void positional(int i, Launch& l, CallTokens& out);

  // ---- macros and the program's own functions -----------------------------------------------------------

  void expand(int i, int open) {
    std::string const name(code_.text(i));
    if (out_.expansions.size() >= kMostExpansions || enclosing_.size() >= kDeepest) return;
    std::vector<std::string> arguments;
    if (open > 0) {
      enclosing_.push_back(code_.partner(open));
      for (Range a : code_.split(code_.inside(open))) arguments.push_back(code_.text(a));
    }
    std::string& text = out_.expanded_sources.emplace_back();
    std::vector<std::pair<std::size_t, std::size_t>>
        foreign;  // Came with the arguments: found where written.
    for (ExpandedToken const& t : macros_.expand(name, arguments)) {
      if (!t.own) foreign.emplace_back(text.size(), text.size() + t.text.size());
      text += t.text;
      text += t.text.find('\n') == std::string::npos ? ' ' : '\n';
    }
    auto stream = lex(text);
    bool ignored = false;
    auto expansion =
        stream ? make_code(text, *stream, name, ignored) : Result<Code>(forward_error(std::move(stream)));
    if (!expansion || text.empty()) {
      report_.notes.push_back("line " + std::to_string(code_.at(i).line) + ": the expansion of " + name +
                              " is not followed");
      return;
    }
    Code const& code = out_.expansions.emplace_back(std::move(*expansion));
    for (int k = 0; k < code.size(); ++k) {
      std::size_t const at = code.at(k).offset;
      bool const own = std::none_of(
          foreign.begin(), foreign.end(), [&](auto const& f) { return f.first <= at && at < f.second; });
      if (!own) continue;
      if (code.is(k, "<<<")) launch(code, k, i, name);
      int const inner = code.is_word(k) ? call_open(code, k) : -1;
      if (inner < 0) continue;
      std::string const callee(code.text(k));
      if (is_worth_expanding(callee)) record(code, k, inner, i, callee, name);
    }
  }

  /// `Guard guard;`, `Guard guard(…);` or with braces, with the name at `name`: calls the constructor here
  /// and the destructor where the block ends.
  void object(int i, int name, std::string_view type) {
    bool const plain = code_.is(name + 1, ";") || code_.is(name + 1, ",");
    bool const constructed = code_.is(name + 1, "(") || code_.is(name + 1, "{");
    if (!plain && !constructed) return;
    if (constructed) call_site(i, name + 1, type);
    auto const it = by_name_.find(type);
    if (plain && it != by_name_.end())
      for (Index f : it->second)
        if (structure_.functions[static_cast<std::size_t>(f)].parameter_names.empty())
          out_.sites[static_cast<std::size_t>(f)].push_back({i, function_of(i), {}});
    if (destructors_.empty() || code_.enclosing(i) < 0) return;
    auto const end = destructors_.find(type);
    if (end != destructors_.end()) out_.ends.push_back({code_.partner(code_.enclosing(i)), end->second, {}});
  }

  void call_site(int i, int open, std::string_view name) {
    if (definitions_.count(i) != 0 || is_prototype(i)) return;
    auto const it = by_name_.find(name);
    auto args = code_.split(code_.inside(open));
    if (it == by_name_.end()) {
      // Functor f(a, b); declares.
      bool const declared = code_.is_word(i - 1) && !is_control_word(code_.text(i - 1));
      if (auto const o = objects_.find(name); o != objects_.end() && !declared)
        out_.sites[static_cast<std::size_t>(o->second)].push_back({i, function_of(i), std::move(args)});
      return;
    }
    Index chosen = kNone;
    for (Index f : it->second) {
      auto const& parameters = structure_.functions[static_cast<std::size_t>(f)].parameter_names;
      if (it->second.size() > 1 && parameters.size() != args.size()) continue;
      if (chosen != kNone) return;  // Overloads of the same arity are not told apart.
      chosen = f;
    }
    if (chosen != kNone)
      out_.sites[static_cast<std::size_t>(chosen)].push_back({i, function_of(i), std::move(args)});
  }

  static constexpr int kLookBack = 4000;

  Code const& code_;
  Structure const& structure_;
  Macros const& macros_;
  Report& report_;
  std::set<int> definitions_{};
  std::map<std::string, std::vector<Index>, std::less<>> by_name_{};
  std::map<std::string, Index, std::less<>> destructors_{};  ///< Class -> its destructor.
  std::map<std::string, Index, std::less<>> functors_{};     ///< Class -> its operator().
  std::map<std::string, Index, std::less<>> objects_{};      ///< Variable -> operator() of its class.
  std::vector<int> enclosing_{};  ///< Ends of the recognised calls around the current token.
  CallTable out_{};
};

}  // namespace cuco::impl

#include "cuco/analysis/impl/launches.hpp"
