// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Programs that failed are offered for repair, to mutators that do that.

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/evolve/evolution.hpp"
#include "cuco/evolve/phased_mutator.hpp"
#include "cuco/mutate/mixture.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/store/memory_storage.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"

namespace cuco {
namespace {

using testing::coordinates;
using testing::point;
using testing::PointEvaluator;
using testing::Scratch;
using testing::StepMutator;
using testing::table;

struct Steps {
  std::shared_ptr<int> failing = std::make_shared<int>(0);  ///< Parents it should not have got.
  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    if (!context.parent.correct) {
      ++*failing;
      return fail(ErrorCode::kNotFound, "this one is for correct parents");
    }
    return StepMutator{.size = 30}.mutate(context, rng);
  }
};
/// Scores like `PointEvaluator`, but a fifth of all points is wrong.
struct Picky {
  Result<Evaluation> evaluate(Candidate const& candidate) const {
    auto const [x, y] = coordinates(candidate.code);
    if ((7 * x + 3 * y) % 5 != 2) return PointEvaluator{}.evaluate(candidate);
    Evaluation e;
    e.outcome = Outcome::kWrongAnswer;
    e.text_feedback = "a fifth is wrong";
    return e;
  }
};
/// Steps away from where it is wrong; has nothing for correct parents.
struct Repairs {
  std::shared_ptr<std::vector<std::string>> seen = std::make_shared<std::vector<std::string>>();
  bool hopeless = false;
  static constexpr bool repairs_failures() { return true; }
  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    if (context.parent.correct) return fail(ErrorCode::kNotFound, "there is nothing to repair");
    EXPECT_FALSE(context.parent.text_feedback.empty());
    seen->push_back(context.parent.id.value);
    if (hopeless) return fail(ErrorCode::kNotFound, "no reply could be used");
    auto mutation = StepMutator{.size = 30}.mutate(context, rng);
    if (mutation) mutation->patch_type = "fix";
    return mutation;
  }
};

EvolutionOptions options(double fraction, std::string const& directory = {}) {
  EvolutionOptions out{.generations = 80, .islands = 2, .seed = 9};
  out.explore_fraction = 0;
  out.repair_fraction = fraction;
  out.directory = directory;
  return out;
}
Mixture mixture(Repairs const& repairs, double weight = 0.001) {
  return Mixture{weighted(1, Steps{}), weighted(weight, repairs)};
}

TEST(Repair, ARecentFailingChildOfTheSelectedParentIsRepaired) {
  Repairs const repairs;
  Evolution evolution{MemoryStorage{}, PowerLawSelector{}, mixture(repairs), Picky{}, options(1)};
  auto const summary = evolution.run(point(5, 5));
  ASSERT_TRUE(summary) << to_line(summary.error());
  std::map<std::string, Program> by_id;
  for (auto const& program : testing::rows(evolution.storage())) by_id[program.id.value] = program;
  std::map<std::string, std::vector<Program>> repaired;
  for (auto const& [id, program] : by_id) {
    if (program.parent_id.empty() || !attribute_or(program.metadata, "_is_island_copy").empty()) continue;
    auto const& parent = by_id.at(program.parent_id.value);
    EXPECT_EQ(attribute_or(program.metadata, "patch_type") == "fix", !parent.correct);
    if (parent.correct) continue;
    EXPECT_TRUE(by_id.at(parent.parent_id.value).correct) << "a child of a program that was selected";
    EXPECT_EQ(program.island, parent.island);
    repaired[parent.id.value].push_back(program);
  }
  EXPECT_GE(repaired.size(), 3U);
  for (auto const& [id, tries] : repaired) {
    EXPECT_LE(tries.size(), 2U) << id;
    int correct = 0;
    for (auto const& program : tries) correct += program.correct ? 1 : 0;
    EXPECT_LE(correct, 1) << "what is repaired is not repaired again: " << id;
  }
}

