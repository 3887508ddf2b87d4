// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include <range/v3/range/conversion.hpp>
#include <range/v3/view/filter.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/population/inspirations.hpp"

namespace cuco {
namespace impl {

/// Picks members once each, by id and by code.
class Picker {
 public:
  Picker(Roster const& roster, ProgramId const& parent) : roster_(roster) {
    codes_.insert(roster.code_key(parent));
  }

  bool take(Member const& member, std::vector<ProgramId>& into) {
    if (!codes_.insert(roster_.code_key(member.id)).second) return false;
    into.push_back(member.id);
    return true;
  }

  /// Takes from `from` in order until `into` has `total` entries.
  void fill(std::vector<Member const*> const& from, std::vector<ProgramId>& into, std::size_t total) {
    for (auto const* member : from) {
      if (into.size() >= total) return;
      take(*member, into);
    }
  }

 private:
  Roster const& roster_;
  std::set<std::uint64_t> codes_;
};

CUCO_EVOLVE_INLINE void shuffle(std::vector<Member const*>& members, Rng& rng) {
  for (std::size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[rng.below(i)]);
}

}  // namespace impl

CUCO_EVOLVE_INLINE Inspirations pick_inspirations(Roster const& roster,
                                                  ProgramId const& parent,
                                                  InspirationOptions const& options,
                                                  bool separation,
                                                  Rng& rng) {
  Inspirations out;
  auto const* origin = roster.find(parent);
  if (origin == nullptr) return out;
  int const island = origin->island;
  std::vector<Member const*> everywhere;
  for (auto const& member : roster.population().members)
    if (member.in_archive && member.correct) everywhere.push_back(&member);
  impl::sort_by_rank(everywhere);
  auto const here = everywhere | ranges::views::filter([&](Member const* m) { return m->island == island; }) |
                    ranges::to_vector;

  impl::Picker picker(roster, parent);
  auto const total = static_cast<std::size_t>(std::max(0, options.archive));
  auto const elites =
      static_cast<std::size_t>(std::floor(static_cast<double>(total) * std::max(0.0, options.elite_ratio)));
  auto const* best = roster.best();
  if (total > 0 && best != nullptr && (!separation || best->island == island))
    picker.take(*best, out.archive);
  picker.fill(here, out.archive, std::min(total, out.archive.size() + elites));
  auto random = here;
  impl::shuffle(random, rng);
  picker.fill(random, out.archive, total);
  if (!separation) {
    random = everywhere;
    impl::shuffle(random, rng);
    picker.fill(random, out.archive, total);
  }
  picker.fill(
      separation ? here : everywhere, out.top_k, static_cast<std::size_t>(std::max(0, options.top_k)));
  return out;
}

}  // namespace cuco
