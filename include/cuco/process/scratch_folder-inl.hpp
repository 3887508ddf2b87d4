// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/process/scratch_folder.hpp"

namespace cuco {

namespace impl {

/// TMPDIR before a ProcessScratchFolder changed it; the inner one is empty when it was not set.
CUCO_EVOLVE_INLINE std::optional<std::optional<std::string>>& outer_tmpdir() {
  static std::optional<std::optional<std::string>> value;
  return value;
}

/// The number in "cuco-<number>-…"; 0 for other names.
CUCO_EVOLVE_INLINE pid_t owner_of_folder(std::string_view name) {
  constexpr std::string_view kStart = "cuco-";
  if (name.substr(0, kStart.size()) != kStart) return 0;
  pid_t owner = 0;
  auto const [end, error] = std::from_chars(name.data() + kStart.size(), name.data() + name.size(), owner);
  bool const complete = error == std::errc() && end != name.data() + name.size() && *end == '-';
  return complete && owner > 0 ? owner : 0;
}

CUCO_EVOLVE_INLINE bool is_abandoned(std::string const& path, pid_t owner) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) return false;
  // A process that lives may have got the number of one that does not. Its folder is then not locked; one
  // that was made a moment ago need not be locked yet.
  constexpr std::time_t kSettled_s = 10;
  bool const gone = ::kill(owner, 0) != 0 && errno == ESRCH;
  if (!gone && std::time(nullptr) - info.st_mtime < kSettled_s) return false;
  // Process numbers of another container are not visible here, but its locks are.
  UniqueFd const folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return folder && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<ScratchFolder> ScratchFolder::make(std::string const& parent) {
  std::string path = parent + "/cuco-" + std::to_string(::getpid()) + "-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    int const reason = errno;
    std::string const remedy = impl::errno_remedy(reason);
    return fail_at(ErrorCode::kIo,
                   parent,
                   0,
                   "cannot create a temporary folder: " + impl::errno_text(reason),
                   (remedy.empty() ? "" : remedy + ", or ") + "set TMPDIR to a writable folder");
  }
  impl::UniqueFd lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Not every file system locks; there the process number alone tells.
  if (lock) (void)::flock(lock.get(), LOCK_SH | LOCK_NB);
  return ScratchFolder(std::move(path), std::move(lock));
}

CUCO_EVOLVE_INLINE ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

CUCO_EVOLVE_INLINE std::string shared_temporary_folder() {
  if (auto const& outer = impl::outer_tmpdir(); outer && *outer) {
    std::error_code ignored;
    return std::filesystem::is_directory(**outer, ignored) ? **outer : std::string(P_tmpdir);
  }
  if (impl::outer_tmpdir()) return P_tmpdir;
  std::error_code error;
  std::string const path = std::filesystem::temp_directory_path(error).string();
  return error ? std::string(P_tmpdir) : path;
}

CUCO_EVOLVE_INLINE int remove_abandoned_folders(std::string const& parent) {
  int removed = 0;
  std::error_code error;
  std::filesystem::directory_iterator entry(parent, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string const path = entry->path().string();
    pid_t const owner = impl::owner_of_folder(entry->path().filename().string());
    if (owner == 0 || !impl::is_abandoned(path, owner)) continue;
    std::error_code failed;
    std::filesystem::remove_all(path, failed);
    if (!failed) ++removed;
  }
  return removed;
}

CUCO_EVOLVE_INLINE Result<ProcessScratchFolder> ProcessScratchFolder::make() {
  std::string const parent = shared_temporary_folder();
  remove_abandoned_folders(parent);
  // Where folders go whose paths must be short, and the shared segments of ranks.
  if (parent != P_tmpdir) remove_abandoned_folders(P_tmpdir);
  remove_abandoned_folders("/dev/shm");
  auto folder = ScratchFolder::make(parent);
  if (!folder) return forward_error(std::move(folder));
  char const* const before = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  impl::outer_tmpdir() = before != nullptr ? std::optional<std::string>(before) : std::nullopt;
  ::setenv("TMPDIR", folder->path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  return ProcessScratchFolder(std::move(*folder));
}

CUCO_EVOLVE_INLINE ProcessScratchFolder::~ProcessScratchFolder() {
  if (folder_.path().empty()) return;
  if (auto const& outer = impl::outer_tmpdir(); outer && *outer)
    ::setenv("TMPDIR", (*outer)->c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  else
    ::unsetenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  impl::outer_tmpdir().reset();
  // What a killed process left could not be removed at the start while its children were still ending.
  remove_abandoned_folders(shared_temporary_folder());
}

}  // namespace cuco
