// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cuco/core/program.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/population/inspiration_options.hpp"
#include "cuco/population/roster.hpp"

namespace cuco {

/// What a mutator is shown, in order. No program, and no code, twice; never the parent.
struct Inspirations {
  std::vector<ProgramId> archive{};
  std::vector<ProgramId> top_k{};
};

/// Draws the inspirations for a child of `parent`.
///
/// Archive part: (1) the best program of the run, when `separation` allows it; (2) the best archive members
/// of the parent's island, `elite_ratio` of the total; (3) random archive members of the island; (4) without
/// `separation`, random archive members of any island. Top-k part: the best remaining archive members, of the
/// island under `separation`, of any island without it.
[[nodiscard]] Inspirations pick_inspirations(Roster const& roster,
                                             ProgramId const& parent,
                                             InspirationOptions const& options,
                                             bool separation,
                                             Rng& rng);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/population/inspirations-inl.hpp"
#endif
