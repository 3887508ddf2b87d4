// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace cuco::emu::impl {

/// Exit codes of an emulated program.
enum ExitCode : int { kDeadlock = 90, kNotEmulated = 91, kIllegalUse = 92, kBadAccess = 93 };

/// Set by the runtime once ranks are known, for messages.
inline int message_rank = -1;

/// Ends the process at once: other ranks may wait for this one, so no destructor or exit handler is run.
[[noreturn]] inline void end_process(int code) {
  fflush_unlocked(stdout);
  fflush_unlocked(stderr);
  _exit(code);
}

inline void print_message(char const* format, va_list list) {
  char text[2048];
  int n = 0;
  if (message_rank >= 0)
    n = std::snprintf(text, sizeof text, "cuco-emu: rank %d: ", message_rank);
  else
    n = std::snprintf(text, sizeof text, "cuco-emu: ");
  int m = std::vsnprintf(text + n, sizeof text - static_cast<std::size_t>(n) - 1, format, list);
  n = m < 0 ? n : (n + m > static_cast<int>(sizeof text) - 2 ? static_cast<int>(sizeof text) - 2 : n + m);
  text[n++] = '\n';
  // One write, so that the lines of several ranks do not mix.
  if (::write(2, text, static_cast<std::size_t>(n)) < 0) return;
}

/// One line on standard error, with the rank.
__attribute__((format(printf, 1, 2))) inline void message(char const* format, ...) {
  va_list list;
  va_start(list, format);
  print_message(format, list);
  va_end(list);
}

[[noreturn]] __attribute__((format(printf, 2, 3))) inline void fatal(int code, char const* format, ...) {
  fflush_unlocked(stdout);
  va_list list;
  va_start(list, format);
  print_message(format, list);
  va_end(list);
  end_process(code);
}

}  // namespace cuco::emu::impl
