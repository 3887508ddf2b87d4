// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/variables.hpp"
#include "cuco/transform/impl/constructions.hpp"
#include "cuco/transform/impl/rank_sources.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Which values may differ between ranks, and which statements only some ranks may run, as far as
/// assignments, arguments, results and conditions show it. Names stand for what they name: a member's name
/// for that member of every object. In doubt a value varies.
class RankDependence {
 public:
  explicit RankDependence(SourceModel const& model)
      : m_(model), variables_(model.code, model.structure), constructions_(ConstructionReader(model).run()) {
    controlled_.assign(static_cast<std::size_t>(m_.code.size()), 0);
    for (std::size_t c = 0; c < m_.report.calls.size(); ++c) seed(static_cast<Index>(c));
    for (int round = 0; round < kRounds; ++round) {
      std::size_t const before = size();
      mark_controlled();
      for (int i = 0; i < m_.code.size(); ++i) follow(i);
      for (Statement const& s : m_.structure.statements)
        if (s.simple && !s.range.empty()) follow_declaration(s.range);
      for (std::size_t f = 0; f < m_.report.functions.size(); ++f) follow_arguments(static_cast<Index>(f));
      for (Construction const& c : constructions_) follow_construction(c);
      if (size() == before) break;
    }
    mark_controlled();
  }

  /// Whether the value of tokens `r` of `code`, used at token `position` of the program, may differ.
  [[nodiscard]] bool varies(Code const& code, Range r, int position) const {
    Index const f = m_.function_of(position);
    for (int i = r.begin; i < r.end; ++i)
      if (code.is_word(i) && word_varies(code, i, f)) return true;
    return false;
  }

  /// Whether only some ranks may get to token `i`: it lies under a condition that varies, or its function is
  /// called from such a place.
  [[nodiscard]] bool some_ranks_only(int i) const {
    Index const f = m_.function_of(i);
    return is_controlled(i) || (f != kNone && rare_functions_.count(f) != 0) || is_chosen(i);
  }

 private:
  using Name = std::pair<Index, std::string_view>;
  static constexpr int kRounds = 12;

  [[nodiscard]] std::size_t size() const {
    return names_.size() + objects_.size() + functions_.size() + written_.size() + rare_functions_.size();
  }
  [[nodiscard]] static bool contains(std::set<Name> const& names, Index f, std::string_view name) {
    return names.count({f, name}) != 0 || (f != kNone && names.count({kNone, name}) != 0);
  }
  [[nodiscard]] bool is_controlled(int i) const {
    return i >= 0 && i < m_.code.size() && controlled_[static_cast<std::size_t>(i)] != 0;
  }

  [[nodiscard]] bool word_varies(Code const& code, int i, Index f) const {
    std::string_view const name = code.text(i);
    if (code.is(i + 1, "(") && (functions_.count(name) != 0 || is_rank_source(code, i))) return true;
    if (code.is(i + 1, "::")) return false;
    // Of an object, the member decides, unless the object was made from values that vary.
    bool const member = code.is(i - 1, ".") || code.is(i - 1, "->");
    if (code.is(i + 1, ".") || code.is(i + 1, "->")) return !member && contains(objects_, f, name);
    return contains(names_, member ? kNone : f, name);
  }

  /// The variable that an expression names as a target: its last word outside brackets.
  [[nodiscard]] static int target(Code const& code, Range r) {
    int last = -1;
    for (int i = r.begin; i < r.end; i = code.is(i, "(") && i > r.begin ? code.next(i) : step(code, i))
      if (code.is_word(i) && !code.is(i + 1, "(") && !is_cv(code.text(i)) && !is_builtin_type(code.text(i)))
        last = i;
    return last;
  }
  /// Into round brackets at the begin, over square ones.
  [[nodiscard]] static int step(Code const& code, int i) { return code.is(i, "[") ? code.next(i) : i + 1; }

  [[nodiscard]] int parameter(Index f, std::string_view name) const {
    if (f == kNone) return -1;
    auto const& names = m_.function(f).parameter_names;
    auto const at = std::find(names.begin(), names.end(), name);
    return at == names.end() ? -1 : static_cast<int>(at - names.begin());
  }

  /// Notes that what `r` names varies: a member for all functions, others for their own.
  void add(Code const& code, Range r, Index f, std::set<Name>& names) {
    int const at = target(code, r);
    if (at < 0) return;
    std::string_view const name = stable(code, at);
    bool const member = code.is(at - 1, ".") || code.is(at - 1, "->");
    bool const given = !member && parameter(f, name) >= 0;
    bool const local = !member && (given || variables_.is_local(f, std::string(name)));
    names.insert({local ? f : kNone, name});
    if (given) written_.insert({f, name});
  }
  /// Expansions of macros go away with the model as well, so their text can be kept too.
  [[nodiscard]] static std::string_view stable(Code const& code, int i) { return code.text(i); }

