// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who touched eight bytes of device memory lately, and whether that can conflict with who touches them now.

#include <cstdint>
#include <optional>

#include "cuco/emu/impl/vector_clock.hpp"

namespace cuco::emu::impl {

enum class AccessKind : std::uint8_t { kRead = 0, kWrite = 1, kAtomic = 2 };

/// One access, packed.
struct ShadowSlot {
  std::uint32_t actor = 0;
  std::uint32_t where = 0;  ///< block << 12 | thread << 2 | kind.
  std::uint32_t when = 0;   ///< phase << 16 | step.
  std::uint32_t what = 0;   ///< site << 8 | mask of bytes; mask 0: the slot is empty.

  static constexpr std::uint32_t kMostBlocks = 1u << 20, kMostThreads = 1u << 10, kMostSites = 1u << 24;

  static ShadowSlot of(Instant const& i, AccessKind kind, std::uint32_t site, std::uint8_t mask) {
    ShadowSlot s;
    s.actor = i.actor.rank << 26 | i.actor.lane << 18 | i.actor.position;
    s.where = i.block << 12 | std::uint32_t{i.thread} << 2 | static_cast<std::uint32_t>(kind);
    s.when = std::uint32_t{i.phase} << 16 | i.step;
    s.what = site << 8 | mask;
    return s;
  }
  [[nodiscard]] std::uint8_t mask() const { return static_cast<std::uint8_t>(what); }
  [[nodiscard]] std::uint32_t site() const { return what >> 8; }
  [[nodiscard]] AccessKind kind() const { return static_cast<AccessKind>(where & 3u); }
  [[nodiscard]] Instant instant() const {
    Instant i;
    i.actor.rank = actor >> 26;
    i.actor.lane = actor >> 18 & 255u;
    i.actor.position = actor & 0x3ffffu;
    i.block = where >> 12;
    i.thread = static_cast<std::uint16_t>(where >> 2 & 1023u);
    i.phase = static_cast<std::uint16_t>(when >> 16);
    i.step = static_cast<std::uint16_t>(when);
    return i;
  }
  [[nodiscard]] bool same_thread(ShadowSlot const& o) const { return actor == o.actor && where >> 2 == o.where >> 2; }
};
static_assert(sizeof(ShadowSlot) == 16);

/// The last accesses to eight bytes. When more actors touch them than there is room for, some are forgotten: a conflict
/// may then be missed in this run, never invented.
struct ShadowCell {
  static constexpr int kSlots = 4;
  ShadowSlot slot[kSlots];

  /// Enters an access by somebody who knows `known`.
  /// @return an earlier access that conflicts with it and is not known to have happened before.
  std::optional<ShadowSlot> enter(ShadowSlot const& now, VectorClock const& known) {
    std::optional<ShadowSlot> conflict;
    int place = -1, spare = -1, victim = -1;
    for (int i = 0; i < kSlots; ++i) {
      ShadowSlot& s = slot[i];
      if (s.mask() == 0) {
        if (spare < 0) spare = i;
        continue;
      }
      bool const mine = s.same_thread(now);
      bool const overlaps = (s.mask() & now.mask()) != 0;
      bool const before = mine || known.knows(s.instant());
      if (overlaps && !before && conflicting(s.kind(), now.kind()) && !conflict) conflict = s;
      // What is certainly earlier and weaker says no more than the new access does.
      bool const covered = before && (s.mask() & ~now.mask()) == 0 &&
                           (now.kind() != AccessKind::kRead || s.kind() == AccessKind::kRead);
      if (covered && place < 0) {
        place = i;
      } else if (covered) {
        s = ShadowSlot{};
      }
      if (victim < 0 || (s.kind() == AccessKind::kRead && slot[victim].kind() != AccessKind::kRead)) victim = i;
    }
    if (place < 0) place = spare;
    if (place < 0) {
      // Reads go first: forgetting a write would hide every later reader.
      std::uint32_t const turn = (now.where ^ now.when ^ now.actor) * 2654435761u >> 30;
      ShadowSlot const& other = slot[turn];
      place = other.kind() == AccessKind::kRead ? static_cast<int>(turn) : victim;
      if (slot[place].kind() != AccessKind::kRead && now.kind() == AccessKind::kRead) return conflict;
    }
    slot[place] = now;
    return conflict;
  }

 private:
  static bool conflicting(AccessKind a, AccessKind b) {
    if (a == AccessKind::kRead && b == AccessKind::kRead) return false;
    return a != AccessKind::kAtomic || b != AccessKind::kAtomic;
  }
};

}  // namespace cuco::emu::impl
