// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/statistics.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE double quantile(std::vector<double> values, double q) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  double const position = std::clamp(q, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  auto const below = static_cast<std::size_t>(position);
  std::size_t const above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - static_cast<double>(below)) * (values[above] - values[below]);
}

CUCO_EVOLVE_INLINE double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

CUCO_EVOLVE_INLINE double mean(std::vector<double> const& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

CUCO_EVOLVE_INLINE double standard_deviation(std::vector<double> const& values) {
  if (values.size() < 2) return 0;
  double const center = mean(values);
  double sum = 0;
  for (double x : values) sum += (x - center) * (x - center);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

CUCO_EVOLVE_INLINE double binomial_half_cdf(std::size_t k, std::size_t n) {
  if (k >= n) return 1;
  // In logarithms: 2^-n underflows long before anybody runs out of patience.
  auto const log_n = std::lgamma(static_cast<double>(n) + 1);
  double sum = 0;
  for (std::size_t i = 0; i <= k; ++i)
    sum += std::exp(log_n - std::lgamma(static_cast<double>(i) + 1) -
                    std::lgamma(static_cast<double>(n - i) + 1) - static_cast<double>(n) * std::log(2.0));
  return std::min(sum, 1.0);
}

CUCO_EVOLVE_INLINE Interval median_interval(std::vector<double> values, double confidence) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {nan, nan, 0};
  std::sort(values.begin(), values.end());
  std::size_t const n = values.size();
  // [x(k), x(n+1-k)], counted from 1, covers the median with probability 1 - 2 P(X <= k-1).
  auto covers = [&](std::size_t k) { return 1 - 2 * binomial_half_cdf(k - 1, n); };
  std::size_t k = 1;
  while (2 * (k + 1) <= n && covers(k + 1) >= confidence) ++k;
  return {values[k - 1], values[n - k], std::max(0.0, covers(k))};
}

CUCO_EVOLVE_INLINE Comparison compare_paired(std::vector<double> const& candidate,
                                             std::vector<double> const& incumbent,
                                             Rng& rng,
                                             double confidence,
                                             std::size_t resamples) {
  std::size_t const n = std::min(candidate.size(), incumbent.size());
  Comparison result;
  result.interval = {1, 1, 0};
  if (n == 0 || resamples == 0) return result;
  std::vector<double> ratios(n);
  for (std::size_t i = 0; i < n; ++i) ratios[i] = candidate[i] / incumbent[i];
  result.ratio = median(ratios);
  std::vector<double> medians(resamples);
  std::vector<double> sample(n);
  for (double& resampled : medians) {
    for (double& x : sample) x = ratios[rng.below(n)];
    resampled = median(sample);
  }
  double const tail = (1 - confidence) / 2;
  result.interval = {quantile(medians, tail), quantile(medians, 1 - tail), confidence};
  return result;
}

CUCO_EVOLVE_INLINE bool clearly_worse(std::vector<double> const& times_ms,
                                      double incumbent_ms,
                                      double margin,
                                      double alpha) {
  if (!(incumbent_ms > 0) || times_ms.empty()) return false;
  double const bound = incumbent_ms * (1 + margin);
  auto const below = static_cast<std::size_t>(
      std::count_if(times_ms.begin(), times_ms.end(), [&](double t) { return t <= bound; }));
  return binomial_half_cdf(below, times_ms.size()) <= alpha;
}

}  // namespace cuco
