// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of the CUDA memory functions. Included by the runtime object only.

#include "cuco/emu/impl/copy_operation.hpp"
#include "cuco/emu/impl/host_templates.hpp"

namespace cuco::emu::impl {

inline cudaError_t allocate(void** pointer, std::size_t bytes, Allocation::Kind kind) {
  use_device();
  if (pointer == nullptr) return failed(cudaErrorInvalidValue);
  *pointer = nullptr;
  host_spends(machine().api_us);
  if (bytes == 0) return cudaSuccess;
  Allocation* a = Heap::get().allocate(bytes, kind);
  if (a == nullptr) return failed(cudaErrorMemoryAllocation);
  if (tracing()) trace(TraceKind::kAllocate, trace_heap(reinterpret_cast<void*>(a->base)), bytes);
  *pointer = reinterpret_cast<void*>(a->base);
  return cudaSuccess;
}

inline cudaError_t synchronize_all(char const* call) {
  if (HostState::get().unloading) return failed(cudaErrorCudartUnloading);
  Device& d = Device::get();
  host_spends(machine().api_us);
  for (CompletionPtr const& c : d.last_of_all()) d.wait(c, call);
  d.host_clock += machine().sync_return_us;
  return cudaSuccess;
}

/// The allocation that a call may free, or null.
inline Allocation* freeable(void* pointer, bool host, char const* call) {
  Allocation* a = find_allocation(pointer);
  bool pinned = a != nullptr && a->kind == Allocation::kPinned;
  if (a == nullptr || a->base != reinterpret_cast<std::uintptr_t>(pointer) || a->peer >= 0 || a->freeing ||
      pinned != host || a->kind == Allocation::kInternal || a->kind == Allocation::kWindowPart)
    return nullptr;
  if (a->windows > 0)
    fatal(kIllegalUse, "illegal use: %s of memory that is still registered as a window", call);
  return a;
}

inline cudaError_t release(void* pointer, bool host, char const* call) {
  if (HostState::get().unloading) return failed(cudaErrorCudartUnloading);
  if (pointer == nullptr) return cudaSuccess;
  if (freeable(pointer, host, call) == nullptr) return failed(cudaErrorInvalidValue);
  for (CompletionPtr const& c : Device::get().last_of_all()) Device::get().wait(c, call);
  host_spends(machine().api_us);
  if (tracing()) trace(TraceKind::kFree, trace_heap(pointer));
  return Heap::get().release(pointer) ? cudaSuccess : failed(cudaErrorInvalidValue);
}

void note_symbol(void const* address, std::size_t bytes) {
  KnownRanges::get().add({KnownRange::kSymbol, reinterpret_cast<std::uintptr_t>(address), bytes});
}

cudaError_t copy_symbol(
    void* to, void const* from, std::size_t bytes, bool asynchronous, cudaStream_t stream) {
  return enqueue_copy({static_cast<char*>(to), bytes, static_cast<char const*>(from), bytes, bytes, 1},
                      cudaMemcpyDefault,
                      stream,
                      asynchronous,
                      "cudaMemcpyToSymbol");
}

}  // namespace cuco::emu::impl

