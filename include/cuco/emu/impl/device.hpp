// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What kernel code sees of the emulator: built-in variables, block, warp and grid synchronisation, shared
/// memory, and the launch entry that rewritten `<<<>>>` expressions call. Candidates include it through
/// cuda_runtime.h.
///
/// One CUDA thread is one fiber of the process's only device thread. Everything here is called from kernel
/// code only, except `launch`, which is host code.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include "vector_types.h"

struct CUstream_st;
typedef struct CUstream_st* cudaStream_t;

namespace cuco::emu {

/// The built-in variables of the running CUDA thread. Constant while one thread's kernel function runs,
/// therefore declared const for candidates: the compiler's access instrumentation leaves reads of constants
/// alone.
struct Builtins {
  uint3 thread_idx;
  uint3 block_idx;
  dim3 block_dim;
  dim3 grid_dim;
  std::uint32_t linear;   ///< Thread index in the block, x fastest.
  std::uint32_t lane;     ///< linear % 32
  std::uint32_t warp;     ///< linear / 32
  std::uint32_t threads;  ///< Threads in the block.
};

extern __thread Builtins const builtins __asm__("cuco_emu_builtins");

/// Lets other CUDA threads, and deliveries from peers, proceed. Costs no virtual time.
void yield();

namespace impl {
using Predicate = bool (*)(void*);
/// Fills `text` (capacity `n`) with what is waited for, for example "signal 3 >= 7 (now 5)".
using Describe = void (*)(void*, char* text, std::size_t n);
void wait(Predicate, Describe, void* context);
}  // namespace impl

/// Blocks the running CUDA thread until `pred()` is true. `pred` is evaluated by the scheduler, outside of
/// any fiber, and must not block. `describe(char*, size_t)` writes the line of a deadlock report.
template <typename Pred, typename Describe>
void wait_until(Pred pred, Describe describe) {
  if (pred()) return;
  struct Both {
    Pred& pred;
    Describe& describe;
  } both{pred, describe};
  impl::wait([](void* p) -> bool { return static_cast<Both*>(p)->pred(); },
             [](void* p, char* text, std::size_t n) { static_cast<Both*>(p)->describe(text, n); },
             &both);
}

/// `__syncthreads`: all threads of the block that have not exited.
void block_sync();
/// Barrier plus reduction of `value` over the block's threads: number of nonzero values.
int block_sync_count(int value);
/// Named barrier (`bar.sync id, count`): `count` threads (a multiple of 32) of the block meet at `id`.
void named_barrier_sync(unsigned id, unsigned count);
/// Barrier of the whole grid. Exit 92 unless the launch was cooperative.
void grid_sync();
/// Was the running kernel launched cooperatively?
bool grid_is_cooperative();
/// Barrier of the lanes in `mask` of the caller's warp; the caller must be in it (exit 92 otherwise). Lanes
/// that have exited count as arrived.
void warp_sync(std::uint32_t mask);
/// Lanes of the caller's warp that have not exited.
std::uint32_t warp_live_lanes();
/// Exchanges one 8-byte value per lane among the lanes of `mask`; `out[32]` is filled for arrived lanes,
/// others are 0. Returns the mask of lanes that really took part (not exited).
std::uint32_t warp_exchange(std::uint32_t mask, std::uint64_t value, std::uint64_t* out, char const* what);

/// Base of a `__shared__` variable of the running block. `function` and `site` identify the declaration.
void* shared_static_bytes(char const* function, int site, std::size_t bytes, std::size_t align);
/// Base of the dynamic shared memory of the running block (16-byte aligned at least).
void* shared_dynamic_bytes();

/// `__shared__ T name[a][b];` becomes `T (&name)[a][b] = shared_static<T[a][b]>(__PRETTY_FUNCTION__, SITE);`.
template <typename T>
T& shared_static(char const* function, int site) {
  return *static_cast<T*>(shared_static_bytes(function, site, sizeof(T), alignof(T)));
}
/// `extern __shared__ T name[];` becomes `T* name = shared_dynamic<T>();`.
template <typename T>
T* shared_dynamic() {
  return static_cast<T*>(shared_dynamic_bytes());
}

enum class AtomicOp : int {
  kAdd,
  kExch,
  kMin,
  kMax,
  kAnd,
  kOr,
  kXor,
  kInc,
  kDec,
  kAddFloat,
  kMinSigned,
  kMaxSigned
};
/// Atomic read-modify-write on `bytes` (1, 2, 4 or 8) at `p`, system scope, checked and counted. kAddFloat:
/// float or double by size. Returns the old bits.
std::uint64_t atomic_op(AtomicOp op, void* p, unsigned bytes, std::uint64_t value);
/// Atomic compare and swap, as above.
std::uint64_t atomic_cas(void* p, unsigned bytes, std::uint64_t expected, std::uint64_t desired);
/// Atomic load, as above. Polling it lets others proceed.
std::uint64_t atomic_load(void const* p, unsigned bytes);
/// Atomic store, as above.
void atomic_store(void* p, unsigned bytes, std::uint64_t value);

/// Order (0 relaxed, 1 acquire, 2 release, 3 both) and scope (0 thread, 1 block, 2 device, 3 system) of the next atomic
/// operation of the running thread. They matter to the checker only: every operation is sequentially consistent here.
void ask_order(unsigned order, unsigned scope);
/// A fence of that order and scope.
void fence(unsigned order, unsigned scope);

/// Bits of a trivially copyable value of at most 8 bytes.
template <typename T>
std::uint64_t to_bits(T const& v) {
  static_assert(std::is_trivially_copyable<T>::value && sizeof(T) <= 8, "a value of at most 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof(T));
  return bits;
}
template <typename T>
T from_bits(std::uint64_t bits) {
  T v;
  std::memcpy(static_cast<void*>(&v), &bits, sizeof(T));
  return v;
}

/// Read-modify-write with any function `T f(T)`; T of 2, 4 or 8 bytes. For types the hardware atomics lack
/// (half2, ...).
template <typename T, typename F>
T atomic_update(T* p, F f, unsigned order = 0, unsigned scope = 2) {
  ask_order(order & 1U, scope);
  std::uint64_t old = atomic_load(p, sizeof(T));
  while (true) {
    ask_order(order, scope);
    std::uint64_t seen = atomic_cas(p, sizeof(T), old, to_bits<T>(f(from_bits<T>(old))));
    if (seen == old) return from_bits<T>(old);
    old = seen;
  }
}

/// Virtual time of the running CUDA thread in nanoseconds.
std::uint64_t thread_time_ns();
/// GPU cycles of the same clock.
std::uint64_t thread_cycles();
/// Ends the program: exit 92. `rule` names the violated rule of the API; block and thread are added.
[[noreturn]] void illegal_use(char const* format, ...) __attribute__((format(printf, 1, 2)));
/// Ends the program: exit 91, "not emulated: <what>".
[[noreturn]] void not_emulated(char const* what);
/// `__trap()`: ends the program with exit 92.
[[noreturn]] void device_trap();

/// How a kernel is started. `name` is the kernel's spelling in the source.
struct LaunchConfig {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
  char const* name = "kernel";
  int line = 0;
  bool cooperative = false;
};

namespace impl {
/// Memory for a kernel's arguments; readable by kernels, freed after the kernel's end.
void* allocate_arguments(std::size_t bytes, std::size_t align);
/// Enqueues; `entry` identifies the kernel function or is null. Errors go to cudaGetLastError. Returns the
/// error.
int enqueue_kernel(LaunchConfig const& config,
                   void const* entry,
                   void (*invoke)(void*),
                   void (*destroy)(void*),
                   void* arguments);

template <typename F, typename... T>
struct Call {
  F function;
  std::tuple<T...> arguments;

  template <std::size_t... I>
  void run(std::index_sequence<I...>) const {
    function(std::get<I>(arguments)...);
  }
  static void invoke(void* self) { static_cast<Call const*>(self)->run(std::index_sequence_for<T...>{}); }
  static void destroy(void* self) { static_cast<Call*>(self)->~Call(); }
};

template <typename... T, typename F, typename... A>
int launch_call(LaunchConfig const& config, void const* entry, F function, A&&... arguments) {
  using C = Call<F, T...>;
  void* memory = allocate_arguments(sizeof(C), alignof(C));
  ::new (memory) C{std::move(function), std::tuple<T...>(static_cast<T>(std::forward<A>(arguments))...)};
  return enqueue_kernel(config, entry, &C::invoke, &C::destroy, memory);
}
}  // namespace impl

/// A launch of a kernel by function pointer: arguments are converted to the parameter types, by value, now.
template <typename... P, typename... A>
int launch(LaunchConfig const& config, void (*kernel)(P...), A&&... arguments) {
  static_assert(sizeof...(P) == sizeof...(A),
                "the kernel's parameters and the launch's arguments differ in number");
  return impl::launch_call<std::decay_t<P>...>(
      config, reinterpret_cast<void const*>(kernel), kernel, std::forward<A>(arguments)...);
}
/// A launch of any other callable (kernel templates with deduced arguments): arguments are decayed, by value.
template <typename F, typename... A, typename = std::enable_if_t<!std::is_pointer<std::decay_t<F>>::value>>
int launch(LaunchConfig const& config, F&& callable, A&&... arguments) {
  return impl::launch_call<std::decay_t<A>...>(
      config, nullptr, std::decay_t<F>(std::forward<F>(callable)), std::forward<A>(arguments)...);
}

}  // namespace cuco::emu
