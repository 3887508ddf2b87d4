// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/lexer.hpp"

namespace cuco::impl {

/// A function of NCCL, CUDA or MPI whose calls mean nothing to the analysis.
inline bool is_plain_service(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kServices = {
      "ncclGet", "cudaGet", "cudaPeek", "cudaSetDevice", "MPI_Abort", "MPI_Get_"};
  return std::any_of(
      kServices.begin(), kServices.end(), [&](std::string_view p) { return name.starts_with(p); });
}

/// The macros of a file that make names of functions out of an argument.
class PastingMacros {
 public:
  /// A `#define` with parameters. Offsets are those of `code_`.
  struct Definition {
    std::string name;
    std::vector<std::string> parameters;
    std::vector<Span> parameter_spans;  ///< One for each parameter.
    Span parentheses;                   ///< Of the parameter list.
    Span name_span;
    Span whole;  ///< The directive.
    std::vector<Token> body;
  };
  /// `prefix##parameter` in a body, or a use of a joiner that comes to the same.
  struct Paste {
    std::string prefix;
    Span span;
  };
  /// Which parameter of a macro ends the name of a function, and where.
  struct Pasted {
    std::size_t parameter = 0;
    std::vector<Paste> pastes;
  };

  PastingMacros(std::string const& code, std::vector<Token> const& tokens) : code_(code) {
    read_macros(tokens);
    find_pasting();
  }
  PastingMacros(PastingMacros const&) = delete;
  PastingMacros& operator=(PastingMacros const&) = delete;

  [[nodiscard]] std::vector<Definition> const& definitions() const { return definitions_; }
  /// All definitions of `name`, in order.
  [[nodiscard]] std::vector<Definition const*> const& of(std::string const& name) const {
    return by_name_.find(name)->second;
  }
  [[nodiscard]] bool defines(std::string const& name) const { return by_name_.count(name) != 0; }
  /// Macro -> the parameter that ends a name.
  [[nodiscard]] std::map<std::string, std::size_t> const& pasting() const { return pasting_; }
  /// Macros that do nothing but join their two arguments.
  [[nodiscard]] bool joins(std::string const& name) const { return joiners_.count(name) != 0; }
  [[nodiscard]] bool any_joins() const { return !joiners_.empty(); }

  static bool worth_it(std::string_view name) {
    static constexpr std::array<std::string_view, 4> kPrefixes = {"nccl", "pnccl", "cuda", "MPI_"};
    return std::any_of(
        kPrefixes.begin(), kPrefixes.end(), [&](std::string_view p) { return name.starts_with(p); });
  }
  static std::optional<std::size_t> parameter(Definition const& d, std::string_view word) {
    auto const at = std::find(d.parameters.begin(), d.parameters.end(), word);
    if (at == d.parameters.end()) return std::nullopt;
    return static_cast<std::size_t>(at - d.parameters.begin());
  }

  /// Nothing when several parameters end names.
  [[nodiscard]] std::optional<Pasted> pasted(Definition const& d) const {
    std::optional<Pasted> out;
    auto note = [&](std::string_view prefix, std::string_view word, Span span) {
      auto const p = parameter(d, word);
      if (!p || !worth_it(prefix) || parameter(d, prefix)) return true;
      if (!out) out = Pasted{*p, {}};
      if (out->parameter != *p) return false;
      out->pastes.push_back({std::string(prefix), span});
      return true;
    };
    for (std::size_t i = 0; i < d.body.size(); ++i) {
      Token const& t = d.body[i];
      if (t.kind != TokenKind::kIdentifier) continue;
      std::size_t const next = after_paste(d.body, i + 1);
      bool const more = next != 0 && after_paste(d.body, next + 1) != 0;
      if (next != 0 && next < d.body.size() && !more &&
          !note(t.text, d.body[next].text, {t.offset, d.body[next].span().end}))
        return std::nullopt;
      bool const join = joiners_.count(std::string(t.text)) != 0 && i + 5 < d.body.size() &&
                        d.body[i + 1].is("(") && d.body[i + 3].is(",") && d.body[i + 5].is(")");
      if (join && !note(d.body[i + 2].text, d.body[i + 4].text, {t.offset, d.body[i + 5].span().end}))
        return std::nullopt;
    }
    return out;
  }

