// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/result.hpp"

namespace cuco {

/// Writes a whole file so that a reader, also one after a crash, sees the old content or the new one, never a
/// part.
///
/// The bytes go to a temporary file in the same folder, which is flushed to disk and renamed over `path`. The
/// folder must exist. Errors: kIo with the path in `Error::file` and the kernel's reason; the old content is
/// then untouched and the temporary file gone.
[[nodiscard]] Status write_file_atomic(std::string const& path, std::string_view bytes);

/// The bytes of a file. Errors: kNotFound when there is none, kIo for what cannot be read.
[[nodiscard]] Result<std::string> read_file(std::string const& path);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/core/atomic_file-inl.hpp"
#endif
