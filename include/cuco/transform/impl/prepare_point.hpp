// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/source_edit.hpp"
#include "cuco/transform/impl/timed_region.hpp"

namespace cuco::impl {

/// A place before a loop or a timer where something can be done once, and the expressions to do it with.
struct EarlyPoint {
  int token = 0;                         ///< A statement begins here, directly in a block.
  std::vector<std::string> expressions;  ///< As they must be written there.
};

/// Looks for places that run before a call does for the first time.
class EarlyPoints {
 public:
  explicit EarlyPoints(SourceModel const& m) : m_(m) {}

  /// Before the outermost loop around token `at`, else before the timer that is started before it, else in
  /// the callers. Empty when there is no place where all `expressions` mean the same.
  [[nodiscard]] std::vector<EarlyPoint> before(int at, std::vector<std::string> expressions) const {
    std::vector<EarlyPoint> out;
    search(at, std::move(expressions), out, 0);
    return out;
  }

  /// Whether evaluating `expression` once more changes nothing: no assignment, no ++, and only calls of
  /// accessors and of functions of the program that change nothing either.
  [[nodiscard]] bool may_repeat(std::string const& expression) const {
    auto const stream = lex(expression);
    return stream && may_repeat(stream->tokens, 0);
  }

  /// Whether `name` means at token `at` of its function what it means in the rest of it.
  [[nodiscard]] bool visible(std::string_view name, int at) const {
    Index const f = m_.function_of(at);
    if (f == kNone) return false;
    auto const& parameters = m_.function(f).parameter_names;
    if (std::find(parameters.begin(), parameters.end(), name) != parameters.end()) return true;
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    bool declared_elsewhere = false;
    for (int i = body.begin; i < body.end; ++i) {
      if (!m_.code.is(i, name) || !m_.is_free_word(i)) continue;
      int open = m_.code.enclosing(i);
      bool in_parentheses = false;
      while (open >= 0 && !m_.code.is(open, "{")) {
        in_parentheses = true;
        open = m_.code.enclosing(open);
      }
      bool const encloses = open < at && at < m_.code.partner(open);
      bool const declares = declares_at(i, in_parentheses);
      if (i < at && encloses && declares && !in_parentheses) return true;
      declared_elsewhere = declared_elsewhere || declares;
    }
    return !declared_elsewhere;
  }

 private:
  static constexpr int kDeepest = 4;

  [[nodiscard]] bool may_repeat(std::vector<Token> const& t, int depth) const {
    static constexpr std::array<std::string_view, 13> kChanges = {
        "=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>=", "++", "--"};
    static constexpr std::array<std::string_view, 14> kAccessors = {"data",
                                                                    "get",
                                                                    "at",
                                                                    "size",
                                                                    "begin",
                                                                    "end",
                                                                    "front",
                                                                    "back",
                                                                    "first",
                                                                    "second",
                                                                    "sizeof",
                                                                    "min",
                                                                    "max",
                                                                    "raw_pointer_cast"};
    if (depth > kDeepest) return false;
    for (std::size_t i = 0; i < t.size(); ++i) {
      if (std::any_of(kChanges.begin(), kChanges.end(), [&](auto c) { return t[i].is(c); }) ||
          t[i].is("new") || t[i].is("delete") || t[i].is("<<<"))
        return false;
      if (t[i].kind != TokenKind::kIdentifier) continue;
      std::string_view const word = t[i].text;
      bool known = is_builtin_type(word) || word.ends_with("_cast") || is_control_word(word) ||
                   std::find(kAccessors.begin(), kAccessors.end(), word) != kAccessors.end();
      bool defined = false;
      for (Macro const& macro : m_.report.macros) {
        if (macro.name != word) continue;
        auto const body = lex(macro.value);
        if (!body || !may_repeat(body->tokens, depth + 1)) return false;
        defined = true;
      }
      // template_function<…>(…) is a call too.
      std::size_t open = i + 1;
      if (open < t.size() && t[open].is("<"))
        for (int angle = 0; open < t.size(); ++open) {
          angle += t[open].is("<") ? 1 : t[open].is(">") ? -1 : 0;
          if (angle == 0) break;
        }
      open += open != i + 1 ? 1 : 0;
      if (known || open >= t.size() || !t[open].is("(")) continue;
      for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
        if (m_.report.functions[f].name != word) continue;
        Range const body = m_.structure.function_tokens[f].body;
        std::vector<Token> const tokens(m_.code.tokens.begin() + body.begin,
                                        m_.code.tokens.begin() + body.end);
        if (!may_repeat(tokens, depth + 1)) return false;
        defined = true;
      }
      if (!defined) return false;
    }
    return true;
  }

