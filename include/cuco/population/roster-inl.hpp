// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/population/roster.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE void Roster::add(Member member, std::uint64_t code_key) {
  index_.emplace(member.id.value, population_.members.size());
  with_key_[code_key].push_back(keys_.size());
  keys_.push_back(code_key);
  population_.members.push_back(std::move(member));
}

CUCO_EVOLVE_INLINE Member const* Roster::find(ProgramId const& id) const {
  auto const at = index_.find(id.value);
  return at == index_.end() ? nullptr : &population_.members[at->second];
}

CUCO_EVOLVE_INLINE Member* Roster::find(ProgramId const& id) {
  auto const at = index_.find(id.value);
  return at == index_.end() ? nullptr : &population_.members[at->second];
}

CUCO_EVOLVE_INLINE std::uint64_t Roster::code_key(ProgramId const& id) const {
  auto const at = index_.find(id.value);
  return at == index_.end() ? 0 : keys_[at->second];
}

CUCO_EVOLVE_INLINE bool Roster::holds(int island, std::uint64_t code_key) const {
  auto const at = with_key_.find(code_key);
  return at != with_key_.end() && std::any_of(at->second.begin(), at->second.end(), [&](std::size_t i) {
           return population_.members[i].island == island;
         });
}

CUCO_EVOLVE_INLINE std::vector<int> Roster::settled_islands() const {
  std::vector<bool> settled(static_cast<std::size_t>(population_.islands));
  for (auto const& member : population_.members)
    if (member.correct && member.island >= 0 && member.island < population_.islands)
      settled[static_cast<std::size_t>(member.island)] = true;
  std::vector<int> out;
  for (int island = 0; island < population_.islands; ++island)
    if (settled[static_cast<std::size_t>(island)]) out.push_back(island);
  return out;
}

CUCO_EVOLVE_INLINE int Roster::first_unsettled_island() const {
  int expected = 0;
  for (int island : settled_islands()) {
    if (island != expected) return expected;
    ++expected;
  }
  return expected < population_.islands ? expected : -1;
}

CUCO_EVOLVE_INLINE Member const* Roster::best() const {
  return impl::best_correct(population_);
}

}  // namespace cuco
