// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/added_names.hpp"
#include "cuco/transform/impl/original_words.hpp"
#include "cuco/transform/impl/program_tree.hpp"

namespace cuco::impl::transforming {

/// Judges the preprocessor lines that differ between two programs. Those of the original stay, in their
/// order, except for macros of communication. Headers may be added, and macros with names that nothing uses.
class AddedDirectives {
 public:
  AddedDirectives(SourceModel const& a,
                  SourceModel const& b,
                  OriginalWords const& words,
                  TrustedText const& trusted_before,
                  TrustedText const& trusted)
      : words_(words), trusted_(trusted) {
    for (Token const& d : a.code.directives)
      if (!trusted_before.holds(d.offset)) before_.push_back(read(d));
    for (Token const& d : b.code.directives) {
      if (trusted.holds(d.offset)) continue;
      now_.push_back(read(d));
      if (split_directive(d.text).name.starts_with("include")) last_include_ = d.line;
    }
  }

  /// Empty when all is well.
  [[nodiscard]] std::string problem() const {
    std::size_t i = 0;
    for (Line const& line : now_) {
      std::size_t k = i;
      while (k < before_.size() && !same(before_[k], line)) ++k;
      if (k < before_.size() && all_may_go(i, k)) {
        i = k + 1;
        continue;
      }
      if (auto why = added(line); !why.empty()) return why;
    }
    for (; i < before_.size(); ++i)
      if (!may_go(before_[i]))
        return "the original's line " + std::to_string(before_[i].line) + ", `" + before_[i].text +
               "`, is gone or was changed";
    return {};
  }

 private:
  struct Line {
    std::string text;
    std::string
        normal;  ///< With what the rules rename under its old name, and no arguments of communication.
    WordSet words;
    std::uint32_t line;
    bool by_rules = false;  ///< Names something of the generated text.
  };

  [[nodiscard]] Line read(Token const& d) const {
    DirectiveParts const parts = split_directive(d.text);
    Line out{"#" + parts.name, "#" + parts.name, {}, d.line};
    auto stream = lex(parts.rest);
    if (!stream || parts.name.starts_with("include")) {
      out.text += " " + std::string(trim(parts.rest));
      out.normal = out.text;
      return out;
    }
    auto const& t = stream->tokens;
    auto is = [&](std::size_t i, std::string_view what) { return i < t.size() && t[i].is(what); };
    // `#define F (x)` and `#define F(x)` are different macros.
    bool const joined = t.size() > 1 && t[0].span().end == t[1].offset;
    for (std::size_t i = 0; i < t.size(); ++i) {
      out.text += (joined && i == 1 ? "" : " ") + std::string(t[i].text);
      if (t[i].kind == TokenKind::kIdentifier) out.words.emplace(t[i].text);
    }
    for (std::size_t i = 0; i < t.size(); ++i) {
      out.normal += joined && i == 1 ? "" : " ";
      bool const service = is(i, "device_nccl") && is(i + 1, "::") && i + 2 < t.size();
      if (service) i += 2;
      std::string word(t[i].text);
      bool communicates = find_collective(word) != nullptr;
      bool group = is_group_call(word);
      if (service) {
        out.by_rules = true;
        std::string const old = ProgramTree::renamed(word);
        group = word.ends_with("group_start") || word.ends_with("group_end");
        communicates = old.empty() && !group;
        if (!old.empty()) word = old;
      }
      if (group) word = "ncclSuccess";
      out.normal += communicates ? "@communicate" : word;
      if ((!communicates && !group) || !is(i + 1, "(")) continue;
      for (int depth = 0; i + 1 < t.size();) {  // Its arguments.
        ++i;
        depth += is(i, "(") ? 1 : is(i, ")") ? -1 : 0;
        if (depth == 0) break;
      }
    }
    return out;
  }
  [[nodiscard]] bool same(Line const& a, Line const& b) const {
    if (a.text == b.text) return true;
    if (trusted_.empty() || !b.by_rules || a.normal != b.normal) return false;
    // Nothing that the original's line does not name.
    return std::all_of(b.words.begin(), b.words.end(), [&](std::string const& w) {
      return w == "device_nccl" || has_word(a.words, w) || !words_.uses(w);
    });
  }

  [[nodiscard]] bool all_may_go(std::size_t from, std::size_t to) const {
    for (std::size_t i = from; i < to; ++i)
      if (!may_go(before_[i])) return false;
    return true;
  }
  /// A macro that communicates.
  [[nodiscard]] bool may_go(Line const& line) const {
    if (!line.text.starts_with("#define ")) return false;
    std::string const name = name_of(line.text);
    return words_.is_communicating_macro(name);
  }
  [[nodiscard]] static std::string name_of(std::string const& text) {
    std::size_t const begin = std::min(text.find(' ') + 1, text.size());
    std::size_t end = begin;
    while (end < text.size() && is_identifier_char(text[end])) ++end;
    return text.substr(begin, end - begin);
  }

