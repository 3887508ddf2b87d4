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

template <typename... P, std::size_t... I>
inline cudaError_t launch_array(LaunchConfig const& config,
                                void (*kernel)(P...),
                                void** arguments,
                                std::index_sequence<I...>) {
  (void)arguments;
  return static_cast<cudaError_t>(launch(config, kernel, P(*static_cast<std::decay_t<P>*>(arguments[I]))...));
}
inline LaunchConfig launch_config(
    dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream, bool cooperative, int line) {
  LaunchConfig c;
  c.grid = grid;
  c.block = block;
  c.shared_bytes = shared_bytes;
  c.stream = stream;
  c.name = "kernel";
  c.line = line;
  c.cooperative = cooperative;
  return c;
}
template <typename F>
inline void const* entry_of(F* f) {
  return reinterpret_cast<void const*>(f);
}
}  // namespace cuco::emu::impl

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
    if (config.attrs[i].id == cudaLaunchAttributeCooperative)
      c.cooperative = config.attrs[i].val.cooperative != 0;
    else if (config.attrs[i].id != cudaLaunchAttributeIgnore &&
             config.attrs[i].id != cudaLaunchAttributePriority)
      not_emulated("this launch attribute");
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
template <typename... P>
inline cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute attribute, int value) {
  return ::cuco::emu::impl::set_function_attribute(::cuco::emu::impl::entry_of(kernel), attribute, value);
}
template <typename... P>
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(P...)) {
  return ::cuco::emu::impl::get_function_attributes(attributes, ::cuco::emu::impl::entry_of(kernel));
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
  if (blocks == nullptr || threads <= 0) return cudaErrorInvalidValue;
  *blocks = ::cuco::emu::impl::occupancy_of(::cuco::emu::impl::entry_of(kernel), threads, shared_bytes);
  return cudaSuccess;
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxPotentialBlockSize(
    int* grid, int* block, void (*kernel)(P...), size_t shared_bytes = 0, int limit = 0) {
  if (grid == nullptr || block == nullptr) return cudaErrorInvalidValue;
  *block = limit > 0 && limit < 1024 ? limit : 1024;
  *grid = ::cuco::emu::impl::sm_count() *
          ::cuco::emu::impl::occupancy_of(::cuco::emu::impl::entry_of(kernel), *block, shared_bytes);
  return cudaSuccess;
}

template <typename T>
inline cudaError_t cudaMemcpyToSymbol(
    T& symbol, void const* from, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyHostToDevice) {
  if (offset + bytes > sizeof(T)) return cudaErrorInvalidValue;
  return ::cuco::emu::impl::copy_symbol(
      const_cast<char*>(reinterpret_cast<char const volatile*>(&symbol)) + offset,
      from,
      bytes,
      false,
      nullptr);
}
template <typename T>
inline cudaError_t cudaMemcpyToSymbolAsync(
    T& symbol, void const* from, size_t bytes, size_t offset, cudaMemcpyKind, cudaStream_t stream = nullptr) {
  if (offset + bytes > sizeof(T)) return cudaErrorInvalidValue;
  return ::cuco::emu::impl::copy_symbol(
      const_cast<char*>(reinterpret_cast<char const volatile*>(&symbol)) + offset, from, bytes, true, stream);
}
template <typename T>
inline cudaError_t cudaMemcpyFromSymbol(
    void* to, T& symbol, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyDeviceToHost) {
  if (offset + bytes > sizeof(T)) return cudaErrorInvalidValue;
  return ::cuco::emu::impl::copy_symbol(
      to,
      const_cast<char const*>(reinterpret_cast<char const volatile*>(&symbol)) + offset,
      bytes,
      false,
      nullptr);
}
template <typename T>
inline cudaError_t cudaGetSymbolAddress(void** pointer, T& symbol) {
  *pointer = const_cast<char*>(reinterpret_cast<char const volatile*>(&symbol));
  return cudaSuccess;
}
