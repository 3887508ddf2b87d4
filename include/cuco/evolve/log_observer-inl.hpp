// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/event_text.hpp"
#include "cuco/evolve/log_observer.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE void LogObserver::on(Event const& event) {
  if (event.kind == Event::Kind::kRestored) return;  // the log has it already
  std::time_t const now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char stamp[24] = {};
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ ", &utc);
  auto const written = directory_->append_log(stamp + describe(event));
  if (written || reported_) return;
  reported_ = true;
  log_warning(to_line(written.error()));
}

}  // namespace cuco
