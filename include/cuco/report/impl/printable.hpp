// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace cuco::impl {

/// One code point of UTF-8 text; `length` 0 where the bytes are no UTF-8.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;
};

inline CodePoint decode_utf8(std::string_view s) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  std::uint32_t const first = byte(0);
  if (first < 0x80) return {first, 1};
  std::size_t const length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || s.size() < length) return {};
  std::uint32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = value << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return {};
  return {value, length};
}

/// Characters that draw nothing of their own, or change what is around them: C1 controls, joiners, marks of
/// writing direction, variation selectors, private use.
constexpr bool is_invisible(std::uint32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || (c >= 0x300 && c < 0x370) || c == 0x61C ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
         (c >= 0xE000 && c < 0xF900) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c >= 0xE0000;
}

constexpr bool is_wide(std::uint32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

/// `s` on one line of valid UTF-8: runs of blanks as one, everything that could steer a terminal or mislead a
/// reader as `\xNN` or `\u{…}`; with `ascii`, all beyond ASCII too.
inline std::string printable(std::string_view s, bool ascii = false) {
  std::string out;
  out.reserve(s.size());
  while (!s.empty()) {
    CodePoint const c = decode_utf8(s);
    std::size_t const length = c.length == 0 ? 1 : c.length;
    if (c.length == 1 && (c.value == ' ' || (c.value >= '\t' && c.value <= '\r'))) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (c.length == 0 || (c.length == 1 && (c.value < 0x20 || c.value == 0x7F))) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(s.front()));
    } else if (is_invisible(c.value) || (ascii && c.length > 1)) {
      out += fmt::format("\\u{{{:x}}}", c.value);
    } else {
      out += s.substr(0, length);
    }
    s.remove_prefix(length);
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// Columns that printable text takes.
inline std::size_t columns_of(std::string_view s) {
  std::size_t out = 0;
  while (!s.empty()) {
    CodePoint const c = decode_utf8(s);
    out += is_wide(c.value) ? 2 : 1;
    s.remove_prefix(c.length == 0 ? 1 : c.length);
  }
  return out;
}

/// The first `columns` columns of printable text.
inline std::string_view clip(std::string_view s, std::size_t columns) {
  std::size_t at = 0;
  std::size_t used = 0;
  while (at < s.size()) {
    CodePoint const c = decode_utf8(s.substr(at));
    used += is_wide(c.value) ? 2 : 1;
    if (used > columns) break;
    at += c.length == 0 ? 1 : c.length;
  }
  return s.substr(0, at);
}

/// Printable text in at most `columns` columns; `...` stands for what was cut off.
inline std::string shorten(std::string_view s, std::size_t columns) {
  if (columns_of(s) <= columns) return std::string(s);
  if (columns <= 3) return std::string(clip(s, columns));
  return std::string(clip(s, columns - 3)) + "...";
}

}  // namespace cuco::impl
