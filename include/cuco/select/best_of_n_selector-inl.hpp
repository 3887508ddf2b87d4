// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <tuple>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/select/best_of_n_selector.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<ProgramId> BestOfNSelector::select(Population const& population,
                                                             Rng& /*rng*/) const {
  auto pool = impl::draw_pool(population);
  if (!pool) return forward_error(std::move(pool));
  auto const& members = pool->members;
  return (*std::min_element(members.begin(),
                            members.end(),
                            [](Member const* a, Member const* b) {
                              return std::tie(a->generation, a->id) < std::tie(b->generation, b->id);
                            }))
      ->id;
}

}  // namespace cuco
