// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/pasting_macros.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/analysis/source_map.hpp"

namespace cuco::impl {

/// Writes out the names of functions that macros paste together, so that everything after sees calls:
/// `#define CALL(f, ...) check(nccl##f(__VA_ARGS__))` with `CALL(Send, p, n)` becomes
/// `#define CALL_Send(...) check(ncclSend(__VA_ARGS__))` with `CALL_Send(p, n)`. A macro of which one use is
/// beyond it (the pasted argument is not a name) stays as it is.
class PastedNames {
 public:
  explicit PastedNames(std::string const& code) : code_(code) {}

  /// A use of a macro that pastes.
  struct Built {
    std::string macro;
    std::string name;  ///< Of the function; empty when only the preprocessor knows.
  };

  /// False when there is nothing to write out. `code` and `map` are then as they were.
  bool write_out(std::string& code, SourceMap& map) {
    if (!read()) return false;
    leave_what_is_beyond();
    specialise();
    if (edits_.empty()) return false;
    apply(code, map);
    return true;
  }

  /// What the program's pasting macros come to, one for each use. Instead of `write_out`.
  [[nodiscard]] std::vector<Built> built() {
    std::vector<Built> out;
    if (!read()) return out;
    for (std::string const& name : beyond_) out.push_back({name, {}});
    for (Use const& use : uses_) {
      if (pasting_.count(use.macro) == 0) continue;
      std::string const word = word_of(use);
      out.push_back({use.macro, word.empty() ? word : prefix_of(use.macro) + word});
    }
    return out;
  }
  /// Whether `built` knows this macro's kind of pasting.
  [[nodiscard]] bool reads(std::string const& macro) const {
    return macros_ && macros_->pasting().count(macro) != 0;
  }

 private:
  /// False without macros that paste.
  bool read() {
    auto stream = lex(code_);
    if (!stream) return false;
    macros_.emplace(code_, stream->tokens);
    pasting_ = macros_->pasting();
    if (pasting_.empty() && !macros_->any_joins()) return false;
    find_uses(stream->tokens);
    return true;
  }

  struct Argument {
    Span span;
    std::string word;  ///< The argument when it is one name, else "".
  };
  struct Use {
    std::string macro;
    Span name;
    Span whole;  ///< Name to closing parenthesis.
    std::vector<Argument> arguments;
    PastingMacros::Definition const* inside = nullptr;  ///< The macro whose body it stands in.
  };
  struct Edit {
    Span span;
    std::string text;
  };

  [[nodiscard]] std::string text(Span s) const { return code_.substr(s.begin, s.size()); }

  void find_uses_in(std::vector<Token> const& tokens, PastingMacros::Definition const* inside) {
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      Token const& t = tokens[i];
      if (t.kind != TokenKind::kIdentifier || !t.active) continue;
      std::string const name(t.text);
      if (pasting_.count(name) == 0 && !macros_->joins(name)) continue;
      if (!tokens[i + 1].is("(")) {
        beyond_.insert(name);
        continue;
      }
      Use use{name, t.span(), {}, {}, inside};
      int depth = 0;
      std::size_t first = i + 2;
      std::size_t j = i + 1;
      for (; j < tokens.size(); ++j) {
        std::string_view const s = tokens[j].text;
        if (s == "(" || s == "[" || s == "{") ++depth;
        bool const ends = (depth == 1 && s == ",") || (depth == 1 && s == ")");
        if (ends) {
          Argument argument;
          if (first < j)
            argument.span = {tokens[first].offset, tokens[j - 1].span().end};
          else
            argument.span = {tokens[j].offset, tokens[j].offset};
          if (first + 1 == j && tokens[first].kind == TokenKind::kIdentifier)
            argument.word = tokens[first].text;
          use.arguments.push_back(std::move(argument));
          first = j + 1;
        }
        if (s == ")" || s == "]" || s == "}") --depth;
        if (depth == 0) break;
      }
      if (j == tokens.size()) {
        beyond_.insert(name);
        continue;
      }
      use.whole = {t.offset, tokens[j].span().end};
      uses_.push_back(std::move(use));
    }
  }
  void find_uses(std::vector<Token> const& tokens) {
    std::vector<Token> text;
    for (Token const& t : tokens)
      if (t.kind != TokenKind::kDirective) text.push_back(t);
    find_uses_in(text, nullptr);
    for (PastingMacros::Definition const& d : macros_->definitions()) find_uses_in(d.body, &d);
  }

