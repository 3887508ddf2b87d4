// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

/// @file
/// Pearson's chi-square test, enough of it to compare drawn frequencies with a formula.

namespace cuco::testing {

/// Sum over cells of (observed - expected)^2 / expected.
inline double chi_square(std::vector<double> const& observed, std::vector<double> const& probability) {
  double total = 0;
  for (double o : observed) total += o;
  double sum = 0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    double const expected = probability[i] * total;
    sum += (observed[i] - expected) * (observed[i] - expected) / expected;
  }
  return sum;
}

/// The 99.9 % quantile for `cells` cells, by Wilson and Hilferty's approximation.
inline double chi_square_limit(std::size_t cells) {
  double const freedom = static_cast<double>(cells) - 1;
  double const third = 2.0 / (9.0 * freedom);
  double const root = 1 - third + 3.0902 * std::sqrt(third);
  return freedom * root * root * root;
}

}  // namespace cuco::testing
