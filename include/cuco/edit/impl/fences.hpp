// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/edit/impl/text_line.hpp"

namespace cuco::impl {

/// A fence line: its character, how many of them, and what follows.
struct FenceLine {
  char mark = 0;
  std::size_t length = 0;  ///< 0: no fence line.
  std::string_view info{};
};

inline FenceLine read_fence_line(std::string_view line) {
  std::string_view s = trim(line);
  // A tag may stand before it, as in <CODE>```cuda.
  if (s.starts_with('<')) {
    std::size_t const close = s.substr(0, 40).find('>');
    if (close != std::string_view::npos) s = trim(s.substr(close + 1));
  }
  if (!s.starts_with("```") && !s.starts_with("~~~")) return {};
  std::size_t const n = std::min(s.find_first_not_of(s[0]), s.size());
  std::string_view const info = trim(s.substr(n));
  // ```code``` on one line is no fence.
  if (s[0] == '`' && info.find('`') != std::string_view::npos) return {};
  return {s[0], n, info};
}

/// A closing fence has nothing behind it but, at most, a closing tag.
inline bool closes(FenceLine const& line, FenceLine const& open) {
  return line.length >= open.length && line.mark == open.mark &&
         (line.info.empty() || line.info.starts_with("</"));
}

/// The first word of what follows an opening fence: "cuda" of "CUDA {.numbered}" and of "cuda:main.cu".
inline std::string fence_label(std::string_view info) {
  while (!info.empty() && (info.front() == '{' || info.front() == '.' || info.front() == ' '))
    info.remove_prefix(1);
  std::string label;
  for (char c : info.substr(0, 64)) {
    if (is_space(c) || c == '{' || c == '}' || c == ':' || c == ',' || c == '(') break;
    label += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return label;
}

/// What follows an opening fence is a word, perhaps with attributes, and no sentence.
inline bool is_fence_info(std::string_view info) {
  std::size_t const blank = info.find_first_of(" \t");
  if (blank == std::string_view::npos) return true;
  std::string_view const rest = trim(info.substr(blank));
  return rest.starts_with('{') || rest.substr(0, 64).find('=') != std::string_view::npos;
}

/// `<TAG>…</TAG>`.
struct Element {
  std::string_view text;
  bool exact_case = true;
};

/// The elements named `tag`, in order: from each closing tag back to the nearest opening one. In any case.
inline std::vector<Element> find_elements(std::string_view reply, std::string_view tag) {
  auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  std::vector<Element> out;
  std::size_t open = std::string_view::npos;  // Where the text begins.
  for (std::size_t at = reply.find('<'); at != std::string_view::npos; at = reply.find('<', at + 1)) {
    bool const closing = at + 1 < reply.size() && reply[at + 1] == '/';
    std::size_t const name = at + (closing ? 2 : 1);
    std::string_view const word = reply.substr(std::min(name, reply.size()), tag.size());
    std::size_t const end = name + tag.size();
    if (word.size() != tag.size() || end >= reply.size() || reply[end] != '>' ||
        !std::equal(
            word.begin(), word.end(), tag.begin(), [&](char a, char b) { return upper(a) == upper(b); }))
      continue;
    if (!closing) {
      open = end + 1;
    } else if (open != std::string_view::npos) {
      out.push_back({reply.substr(open, at - open), word == tag});
      open = std::string_view::npos;
    }
  }
  return out;
}

/// One fenced block of Markdown, as `CodeFence`.
struct Fence {
  std::string label;
  std::string_view text;
  bool closed = true;
};

/// The outermost fenced blocks of `reply`. A fence line with a label inside a block of the same length opens
/// one more, which ends first: models quote whole answers so.
inline std::vector<Fence> find_fences(std::string_view reply) {
  std::vector<Fence> fences;
  FenceLine open;
  std::size_t begin = 0;
  std::size_t inner = 0;  // Fences inside that are as long as the one around them.
  std::size_t at = 0;
  for (std::string_view line : split_lines(reply)) {
    std::size_t const line_begin = at;
    at += line.size();
    FenceLine const fence = read_fence_line(line);
    if (fence.length == 0) continue;
    if (open.length == 0) {
      if (fence.info.starts_with("</")) continue;
      open = fence;
      begin = at;
      inner = 0;
    } else if (fence.mark == open.mark && fence.length >= open.length) {
      bool const opens = !closes(fence, open) && is_fence_info(fence.info);
      if (opens) {
        ++inner;
      } else if (inner > 0) {
        --inner;
      } else {
        fences.push_back({fence_label(open.info), reply.substr(begin, line_begin - begin), true});
        open = {};
      }
    }
  }
  if (open.length != 0) fences.push_back({fence_label(open.info), reply.substr(begin), false});
  return fences;
}

}  // namespace cuco::impl
