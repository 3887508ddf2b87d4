// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/check/impl/vector_clock.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "cuco/core/rng.hpp"

namespace cuco::checking {
namespace {

Actor actor(std::uint32_t rank, std::uint32_t lane, std::uint32_t position) {
  return {rank * 100 + lane, position};
}
Instant at(Actor a, std::uint32_t block, unsigned thread, unsigned phase, unsigned step) {
  return {a, block, static_cast<std::uint16_t>(thread), phase, step};
}

TEST(VectorClock, AnEmptyOneKnowsNothing) {
  VectorClock const c;
  EXPECT_FALSE(c.knows(at(actor(0, 0, 0), 0, 0, 0, 0)));
}

TEST(VectorClock, ACompletePositionCoversAllEarlierOnesOfItsLane) {
  VectorClock c;
  c.learn_completed(actor(1, 2, 5));
  EXPECT_TRUE(c.knows(at(actor(1, 2, 5), 7, 3, 9, 9)));
  EXPECT_TRUE(c.knows(at(actor(1, 2, 0), 0, 0, 0, 0)));
  EXPECT_FALSE(c.knows(at(actor(1, 2, 6), 0, 0, 0, 0)));
  EXPECT_FALSE(c.knows(at(actor(1, 3, 5), 0, 0, 0, 0)));
  EXPECT_FALSE(c.knows(at(actor(2, 2, 5), 0, 0, 0, 0)));
}

TEST(VectorClock, APhaseCoversWhatAllThreadsOfTheBlockDidBefore) {
  VectorClock c;
  Actor const k = actor(0, 1, 3);
  c.learn_phase(k, 4, 2);
  EXPECT_TRUE(c.knows(at(k, 4, 100, 1, 7)));
  EXPECT_FALSE(c.knows(at(k, 4, 100, 2, 0)));
  EXPECT_FALSE(c.knows(at(k, 5, 100, 1, 7)));
}

TEST(VectorClock, AStepCoversOneThreadOnly) {
  VectorClock c;
  Actor const k = actor(0, 1, 3);
  c.learn_step(at(k, 4, 9, 2, 3));
  EXPECT_TRUE(c.knows(at(k, 4, 9, 2, 2)));
  EXPECT_TRUE(c.knows(at(k, 4, 9, 1, 60)));
  EXPECT_FALSE(c.knows(at(k, 4, 9, 2, 3)));
  EXPECT_FALSE(c.knows(at(k, 4, 8, 2, 2)));
}

VectorClock some_clock(Rng& rng) {
  VectorClock c;
  for (std::size_t n = rng.below(8); n > 0; --n) {
    auto const pick = [&](std::uint64_t below) { return static_cast<std::uint32_t>(rng.below(below)); };
    Actor const a = actor(pick(3), pick(3), pick(4));
    switch (rng.below(3)) {
      case 0: c.learn_completed(a); break;
      case 1: c.learn_phase(a, pick(3), static_cast<std::uint16_t>(pick(4))); break;
      default: c.learn_step(at(a, pick(3), pick(4), pick(4), pick(4))); break;
    }
  }
  return c;
}

std::vector<Instant> all_instants() {
  std::vector<Instant> out;
  for (std::uint32_t rank = 0; rank < 3; ++rank)
    for (std::uint32_t lane = 0; lane < 3; ++lane)
      for (std::uint32_t position = 0; position < 4; ++position)
        for (std::uint32_t block = 0; block < 3; ++block)
          for (unsigned thread = 0; thread < 4; ++thread)
            for (unsigned phase = 0; phase < 4; ++phase)
              for (unsigned step = 0; step < 4; ++step)
                out.push_back(at(actor(rank, lane, position), block, thread, phase, step));
  return out;
}

std::vector<bool> knowledge(VectorClock const& c, std::vector<Instant> const& instants) {
  std::vector<bool> out;
  for (Instant const& i : instants) out.push_back(c.knows(i));
  return out;
}

TEST(VectorClockProperty, AJoinKnowsExactlyWhatEitherKnows) {
  auto const instants = all_instants();
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    VectorClock const a = some_clock(rng), b = some_clock(rng);
    VectorClock ab = a, ba = b, aa = a;
    ab.join(b);
    ba.join(a);
    aa.join(a);
    auto const in_a = knowledge(a, instants), in_b = knowledge(b, instants), joined = knowledge(ab, instants);
    for (std::size_t i = 0; i < instants.size(); ++i) ASSERT_EQ(joined[i], in_a[i] || in_b[i]) << i;
    EXPECT_EQ(joined, knowledge(ba, instants));
    EXPECT_EQ(aa, a);
  }
}

TEST(VectorClock, RelaxedKnowledgeIsWhatWasComplete) {
  VectorClock c;
  c.learn_completed(actor(0, 0, 2));
  c.learn_phase(actor(0, 1, 3), 0, 2);
  VectorClock const relaxed = c.completed_only();
  EXPECT_TRUE(relaxed.knows(at(actor(0, 0, 2), 0, 0, 0, 0)));
  EXPECT_FALSE(relaxed.knows(at(actor(0, 1, 3), 0, 0, 1, 0)));
}

}  // namespace
}  // namespace cuco::checking