  /// The name that a use pastes, or "" when only the preprocessor knows.
  [[nodiscard]] std::string word_of(Use const& use) const {
    std::size_t const p = pasting_.find(use.macro)->second;
    if (p >= use.arguments.size()) return {};
    std::string const& word = use.arguments[p].word;
    if (use.inside != nullptr && PastingMacros::parameter(*use.inside, word)) return {};
    // The argument of `##` is not expanded, but somebody may have meant another macro.
    return !macros_->defines(word) ? word : std::string();
  }
  void leave_what_is_beyond() {
    for (Use const& use : uses_)
      if (pasting_.count(use.macro) != 0 && word_of(use).empty()) beyond_.insert(use.macro);
    for (std::string const& name : beyond_) pasting_.erase(name);
  }

  [[nodiscard]] std::string new_name(std::string const& macro, std::string const& word) const {
    std::string name = macro + "_" + word;
    while (code_.find(name) != std::string::npos) name += "_";
    return name;
  }
  /// Whether the macro is nothing but the pasted name: its uses become that name.
  [[nodiscard]] bool only_name(std::string const& macro) const {
    auto const& all = macros_->of(macro);
    auto const made = all.size() == 1 ? macros_->pasted(*all[0]) : std::nullopt;
    return made && made->pastes.size() == 1 && !all[0]->body.empty() &&
           made->pastes[0].span == Span{all[0]->body.front().offset, all[0]->body.back().span().end};
  }

  void specialise() {
    std::map<std::string, std::set<std::string>> words;
    for (Use const& use : uses_) {
      if (macros_->joins(use.macro)) {
        join(use);
        continue;
      }
      auto const at = pasting_.find(use.macro);
      if (at == pasting_.end()) continue;
      std::string const word = word_of(use);
      if (is_plain_service(prefix_of(use.macro) + word)) {
        kept_.insert(use.macro);
        continue;
      }
      if (only_name(use.macro)) {
        edits_.push_back({use.whole, macros_->pasted(*macros_->of(use.macro)[0])->pastes[0].prefix + word});
        words[use.macro];
        continue;
      }
      words[use.macro].insert(word);
      edits_.push_back({use.name, new_name(use.macro, word)});
      drop(use.arguments, at->second);
    }
    for (auto const& [macro, used] : words) {
      if (only_name(macro)) continue;
      for (PastingMacros::Definition const* d : macros_->of(macro)) {
        std::string all = kept_.count(macro) == 0 ? std::string() : text(d->whole);
        for (std::string const& word : used) all += (all.empty() ? "" : "\n") + specialised(*d, word);
        edits_.push_back({d->whole, all});
        replaced_.push_back(d->whole);
      }
    }
    // Edits inside of a definition that is replaced are part of what replaces it.
    std::erase_if(edits_, [&](Edit const& e) {
      return std::any_of(replaced_.begin(), replaced_.end(), [&](Span s) {
        return s.begin < e.span.begin && e.span.end <= s.end;
      });
    });
  }
  [[nodiscard]] std::string prefix_of(std::string const& macro) const {
    auto const made = macros_->pasted(*macros_->of(macro)[0]);
    return made && !made->pastes.empty() ? made->pastes[0].prefix : std::string();
  }
  /// `JOIN(nccl, Send)` in the text.
  void join(Use const& use) {
    if (use.arguments.size() != 2 || use.arguments[0].word.empty() || use.arguments[1].word.empty()) return;
    if (use.inside != nullptr && (PastingMacros::parameter(*use.inside, use.arguments[0].word) ||
                                  PastingMacros::parameter(*use.inside, use.arguments[1].word)))
      return;
    std::string const name = use.arguments[0].word + use.arguments[1].word;
    if (PastingMacros::worth_it(name)) edits_.push_back({use.whole, name});
  }
  /// Takes argument `p` away with one comma; line breaks stay.
  void drop(std::vector<Argument> const& arguments, std::size_t p) {
    Span span = arguments[p].span;
    if (p + 1 < arguments.size()) {
      span.end = arguments[p + 1].span.begin;
    } else if (p > 0) {
      span.begin = arguments[p - 1].span.end;
    }
    std::string kept;
    for (char c : text(span))
      if (c == '\n') kept += c;
    // Within a directive a line break needs its backslash.
    if (!kept.empty() && text(span).find('\\') != std::string::npos) return;
    edits_.push_back({span, kept});
  }

