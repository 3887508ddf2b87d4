// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "cuco/core/impl/inline.hpp"
#include "cuco/population/seeds.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<std::vector<int>> place_seeds(std::vector<Seed> const& seeds, int islands) {
  if (seeds.empty()) return fail(ErrorCode::kInvalidArgument, "a run needs at least one seed program");
  std::vector<int> population(static_cast<std::size_t>(std::max(1, islands)));
  std::vector<int> out(seeds.size(), -1);
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (seeds[i].code.empty())
      return fail(ErrorCode::kInvalidArgument, "seed " + std::to_string(i) + " is empty");
    if (seeds[i].island < 0) continue;
    if (seeds[i].island >= islands)
      return fail(ErrorCode::kInvalidArgument,
                  "seed " + std::to_string(i) + " asks for island " + std::to_string(seeds[i].island) +
                      " of " + std::to_string(islands),
                  "islands count from 0");
    out[i] = seeds[i].island;
    ++population[static_cast<std::size_t>(out[i])];
  }
  for (auto& island : out) {
    if (island >= 0) continue;
    auto const emptiest = std::min_element(population.begin(), population.end());
    island = static_cast<int>(emptiest - population.begin());
    ++*emptiest;
  }
  return out;
}

CUCO_EVOLVE_INLINE Program copy_to_island(Program const& original, int island) {
  Program copy = original;
  auto const root = attribute_or(original.metadata, kOriginalIdKey, original.id.value);
  copy.id.value = root + ".i" + std::to_string(island);
  copy.island = island;
  copy.children_count = 0;
  copy.in_archive = false;
  set_attribute(copy.metadata, kIslandCopyKey, "true");
  set_attribute(copy.metadata, kOriginalIdKey, root);
  return copy;
}

CUCO_EVOLVE_INLINE std::vector<Program> fill_islands(std::vector<Program> const& seeds, int islands) {
  std::vector<Program> out;
  auto const best =
      std::min_element(seeds.begin(), seeds.end(), [](auto const& a, auto const& b) { return better(a, b); });
  if (best == seeds.end() || !best->correct) return out;
  for (int island = 0; island < islands; ++island)
    if (std::none_of(seeds.begin(), seeds.end(), [&](auto const& seed) { return seed.island == island; }))
      out.push_back(copy_to_island(*best, island));
  return out;
}

}  // namespace cuco
