// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/mutate/impl/ask_model.hpp"

namespace cuco::impl {

inline constexpr std::string_view kSpentKey = "cost-usd: ";

CUCO_EVOLVE_INLINE Spent spent_of(Error const& error) {
  std::string_view rest = error.detail;
  while (!rest.empty()) {
    auto const line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
    if (line.substr(0, kSpentKey.size()) != kSpentKey) continue;
    double usd = 0;
    auto const number = line.substr(kSpentKey.size());
    auto const [stop, fault] = std::from_chars(number.data(), number.data() + number.size(), usd);
    if (fault != std::errc{} || stop != number.data() + number.size()) return {std::nullopt};
    return {usd};
  }
  return {};
}

CUCO_EVOLVE_INLINE Error with_spent(Error error, Spent const& spent) {
  std::string detail;
  std::string_view rest = error.detail;
  while (!rest.empty()) {
    auto const line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
    if (line.substr(0, kSpentKey.size()) != kSpentKey) detail.append(line).push_back('\n');
  }
  if (!spent.usd) {
    detail.append(kSpentKey).append("unknown\n");
  } else if (*spent.usd != 0) {
    char digits[32];
    auto const written = std::to_chars(digits, digits + sizeof digits, *spent.usd);
    detail.append(kSpentKey).append(digits, static_cast<std::size_t>(written.ptr - digits)).push_back('\n');
  }
  error.detail = std::move(detail);
  return error;
}

}  // namespace cuco::impl
