// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/result.hpp"

namespace cuco {

/// Says whether `candidate` differs from `original` inside EVOLVE blocks only. Compares the text itself, not
/// a hash; and brackets and conditions that a block leaves open, which could move frozen text to another
/// function.
///
/// Errors: kRefused with the line of `candidate` where frozen text first differs; kParse for a text without
/// sound markers.
[[nodiscard]] Result<void> check_frozen(std::string_view original,
                                        std::string_view candidate,
                                        std::string_view file = "<candidate>");

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/edit/frozen_check-inl.hpp"
#endif
