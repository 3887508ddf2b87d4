// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CUDA's synchronisation, warp, cache-hint and reinterpretation functions, in the global namespace as CUDA has them.

#include <cmath>
#include <cstdio>
#include <ctime>

#include "cuco/emu/impl/device.hpp"
#include "cuco/emu/impl/integer_functions.hpp"

inline void __syncthreads() {
  ::cuco::emu::block_sync();
}
inline int __syncthreads_count(int p) {
  return ::cuco::emu::block_sync_count(p);
}
inline int __syncthreads_and(int p) {
  return ::cuco::emu::block_sync_count(p == 0 ? 1 : 0) == 0 ? 1 : 0;
}
inline int __syncthreads_or(int p) {
  return ::cuco::emu::block_sync_count(p) != 0 ? 1 : 0;
}
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  ::cuco::emu::warp_sync(mask);
}
inline void __barrier_sync(unsigned id) {
  ::cuco::emu::named_barrier_sync(id, (::cuco::emu::builtins.threads + 31) / 32 * 32);
}
inline void __barrier_sync_count(unsigned id, unsigned count) {
  ::cuco::emu::named_barrier_sync(id, count);
}

// Every CUDA thread of a process runs on one CPU thread and stores reach peers in order: fences only keep the program's
// order, and tell the checker.
inline void __threadfence() {
  ::cuco::emu::fence(3, 2);
}
inline void __threadfence_block() {
  ::cuco::emu::fence(3, 1);
}
inline void __threadfence_system() {
  ::cuco::emu::fence(3, 3);
}

inline void __nanosleep(unsigned) {
  ::cuco::emu::yield();
}
inline long long clock64() {
  return static_cast<long long>(::cuco::emu::thread_cycles());
}
// clock() is the C library's name: programs are linked so that the runtime answers it, for kernels and host
// code.
inline unsigned long long __globaltimer() {
  return ::cuco::emu::thread_time_ns();
}
[[noreturn]] inline void __trap() {
  ::cuco::emu::device_trap();
}
/// Programmatic dependent launch: a kernel begins when the one before it has ended.
inline void cudaGridDependencySynchronize() {}
inline void cudaTriggerProgrammaticLaunchCompletion() {}
inline void __brkpt() {}
inline void __prof_trigger(int) {}

inline unsigned __activemask() {
  return ::cuco::emu::warp_live_lanes();
}
inline unsigned __lanemask_lt() {
  return (1u << ::cuco::emu::builtins.lane) - 1u;
}

namespace cuco::emu::impl {
template <typename T>
inline T shuffle(unsigned mask, T value, unsigned source, char const* what) {
  std::uint64_t lanes[32];
  warp_exchange(mask, to_bits(value), lanes, what);
  return source == builtins.lane ? value : from_bits<T>(lanes[source & 31]);
}
template <typename T, typename F>
inline T warp_reduce(unsigned mask, T value, F f, char const* what) {
  std::uint64_t lanes[32];
  std::uint32_t taken = warp_exchange(mask, to_bits(value), lanes, what);
  bool first = true;
  T result = value;
  for (std::uint32_t rest = taken; rest != 0; rest &= rest - 1) {
    T v = from_bits<T>(lanes[__builtin_ctz(rest)]);
    result = first ? v : f(result, v);
    first = false;
  }
  return result;
}
}  // namespace cuco::emu::impl

template <typename T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  unsigned lane = ::cuco::emu::builtins.lane, w = static_cast<unsigned>(width);
  return ::cuco::emu::impl::shuffle(
      mask, value, (lane & ~(w - 1)) + (static_cast<unsigned>(source) & (w - 1)), "__shfl_sync");
}
template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  unsigned lane = ::cuco::emu::builtins.lane, in = lane & (static_cast<unsigned>(width) - 1);
  return ::cuco::emu::impl::shuffle(mask, value, in >= delta ? lane - delta : lane, "__shfl_up_sync");
}
template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  unsigned lane = ::cuco::emu::builtins.lane, w = static_cast<unsigned>(width), in = lane & (w - 1);
  return ::cuco::emu::impl::shuffle(mask, value, in + delta < w ? lane + delta : lane, "__shfl_down_sync");
}
template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  unsigned lane = ::cuco::emu::builtins.lane, w = static_cast<unsigned>(width),
           source = lane ^ static_cast<unsigned>(bits);
  // A source beyond the own segment leaves the value, one in an earlier segment is read.
  return ::cuco::emu::impl::shuffle(
      mask, value, (source & ~(w - 1)) > (lane & ~(w - 1)) ? lane : source, "__shfl_xor_sync");
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  std::uint64_t lanes[32];
  ::cuco::emu::warp_exchange(mask, predicate != 0 ? 1 : 0, lanes, "__ballot_sync");
  unsigned votes = 0;
  for (unsigned i = 0; i < 32; ++i) votes |= static_cast<unsigned>(lanes[i]) << i;
  return votes;
}
inline int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate == 0 ? 1 : 0) == 0 ? 1 : 0;
}
inline int __uni_sync(unsigned mask, int predicate) {
  unsigned yes = __ballot_sync(mask, predicate);
  return yes == 0 || yes == (mask & ::cuco::emu::warp_live_lanes()) ? 1 : 0;
}
template <typename T>
inline unsigned __match_any_sync(unsigned mask, T value) {
  std::uint64_t lanes[32], own = ::cuco::emu::to_bits(value);
  std::uint32_t taken = ::cuco::emu::warp_exchange(mask, own, lanes, "__match_any_sync");
  unsigned same = 0;
  for (unsigned i = 0; i < 32; ++i)
    if ((taken >> i & 1) != 0 && lanes[i] == own) same |= 1u << i;
  return same;
}
template <typename T>
inline unsigned __match_all_sync(unsigned mask, T value, int* predicate) {
  std::uint64_t lanes[32], own = ::cuco::emu::to_bits(value);
  std::uint32_t taken = ::cuco::emu::warp_exchange(mask, own, lanes, "__match_all_sync");
  bool all = true;
  for (unsigned i = 0; i < 32; ++i) all = all && ((taken >> i & 1) == 0 || lanes[i] == own);
  *predicate = all ? 1 : 0;
  return all ? mask : 0;
}
#define CUCO_EVOLVE_REDUCE(T, name, expression)                                            \
  inline T __reduce_##name##_sync(unsigned mask, T value) {                                \
    return ::cuco::emu::impl::warp_reduce(                                                 \
        mask, value, [](T a, T b) -> T { return expression; }, "__reduce_" #name "_sync"); \
  }
