// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/evolve/evolution.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/store/memory_storage.hpp"
#include "fakes.hpp"

namespace cuco {
namespace {

using testing::point;
using testing::PointEvaluator;
using testing::Recorder;
using testing::StepMutator;

bool is_copy(Program const& p) {
  return !attribute_or(p.metadata, kIslandCopyKey).empty();
}

TEST(Islands, SingleSeedLivesOnEveryIslandAndIsEvaluatedOnce) {
  PointEvaluator evaluator;
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, StepMutator{}, evaluator, {.generations = 1, .islands = 4}};
  auto const summary = evolution.run(point(5, 5));
  ASSERT_TRUE(summary);
  EXPECT_EQ(*evaluator.count, 1);
  EXPECT_EQ(summary->programs, 1);
  auto const rows = evolution.storage().scan({}).value();
  ASSERT_EQ(rows.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    auto const& row = rows[static_cast<std::size_t>(i)];
    EXPECT_EQ(row.island, i);
    EXPECT_EQ(row.code, point(5, 5));
    EXPECT_TRUE(row.in_archive);
    EXPECT_EQ(is_copy(row), i > 0);
    if (i > 0) {
      EXPECT_EQ(attribute_or(row.metadata, kOriginalIdKey), rows[0].id.value);
    }
  }
}

TEST(Islands, EverySeedKeepsItsIslandAndItsTag) {
  PointEvaluator evaluator;
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, StepMutator{}, evaluator, {.generations = 1, .islands = 4}};
  std::vector<Seed> const seeds{{point(5, 5), 2, "lsa", {{"api_type", "lsa"}}},
                                {point(8, 8), 0, "gin", {{"api_type", "gin"}}}};
  auto const summary = evolution.run(seeds);
  ASSERT_TRUE(summary) << to_line(summary.error());
  EXPECT_EQ(*evaluator.count, 2);
  std::map<int, Program> at;
  for (auto const& row : testing::rows(evolution.storage(), {})) at[row.island] = row;
  ASSERT_EQ(at.size(), 4U);
  EXPECT_EQ(at[2].code, point(5, 5));
  EXPECT_EQ(attribute_or(at[2].metadata, "api_type"), "lsa");
  EXPECT_EQ(attribute_or(at[2].metadata, "patch_name"), "lsa");
  EXPECT_EQ(at[0].code, point(8, 8));
  for (int unlisted : {1, 3}) {
    EXPECT_EQ(at[unlisted].code, point(8, 8)) << "the better seed";
    EXPECT_TRUE(is_copy(at[unlisted]));
  }
  EXPECT_EQ(summary->seed.code, point(8, 8));
}

TEST(Islands, TwoSeedsMayShareAnIslandAndEqualSeedsAreEvaluatedOnce) {
  PointEvaluator evaluator;
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, StepMutator{}, evaluator, {.generations = 1, .islands = 2}};
  ASSERT_TRUE(evolution.run({{point(5, 5), 1}, {point(6, 6), 1}, {point(5, 5), 0}}));
  EXPECT_EQ(*evaluator.count, 2);
  auto const rows = evolution.storage().scan({}).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[2].combined_score, rows[0].combined_score);
  EXPECT_EQ(attribute_or(rows[2].metadata, "duplicate_of"), rows[0].id.value);
}

TEST(Islands, ChildrenLiveWhereTheirParentLives) {
  Evolution evolution{MemoryStorage{},
                      UniformSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 80, .islands = 3, .seed = 5, .migration_interval = 0}};
  ASSERT_TRUE(evolution.run({{point(5, 5), 0}, {point(20, 20), 1}, {point(40, 41), 2}}));
  std::set<int> islands;
  for (auto const& row : testing::rows(evolution.storage(), {})) {
    if (row.generation == 0) continue;
    EXPECT_EQ(row.island, evolution.storage().get(row.parent_id)->island) << row.id.value;
    islands.insert(row.island);
  }
  EXPECT_EQ(islands.size(), 3U);
}

