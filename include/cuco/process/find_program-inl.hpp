// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cuco/core/impl/inline.hpp"
#include "cuco/process/find_program.hpp"

namespace cuco {

namespace impl {
CUCO_EVOLVE_INLINE bool is_executable_file(std::string const& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

inline constexpr char const* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
}  // namespace impl

CUCO_EVOLVE_INLINE Result<std::string> find_program(std::string_view name, std::string_view path) {
  if (name.empty()) return fail(ErrorCode::kInvalidArgument, "the name of a program is empty");
  if (name.find('/') != std::string_view::npos) {
    std::string candidate(name);
    if (impl::is_executable_file(candidate)) return candidate;
    return fail(ErrorCode::kToolMissing,
                "program '" + candidate + "' does not exist or is not executable",
                "give the path of an executable file");
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    std::size_t const end = std::min(path.find(':', begin), path.size());
    if (end > begin) {
      std::string candidate(path.substr(begin, end - begin));
      candidate += '/';
      candidate += name;
      if (impl::is_executable_file(candidate)) return candidate;
    }
    begin = end + 1;
  }
  return fail(ErrorCode::kToolMissing,
              "program '" + std::string(name) + "' not found on PATH",
              "install it or add its folder to PATH");
}

CUCO_EVOLVE_INLINE Result<std::string> find_program(std::string_view name) {
  char const* path = std::getenv("PATH");
  return find_program(name, path != nullptr ? path : impl::kDefaultPath);
}

}  // namespace cuco
