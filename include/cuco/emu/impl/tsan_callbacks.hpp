// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The functions that -fsanitize=thread instrumentation calls. The sanitizer's own runtime is not linked.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cuco/emu/impl/access.hpp"

// Exactly one translation unit includes this file: the runtime object.
#define CUCO_EVOLVE_ACCESS(n)                                            \
  void __tsan_read##n(void* p) {                                         \
    cuco::emu::impl::on_access<false>(p, n, __builtin_frame_address(0)); \
  }                                                                      \
  void __tsan_write##n(void* p) {                                        \
    cuco::emu::impl::on_access<true>(p, n, __builtin_frame_address(0));  \
  }                                                                      \
  void __tsan_unaligned_read##n(void* p) {                               \
    cuco::emu::impl::on_access<false>(p, n, __builtin_frame_address(0)); \
  }                                                                      \
  void __tsan_unaligned_write##n(void* p) {                              \
    cuco::emu::impl::on_access<true>(p, n, __builtin_frame_address(0));  \
  }                                                                      \
  void __tsan_read_write##n(void* p) {                                   \
    cuco::emu::impl::on_access<false>(p, n, __builtin_frame_address(0)); \
    cuco::emu::impl::on_access<true>(p, n, __builtin_frame_address(0));  \
  }                                                                      \
  void __tsan_unaligned_read_write##n(void* p) {                         \
    __tsan_read_write##n(p);                                             \
  }                                                                      \
  void __tsan_volatile_read##n(void* p) {                                \
    cuco::emu::impl::volatile_read(p, n);                                \
  }                                                                      \
  void __tsan_volatile_write##n(void* p) {                               \
    cuco::emu::impl::volatile_write(p, n);                               \
  }                                                                      \
  void __tsan_unaligned_volatile_read##n(void* p) {                      \
    __tsan_volatile_read##n(p);                                          \
  }                                                                      \
  void __tsan_unaligned_volatile_write##n(void* p) {                     \
    __tsan_volatile_write##n(p);                                         \
  }

namespace cuco::emu::impl {

/// The memory orders of the C++ ABI.
inline std::uint8_t standard_order(int order) {
  TraceOrder const o = order <= 0   ? TraceOrder::kRelaxed
                       : order <= 2 ? TraceOrder::kAcquire
                       : order == 3 ? TraceOrder::kRelease
                                    : TraceOrder::kAcquireRelease;
  return trace_flags(o, TraceScope::kSystem);
}

template <typename T, typename F>
inline T atomic_rmw(void volatile* address, F f) {
  void* p = const_cast<void*>(address);
  std::uint8_t const order = take_order();
  trace_atomic(TraceKind::kAtomicUpdate, p, sizeof(T), order);
  if (current_thread == nullptr) on_untraced_access<true>(p, sizeof(T));
  if (current_thread != nullptr) synchronising_access(p, sizeof(T), true, true);
  auto* at = static_cast<T*>(p);
  T old = __atomic_load_n(at, __ATOMIC_ACQUIRE);
  T desired = f(old);
  while (!__atomic_compare_exchange_n(at, &old, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    desired = f(old);
  atomic_done(p, sizeof(T), desired != old, false);
  trace_atomic(TraceKind::kAtomicLoad, p, sizeof(T), order);
  return old;
}
template <typename T>
inline T atomic_compare(void volatile* address, T expected, T desired) {
  void* p = const_cast<void*>(address);
  std::uint8_t const order = take_order();
  trace_atomic(TraceKind::kAtomicUpdate, p, sizeof(T), order);
  synchronising_access(p, sizeof(T), true, true, false);
  T seen = expected;
  bool done = __atomic_compare_exchange_n(
      static_cast<T*>(p), &seen, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  atomic_done(p, sizeof(T), done && expected != desired, true);
  trace_atomic(TraceKind::kAtomicLoad, p, sizeof(T), order);
  return seen;
}
template <typename T>
inline T atomic_read(void const volatile* p) {
  std::uint8_t const order = take_order();
  synchronising_access(const_cast<void const*>(p), sizeof(T), true, false);
  T const value = __atomic_load_n(static_cast<T const volatile*>(p), __ATOMIC_ACQUIRE);
  trace_atomic(TraceKind::kAtomicLoad, const_cast<void const*>(p), sizeof(T), order);
  return value;
}
template <typename T>
inline void atomic_write(void volatile* p, T v) {
  trace_atomic(TraceKind::kAtomicStore, const_cast<void*>(p), sizeof(T), take_order());
  synchronising_access(const_cast<void*>(p), sizeof(T), false, true);
  __atomic_store_n(static_cast<T volatile*>(p), v, __ATOMIC_RELEASE);
}

}  // namespace cuco::emu::impl

#define CUCO_EVOLVE_FETCH(bits, T, name, expression)                                             \
  T __tsan_atomic##bits##_##name(T volatile* p, T v, int order) {                                \
    cuco::emu::impl::asked_order = cuco::emu::impl::standard_order(order);                       \
    return cuco::emu::impl::atomic_rmw<T>(p, [v](T old) { return static_cast<T>(expression); }); \
  }
#define CUCO_EVOLVE_ATOMIC(bits, T)                                                                          \
  T __tsan_atomic##bits##_load(T const volatile* p, int order) {                                             \
    cuco::emu::impl::asked_order = cuco::emu::impl::standard_order(order);                                   \
    return cuco::emu::impl::atomic_read<T>(p);                                                               \
  }                                                                                                          \
  void __tsan_atomic##bits##_store(T volatile* p, T v, int order) {                                          \
    cuco::emu::impl::asked_order = cuco::emu::impl::standard_order(order);                                   \
    cuco::emu::impl::atomic_write<T>(p, v);                                                                  \
  }                                                                                                          \
  CUCO_EVOLVE_FETCH(bits, T, exchange, ((void)old, v))                                                       \
  CUCO_EVOLVE_FETCH(bits, T, fetch_add, old + v)                                                             \
  CUCO_EVOLVE_FETCH(bits, T, fetch_sub, old - v)                                                             \
  CUCO_EVOLVE_FETCH(bits, T, fetch_and, old& v)                                                              \
  CUCO_EVOLVE_FETCH(bits, T, fetch_or, old | v)                                                              \
  CUCO_EVOLVE_FETCH(bits, T, fetch_xor, old ^ v)                                                             \
  CUCO_EVOLVE_FETCH(bits, T, fetch_nand, ~(old & v))                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(T volatile* p, T* expected, T desired, int order, int) { \
    cuco::emu::impl::asked_order = cuco::emu::impl::standard_order(order);                                   \
    T seen = cuco::emu::impl::atomic_compare<T>(p, *expected, desired);                                      \
    if (seen == *expected) return 1;                                                                         \
    *expected = seen;                                                                                        \
    return 0;                                                                                                \
  }                                                                                                          \
  int __tsan_atomic##bits##_compare_exchange_weak(T volatile* p, T* expected, T desired, int a, int b) {     \
    return __tsan_atomic##bits##_compare_exchange_strong(p, expected, desired, a, b);                        \
  }                                                                                                          \
  T __tsan_atomic##bits##_compare_exchange_val(T volatile* p, T expected, T desired, int, int) {             \
    return cuco::emu::impl::atomic_compare<T>(p, expected, desired);                                         \
  }

