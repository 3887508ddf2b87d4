// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/run_directory.hpp"

namespace cuco {

/// Appends a line per event, with date and time, to the log of a run directory. A line that cannot be written
/// is reported once on the process's own log and does not fail the run.
class LogObserver {
 public:
  /// `directory` must outlive the observer.
  explicit LogObserver(RunDirectory const& directory) : directory_(&directory) {}

  void on(Event const& event);

 private:
  RunDirectory const* directory_;
  bool reported_ = false;
};

static_assert(explain_observer<LogObserver>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/log_observer-inl.hpp"
#endif
