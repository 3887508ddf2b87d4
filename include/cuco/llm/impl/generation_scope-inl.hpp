// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/generation_scope.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE bool GenerationScope::on(Event const& event) {
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

CUCO_EVOLVE_INLINE std::string GenerationScope::name() const {
  return current_ < 0 ? std::string() : "g" + std::to_string(current_);
}

}  // namespace cuco::impl
