// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/run_summary.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE double slowest_ms(Program const& program) {
  if (!program.correct) return 0;
  // Without an origin the score is not a time.
  bool const timed = attribute_or(program.metadata, "origin", "none") != "none" && program.combined_score > 0;
  double const fallback = timed ? 10000.0 / program.combined_score - 1.0 : 0.0;
  return metric_or(program.public_metrics, "time_ms", fallback);
}

CUCO_EVOLVE_INLINE double RunSummary::gain() const {
  double const before = slowest_ms(seed);
  double const after = slowest_ms(best);
  return before > 0 && after > 0 ? before / after : 0;
}

CUCO_EVOLVE_INLINE std::string RunSummary::summary() const {
  auto const ended = fmt::format("{} of {} generations, {}", generations_done, generations, reason_text);
  if (best.id.empty()) return fmt::format("no correct program among {}; {}", programs, ended);
  auto const origin = attribute_or(best.metadata, "origin", "none");
  auto out = fmt::format("best {} verified ({}), score {:.6g}",
                         best.id.value,
                         attribute_or(best.metadata, "trust", "self_reported"),
                         best.combined_score);
  if (double const ms = slowest_ms(best); ms > 0)
    out += fmt::format(", slowest rank {:.4g} ms ({})", ms, origin);
  if (double const times = gain(); times > 0) out += fmt::format(", {:.2f}x the seed's speed", times);
  return out + "; " + ended;
}

}  // namespace cuco
