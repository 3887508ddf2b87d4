// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/line_file.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE tl::unexpected<Error> LineFile::failed(char const* what, int error) const {
  return fail_at(ErrorCode::kIo, path_, 0, std::string(what) + ": " + errno_text(error), errno_remedy(error));
}

CUCO_EVOLVE_INLINE Result<LineFile> LineFile::open(std::string path, bool alone) {
  LineFile file(std::move(path), UniqueFd());
  file.fd_ = UniqueFd(::open(file.path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file.fd_) return file.failed("cannot append", errno);
  int const fd = file.fd_.get();
  if (alone && ::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return fail_at(ErrorCode::kConflict,
                     file.path_,
                     0,
                     "another process is writing to it",
                     "give every process a place of its own");
    if (errno != ENOTSUP && errno != EINVAL && errno != ENOLCK) return file.failed("cannot lock", errno);
  }
  off_t const size = ::lseek(fd, 0, SEEK_END);
  if (size < 0) return file.failed("cannot append", errno);
  off_t keep = size;
  for (char last = 0; keep > 0; --keep) {
    if (::pread(fd, &last, 1, keep - 1) != 1) return file.failed("cannot read", errno);
    if (last == '\n') break;
  }
  if (keep != size && ::ftruncate(fd, keep) != 0) return file.failed("cannot cut off half a line", errno);
  return file;
}

CUCO_EVOLVE_INLINE Status LineFile::append(std::string_view line) {
  int const fd = fd_.get();
  std::string const bytes = std::string(line) + "\n";
  off_t const before = ::lseek(fd, 0, SEEK_END);
  ssize_t put = -1;
  do {
    put = ::write(fd, bytes.data(), bytes.size());
  } while (put < 0 && errno == EINTR);
  int error = put == static_cast<ssize_t>(bytes.size()) ? 0 : put < 0 ? errno : ENOSPC;
  // Not every file system can flush; the line is written all the same.
  if (error == 0 && ::fdatasync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) error = errno;
  if (error == 0) return {};
  // Only what this call added is taken back, and only when nobody has written after it.
  if (put > 0 && before >= 0 && ::lseek(fd, 0, SEEK_END) == before + put) {
    if (::ftruncate(fd, before) != 0) return failed("cannot append, and half a line stays", error);
  }
  return failed("cannot append", error);
}

CUCO_EVOLVE_INLINE Status make_folder(std::string const& folder) {
  if (folder.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail_at(ErrorCode::kIo,
                   folder,
                   0,
                   "cannot create: " + errno_text(error.value()),
                   errno_remedy(error.value()));
  return {};
}

}  // namespace cuco::impl
