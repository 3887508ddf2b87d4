// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace cuco::impl {

/// The programs of a run, comparable but for comments and layout.
///
/// The list it is shown only ever grows, so what it has read of it is kept: each call reads the new codes and
/// checks a few of the old ones, and reads all of them anew when it is shown another list.
class KnownCodes {
 public:
  /// Whether `code` is the same program as `parent` or one of `known` (may be null).
  [[nodiscard]] bool holds(std::string const& code,
                           std::string const& parent,
                           std::vector<std::string> const* known);

 private:
  void follow(std::vector<std::string> const& known);
  /// `code_key(code)`; what was proposed is asked for again when it is known.
  [[nodiscard]] std::string key_of(std::string const& code, std::uint64_t hash);
  std::deque<std::pair<std::uint64_t, std::string>> recent_{};
  std::vector<std::uint64_t> read_{};  ///< Hash of each code that was read.
  std::vector<std::string> keys_{};    ///< Of what was read, sorted.
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/impl/known_codes-inl.hpp"
#endif