  [[nodiscard]] bool declares_at(int i, bool in_parentheses) const {
    std::string_view const before = m_.code.text(i - 1);
    if (m_.code.is_word(i - 1)) return before != "return" && before != "else" && before != "delete";
    if (before == "*" || before == "&" || before == ">")
      return m_.code.is_word(i - 2) || m_.code.is(i - 2, ">") ||
             (m_.code.is(i - 2, ",") && !in_parentheses);  // T *a, *b
    return before == "," && !in_parentheses;
  }

  /// Free words of an expression, without keywords, types and functions.
  [[nodiscard]] static std::vector<std::string> words_of(std::string const& expression) {
    std::vector<std::string> out;
    auto stream = lex(expression);
    if (!stream) return out;
    auto const& t = stream->tokens;
    for (std::size_t i = 0; i < t.size(); ++i) {
      if (t[i].kind != TokenKind::kIdentifier || is_builtin_type(t[i].text) || is_cv(t[i].text)) continue;
      if (i > 0 && (t[i - 1].is(".") || t[i - 1].is("->") || t[i - 1].is("::"))) continue;
      if (i + 1 < t.size() && (t[i + 1].is("(") || t[i + 1].is("::") || t[i + 1].is("<"))) continue;
      out.emplace_back(t[i].text);
    }
    return out;
  }

  [[nodiscard]] bool all_visible(std::vector<std::string> const& expressions, int at) const {
    for (auto const& e : expressions)
      for (auto const& word : words_of(e))
        if (!visible(word, at)) return false;
    return true;
  }

  void search(int at, std::vector<std::string> expressions, std::vector<EarlyPoint>& out, int depth) const {
    Index const f = m_.function_of(at);
    if (f == kNone || depth > kDeepest) return;
    int point = -1;
    if (Index const loop = m_.outermost_loop(at); loop != kNone) {
      point = m_.token_at(m_.report.loops[static_cast<std::size_t>(loop)].span.begin);
      if (!m_.begins_block_statement(point)) return;
    } else {
      point = timer_before(at, f);
    }
    if (point >= 0) {
      bool const sound = all_visible(expressions, point) && always_reaches(point, at) &&
                         settled(expressions, point, at) && stands_free(point, f);
      if (sound) out.push_back({point, std::move(expressions)});
      return;
    }
    climb(f, expressions, out, depth);
  }

  /// No condition between `point` and `at`: what is not always called is not registered ahead.
  [[nodiscard]] bool always_reaches(int point, int at) const {
    return std::none_of(
        m_.structure.statements.begin(), m_.structure.statements.end(), [&](Statement const& s) {
          return !s.simple && (m_.code.is(s.range.begin, "if") || m_.code.is(s.range.begin, "switch")) &&
                 s.range.begin >= point && s.range.begin < at && at < s.range.end;
        });
  }

  /// The variables of `expressions` have their values at `point` already.
  [[nodiscard]] bool settled(std::vector<std::string> const& expressions, int point, int at) const {
    for (auto const& e : expressions)
      for (auto const& word : words_of(e))
        for (int i = point; i < at; ++i) {
          bool const given = m_.code.is(i - 1, "&") && (m_.code.is(i - 2, "(") || m_.code.is(i - 2, ","));
          if (m_.code.is(i, word) && m_.is_free_word(i) && (m_.code.is(i + 1, "=") || given)) return false;
        }
    return true;
  }

