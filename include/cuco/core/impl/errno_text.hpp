// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "cuco/core/error.hpp"

namespace cuco::impl {

/// "no space left on device": the kernel's words, in lower case as all causes are.
inline std::string errno_text(int error) {
  char const* text = ::strerrordesc_np(error);
  std::string result = text != nullptr ? text : "error " + std::to_string(error);
  if (result.size() > 1 && result[0] >= 'A' && result[0] <= 'Z' && !(result[1] >= 'A' && result[1] <= 'Z'))
    result[0] = static_cast<char>(result[0] - 'A' + 'a');
  return result;
}

/// What the user can do about `error` when a file or folder was to be read or written.
inline char const* errno_remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return "free some space or choose another file system";
    case EROFS: return "choose a folder on a writable file system";
    case EACCES:
    case EPERM: return "check the owner and the permissions";
    case EMFILE:
    case ENFILE: return "allow more open files (ulimit -n)";
    case ENOTDIR:
    case ENOENT: return "check the path";
    default: return "";
  }
}

}  // namespace cuco::impl
