// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "cuco/directives/directives.hpp"

namespace cuco {

namespace impl {

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

/// Sets the field called `word`; false when there is no such field, `good` false when the value is wrong.
inline bool set_directive(Directives& d, std::string_view word, std::string_view value, bool& good) {
  if (word == "backend") return good = parse_name(value, kBackends, d.backend), true;
  if (word == "algorithm") return good = parse_name(value, kAlgorithms, d.algorithm), true;
  if (word == "placement") return good = parse_name(value, kPlacements, d.placement), true;
  if (word == "sync") return good = parse_name(value, kSyncScopes, d.sync), true;
  if (word == "issuer") return good = parse_name(value, kIssuers, d.issuer), true;
  if (word == "ctas") return good = parse_number(value, d.ctas), true;
  if (word == "threads") return good = parse_number(value, d.threads), true;
  if (word == "vector_bytes") return good = parse_number(value, d.vector_bytes), true;
  if (word == "unroll") return good = parse_number(value, d.unroll), true;
  if (word == "chunk_bytes") return good = parse_number(value, d.chunk_bytes), true;
  if (word == "contexts") return good = parse_number(value, d.contexts), true;
  return false;
}

}  // namespace impl

inline std::string to_string(Directives const& d) {
  std::string out;
  out += std::string("backend=") + to_string(d.backend) + " algorithm=" + to_string(d.algorithm);
  out += std::string(" placement=") + to_string(d.placement) + " sync=" + to_string(d.sync);
  out += std::string(" issuer=") + to_string(d.issuer) + " ctas=" + std::to_string(d.ctas);
  out += " threads=" + std::to_string(d.threads) + " vector_bytes=" + std::to_string(d.vector_bytes);
  out += " unroll=" + std::to_string(d.unroll) + " chunk_bytes=" + std::to_string(d.chunk_bytes);
  out += " contexts=" + std::to_string(d.contexts);
  return out;
}

inline Result<Directives> parse_directives(std::string_view text) {
  Directives out;
  std::vector<std::string_view> seen;
  for (auto const& [word, value] : impl::split_words(text)) {
    for (auto earlier : seen)
      if (earlier == word)
        return fail(
            ErrorCode::kParse, "directive '" + std::string(word) + "' is given twice", "keep one of them");
    seen.push_back(word);
    bool good = false;
    if (!impl::set_directive(out, word, value, good))
      return fail(ErrorCode::kParse,
                  "unknown directive '" + std::string(word) + "'",
                  "known ones are: " + to_string(Directives{}));
    if (!good)
      return fail(ErrorCode::kParse,
                  "directive '" + std::string(word) + "' cannot be '" + std::string(value) + "'",
                  "write it as in: " + to_string(Directives{}));
  }
  return out;
}

}  // namespace cuco
