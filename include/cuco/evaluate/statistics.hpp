// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "cuco/core/rng.hpp"

namespace cuco {

/// A confidence interval. `confidence` is what it really covers, which small samples can make less than was
/// asked.
struct Interval {
  double low = 0;
  double high = 0;
  double confidence = 0;
  [[nodiscard]] bool contains(double x) const { return low <= x && x <= high; }
};

/// The middle value; the mean of the two middle ones for even sizes; NaN for no values.
[[nodiscard]] double median(std::vector<double> values);

/// The value below which a share `q` in [0, 1] of `values` lies, linear between neighbours (Hyndman and Fan
/// type 7, what R and NumPy do). NaN for no values.
[[nodiscard]] double quantile(std::vector<double> values, double q);

[[nodiscard]] double mean(std::vector<double> const& values);
/// With n - 1; 0 for fewer than two values.
[[nodiscard]] double standard_deviation(std::vector<double> const& values);

/// Distribution-free interval of the median from order statistics: the narrowest symmetric pair whose
/// binomial coverage is at least `confidence`, or the whole range with its true coverage when the sample is
/// too small (n < 6 for 95 %). No randomness, no normality: run times have long right tails.
[[nodiscard]] Interval median_interval(std::vector<double> values, double confidence = 0.95);

/// P(X <= k) for X ~ Binomial(n, 1/2).
[[nodiscard]] double binomial_half_cdf(std::size_t k, std::size_t n);

/// How `candidate` compares with `incumbent`.
struct Comparison {
  double ratio = 1;     ///< Median of candidate / incumbent; below 1: the candidate is faster.
  Interval interval{};  ///< Of the ratio, by bootstrap over pairs.
  [[nodiscard]] bool faster() const { return interval.high < 1; }
  [[nodiscard]] bool slower() const { return interval.low > 1; }
};

/// Compares times that were taken in turn (pair i under the same conditions). Values are > 0. Pairs beyond
/// the shorter sample are ignored; with no pair the interval is empty around 1. Deterministic in `rng`.
[[nodiscard]] Comparison compare_paired(std::vector<double> const& candidate,
                                        std::vector<double> const& incumbent,
                                        Rng& rng,
                                        double confidence = 0.95,
                                        std::size_t resamples = 2000);

/// True when further repetitions are pointless: were the candidate's true median at most `incumbent_ms` *
/// (1 + `margin`), this few repetitions below that bound would have probability at most `alpha` (sign test).
[[nodiscard]] bool clearly_worse(std::vector<double> const& times_ms,
                                 double incumbent_ms,
                                 double margin = 0.05,
                                 double alpha = 0.05);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/statistics-inl.hpp"
#endif
