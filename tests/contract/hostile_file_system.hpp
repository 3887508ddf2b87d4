// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace cuco {

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = testing::TempDir() + "cuco_test_XXXXXX";
    path = ::mkdtemp(name.data());
  }
  TemporaryFolder(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  [[nodiscard]] std::string operator/(std::string const& name) const { return path + "/" + name; }
  std::string path;
};

/// What `in_child` returns when this machine does not allow the test.
inline constexpr int kCannotTestHere = 77;

/// Runs `f` in a child process, which may change what only a whole process can: user, mounts. 0: all went
/// well.
template <class F>
int in_child(F f) {
  pid_t const child = ::fork();
  if (child == 0) {
    int const code = f();
    ::_exit(testing::Test::HasFailure() ? 1 : code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Permissions do not bind root: becomes nobody. For `in_child`.
inline bool drop_root() {
  return ::geteuid() != 0 || (::setegid(65534) == 0 && ::seteuid(65534) == 0);
}

/// Mounts a file system of `options` ("size=64k", "ro") over `folder`, seen by this process alone. For
/// `in_child`.
inline bool mount_small(std::string const& folder, char const* options) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
}

/// Makes what `mount_small` mounted read-only.
inline bool make_read_only(std::string const& folder) {
  return ::mount("none", folder.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
}

}  // namespace cuco