  void seed(Index c) {
    Call const& call = m_.call(c);
    CallTokens const& t = m_.call_tokens(c);
    for (int argument : rank_outputs(call, t))
      if (static_cast<std::size_t>(argument) < t.args.size())
        add(*t.code, t.args[static_cast<std::size_t>(argument)], call.function, names_);
  }

  // ---- conditions ----------------------------------------------------------------------------------------

  /// The condition of a compound statement: what is between the parentheses after its keyword.
  [[nodiscard]] Range header_of(Statement const& s) const {
    for (int i = s.range.begin; i < std::min(s.range.begin + 3, s.range.end); ++i)
      if (m_.code.is(i, "(")) return m_.code.inside(i);
    return {};
  }

  void mark(Range r) {
    std::fill(controlled_.begin() + r.begin, controlled_.begin() + std::max(r.begin, r.end), 1);
  }

  /// Whether all ranks get to some statement of `r` in any run that ends: a loop with a collective has as
  /// many rounds on all ranks of the communicator, and MPI's collectives over all ranks need all.
  [[nodiscard]] bool needs_all(Range r, bool loop) const {
    for (int i = r.begin; i < r.end; ++i) {
      if (!m_.code.is_word(i) || !m_.code.is(i + 1, "(")) continue;
      auto const* collective = loop ? find_collective(m_.code.text(i)) : nullptr;
      if (collective != nullptr && collective->peer < 0) return true;
      if (m_.code.is(i, "MPI_Finalize")) return true;
      if (!is_world_collective(m_.code.text(i))) continue;
      Range const args = m_.code.inside(i + 1);
      for (int k = args.begin; k < args.end; ++k)
        if (m_.code.is(k, "MPI_COMM_WORLD")) return true;
    }
    return false;
  }

  /// Whether MPI_Finalize stands before the return at `i`, in the part of its function that only some ranks
  /// run.
  [[nodiscard]] bool ends_well(int i) const {
    for (int k = i; k >= 0 && is_controlled(k) && m_.function_of(k) == m_.function_of(i); --k)
      if (m_.code.is(k, "MPI_Finalize")) return true;
    return false;
  }

