// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cuco::impl {

/// What `@name@` stands for in a template.
using Substitutions = std::vector<std::pair<std::string, std::string>>;

/// `text` with every `@name@` replaced. A name that is not in `values` stays, so that a test can find it.
/// Values are not searched again.
inline std::string render(std::string_view text, Substitutions const& values) {
  std::string out;
  out.reserve(text.size() * 2);
  for (std::size_t i = 0; i < text.size();) {
    std::size_t const open = text.find('@', i);
    std::size_t const close = open == std::string_view::npos ? open : text.find('@', open + 1);
    if (close == std::string_view::npos) return out += text.substr(i);
    out += text.substr(i, open - i);
    std::string_view const name = text.substr(open + 1, close - open - 1);
    bool found = false;
    for (auto const& [key, value] : values) {
      if (name != key) continue;
      out += value;
      found = true;
      break;
    }
    if (!found) out += text.substr(open, close - open);
    i = found ? close + 1 : close;
  }
  return out;
}

/// Template characters around text that lies one level deeper, as between braces that only some points need.
inline constexpr char kIndent = '\x02';
inline constexpr char kUnindent = '\x03';

/// Applies `kIndent` and `kUnindent`.
inline std::string indented(std::string_view text) {
  std::string out;
  std::size_t depth = 0;
  for (char c : text) {
    if (c == kIndent || c == kUnindent) {
      depth = c == kIndent ? depth + 1 : depth - 1;
      continue;
    }
    bool const line_start = out.empty() || out.back() == '\n';
    if (line_start && c != '\n') out.append(2 * depth, ' ');
    out += c;
  }
  return out;
}

/// `head` with `items` after it, separated by commas, and `tail`, on lines of at most 118 columns; further
/// lines begin below the first item.
inline std::string listed(std::string const& head,
                          std::vector<std::string> const& items,
                          std::string const& tail) {
  constexpr std::size_t kColumns = 118;  // 120 when the text is indented once more
  std::size_t const line_begin = head.rfind('\n') == std::string::npos ? 0 : head.rfind('\n') + 1;
  std::size_t const margin = head.size() - line_begin;
  std::string out = head;
  std::size_t column = margin;
  for (std::size_t i = 0; i < items.size(); ++i) {
    bool const last = i + 1 == items.size();
    std::size_t const width = items[i].size() + (last ? std::min(tail.find('\n'), tail.size()) : 1);
    if (i != 0 && column + 1 + width > kColumns) {
      out += "\n" + std::string(margin, ' ');
      column = margin;
    } else if (i != 0) {
      out += ' ';
      ++column;
    }
    out += items[i] + (last ? "" : ",");
    column += items[i].size() + 1;
  }
  return out + tail;
}

/// Lines of `// ` comments as paragraphs of at most 118 columns; a bare `//` separates paragraphs.
inline std::string wrap_comment(std::string_view text) {
  constexpr std::size_t kColumns = 118;
  std::string out;
  std::string line = "//";
  auto flush = [&] {
    if (line != "//") out += line + "\n";
    line = "//";
  };
  while (!text.empty()) {
    std::size_t const end = text.find('\n');
    std::string_view words = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    words.remove_prefix(words.size() < 2 ? words.size() : 2);
    if (words.find_first_not_of(' ') == std::string_view::npos) {
      flush();
      out += "//\n";
      continue;
    }
    while (!words.empty()) {
      std::size_t const first = words.find_first_not_of(' ');
      if (first == std::string_view::npos) break;
      words.remove_prefix(first);
      std::string_view const word = words.substr(0, words.find(' '));
      if (line.size() + 1 + word.size() > kColumns) flush();
      line += " " + std::string(word);
      words.remove_prefix(word.size());
    }
  }
  flush();
  return out;
}

}  // namespace cuco::impl
