// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cuco/core/program.hpp"

namespace cuco {

/// Something that happened in a run, told to every `Observer`.
struct Event {
  enum class Kind : std::uint8_t {
    kRestored,   ///< A resumed run: `program` was stored earlier. All of them, in order, before kStarted.
    kStarted,    ///< The run begins or resumes; `generation` is the first one to do.
    kProposed,   ///< A candidate is about to be evaluated.
    kEvaluated,  ///< `program` has been stored.
    kNewBest,    ///< `program` is better than everything before.
    kMigrated,   ///< `text` says who moved where.
    kSkipped,    ///< A generation made no candidate; `text` says why.
    kStopped,    ///< The run is over; `text` says why.
  };
  Kind kind;
  int generation = 0;
  int generations = 0;               ///< Planned total.
  Program const* program = nullptr;  ///< Valid during the call only.
  Program const* best = nullptr;     ///< Valid during the call only.
  std::string text{};
};

}  // namespace cuco
