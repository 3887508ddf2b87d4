// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

#include <atomic>

namespace cuco::tool {

/// Set by Ctrl-C and TERM while an `InterruptGuard` lives.
std::atomic<bool>& interrupted();

/// While it lives, Ctrl-C and TERM ask the command to stop: calls of models at once, a run after what is
/// being evaluated. A second one ends the process.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(InterruptGuard const&) = delete;
  InterruptGuard& operator=(InterruptGuard const&) = delete;
  ~InterruptGuard();

 private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
};

}  // namespace cuco::tool
