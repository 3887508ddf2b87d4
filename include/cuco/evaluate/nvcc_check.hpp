// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/evaluate/devices.hpp"

namespace cuco {

/// What nvcc says about a program that is otherwise run on the emulator.
struct NvccVerdict {
  bool available = false;  ///< nvcc, MPI headers and NCCL headers with the device interface are installed.
  std::string reason{};    ///< Why not, one line.
  BuildResult result{};    ///< Of the compilation when available.
};

/// Compiles `source_path` with nvcc down to machine code, without linking and without a GPU.
/// Errors: kIo, kProcess. A missing tool is not an error: `available` is false and `reason` says what is
/// missing.
[[nodiscard]] Result<NvccVerdict> check_with_nvcc(std::string const& source_path,
                                                  CudaOptions const& options = {},
                                                  int standard = 17,
                                                  std::vector<std::string> const& defines = {});

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/nvcc_check-inl.hpp"
#endif
