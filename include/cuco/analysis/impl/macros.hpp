// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/names.hpp"
#include "cuco/analysis/report.hpp"

namespace cuco::impl {

/// Reads `#include` and `#define` lines.
inline void read_directives(Code const& code, Report& report) {
  for (Token const& t : code.directives) {
    DirectiveParts const d = split_directive(t.text);
    if (d.name == "include" || d.name == "include_next") {
      report.includes.push_back({std::string(trim(d.rest)), t.line, t.span()});
    } else if (d.name == "define") {
      std::string_view const rest = trim(d.rest);
      std::size_t n = 0;
      while (n < rest.size() && is_identifier_char(rest[n])) ++n;
      Macro m;
      m.name = rest.substr(0, n);
      m.line = t.line;
      m.span = t.span();
      if (n < rest.size() && rest[n] == '(') {
        std::size_t const close = std::min(rest.find(')', n), rest.size() - 1);
        m.parameters = rest.substr(n, close + 1 - n);
        n = close + 1;
      }
      m.value = trim(rest.substr(n));
      if (!m.name.empty()) report.macros.push_back(std::move(m));
    }
  }
}

/// Calls that matter also when a macro hides them.
inline bool is_worth_expanding(std::string_view name) {
  return find_collective(name) != nullptr || is_group_call(name) || find_allocator(name) != nullptr ||
         find_copy(name) != nullptr || is_sync_call(name) || name.starts_with("cudaStreamCreate") ||
         name.starts_with("cudaEventCreate") || name.starts_with("ncclComm") ||
         name.starts_with("cudaLaunchKernel") || name == "cudaLaunchCooperativeKernel";
}

/// A token of an expansion, and whether it was written in the macro (or in the arguments of its use).
struct ExpandedToken {
  std::string text;
  bool own;
};

/// Expands the macros of the file that hide communication or launches.
class Macros {
 public:
  explicit Macros(std::vector<Macro> const& macros) {
    for (Macro const& m : macros) {
      auto stream = lex(m.value);
      if (!stream) continue;
      Definition d;
      for (Token const& t : stream->tokens) {
        // A value that begins with `#` lexes as a directive; it hides nothing that matters.
        if (t.kind != TokenKind::kDirective) d.body.emplace_back(t.text);
      }
      d.function_like = !m.parameters.empty();
      std::string parameter;
      for (char c : m.parameters) {
        if (is_identifier_char(c) || c == '.') {
          parameter += c;
        } else if (!parameter.empty()) {
          d.parameters.push_back(std::exchange(parameter, {}));
        }
      }
      definitions_.insert_or_assign(m.name, std::move(d));
    }
    find_interesting();
  }

  /// Macros that begin kernels, respectively loops.
  [[nodiscard]] std::set<std::string, std::less<>> containing(std::string_view a,
                                                              std::string_view b = {}) const {
    std::set<std::string, std::less<>> names;
    for (auto const& [name, d] : definitions_)
      for (std::string const& t : d.body)
        if (t == a || (!b.empty() && t == b)) names.insert(name);
    return names;
  }
  /// True for a use of `name` that hides a collective or a launch.
  [[nodiscard]] bool hides_something(std::string_view name, bool with_arguments) const {
    auto const it = interesting_.find(name);
    return it != interesting_.end() && (with_arguments || !it->second->function_like);
  }
  /// The function that an object-like macro renames, or "".
  [[nodiscard]] std::string alias(std::string_view name) const {
    auto const it = definitions_.find(name);
    if (it == definitions_.end() || it->second.function_like || it->second.body.size() != 1) return {};
    std::string const& target = it->second.body.front();
    return is_recognised_call(target) ? target : std::string();
  }

