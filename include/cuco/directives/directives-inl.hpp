// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/directives/directives.hpp"
#include "cuco/directives/impl/words.hpp"

namespace cuco {

namespace impl {

/// Sets the field called `word`; false when there is no such field, `good` false when the value is wrong.
CUCO_EVOLVE_INLINE bool set_directive(Directives& d,
                                      std::string_view word,
                                      std::string_view value,
                                      bool& good) {
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

CUCO_EVOLVE_INLINE std::string to_string(Directives const& d) {
  std::string out;
  out += std::string("backend=") + to_string(d.backend) + " algorithm=" + to_string(d.algorithm);
  out += std::string(" placement=") + to_string(d.placement) + " sync=" + to_string(d.sync);
  out += std::string(" issuer=") + to_string(d.issuer) + " ctas=" + std::to_string(d.ctas);
  out += " threads=" + std::to_string(d.threads) + " vector_bytes=" + std::to_string(d.vector_bytes);
  out += " unroll=" + std::to_string(d.unroll) + " chunk_bytes=" + std::to_string(d.chunk_bytes);
  out += " contexts=" + std::to_string(d.contexts);
  return out;
}

CUCO_EVOLVE_INLINE Result<Directives> parse_directives(std::string_view text) {
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