  /// `point` is not in an open group of NCCL's, in which registration would wait for its end, and no
  /// directive belongs to the statement that begins there.
  [[nodiscard]] bool stands_free(int point, Index f) const {
    int open = 0;
    Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
    for (int i = body.begin; i < point; ++i) {
      if (m_.code.is(i, "ncclGroupStart")) ++open;
      if (m_.code.is(i, "ncclGroupEnd")) --open;
    }
    std::uint32_t const begin = point > 0 ? m_.code.at(point - 1).span().end : 0;
    std::uint32_t const end = m_.code.at(point).offset;
    bool const directive = std::any_of(m_.code.directives.begin(),
                                       m_.code.directives.end(),
                                       [&](Token const& d) { return d.offset >= begin && d.offset < end; });
    return open <= 0 && !directive;
  }

  [[nodiscard]] int timer_before(int at, Index f) const {
    int found = -1;
    for (Call const& c : m_.report.calls) {
      if (c.function != f || c.name != "cudaEventRecord" || !c.macro.empty()) continue;
      int const begin = m_.token_at(c.statement.begin);
      int const open = m_.code.enclosing(begin);
      if (begin < at && m_.begins_block_statement(begin) && at < m_.code.partner(open)) found = begin;
    }
    return found;
  }

  void climb(Index f,
             std::vector<std::string> const& expressions,
             std::vector<EarlyPoint>& out,
             int depth) const {
    Function const& function = m_.function(f);
    auto const& names = function.parameter_names;
    for (auto const& e : expressions) {
      for (auto const& word : words_of(e)) {
        bool const parameter = std::find(names.begin(), names.end(), word) != names.end();
        Range const body = m_.structure.function_tokens[static_cast<std::size_t>(f)].body;
        bool const global = function.scope.empty() && visible(word, body.begin);
        if (!parameter && !global) return;
      }
    }
    for (CallSite const& site : m_.sites_of(f)) {
      std::vector<std::string> there;
      for (auto const& e : expressions) there.push_back(substituted(e, names, site));
      search(site.position, std::move(there), out, depth + 1);
    }
  }

  [[nodiscard]] std::string substituted(std::string const& expression,
                                        std::vector<std::string> const& names,
                                        CallSite const& site) const {
    auto stream = lex(expression);
    if (!stream) return expression;
    std::string out;
    std::uint32_t at = 0;
    auto const& t = stream->tokens;
    for (std::size_t i = 0; i < t.size(); ++i) {
      bool const member = i > 0 && (t[i - 1].is(".") || t[i - 1].is("->") || t[i - 1].is("::"));
      auto const name = std::find(names.begin(), names.end(), t[i].text);
      auto const argument = static_cast<std::size_t>(name - names.begin());
      if (member || t[i].kind != TokenKind::kIdentifier || name == names.end() ||
          argument >= site.args.size())
        continue;
      Range const r = site.args[argument];
      std::string const text = m_.code.text(r);
      bool const plain = r.size() == 1;
      out += expression.substr(at, t[i].offset - at) + (plain ? text : "(" + text + ")");
      at = t[i].span().end;
    }
    return out + expression.substr(at);
  }

  SourceModel const& m_;
};

/// Adds the line `text` before the statement at `token`, indented like it.
inline void insert_before(SourceEdits& edits, SourceModel const& m, int token, std::string const& text) {
  std::uint32_t const at = m.code.at(token).offset;
  std::uint32_t const begin = line_begin(m.source, at);
  std::string const indent = indentation_at(m.source, at);
  bool const alone = m.source.find_first_not_of(" \t", begin) == at;
  if (alone) {
    edits.insert(begin, indent + text + "\n");
  } else {
    edits.insert(at, text + "\n" + indent);
  }
}

}  // namespace cuco::impl
