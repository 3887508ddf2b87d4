// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/lambdas.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// A program as the compiler sees it: macros of the program are replaced by what they stand for. Each token
/// knows the token of the program that it comes from: itself, or the name of the macro that brought it.
struct ExpandedProgram {
  std::string source;
  TokenStream stream;
  Code code;
  Structure structure;
  std::unique_ptr<Lambdas> lambdas;
  std::vector<int> origin;  ///< Per token.

  /// The tokens that come from token `i` of the program; empty when nothing does.
  [[nodiscard]] std::vector<int> from(int i) const {
    std::vector<int> out;
    for (std::size_t k = 0; k < origin.size(); ++k)
      if (origin[k] == i) out.push_back(static_cast<int>(k));
    return out;
  }
};

/// Replaces macros. Where a macro has several definitions, `pick` says which of those before the use is
/// taken, counted from the last.
class ProgramExpander {
 public:
  ProgramExpander(SourceModel const& m, std::size_t pick) : m_(m), pick_(pick) {
    for (Macro const& macro : m.report.macros) add(macro);
  }

  /// How many definitions the macro has that has most.
  [[nodiscard]] std::size_t variants() const {
    std::size_t most = 1;
    for (auto const& [name, definitions] : macros_) most = std::max(most, definitions.size());
    return most;
  }

  /// Null when the program cannot be read as a whole.
  [[nodiscard]] std::unique_ptr<ExpandedProgram> run() {
    auto const active =
        static_cast<int>(std::count_if(m_.stream.tokens.begin(), m_.stream.tokens.end(), [](Token const& t) {
          return t.active && t.kind != TokenKind::kDirective;
        }));
    if (active != m_.code.size()) return nullptr;  // Branches of #if were left out.
    Tokens all;
    for (int i = 0; i < m_.code.size(); ++i) all.push_back({std::string(m_.code.text(i)), i});
    Tokens const expanded = expand(all, {});
    if (too_large_) return nullptr;
    auto out = std::make_unique<ExpandedProgram>();
    std::vector<std::uint32_t> offsets;
    for (Piece const& t : expanded) {
      offsets.push_back(static_cast<std::uint32_t>(out->source.size()));
      out->source += t.text;
      out->source += ' ';
    }
    auto stream = lex(out->source);
    if (!stream) return nullptr;
    out->stream = std::move(*stream);
    bool first_branch_only = false;
    auto code = make_code(out->source, out->stream, {}, first_branch_only);
    if (!code || !code->directives.empty()) return nullptr;
    out->code = std::move(*code);
    for (Token const& t : out->code.tokens) {
      auto const at = std::upper_bound(offsets.begin(), offsets.end(), t.offset) - offsets.begin() - 1;
      out->origin.push_back(expanded[static_cast<std::size_t>(at)].origin);
    }
    out->structure = StructureReader(out->code, {}, {}).run();
    out->lambdas = std::make_unique<Lambdas>(out->code, out->structure);
    return out;
  }

 private:
  struct Piece {
    std::string text;
    int origin;
  };
  using Tokens = std::vector<Piece>;
  struct Definition {
    std::uint32_t offset = 0;
    bool function_like = false;
    bool variadic = false;
    std::vector<std::string> parameters{};
    std::vector<std::string> body{};
  };
  static constexpr std::size_t kLargest = 400000;
  static constexpr std::size_t kDeepest = 64;

  void add(Macro const& macro) {
    Definition d{macro.span.begin, !macro.parameters.empty(), false, {}, {}};
    std::string name;
    for (char c : macro.parameters) {
      if (is_identifier_char(c)) name += c;
      if (c == '.') d.variadic = true;
      if ((c == ',' || c == ')') && !name.empty()) d.parameters.push_back(std::exchange(name, {}));
    }
    if (d.variadic && macro.parameters.find("_VA_") == std::string::npos) {
      // `args...` names the rest; a lone `...` is __VA_ARGS__.
      std::size_t const dots = macro.parameters.find("...");
      bool const named = dots > 0 && is_identifier_char(macro.parameters[dots - 1]);
      if (!named) d.parameters.emplace_back("__VA_ARGS__");
    }
    std::string_view value = macro.value;
    while (!value.empty() && value.front() == '#') {
      d.body.emplace_back("#");
      value.remove_prefix(1);
    }
    if (auto stream = lex(value))
      for (Token const& t : stream->tokens) d.body.emplace_back(t.text);
    macros_[macro.name].push_back(std::move(d));
  }

