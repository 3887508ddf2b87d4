// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks-inl.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/frozen_check.hpp"
#include "cuco/edit/impl/block_outline.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<void> check_frozen(std::string_view original,
                                             std::string_view candidate,
                                             std::string_view file) {
  auto const before = impl::parse_program(original, "<original>");
  if (!before) return tl::unexpected<Error>(before.error());
  auto const after = impl::parse_program(candidate, file);
  if (!after) return tl::unexpected<Error>(after.error());
  std::string const want = impl::join_frozen(original, before->blocks);
  std::string const have = impl::join_frozen(candidate, after->blocks);
  if (want == have) return impl::check_outlines(*before, *after, file);
  auto const [w, h] = std::mismatch(want.begin(), want.end(), have.begin(), have.end());
  std::size_t left = static_cast<std::size_t>(h - have.begin());
  // Back from frozen text to the candidate: each NUL stands for one block.
  std::size_t offset = 0;
  for (EvolveBlock const& b : after->blocks) {
    std::size_t const frozen = b.text.begin - offset;
    if (left <= frozen) break;
    left -= frozen + 1;
    offset = b.text.end;
  }
  offset = std::min(offset + left, candidate.size());
  auto const line =
      1 + std::count(candidate.begin(), candidate.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  return fail_at(ErrorCode::kRefused,
                 std::string(file),
                 static_cast<std::uint32_t>(line),
                 "frozen text differs from the original",
                 "change only what is between the EVOLVE markers");
}

}  // namespace cuco
