// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <set>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/redaction.hpp"

namespace cuco {

namespace impl {

inline constexpr std::size_t kShortestSecret = 8;

struct RegisteredSecrets {
  std::mutex mutex{};
  std::set<std::string, std::less<>> values{};
};

CUCO_EVOLVE_INLINE RegisteredSecrets& registered_secrets() {
  static RegisteredSecrets secrets;
  return secrets;
}

CUCO_EVOLVE_INLINE bool names_a_secret(std::string_view variable) {
  constexpr std::array<std::string_view, 7> words{
      "API_KEY", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "ACCESS_KEY"};
  constexpr std::array<std::string_view, 4> places{"_FILE", "_PATH", "_DIR", "_CREDENTIALS"};
  auto const ends_with_place = [&](std::string_view place) { return variable.ends_with(place); };
  return std::any_of(words.begin(),
                     words.end(),
                     [&](std::string_view word) { return variable.find(word) != std::string_view::npos; }) &&
         std::none_of(places.begin(), places.end(), ends_with_place);
}

CUCO_EVOLVE_INLINE bool long_enough_secret(std::string_view value) {
  return value.size() >= kShortestSecret && value.find_first_not_of("0123456789") != std::string_view::npos;
}

/// As a JSON string holds it; some writers escape the slash too.
CUCO_EVOLVE_INLINE std::string json_spelling(std::string_view value, bool slash) {
  std::string out;
  for (char const c : value) {
    if (c == '"' || c == '\\' || (c == '/' && slash)) out += '\\';
    out += c;
  }
  return out;
}

/// As a query or a path of a URL holds it.
CUCO_EVOLVE_INLINE std::string url_spelling(std::string_view value) {
  std::string out;
  for (char const c : value) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      auto const byte = static_cast<unsigned char>(c);
      out += {'%', "0123456789ABCDEF"[byte >> 4U], "0123456789ABCDEF"[byte & 15U]};
    }
  }
  return out;
}

// Longest first, so that a secret that holds another one goes as a whole.
CUCO_EVOLVE_INLINE std::vector<std::string> secret_spellings() {
  std::set<std::string, std::less<>> values;
  {
    auto& known = registered_secrets();
    std::lock_guard const lock(known.mutex);
    values = known.values;
  }
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view const pair = *entry;
    auto const equals = pair.find('=');
    if (equals == std::string_view::npos || !names_a_secret(pair.substr(0, equals))) continue;
    auto const value = pair.substr(equals + 1);
    if (long_enough_secret(value)) values.emplace(value);
  }
  std::set<std::string, std::less<>> spelled = values;
  for (std::string const& value : values) {
    spelled.insert(json_spelling(value, false));
    spelled.insert(json_spelling(value, true));
    spelled.insert(url_spelling(value));
  }
  std::vector<std::string> out(spelled.begin(), spelled.end());
  std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.size() > b.size(); });
  return out;
}

CUCO_EVOLVE_INLINE void redact_with(std::vector<std::string> const& secrets, std::string& text) {
  constexpr std::string_view mark = "[redacted]";
  for (std::string const& secret : secrets)
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + mark.size()))
      text.replace(at, secret.size(), mark);
}

}  // namespace impl

CUCO_EVOLVE_INLINE void register_secret(std::string_view value) {
  if (!impl::long_enough_secret(value)) return;
  auto& known = impl::registered_secrets();
  std::lock_guard const lock(known.mutex);
  known.values.emplace(value);
}

CUCO_EVOLVE_INLINE std::string redact_secrets(std::string text) {
  impl::redact_with(impl::secret_spellings(), text);
  return text;
}

}  // namespace cuco