  /// Expands a use of `name`; empty when it grows too large.
  [[nodiscard]] std::vector<ExpandedToken> expand(std::string_view name,
                                                  std::vector<std::string> const& arguments) const {
    std::vector<ExpandedToken> out = substitute(*interesting_.find(name)->second, arguments, true);
    for (int round = 0; round < kRounds; ++round) {
      bool again = false;
      std::vector<ExpandedToken> next;
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < out.size(); ++i) {
        auto const it = interesting_.find(out[i].text);
        bool const call = i + 1 < out.size() && out[i + 1].text == "(";
        if (it == interesting_.end() || !out[i].own || (it->second->function_like && !call)) {
          next.push_back(std::move(out[i]));
          continue;
        }
        again = true;
        std::vector<std::string> inner;
        if (it->second->function_like) i = read_arguments(out, i + 1, inner);
        for (ExpandedToken& t : substitute(*it->second, inner, true)) {
          bytes += t.text.size();
          next.push_back(std::move(t));
        }
        if (next.size() > kLargest || bytes > kLargestBytes) return {};
      }
      out = std::move(next);
      if (!again) break;
    }
    return out;
  }

 private:
  struct Definition {
    std::vector<std::string> body;
    std::vector<std::string> parameters;
    bool function_like = false;
  };
  static constexpr int kRounds = 8;
  static constexpr std::size_t kLargest = 20000;
  static constexpr std::size_t kLargestBytes = std::size_t{64} * 1024;

  void find_interesting() {
    for (int round = 0; round < kRounds; ++round) {
      bool changed = false;
      for (auto const& [name, d] : definitions_) {
        if (interesting_.count(name) != 0) continue;
        for (std::size_t i = 0; i < d.body.size(); ++i) {
          std::string const& t = d.body[i];
          bool const call = i + 1 < d.body.size() && d.body[i + 1] == "(";
          bool const hit = t == "<<<" || interesting_.count(t) != 0 || (call && is_worth_expanding(t));
          if (!hit) continue;
          interesting_.emplace(name, &d);
          changed = true;
          break;
        }
      }
      if (!changed) return;
    }
  }

  static std::vector<ExpandedToken> substitute(Definition const& d,
                                               std::vector<std::string> const& arguments,
                                               bool own) {
    std::vector<ExpandedToken> out;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < d.body.size(); ++i) {
      std::string const& t = d.body[i];
      if (t == "#") continue;
      std::size_t p = 0;
      bool const rest = t == "__VA_ARGS__" || t == "__VA_OPT__";
      while (p < d.parameters.size() && d.parameters[p] != t && d.parameters[p] != t + "..." &&
             !(rest && d.parameters[p].ends_with("...")))
        ++p;
      if (p == d.parameters.size()) {
        out.push_back({t, own});
        continue;
      }
      std::string text;
      for (std::size_t a = p; a < arguments.size() && (a == p || d.parameters[p].ends_with("...")); ++a)
        text += (a == p ? "" : ", ") + arguments[a];
      bytes += text.size();
      if (bytes > kLargestBytes) return {};
      out.push_back({std::move(text), false});
    }
    return out;
  }

  /// Collects the arguments after the `(` at `open`; returns the index of its `)`.
  static std::size_t read_arguments(std::vector<ExpandedToken> const& tokens,
                                    std::size_t open,
                                    std::vector<std::string>& out) {
    int depth = 0;
    std::string current;
    for (std::size_t i = open; i < tokens.size(); ++i) {
      std::string const& t = tokens[i].text;
      if (t == "(" || t == "[" || t == "{") ++depth;
      if (t == ")" || t == "]" || t == "}") --depth;
      if (depth == 0 || (depth == 1 && t == "," && tokens[i].own)) {
        out.push_back(std::exchange(current, {}));
        if (depth == 0) return i;
        continue;
      }
      if (i != open) current += (current.empty() ? "" : " ") + t;
    }
    return tokens.size();
  }

  std::map<std::string, Definition, std::less<>> definitions_{};
  std::map<std::string, Definition const*, std::less<>> interesting_{};
};

}  // namespace cuco::impl
