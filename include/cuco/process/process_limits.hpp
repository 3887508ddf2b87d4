// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace cuco {

/// What the operating system lets one program use. 0: as much as the caller may. Core dumps are always off.
struct ProcessLimits {
  std::uint64_t address_space_bytes = 0;  ///< Per process. Leave 0 for programs that use GPUs or sanitizers.
  std::uint64_t cpu_seconds = 0;          ///< Per process.
  std::uint64_t file_size_bytes = 0;      ///< Of any one file that is written.
  std::uint64_t processes = 0;  ///< Counts all processes and threads of the user, not only this run's.
};

}  // namespace cuco
