// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/edit/impl/myers.hpp"

namespace cuco::impl {

inline std::string_view trim_right(std::string_view s) {
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

/// The blanks that `s` begins with.
inline std::string_view indentation(std::string_view s) {
  std::size_t n = 0;
  while (n < s.size() && is_space(s[n])) ++n;
  return s.substr(0, n);
}

/// `\r\n`, `\n` or nothing, at the end of `line`.
inline std::string_view newline_of(std::string_view line) {
  if (!line.ends_with('\n')) return {};
  return line.substr(line.size() - (line.ends_with("\r\n") ? 2 : 1));
}

/// How lines are compared, from strict to lenient.
enum class Match : std::uint8_t {
  kVerbatim,     ///< With their carriage returns.
  kExact,        ///< Without the newline.
  kTrailing,     ///< Without blanks at the end.
  kIndentation,  ///< Without blanks at the end and at the beginning.
};

/// One line of a program or of an edit.
struct TextLine {
  std::string_view text;              ///< Without newline.
  std::string_view newline;           ///< `\r\n`, `\n`, or nothing at the end of a file.
  std::array<std::size_t, 4> hash{};  ///< By `Match`.
  std::uint32_t number = 0;           ///< 1-based line of the source; 0 for what an edit wrote.
  std::uint32_t edit = 0;             ///< 1-based number of the edit that wrote it; 0 for the source's.
  std::int32_t block = -1;            ///< EVOLVE block that it is part of; -1: frozen.
  bool start = false;                 ///< A START marker line; `end` likewise.
  bool end = false;

  [[nodiscard]] bool frozen() const { return block < 0; }
  [[nodiscard]] bool blank() const { return trim(text).empty(); }
};

inline void set_newline(TextLine& line, std::string_view newline) {
  line.newline = newline;
  line.hash[0] = line.hash[1] ^ (newline.size() == 2 ? 0x9e3779b97f4a7c15ULL : 0);
}

/// `line` may end in a newline.
inline TextLine make_line(std::string_view line) {
  TextLine out;
  std::string_view const newline = newline_of(line);
  out.text = line.substr(0, line.size() - newline.size());
  std::hash<std::string_view> const hash;
  out.hash[1] = hash(out.text);
  set_newline(out, newline);
  std::string_view const right = trim_right(out.text);
  out.hash[2] = right.size() == out.text.size() ? out.hash[1] : hash(right);
  std::string_view const both = trim(right);
  out.hash[3] = both.size() == right.size() ? out.hash[2] : hash(both);
  return out;
}

inline std::vector<TextLine> make_lines(std::string_view text) {
  std::vector<TextLine> out;
  for (std::string_view line : split_lines(text)) {
    out.push_back(make_line(line));
    out.back().number = static_cast<std::uint32_t>(out.size());
  }
  return out;
}

inline bool same_line(TextLine const& a, TextLine const& b, Match match) {
  if (a.hash[static_cast<std::size_t>(match)] != b.hash[static_cast<std::size_t>(match)]) return false;
  switch (match) {
    case Match::kVerbatim: return a.text == b.text && (a.newline.size() == 2) == (b.newline.size() == 2);
    case Match::kExact: return a.text == b.text;
    case Match::kTrailing: return trim_right(a.text) == trim_right(b.text);
    case Match::kIndentation: break;
  }
  return trim(a.text) == trim(b.text);
}

/// Where `pattern`, which is not empty, occurs in `text`; overlapping occurrences too. Knuth, Morris and
/// Pratt: O(text + pattern), whatever repeats. Compares hashes, so a hit has to be looked at once more.
inline std::vector<std::size_t> find_lines(std::vector<TextLine> const& text,
                                           std::vector<TextLine> const& pattern,
                                           Match match) {
  std::size_t const level = static_cast<std::size_t>(match);
  std::size_t const n = pattern.size();
  std::vector<std::size_t> hits;
  if (n == 0 || n > text.size()) return hits;
  std::vector<std::size_t> border(n, 0);
  for (std::size_t i = 1, k = 0; i < n; ++i) {
    while (k > 0 && pattern[i].hash[level] != pattern[k].hash[level]) k = border[k - 1];
    if (pattern[i].hash[level] == pattern[k].hash[level]) ++k;
    border[i] = k;
  }
  for (std::size_t i = 0, k = 0; i < text.size(); ++i) {
    while (k > 0 && text[i].hash[level] != pattern[k].hash[level]) k = border[k - 1];
    if (text[i].hash[level] == pattern[k].hash[level]) ++k;
    if (k == n) {
      hits.push_back(i + 1 - n);
      k = border[k - 1];
    }
  }
  return hits;
}

}  // namespace cuco::impl
