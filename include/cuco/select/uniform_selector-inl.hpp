// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/select/uniform_selector.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<ProgramId> UniformSelector::select(Population const& population, Rng& rng) const {
  auto pool = impl::draw_pool(population);
  if (!pool) return forward_error(std::move(pool));
  return pool->members[rng.below(pool->members.size())]->id;
}

}  // namespace cuco
