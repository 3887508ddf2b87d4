// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/rewrite.hpp"

namespace cuco::tool {

/// What a transformation changed, for people: the changes with their reasons by line, then the difference of
/// the two programs. Of generated text only the first line of each part is shown, and how many follow.
[[nodiscard]] std::string diff_view(std::string_view before,
                                    std::string_view after,
                                    std::string const& before_name,
                                    std::string const& after_name,
                                    std::vector<Change> const& changes,
                                    bool colour);

}  // namespace cuco::tool
