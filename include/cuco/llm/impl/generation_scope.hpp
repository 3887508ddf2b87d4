// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/core/event.hpp"

namespace cuco::impl {

/// Which generation calls to models belong to, told by a run's events, so that a call has the same name in a
/// run and in the same run killed and resumed. Without events there is one scope for all.
class GenerationScope {
 public:
  /// True when the scope changes.
  bool on(Event const& event);
  /// "g7" while generation 7 is being proposed; empty outside of a run.
  [[nodiscard]] std::string name() const;

 private:
  int current_ = -1;
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/generation_scope-inl.hpp"
#endif