TEST(Islands, AnIslandWhoseSeedFailsIsSettledByTheNextCorrectChild) {
  Evolution evolution{MemoryStorage{},
                      UniformSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 20, .islands = 2, .seed = 5, .migration_interval = 0}};
  ASSERT_TRUE(evolution.run({{point(5, 5), 0}, {point(3, 0), 1}}));
  for (auto const& row : testing::rows(evolution.storage(), {.correct_only = true, .min_generation = 1})) {
    EXPECT_EQ(row.island, 1) << "the first correct child settles island 1";
    break;
  }
}

TEST(Islands, MigrationCopiesTheBestAndNeverEvaluatesAgain) {
  PointEvaluator evaluator;
  Recorder recorder;
  Evolution evolution{
      MemoryStorage{},
      PowerLawSelector{},
      StepMutator{},
      evaluator,
      {.generations = 61, .islands = 3, .seed = 8, .migration_interval = 10, .migration_rate = 0.1}};
  auto const summary =
      evolution.observe(std::ref(recorder)).run({{point(5, 5), 0}, {point(20, 20), 1}, {point(40, 41), 2}});
  ASSERT_TRUE(summary);
  EXPECT_EQ(*evaluator.count, 63 - summary->duplicates - summary->skipped);
  int migrated = 0;
  std::set<std::pair<int, std::string>> at;
  for (auto const& row : testing::rows(evolution.storage(), {})) {
    EXPECT_TRUE(is_copy(row) || row.migration_history.empty());
    EXPECT_TRUE(at.insert({row.island, row.code}).second) << "no island gets what it has";
    if (row.migration_history.empty()) continue;
    ++migrated;
    auto const& move = row.migration_history.back();
    EXPECT_EQ(move.generation % 10, 0);
    EXPECT_EQ(move.to, row.island);
    EXPECT_NE(move.from, move.to);
    EXPECT_GE(move.generation, row.generation);
    auto const original = evolution.storage().get(ProgramId{attribute_or(row.metadata, kOriginalIdKey)});
    ASSERT_TRUE(original);
    EXPECT_EQ(original->code, row.code);
    EXPECT_EQ(original->combined_score, row.combined_score);
    EXPECT_NE(original->island, row.island) << "the original stays";
  }
  EXPECT_GE(migrated, 6 * 3 - 6);
  EXPECT_EQ(recorder.count(Event::Kind::kMigrated), migrated);
}

TEST(Islands, GraphMigrationFollowsItsEdges) {
  Evolution evolution{MemoryStorage{},
                      PowerLawSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 61,
                       .islands = 3,
                       .seed = 8,
                       .migration_interval = 5,
                       .migration_graph = {{1}, {2}, {}}}};
  ASSERT_TRUE(evolution.run({{point(5, 5), 0}, {point(20, 20), 1}, {point(40, 41), 2}}));
  std::set<std::pair<int, int>> edges;
  for (auto const& row : testing::rows(evolution.storage(), {}))
    for (auto const& move : row.migration_history) edges.insert({move.from, move.to});
  EXPECT_EQ(edges, (std::set<std::pair<int, int>>{{0, 1}, {1, 2}}));
}

TEST(Islands, SeparationShowsInTheInspirations) {
  auto crossings = [](bool separation) {
    Evolution evolution{
        MemoryStorage{},
        PowerLawSelector{},
        StepMutator{},
        PointEvaluator{},
        {.generations = 60, .islands = 2, .seed = 8, .migration_interval = 0, .separation = separation}};
    EXPECT_TRUE(evolution.run({{point(5, 5), 0}, {point(20, 20), 1}}));
    int out = 0;
    for (auto const& row : testing::rows(evolution.storage(), {})) {
      if (row.generation == 0) continue;
      int const home = evolution.storage().get(row.parent_id)->island;
      for (auto const* ids : {&row.archive_inspiration_ids, &row.top_k_inspiration_ids})
        for (auto const& id : *ids) out += evolution.storage().get(id)->island != home ? 1 : 0;
    }
    return out;
  };
  EXPECT_EQ(crossings(true), 0);
  EXPECT_GT(crossings(false), 0);
}

}  // namespace
}  // namespace cuco
