// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>

namespace cuco {

/// A set of values of an enumeration with at most 32 of them. Iterates in the order of the enumeration.
template <class E>
class SmallSet {
 public:
  class iterator {
   public:
    constexpr explicit iterator(std::uint32_t rest) : rest_(rest) {}
    constexpr E operator*() const {
      int value = 0;
      while ((rest_ >> value & 1U) == 0) ++value;
      return static_cast<E>(value);
    }
    constexpr iterator& operator++() {
      rest_ &= rest_ - 1;
      return *this;
    }
    constexpr bool operator==(iterator const&) const = default;

   private:
    std::uint32_t rest_;
  };

  constexpr SmallSet() = default;
  constexpr SmallSet(E only) { insert(only); }  // NOLINT: one value is a set of one
  constexpr SmallSet(std::initializer_list<E> values) {
    for (E value : values) insert(value);
  }
  constexpr void insert(E value) { bits_ |= bit(value); }
  constexpr void insert(SmallSet const& others) { bits_ |= others.bits_; }
  [[nodiscard]] constexpr bool contains(E value) const { return (bits_ & bit(value)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr int size() const {
    int count = 0;
    for (std::uint32_t rest = bits_; rest != 0; rest &= rest - 1) ++count;
    return count;
  }
  /// The first value. Precondition: not empty.
  [[nodiscard]] constexpr E front() const { return *begin(); }
  [[nodiscard]] constexpr iterator begin() const { return iterator(bits_); }
  [[nodiscard]] constexpr iterator end() const { return iterator(0); }
  constexpr bool operator==(SmallSet const&) const = default;

 private:
  static constexpr std::uint32_t bit(E value) { return std::uint32_t{1} << static_cast<int>(value); }
  std::uint32_t bits_ = 0;
};

}  // namespace cuco
