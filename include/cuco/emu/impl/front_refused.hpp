// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace cuco::impl::emulating {

/// A name the emulator has no counterpart for.
struct RefusedName {
  std::string_view name;
  bool prefix;            ///< Any identifier that starts with `name`.
  std::string_view what;  ///< What it is, for "not emulated: …".
};

inline constexpr std::array kRefusedNames = {
    RefusedName{"__pipeline_", true, "asynchronous copy pipelines"},
    RefusedName{"nvcuda", false, "matrix instructions (wmma)"},
    RefusedName{"wmma", false, "matrix instructions (wmma)"},
    RefusedName{"cudaGraph", true, "CUDA graphs"},
    RefusedName{"cudaStreamBeginCapture", true, "CUDA graphs (stream capture)"},
    RefusedName{"cudaStreamEndCapture", false, "CUDA graphs (stream capture)"},
    RefusedName{"cudaStreamIsCapturing", false, "CUDA graphs (stream capture)"},
    RefusedName{"cudaTextureObject_t", false, "textures"},
    RefusedName{"cudaSurfaceObject_t", false, "surfaces"},
    RefusedName{"cudaCreateTextureObject", false, "textures"},
    RefusedName{"tex1D", true, "textures"},
    RefusedName{"tex2D", true, "textures"},
    RefusedName{"tex3D", true, "textures"},
    RefusedName{"surf1D", true, "surfaces"},
    RefusedName{"surf2D", true, "surfaces"},
    RefusedName{"__cluster_dims__", false, "thread block clusters"},
    RefusedName{"this_cluster", false, "thread block clusters"},
    RefusedName{"cudaIpc", true, "CUDA IPC"},
    RefusedName{"cudaArray_t", false, "CUDA arrays"},
    RefusedName{"cudaMallocArray", false, "CUDA arrays"},
    RefusedName{"cudaMalloc3DArray", false, "CUDA arrays"},
    RefusedName{"cudaImportExternal", true, "external memory and semaphores"},
    RefusedName{"cudaGetDriverEntryPoint", true, "the CUDA driver API"},
    RefusedName{"__rdtsc", true, "the CPU's time stamp counter"},
    RefusedName{"cudaLaunchCooperativeKernelMultiDevice", false, "multi-device cooperative launch"},
    RefusedName{"ncclGetMultimemPointer", false, "NVLink multicast (multimem)"},
    RefusedName{"ncclGetLsaMultimemPointer", false, "NVLink multicast (multimem)"},
    RefusedName{"__nv_fp8", true, "8-bit floating point"},
};

/// Headers the emulator has no counterpart for; an entry that ends in '/' or '*' stands for all that start
/// so.
struct RefusedHeader {
  std::string_view name;
  std::string_view what;
};

inline constexpr std::array kRefusedHeaders = {
    RefusedHeader{"mma.h", "matrix instructions (wmma)"},
    RefusedHeader{"cuda_pipeline*", "asynchronous copy pipelines"},
    RefusedHeader{"cooperative_groups/memcpy_async.h", "asynchronous copies"},
    RefusedHeader{"cuda/pipeline", "asynchronous copy pipelines"},
    RefusedHeader{"cuda/barrier", "cuda::barrier"},
    RefusedHeader{"cuda/ptx", "PTX wrappers"},
    RefusedHeader{"cuda_fp8.h", "8-bit floating point"},
    RefusedHeader{"cuda_fp6.h", "6-bit floating point"},
    RefusedHeader{"cuda_fp4.h", "4-bit floating point"},
    RefusedHeader{"cublas*", "cuBLAS"},
    RefusedHeader{"cudnn*", "cuDNN"},
    RefusedHeader{"cufft*", "cuFFT"},
    RefusedHeader{"curand*", "cuRAND"},
    RefusedHeader{"cusparse*", "cuSPARSE"},
    RefusedHeader{"cusolver*", "cuSOLVER"},
    RefusedHeader{"cub/", "CUB"},
    RefusedHeader{"thrust/", "Thrust"},
    RefusedHeader{"cutlass/", "CUTLASS"},
    RefusedHeader{"cute/", "CuTe"},
    RefusedHeader{"nvshmem*", "NVSHMEM"},
    RefusedHeader{"nvml.h", "NVML"},
};

inline constexpr RefusedName const* refused_name(std::string_view identifier) {
  for (RefusedName const& entry : kRefusedNames) {
    if (entry.prefix ? identifier.substr(0, entry.name.size()) == entry.name : identifier == entry.name)
      return &entry;
  }
  return nullptr;
}

inline constexpr RefusedHeader const* refused_header(std::string_view header) {
  for (RefusedHeader const& entry : kRefusedHeaders) {
    std::string_view name = entry.name;
    bool const open = name.back() == '/' || name.back() == '*';
    if (name.back() == '*') name.remove_suffix(1);
    if (open ? header.substr(0, name.size()) == name : header == name) return &entry;
  }
  return nullptr;
}

}  // namespace cuco::impl::emulating
