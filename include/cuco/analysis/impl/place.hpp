// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/impl/paths.hpp"
#include "cuco/analysis/report.hpp"

namespace cuco::impl {

/// A buffer's identity: a variable of a function (`kNone`: a global or a member) and the steps from it.
struct Place {
  Index scope = kNone;
  AccessPath path;
  double confidence = 1.0;
  std::vector<std::string> guesses{};
  int position = -1;  ///< Where it was traced to: a token of the program.

  void doubt(double factor, std::string why) {
    confidence *= factor;
    if (std::find(guesses.begin(), guesses.end(), why) == guesses.end()) guesses.push_back(std::move(why));
  }
};

/// True for the step `[2]`, not for `[2 - i]`.
inline bool is_number_index(std::string const& step) {
  return step.size() > 2 && step.front() == '[' && std::all_of(step.begin() + 1, step.end() - 1, is_digit);
}

/// How two places relate.
enum class Overlap : std::uint8_t { kNo, kMaybe, kYes };

inline Overlap compare_steps(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  Overlap result = Overlap::kYes;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) continue;
    if (a[i].front() != '[' || b[i].front() != '[' || (is_number_index(a[i]) && is_number_index(b[i])))
      return Overlap::kNo;
    result = Overlap::kMaybe;
  }
  // A structure that is passed whole carries the buffers in it.
  return a.size() == b.size() ? result : Overlap::kMaybe;
}

/// Accesses of another variable that may be to the same buffer: those of an object's methods to its member,
/// or those of others to the member of an object.
struct ObjectBuffer {
  std::set<Index> methods;  ///< Accesses of these functions count; all when empty.
  std::string member;       ///< The first member on the way must be this one, when there is any.
  [[nodiscard]] bool admits(std::vector<std::string> const& steps, Index function) const {
    if (!methods.empty()) return methods.count(function) != 0;
    for (std::string const& s : steps)
      if (s.front() == '.') return s == "." + member;
    return true;
  }
};

}  // namespace cuco::impl
