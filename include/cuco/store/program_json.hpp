// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// `program` as one JSON object whose keys are the column names of the database, `in_archive` besides.
/// Numbers that are not finite are null; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string to_json(Program const& program);

/// Reads what `to_json` wrote. Unknown keys are ignored, missing ones keep their defaults.
/// Errors: kParse for text that is not such an object or has no id.
[[nodiscard]] Result<Program> program_from_json(std::string_view text);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/store/program_json-inl.hpp"
#endif