  void mark_controlled() {
    for (Statement const& s : m_.structure.statements) {
      if (s.simple || s.range.empty() || is_controlled(s.range.begin)) continue;
      Range const header = header_of(s);
      if (header.empty() || !varies(m_.code, header, s.range.begin)) continue;
      Range const body{header.end + 1, s.range.end};
      bool const loop = m_.code.is(s.range.begin, "for") || m_.code.is(s.range.begin, "while");
      if (!loop || !needs_all(body, true)) mark(body);
    }
    // What follows `if (rank != 0) return;`
    for (int i = 0; i < m_.code.size(); ++i) {
      Index const f = m_.function_of(i);
      if (f == kNone || !is_controlled(i)) continue;
      Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
      // A return without MPI_Finalize is the end of a run that fails, when others still wait for all ranks.
      if (m_.code.is(i, "return") && (ends_well(i) || !needs_all({i, body.end}, false))) mark({i, body.end});
      Index const loop = m_.structure.loop_of[static_cast<std::size_t>(i)];
      if (loop != kNone && (m_.code.is(i, "continue") || m_.code.is(i, "break"))) {
        Range const r = m_.tokens_in(m_.report.loops[static_cast<std::size_t>(loop)].body);
        if (!is_controlled(r.begin)) mark({i, r.end});
      }
    }
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f)
      for (CallSite const& site : m_.sites_of(static_cast<Index>(f)))
        if (some_ranks_only(site.position)) rare_functions_.insert(static_cast<Index>(f));
  }

  /// Whether token `i` is evaluated only where an operand before it has some value that varies: `rank == 0 ?
  /// f() : g()`, `rank == 0 && f()`.
  [[nodiscard]] bool is_chosen(int i) const {
    int choice = -1;
    for (int at = i - 1; at >= 0; --at) {
      if (m_.code.is(at, ";") || m_.code.is(at, "{") || m_.code.is(at, "}")) {
        return choice >= 0 && varies(m_.code, {at + 1, choice}, i);
      }
      if (m_.code.is(at, "?") || m_.code.is(at, "&&") || m_.code.is(at, "||")) choice = std::max(choice, at);
      if ((m_.code.is(at, ")") || m_.code.is(at, "]")) && m_.code.partner(at) >= 0) at = m_.code.partner(at);
    }
    return false;
  }

  // ---- values --------------------------------------------------------------------------------------------

  /// Assignments, results and calls of lambdas at token `i`.
  void follow(int i) {
    std::string_view const t = m_.code.text(i);
    if (is_assignment(t)) {
      int begin = i;
      while (begin > 0 && !ends_target(begin - 1)) --begin;
      int end = i + 1;
      while (end < m_.code.size() && !m_.code.is(end, ";") && !m_.code.is(end, ",") && !closes(end))
        end = m_.code.next(end);
      // What is declared under a condition is not seen outside.
      if ((is_controlled(i) && !declares(i - 1)) || varies(m_.code, {i + 1, end}, i)) {
        add(m_.code, {begin, i}, m_.function_of(i), names_);
        // auto [a, b] = …, std::tie(a, b) = …
        int const open = m_.code.partner(i - 1);
        bool const bound =
            m_.code.is(i - 1, "]") && (m_.code.is(open - 1, "auto") || m_.code.is(open - 2, "auto"));
        bool const several = bound || (m_.code.is(i - 1, ")") && m_.code.is(open - 1, "tie"));
        if (several) add_all(m_.code.inside(open), m_.function_of(i));
      }
    } else if (t == "return") {
      Index const f = m_.function_of(i);
      int end = i + 1;
      while (end < m_.code.size() && !m_.code.is(end, ";")) end = m_.code.next(end);
      if (f != kNone && (is_controlled(i) || varies(m_.code, {i + 1, end}, i)))
        functions_.insert(m_.function(f).name);
    } else if (t == "[" && m_.code.is(i - 1, "=") && m_.code.is(m_.code.partner(i) + 1, "(")) {
      follow_lambda(i);
    } else if ((t == "++" || t == "--") && is_controlled(i) && !counts_own_loop(i)) {
      if (m_.code.is_word(i + 1)) add(m_.code, {i + 1, i + 2}, m_.function_of(i), names_);
      if (m_.code.is_word(i - 1)) add(m_.code, {i - 1, i}, m_.function_of(i), names_);
    } else if (t == ">>" && m_.code.is_word(i + 1)) {
      add(m_.code, {i + 1, i + 2}, m_.function_of(i), names_);  // What a stream gives may differ.
    } else if (t == "(" && m_.code.is_word(i - 1)) {
      follow_library_call(i);
    } else if (t == ":" && m_.code.is(m_.code.enclosing(i), "(") &&
               m_.code.is(m_.code.enclosing(i) - 1, "for")) {
      int const open = m_.code.enclosing(i);
      if (varies(m_.code, {i + 1, m_.code.partner(open)}, i)) add_all({open + 1, i}, m_.function_of(i));
    }
  }

  /// `++i` in the header that declares `i`.
  [[nodiscard]] bool counts_own_loop(int i) const {
    int const open = m_.code.enclosing(i);
    if (!m_.code.is(open, "(") || !m_.code.is(open - 1, "for")) return false;
    std::string_view const name = m_.code.is_word(i + 1) ? m_.code.text(i + 1) : m_.code.text(i - 1);
    for (int k = open + 1; k < i; ++k)
      if (m_.code.is(k, name) && m_.code.is(k + 1, "=") && declares(k)) return true;
    return false;
  }

  /// `std::swap(a, b)`, `memcpy(&me, &rank, 4)`, `sscanf(text, "%d", &me)`: functions of libraries may set
  /// what they are given by address when something else that they are given varies, or when only some ranks
  /// call them.
  void follow_library_call(int open) {
    if (find_function(m_.code.text(open - 1))) return;
    auto const args = m_.code.split(m_.code.inside(open));
    bool doubt = is_controlled(open);
    for (Range a : args) doubt = doubt || varies(m_.code, a, open);
    if (!doubt || is_recognised_call(m_.code.text(open - 1))) return;
    bool const swaps =
        m_.code.is(open - 1, "swap") || m_.code.is(open - 1, "exchange") || m_.code.is(open - 1, "iter_swap");
    for (Range a : args)
      if (swaps || m_.code.is(a.begin, "&")) add(m_.code, a, m_.function_of(open), names_);
  }
  [[nodiscard]] bool find_function(std::string_view name) const {
    return std::any_of(m_.report.functions.begin(), m_.report.functions.end(), [&](Function const& f) {
      return f.name == name;
    });
  }
  void add_all(Range r, Index f) {
    for (int i = r.begin; i < r.end; ++i)
      if (m_.code.is_word(i) && !is_cv(m_.code.text(i)) && !is_builtin_type(m_.code.text(i)))
        add(m_.code, {i, i + 1}, f, names_);
  }
  [[nodiscard]] bool declares(int i) const {
    bool const typed = m_.code.is_word(i - 1) && !m_.code.is(i - 1, "return") && !m_.code.is(i - 1, "else");
    return m_.code.is_word(i) &&
           (typed || m_.code.is(i - 1, "*") || m_.code.is(i - 1, "&") || m_.code.is(i - 1, ">"));
  }
  [[nodiscard]] static bool is_assignment(std::string_view t) {
    return t == "=" || (t.size() > 1 && t.back() == '=' && t != "==" && t != "!=" && t != "<=" && t != ">=");
  }
  [[nodiscard]] bool closes(int i) const {
    return m_.code.is(i, ")") || m_.code.is(i, "]") || m_.code.is(i, "}");
  }
  [[nodiscard]] bool ends_target(int i) const {
    return m_.code.is(i, ";") || m_.code.is(i, ",") || m_.code.is(i, "(") || m_.code.is(i, "{") ||
           m_.code.is(i, "}") || m_.code.is(i, "?") || m_.code.is(i, ":");
  }

  /// `auto name = [captures](parameters) {…}`: what its calls in the same function give it.
  void follow_lambda(int open) {
    std::string_view const name = m_.code.text(open - 2);
    int const parameters = m_.code.partner(open) + 1;
    std::vector<std::string_view> names;
    for (Range p : m_.code.split(m_.code.inside(parameters)))
      names.push_back(m_.code.is_word(p.end - 1) ? m_.code.text(p.end - 1) : std::string_view());
    Index const f = m_.function_of(open);
    if (f == kNone || names.empty()) return;
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    for (int i = m_.code.partner(parameters); i < body.end; ++i) {
      if (!m_.code.is(i, name) || !m_.code.is(i + 1, "(") || m_.code.is(i - 1, ".")) continue;
      auto const args = m_.code.split(m_.code.inside(i + 1));
      for (std::size_t a = 0; a < std::min(args.size(), names.size()); ++a)
        if (!names[a].empty() && varies(m_.code, args[a], i)) names_.insert({f, names[a]});
    }
  }

  /// `T x(values)`, `T x{values}`: an object made of values that vary, or a number.
  void follow_declaration(Range r) {
    Index const f = m_.function_of(r.begin);
    for (Variable const& v : read_declaration(m_.code, r)) {
      if (v.init.empty() || !varies(m_.code, v.init, r.begin)) continue;
      std::string_view const name = m_.code.text(v.name);
      Index const scope = variables_.is_local(f, std::string(name)) ? f : kNone;
      names_.insert({scope, name});
      // Constructors show by themselves what they keep; a list of values without one does not.
      bool const braces = m_.code.is(v.init.begin - 1, "{") && !m_.code.is(v.init.begin, ".");
      if (braces) objects_.insert({scope, name});
    }
  }

  void follow_arguments(Index f) {
    auto const& parameters = m_.function(f).parameter_names;
    FunctionTokens const& tokens = m_.structure.function_tokens[static_cast<std::size_t>(f)];
    for (CallSite const& site : m_.sites_of(f)) {
      for (std::size_t a = 0; a < std::min(site.args.size(), parameters.size()); ++a) {
        if (parameters[a].empty()) continue;
        if (varies(m_.code, site.args[a], site.position)) names_.insert({f, parameters[a]});
        if (written_.count({f, parameters[a]}) != 0 && is_reference(tokens, parameters[a]))
          add(m_.code, site.args[a], site.caller, names_);
      }
    }
    // Foo(int rank) : rank_(rank), …
    int i = m_.code.partner(tokens.parameters) + 1;
    if (!m_.code.is(i, ":")) return;
    for (++i; i < tokens.body.begin - 1 && m_.code.is_word(i) && m_.code.opens(i + 1);
         i = m_.code.partner(i + 1) + 2)
      if (varies(m_.code, m_.code.inside(i + 1), i + 1)) names_.insert({kNone, m_.code.text(i)});
  }

  void follow_construction(Construction const& c) {
    auto const& parameters = m_.function(c.constructor).parameter_names;
    for (std::size_t a = 0; a < c.args.size(); ++a)
      if (!parameters[a].empty() && varies(m_.code, c.args[a], c.position))
        names_.insert({c.constructor, parameters[a]});
    if (some_ranks_only(c.position)) rare_functions_.insert(c.constructor);
  }

  [[nodiscard]] bool is_reference(FunctionTokens const& tokens, std::string_view parameter) const {
    for (int i = tokens.parameters; i < m_.code.partner(tokens.parameters); ++i)
      if (m_.code.is(i, parameter)) return m_.code.is(i - 1, "*") || m_.code.is(i - 1, "&");
    return false;
  }

  SourceModel const& m_;
  Variables variables_;
  std::vector<Construction> constructions_;
  std::set<Name> names_{};                  ///< Variables and members.
  std::set<Name> objects_{};                ///< Objects all of whose members vary.
  std::set<Name> written_{};                ///< Parameters that their function sets.
  std::set<std::string_view> functions_{};  ///< Functions whose results vary.
  std::set<Index> rare_functions_{};        ///< Functions that only some ranks may call.
  std::vector<char> controlled_{};          ///< Per token: under a condition that varies.
};

}  // namespace cuco::impl
