// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/core/metric.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// A program a run starts from.
struct Seed {
  std::string code;       ///< The whole source file.
  int island = -1;        ///< Where it must live; -1: the lowest island that no other seed asked for.
  std::string name{};     ///< For tables, for example "lsa"; may be empty.
  Attributes metadata{};  ///< Copied to the program.
};

/// The island of every seed, in their order. A wish is always granted; the others fill the islands nobody
/// asked for in ascending order, then the least populated ones.
/// Errors: kInvalidArgument for no seeds, an empty seed, or an island outside [0, islands).
[[nodiscard]] Result<std::vector<int>> place_seeds(std::vector<Seed> const& seeds, int islands);

/// Metadata keys of programs that are copies of another one. Copies are never evaluated.
inline constexpr char const* kIslandCopyKey = "_is_island_copy";
inline constexpr char const* kOriginalIdKey = "_original_program_id";

/// A row of its own for `original` on another island: new id, same code and results, no children.
/// The id names the first original, also for a copy of a copy.
[[nodiscard]] Program copy_to_island(Program const& original, int island);

/// The programs to add so that no island starts empty: a copy of the best correct seed for every island
/// without a seed. Empty when no seed is correct; the first correct children settle the islands then.
[[nodiscard]] std::vector<Program> fill_islands(std::vector<Program> const& seeds, int islands);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/population/seeds-inl.hpp"
#endif
