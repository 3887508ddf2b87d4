// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/recording.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Recording::Recording(std::string const& path, Use use)
    : ready_(book_->open(path, use == Use::kRecord)) {}

CUCO_EVOLVE_INLINE Result<Recording> Recording::open(std::string const& path, Use use) {
  Recording recording(path, use);
  if (!recording.ready_) return tl::unexpected<Error>(recording.ready_.error());
  return recording;
}

}  // namespace cuco
