// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace cuco {

/// Settings of emulated devices. Every default works on a machine with a host compiler and Open MPI.
struct EmulatedOptions {
  std::string machine{};   ///< Name of a machine description or a path to a TOML file; empty: the default.
  std::string compiler{};  ///< Host C++ compiler; empty: $CXX, then g++, then clang++.
  std::string cache_directory{};  ///< Of the emulator's own objects; empty: the user's cache directory.
  std::string mpirun = "mpirun";
  std::size_t output_cap = std::size_t{4} << 20U;  ///< Bytes of output after which a program is stopped.
};

/// Settings of real GPUs. Empty fields are detected.
struct CudaOptions {
  std::string arch{};          ///< For example "sm_90"; empty: asked from nvidia-smi.
  std::string nvcc{};          ///< Empty: PATH, then CUDA_HOME/bin, then /usr/local/cuda/bin.
  std::string nccl_include{};  ///< Empty: NCCL_HOME/include, else the compiler's default.
  std::string nccl_lib{};      ///< Empty: NCCL_HOME/lib, else the linker's default.
  int gpus = 0;                ///< GPUs to use; 0: all.
  std::string mpirun = "mpirun";
  std::string mpicxx = "mpicxx";
  std::size_t output_cap = std::size_t{4} << 20U;
};

}  // namespace cuco
