// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/evaluate/impl/files.hpp"

namespace cuco::impl::evaluating {

CUCO_EVOLVE_INLINE Status append_text(std::string const& path, std::string_view text) {
  if (std::size_t const slash = path.rfind('/'); slash != std::string::npos && slash > 0)
    if (auto made = make_directories(path.substr(0, slash)); !made) return made;
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (file) {
    while (!text.empty()) {
      ssize_t const put = ::write(file.get(), text.data(), text.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) break;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    if (text.empty()) return {};
  }
  int const reason = errno;
  return fail_at(ErrorCode::kIo, path, 0, "cannot write: " + errno_text(reason), errno_remedy(reason));
}

CUCO_EVOLVE_INLINE Status make_directories(std::string const& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    return fail_at(ErrorCode::kIo,
                   path,
                   0,
                   "cannot create the directory: " + errno_text(error.value()),
                   errno_remedy(error.value()));
  return {};
}

CUCO_EVOLVE_INLINE Result<ScratchFolder> make_private_folder(std::string const& parent) {
  if (!parent.empty()) return ScratchFolder::make(parent);
  constexpr std::size_t kLongest = 40;  // Leaves room for Open MPI's own part of a socket path.
  std::error_code error;
  std::string root = std::filesystem::temp_directory_path(error).string();
  if (error || root.size() > kLongest) root = shared_temporary_folder();
  if (root.size() > kLongest) root = P_tmpdir;
  return ScratchFolder::make(root);
}

}  // namespace cuco::impl::evaluating