  [[nodiscard]] std::string added(Line const& line) const {
    auto no = [&](std::string const& why) {
      return "line " + std::to_string(line.line) + ": `" + line.text.substr(0, 120) + "` " + why;
    };
    std::string const& t = line.text;
    std::string const rest =
        t.substr(std::min(t.find(' ') == std::string::npos ? t.size() : t.find(' ') + 1, t.size()));
    if (t.starts_with("#include "))
      return is_allowed_include(rest) ? std::string() : no("may not be included");
    if (t.starts_with("#else") || t.starts_with("#endif")) return {};
    // What they hold is compared together with them, as long as it is not known here which branch is taken.
    if (t.starts_with("#if") || t.starts_with("#elif"))
      return is_of_version(line) ? std::string() : no("may only ask for the version of NCCL or CUDA");
    if (t.starts_with("#pragma unroll") || t.starts_with("#pragma once")) return {};
    if (!t.starts_with("#define ")) return no("may not be added");
    return macro(line, no);
  }

  [[nodiscard]] static bool is_of_version(Line const& line) {
    static constexpr std::array<std::string_view, 5> kWords = {
        "NCCL_VERSION_CODE", "NCCL_VERSION", "CUDART_VERSION", "CUDA_VERSION", "__CUDA_ARCH__"};
    bool any = false;
    for (std::string const& w : line.words) {
      bool const version = std::find(kWords.begin(), kWords.end(), w) != kWords.end();
      any = any || version;
      if (!version && w != "defined") return false;
    }
    return any;
  }

  template <class No>
  [[nodiscard]] std::string macro(Line const& line, No const& no) const {
    std::string const name = name_of(line.text);
    std::string lower;
    for (char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    // Words of headers' own macros, too: MPI_INT may stand for an object of another name.
    bool reserved = name.empty() || name.front() == '_' || is_control_word(name) || is_builtin_type(name) ||
                    is_specifier(name) || is_cv(name) || is_library_function(name) ||
                    is_harmless_keyword(name);
    for (char const* part : {"mpi", "nccl", "cuda", "std", "__"})
      reserved = reserved || lower.find(part) != std::string::npos;
    if (reserved || words_.uses(name)) return no("gives another meaning to a name that is in use");
    if (line.line < last_include_) return no("may change what a header means; put it after the headers");
    std::size_t const at = line.text.find(name) + name.size();
    auto body = lex(std::string_view(line.text).substr(at));
    if (!body) return no("cannot be read");
    std::vector<std::string> parameters;
    int depth = 0;
    bool head = at < line.text.size() && line.text[at] == '(';
    for (Token const& token : body->tokens) {
      std::string const w(token.text);
      if (head) {
        if (token.kind == TokenKind::kIdentifier) parameters.push_back(w);
        head = w != ")";
        continue;
      }
      for (auto [open, close] : {std::pair{"(", ")"}, {"[", "]"}})
        depth += w == open ? 1 : w == close ? -1 : 0;
      if (depth < 0) return no("has brackets that do not balance");
      bool const parameter = std::find(parameters.begin(), parameters.end(), w) != parameters.end();
      bool const sign = w == "{" || w == "}" || w == ";" || w == "=" || w == "++" || w == "--" ||
                        (w.size() > 1 && w.back() == '=' && w != "==" && w != "!=" && w != "<=" && w != ">=");
      if (sign || token.kind == TokenKind::kString) return no("is more than an expression; write a function");
      if (token.kind != TokenKind::kIdentifier || parameter) continue;
      bool const part = is_control_word(w) || is_specifier(w) || is_cv(w) || w.front() == '_' ||
                        (is_harmless_keyword(w) && !is_builtin_type(w) && w != "static_cast" && w != "true" &&
                         w != "false" && w != "nullptr");
      if (part && w != "sizeof") return no("is more than an expression; write a function");
      bool const harmless = is_nccl_name(w) || w == "nccl" || is_harmless_cuda_name(w) || w == "sizeof" ||
                            is_builtin_type(w) || w == "size_t" || words_.is_constant(w) || !words_.uses(w);
      if (!harmless || is_never_added(w) || is_recognised_call(w)) return no("uses " + w);
    }
    return depth == 0 ? std::string() : no("has brackets that do not balance");
  }

  OriginalWords const& words_;
  TrustedText const& trusted_;
  std::vector<Line> before_{}, now_{};
  std::uint32_t last_include_ = 0;
};

}  // namespace cuco::impl::transforming
