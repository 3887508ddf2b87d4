// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/directives/directives.hpp"

/// @file
/// The words in which directives and sites are written, and the values of the dimensions that are
/// enumerations.

namespace cuco::impl {

/// Splits "a=1 b=2" at blanks. A word without '=' has an empty value.
inline std::vector<std::pair<std::string_view, std::string_view>> split_words(std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> words;
  while (!text.empty()) {
    std::size_t const first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) break;
    text.remove_prefix(first);
    std::size_t const end = std::min(text.find_first_of(" \t\r\n"), text.size());
    std::string_view const word = text.substr(0, end);
    text.remove_prefix(end);
    std::size_t const equals = std::min(word.find('='), word.size());
    words.emplace_back(word.substr(0, equals), word.substr(std::min(equals + 1, word.size())));
  }
  return words;
}

template <class E, std::size_t N>
bool parse_name(std::string_view text, std::array<E, N> const& values, E& out) {
  for (E value : values) {
    if (text == to_string(value)) {
      out = value;
      return true;
    }
  }
  return false;
}

template <class N>
bool parse_number(std::string_view text, N& out) {
  N value{};
  auto const [last, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || last != text.data() + text.size() || value < 0) return false;
  out = value;
  return true;
}

inline constexpr std::array kBackends{Backend::kLsa, Backend::kGin};
inline constexpr std::array kAlgorithms{
    Algorithm::kOneShot, Algorithm::kTwoShot, Algorithm::kPush, Algorithm::kPull};
inline constexpr std::array kPlacements{Placement::kDeferred, Placement::kStream, Placement::kFused};
inline constexpr std::array kSyncScopes{SyncScope::kGlobal, SyncScope::kPerBlock, SyncScope::kPerPeer};
inline constexpr std::array kIssuers{Issuer::kThread, Issuer::kWarp, Issuer::kBlock};

}  // namespace cuco::impl
