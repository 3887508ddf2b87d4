// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "cuco/edit/edit_result.hpp"

namespace cuco {

/// Puts the code of a model's reply in place of the EVOLVE blocks of `source`. The reply's code may be the
/// whole program, the blocks with their markers, or, for a program with one block, its text alone. Frozen
/// text comes from `source`, whatever the reply has there. docs/edits.md has the rules.
[[nodiscard]] EditResult apply_full_rewrite(std::string_view source, std::string_view reply);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/edit/full_rewrite-inl.hpp"
#endif
