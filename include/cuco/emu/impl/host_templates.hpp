// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Those functions of the CUDA runtime that take kernels or symbols: templates here, because a kernel is an
/// ordinary function.

#include "cuco/emu/impl/device.hpp"
#include "cuda_runtime_api.h"

namespace cuco::emu::impl {
cudaError_t set_function_attribute(void const* entry, cudaFuncAttribute attribute, int value);
cudaError_t get_function_attributes(cudaFuncAttributes* attributes, void const* entry);
int occupancy_of(void const* entry, int threads, std::size_t shared_bytes);
int sm_count();
cudaError_t copy_symbol(
    void* to, void const* from, std::size_t bytes, bool asynchronous, cudaStream_t stream);
/// A `__device__`, `__constant__` or `__managed__` variable whose address the program has taken.
void note_symbol(void const* address, std::size_t bytes);

/// Launches the kernel `entry`, whose type it knows.
using EntryLauncher = int (*)(LaunchConfig const& config, void const* entry, void** arguments);
/// Makes a kernel known that the program holds as a pointer to void.
void note_kernel(void const* entry, EntryLauncher launcher);
/// Exit 91 for a pointer that is no known kernel.
int launch_noted(LaunchConfig const& config, void const* entry, void** arguments);

template <typename... P, std::size_t... I>
inline cudaError_t launch_array(LaunchConfig const& config,
                                void (*kernel)(P...),
                                void** arguments,
                                std::index_sequence<I...>) {
  (void)arguments;
  return static_cast<cudaError_t>(launch(config, kernel, P(*static_cast<std::decay_t<P>*>(arguments[I]))...));
}
template <typename... P>
inline int launch_entry(LaunchConfig const& config, void const* entry, void** arguments) {
  return launch_array(config,
                      reinterpret_cast<void (*)(P...)>(const_cast<void*>(entry)),
                      arguments,
                      std::index_sequence_for<P...>{});
}
inline LaunchConfig launch_config(
    dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream, bool cooperative, int line) {
  LaunchConfig c;
  c.grid = grid;
  c.block = block;
  c.shared_bytes = shared_bytes;
  c.stream = stream;
  c.name = nullptr;
  c.line = line;
  c.cooperative = cooperative;
  return c;
}
template <typename F>
inline void const* entry_of(F* f) {
  return reinterpret_cast<void const*>(f);
}
}  // namespace cuco::emu::impl

namespace cuco::emu {
/// `(void*)kernel` becomes `kernel_pointer(kernel)`.
template <typename... P>
inline void* kernel_pointer(void (*kernel)(P...)) {
  void* const entry = reinterpret_cast<void*>(kernel);
  impl::note_kernel(entry, &impl::launch_entry<P...>);
  return entry;
}
}  // namespace cuco::emu

