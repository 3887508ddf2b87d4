// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace cuco::impl::emulating {

/// The folder of the emulator's headers and machine descriptions: where this header was found when the
/// library was compiled. A program that outlives that folder (an installed one) can name another in
/// CUCO_EMU_HOME.
inline std::string emulator_folder() {
  if (char const* home = std::getenv("CUCO_EMU_HOME"); home != nullptr && *home != '\0') return home;
  std::string_view file = __FILE__;
  for (int up = 0; up < 2; ++up) {
    std::size_t const slash = file.rfind('/');
    if (slash == std::string_view::npos) return "..";
    file = file.substr(0, slash);
  }
  return std::string(file);
}

}  // namespace cuco::impl::emulating
