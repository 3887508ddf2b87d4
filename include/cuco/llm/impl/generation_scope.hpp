// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "cuco/core/event.hpp"

namespace cuco::impl {

/// Which generation calls to models belong to, told by a run's events, so that a call has the same name in a
/// run and in the same run killed and resumed. Without events there is one scope for all.
class GenerationScope {
 public:
  /// True when the scope changes.
  bool on(Event const& event) {
    int next = current_;
    switch (event.kind) {
      case Event::Kind::kStarted: next = std::max(0, event.generation); break;
      // What follows is about the next generation. Events about earlier ones may come late.
      case Event::Kind::kProposed:
      case Event::Kind::kSkipped: next = std::max(current_, event.generation + 1); break;
      default: break;
    }
    bool const changed = next != current_;
    current_ = next;
    return changed;
  }
  /// "g7" while generation 7 is being proposed; empty outside of a run.
  [[nodiscard]] std::string name() const {
    return current_ < 0 ? std::string() : "g" + std::to_string(current_);
  }

 private:
  int current_ = -1;
};

}  // namespace cuco::impl
