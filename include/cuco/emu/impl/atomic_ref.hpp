// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <type_traits>

#include "cuco/emu/impl/device.hpp"

namespace cuco::emu {

enum thread_scope { thread_scope_system, thread_scope_device, thread_scope_block, thread_scope_thread };

enum class memory_order : unsigned { relaxed, consume, acquire, release, acq_rel, seq_cst };
inline constexpr memory_order memory_order_relaxed = memory_order::relaxed;
inline constexpr memory_order memory_order_consume = memory_order::consume;
inline constexpr memory_order memory_order_acquire = memory_order::acquire;
inline constexpr memory_order memory_order_release = memory_order::release;
inline constexpr memory_order memory_order_acq_rel = memory_order::acq_rel;
inline constexpr memory_order memory_order_seq_cst = memory_order::seq_cst;

/// CUDA threads of a process share one CPU thread, and peers are ordered by the processor: orders and scopes
/// matter to the checker only.
inline unsigned order_number(memory_order o) {
  return o == memory_order_relaxed                                ? 0
         : o == memory_order_acquire || o == memory_order_consume ? 1
         : o == memory_order_release                              ? 2
                                                                  : 3;
}
inline unsigned scope_number(thread_scope s) {
  return s == thread_scope_thread ? 0 : s == thread_scope_block ? 1 : s == thread_scope_device ? 2 : 3;
}
inline void atomic_fence(memory_order order, thread_scope scope) {
  if (order != memory_order_relaxed) fence(order_number(order), scope_number(scope));
}

/// `cuda::atomic_ref`. T is trivially copyable and has 1, 2, 4 or 8 bytes.
template <class T, thread_scope Scope>
class AtomicRef {
  static_assert(std::is_trivially_copyable<T>::value &&
                    (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8),
                "cuco-emu: atomic_ref needs a trivially copyable type of 1, 2, 4 or 8 bytes");

 public:
  using value_type = T;
  static constexpr std::size_t required_alignment = sizeof(T);
  static constexpr bool is_always_lock_free = true;

  explicit AtomicRef(T& object) : p_(&object) {}
  AtomicRef(AtomicRef const&) = default;
  AtomicRef& operator=(AtomicRef const&) = delete;

  [[nodiscard]] bool is_lock_free() const { return true; }
  T load(memory_order order = memory_order_seq_cst) const {
    ask(order);
    return from_bits<T>(atomic_load(p_, sizeof(T)));
  }
  void store(T v, memory_order order = memory_order_seq_cst) const {
    ask(order);
    atomic_store(p_, sizeof(T), to_bits(v));
  }
  operator T() const { return load(); }
  T operator=(T v) const {
    store(v);
    return v;
  }
  T exchange(T v, memory_order order = memory_order_seq_cst) const {
    return update(AtomicOp::kExch, v, order);
  }
  bool compare_exchange_strong(T& expected,
                               T desired,
                               memory_order order = memory_order_seq_cst,
                               memory_order = memory_order_seq_cst) const {
    std::uint64_t const want = to_bits(expected);
    ask(order);
    std::uint64_t const seen = atomic_cas(p_, sizeof(T), want, to_bits(desired));
    if (seen == want) return true;
    expected = from_bits<T>(seen);
    return false;
  }
  bool compare_exchange_weak(T& expected,
                             T desired,
                             memory_order a = memory_order_seq_cst,
                             memory_order b = memory_order_seq_cst) const {
    return compare_exchange_strong(expected, desired, a, b);
  }

  template <class U = T>
  T fetch_add(std::conditional_t<std::is_pointer<U>::value, std::ptrdiff_t, U> v,
              memory_order order = memory_order_seq_cst) const {
    if constexpr (std::is_floating_point<T>::value) {
      return update(AtomicOp::kAddFloat, v, order);
    } else if constexpr (std::is_pointer<T>::value) {
      ask(order);
      return from_bits<T>(
          atomic_op(AtomicOp::kAdd, p_, sizeof(T), to_bits(v * static_cast<std::ptrdiff_t>(sizeof(*T{})))));
    } else if constexpr (std::is_integral<T>::value) {
      return update(AtomicOp::kAdd, v, order);
    } else {
      return atomic_update(
          p_, [v](T old) { return old + v; }, order_number(order), scope_number(Scope));
    }
  }
  template <class U = T>
  T fetch_sub(std::conditional_t<std::is_pointer<U>::value, std::ptrdiff_t, U> v,
              memory_order order = memory_order_seq_cst) const {
    using Value = std::conditional_t<std::is_pointer<U>::value, std::ptrdiff_t, U>;
    return fetch_add(static_cast<Value>(Value(0) - v), order);
  }
  T fetch_and(T v, memory_order order = memory_order_seq_cst) const {
    return update(AtomicOp::kAnd, v, order);
  }
  T fetch_or(T v, memory_order order = memory_order_seq_cst) const { return update(AtomicOp::kOr, v, order); }
  T fetch_xor(T v, memory_order order = memory_order_seq_cst) const {
    return update(AtomicOp::kXor, v, order);
  }
  T fetch_min(T v, memory_order order = memory_order_seq_cst) const {
    return select(order, v, AtomicOp::kMin, AtomicOp::kMinSigned, true);
  }
  T fetch_max(T v, memory_order order = memory_order_seq_cst) const {
    return select(order, v, AtomicOp::kMax, AtomicOp::kMaxSigned, false);
  }
  T operator++() const { return static_cast<T>(fetch_add(1) + 1); }
  T operator++(int) const { return fetch_add(1); }
  T operator--() const { return static_cast<T>(fetch_sub(1) - 1); }
  T operator--(int) const { return fetch_sub(1); }
  T operator+=(T v) const { return static_cast<T>(fetch_add(v) + v); }
  T operator-=(T v) const { return static_cast<T>(fetch_sub(v) - v); }
  T operator&=(T v) const { return static_cast<T>(fetch_and(v) & v); }
  T operator|=(T v) const { return static_cast<T>(fetch_or(v) | v); }
  T operator^=(T v) const { return static_cast<T>(fetch_xor(v) ^ v); }

