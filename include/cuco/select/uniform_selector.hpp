// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

/// Every correct program of the island is equally likely. The null hypothesis of the other selectors.
struct UniformSelector {
  [[nodiscard]] Result<ProgramId> select(Population const& population, Rng& rng) const;
  static constexpr std::string_view name() { return "uniform"; }
};

static_assert(explain_selector<UniformSelector>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/select/uniform_selector-inl.hpp"
#endif
