// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <tuple>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/run_directory.hpp"

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE Status make_directories(std::string const& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  // A file of that name, or a dangling link, is not always an error for the call above.
  if (!error && !std::filesystem::is_directory(path, error) && !error)
    error = {ENOTDIR, std::generic_category()};
  if (error) {
    auto result = io_error(path, "cannot create folder", error.value());
    result.value().code = ErrorCode::kIo;
    return result;
  }
  return {};
}

/// `name` without `prefix` as a number; -1 when it is not that.
CUCO_EVOLVE_INLINE int number_after(std::string const& name, std::string_view prefix) {
  if (name.size() <= prefix.size() || name.size() > prefix.size() + 9 ||
      name.compare(0, prefix.size(), prefix) != 0)
    return -1;
  int value = 0;
  for (std::size_t i = prefix.size(); i < name.size(); ++i) {
    if (name[i] < '0' || name[i] > '9') return -1;
    value = value * 10 + (name[i] - '0');
  }
  return value;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<RunDirectory> RunDirectory::open(std::string path) {
  if (path.empty()) return fail(ErrorCode::kInvalidArgument, "the name of the run directory is empty");
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (auto made = impl::make_directories(path); !made) return forward_error(std::move(made));

  auto unusable = [&](int error) {
    auto result = impl::io_error(path, "cannot write in the run directory", error);
    result.value().code = ErrorCode::kIo;
    return result;
  };
  impl::UniqueFd lock(::open((path + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock) return unusable(errno);
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return unusable(errno);
    char holder[16] = {};
    ssize_t const got = ::pread(lock.get(), holder, sizeof holder - 1, 0);
    std::string who(holder, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    who = who.substr(0, who.find('\n'));
    return fail_at(
        ErrorCode::kConflict,
        path,
        0,
        "another run uses this directory" + (who.empty() ? std::string() : " (process " + who + ")"),
        "wait for it or choose another directory");
  }
  // Also the probe for a full disk: better now than after the first evaluation.
  std::string const self = std::to_string(::getpid()) + "\n" + std::string(4096, '\n');
  if (::ftruncate(lock.get(), 0) != 0) return unusable(errno);
  if (int const error = impl::write_all(lock.get(), self); error != 0) return unusable(error);
  if (::fsync(lock.get()) != 0 && errno != EINVAL && errno != ENOTSUP) return unusable(errno);
  return RunDirectory(std::move(path), std::move(lock));
}

CUCO_EVOLVE_INLINE Result<RunDirectory> RunDirectory::inspect(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    return fail_at(ErrorCode::kNotFound, path, 0, "there is no such run directory", "check the path");
  return RunDirectory(std::move(path), impl::UniqueFd());
}

CUCO_EVOLVE_INLINE GenerationPaths RunDirectory::generation(int n) const {
  return {path_ + "/gen_" + std::to_string(n), n, -1};
}

CUCO_EVOLVE_INLINE GenerationPaths RunDirectory::seed(int i) const {
  return {path_ + "/gen_0_island" + std::to_string(i), 0, i};
}

CUCO_EVOLVE_INLINE Status RunDirectory::create(GenerationPaths const& paths) const {
  return impl::make_directories(paths.results());
}

CUCO_EVOLVE_INLINE Result<std::vector<GenerationPaths>> RunDirectory::generations() const {
  std::vector<GenerationPaths> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(path_, error), end; !error && it != end; it.increment(error)) {
    std::string const name = it->path().filename().string();
    std::error_code ignored;
    if (!it->is_directory(ignored)) continue;
    if (int const n = impl::number_after(name, "gen_"); n >= 0) found.push_back(generation(n));
    if (int const i = impl::number_after(name, "gen_0_island"); i >= 0) found.push_back(seed(i));
  }
  if (error) return impl::io_error(path_, "cannot list the run directory", error.value());
  std::sort(found.begin(), found.end(), [](auto const& a, auto const& b) {
    return std::tie(a.generation, a.seed_island) < std::tie(b.generation, b.seed_island);
  });
  return found;
}

CUCO_EVOLVE_INLINE Status RunDirectory::update_best(GenerationPaths const& paths) const {
  namespace fs = std::filesystem;
  std::string const fresh = path_ + "/.best.new";
  std::error_code error;
  fs::remove_all(fresh, error);
  error.clear();
  fs::copy(paths.path, fresh, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
  if (error) {
    int const reason = error.value();
    fs::remove_all(fresh, error);
    auto result = impl::io_error(best(), "cannot copy " + paths.path, reason);
    result.value().code = ErrorCode::kIo;
    return result;
  }
  if (::rename(fresh.c_str(), best().c_str()) != 0) {
    // A folder with content cannot be renamed over; swapping is atomic too.
    int reason = errno;
    if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, best().c_str(), RENAME_EXCHANGE) == 0) {
      reason = 0;
    } else if (reason == ENOTEMPTY || reason == EEXIST) {
      // The file system cannot swap (network file systems): a short gap without best/.
      std::string const old = path_ + "/.best.old";
      fs::remove_all(old, error);
      reason = ::rename(best().c_str(), old.c_str()) == 0 && ::rename(fresh.c_str(), best().c_str()) == 0
                   ? 0
                   : errno;
      fs::remove_all(old, error);
    }
    fs::remove_all(fresh, error);
    if (reason != 0) return impl::io_error(best(), "cannot replace", reason);
  }
  return {};
}

CUCO_EVOLVE_INLINE Status RunDirectory::append_log(std::string_view line) const {
  impl::UniqueFd fd(::open(log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!fd) return impl::io_error(log_file(), "cannot append", errno);
  std::string text(line);
  text += '\n';
  int error = impl::write_all(fd.get(), text);
  if (error == 0 && !fd.reset()) error = errno;
  if (error != 0) return impl::io_error(log_file(), "cannot append", error);
  return {};
}

}  // namespace cuco