  /// Returns when the value is no longer `old`.
  void wait(T old, memory_order order = memory_order_seq_cst) const {
    while (to_bits(load(order)) == to_bits(old)) yield();
  }
  void notify_one() const {}
  void notify_all() const {}

 private:
  static void ask(memory_order order) { ask_order(order_number(order), scope_number(Scope)); }
  T update(AtomicOp op, T v, memory_order order) const {
    ask(order);
    return from_bits<T>(atomic_op(op, p_, sizeof(T), to_bits(v)));
  }
  T select(memory_order order, T v, AtomicOp unsigned_op, AtomicOp signed_op, bool minimum) const {
    if constexpr (std::is_integral<T>::value) {
      return update(std::is_signed<T>::value ? signed_op : unsigned_op, v, order);
    } else {
      return atomic_update(
          p_,
          [v, minimum](T old) { return (v < old) == minimum ? v : old; },
          order_number(order),
          scope_number(Scope));
    }
  }
  T* p_;
};

/// `cuda::atomic`: an object with its own storage, usually in `__shared__` or device memory.
template <class T, thread_scope Scope>
class Atomic {
 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;
  Atomic() = default;
  constexpr Atomic(T v) : value_(v) {}
  Atomic(Atomic const&) = delete;
  Atomic& operator=(Atomic const&) = delete;

  [[nodiscard]] AtomicRef<T, Scope> ref() const { return AtomicRef<T, Scope>(const_cast<T&>(value_)); }
  T load(memory_order o = memory_order_seq_cst) const { return ref().load(o); }
  void store(T v, memory_order o = memory_order_seq_cst) { ref().store(v, o); }
  operator T() const { return load(); }
  T operator=(T v) { return ref() = v; }
  T exchange(T v, memory_order o = memory_order_seq_cst) { return ref().exchange(v, o); }
  bool compare_exchange_strong(T& e,
                               T d,
                               memory_order a = memory_order_seq_cst,
                               memory_order b = memory_order_seq_cst) {
    return ref().compare_exchange_strong(e, d, a, b);
  }
  bool compare_exchange_weak(T& e,
                             T d,
                             memory_order a = memory_order_seq_cst,
                             memory_order b = memory_order_seq_cst) {
    return ref().compare_exchange_strong(e, d, a, b);
  }
  template <class U>
  T fetch_add(U v, memory_order o = memory_order_seq_cst) {
    return ref().fetch_add(v, o);
  }
  template <class U>
  T fetch_sub(U v, memory_order o = memory_order_seq_cst) {
    return ref().fetch_sub(v, o);
  }
  T fetch_and(T v, memory_order o = memory_order_seq_cst) { return ref().fetch_and(v, o); }
  T fetch_or(T v, memory_order o = memory_order_seq_cst) { return ref().fetch_or(v, o); }
  T fetch_xor(T v, memory_order o = memory_order_seq_cst) { return ref().fetch_xor(v, o); }
  T fetch_min(T v, memory_order o = memory_order_seq_cst) { return ref().fetch_min(v, o); }
  T fetch_max(T v, memory_order o = memory_order_seq_cst) { return ref().fetch_max(v, o); }
  T operator++() { return ++ref(); }
  T operator++(int) { return ref()++; }
  T operator--() { return --ref(); }
  T operator--(int) { return ref()--; }
  T operator+=(T v) { return ref() += v; }
  T operator-=(T v) { return ref() -= v; }
  void wait(T old, memory_order o = memory_order_seq_cst) const { ref().wait(old, o); }
  void notify_one() {}
  void notify_all() {}

 private:
  T value_;
};

}  // namespace cuco::emu
