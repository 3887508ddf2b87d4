// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of the CUDA stream, event and launch functions. Included by the runtime object only.

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdlib>
#include <unordered_map>

#include "cuco/emu/impl/copy_operation.hpp"
#include "cuco/emu/impl/cuda_memory.hpp"
#include "cuco/emu/impl/host_templates.hpp"

namespace cuco::emu::impl {

void* allocate_arguments(std::size_t bytes, std::size_t align) {
  if (align > 64) not_emulated("kernel arguments aligned to more than 64 bytes");
  return ArgumentMemory::get().allocate(bytes);
}

struct NotedKernels {
  std::mutex mutex;
  std::unordered_map<void const*, EntryLauncher> launchers;
  static NotedKernels& get() {
    static NotedKernels* const all = new NotedKernels;
    return *all;
  }
};
void note_kernel(void const* entry, EntryLauncher launcher) {
  NotedKernels& all = NotedKernels::get();
  std::lock_guard<std::mutex> hold(all.mutex);
  all.launchers.emplace(entry, launcher);
}
int launch_noted(LaunchConfig const& config, void const* entry, void** arguments) {
  NotedKernels& all = NotedKernels::get();
  EntryLauncher launcher = nullptr;
  {
    std::lock_guard<std::mutex> hold(all.mutex);
    auto const it = all.launchers.find(entry);
    if (it != all.launchers.end()) launcher = it->second;
  }
  if (launcher == nullptr)
    not_emulated(
        "a launch through a pointer to void that was not made from a kernel's name, as in (void*)kernel");
  return launcher(config, entry, arguments);
}

/// A kernel's name, for launches whose text does not show it.
inline char const* entry_name(void const* entry) {
  static auto* const names = new std::unordered_map<void const*, std::string>;
  static auto* const mutex = new std::mutex;
  std::lock_guard<std::mutex> hold(*mutex);
  auto const [it, fresh] = names->emplace(entry, "kernel");
  Dl_info info{};
  if (fresh && entry != nullptr && ::dladdr(entry, &info) != 0 && info.dli_sname != nullptr &&
      info.dli_saddr == entry) {
    int status = 0;
    char* const text = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
    std::string name = status == 0 && text != nullptr ? text : info.dli_sname;
    std::free(text);
    name.resize(std::min(name.find('('), name.size()));
    if (std::size_t const space = name.find(' '); space < name.find('<')) name.erase(0, space + 1);
    it->second = std::move(name);
  }
  return it->second.c_str();
}

inline int sharing_limit(void const* entry) {
  std::size_t set = kernel_attributes(entry).dynamic_limit;
  return static_cast<int>(
      std::max<std::size_t>(set, static_cast<std::size_t>(machine().shared_per_block_bytes)));
}

int enqueue_kernel(LaunchConfig const& given,
                   void const* entry,
                   void (*invoke)(void*),
                   void (*destroy)(void*),
                   void* arguments) {
  use_device();
  LaunchConfig config = given;
  if (config.name == nullptr) config.name = entry_name(entry);
  Scheduler::get().on_finished = [](Grid& g) { KernelOperation::of(g).finish(); };
  Device& d = Device::get();
  CUstream_st* stream = d.resolve(config.stream);
  auto refuse = [&](cudaError_t error) {
    destroy(arguments);
    ArgumentMemory::get().release(arguments);
    return static_cast<int>(failed(error));
  };
  if (!d.valid(stream)) return refuse(cudaErrorInvalidResourceHandle);
  dim3 g = config.grid, b = config.block;
  std::uint64_t threads = static_cast<std::uint64_t>(b.x) * b.y * b.z;
  if (g.x == 0 || g.y == 0 || g.z == 0 || threads == 0 || g.x > 0x7fffffffu || g.y > 65535 || g.z > 65535 ||
      b.x > 1024 || b.y > 1024 || b.z > 64 || threads > 1024)
    return refuse(cudaErrorInvalidConfiguration);
  if (config.shared_bytes > static_cast<std::size_t>(sharing_limit(entry)))
    return refuse(cudaErrorInvalidValue);
  int fit = occupancy(static_cast<std::uint32_t>(threads), config.shared_bytes);
  if (fit == 0) return refuse(cudaErrorLaunchOutOfResources);
  if (config.cooperative &&
      static_cast<std::uint64_t>(g.x) * g.y * g.z >
          static_cast<std::uint64_t>(fit) * static_cast<std::uint64_t>(machine().sm_count)) {
    if (tracing()) trace_here(TraceKind::kTooLarge);
    return refuse(cudaErrorCooperativeLaunchTooLarge);
  }
  host_spends(machine().launch_issue_us);
  d.enqueue(stream, std::make_unique<KernelOperation>(config, invoke, destroy, arguments, stream->id));
  return cudaSuccess;
}

cudaError_t set_function_attribute(void const* entry, cudaFuncAttribute attribute, int value) {
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
      value > machine().shared_per_block_optin_bytes)
    return failed(cudaErrorInvalidValue);
  kernel_attributes(entry).dynamic_limit = static_cast<std::size_t>(value);
  return cudaSuccess;
}
cudaError_t get_function_attributes(cudaFuncAttributes* attributes, void const* entry) {
  if (attributes == nullptr) return failed(cudaErrorInvalidValue);
  *attributes = cudaFuncAttributes{};
  attributes->maxThreadsPerBlock = 1024;
  attributes->numRegs = machine().registers_per_thread;
  attributes->ptxVersion = attributes->binaryVersion = 90;
  attributes->maxDynamicSharedSizeBytes = sharing_limit(entry);
  return cudaSuccess;
}
int occupancy_of(void const*, int threads, std::size_t shared_bytes) {
  return threads > 1024 ? 0 : occupancy(static_cast<std::uint32_t>(threads), shared_bytes);
}
int sm_count() {
  return machine().sm_count;
}

