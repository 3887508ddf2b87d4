// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/result.hpp"
#include "cuco/process/scratch_folder.hpp"

namespace cuco::impl::evaluating {

/// Adds `text` to the end of `path`, for logs; makes the file and its directory. Errors: kIo.
[[nodiscard]] Status append_text(std::string const& path, std::string_view text);

/// mkdir -p. Errors: kIo.
[[nodiscard]] Status make_directories(std::string const& path);

/// A folder for one run, whose path is short because Open MPI puts Unix sockets below it, whose paths are
/// limited to 107 bytes.
/// @param parent where to make it; empty: the system's directory for temporary files. Errors: kIo.
[[nodiscard]] Result<ScratchFolder> make_private_folder(std::string const& parent = {});

}  // namespace cuco::impl::evaluating

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/impl/files-inl.hpp"
#endif