  /// The text of `d` with `word` for the parameter that it pastes.
  [[nodiscard]] std::string specialised(PastingMacros::Definition const& d, std::string const& word) const {
    std::size_t const p = pasting_.find(d.name)->second;
    std::vector<Edit> edits = {{d.name_span, new_name(d.name, word)}};
    Span parameter_span = d.parameter_spans[p];
    if (p + 1 < d.parameters.size()) {
      parameter_span.end = d.parameter_spans[p + 1].begin;
    } else if (p > 0) {
      parameter_span.begin = d.parameter_spans[p - 1].end;
    }
    edits.push_back({parameter_span, ""});
    auto const made = macros_->pasted(d);
    for (PastingMacros::Paste const& paste : made->pastes) edits.push_back({paste.span, paste.prefix + word});
    for (std::size_t i = 0; i < d.body.size(); ++i) {
      Token const& t = d.body[i];
      bool const inside =
          std::any_of(made->pastes.begin(), made->pastes.end(), [&](PastingMacros::Paste const& paste) {
            return paste.span.begin <= t.offset && t.offset < paste.span.end;
          });
      if (inside || !t.is(d.parameters[p])) continue;
      bool const text = i > 0 && d.body[i - 1].is("#") &&
                        (i < 2 || !d.body[i - 2].is("#") || d.body[i - 2].offset + 1 != d.body[i - 1].offset);
      if (text)
        edits.push_back({{d.body[i - 1].offset, t.span().end}, '"' + word + '"'});
      else
        edits.push_back({t.span(), word});
    }
    std::sort(
        edits.begin(), edits.end(), [](Edit const& a, Edit const& b) { return a.span.begin < b.span.begin; });
    std::string out;
    std::uint32_t done = d.whole.begin;
    for (Edit const& e : edits) {
      out += code_.substr(done, e.span.begin - done) + e.text;
      done = e.span.end;
    }
    return out + code_.substr(done, d.whole.end - done);
  }

  void apply(std::string& code, SourceMap& map) {
    std::sort(edits_.begin(), edits_.end(), [](Edit const& a, Edit const& b) {
      return a.span.begin < b.span.begin;
    });
    std::string out;
    std::vector<std::uint32_t> origin = {1};  // old line of each new line
    std::uint32_t line = 1;
    auto copy = [&](std::string_view part) {
      out += part;
      for (char c : part)
        if (c == '\n') origin.push_back(++line);
    };
    std::uint32_t done = 0;
    for (Edit const& e : edits_) {
      copy(std::string_view(code_).substr(done, e.span.begin - done));
      std::string const old = text(e.span);
      auto const lines = static_cast<std::uint32_t>(std::count(old.begin(), old.end(), '\n'));
      std::uint32_t const start = line;
      out += e.text;
      // Each copy of a definition has the lines of the one it was made of.
      std::uint32_t at = 0;
      for (char c : e.text)
        if (c == '\n') origin.push_back(start + (lines == 0 ? 0 : ++at % (lines + 1)));
      line = start + lines;
      done = e.span.end;
    }
    copy(std::string_view(code_).substr(done));
    SourceMap made;
    made.files = map.empty() ? std::vector<std::string>{std::string()} : map.files;
    for (std::uint32_t i = 0; i < origin.size(); ++i) {
      SourcePlace const place = map.locate(origin[i]);
      auto const file = static_cast<std::uint32_t>(
          std::find(made.files.begin(), made.files.end(), place.file) - made.files.begin());
      bool const goes_on = !made.segments.empty() && made.segments.back().file == file &&
                           made.segments.back().line + (i + 1 - made.segments.back().first) == place.line;
      if (!goes_on) made.segments.push_back({i + 1, file, place.line});
    }
    code = std::move(out);
    map = std::move(made);
  }

  std::string const code_;
  std::optional<PastingMacros> macros_{};
  std::map<std::string, std::size_t> pasting_{};  ///< Of `macros_`, without those that stay.
  std::set<std::string> beyond_{};
  std::set<std::string> kept_{};  ///< Macros that are still used under their own name.
  std::vector<Use> uses_{};
  std::vector<Edit> edits_{};
  std::vector<Span> replaced_{};
};

}  // namespace cuco::impl
