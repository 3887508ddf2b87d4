// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CUDA's atomic functions for integers, float and double, with their _block and _system forms.

#include "cuco/emu/impl/device.hpp"

namespace cuco::emu::impl {
template <typename T>
inline T atomic_call(AtomicOp op, T* p, T v) {
  return from_bits<T>(atomic_op(op, static_cast<void*>(p), sizeof(T), to_bits(v)));
}
template <typename T>
inline T atomic_cas_call(T* p, T expected, T desired) {
  return from_bits<T>(atomic_cas(static_cast<void*>(p), sizeof(T), to_bits(expected), to_bits(desired)));
}
}  // namespace cuco::emu::impl

#define CUCO_EVOLVE_ATOMIC1(T, name, op)                                    \
  inline T name(T* p, T v) {                                                \
    return ::cuco::emu::impl::atomic_call(::cuco::emu::AtomicOp::op, p, v); \
  }                                                                         \
  inline T name##_block(T* p, T v) {                                        \
    ::cuco::emu::ask_order(0, 1);                                           \
    return ::cuco::emu::impl::atomic_call(::cuco::emu::AtomicOp::op, p, v); \
  }                                                                         \
  inline T name##_system(T* p, T v) {                                       \
    ::cuco::emu::ask_order(0, 3);                                           \
    return ::cuco::emu::impl::atomic_call(::cuco::emu::AtomicOp::op, p, v); \
  }
#define CUCO_EVOLVE_ATOMIC_SUB(T)                 \
  inline T atomicSub(T* p, T v) {                 \
    return atomicAdd(p, static_cast<T>(T{} - v)); \
  }                                               \
  inline T atomicSub_block(T* p, T v) {           \
    return atomicAdd_block(p, static_cast<T>(T{} - v)); \
  }                                               \
  inline T atomicSub_system(T* p, T v) {          \
    return atomicAdd_system(p, static_cast<T>(T{} - v)); \
  }
#define CUCO_EVOLVE_ATOMIC_CAS(T)                                    \
  inline T atomicCAS(T* p, T expected, T desired) {                  \
    return ::cuco::emu::impl::atomic_cas_call(p, expected, desired); \
  }                                                                  \
  inline T atomicCAS_block(T* p, T expected, T desired) {            \
    ::cuco::emu::ask_order(0, 1);                                    \
    return ::cuco::emu::impl::atomic_cas_call(p, expected, desired); \
  }                                                                  \
  inline T atomicCAS_system(T* p, T expected, T desired) {           \
    ::cuco::emu::ask_order(0, 3);                                    \
    return ::cuco::emu::impl::atomic_cas_call(p, expected, desired); \
  }
#define CUCO_EVOLVE_ATOMIC_INTEGER(T, low, high) \
  CUCO_EVOLVE_ATOMIC1(T, atomicAdd, kAdd)        \
  CUCO_EVOLVE_ATOMIC1(T, atomicExch, kExch)      \
  CUCO_EVOLVE_ATOMIC1(T, atomicMin, low)         \
  CUCO_EVOLVE_ATOMIC1(T, atomicMax, high)        \
  CUCO_EVOLVE_ATOMIC1(T, atomicAnd, kAnd)        \
  CUCO_EVOLVE_ATOMIC1(T, atomicOr, kOr)          \
  CUCO_EVOLVE_ATOMIC1(T, atomicXor, kXor)        \
  CUCO_EVOLVE_ATOMIC_CAS(T)

CUCO_EVOLVE_ATOMIC_INTEGER(int, kMinSigned, kMaxSigned)
CUCO_EVOLVE_ATOMIC_INTEGER(unsigned, kMin, kMax)
CUCO_EVOLVE_ATOMIC_INTEGER(unsigned long long, kMin, kMax)
CUCO_EVOLVE_ATOMIC_INTEGER(unsigned long, kMin, kMax)
CUCO_EVOLVE_ATOMIC_INTEGER(long long, kMinSigned, kMaxSigned)
CUCO_EVOLVE_ATOMIC1(unsigned, atomicInc, kInc)
CUCO_EVOLVE_ATOMIC1(unsigned, atomicDec, kDec)
CUCO_EVOLVE_ATOMIC1(float, atomicAdd, kAddFloat)
CUCO_EVOLVE_ATOMIC1(double, atomicAdd, kAddFloat)
CUCO_EVOLVE_ATOMIC1(float, atomicExch, kExch)
CUCO_EVOLVE_ATOMIC_SUB(int)
CUCO_EVOLVE_ATOMIC_SUB(unsigned)
CUCO_EVOLVE_ATOMIC_CAS(unsigned short)

#undef CUCO_EVOLVE_ATOMIC1
#undef CUCO_EVOLVE_ATOMIC_SUB
#undef CUCO_EVOLVE_ATOMIC_CAS
#undef CUCO_EVOLVE_ATOMIC_INTEGER
