// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"
#include "cuco/process/scratch_folder.hpp"

namespace cuco::impl::emulating {

/// Makes `path` and its parents.
inline Status make_cache_folder(std::string const& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return fail(ErrorCode::kIo,
                "the cache folder '" + path + "' cannot be made: " + errno_text(error.value()),
                errno_remedy(error.value()));
  }
  if (::access(path.c_str(), W_OK) != 0) {
    return fail(ErrorCode::kIo,
                "the cache folder '" + path + "' is not writable: " + errno_text(errno),
                "set XDG_CACHE_HOME to a writable folder");
  }
  return {};
}

/// The folder the cache lives in, made and writable. A home folder that cannot be written is replaced by one
/// that only this user can enter under the system's folder for temporary files.
inline Result<std::string> find_cache_folder(std::string const& wanted) {
  if (!wanted.empty()) {
    if (Status done = make_cache_folder(wanted); !done) return forward_error(std::move(done));
    return std::filesystem::absolute(wanted).string();
  }
  std::string usual;
  if (char const* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && xdg[0] == '/') {
    usual = std::string(xdg) + "/cuco";
  } else if (char const* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    usual = std::string(home) + "/.cache/cuco";
  }
  if (!usual.empty() && make_cache_folder(usual)) return usual;
  std::string const mine = shared_temporary_folder() + "/cuco-cache-" + std::to_string(::getuid());
  struct stat info {};
  if (::mkdir(mine.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorCode::kIo,
                "no cache folder can be made, not '" + mine + "' either: " + errno_text(errno),
                "set XDG_CACHE_HOME to a writable folder");
  }
  // Binaries come from there: nobody else may have put it in place.
  if (::lstat(mine.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::getuid() ||
      (info.st_mode & 0077U) != 0) {
    return fail(ErrorCode::kIo,
                "'" + mine + "' belongs to somebody else or is open to others",
                "set XDG_CACHE_HOME to a writable folder");
  }
  return mine;
}

/// Holds an exclusive lock on `path` for its lifetime; waits for other processes and threads.
class FolderLock {
 public:
  static Result<FolderLock> take(std::string const& path) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd)
      return fail(
          ErrorCode::kIo, "'" + path + "' cannot be opened: " + errno_text(errno), errno_remedy(errno));
    while (::flock(fd.get(), LOCK_EX) != 0) {
      if (errno != EINTR)
        return fail(ErrorCode::kIo, "'" + path + "' cannot be locked: " + errno_text(errno));
    }
    return FolderLock(std::move(fd));
  }

 private:
  explicit FolderLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Removes all but the `keep` most recently used sub-folders of `folder`.
inline void prune_folders(std::string const& folder, std::size_t keep) {
  namespace fs = std::filesystem;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error)) found.emplace_back(fs::last_write_time(entry.path(), error), entry.path());
  if (found.size() <= keep) return;
  std::sort(found.begin(), found.end(), [](auto const& a, auto const& b) { return a.first > b.first; });
  for (std::size_t i = keep; i < found.size(); ++i) fs::remove_all(found[i].second, error);
}

}  // namespace cuco::impl::emulating
