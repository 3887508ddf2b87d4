// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/result.hpp"

namespace cuco {

/// Finds the absolute path of an executable file.
///
/// A `name` with a slash is taken as it is. Else the folders of `path` (colon-separated; the default is the
/// environment's PATH, or "/usr/local/bin:/usr/bin:/bin" without one) are searched in order; empty entries
/// are skipped, so that a program in the current folder is never run by accident. Errors: kToolMissing with
/// the name in the cause; kInvalidArgument for an empty name.
[[nodiscard]] Result<std::string> find_program(std::string_view name);
[[nodiscard]] Result<std::string> find_program(std::string_view name, std::string_view path);

namespace impl {
/// A regular file that this process may execute.
[[nodiscard]] bool is_executable_file(std::string const& path);
}  // namespace impl

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/process/find_program-inl.hpp"
#endif
