// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/core/impl/pool.hpp"
#include "cuco/population/archive.hpp"
#include "cuco/population/inspirations.hpp"
#include "cuco/population/island_options.hpp"
#include "cuco/population/migration.hpp"
#include "cuco/population/roster.hpp"
#include "cuco/population/seeds.hpp"

namespace cuco {
namespace {

Member member(std::string id, double score, int island = 0, bool correct = true, int generation = 1) {
  Member m;
  m.id = ProgramId{std::move(id)};
  m.score = score;
  m.correct = correct;
  m.island = island;
  m.generation = generation;
  return m;
}

/// Every program has a code of its own unless `key` says otherwise.
Roster roster_of(std::vector<Member> members, int islands, std::vector<std::uint64_t> keys = {}) {
  Roster roster(islands);
  for (std::size_t i = 0; i < members.size(); ++i)
    roster.add(members[i], i < keys.size() ? keys[i] : 1000 + i);
  return roster;
}

Program program(std::string id, double score, int island, bool correct = true) {
  Program p;
  p.id = ProgramId{std::move(id)};
  p.code = "code of " + p.id.value;
  p.combined_score = score;
  p.island = island;
  p.correct = correct;
  return p;
}

std::vector<std::string> values(std::vector<ProgramId> const& ids) {
  std::vector<std::string> out;
  for (auto const& id : ids) out.push_back(id.value);
  return out;
}

TEST(IslandOptions, DefaultsAreValidAndNonsenseIsNamed) {
  EXPECT_TRUE(check(IslandOptions{}));
  std::map<std::string, IslandOptions> bad;
  bad["islands"].islands = 0;
  bad["migration_interval"].migration_interval = -1;
  bad["migration_rate"].migration_rate = 1.5;
  bad["migration_rate "].migration_rate = std::numeric_limits<double>::quiet_NaN();
  bad["migration_graph"].migration_graph = {{1}};
  bad["migration_graph: island 1"] = {.islands = 2, .migration_graph = {{1}, {1}}};
  bad["cannot send to 7"] = {.islands = 2, .migration_graph = {{7}, {}}};
  for (auto const& [word, options] : bad) {
    auto const status = check(options);
    ASSERT_FALSE(status) << word;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(status.error().cause.find(word.substr(0, word.find_last_not_of(' ') + 1)), std::string::npos)
        << to_line(status.error());
  }
}

TEST(Roster, FindsMembersAndKnowsIslands) {
  auto roster = roster_of({member("a", 1, 0), member("b", 0, 1, false), member("c", 7, 2)}, 4);
  ASSERT_NE(roster.find(ProgramId{"c"}), nullptr);
  EXPECT_EQ(roster.find(ProgramId{"x"}), nullptr);
  EXPECT_EQ(roster.settled_islands(), (std::vector<int>{0, 2}));
  EXPECT_EQ(roster.first_unsettled_island(), 1);
  EXPECT_EQ(roster.best()->id.value, "c");
  EXPECT_TRUE(roster.holds(1, roster.code_key(ProgramId{"b"})));
  EXPECT_FALSE(roster.holds(0, roster.code_key(ProgramId{"b"})));
  roster.add(member("d", 1, 1), 5);
  roster.add(member("e", 1, 3), 6);
  EXPECT_EQ(roster.first_unsettled_island(), -1);
}

TEST(Roster, NothingCorrectMeansNoBest) {
  EXPECT_EQ(roster_of({member("a", 0, 0, false)}, 1).best(), nullptr);
  EXPECT_EQ(Roster(3).first_unsettled_island(), 0);
}

TEST(Seeds, WishesAreGrantedAndTheOthersFillGaps) {
  auto const islands = place_seeds({{"x"}, {"lsa", 2}, {"y"}, {"gin", 0}, {"z"}, {"w"}}, 4);
  ASSERT_TRUE(islands);
  EXPECT_EQ(*islands, (std::vector<int>{1, 2, 3, 0, 0, 1}));
  EXPECT_EQ(place_seeds({{"x"}}, 4).value(), (std::vector<int>{0}));
}

TEST(Seeds, BadWishesAreInvalidArguments) {
  EXPECT_EQ(place_seeds({}, 2).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(place_seeds({{"", 0}}, 2).error().code, ErrorCode::kInvalidArgument);
  auto const outside = place_seeds({{"x", 2}}, 2);
  ASSERT_FALSE(outside);
  EXPECT_NE(outside.error().cause.find("island 2 of 2"), std::string::npos);
}

TEST(Seeds, ASingleSeedIsCopiedToEveryIsland) {
  auto seed = program("s", 5, 0);
  seed.children_count = 3;
  seed.in_archive = true;
  auto const copies = fill_islands({seed}, 3);
  ASSERT_EQ(copies.size(), 2U);
  for (int i = 0; i < 2; ++i) {
    auto const& copy = copies[static_cast<std::size_t>(i)];
    EXPECT_EQ(copy.island, i + 1);
    EXPECT_EQ(copy.id.value, "s.i" + std::to_string(i + 1));
    EXPECT_EQ(copy.code, seed.code);
    EXPECT_EQ(copy.combined_score, 5);
    EXPECT_EQ(copy.children_count, 0);
    EXPECT_FALSE(copy.in_archive);
    EXPECT_EQ(attribute_or(copy.metadata, kIslandCopyKey), "true");
    EXPECT_EQ(attribute_or(copy.metadata, kOriginalIdKey), "s");
  }
}

TEST(Seeds, UnlistedIslandsGetTheBestSeedAndListedOnesKeepTheirs) {
  auto const copies =
      fill_islands({program("slow", 1, 0), program("fast", 9, 2), program("broken", 0, 1, false)}, 5);
  ASSERT_EQ(copies.size(), 2U);
  EXPECT_EQ(copies[0].id.value, "fast.i3");
  EXPECT_EQ(copies[1].id.value, "fast.i4");
}

TEST(Seeds, BrokenSeedsAreNotMultiplied) {
  EXPECT_TRUE(fill_islands({program("s", 0, 0, false)}, 4).empty());
}

TEST(Seeds, ACopyOfACopyNamesTheFirstOriginal) {
  auto const copy = copy_to_island(copy_to_island(program("p", 5, 0), 1), 2);
  EXPECT_EQ(copy.id.value, "p.i2");
  EXPECT_EQ(attribute_or(copy.metadata, kOriginalIdKey), "p");
}

TEST(ElitistCopyMigration, SendsTheBestShareOfEveryIsland) {
  std::vector<Member> members;
  for (int i = 0; i < 20; ++i) members.push_back(member("a" + std::to_string(i), i, 0));
  members.push_back(member("b0", 3, 1));
  members.push_back(member("bad", 0, 1, false));
  members.push_back(member("none", 0, 2, false));
  auto const roster = roster_of(members, 3);
  Rng rng(8);
  auto const moves = ElitistCopyMigration{.rate = 0.1}.plan(roster, rng);
  ASSERT_EQ(moves.size(), 3U);  // floor(0.1 * 20) = 2 from island 0, at least 1 from island 1, nothing from 2
  EXPECT_EQ(moves[0].id.value, "a19");
  EXPECT_EQ(moves[1].id.value, "a18");
  EXPECT_EQ(moves[2].id.value, "b0");
  for (auto const& move : moves) EXPECT_NE(move.from, move.to);
}

TEST(ElitistCopyMigration, IsDeterministicAndReachesEveryIsland) {
  auto const roster =
      roster_of({member("a", 9, 0), member("b", 8, 1), member("c", 7, 2), member("d", 6, 3)}, 4);
  std::set<int> reached;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Rng first(seed);
    Rng second(seed);
    auto const plan = ElitistCopyMigration{}.plan(roster, first);
    EXPECT_EQ(plan, ElitistCopyMigration{}.plan(roster, second));
    for (auto const& move : plan)
      if (move.from == 0) reached.insert(move.to);
  }
  EXPECT_EQ(reached, (std::set<int>{1, 2, 3}));
}

TEST(ElitistCopyMigration, NeverSendsWhatTheDestinationHas) {
  // "a" is on both islands already (same code), so "b" goes in its place.
  auto const roster = roster_of({member("a", 9, 0), member("b", 5, 0), member("a.i1", 9, 1)}, 2, {1, 2, 1});
  Rng rng(1);
  auto const moves = ElitistCopyMigration{.rate = 0.1}.plan(roster, rng);
  ASSERT_EQ(moves.size(), 1U);
  EXPECT_EQ(moves[0], (Move{ProgramId{"b"}, 0, 1}));
}

TEST(ElitistCopyMigration, TwoIslandsDoNotSendTheSameCodeToAThird) {
  auto const roster = roster_of({member("a", 9, 0), member("a.i1", 9, 1)}, 3, {1, 1});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    EXPECT_EQ(ElitistCopyMigration{.rate = 1}.plan(roster, rng).size(), 1U);
  }
}

TEST(ElitistCopyMigration, RateZeroOneIslandAndNoElitism) {
  auto const one = roster_of({member("a", 9, 0)}, 1);
  Rng rng(1);
  EXPECT_TRUE(ElitistCopyMigration{}.plan(one, rng).empty());
  auto const two = roster_of({member("a", 9, 0), member("b", 1, 0), member("c", 2, 0)}, 2);
  EXPECT_TRUE(ElitistCopyMigration{.rate = 0}.plan(two, rng).empty());
  std::set<std::string> sent;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Rng draw(seed);
    sent.insert(ElitistCopyMigration{.rate = 0.1, .elitism = false}.plan(two, draw).at(0).id.value);
  }
  EXPECT_EQ(sent, (std::set<std::string>{"a", "b", "c"}));
}