inline cudaError_t cudaLaunchKernel(void const* kernel,
                                    dim3 grid,
                                    dim3 block,
                                    void** arguments,
                                    size_t shared_bytes = 0,
                                    cudaStream_t stream = nullptr,
                                    int line = __builtin_LINE()) {
  return static_cast<cudaError_t>(::cuco::emu::impl::launch_noted(
      ::cuco::emu::impl::launch_config(grid, block, shared_bytes, stream, false, line), kernel, arguments));
}
inline cudaError_t cudaLaunchCooperativeKernel(void const* kernel,
                                               dim3 grid,
                                               dim3 block,
                                               void** arguments,
                                               size_t shared_bytes = 0,
                                               cudaStream_t stream = nullptr,
                                               int line = __builtin_LINE()) {
  return static_cast<cudaError_t>(::cuco::emu::impl::launch_noted(
      ::cuco::emu::impl::launch_config(grid, block, shared_bytes, stream, true, line), kernel, arguments));
}
template <typename... P>
inline cudaError_t cudaLaunchKernel(void (*kernel)(P...),
                                    dim3 grid,
                                    dim3 block,
                                    void** arguments,
                                    size_t shared_bytes = 0,
                                    cudaStream_t stream = nullptr,
                                    int line = __builtin_LINE()) {
  return ::cuco::emu::impl::launch_array(
      ::cuco::emu::impl::launch_config(grid, block, shared_bytes, stream, false, line),
      kernel,
      arguments,
      std::index_sequence_for<P...>{});
}
template <typename... P>
inline cudaError_t cudaLaunchCooperativeKernel(void (*kernel)(P...),
                                               dim3 grid,
                                               dim3 block,
                                               void** arguments,
                                               size_t shared_bytes = 0,
                                               cudaStream_t stream = nullptr,
                                               int line = __builtin_LINE()) {
  return ::cuco::emu::impl::launch_array(
      ::cuco::emu::impl::launch_config(grid, block, shared_bytes, stream, true, line),
      kernel,
      arguments,
      std::index_sequence_for<P...>{});
}
namespace cuco::emu::impl {
inline LaunchConfig launch_config(cudaLaunchConfig_t const& config) {
  LaunchConfig c =
      launch_config(config.gridDim, config.blockDim, config.dynamicSmemBytes, config.stream, false, 0);
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    cudaLaunchAttributeValue const& value = config.attrs[i].val;
    switch (config.attrs[i].id) {
      case cudaLaunchAttributeCooperative: c.cooperative = value.cooperative != 0; break;
      case cudaLaunchAttributeClusterDimension:
        if (value.clusterDim.x * value.clusterDim.y * value.clusterDim.z > 1)
          not_emulated("thread block clusters (cudaLaunchAttributeClusterDimension)");
        break;
      // They let kernels start earlier or elsewhere; values do not change.
      case cudaLaunchAttributeIgnore:
      case cudaLaunchAttributePriority:
      case cudaLaunchAttributeAccessPolicyWindow:
      case cudaLaunchAttributeProgrammaticStreamSerialization:
      case cudaLaunchAttributeMemSyncDomain: break;
      default: not_emulated("this launch attribute of cudaLaunchKernelEx");
    }
  }
  return c;
}
}  // namespace cuco::emu::impl
template <typename... P, typename... A>
inline cudaError_t cudaLaunchKernelEx(cudaLaunchConfig_t const* config,
                                      void (*kernel)(P...),
                                      A&&... arguments) {
  return static_cast<cudaError_t>(
      ::cuco::emu::launch(::cuco::emu::impl::launch_config(*config), kernel, static_cast<A&&>(arguments)...));
}
template <typename... P>
inline cudaError_t cudaLaunchKernelExC(cudaLaunchConfig_t const* config,
                                       void (*kernel)(P...),
                                       void** arguments) {
  return ::cuco::emu::impl::launch_array(
      ::cuco::emu::impl::launch_config(*config), kernel, arguments, std::index_sequence_for<P...>{});
}
inline cudaError_t cudaLaunchKernelExC(cudaLaunchConfig_t const* config,
                                       void const* kernel,
                                       void** arguments) {
  return static_cast<cudaError_t>(
      ::cuco::emu::impl::launch_noted(::cuco::emu::impl::launch_config(*config), kernel, arguments));
}

// Questions about a kernel: by its type or by its untyped pointer.
inline cudaError_t cudaFuncSetAttribute(void const* kernel, cudaFuncAttribute attribute, int value) {
  return ::cuco::emu::impl::set_function_attribute(kernel, attribute, value);
}
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void const* kernel) {
  return ::cuco::emu::impl::get_function_attributes(attributes, kernel);
}
inline cudaError_t cudaFuncSetCacheConfig(void const*, cudaFuncCache) {
  return cudaSuccess;
}
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                                 void const* kernel,
                                                                 int threads,
                                                                 size_t shared_bytes) {
  if (blocks == nullptr || threads <= 0) return cudaErrorInvalidValue;
  *blocks = ::cuco::emu::impl::occupancy_of(kernel, threads, shared_bytes);
  return cudaSuccess;
}
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, void const* kernel, int threads, size_t shared_bytes, unsigned int) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, kernel, threads, shared_bytes);
}
template <typename F>
inline cudaError_t cudaOccupancyMaxPotentialBlockSizeVariableSMem(
    int* grid, int* block, void const* kernel, F shared_bytes, int limit = 0) {
  if (grid == nullptr || block == nullptr) return cudaErrorInvalidValue;
  int const most = limit > 0 && limit < 1024 ? limit : 1024;
  int best = 0;
  // As CUDA does: the size with most resident threads, the larger of equal ones.
  for (int threads = most; threads > 0; threads -= threads % 32 == 0 ? 32 : threads % 32) {
    int const fit = ::cuco::emu::impl::occupancy_of(kernel, threads, shared_bytes(threads));
    if (fit * threads <= best) continue;
    best = fit * threads;
    *block = threads;
    *grid = ::cuco::emu::impl::sm_count() * fit;
  }
  return best > 0 ? cudaSuccess : cudaErrorInvalidConfiguration;
}
inline cudaError_t cudaOccupancyMaxPotentialBlockSize(
    int* grid, int* block, void const* kernel, size_t shared_bytes = 0, int limit = 0) {
  return cudaOccupancyMaxPotentialBlockSizeVariableSMem(
      grid, block, kernel, [=](int) { return shared_bytes; }, limit);
}
template <typename... P>
inline cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute attribute, int value) {
  return cudaFuncSetAttribute(::cuco::emu::impl::entry_of(kernel), attribute, value);
}
template <typename... P>
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(P...)) {
  return cudaFuncGetAttributes(attributes, ::cuco::emu::impl::entry_of(kernel));
}
template <typename... P>
inline cudaError_t cudaFuncSetCacheConfig(void (*)(P...), cudaFuncCache) {
  return cudaSuccess;
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                                 void (*kernel)(P...),
                                                                 int threads,
                                                                 size_t shared_bytes) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      blocks, ::cuco::emu::impl::entry_of(kernel), threads, shared_bytes);
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, void (*kernel)(P...), int threads, size_t shared_bytes, unsigned int) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      blocks, ::cuco::emu::impl::entry_of(kernel), threads, shared_bytes);
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxPotentialBlockSize(
    int* grid, int* block, void (*kernel)(P...), size_t shared_bytes = 0, int limit = 0) {
  return cudaOccupancyMaxPotentialBlockSize(
      grid, block, ::cuco::emu::impl::entry_of(kernel), shared_bytes, limit);
}
template <typename F, typename... P>
inline cudaError_t cudaOccupancyMaxPotentialBlockSizeVariableSMem(
    int* grid, int* block, void (*kernel)(P...), F shared_bytes, int limit = 0) {
  return cudaOccupancyMaxPotentialBlockSizeVariableSMem(
      grid, block, ::cuco::emu::impl::entry_of(kernel), shared_bytes, limit);
}

