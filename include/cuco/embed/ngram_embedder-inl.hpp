// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/embed/impl/code_words.hpp"
#include "cuco/embed/ngram_embedder.hpp"

namespace cuco {

namespace impl {

/// Each token as a number. In the shape of a program, names that it chose itself are all one word.
CUCO_EVOLVE_INLINE std::vector<std::uint64_t> token_numbers(std::vector<CodeWord> const& words,
                                                            bool by_shape) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(words.size());
  for (CodeWord const& word : words) {
    // The kind keeps a number apart from a name that is spelled like it.
    std::string text = by_shape ? "shape " : "exact ";
    text += static_cast<char>('a' + static_cast<int>(word.kind));
    if (!by_shape || word.kind != CodeWord::Kind::kName) text += word.text;
    numbers.push_back(hash64(text));
  }
  return numbers;
}

/// Adds weight * sqrt(count) of every run, given by its hash once for each time it occurs, to its place. In
/// units of 1/4096: sums of whole numbers do not depend on their order or on a machine's way to round.
CUCO_EVOLVE_INLINE void add_runs(std::vector<std::uint64_t> runs,
                                 std::int64_t weight,
                                 std::vector<std::int64_t>& places) {
  std::sort(runs.begin(), runs.end());
  for (std::size_t i = 0; i < runs.size();) {
    std::size_t end = i;
    while (end < runs.size() && runs[end] == runs[i]) ++end;
    double const times = std::sqrt(static_cast<double>(end - i));
    auto const value = static_cast<std::int64_t>(std::llround(times * 4096.0)) * weight;
    places[(runs[i] >> 1U) % places.size()] += (runs[i] & 1U) != 0 ? value : -value;
    i = end;
  }
}

/// Every run of 1, 2 and 3 tokens.
CUCO_EVOLVE_INLINE std::vector<std::uint64_t> all_runs(std::vector<std::uint64_t> const& tokens) {
  std::vector<std::uint64_t> runs;
  runs.reserve(3 * tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::uint64_t state = 0x6e6772616dULL;
    for (std::size_t n = 0; n < 3 && i + n < tokens.size(); ++n) {
      state ^= tokens[i + n];
      state = splitmix64(state);
      runs.push_back(state);
    }
  }
  return runs;
}

/// The tokens of one kind that decide how a program runs, each with the two tokens before it: numbers but for
/// 0 and 1, or names of CUDA and its libraries.
CUCO_EVOLVE_INLINE std::vector<std::uint64_t> settings(std::vector<CodeWord> const& words,
                                                       std::vector<std::uint64_t> const& shape,
                                                       CodeWord::Kind kind) {
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != kind || words[i].text == "0" || words[i].text == "1") continue;
    std::uint64_t state = 0x73657474696e67ULL;
    for (std::size_t k = i < 2 ? 0 : i - 2; k <= i; ++k) {
      state ^= shape[k];
      state = splitmix64(state);
    }
    out.push_back(state);
  }
  return out;
}

/// Numbers but for 0 and 1 that a name is given, each with that name: `name = 4`, `name{4}`, `name(4)`,
/// `#define name 4`. In the shape alone, two constants of one value could not be told apart.
CUCO_EVOLVE_INLINE std::vector<std::uint64_t> named_numbers(std::vector<CodeWord> const& words,
                                                            std::vector<std::uint64_t> const& exact) {
  std::vector<std::uint64_t> out;
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i].kind != CodeWord::Kind::kNumber || words[i].text == "0" || words[i].text == "1") continue;
    auto const& before = words[i - 1].text;
    bool const given =
        words[i - 2].kind == CodeWord::Kind::kName && (before == "=" || before == "{" || before == "(");
    bool const defined = words[i - 1].kind == CodeWord::Kind::kName && words[i - 2].text == "define";
    if (!given && !defined) continue;
    std::uint64_t state = 0x6e616d6564ULL;
    for (auto const number : {exact[given ? i - 2 : i - 1], exact[i]}) {
      state ^= number;
      state = splitmix64(state);
    }
    out.push_back(state);
  }
  return out;
}

/// The length of a vector of whole numbers, exact but for the last rounding unless the numbers are huge.
CUCO_EVOLVE_INLINE double length_of(std::vector<std::int64_t> const& places) {
  std::int64_t most = 0;
  for (auto const value : places) most = std::max(most, value < 0 ? -value : value);
  if (static_cast<double>(most) * static_cast<double>(most) * static_cast<double>(places.size()) > 9e18) {
    double squares = 0;
    for (auto const value : places) squares += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(squares);
  }
  std::int64_t squares = 0;
  for (auto const value : places) squares += value * value;
  return std::sqrt(static_cast<double>(squares));
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<Embedding> NgramEmbedder::embed(std::string_view text) const {
  if (dimension_ == 0)
    return fail(ErrorCode::kInvalidArgument, "an embedder of dimension 0", "use the default, 1024");
  std::vector<std::int64_t> places(dimension_, 0);
  auto const words = impl::code_words(text);
  auto const shape = impl::token_numbers(words, true);
  auto const exact = impl::token_numbers(words, false);
  impl::add_runs(impl::all_runs(exact), 1, places);
  impl::add_runs(impl::all_runs(shape), 2, places);
  impl::add_runs(impl::settings(words, shape, impl::CodeWord::Kind::kNumber), 20, places);
  impl::add_runs(impl::settings(words, shape, impl::CodeWord::Kind::kKnown), 10, places);
  impl::add_runs(impl::named_numbers(words, exact), 14, places);
  // Also when all runs cancel out, which takes a dimension of almost nothing.
  if (std::all_of(places.begin(), places.end(), [](auto value) { return value == 0; })) places[0] = 1;
  double const length = impl::length_of(places);
  Embedding out;
  out.values.reserve(dimension_);
  for (auto const value : places)
    out.values.push_back(static_cast<float>(static_cast<double>(value) / length));
  return out;
}

}  // namespace cuco
