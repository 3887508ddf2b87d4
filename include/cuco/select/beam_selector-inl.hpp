// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/select/beam_selector.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<ProgramId> BeamSelector::select(Population const& population, Rng& /*rng*/) {
  if (beams < 1)
    return fail(
        ErrorCode::kInvalidArgument, "beam_search: beams is " + std::to_string(beams), "use at least 1");
  auto pool = impl::draw_pool(population);
  if (!pool) return forward_error(std::move(pool));
  // With one island there is one beam, stored as a bare id whether or not the draw names the island.
  int const key = population.islands <= 1 ? -1 : population.island;
  auto& parent = parents[key];
  auto const kept = std::find_if(pool->members.begin(), pool->members.end(), [&](Member const* m) {
    return m->id == parent && m->children < beams;
  });
  if (kept == pool->members.end()) parent = impl::best_of(pool->members).id;
  return parent;
}

CUCO_EVOLVE_INLINE std::string BeamSelector::save() const {
  std::string out;
  for (auto const& [island, id] : parents) {
    if (!out.empty()) out += '\n';
    if (island >= 0) out += std::to_string(island) + ' ';
    out += id.value;
  }
  return out;
}

CUCO_EVOLVE_INLINE void BeamSelector::load(std::string_view state) {
  parents.clear();
  while (!state.empty()) {
    auto const end = std::min(state.find('\n'), state.size());
    auto line = state.substr(0, end);
    state.remove_prefix(std::min(end + 1, state.size()));
    int island = -1;
    if (auto const space = line.find(' '); space != std::string_view::npos) {
      auto const [stop, error] = std::from_chars(line.data(), line.data() + space, island);
      if (error != std::errc{} || stop != line.data() + space || island < 0) continue;
      line.remove_prefix(space + 1);
    }
    if (!line.empty()) parents[island] = ProgramId{std::string(line)};
  }
}

}  // namespace cuco
