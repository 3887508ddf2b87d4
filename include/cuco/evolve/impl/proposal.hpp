// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// What one generation proposed, before anything is known about it. Durable runs write it down before the
/// evaluation starts, so that a restart continues with the same program and never asks the mutator twice.
struct Proposal {
  int generation = 0;
  int seed_slot = -1;     ///< Number of the seed folder in runs with several seeds; -1: the generation's own.
  std::string skipped{};  ///< Why nothing was proposed; empty: `program` is set.
  std::optional<double> cost_usd = 0;  ///< Of a skipped one: what was spent all the same. Empty: unknown.
  Program program{};                   ///< Without results.
  ProgramId duplicate_of{};  ///< An earlier program with the same code, whose results hold for this one too.
  std::string selector_state{};
  std::string mutator_state{};
};

/// JSON for the run directory: everything but `program.code`, which is a file of its own, byte for byte.
/// `run` names the run that the proposal belongs to.
[[nodiscard]] std::string proposal_json(Proposal const& proposal, std::string_view run);

/// Reads what `proposal_json` wrote. Errors: kParse for other text; kConflict for a proposal of another run
/// or when `code` is not the proposed source.
[[nodiscard]] Result<Proposal> proposal_from_json(std::string_view text,
                                                  std::string_view run,
                                                  std::string code);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/impl/proposal-inl.hpp"
#endif
