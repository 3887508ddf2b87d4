// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/impl/inline.hpp"
#include "cuco/select/any_selector.hpp"
#include "cuco/select/beam_selector.hpp"
#include "cuco/select/best_of_n_selector.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/select/weighted_selector.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE std::vector<std::string_view> selector_names() {
  return {PowerLawSelector::name(),
          WeightedSelector::name(),
          BeamSelector::name(),
          BestOfNSelector::name(),
          UniformSelector::name()};
}

CUCO_EVOLVE_INLINE Result<AnySelector> make_selector(std::string_view name, SelectorOptions const& options) {
  if (name == PowerLawSelector::name())
    return AnySelector(
        PowerLawSelector{.alpha = options.alpha, .exploitation_ratio = options.exploitation_ratio});
  if (name == WeightedSelector::name()) return AnySelector(WeightedSelector{.lambda = options.lambda});
  if (name == BeamSelector::name()) return AnySelector(BeamSelector{.beams = options.beams});
  if (name == BestOfNSelector::name()) return AnySelector(BestOfNSelector{});
  if (name == UniformSelector::name()) return AnySelector(UniformSelector{});
  std::string known;
  for (auto known_name : selector_names()) known.append(known.empty() ? "" : ", ").append(known_name);
  return fail(
      ErrorCode::kInvalidArgument, "unknown selector '" + std::string(name) + "'", "use one of " + known);
}

}  // namespace cuco
