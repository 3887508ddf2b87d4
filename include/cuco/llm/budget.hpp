// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace cuco {

/// What a run may spend on calls to models. A limit that is not set does not limit.
struct Budget {
  std::optional<double> usd{};
  std::optional<std::int64_t> tokens{};  ///< Input and output together.
};

/// `Budgeted{backend, usd(5)}`
[[nodiscard]] constexpr Budget usd(double limit) {
  return {limit, std::nullopt};
}

/// `Budgeted{backend, tokens(2'000'000)}`
[[nodiscard]] constexpr Budget tokens(std::int64_t limit) {
  return {std::nullopt, limit};
}

/// What has been spent, and what calls that have not returned yet are expected to cost.
struct Spending {
  double usd = 0;
  std::int64_t tokens = 0;
  std::int64_t calls = 0;
  std::int64_t unpriced_calls = 0;  ///< Of `calls`: those whose cost is not known, and not in `usd`.
  double usd_in_flight = 0;
  std::int64_t tokens_in_flight = 0;
  std::int64_t calls_in_flight = 0;
};

}  // namespace cuco
