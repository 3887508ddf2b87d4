// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cuco/analysis/impl/words.hpp"
#include "cuco/edit/impl/diff_grammar.hpp"
#include "cuco/edit/impl/text_line.hpp"

namespace cuco::impl {

/// What a piece of text seems to be.
struct TextKind {
  enum Kind : std::uint8_t { kEmpty, kCpp, kOther, kProse };
  Kind kind = kEmpty;
  std::string_view name{};  ///< Of another language: "Python", "a diff", …
  bool clearly = false;     ///< C++ beyond doubt, also where nothing else marks the text as code.
};

inline bool is_cpp_label(std::string_view label) {
  static constexpr std::array<std::string_view, 16> kLabels = {"cuda",
                                                               "cu",
                                                               "cuh",
                                                               "cuda-c++",
                                                               "cuda-cpp",
                                                               "cudacpp",
                                                               "cuda_cpp",
                                                               "c++",
                                                               "cpp",
                                                               "cc",
                                                               "cxx",
                                                               "c",
                                                               "h",
                                                               "hpp",
                                                               "hxx",
                                                               "nvcc"};
  return one_of(label, kLabels);
}

/// Tells C++ from what models send in its place. Looks at lines, not at meaning: wrong code is the compiler's
/// to find. O(text).
class TextClassifier {
 public:
  static TextKind classify(std::string_view text, std::string_view label = {}) {
    TextClassifier c;
    for (std::string_view line : split_lines(text)) c.count(trim(line));
    TextKind kind = c.decide(label);
    kind.clearly = kind.kind == TextKind::kCpp && 2 * c.cpp_ >= c.lines_ && c.first_is_cpp_;
    return kind;
  }

 private:
  template <std::size_t N>
  static bool begins(std::string_view line, std::array<std::string_view, N> const& words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return line.starts_with(w); });
  }

  /// Inside a comment anything may stand.
  bool skip_comment(std::string_view line) {
    bool const was = in_comment_;
    std::size_t const slashes = in_comment_ ? std::string_view::npos : line.find("//");
    for (std::size_t at = 0;; at += 2) {
      at = line.find(in_comment_ ? "*/" : "/*", at);
      // What stands after // opens nothing.
      if (at == std::string_view::npos || (!in_comment_ && at > slashes)) break;
      in_comment_ = !in_comment_;
    }
    return was;
  }

  void count(std::string_view line) {
    if (line.empty()) return;
    bool const first = !any_;
    any_ = true;
    bool const comment = skip_comment(line) || line.starts_with("//") || line.starts_with("/*");
    if (comment) {
      ++lines_;
      ++cpp_;
      if (first) first_is_cpp_ = true;
      return;
    }
    static constexpr std::array<std::string_view, 12> kDirectives = {"#include",
                                                                     "#define",
                                                                     "#if",
                                                                     "#else",
                                                                     "#elif",
                                                                     "#endif",
                                                                     "#pragma",
                                                                     "#undef",
                                                                     "#error",
                                                                     "#line",
                                                                     "# include",
                                                                     "# define"};
    static constexpr std::array<std::string_view, 10> kCpp = {"template <",
                                                              "template<",
                                                              "namespace ",
                                                              "__global__",
                                                              "__device__",
                                                              "__host__",
                                                              "__shared__",
                                                              "__constant__",
                                                              "extern \"C\"",
                                                              "static "};
    static constexpr std::array<std::string_view, 11> kPythonHeads = {
        "def ", "class ", "if ", "for ", "while ", "with ", "try:", "else:", "elif ", "except", "async def "};
    static constexpr std::array<std::string_view, 5> kRust = {
        "fn ", "pub fn ", "let mut ", "impl ", "use std::"};
    static constexpr std::array<std::string_view, 5> kScript = {
        "function ", "const ", "let ", "import {", "console."};
    static constexpr std::array<std::string_view, 4> kJava = {
        "public class ", "import java", "public static ", "package com"};
    static constexpr std::array<std::string_view, 2> kGo = {"func ", "package main"};
    static constexpr std::array<std::string_view, 7> kShell = {
        "$ ", "export ", "echo ", "cd ", "nvcc ", "mpirun ", "#!/"};
    bool const ends = line.ends_with(';') || line.ends_with('{') || line.ends_with('}');
    bool const directive = begins(line, kDirectives);
    bool const cpp = directive || begins(line, kCpp) || ends || line.ends_with('\\');
    // What goes on in the next line tells nothing: arguments, tables of numbers.
    bool const goes_on = !cpp && (line.ends_with(',') || line.ends_with('(') || line.ends_with(')'));
    lines_ += goes_on ? 0 : 1;
    cpp_ += cpp ? 1 : 0;
    sure_ += directive || (ends && line.size() > 1 && !line.starts_with('"')) ? 1 : 0;
    directives_ += directive || begins(line, kCpp) ? 1 : 0;
    if (first) first_is_cpp_ = cpp;
    python_ +=
        (begins(line, kPythonHeads) && line.ends_with(':')) ||
                (!ends && (line.starts_with("import ") ||
                           (line.starts_with("from ") && line.find(" import ") != std::string_view::npos)))
            ? 1
            : 0;
    rust_ += begins(line, kRust) ? 1 : 0;
    script_ +=
        (begins(line, kScript) && !line.ends_with("{}")) && line.find("=>") != std::string_view::npos ? 1 : 0;
    script_ += line.starts_with("function ") || line.starts_with("console.") ? 1 : 0;
    java_ += begins(line, kJava) ? 1 : 0;
    go_ += begins(line, kGo) ? 1 : 0;
    shell_ += !ends && begins(line, kShell) ? 1 : 0;
    json_ += line.starts_with('"') || line == "{" || line == "}" || line == "}," || line == "[" ||
                     line == "]" || line == "],"
                 ? 1
                 : 0;
    diff_ += line.starts_with("@@ -") || line.starts_with("diff --git ") ||
                     read_diff_marker(line).kind == DiffMarker::kSearch
                 ? 1
                 : 0;
  }

  [[nodiscard]] TextKind decide(std::string_view label) const {
    if (!any_) return {};
    if (diff_ > 0) return {TextKind::kOther, "a diff"};
    // Directives and CUDA's words are nobody else's.
    if (directives_ > 0 && 4 * cpp_ >= lines_) return {TextKind::kCpp};
    if (python_ > 0 && 2 * python_ > sure_) return {TextKind::kOther, "Python"};
    if (rust_ > 0 && 8 * rust_ >= lines_) return {TextKind::kOther, "Rust"};
    if (java_ > 0) return {TextKind::kOther, "Java"};
    if (go_ > 0) return {TextKind::kOther, "Go"};
    if (script_ > 0 && 8 * script_ >= lines_) return {TextKind::kOther, "JavaScript"};
    if (sure_ == 0 && json_ > 1 && 2 * json_ >= lines_) return {TextKind::kOther, "JSON"};
    if (shell_ > 0 && 2 * shell_ >= lines_) return {TextKind::kOther, "shell"};
    if (cpp_ > 0 && 4 * cpp_ >= lines_) return {TextKind::kCpp};
    return {is_cpp_label(label) && cpp_ > 0 ? TextKind::kCpp : TextKind::kProse};
  }

  std::size_t lines_ = 0, cpp_ = 0, sure_ = 0, directives_ = 0;
  std::size_t python_ = 0, rust_ = 0, script_ = 0, java_ = 0, go_ = 0, shell_ = 0, json_ = 0, diff_ = 0;
  bool any_ = false;
  bool in_comment_ = false;
  bool first_is_cpp_ = false;
};

}  // namespace cuco::impl