TEST(GraphMigration, FollowsTheEdgesOnly) {
  auto const roster = roster_of({member("a", 9, 0), member("b", 8, 1), member("c", 7, 2)}, 3);
  GraphMigration const ring{.destinations = {{1}, {2}, {}}};
  Rng rng(5);
  auto const moves = ring.plan(roster, rng);
  ASSERT_EQ(moves.size(), 2U);
  EXPECT_EQ(moves[0], (Move{ProgramId{"a"}, 0, 1}));
  EXPECT_EQ(moves[1], (Move{ProgramId{"b"}, 1, 2}));
}

TEST(Archive, FillsThenReplacesTheWorst) {
  auto roster = roster_of({member("a", 1), member("b", 5), member("c", 3), member("bad", 0, 0, false)}, 1);
  EXPECT_TRUE(update_archive(roster, ProgramId{"a"}, 2).admitted);
  EXPECT_TRUE(update_archive(roster, ProgramId{"b"}, 2).admitted);
  auto const decision = update_archive(roster, ProgramId{"c"}, 2);
  EXPECT_TRUE(decision.admitted);
  EXPECT_EQ(decision.evicted.value, "a");
  EXPECT_FALSE(roster.find(ProgramId{"a"})->in_archive);
  EXPECT_FALSE(update_archive(roster, ProgramId{"bad"}, 2).admitted);
  EXPECT_FALSE(update_archive(roster, ProgramId{"a"}, 2).admitted);
  EXPECT_FALSE(update_archive(roster, ProgramId{"c"}, 0).admitted);
  EXPECT_FALSE(update_archive(roster, ProgramId{"nobody"}, 2).admitted);
}

