// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "cuco/analysis/impl/code_key.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/mutate/impl/known_codes.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string KnownCodes::key_of(std::string const& code, std::uint64_t hash) {
  auto const at =
      std::find_if(recent_.begin(), recent_.end(), [&](auto const& r) { return r.first == hash; });
  if (at != recent_.end()) return at->second;
  constexpr std::size_t kRecent = 64;
  if (recent_.size() == kRecent) recent_.pop_front();
  return recent_.emplace_back(hash, code_key(code)).second;
}

CUCO_EVOLVE_INLINE void KnownCodes::follow(std::vector<std::string> const& known) {
  constexpr std::size_t kChecked = 16;
  bool same = known.size() >= read_.size();
  for (std::size_t k = 0; same && k < kChecked && !read_.empty(); ++k) {
    std::size_t const i = k * (read_.size() - 1) / (kChecked - 1);
    same = hash64(known[i]) == read_[i];
  }
  if (!same) {
    read_.clear();
    keys_.clear();
  }
  auto const sorted = static_cast<std::ptrdiff_t>(keys_.size());
  for (std::size_t i = read_.size(); i < known.size(); ++i) {
    read_.push_back(hash64(known[i]));
    keys_.push_back(key_of(known[i], read_.back()));
  }
  std::sort(keys_.begin() + sorted, keys_.end());
  std::inplace_merge(keys_.begin(), keys_.begin() + sorted, keys_.end());
}

CUCO_EVOLVE_INLINE bool KnownCodes::holds(std::string const& code,
                                          std::string const& parent,
                                          std::vector<std::string> const* known) {
  if (known != nullptr) follow(*known);
  auto const key = key_of(code, hash64(code));
  if (key == key_of(parent, hash64(parent))) return true;
  if (known == nullptr) return false;
  return std::binary_search(keys_.begin(), keys_.end(), key);
}

}  // namespace cuco::impl
