// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "cuco/core/program.hpp"
#include "cuco/population/roster.hpp"

namespace cuco {

/// What the archive does with a newcomer.
struct ArchiveDecision {
  bool admitted = false;
  ProgramId evicted{};  ///< Leaves in exchange; empty when there was room.
};

/// A flat list of the `size` best correct programs of all islands, in the order of `better`.
///
/// The order is total, so the content never depends on who finished first. A program that the archive already
/// has on the same island under other comments or layout is not admitted twice.
[[nodiscard]] ArchiveDecision offer_to_archive(Roster const& roster,
                                               ProgramId const& newcomer,
                                               std::size_t size);

/// Offers `newcomer` and marks the roster accordingly.
ArchiveDecision update_archive(Roster& roster, ProgramId const& newcomer, std::size_t size);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/population/archive-inl.hpp"
#endif
