// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/core/event.hpp"

namespace cuco {

/// "restored", "started", "proposed", "evaluated", "new_best", "migrated", "skipped" or "stopped".
[[nodiscard]] char const* to_string(Event::Kind kind);

/// What happened, for people, on one line: program, outcome, time with its origin.
[[nodiscard]] std::string describe(Event const& event);

/// The same for programs: one JSON object on one line, no line break at its end.
[[nodiscard]] std::string to_json(Event const& event);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/event_text-inl.hpp"
#endif
