// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>

#include <range/v3/range/conversion.hpp>
#include <range/v3/view/filter.hpp>
#include <range/v3/view/iota.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/population/migration.hpp"

namespace cuco {
namespace impl {

/// Correct members of `island`: best first, or in random order.
CUCO_EVOLVE_INLINE std::vector<Member const*> senders(Population const& population,
                                                      int island,
                                                      bool elitism,
                                                      Rng& rng) {
  std::vector<Member const*> out;
  for (auto const& member : population.members)
    if (member.correct && member.island == island) out.push_back(&member);
  sort_by_rank(out);
  if (!elitism)
    for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[rng.below(i)]);
  return out;
}

CUCO_EVOLVE_INLINE std::vector<Move> plan_copies(Roster const& roster,
                                                 std::vector<std::vector<int>> const& destinations,
                                                 double rate,
                                                 bool elitism,
                                                 Rng& rng) {
  std::vector<Move> moves;
  if (!(rate > 0)) return moves;
  std::set<std::pair<int, std::uint64_t>> arriving;
  for (int from = 0; from < static_cast<int>(destinations.size()); ++from) {
    auto const ranked = senders(roster.population(), from, elitism, rng);
    auto left = std::max(1.0, std::floor(rate * static_cast<double>(ranked.size())));
    for (auto const* member : ranked) {
      if (left < 1) break;
      auto const key = roster.code_key(member->id);
      auto const lacking = destinations[static_cast<std::size_t>(from)] | ranges::views::filter([&](int to) {
                             return to != from && !roster.holds(to, key) && arriving.count({to, key}) == 0;
                           }) |
                           ranges::to_vector;
      if (lacking.empty()) continue;
      int const to = lacking[rng.below(lacking.size())];
      arriving.insert({to, key});
      moves.push_back({member->id, from, to});
      --left;
    }
  }
  return moves;
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::vector<Move> ElitistCopyMigration::plan(Roster const& roster, Rng& rng) const {
  int const islands = roster.population().islands;
  auto const all = ranges::views::iota(0, islands) | ranges::to_vector;
  return impl::plan_copies(
      roster, std::vector<std::vector<int>>(static_cast<std::size_t>(islands), all), rate, elitism, rng);
}

CUCO_EVOLVE_INLINE std::vector<Move> GraphMigration::plan(Roster const& roster, Rng& rng) const {
  return impl::plan_copies(roster, destinations, rate, elitism, rng);
}

}  // namespace cuco
