// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/progress.hpp"

namespace cuco {

/// Shows a run to a person: a bar that is redrawn on a terminal, with a line above it for every new best; a
/// plain line per result elsewhere. Writes to `fd` only and never fails the run.
class ProgressObserver {
 public:
  explicit ProgressObserver(int fd = 2) : ProgressObserver(fd, detect_terminal(fd)) {}
  ProgressObserver(int fd, TerminalStyle style)
      : progress_(std::make_unique<Progress>(fd, style)), live_(style.live) {}

  void on(Event const& event);

 private:
  std::unique_ptr<Progress> progress_;  // a Progress cannot be assigned
  bool live_;
  int done_ = 0;  // completed generations
};

static_assert(explain_observer<ProgressObserver>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/progress_observer-inl.hpp"
#endif
