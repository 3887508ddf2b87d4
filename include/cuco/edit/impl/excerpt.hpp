// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cuco::impl {

/// Length of the UTF-8 sequence that `s` begins with; 0 where the bytes are no UTF-8 or `s` is empty.
inline std::size_t utf8_length(std::string_view s) {
  if (s.empty()) return 0;
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  if (byte(0) < 0x80) return 1;
  std::size_t const length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) >= 0xA0) ||
      (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) >= 0x90))
    return 0;
  return length;
}

/// At most `most` bytes of `text` for a message: one line of valid UTF-8, `...` where something was cut off.
/// What is no UTF-8, and control characters but tabs, become `?`.
inline std::string excerpt(std::string_view text, std::size_t most = 120) {
  std::string out;
  while (!text.empty()) {
    std::size_t const n = utf8_length(text);
    if (out.size() + (n == 0 ? 1 : n) > most) return out + "...";
    bool const control = n == 1 && ((text[0] >= 0 && text[0] < ' ' && text[0] != '\t') || text[0] == '\x7F');
    if (n == 0 || control) {
      out += '?';
    } else {
      out += text.substr(0, n);
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

}  // namespace cuco::impl
