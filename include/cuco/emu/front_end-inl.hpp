// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/emu/front_end.hpp"
#include "cuco/emu/impl/front_edits.hpp"
#include "cuco/emu/impl/front_kernels.hpp"
#include "cuco/emu/impl/front_refused.hpp"
#include "cuco/emu/impl/front_rewriter.hpp"
#include "cuco/emu/impl/front_tokens.hpp"

namespace cuco {
namespace impl::emulating {

/// The words of a directive: `#`, its name, and the rest as one text.
struct Directive {
  std::string_view name;
  std::string_view rest;
};

CUCO_EVOLVE_INLINE Directive parse_directive(std::string_view text) {
  auto const skip_space = [&](std::size_t i) {
    while (i < text.size() &&
           (text[i] == ' ' || text[i] == '\t' || text[i] == '\\' || text[i] == '\n' || text[i] == '\r'))
      ++i;
    return i;
  };
  std::size_t const begin = skip_space(text.find('#') == std::string_view::npos ? 0 : text.find('#') + 1);
  std::size_t end = begin;
  while (end < text.size() && text[end] >= 'a' && text[end] <= 'z') ++end;
  return {text.substr(begin, end - begin), text.substr(std::min(skip_space(end), text.size()))};
}

/// A macro definition: its parameters and its body, a view into the directive.
struct MacroText {
  std::vector<std::string> parameters{};
  std::string_view body{};
};

CUCO_EVOLVE_INLINE MacroText parse_macro(std::string_view rest) {
  MacroText macro;
  auto const word = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  std::size_t i = 0;
  while (i < rest.size() && word(rest[i])) ++i;
  if (i < rest.size() && rest[i] == '(') {
    std::string current;
    for (++i; i < rest.size() && rest[i] != ')'; ++i) {
      if (word(rest[i])) current += rest[i];
      if (rest[i] == ',') macro.parameters.push_back(std::exchange(current, {}));
    }
    if (!current.empty()) macro.parameters.push_back(std::move(current));
    if (i < rest.size()) ++i;
  }
  macro.body = rest.substr(i);
  return macro;
}

class FrontEnd {
 public:
  FrontEnd(std::string_view source, std::string const& file) : source_(source), file_(file) {}

  Result<EmulatedSource> run() {
    Result<TokenStream> stream = lex(source_, file_);
    if (!stream) return forward_error(std::move(stream));
    if (Status done = sort_tokens(*stream); !done) return forward_error(std::move(done));
    TokenView const view(std::move(code_));
    find_kernels(view, kernels_);
    std::vector<TokenView> bodies;
    for (Macro& macro : macros_) {
      bodies.emplace_back(std::move(macro.tokens));
      find_kernels(bodies.back(), kernels_);
    }
    for (std::size_t i = 0; i < macros_.size(); ++i) {
      std::vector<bool> const conditional(bodies[i].size(), macros_[i].conditional);
      Rewriter rewriter(bodies[i], conditional, {file_, kernels_, edits_, out_, macros_[i].parameters, true});
      if (Status done = rewriter.run(); !done) return forward_error(std::move(done));
    }
    Rewriter rewriter(view, conditional_, {file_, kernels_, edits_, out_, {}, false});
    if (Status done = rewriter.run(); !done) return forward_error(std::move(done));
    out_.text = "#line 1 " + string_literal(file_) + "\n" + edits_.apply(source_);
    return std::move(out_);
  }

 private:
  struct Macro {
    std::vector<Token> tokens;
    std::vector<std::string> parameters;
    bool conditional;
  };

  /// Separates active code from directives, and looks at the directives.
  Status sort_tokens(TokenStream const& stream) {
    int depth = 0;
    bool opening = true;
    for (Token const& token : stream.tokens) {
      if (token.kind != TokenKind::kDirective) {
        opening = opening && !token.active;
        if (!token.active) continue;
        code_.push_back(token);
        conditional_.push_back(depth > 0);
        continue;
      }
      Directive const directive = parse_directive(token.text);
      if (directive.name.substr(0, 2) == "if") ++depth;
      if (directive.name == "endif") --depth;
      if (!token.active) continue;
      Status done{};
      if (directive.name == "include") {
        done = include(token, directive.rest, depth > 0, opening);
      } else {
        opening = opening && directive.name == "pragma";
        if (directive.name == "define") done = define(token, directive.rest, depth > 0);
      }
      if (!done) return done;
    }
    return {};
  }

  Status include(Token const& token, std::string_view rest, bool conditional, bool opening) {
    char const close = rest.empty() ? '\0' : rest[0] == '<' ? '>' : rest[0] == '"' ? '"' : '\0';
    std::size_t const end = close == '\0' ? std::string_view::npos : rest.find(close, 1);
    if (end == std::string_view::npos) return {};
    std::string_view const header = rest.substr(1, end - 1);
    if (RefusedHeader const* entry = refused_header(header); entry != nullptr) {
      std::string const cause =
          "not emulated: " + std::string(entry->what) + " (header " + std::string(header) + ")";
      if (!conditional) return fail_at(ErrorCode::kRefused, file_, token.line, cause);
      edits_.replace(token.span(), "#error " + cause);
    } else if (opening && close == '>') {
      out_.headers.emplace_back(header);
    }
    return {};
  }

  /// Lexes the body of a macro that may hold something to rewrite.
  Status define(Token const& token, std::string_view rest, bool conditional) {
    MacroText macro = parse_macro(rest);
    Result<TokenStream> body = lex(macro.body, file_);
    // A body need not be whole tokens (`#define Q '`); then there is nothing to rewrite in it.
    if (!body) return {};
    auto const base = static_cast<std::uint32_t>(macro.body.data() - source_.data());
    Macro entry{{}, std::move(macro.parameters), conditional};
    for (Token t : body->tokens) {
      t.offset += base;
      t.line = token.line + t.line - 1;
      if (t.kind != TokenKind::kDirective) entry.tokens.push_back(t);
    }
    macros_.push_back(std::move(entry));
    return {};
  }

  std::string_view source_;
  std::string const& file_;
  std::vector<Token> code_{};
  std::vector<bool> conditional_{};
  std::vector<Macro> macros_{};
  KernelTable kernels_{};
  TextEdits edits_{};
  EmulatedSource out_{};
};

}  // namespace impl::emulating

CUCO_EVOLVE_INLINE Result<EmulatedSource> to_emulated_source(std::string_view cuda, std::string const& file) {
  return impl::emulating::FrontEnd(cuda, file).run();
}

}  // namespace cuco