CUCO_EVOLVE_REDUCE(unsigned, add, a + b)
CUCO_EVOLVE_REDUCE(int, add, static_cast<int>(static_cast<unsigned>(a) + static_cast<unsigned>(b)))
CUCO_EVOLVE_REDUCE(unsigned, min, a < b ? a : b)
CUCO_EVOLVE_REDUCE(int, min, a < b ? a : b)
CUCO_EVOLVE_REDUCE(unsigned, max, a < b ? b : a)
CUCO_EVOLVE_REDUCE(int, max, a < b ? b : a)
CUCO_EVOLVE_REDUCE(unsigned, and, a& b)
CUCO_EVOLVE_REDUCE(unsigned, or, a | b)
CUCO_EVOLVE_REDUCE(unsigned, xor, a ^ b)
#undef CUCO_EVOLVE_REDUCE

// Cache hints have no effect on values.
#define CUCO_EVOLVE_LOAD(name) \
  template <typename T>        \
  inline T name(T const* p) {  \
    return *p;                 \
  }
CUCO_EVOLVE_LOAD(__ldg)
CUCO_EVOLVE_LOAD(__ldcg)
CUCO_EVOLVE_LOAD(__ldca)
CUCO_EVOLVE_LOAD(__ldcs)
CUCO_EVOLVE_LOAD(__ldlu)
CUCO_EVOLVE_LOAD(__ldcv)
#undef CUCO_EVOLVE_LOAD
#define CUCO_EVOLVE_STORE(name) \
  template <typename T>         \
  inline void name(T* p, T v) { \
    *p = v;                     \
  }
CUCO_EVOLVE_STORE(__stwb)
CUCO_EVOLVE_STORE(__stcg)
CUCO_EVOLVE_STORE(__stcs)
CUCO_EVOLVE_STORE(__stwt)
#undef CUCO_EVOLVE_STORE

inline int __float_as_int(float v) {
  return ::cuco::emu::from_bits<int>(::cuco::emu::to_bits(v));
}
inline unsigned __float_as_uint(float v) {
  return ::cuco::emu::from_bits<unsigned>(::cuco::emu::to_bits(v));
}
inline float __int_as_float(int v) {
  return ::cuco::emu::from_bits<float>(::cuco::emu::to_bits(v));
}
inline float __uint_as_float(unsigned v) {
  return ::cuco::emu::from_bits<float>(::cuco::emu::to_bits(v));
}
inline long long __double_as_longlong(double v) {
  return ::cuco::emu::from_bits<long long>(::cuco::emu::to_bits(v));
}
inline double __longlong_as_double(long long v) {
  return ::cuco::emu::from_bits<double>(::cuco::emu::to_bits(v));
}

inline double __hiloint2double(int hi, int lo) {
  return __longlong_as_double(static_cast<long long>(
      static_cast<unsigned long long>(static_cast<unsigned>(hi)) << 32 | static_cast<unsigned>(lo)));
}
inline int __double2hiint(double v) {
  return static_cast<int>(__double_as_longlong(v) >> 32);
}
inline int __double2loint(double v) {
  return static_cast<int>(__double_as_longlong(v));
}

inline std::size_t __cvta_generic_to_shared(void const* p) {
  return reinterpret_cast<std::size_t>(p);
}
inline std::size_t __cvta_generic_to_global(void const* p) {
  return reinterpret_cast<std::size_t>(p);
}
