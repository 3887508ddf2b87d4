// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/result.hpp"

namespace cuco::impl::evaluating {

/// Adds `text` to the end of `path`, for logs; makes the file and its directory. Errors: kIo.
[[nodiscard]] Status append_text(std::string const& path, std::string_view text);

/// mkdir -p. Errors: kIo.
[[nodiscard]] Status make_directories(std::string const& path);

/// A directory for one run that nobody else reads (mode 0700), removed with everything in it by the
/// destructor. Its path is short because Open MPI puts Unix sockets below it, whose paths are limited to 107
/// bytes.
class PrivateDirectory {
 public:
  /// @param base where to make it; empty: the system's directory for temporary files. Errors: kIo.
  [[nodiscard]] static Result<PrivateDirectory> create(std::string const& base = {});
  PrivateDirectory(PrivateDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateDirectory& operator=(PrivateDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~PrivateDirectory();
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  explicit PrivateDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace cuco::impl::evaluating

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/impl/files-inl.hpp"
#endif