extern "C" {
cudaError_t cudaMalloc(void** p, size_t n) {
  return cei::allocate(p, n, cei::Allocation::kDevice);
}
cudaError_t cudaMallocManaged(void** p, size_t n, unsigned) {
  return cei::allocate(p, n, cei::Allocation::kManaged);
}
cudaError_t cudaMallocHost(void** p, size_t n) {
  return cei::allocate(p, n, cei::Allocation::kPinned);
}
cudaError_t cudaHostAlloc(void** p, size_t n, unsigned) {
  return cei::allocate(p, n, cei::Allocation::kPinned);
}
cudaError_t cudaMallocAsync(void** p, size_t n, cudaStream_t) {
  return cei::allocate(p, n, cei::Allocation::kDevice);
}
cudaError_t cudaMallocFromPoolAsync(void** p, size_t n, cudaMemPool_t pool, cudaStream_t) {
  if (pool == nullptr) return cei::failed(cudaErrorInvalidValue);
  return cei::allocate(p, n, cei::Allocation::kDevice);
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  cei::Allocation* a = cei::find_allocation(host);
  bool const pinned = a != nullptr && a->kind == cei::Allocation::kPinned;
  if (!pinned && cei::known_range(host).kind != cei::KnownRange::kRegistered)
    return cei::failed(cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}
cudaError_t cudaHostGetFlags(unsigned* flags, void* host) {
  void* device = nullptr;
  if (cudaHostGetDevicePointer(&device, host, 0) != cudaSuccess) return cudaErrorInvalidValue;
  *flags = cudaHostAllocPortable | cudaHostAllocMapped;
  return cudaSuccess;
}
cudaError_t cudaHostRegister(void* p, size_t n, unsigned) {
  cei::use_device();
  if (p == nullptr || n == 0 || cei::find_allocation(p) != nullptr) return cei::failed(cudaErrorInvalidValue);
  cei::host_spends(cei::machine().api_us);
  if (!cei::KnownRanges::get().add({cei::KnownRange::kRegistered, reinterpret_cast<std::uintptr_t>(p), n}))
    return cei::failed(cudaErrorHostMemoryAlreadyRegistered);
  return cudaSuccess;
}
cudaError_t cudaHostUnregister(void* p) {
  cei::KnownRange const known = cei::known_range(p);
  if (known.kind != cei::KnownRange::kRegistered || known.base != reinterpret_cast<std::uintptr_t>(p))
    return cei::failed(cudaErrorHostMemoryNotRegistered);
  for (auto const& c : cei::Device::get().last_of_all()) cei::Device::get().wait(c, "cudaHostUnregister");
  cei::host_spends(cei::machine().api_us);
  cei::KnownRanges::get().remove(known.base);
  return cudaSuccess;
}
cudaError_t cudaMallocPitch(void** p, size_t* pitch, size_t width, size_t height) {
  *pitch = (width + 511) / 512 * 512;
  return cei::allocate(p, *pitch * height, cei::Allocation::kDevice);
}
cudaError_t cudaFree(void* p) {
  return cei::release(p, false, "cudaFree");
}
cudaError_t cudaFreeHost(void* p) {
  return cei::release(p, true, "cudaFreeHost");
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t s) {
  if (p == nullptr) return cudaSuccess;
  if (!cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  cei::Allocation* a = cei::freeable(p, false, "cudaFreeAsync");
  if (a == nullptr) return cei::failed(cudaErrorInvalidValue);
  a->freeing = true;
  cei::host_spends(cei::machine().api_us);
  cei::Device& d = cei::Device::get();
  d.enqueue(d.resolve(s), std::make_unique<cei::FreeOperation>(p));
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  cei::use_device();
  *total = static_cast<size_t>(cei::machine().memory_gib * 1073741824.0);
  *free = *total - std::min(*total, cei::Heap::get().used());
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, void const* p) {
  cei::Allocation* a = cei::find_allocation(p);
  cei::KnownRange::Kind const known = cei::known_range(p).kind;
  bool const registered = known == cei::KnownRange::kRegistered;
  attributes->device = cei::HostState::get().device;
  attributes->devicePointer =
      a != nullptr || known != cei::KnownRange::kNone ? const_cast<void*>(p) : nullptr;
  attributes->hostPointer = (a != nullptr && a->host_ok) || registered ? const_cast<void*>(p) : nullptr;
  attributes->type = registered                             ? cudaMemoryTypeHost
                     : known == cei::KnownRange::kSymbol    ? cudaMemoryTypeDevice
                     : a == nullptr                         ? cudaMemoryTypeUnregistered
                     : a->kind == cei::Allocation::kPinned  ? cudaMemoryTypeHost
                     : a->kind == cei::Allocation::kManaged ? cudaMemoryTypeManaged
                                                            : cudaMemoryTypeDevice;
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, void const* from, size_t n, cudaMemcpyKind kind) {
  return cei::enqueue_copy({static_cast<char*>(to), n, static_cast<char const*>(from), n, n, 1},
                           kind,
                           nullptr,
                           false,
                           "cudaMemcpy");
}
cudaError_t cudaMemcpyAsync(void* to, void const* from, size_t n, cudaMemcpyKind kind, cudaStream_t s) {
  return cei::enqueue_copy(
      {static_cast<char*>(to), n, static_cast<char const*>(from), n, n, 1}, kind, s, true, "cudaMemcpyAsync");
}
cudaError_t cudaMemcpyPeer(void* to, int, void const* from, int, size_t n) {
  return cudaMemcpy(to, from, n, cudaMemcpyDeviceToDevice);
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, void const* from, int, size_t n, cudaStream_t s) {
  return cudaMemcpyAsync(to, from, n, cudaMemcpyDeviceToDevice, s);
}
cudaError_t cudaMemcpy2D(void* to,
                         size_t to_pitch,
                         void const* from,
                         size_t from_pitch,
                         size_t width,
                         size_t height,
                         cudaMemcpyKind kind) {
  return cei::enqueue_copy(
      {static_cast<char*>(to), to_pitch, static_cast<char const*>(from), from_pitch, width, height},
      kind,
      nullptr,
      false,
      "cudaMemcpy2D");
}
cudaError_t cudaMemcpy2DAsync(void* to,
                              size_t to_pitch,
                              void const* from,
                              size_t from_pitch,
                              size_t width,
                              size_t height,
                              cudaMemcpyKind kind,
                              cudaStream_t s) {
  return cei::enqueue_copy(
      {static_cast<char*>(to), to_pitch, static_cast<char const*>(from), from_pitch, width, height},
      kind,
      s,
      true,
      "cudaMemcpy2DAsync");
}
cudaError_t cudaMemset2DAsync(
    void* to, size_t pitch, int value, size_t width, size_t height, cudaStream_t s) {
  cei::use_device();
  if (width == 0 || height == 0) return cudaSuccess;
  if (to == nullptr || (height > 1 && pitch < width) || cei::is_pageable(to) || !cei::valid_stream(s))
    return cei::failed(cudaErrorInvalidValue);
  cei::check_bulk(to, pitch * (height - 1) + width, "cudaMemset", "the destination");
  cei::host_spends(cei::machine().api_us);
  cei::Device& d = cei::Device::get();
  d.enqueue(d.resolve(s),
            std::make_unique<cei::FillOperation>(static_cast<char*>(to), pitch, value, width, height));
  return cudaSuccess;
}
cudaError_t cudaMemset2D(void* to, size_t pitch, int value, size_t width, size_t height) {
  return cudaMemset2DAsync(to, pitch, value, width, height, nullptr);
}
cudaError_t cudaMemset(void* to, int value, size_t n) {
  return cudaMemset2DAsync(to, n, value, n, 1, nullptr);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t n, cudaStream_t s) {
  return cudaMemset2DAsync(to, n, value, n, 1, s);
}
cudaError_t cudaStreamAttachMemAsync(cudaStream_t s, void*, size_t, unsigned) {
  return cei::valid_stream(s) ? cudaSuccess : cei::failed(cudaErrorInvalidResourceHandle);
}

// Pools: there is memory of one kind, and it is never kept back.
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  if (pool == nullptr || device < 0 || device >= cei::device_count())
    return cei::failed(cudaErrorInvalidValue);
  static std::uint64_t threshold = 0;
  *pool = reinterpret_cast<cudaMemPool_t>(&threshold);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  return cudaDeviceGetDefaultMemPool(pool, device);
}
cudaError_t cudaDeviceSetMemPool(int, cudaMemPool_t pool) {
  return pool != nullptr ? cudaSuccess : cei::failed(cudaErrorInvalidValue);
}
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, cudaMemPoolProps const* properties) {
  if (pool == nullptr || properties == nullptr) return cei::failed(cudaErrorInvalidValue);
  *pool = reinterpret_cast<cudaMemPool_t>(new std::uint64_t{0});
  return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  delete reinterpret_cast<std::uint64_t*>(pool);
  return cudaSuccess;
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t) {
  return pool != nullptr ? cudaSuccess : cei::failed(cudaErrorInvalidValue);
}
cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, cudaMemAccessDesc const*, size_t) {
  return pool != nullptr ? cudaSuccess : cei::failed(cudaErrorInvalidValue);
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (pool == nullptr || value == nullptr) return cei::failed(cudaErrorInvalidValue);
  if (attribute == cudaMemPoolAttrReleaseThreshold)
    *reinterpret_cast<std::uint64_t*>(pool) = *static_cast<std::uint64_t*>(value);
  return cudaSuccess;
}
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (pool == nullptr || value == nullptr) return cei::failed(cudaErrorInvalidValue);
  if (attribute <= cudaMemPoolReuseAllowInternalDependencies)
    *static_cast<int*>(value) = 1;
  else if (attribute == cudaMemPoolAttrReleaseThreshold)
    *static_cast<std::uint64_t*>(value) = *reinterpret_cast<std::uint64_t*>(pool);
  else
    *static_cast<std::uint64_t*>(value) = cei::Heap::get().used();
  return cudaSuccess;
}
}
