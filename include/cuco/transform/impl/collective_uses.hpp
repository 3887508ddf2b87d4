// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/names.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// One mention of an NCCL function that must be replaced: a call in the program, a call in the body of one of
/// its macros, or the bare name, for example in a table of functions.
struct NcclUse {
  std::string function;
  Span name;  ///< In the source.
  std::uint32_t line = 0;
  int token = -1;     ///< In the program's code; -1 in a macro.
  std::string macro;  ///< The macro whose body it is in, or "".
  bool is_call = false;
  std::vector<Argument> args;  ///< Of a call.
  [[nodiscard]] CollectiveSignature const* signature() const { return find_collective(function); }
};

/// A macro's body as tokens of the source.
struct MacroBody {
  std::string name;
  std::uint32_t line = 0;
  std::vector<std::string> parameters;
  std::uint32_t begin = 0;  ///< Offset of the body in the source.
  TokenStream stream;       ///< Offsets are relative to `begin`.
};

/// The bodies of all active `#define`s.
inline std::vector<MacroBody> macro_bodies(SourceModel const& m) {
  std::vector<MacroBody> out;
  for (Token const& t : m.code.directives) {
    if (split_directive(t.text).name != "define") continue;
    // As written, so that offsets are those of the source: # define NAME(parameters) body
    std::string_view const text = t.text;
    std::size_t const name = text.find_first_not_of(" \t\\\r\n", text.find("define") + 6);
    if (name == std::string_view::npos) continue;
    std::size_t at = name;
    while (at < text.size() && is_identifier_char(text[at])) ++at;
    MacroBody body;
    body.name = text.substr(name, at - name);
    body.line = t.line;
    if (at < text.size() && text[at] == '(') {
      std::size_t const close = std::min(text.find(')', at), text.size() - 1);
      std::string word;
      for (char c : text.substr(at, close + 1 - at)) {
        if (is_identifier_char(c)) {
          word += c;
        } else if (!word.empty()) {
          body.parameters.push_back(std::exchange(word, {}));
        }
      }
      at = close + 1;
    }
    body.begin = t.offset + static_cast<std::uint32_t>(at);
    auto stream = lex(text.substr(at));
    if (!stream) continue;  // Not code of its own, and so no call.
    body.stream = std::move(*stream);
    out.push_back(std::move(body));
  }
  return out;
}

/// Finds every use of functions whose name `wanted` accepts.
template <class Wanted>
class UseReader {
 public:
  UseReader(SourceModel const& m, std::vector<MacroBody> const& macros, Wanted wanted)
      : m_(m), macros_(macros), wanted_(std::move(wanted)) {}

  /// In source order.
  [[nodiscard]] std::vector<NcclUse> run() {
    for (int i = 0; i < m_.code.size(); ++i) in_code(i);
    for (MacroBody const& body : macros_)
      for (std::size_t i = 0; i < body.stream.tokens.size(); ++i) in_macro(body, i);
    std::sort(out_.begin(), out_.end(), [](NcclUse const& a, NcclUse const& b) {
      return a.name.begin < b.name.begin;
    });
    return std::move(out_);
  }

 private:
  void in_code(int i) {
    if (!m_.code.is_word(i) || !wanted_(m_.code.text(i)) || m_.code.is(i - 1, ".") || m_.code.is(i - 1, "->"))
      return;
    NcclUse use;
    use.function = m_.code.text(i);
    use.name = m_.code.at(i).span();
    use.line = m_.code.at(i).line;
    use.token = i;
    use.is_call = m_.code.is(i + 1, "(");
    if (use.is_call)
      for (Range a : m_.code.split(m_.code.inside(i + 1)))
        use.args.push_back({m_.code.text(a), m_.code.span(a)});
    out_.push_back(std::move(use));
  }

  void in_macro(MacroBody const& body, std::size_t i) {
    auto const& tokens = body.stream.tokens;
    if (tokens[i].kind != TokenKind::kIdentifier || !wanted_(tokens[i].text)) return;
    NcclUse use;
    use.function = tokens[i].text;
    use.name = moved(tokens[i].span(), body.begin);
    use.line = body.line;
    use.macro = body.name;
    use.is_call = i + 1 < tokens.size() && tokens[i + 1].is("(");
    if (use.is_call) use.args = arguments(body, i + 1);
    out_.push_back(std::move(use));
  }

  [[nodiscard]] std::vector<Argument> arguments(MacroBody const& body, std::size_t open) const {
    auto const& tokens = body.stream.tokens;
    std::vector<Argument> out;
    Span span;
    int depth = 0;
    for (std::size_t i = open; i < tokens.size(); ++i) {
      std::string_view const t = tokens[i].text;
      if (t == "(" || t == "[" || t == "{") ++depth;
      if (t == ")" || t == "]" || t == "}") --depth;
      if (depth == 0 || (depth == 1 && t == ",")) {
        out.push_back({std::string(m_.code.source.substr(span.begin, span.size())), span});
        span = {};
        if (depth == 0) break;
      } else if (i != open) {
        Span const here = moved(tokens[i].span(), body.begin);
        span = {span.empty() ? here.begin : span.begin, here.end};
      }
    }
    return out;
  }

  static Span moved(Span s, std::uint32_t by) { return {s.begin + by, s.end + by}; }

  SourceModel const& m_;
  std::vector<MacroBody> const& macros_;
  Wanted wanted_;
  std::vector<NcclUse> out_{};
};

template <class Wanted>
std::vector<NcclUse> find_uses(SourceModel const& m, std::vector<MacroBody> const& macros, Wanted wanted) {
  return UseReader<Wanted>(m, macros, std::move(wanted)).run();
}

}  // namespace cuco::impl
