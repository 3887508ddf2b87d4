// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/evaluate/device_backend.hpp"
#include "cuco/evaluate/device_options.hpp"

namespace cuco::impl::evaluating {

/// Everything that compiling a CUDA + NCCL + MPI program needs.
struct CudaToolchain {
  std::string nvcc;                        ///< Absolute.
  std::vector<std::string> compile_flags;  ///< Include paths of NCCL and MPI, in nvcc's spelling.
  std::vector<std::string> link_flags;     ///< NCCL and MPI, in nvcc's spelling.
  std::string library_path;                ///< First on LD_LIBRARY_PATH; may be empty.
  std::string version;                     ///< Last line of `nvcc --version`.
};

/// The GPUs of this machine.
struct GpuList {
  int count = 0;
  std::string name;  ///< Of the first, for example "NVIDIA H200".
  std::string arch;  ///< Of the first, for example "sm_90".
};

/// Errors: kToolMissing for nvcc, mpicxx or NCCL, with a remedy.
[[nodiscard]] Result<CudaToolchain> find_cuda_toolchain(CudaOptions const& options);

/// Asks nvidia-smi. Errors: kToolMissing when it is absent or finds no GPU.
[[nodiscard]] Result<GpuList> list_gpus();

/// What `nvidia-smi --query-gpu=name,compute_cap --format=csv,noheader` printed, one GPU per line.
[[nodiscard]] GpuList parse_gpu_list(std::string_view csv);

/// What `nvidia-smi topo -m` printed, as one line: how the GPUs are connected ("NV18": 18 NVLinks) and which
/// NICs there are. Empty when it is no such table.
[[nodiscard]] std::string topology_fact(std::string_view table);

/// Asks nvidia-smi for names, memory, clocks, driver and links; a line each. Empty when it is absent.
[[nodiscard]] std::vector<std::string> gpu_facts();

/// Flags that a host compiler wrapper printed, in nvcc's spelling: -I -L -l -D stay, -Wl,x becomes -Xlinker
/// x, others go through -Xcompiler.
[[nodiscard]] std::vector<std::string> to_nvcc_flags(std::string_view wrapper_flags);

/// argv of one compilation. `compile_only`: no executable, for checking that device code compiles.
[[nodiscard]] std::vector<std::string> nvcc_argv(CudaToolchain const& toolchain,
                                                 BuildSpec const& spec,
                                                 std::string const& arch,
                                                 bool compile_only);

/// The value of an environment variable, or `fallback` when it is unset.
[[nodiscard]] std::string environment_or(char const* name, std::string fallback = {});

}  // namespace cuco::impl::evaluating

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/impl/cuda_toolchain-inl.hpp"
#endif