 private:
  /// The tokens of `part` with offsets of the whole.
  [[nodiscard]] std::vector<Token> lex_part(Span part) const {
    std::string_view const view = std::string_view(code_).substr(part.begin, part.size());
    auto stream = lex(view);
    if (!stream) return {};
    for (Token& t : stream->tokens) t.offset += part.begin;
    return std::move(stream->tokens);
  }

  void read_macros(std::vector<Token> const& tokens) {
    for (Token const& t : tokens) {
      if (t.kind != TokenKind::kDirective || !t.active) continue;
      DirectiveParts const d = split_directive(t.text);
      std::string const rest(trim(d.rest));
      if (d.name == "undef") undefined_.insert(rest);
      if (d.name != "define") continue;
      // From behind `define`, so that the first token is the name.
      std::size_t const word = t.text.find("define");
      Span const part{t.offset + static_cast<std::uint32_t>(word + 6), t.span().end};
      std::vector<Token> parts = lex_part(part);
      if (parts.empty() || parts[0].kind != TokenKind::kIdentifier) continue;
      Definition made;
      made.name = parts[0].text;
      made.name_span = parts[0].span();
      made.whole = t.span();
      std::size_t i = 1;
      bool const function_like =
          parts.size() > 1 && parts[1].is("(") && parts[1].offset == parts[0].span().end;
      if (function_like) {
        for (i = 2; i < parts.size() && !parts[i].is(")"); ++i) {
          if (parts[i].is(",")) continue;
          if (parts[i].is(".") && !made.parameters.empty() && made.parameters.back() == ".")
            continue;  // three tokens of an ellipsis
          made.parameters.emplace_back(parts[i].text);
          made.parameter_spans.push_back(parts[i].span());
        }
        if (i == parts.size()) continue;
        made.parentheses = {parts[1].offset, parts[i].span().end};
        ++i;
      }
      made.body.assign(parts.begin() + static_cast<std::ptrdiff_t>(i), parts.end());
      definitions_.push_back(std::move(made));
    }
    for (Definition const& d : definitions_) by_name_[d.name].push_back(&d);
  }

  /// The token after the `##` at `i`, or 0. The operator is one token or two.
  static std::size_t after_paste(std::vector<Token> const& body, std::size_t i) {
    if (i < body.size() && body[i].is("##")) return i + 1;
    bool const two = i + 1 < body.size() && body[i].is("#") && body[i + 1].is("#") &&
                     body[i + 1].offset == body[i].offset + 1;
    return two ? i + 2 : 0;
  }
  /// Whether `d` is `#define J(a, b) a##b`, or passes both on to such a macro.
  [[nodiscard]] bool is_joiner(Definition const& d) const {
    if (d.parameters.size() != 2 || d.body.empty()) return false;
    if (d.body[0].is(d.parameters[0])) {
      std::size_t const next = after_paste(d.body, 1);
      return next != 0 && next + 1 == d.body.size() && d.body[next].is(d.parameters[1]);
    }
    return d.body.size() == 6 && joiners_.count(std::string(d.body[0].text)) != 0 && d.body[1].is("(") &&
           d.body[2].is(d.parameters[0]) && d.body[3].is(",") && d.body[4].is(d.parameters[1]) &&
           d.body[5].is(")");
  }

  void find_pasting() {
    for (int round = 0; round < 2; ++round)
      for (auto const& [name, all] : by_name_)
        if (all.size() == 1 && is_joiner(*all[0])) joiners_.insert(name);
    for (auto const& entry : by_name_) {
      std::string const& name = entry.first;
      auto const& all = entry.second;
      auto const first = pasted(*all[0]);
      bool const same =
          first && undefined_.count(name) == 0 &&
          std::all_of(all.begin(), all.end(), [&](Definition const* d) {
            auto const other = pasted(*d);
            return other && other->parameter == first->parameter && d->parameters == all[0]->parameters;
          });
      bool const rest = same && (all[0]->parameters[first->parameter] == "..." ||
                                 all[0]->parameters[first->parameter] == ".");
      if (same && !rest) pasting_[name] = first->parameter;
    }
  }

  std::string const& code_;
  std::vector<Definition> definitions_{};
  std::map<std::string, std::vector<Definition const*>> by_name_{};
  std::set<std::string> undefined_{};
  std::set<std::string> joiners_{};
  std::map<std::string, std::size_t> pasting_{};
};

}  // namespace cuco::impl