TEST(Archive, ContentIsTheTopOfAnyInsertionOrder) {
  Rng rng(77);
  for (int round = 0; round < 200; ++round) {
    std::vector<Member> members;
    for (int i = 0; i < 12; ++i)
      members.push_back(member("p" + std::to_string(i),
                               static_cast<double>(rng.below(4)),
                               0,
                               true,
                               static_cast<int>(rng.below(3))));
    auto expected = members;
    std::sort(expected.begin(), expected.end(), impl::better_member);
    std::set<std::string> top;
    for (std::size_t i = 0; i < 5; ++i) top.insert(expected[i].id.value);
    for (std::size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[rng.below(i)]);
    Roster roster(1);
    for (std::size_t i = 0; i < members.size(); ++i) {
      roster.add(members[i], i + 1);
      update_archive(roster, members[i].id, 5);
    }
    std::set<std::string> held;
    for (auto const& m : roster.population().members)
      if (m.in_archive) held.insert(m.id.value);
    EXPECT_EQ(held, top) << "ties must not depend on the order of arrival";
  }
}

TEST(Archive, SameCodeOnOneIslandCountsOnce) {
  auto roster = roster_of({member("a", 5), member("a again", 5), member("a.i1", 5, 1)}, 2, {1, 1, 1});
  EXPECT_TRUE(update_archive(roster, ProgramId{"a"}, 5).admitted);
  EXPECT_FALSE(update_archive(roster, ProgramId{"a again"}, 5).admitted);
  EXPECT_TRUE(update_archive(roster, ProgramId{"a.i1"}, 5).admitted) << "another island may hold its copy";
}

