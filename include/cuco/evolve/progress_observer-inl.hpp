// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/event_text.hpp"
#include "cuco/evolve/progress_observer.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE void ProgressObserver::on(Event const& event) {
  using Kind = Event::Kind;
  if (event.kind == Kind::kRestored) return;  // news to nobody
  auto text = describe(event);
  bool const completes = event.kind == Kind::kEvaluated || event.kind == Kind::kSkipped;
  if (event.kind == Kind::kStarted) done_ = event.generation;
  if (completes) done_ = std::max(done_, event.generation + 1);
  auto const done = static_cast<std::size_t>(std::max(0, done_));
  auto const total = static_cast<std::size_t>(std::max(0, event.generations));
  bool const lasting = event.kind == Kind::kNewBest || event.kind == Kind::kStarted;
  if (event.kind == Kind::kStopped) {
    progress_->finish();
    progress_->note(text);
  } else if (live_) {
    if (lasting) progress_->note(text);
    if (event.best != nullptr && !lasting) text += ", best " + impl::time_text(*event.best);
    progress_->update(done, total, text);
  } else if (lasting || completes) {
    progress_->update(done, total, text);
  }
}

}  // namespace cuco
