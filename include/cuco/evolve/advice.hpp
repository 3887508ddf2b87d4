// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace cuco {

/// What an adviser of a run has learned from the programs so far, for the next proposals.
struct Advice {
  std::string recommendations;       ///< Goes to mutators as `MutationContext::recommendations`; may be empty.
  std::optional<double> cost_usd = 0;  ///< Of the calls behind this piece of advice. Empty: unknown.
};

}  // namespace cuco
