// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cuco {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };
constexpr char const* to_string(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
    case LogLevel::kOff: return "off";
  }
  return "off";
}

/// Receives one message without line break. Called by one thread at a time; must not log itself.
using LogSink = std::function<void(LogLevel, std::string_view message)>;

/// Replaces the sink of the whole process and returns the old one. An empty sink stands for the default,
/// which writes `cuco: <level>: <message>` to standard error.
LogSink set_log_sink(LogSink sink);

/// Messages below `level` are dropped. The default is `kWarning`. Returns the old level.
LogLevel set_log_level(LogLevel level);
[[nodiscard]] LogLevel log_level();

/// Logs `message`. Never pass keys, tokens or whole prompts at levels above `kDebug`. Any thread.
void log(LogLevel level, std::string_view message);

inline void log_debug(std::string_view message) {
  log(LogLevel::kDebug, message);
}
inline void log_info(std::string_view message) {
  log(LogLevel::kInfo, message);
}
inline void log_warning(std::string_view message) {
  log(LogLevel::kWarning, message);
}
inline void log_error(std::string_view message) {
  log(LogLevel::kError, message);
}

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/core/log-inl.hpp"
#endif
