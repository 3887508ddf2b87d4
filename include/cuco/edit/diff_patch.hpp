// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/result.hpp"
#include "cuco/edit/edit_result.hpp"

namespace cuco {

/// Applies the SEARCH/REPLACE blocks of a model's reply to the EVOLVE blocks of `source`, one after another:
/// all of them or none. Everything else in the reply is ignored. docs/edits.md has the grammar.
///
/// @param source A whole program. @param reply What the model wrote. Neither has to be well formed.
[[nodiscard]] EditResult apply_diff_patch(std::string_view source, std::string_view reply);

/// The blocks that turn `from` into `to`, in the strict grammar; empty for equal texts.
/// `apply_diff_patch(from, write_diff_patch(from, to))` gives `to`, unless applying refuses `to` itself: as
/// the same code (kNoChange), or for an `#if` that a block leaves open. Errors: kInvalidArgument when the two
/// differ outside EVOLVE blocks.
[[nodiscard]] Result<std::string> write_diff_patch(std::string_view from, std::string_view to);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/edit/diff_patch-inl.hpp"
#endif