Roster archive_of_ten(int islands) {
  std::vector<Member> members;
  for (int i = 0; i < 10; ++i) {
    members.push_back(member("p" + std::to_string(i), i, i % islands));
    members.back().in_archive = true;
  }
  members.push_back(member("parent", 4.5, 0));
  members.push_back(member("outside", 8.5, 0));
  return roster_of(members, islands);
}

TEST(Inspirations, BestThenElitesThenRandomThenTopK) {
  auto const roster = archive_of_ten(1);
  Rng rng(1);
  auto const chosen = pick_inspirations(
      roster, ProgramId{"parent"}, {.archive = 5, .top_k = 2, .elite_ratio = 0.4}, true, rng);
  auto const archive = values(chosen.archive);
  ASSERT_EQ(archive.size(), 5U);
  EXPECT_EQ(archive[0], "p9");  // best
  EXPECT_EQ(archive[1], "p8");  // floor(5 * 0.4) = 2 elites
  EXPECT_EQ(archive[2], "p7");
  std::set<std::string> seen(archive.begin(), archive.end());
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen.count("parent") + seen.count("outside"), 0U);
  ASSERT_EQ(chosen.top_k.size(), 2U);
  std::string expected;
  for (auto const* id : {"p6", "p5", "p4", "p3", "p2"})
    if (seen.count(id) == 0) {
      expected = id;
      break;
    }
  EXPECT_EQ(chosen.top_k[0].value, expected);
}

TEST(Inspirations, RandomPartVariesWithTheGenerator) {
  auto const roster = archive_of_ten(1);
  std::set<std::string> third;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    third.insert(pick_inspirations(roster, ProgramId{"parent"}, {.archive = 3, .top_k = 0}, true, rng)
                     .archive.at(2)
                     .value);
  }
  EXPECT_GT(third.size(), 4U);
}

TEST(Inspirations, SeparationKeepsThemOnTheIsland) {
  auto const roster = archive_of_ten(2);
  Rng rng(3);
  InspirationOptions const many{.archive = 8, .top_k = 8};
  auto const apart = pick_inspirations(roster, ProgramId{"parent"}, many, true, rng);
  EXPECT_EQ(apart.archive.size(), 5U);
  EXPECT_TRUE(apart.top_k.empty());
  for (auto const& id : apart.archive) EXPECT_EQ(roster.find(id)->island, 0) << id.value;
  auto const mixed = pick_inspirations(roster, ProgramId{"parent"}, many, false, rng);
  EXPECT_EQ(mixed.archive.size(), 8U);
  EXPECT_EQ(mixed.archive[0].value, "p9");
  EXPECT_EQ(mixed.top_k.size(), 2U);
}

TEST(Inspirations, NeverTheParentNorItsCode) {
  auto roster = roster_of({member("a", 9), member("a.i1", 9, 1), member("b", 3)}, 2, {1, 1, 2});
  for (auto const* id : {"a", "a.i1", "b"}) roster.find(ProgramId{id})->in_archive = true;
  Rng rng(1);
  auto const chosen = pick_inspirations(roster, ProgramId{"a"}, {}, false, rng);
  EXPECT_EQ(values(chosen.archive), (std::vector<std::string>{"b"}));
  EXPECT_TRUE(pick_inspirations(roster, ProgramId{"unknown"}, {}, false, rng).archive.empty());
}

}  // namespace
}  // namespace cuco
