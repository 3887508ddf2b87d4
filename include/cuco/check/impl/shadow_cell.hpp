// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who touched eight bytes of memory lately, and whether that can conflict with who touches them now.

#include <array>
#include <cstdint>
#include <optional>

#include "cuco/check/impl/vector_clock.hpp"

namespace cuco::checking {

enum class AccessKind : std::uint8_t { kRead, kWrite, kAtomic };

/// One access to some of the eight bytes.
struct Access {
  Instant instant{};
  std::uint32_t stack = 0;  ///< Of the trace.
  std::uint32_t put = 0;    ///< 1 + index of the put that did it; 0: none.
  AccessKind kind = AccessKind::kRead;
  std::uint8_t mask = 0;  ///< Of bytes; 0: no access.
};

/// The last accesses. When more actors touch the bytes than there is room for, some are forgotten: a conflict
/// may then be missed in this run, never invented.
class ShadowCell {
 public:
  /// Enters an access by somebody who knows `known`.
  /// @return an earlier access that conflicts with it and is not known to have happened before.
  std::optional<Access> enter(Access const& now, VectorClock const& known) {
    std::optional<Access> conflict;
    int place = -1, spare = -1, oldest_read = -1;
    for (int i = 0; i < kSlots; ++i) {
      Access& s = slots_[static_cast<std::size_t>(i)];
      if (s.mask == 0) {
        if (spare < 0) spare = i;
        continue;
      }
      bool const overlaps = (s.mask & now.mask) != 0;
      bool const before = (s.instant.same_thread(now.instant) && s.put == now.put) || known.knows(s.instant);
      if (overlaps && !before && conflicting(s.kind, now.kind) && !conflict) conflict = s;
      // What is certainly earlier and weaker says no more than the new access does.
      // An atomic access comes after those whose values it has seen, whatever else it does not order.
      bool const observed = s.kind == AccessKind::kAtomic && now.kind == AccessKind::kAtomic;
      bool const covered = (before || observed) && (s.mask & ~now.mask) == 0 &&
                           (now.kind != AccessKind::kRead || s.kind == AccessKind::kRead);
      if (covered && place < 0) {
        place = i;
      } else if (covered) {
        s = Access{};
      }
      if (s.mask != 0 && s.kind == AccessKind::kRead && oldest_read < 0) oldest_read = i;
    }
    if (now.kind != AccessKind::kRead) written_ |= now.mask;
    if (place < 0) place = spare;
    if (place < 0) {
      // Reads go first: forgetting a write would hide every later reader.
      if (oldest_read < 0 && now.kind == AccessKind::kRead) return conflict;
      place = oldest_read >= 0 ? oldest_read : static_cast<int>(turn_ % kSlots);
    }
    ++turn_;
    slots_[static_cast<std::size_t>(place)] = now;
    return conflict;
  }
  /// Bytes that somebody has written.
  [[nodiscard]] std::uint8_t written() const { return written_; }
  void set_written() { written_ = 0xff; }

 private:
  static constexpr int kSlots = 6;
  static bool conflicting(AccessKind a, AccessKind b) {
    if (a == AccessKind::kRead && b == AccessKind::kRead) return false;
    return a != AccessKind::kAtomic || b != AccessKind::kAtomic;
  }
  std::array<Access, kSlots> slots_{};
  std::uint8_t written_ = 0;
  std::uint8_t turn_ = 0;
};

}  // namespace cuco::checking
