// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Real time, for the runtime itself. Programs are linked so that their clocks and sleeps come to
/// host_clock.hpp instead (`--wrap`); the runtime reaches the C library's through the names below.

#include <unistd.h>

#include <ctime>

extern "C" {
int __real_clock_gettime(clockid_t clock, timespec* time);
int __real_usleep(useconds_t microseconds);
}

namespace cuco::emu::impl {

inline timespec real_clock(clockid_t clock) {
  timespec t{};
  ::__real_clock_gettime(clock, &t);
  return t;
}
inline double real_ms() {
  timespec const t = real_clock(CLOCK_MONOTONIC);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}
inline void real_sleep_us(unsigned microseconds) {
  ::__real_usleep(microseconds);
}

}  // namespace cuco::emu::impl
