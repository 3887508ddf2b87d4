// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/evolution_options.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE IslandOptions EvolutionOptions::island_options() const {
  return {islands, migration_interval, migration_rate, elitism, separation, migration_graph};
}

CUCO_EVOLVE_INLINE InspirationOptions EvolutionOptions::inspiration_options() const {
  return {archive_inspirations, top_k_inspirations, elite_ratio};
}

CUCO_EVOLVE_INLINE Status check(EvolutionOptions const& options) {
  auto bad = [](std::string cause, char const* remedy) {
    return fail(ErrorCode::kInvalidArgument, std::move(cause), remedy);
  };
  if (options.generations < 1)
    return bad("generations is " + std::to_string(options.generations),
               "use at least 1, the seeds' generation");
  if (options.parallel_evaluations < 1)
    return bad("parallel_evaluations is " + std::to_string(options.parallel_evaluations), "use at least 1");
  if (!(options.explore_fraction >= 0 && options.explore_fraction <= 1))
    return bad("explore_fraction is " + std::to_string(options.explore_fraction),
               "use a share between 0 and 1");
  if (!(options.budget_seconds >= 0)) return bad("budget_seconds is negative", "use 0 for no limit");
  if (options.stop_after_stagnant < 0) return bad("stop_after_stagnant is negative", "use 0 for never");
  if (options.stop_after_skips < 1) return bad("stop_after_skips is below 1", "use at least 1");
  if (options.max_attempts < 1) return bad("max_attempts is below 1", "use at least 1");
  if (options.archive_size < 0) return bad("archive_size is negative", "use 0 for no archive");
  if (options.archive_inspirations < 0 || options.top_k_inspirations < 0)
    return bad("the number of inspirations is negative", "use 0 for none");
  if (options.failures_told < 0) return bad("failures_told is negative", "use 0 for none");
  if (!(options.repair_fraction >= 0 && options.repair_fraction <= 1))
    return bad("repair_fraction is " + std::to_string(options.repair_fraction),
               "use a share between 0 and 1");
  if (!(options.elite_ratio >= 0 && options.elite_ratio <= 1))
    return bad("elite_ratio is " + std::to_string(options.elite_ratio), "use a share between 0 and 1");
  return check(options.island_options());
}

}  // namespace cuco
