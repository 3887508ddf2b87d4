// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// `better` for members: correct first, then higher score, then earlier generation, then smaller id.
inline bool better_member(Member const& a, Member const& b) {
  if (a.correct != b.correct) return a.correct;
  if (a.score != b.score) return a.score > b.score;
  if (a.generation != b.generation) return a.generation < b.generation;
  return a.id < b.id;
}

/// The members one draw may return. Pointers into the population.
struct Pool {
  std::vector<Member const*> members{};
  bool correct = false;  ///< All members are correct; otherwise nothing in the population is.
};

inline bool on_island(Population const& population, Member const& member) {
  return population.island < 0 || member.island == population.island;
}

/// Correct members of the island; else correct members of any island; else the island's members; else all.
///
/// An incorrect program is a parent only while nothing is correct anywhere, so that a broken seed on one
/// island cannot hold the whole run.
inline Result<Pool> draw_pool(Population const& population) {
  if (population.members.empty())
    return fail(
        ErrorCode::kInvalidArgument, "cannot select a parent: the population is empty", "add a seed first");
  Pool pool;
  auto collect = [&](auto const& keep) {
    for (auto const& member : population.members)
      if (keep(member)) pool.members.push_back(&member);
    return !pool.members.empty();
  };
  pool.correct = collect([&](Member const& m) { return m.correct && on_island(population, m); }) ||
                 collect([](Member const& m) { return m.correct; });
  if (!pool.correct && !collect([&](Member const& m) { return on_island(population, m); }))
    collect([](Member const&) { return true; });
  return pool;
}

/// The part of `pool` that is in the archive; empty when none is.
inline std::vector<Member const*> archived(Pool const& pool) {
  std::vector<Member const*> out;
  std::copy_if(pool.members.begin(), pool.members.end(), std::back_inserter(out), [](Member const* m) {
    return m->in_archive;
  });
  return out;
}

inline void sort_by_rank(std::vector<Member const*>& members) {
  std::sort(
      members.begin(), members.end(), [](Member const* a, Member const* b) { return better_member(*a, *b); });
}

/// The best of a pool, which is never empty.
inline Member const& best_of(std::vector<Member const*> const& members) {
  return **std::min_element(
      members.begin(), members.end(), [](Member const* a, Member const* b) { return better_member(*a, *b); });
}

/// The best correct member of the whole population, whatever the island; nullptr when nothing is correct.
inline Member const* best_correct(Population const& population) {
  Member const* best = nullptr;
  for (auto const& member : population.members)
    if (member.correct && (best == nullptr || better_member(member, *best))) best = &member;
  return best;
}

}  // namespace cuco::impl