/// A query that finds work unfinished costs no virtual time: the number of queries depends on the real
/// machine. It does not become the last error either, as with CUDA (seen with 13.0).
inline cudaError_t query(CompletionPtr const& c) {
  HostState& s = HostState::get();
  if (c && !c->done.load(std::memory_order_acquire)) {
    // A host thread that does nothing but ask counts as waiting, else a deadlock would never be seen.
    if (++s.stuck_queries == 1000) {
      std::snprintf(
          own_page()->host_text, sizeof own_page()->host_text, "cudaStreamQuery/cudaEventQuery in a loop");
      own_page()->host_waits.fetch_add(1);
    }
    s.free_steps = 4;
    if (s.stuck_queries > 100) real_sleep_us(50);
    return cudaErrorNotReady;
  }
  if (s.stuck_queries >= 1000) own_page()->host_waits.fetch_sub(1);
  s.stuck_queries = 0;
  s.free_steps = 0;
  if (c) trace(TraceKind::kHostJoin, c->operation);
  if (c && c->end > Device::get().host_clock) Device::get().host_clock = c->end;
  Device::get().host_clock += machine().api_us;
  return cudaSuccess;
}

}  // namespace cuco::emu::impl

extern "C" {
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned flags, int priority) {
  cei::use_device();
  if (s == nullptr || flags > cudaStreamNonBlocking) return cei::failed(cudaErrorInvalidValue);
  *s = cei::Device::get().create_stream((flags & cudaStreamNonBlocking) == 0, std::clamp(priority, -5, 0));
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned flags) {
  return cudaStreamCreateWithPriority(s, flags, 0);
}
cudaError_t cudaStreamCreate(cudaStream_t* s) {
  return cudaStreamCreateWithPriority(s, 0, 0);
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  cei::Device& d = cei::Device::get();
  if (!cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  cei::host_spends(cei::machine().api_us);
  d.wait(d.last(d.resolve(s)), "cudaStreamSynchronize");
  d.host_clock += cei::machine().sync_return_us;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  cei::Device& d = cei::Device::get();
  if (d.resolve(s) == d.legacy() || !cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  d.wait(d.last(s), "cudaStreamDestroy");
  d.destroy_stream(s);
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t s) {
  if (!cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  return cei::query(cei::Device::get().last(cei::Device::get().resolve(s)));
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  if (e == nullptr || !cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  cei::host_spends(cei::machine().api_us);
  if (!e->completion) return cudaSuccess;
  auto op = std::make_unique<cei::MarkerOperation>();
  op->after.push_back(e->completion);
  cei::Device::get().enqueue(cei::Device::get().resolve(s), std::move(op));
  return cudaSuccess;
}
cudaError_t cudaStreamGetPriority(cudaStream_t s, int* priority) {
  if (!cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  *priority = cei::Device::get().resolve(s)->priority;
  return cudaSuccess;
}
cudaError_t cudaStreamGetFlags(cudaStream_t s, unsigned* flags) {
  if (!cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  *flags = cei::Device::get().resolve(s)->blocking ? cudaStreamDefault : cudaStreamNonBlocking;
  return cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t s, cudaHostFn_t f, void* data) {
  if (f == nullptr || !cei::valid_stream(s)) return cei::failed(cudaErrorInvalidValue);
  cei::host_spends(cei::machine().api_us);
  cei::Device::get().enqueue(cei::Device::get().resolve(s),
                             std::make_unique<cei::HostOperation>([f, data] { f(data); }));
  return cudaSuccess;
}
cudaError_t cudaStreamAddCallback(cudaStream_t s, cudaStreamCallback_t f, void* data, unsigned) {
  if (f == nullptr || !cei::valid_stream(s)) return cei::failed(cudaErrorInvalidValue);
  cei::host_spends(cei::machine().api_us);
  cei::Device::get().enqueue(cei::Device::get().resolve(s),
                             std::make_unique<cei::HostOperation>([s, f, data] { f(s, cudaSuccess, data); }));
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned flags) {
  cei::use_device();
  if (e == nullptr) return cei::failed(cudaErrorInvalidValue);
  *e = new CUevent_st;
  (*e)->timing = (flags & cudaEventDisableTiming) == 0;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  if (e == nullptr) return cei::failed(cudaErrorInvalidResourceHandle);
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  if (e == nullptr || !cei::valid_stream(s)) return cei::failed(cudaErrorInvalidResourceHandle);
  cei::host_spends(cei::machine().api_us);
  e->completion =
      cei::Device::get().enqueue(cei::Device::get().resolve(s), std::make_unique<cei::MarkerOperation>());
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t e, cudaStream_t s, unsigned) {
  return cudaEventRecord(e, s);
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  if (e == nullptr) return cei::failed(cudaErrorInvalidResourceHandle);
  cei::host_spends(cei::machine().api_us);
  cei::Device::get().wait(e->completion, "cudaEventSynchronize");
  cei::Device::get().host_clock += cei::machine().sync_return_us;
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t e) {
  if (e == nullptr) return cei::failed(cudaErrorInvalidResourceHandle);
  return cei::query(e->completion);
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  if (ms == nullptr || a == nullptr || b == nullptr) return cei::failed(cudaErrorInvalidValue);
  if (!a->completion || !b->completion || !a->timing || !b->timing)
    return cei::failed(cudaErrorInvalidResourceHandle);
  if (!a->completion->done.load(std::memory_order_acquire) ||
      !b->completion->done.load(std::memory_order_acquire))
    return cudaErrorNotReady;
  *ms = static_cast<float>((b->completion->end - a->completion->end) * 1e-3);
  return cudaSuccess;
}
}