TEST(Repair, NotWithoutAMutatorForIt) {
  Steps const steps;
  Evolution alone{MemoryStorage{}, PowerLawSelector{}, steps, Picky{}, options(1)};
  ASSERT_TRUE(alone.run(point(5, 5)));
  EXPECT_EQ(*steps.failing, 0);
  Repairs const repairs;
  Evolution weightless{MemoryStorage{}, PowerLawSelector{}, mixture(repairs, 0), Picky{}, options(1)};
  ASSERT_TRUE(weightless.run(point(5, 5)));
  Evolution never{MemoryStorage{}, PowerLawSelector{}, mixture(repairs), Picky{}, options(0)};
  ASSERT_TRUE(never.run(point(5, 5)));
  EXPECT_TRUE(repairs.seen->empty());
}

TEST(Repair, OnlyInAPhaseInWhichItHasAWeight) {
  Repairs const repairs;
  auto given = options(1);
  given.explore_fraction = 0.5;
  Evolution evolution{MemoryStorage{},
                      PowerLawSelector{},
                      Mixture{weighted(1, Steps{}), weighted(0, 1, repairs)},
                      Picky{},
                      given};
  ASSERT_TRUE(evolution.run(point(5, 5)));
  int first = 1000;
  for (auto const& program : testing::rows(evolution.storage()))
    if (attribute_or(program.metadata, "patch_type") == "fix") first = std::min(first, program.generation);
  EXPECT_GE(first, 40);
  EXPECT_LT(first, 80);

  Repairs const later;
  Evolution phased{
      MemoryStorage{}, PowerLawSelector{}, PhasedMutator{Steps{}, mixture(later)}, Picky{}, given};
  ASSERT_TRUE(phased.run(point(5, 5)));
  EXPECT_FALSE(later.seen->empty());
}

TEST(Repair, WithoutAResultTheSelectedParentHasItsTurn) {
  Repairs repairs;
  repairs.hopeless = true;
  struct Both {
    Repairs repairs;
    static constexpr bool repairs_failures() { return true; }
    Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
      if (!context.parent.correct) return repairs.mutate(context, rng);
      return StepMutator{.size = 30}.mutate(context, rng);
    }
  };
  Evolution both{MemoryStorage{}, PowerLawSelector{}, Both{repairs}, Picky{}, options(1)};
  auto const summary = both.run(point(5, 5));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->skipped, 0);
  EXPECT_EQ(summary->programs, 80);
  EXPECT_FALSE(repairs.seen->empty());
}

TEST(Repair, AResumedRunRepairsTheSame) {
  for (int const slots : {1, 3}) {
    Scratch const scratch;
    auto run = [&](std::string const& directory, int generations) {
      auto given = options(0.5, directory);
      given.generations = generations;
      given.parallel_evaluations = slots;
      given.islands = 1;
      Evolution evolution{
          SqliteStorage::open(directory).value(), PowerLawSelector{}, mixture(Repairs{}), Picky{}, given};
      EXPECT_TRUE(evolution.run(point(5, 5)));
      return table(evolution.storage());
    };
    auto const whole = run(scratch / "a", 60);
    EXPECT_NE(whole.find(R"("patch_type":"fix")"), std::string::npos);
    // With several slots only a kill leaves the sequence as it is: files without the rows are the same.
    if (slots == 1) {
      for (int const generations : {23, 41}) (void)run(scratch / "b", generations);
    } else {
      std::filesystem::copy(scratch / "a", scratch / "b", std::filesystem::copy_options::recursive);
      for (char const* suffix : {"", "-wal", "-shm"})
        std::filesystem::remove(scratch / ("b/evolution_db.sqlite" + std::string(suffix)));
      for (int g = 40; g < 60; ++g) std::filesystem::remove_all(scratch / ("b/gen_" + std::to_string(g)));
    }
    EXPECT_EQ(testing::first_difference(run(scratch / "b", 60), whole), "");
  }
}

}  // namespace
}  // namespace cuco
