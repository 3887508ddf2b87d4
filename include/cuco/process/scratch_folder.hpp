// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// A folder for temporary files that nobody else reads (mode 0700), removed with everything in it by the
/// destructor. It is called `cuco-<process id>-XXXXXX`, and locked while its owner lives, so that another
/// process can tell what a killed one left behind (`remove_abandoned_folders`).
class ScratchFolder {
 public:
  /// @param parent where to make it. Errors: kIo.
  [[nodiscard]] static Result<ScratchFolder> make(std::string const& parent);
  ScratchFolder(ScratchFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  ScratchFolder& operator=(ScratchFolder&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(lock_, other.lock_);
    return *this;
  }
  ~ScratchFolder();
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  ScratchFolder(std::string path, impl::UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  impl::UniqueFd lock_;
};

/// While it lives, all temporary files of this process, and of the programs that it starts, are in one
/// ScratchFolder: TMPDIR names it. Making one removes what killed processes of this user left. At most one
/// per process, made before other threads start: it changes the environment.
class ProcessScratchFolder {
 public:
  /// Errors: kIo.
  [[nodiscard]] static Result<ProcessScratchFolder> make();
  ProcessScratchFolder(ProcessScratchFolder&&) noexcept = default;
  ProcessScratchFolder& operator=(ProcessScratchFolder&&) = delete;
  ~ProcessScratchFolder();
  [[nodiscard]] std::string const& path() const { return folder_.path(); }

 private:
  explicit ProcessScratchFolder(ScratchFolder folder) : folder_(std::move(folder)) {}
  ScratchFolder folder_;
};

/// The folder for temporary files that processes share, for locks and caches: TMPDIR as this process found
/// it, or the system's.
[[nodiscard]] std::string shared_temporary_folder();

/// Removes the ScratchFolders in `parent` whose process is gone and that belong to this user. What cannot be
/// removed stays.
/// @return how many were removed.
int remove_abandoned_folders(std::string const& parent);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/process/scratch_folder-inl.hpp"
#endif