namespace cuco::emu::impl {
template <typename T>
inline char* symbol_address(T& symbol) {
  auto* const address = const_cast<char*>(reinterpret_cast<char const volatile*>(&symbol));
  note_symbol(address, sizeof(T));
  return address;
}
}  // namespace cuco::emu::impl
template <typename T>
inline cudaError_t cudaMemcpyToSymbolAsync(T& symbol,
                                           void const* from,
                                           size_t bytes,
                                           size_t offset = 0,
                                           cudaMemcpyKind = cudaMemcpyHostToDevice,
                                           cudaStream_t stream = nullptr) {
  if (offset > sizeof(T) || bytes > sizeof(T) - offset) return cudaErrorInvalidValue;
  return ::cuco::emu::impl::copy_symbol(
      ::cuco::emu::impl::symbol_address(symbol) + offset, from, bytes, true, stream);
}
template <typename T>
inline cudaError_t cudaMemcpyToSymbol(
    T& symbol, void const* from, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyHostToDevice) {
  if (offset > sizeof(T) || bytes > sizeof(T) - offset) return cudaErrorInvalidValue;
  return ::cuco::emu::impl::copy_symbol(
      ::cuco::emu::impl::symbol_address(symbol) + offset, from, bytes, false, nullptr);
}
template <typename T>
inline cudaError_t cudaMemcpyFromSymbolAsync(void* to,
                                             T& symbol,
                                             size_t bytes,
                                             size_t offset = 0,
                                             cudaMemcpyKind = cudaMemcpyDeviceToHost,
                                             cudaStream_t stream = nullptr) {
  if (offset > sizeof(T) || bytes > sizeof(T) - offset) return cudaErrorInvalidValue;
  return ::cuco::emu::impl::copy_symbol(
      to, ::cuco::emu::impl::symbol_address(symbol) + offset, bytes, true, stream);
}
template <typename T>
inline cudaError_t cudaMemcpyFromSymbol(
    void* to, T& symbol, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyDeviceToHost) {
  if (offset > sizeof(T) || bytes > sizeof(T) - offset) return cudaErrorInvalidValue;
  return ::cuco::emu::impl::copy_symbol(
      to, ::cuco::emu::impl::symbol_address(symbol) + offset, bytes, false, nullptr);
}
template <typename T>
inline cudaError_t cudaGetSymbolAddress(void** pointer, T& symbol) {
  *pointer = ::cuco::emu::impl::symbol_address(symbol);
  return cudaSuccess;
}
template <typename P, typename T>
inline cudaError_t cudaGetSymbolAddress(P** pointer, T& symbol) {
  return cudaGetSymbolAddress(reinterpret_cast<void**>(pointer), symbol);
}
template <typename T>
inline cudaError_t cudaGetSymbolSize(size_t* bytes, T&) {
  *bytes = sizeof(T);
  return cudaSuccess;
}
