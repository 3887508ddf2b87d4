// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/population/archive.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE ArchiveDecision offer_to_archive(Roster const& roster,
                                                    ProgramId const& newcomer,
                                                    std::size_t size) {
  auto const* candidate = roster.find(newcomer);
  if (candidate == nullptr || !candidate->correct || candidate->in_archive || size == 0) return {};
  auto const key = roster.code_key(newcomer);
  std::size_t held = 0;
  Member const* worst = nullptr;
  for (auto const& member : roster.population().members) {
    if (!member.in_archive) continue;
    if (member.island == candidate->island && roster.code_key(member.id) == key) return {};
    ++held;
    if (worst == nullptr || impl::better_member(*worst, member)) worst = &member;
  }
  if (held < size) return {true, {}};
  if (!impl::better_member(*candidate, *worst)) return {};
  return {true, worst->id};
}

CUCO_EVOLVE_INLINE ArchiveDecision update_archive(Roster& roster,
                                                  ProgramId const& newcomer,
                                                  std::size_t size) {
  auto decision = offer_to_archive(roster, newcomer, size);
  if (decision.admitted) roster.find(newcomer)->in_archive = true;
  if (!decision.evicted.empty()) roster.find(decision.evicted)->in_archive = false;
  return decision;
}

}  // namespace cuco
