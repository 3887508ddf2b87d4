// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <range/v3/range/conversion.hpp>
#include <range/v3/view/transform.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/select/weighted_selector.hpp"

namespace cuco {
namespace impl {

/// Mean of the two middle values when their number is even. `values` must not be empty.
CUCO_EVOLVE_INLINE double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t const n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/// Does not overflow for large |x|.
CUCO_EVOLVE_INLINE double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  double const e = std::exp(x);
  return e / (1 + e);
}

/// The weight of every candidate; see `WeightedSelector`.
CUCO_EVOLVE_INLINE std::vector<double> parent_weights(std::vector<Member const*> const& candidates,
                                                      double lambda) {
  using ranges::to_vector;
  using ranges::views::transform;
  auto const scores = candidates | transform([](Member const* m) { return m->score; }) | to_vector;
  double const middle = median(scores);
  auto const deviations = scores | transform([&](double s) { return std::abs(s - middle); }) | to_vector;
  double const scale = std::max(median(deviations), 1e-6);
  return candidates | transform([&](Member const* m) {
           return sigmoid(lambda * (m->score - middle) / scale) / (1.0 + m->children);
         }) |
         to_vector;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<ProgramId> WeightedSelector::select(Population const& population, Rng& rng) const {
  if (!std::isfinite(lambda))
    return fail(ErrorCode::kInvalidArgument, "weighted: lambda is not a finite number", "use for example 10");
  auto pool = impl::draw_pool(population);
  if (!pool) return forward_error(std::move(pool));
  if (pool->correct) {
    if (auto const candidates = impl::archived(*pool); !candidates.empty())
      return candidates[rng.weighted(impl::parent_weights(candidates, lambda))]->id;
    auto const* best = impl::best_correct(population);
    if (best != nullptr && impl::on_island(population, *best)) return best->id;
  }
  return pool->members[rng.below(pool->members.size())]->id;
}

}  // namespace cuco
