// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "interrupt.hpp"

namespace cuco::tool {
namespace {

std::atomic<bool> flag{false};
void on_interrupt(int) {
  flag.store(true);
}

}  // namespace

std::atomic<bool>& interrupted() {
  return flag;
}

InterruptGuard::InterruptGuard() {
  flag.store(false);
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, &old_int_);
  sigaction(SIGTERM, &action, &old_term_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGTERM, &old_term_, nullptr);
}

}  // namespace cuco::tool
