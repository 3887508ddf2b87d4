// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Memory outside of the emulated region that CUDA knows: registered host memory and `__device__` variables.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>

namespace cuco::emu::impl {

struct KnownRange {
  enum Kind : std::uint8_t { kNone, kRegistered, kSymbol };
  Kind kind = kNone;
  std::uintptr_t base = 0;
  std::size_t size = 0;
  [[nodiscard]] bool holds(std::uintptr_t at, std::size_t n) const {
    return at - base <= size && n <= size - (at - base);
  }
};

class KnownRanges {
 public:
  static KnownRanges& get() {
    static KnownRanges* const ranges = new KnownRanges;
    return *ranges;
  }
  /// False when it overlaps a known one.
  bool add(KnownRange const& range) {
    std::lock_guard<std::mutex> hold(mutex_);
    auto const next = ranges_.lower_bound(range.base);
    if (next != ranges_.end() && next->first < range.base + range.size) return false;
    if (next != ranges_.begin() && std::prev(next)->second.holds(range.base, 1)) return false;
    return ranges_.emplace(range.base, range).second;
  }
  bool remove(std::uintptr_t base) {
    std::lock_guard<std::mutex> hold(mutex_);
    return ranges_.erase(base) != 0;
  }
  /// The range that holds the byte at `at`; one of kind kNone otherwise.
  KnownRange find(std::uintptr_t at) {
    std::lock_guard<std::mutex> hold(mutex_);
    auto const next = ranges_.upper_bound(at);
    if (next == ranges_.begin() || !std::prev(next)->second.holds(at, 1)) return {};
    return std::prev(next)->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::uintptr_t, KnownRange> ranges_;
};

inline KnownRange known_range(void const* p) {
  return KnownRanges::get().find(reinterpret_cast<std::uintptr_t>(p));
}

}  // namespace cuco::emu::impl
