// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/core/result.hpp"
#include "cuco/edit/evolve_blocks.hpp"

namespace cuco::impl {

/// Hash of the frozen text; empty for a source without EVOLVE blocks, in which everything may change.
inline Result<std::string> frozen_hash_or_empty(std::string const& code, std::string const& file) {
  auto const blocks = find_evolve_blocks(code, file);
  if (!blocks) return tl::unexpected<Error>(blocks.error());
  if (blocks->empty()) return std::string();
  return frozen_hash(code, file);
}

}  // namespace cuco::impl
