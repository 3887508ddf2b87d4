// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "cuco/core/population.hpp"
#include "cuco/core/program.hpp"

namespace cuco {

/// The members of a run in memory, with the indices that selection, migration and the archive need.
///
/// Keeps the size of the population out of the cost of a generation: nothing is read back from storage.
class Roster {
 public:
  explicit Roster(int islands = 1) { population_.islands = islands; }

  /// Appends `member`. `code_key` is equal for programs that are the same but for comments and layout.
  void add(Member member, std::uint64_t code_key);

  /// All members in insertion order. `island` is what `restrict_to` set last.
  [[nodiscard]] Population const& population() const { return population_; }
  void restrict_to(int island) { population_.island = island; }

  /// The member called `id`, or nullptr. Valid until the next `add`.
  [[nodiscard]] Member const* find(ProgramId const& id) const;
  [[nodiscard]] Member* find(ProgramId const& id);

  /// The key `id` was added with; 0 when there is no such member.
  [[nodiscard]] std::uint64_t code_key(ProgramId const& id) const;

  /// True when `island` has a program with this key, correct or not.
  [[nodiscard]] bool holds(int island, std::uint64_t code_key) const;

  /// Islands with at least one correct program, ascending.
  [[nodiscard]] std::vector<int> settled_islands() const;

  /// The lowest island without a correct program; -1 when every island has one.
  [[nodiscard]] int first_unsettled_island() const;

  /// The best correct member; nullptr when nothing is correct.
  [[nodiscard]] Member const* best() const;

  [[nodiscard]] std::size_t size() const { return population_.members.size(); }

 private:
  Population population_;
  std::vector<std::uint64_t> keys_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> with_key_;  ///< Key -> positions.
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/population/roster-inl.hpp"
#endif