  /// The definition that holds where token `origin` stands.
  [[nodiscard]] Definition const* definition(std::string const& name, int origin) const {
    auto const it = macros_.find(name);
    if (it == macros_.end()) return nullptr;
    std::uint32_t const at = m_.code.at(origin).offset;
    auto const before = static_cast<std::size_t>(std::count_if(
        it->second.begin(), it->second.end(), [&](Definition const& d) { return d.offset < at; }));
    if (before == 0) return nullptr;
    return &it->second[before - 1 - std::min(pick_, before - 1)];
  }

  Tokens expand(Tokens const& in, std::vector<std::string> const& active) {
    Tokens out;
    for (std::size_t i = 0; i < in.size(); ++i) {
      Piece const& t = in[i];
      bool const word = is_identifier_char(t.text.front()) && (t.text.front() < '0' || t.text.front() > '9');
      Definition const* d = word ? definition(t.text, t.origin) : nullptr;
      bool const used = d != nullptr && std::find(active.begin(), active.end(), t.text) == active.end();
      bool const called = i + 1 < in.size() && in[i + 1].text == "(";
      if (!used || (d->function_like && !called)) {
        out.push_back(t);
        continue;
      }
      std::vector<Tokens> arguments;
      std::size_t last = i;
      if (d->function_like) last = read_arguments(in, i + 1, *d, arguments);
      steps_ += d->body.size() + (last - i);
      too_large_ = too_large_ || steps_ > kLargest || active.size() > kDeepest;
      if (too_large_) return out;
      auto inner = active;
      inner.push_back(t.text);
      for (Piece& p : expand(substitute(*d, arguments, t.origin, active), inner)) out.push_back(std::move(p));
      i = last;
    }
    return out;
  }

  /// Returns the index of the `)`.
  static std::size_t read_arguments(Tokens const& in,
                                    std::size_t open,
                                    Definition const& d,
                                    std::vector<Tokens>& out) {
    int depth = 0;
    Tokens current;
    for (std::size_t i = open; i < in.size(); ++i) {
      std::string const& t = in[i].text;
      if (t == "(") ++depth;
      if (t == ")") --depth;
      bool const rest = d.variadic && out.size() + 1 >= d.parameters.size();
      if (depth == 0 || (depth == 1 && t == "," && !rest)) {
        out.push_back(std::exchange(current, {}));
        if (depth == 0) return i;
        continue;
      }
      if (i != open) current.push_back(in[i]);
    }
    return in.size() - 1;
  }

  Tokens substitute(Definition const& d,
                    std::vector<Tokens> const& arguments,
                    int origin,
                    std::vector<std::string> const& active) {
    Tokens out;
    bool paste = false;
    auto put = [&](Piece p) {
      if (std::exchange(paste, false) && !out.empty()) {
        out.back().text += p.text;
      } else {
        out.push_back(std::move(p));
      }
    };
    for (std::size_t i = 0; i < d.body.size(); ++i) {
      std::string const& t = d.body[i];
      bool const hash = t == "#" && d.function_like;
      if (t == "#" && i + 1 < d.body.size() && d.body[i + 1] == "#") {
        paste = true;
        ++i;
        continue;
      }
      if (hash && i + 1 < d.body.size()) {
        put({"\"\"", origin});
        ++i;
        continue;
      }
      auto const p = std::find(d.parameters.begin(), d.parameters.end(), t);
      if (p == d.parameters.end()) {
        put({t, origin});
        continue;
      }
      auto const index = static_cast<std::size_t>(p - d.parameters.begin());
      if (index >= arguments.size()) continue;
      bool const pasted = paste || (i + 2 < d.body.size() && d.body[i + 1] == "#" && d.body[i + 2] == "#");
      Tokens const whole = pasted ? arguments[index] : expand(arguments[index], active);
      for (Piece const& piece : whole) put(piece);
      paste = false;
    }
    return out;
  }

  SourceModel const& m_;
  std::size_t pick_;
  std::map<std::string, std::vector<Definition>, std::less<>> macros_{};
  std::size_t steps_ = 0;
  bool too_large_ = false;
};

}  // namespace cuco::impl
