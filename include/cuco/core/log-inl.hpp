// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdio>
#include <mutex>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"

namespace cuco {

namespace impl {
struct LogState {
  std::mutex mutex;
  LogSink sink;
  std::atomic<LogLevel> level{LogLevel::kWarning};
};

CUCO_EVOLVE_INLINE LogState& log_state() {
  static LogState state;
  return state;
}
}  // namespace impl

CUCO_EVOLVE_INLINE LogSink set_log_sink(LogSink sink) {
  auto& state = impl::log_state();
  std::lock_guard const lock(state.mutex);
  std::swap(state.sink, sink);
  return sink;
}

CUCO_EVOLVE_INLINE LogLevel set_log_level(LogLevel level) {
  return impl::log_state().level.exchange(level);
}

CUCO_EVOLVE_INLINE LogLevel log_level() {
  return impl::log_state().level.load();
}

CUCO_EVOLVE_INLINE void log(LogLevel level, std::string_view message) {
  auto& state = impl::log_state();
  if (level < state.level.load(std::memory_order_relaxed) || level == LogLevel::kOff) return;
  std::lock_guard const lock(state.mutex);
  if (state.sink) {
    state.sink(level, message);
    return;
  }
  // One write per message, so that lines of several processes do not mix.
  std::string line = std::string("cuco: ") + to_string(level) + ": ";
  line += message;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace cuco
