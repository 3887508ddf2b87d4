// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// A text file that only grows, line by line. What a killed process left of its last line is cut off when the
/// file is opened again.
class LineFile {
 public:
  /// Opens `path` for appending, or creates it; its folder must exist. With `alone`, no other process can
  /// have it open so at the same time (kConflict). Errors: kIo with the path.
  [[nodiscard]] static Result<LineFile> open(std::string path, bool alone);

  /// Adds `line`, which must hold no line break, in one write, and returns when it is on disk. Errors: kIo;
  /// the file then ends with the line before.
  [[nodiscard]] Status append(std::string_view line);

  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  LineFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  [[nodiscard]] tl::unexpected<Error> failed(char const* what, int error) const;
  std::string path_;
  UniqueFd fd_;
};

/// Makes `folder` and its parents. Errors: kIo.
[[nodiscard]] Status make_folder(std::string const& folder);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/line_file-inl.hpp"
#endif