extern "C" {
CUCO_EVOLVE_ACCESS(1)
CUCO_EVOLVE_ACCESS(2)
CUCO_EVOLVE_ACCESS(4)
CUCO_EVOLVE_ACCESS(8)
CUCO_EVOLVE_ACCESS(16)
CUCO_EVOLVE_ATOMIC(8, std::uint8_t)
CUCO_EVOLVE_ATOMIC(16, std::uint16_t)
CUCO_EVOLVE_ATOMIC(32, std::uint32_t)
CUCO_EVOLVE_ATOMIC(64, std::uint64_t)

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}
void __tsan_vptr_update(void** p, void*) {
  cuco::emu::impl::on_access<true>(p, sizeof(void*), __builtin_frame_address(0));
}
void __tsan_vptr_read(void** p) {
  cuco::emu::impl::on_access<false>(p, sizeof(void*), __builtin_frame_address(0));
}
void __tsan_read_range(void* p, std::size_t n) {
  cuco::emu::impl::on_access<false>(p, n, __builtin_frame_address(0));
}
void __tsan_write_range(void* p, std::size_t n) {
  cuco::emu::impl::on_access<true>(p, n, __builtin_frame_address(0));
}
void* __tsan_memcpy(void* to, void const* from, std::size_t n) {
  if (n != 0) {
    cuco::emu::impl::on_access<false>(from, n, __builtin_frame_address(0));
    cuco::emu::impl::on_access<true>(to, n, __builtin_frame_address(0));
  }
  return std::memcpy(to, from, n);
}
void* __tsan_memmove(void* to, void const* from, std::size_t n) {
  if (n != 0) {
    cuco::emu::impl::on_access<false>(from, n, __builtin_frame_address(0));
    cuco::emu::impl::on_access<true>(to, n, __builtin_frame_address(0));
  }
  return std::memmove(to, from, n);
}
void* __tsan_memset(void* to, int value, std::size_t n) {
  if (n != 0) cuco::emu::impl::on_access<true>(to, n, __builtin_frame_address(0));
  return std::memset(to, value, n);
}
void __tsan_atomic_thread_fence(int order) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  cuco::emu::impl::trace_fence(cuco::emu::impl::standard_order(order));
}
void __tsan_atomic_signal_fence(int) {}
}

#undef CUCO_EVOLVE_ACCESS
#undef CUCO_EVOLVE_FETCH
#undef CUCO_EVOLVE_ATOMIC
