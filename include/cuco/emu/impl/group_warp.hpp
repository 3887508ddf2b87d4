// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuco/emu/impl/device.hpp"

namespace cuco::emu {

/// Lanes of one warp that act together; what tiles and coalesced groups have in common. Members call
/// convergently.
class WarpGroup {
 public:
  explicit WarpGroup(std::uint32_t mask) : mask_(mask) {}

  /// Lanes of the caller's tile of `size` threads that the block has.
  static std::uint32_t tile_mask(unsigned size) {
    std::uint32_t const ones = size == 32 ? ~0U : (1U << size) - 1U;
    std::uint32_t mask = ones << (builtins.lane / size * size);
    unsigned const in_warp = builtins.threads - builtins.warp * 32U;
    if (in_warp < 32) mask &= (1U << in_warp) - 1U;
    return mask;
  }

  void sync() const { warp_sync(mask_); }
  [[nodiscard]] unsigned thread_rank() const { return popcount(mask_ & ((1U << builtins.lane) - 1U)); }
  [[nodiscard]] unsigned num_threads() const { return popcount(mask_); }
  [[nodiscard]] unsigned size() const { return num_threads(); }

  template <class T>
  T shfl(T v, int rank) const {
    unsigned const n = num_threads();
    return exchange(v, "shfl").at(nth(static_cast<unsigned>(rank) % n));
  }
  template <class T>
  T shfl_up(T v, unsigned delta) const {
    unsigned const rank = thread_rank();
    return exchange(v, "shfl_up").at(nth(delta > rank ? rank : rank - delta));
  }
  template <class T>
  T shfl_down(T v, unsigned delta) const {
    unsigned const rank = thread_rank();
    unsigned const n = num_threads();
    return exchange(v, "shfl_down").at(nth(delta >= n - rank ? rank : rank + delta));
  }
  template <class T>
  T shfl_xor(T v, unsigned bits) const {
    unsigned const rank = thread_rank();
    unsigned const n = num_threads();
    return exchange(v, "shfl_xor").at(nth((rank ^ bits) < n ? rank ^ bits : rank));
  }
  [[nodiscard]] unsigned ballot(int predicate) const {
    Exchanged<int> const all = exchange(predicate, "ballot");
    unsigned bits = 0;
    for (unsigned r = 0; r < num_threads(); ++r) bits |= (all.at(nth(r)) != 0 ? 1U : 0U) << r;
    return bits;
  }
  [[nodiscard]] int any(int predicate) const { return ballot(predicate) != 0 ? 1 : 0; }
  [[nodiscard]] int all(int predicate) const { return popcount(ballot(predicate)) == num_threads() ? 1 : 0; }
  template <class T>
  unsigned match_any(T v) const {
    Exchanged<T> const all = exchange(v, "match_any");
    unsigned bits = 0;
    for (unsigned r = 0; r < num_threads(); ++r) {
      T const other = all.at(nth(r));
      bits |= (std::memcmp(&other, &v, sizeof(T)) == 0 ? 1U : 0U) << r;
    }
    return bits;
  }
  /// Lanes of the warp, from ranks of the group.
  [[nodiscard]] std::uint32_t lanes(unsigned ranks) const {
    std::uint32_t mask = 0;
    for (unsigned r = 0; r < num_threads(); ++r)
      if ((ranks >> r & 1U) != 0) mask |= 1U << nth(r);
    return mask;
  }
  /// Folds the members' values in rank order; every member gets the result.
  template <class T, class Op>
  T fold(T v, Op op, unsigned first, unsigned last) const {
    Exchanged<T> const all = exchange(v, "reduce");
    T result = all.at(nth(first));
    for (unsigned r = first + 1; r < last; ++r) result = op(result, all.at(nth(r)));
    return result;
  }

 private:
  template <class T>
  struct Exchanged {
    static_assert(std::is_trivially_copyable<T>::value && sizeof(T) <= 32,
                  "a trivially copyable value of at most 32 bytes");
    static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;
    std::uint64_t words[kWords][32];
    [[nodiscard]] T at(unsigned lane) const {
      std::uint64_t raw[kWords];
      for (std::size_t w = 0; w < kWords; ++w) raw[w] = words[w][lane];
      T v;
      std::memcpy(static_cast<void*>(&v), raw, sizeof(T));
      return v;
    }
  };
  template <class T>
  Exchanged<T> exchange(T const& v, char const* what) const {
    Exchanged<T> all;
    std::uint64_t raw[Exchanged<T>::kWords] = {};
    std::memcpy(raw, &v, sizeof(T));
    for (std::size_t w = 0; w < Exchanged<T>::kWords; ++w) warp_exchange(mask_, raw[w], all.words[w], what);
    return all;
  }
  [[nodiscard]] unsigned nth(unsigned rank) const {
    std::uint32_t left = mask_;
    for (; rank > 0; --rank) left &= left - 1U;
    return static_cast<unsigned>(__builtin_ctz(left));
  }
  static unsigned popcount(std::uint32_t v) { return static_cast<unsigned>(__builtin_popcount(v)); }
  std::uint32_t mask_;
};

/// Lanes of the caller's warp that reach a call of this function while the caller lets them run once.
inline std::uint32_t converged_lanes() {
  struct Meeting {
    std::uint32_t absent;      // Lanes that are not gathering. Fresh shared memory is all ones: nobody is.
    std::uint32_t result[32];  // Per lane: its closed group, 0 while it gathers.
  };
  struct Meetings {
    Meeting warp[32];
  };
  Meeting& m = shared_static<Meetings>("cuco::emu::converged_lanes", -1).warp[builtins.warp];
  m.result[builtins.lane] = 0;
  m.absent &= ~(1U << builtins.lane);
  yield();
  if (m.result[builtins.lane] == 0) {
    std::uint32_t const group = ~m.absent;
    m.absent = ~0U;
    for (unsigned lane = 0; lane < 32; ++lane)
      if ((group >> lane & 1U) != 0) m.result[lane] = group;
  }
  return m.result[builtins.lane];
}

}  // namespace cuco::emu
