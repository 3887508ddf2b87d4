// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/check/impl/shadow_cell.hpp"

#include <gtest/gtest.h>

namespace cuco::checking {
namespace {

constexpr std::uint8_t kAll = 0xff, kLow = 0x0f, kHigh = 0xf0;

Instant at(std::uint32_t rank, unsigned thread, unsigned phase, unsigned step = 0) {
  Instant i;
  i.actor = {rank, 5};
  i.block = 3;
  i.thread = static_cast<std::uint16_t>(thread);
  i.phase = phase;
  i.step = step;
  return i;
}
Access access(Instant const& i, AccessKind kind, std::uint8_t mask = kAll) {
  Access a;
  a.instant = i;
  a.stack = 77;
  a.kind = kind;
  a.mask = mask;
  return a;
}

TEST(ShadowCell, UnorderedWritesConflict) {
  ShadowCell c;
  VectorClock const nothing;
  EXPECT_FALSE(c.enter(access(at(0, 0, 0), AccessKind::kWrite), nothing));
  auto const conflict = c.enter(access(at(1, 0, 0), AccessKind::kWrite), nothing);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->instant.actor.lane, 0U);
  EXPECT_EQ(conflict->stack, 77U);
}

TEST(ShadowCell, AReadOfAnUnorderedWriteConflictsAndTheOtherWayRound) {
  VectorClock const nothing;
  ShadowCell a, b;
  EXPECT_FALSE(a.enter(access(at(0, 0, 0), AccessKind::kWrite), nothing));
  EXPECT_TRUE(a.enter(access(at(1, 0, 0), AccessKind::kRead), nothing));
  EXPECT_FALSE(b.enter(access(at(0, 0, 0), AccessKind::kRead), nothing));
  EXPECT_TRUE(b.enter(access(at(1, 0, 0), AccessKind::kWrite), nothing));
}

TEST(ShadowCell, ReadsAndAtomicsAmongThemselvesDoNot) {
  VectorClock const nothing;
  ShadowCell reads, atomics;
  for (std::uint32_t r = 0; r < 8; ++r) {
    EXPECT_FALSE(reads.enter(access(at(r, 0, 0), AccessKind::kRead), nothing));
    EXPECT_FALSE(atomics.enter(access(at(r, 0, 0), AccessKind::kAtomic), nothing));
  }
  EXPECT_TRUE(atomics.enter(access(at(9, 0, 0), AccessKind::kRead), nothing))
      << "a plain load beside atomics";
}

TEST(ShadowCell, WhatIsKnownDoesNotConflict) {
  ShadowCell c;
  VectorClock later;
  later.learn_phase(at(0, 0, 0).actor, 3, 1);
  EXPECT_FALSE(c.enter(access(at(0, 4, 0), AccessKind::kWrite), {}));
  EXPECT_FALSE(c.enter(access(at(0, 5, 1), AccessKind::kRead), later));
  EXPECT_TRUE(c.enter(access(at(0, 6, 1), AccessKind::kWrite), later)) << "the read is of the present phase";
}

TEST(ShadowCell, OtherBytesDoNotConflict) {
  ShadowCell c;
  EXPECT_FALSE(c.enter(access(at(0, 0, 0), AccessKind::kWrite, kLow), {}));
  EXPECT_FALSE(c.enter(access(at(1, 0, 0), AccessKind::kWrite, kHigh), {}));
  EXPECT_TRUE(c.enter(access(at(2, 0, 0), AccessKind::kRead, 0x18), {}));
}

TEST(ShadowCell, AThreadDoesNotConflictWithItselfAndKeepsItsWrite) {
  ShadowCell c;
  EXPECT_FALSE(c.enter(access(at(0, 0, 0), AccessKind::kWrite), {}));
  EXPECT_FALSE(c.enter(access(at(0, 0, 0), AccessKind::kRead), {}));
  EXPECT_FALSE(c.enter(access(at(0, 0, 1), AccessKind::kRead), {}));
  EXPECT_TRUE(c.enter(access(at(1, 0, 0), AccessKind::kRead), {})) << "the write is still known";
}

TEST(ShadowCell, ManyReadersDoNotPushTheWriterOut) {
  ShadowCell c;
  VectorClock knows_writer;
  knows_writer.learn_completed(at(0, 0, 0).actor);
  EXPECT_FALSE(c.enter(access(at(0, 0, 0), AccessKind::kWrite), {}));
  for (unsigned t = 0; t < 100; ++t)
    EXPECT_FALSE(c.enter(access(at(1, t, 0), AccessKind::kRead), knows_writer));
  EXPECT_TRUE(c.enter(access(at(2, 0, 0), AccessKind::kRead), {})) << "somebody who does not know the writer";
  EXPECT_TRUE(c.enter(access(at(2, 0, 0), AccessKind::kWrite), knows_writer)) << "some reader is still known";
}

}  // namespace
}  // namespace cuco::checking
