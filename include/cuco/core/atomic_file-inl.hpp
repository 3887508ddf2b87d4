// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/unique_fd.hpp"

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE tl::unexpected<Error> io_error(std::string const& path,
                                                  std::string const& what,
                                                  int error) {
  auto const code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return fail_at(code, path, 0, what + ": " + errno_text(error), errno_remedy(error));
}

/// 0, or the errno of the first failing write.
CUCO_EVOLVE_INLINE int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t const put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

CUCO_EVOLVE_INLINE std::string folder_of(std::string const& path) {
  auto const slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Makes a rename in `folder` survive a power cut. Not every file system can; the rename itself has happened.
CUCO_EVOLVE_INLINE void flush_folder(std::string const& folder) {
  UniqueFd const fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) (void)::fsync(fd.get());
}

}  // namespace impl

CUCO_EVOLVE_INLINE Status write_file_atomic(std::string const& path, std::string_view bytes) {
  static std::atomic<unsigned> counter{0};
  std::string const folder = impl::folder_of(path);
  // Not mkstemp: its files are readable by the owner alone, whatever the umask.
  std::string const temporary =
      folder + "/.cuco." + std::to_string(::getpid()) + "." + std::to_string(counter++) + ".tmp";
  auto failed = [&](int error) {
    ::unlink(temporary.c_str());
    auto result = impl::io_error(path, "cannot write", error);
    result.value().code = ErrorCode::kIo;
    return result;
  };
  impl::UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd) return failed(errno);
  if (int const error = impl::write_all(fd.get(), bytes); error != 0) return failed(error);
  // Delayed allocation reports a full disk only here.
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP) return failed(errno);
  if (!fd.reset()) return failed(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed(errno);
  impl::flush_folder(folder);
  return {};
}

CUCO_EVOLVE_INLINE Result<std::string> read_file(std::string const& path) {
  impl::UniqueFd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return impl::io_error(path, "cannot read", errno);
  std::string bytes;
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode))
    bytes.reserve(static_cast<std::size_t>(info.st_size));
  char buffer[65536];
  for (;;) {
    ssize_t const got = ::read(fd.get(), buffer, sizeof buffer);
    if (got > 0) {
      bytes.append(buffer, static_cast<std::size_t>(got));
    } else if (got == 0) {
      return bytes;
    } else if (errno != EINTR) {
      return impl::io_error(path, "cannot read", errno);
    }
  }
}

}  // namespace cuco
