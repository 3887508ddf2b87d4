// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/core/log.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/select/any_selector.hpp"
#include "cuco/select/beam_selector.hpp"
#include "cuco/select/best_of_n_selector.hpp"
#include "cuco/select/phased_selector.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/store/memory_storage.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"

namespace cuco {
namespace {

using testing::coordinates;
using testing::point;
using testing::PointEvaluator;
using testing::RandomStepMutator;
using testing::Recorder;
using testing::StepMutator;
using testing::table;

TEST(Evolution, FindsABetterProgramThanTheSeed) {
  Evolution evolution{MemoryStorage{},
                      PowerLawSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 200, .islands = 2, .seed = 7}};
  auto const summary = evolution.run(point(5, 5));
  ASSERT_TRUE(summary) << to_line(summary.error());
  EXPECT_EQ(summary->generations_done, 200);
  EXPECT_EQ(summary->programs, 200);
  EXPECT_EQ(summary->reason, StopReason::kGenerations);
  EXPECT_EQ(summary->seed.code, point(5, 5));
  EXPECT_GT(summary->best.combined_score, summary->seed.combined_score);
  EXPECT_GT(summary->gain(), 2.0);
  EXPECT_NE(summary->summary().find("modelled"), std::string::npos) << summary->summary();
  EXPECT_NE(summary->summary().find("emulated"), std::string::npos) << summary->summary();
  EXPECT_EQ(evolution.storage().best().value().id, summary->best.id);
}

TEST(Evolution, RowsCarryTheirStory) {
  Evolution evolution{MemoryStorage{},
                      UniformSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 30, .islands = 1, .seed = 1}};
  ASSERT_TRUE(evolution.run(point(2, 2)));
  std::map<std::string, int> children;
  auto const rows = evolution.storage().scan({}).value();
  for (auto const& p : rows) {
    if (p.generation == 0) {
      EXPECT_EQ(attribute_or(p.metadata, "patch_type"), "init");
      continue;
    }
    ++children[p.parent_id.value];
    EXPECT_EQ(attribute_or(p.metadata, "patch_type"), "directive");
    EXPECT_FALSE(attribute_or(p.metadata, "patch_name").empty());
    EXPECT_FALSE(attribute_or(p.metadata, "directives").empty());
    EXPECT_FALSE(attribute_or(p.metadata, "phase").empty());
    EXPECT_EQ(attribute_or(p.metadata, "outcome"), p.correct ? "correct" : "wrong_answer");
    EXPECT_EQ(attribute_or(p.metadata, "error"), p.correct ? "" : "element 0 differs");
    EXPECT_EQ(attribute_or(p.metadata, "origin"), p.correct ? "modelled" : "none");
    EXPECT_NE(p.code_diff.find("+" + p.code), std::string::npos) << p.code_diff;
    EXPECT_GT(p.timestamp, 1e9);
    if (p.correct) {
      EXPECT_GT(metric_or(p.public_metrics, "rank1_time_ms", -1), 0);
    }
    EXPECT_EQ(p.combined_score > 0, p.correct);
  }
  for (auto const& p : rows) EXPECT_EQ(p.children_count, children[p.id.value]) << p.id.value;
}

TEST(Evolution, ArchiveInStorageIsTheTopOfTheCorrectPrograms) {
  Evolution evolution{MemoryStorage{},
                      PowerLawSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 120, .islands = 1, .seed = 3, .archive_size = 10}};
  ASSERT_TRUE(evolution.run(point(2, 2)));
  auto const top = evolution.storage().top(10, {.correct_only = true}).value();
  auto const archive = evolution.storage().top(100, {.archive_only = true}).value();
  ASSERT_EQ(archive.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(archive[i].id, top[i].id);
}

TEST(Evolution, SameSeedSameTableOtherSeedOtherTable) {
  auto run = [](std::uint64_t seed) {
    Evolution evolution{MemoryStorage{},
                        PowerLawSelector{},
                        StepMutator{},
                        PointEvaluator{},
                        {.generations = 60, .islands = 3, .seed = seed}};
    EXPECT_TRUE(evolution.run(point(5, 5)));
    return table(evolution.storage());
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(Evolution, ParallelEvaluationDoesNotDependOnTiming) {
  auto run = [](int slots, int delay_us) {
    PointEvaluator evaluator{.delay_us = delay_us};
    Evolution evolution{MemoryStorage{},
                        PowerLawSelector{},
                        StepMutator{},
                        evaluator,
                        {.generations = 60, .islands = 2, .seed = 11, .parallel_evaluations = slots}};
    auto const summary = evolution.run(point(4, 4));
    EXPECT_TRUE(summary);
    EXPECT_LE(*evaluator.most_at_once, slots);
    EXPECT_EQ(summary->programs, 60);
    return table(evolution.storage());
  };
  auto const four = run(4, 0);
  EXPECT_EQ(run(4, 3000), four);
  EXPECT_EQ(run(4, 500), four);
  auto const one = run(1, 0);
  EXPECT_EQ(run(1, 200), one);
  EXPECT_NE(one, four) << "with one slot every proposal sees its predecessor";
}

TEST(Evolution, EvaluationsRunAtOnce) {
  // Every evaluation waits until three are running, or for a long time.
  struct Meeting {
    std::shared_ptr<std::atomic<int>> running = std::make_shared<std::atomic<int>>(0);
    std::shared_ptr<std::atomic<int>> met = std::make_shared<std::atomic<int>>(0);
    Result<Evaluation> evaluate(Candidate const& candidate) const {
      ++*running;
      auto const deadline =
          std::chrono::steady_clock::now() + std::chrono::seconds(candidate.generation == 0 ? 0 : 20);
      while (*running < 3 && *met == 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (*running == 3) *met = 1;
      --*running;
      return PointEvaluator{}.evaluate(candidate);
    }
  };
  Meeting evaluator;
  Evolution evolution{MemoryStorage{},
                      UniformSelector{},
                      StepMutator{},
                      evaluator,
                      {.generations = 4, .islands = 1, .parallel_evaluations = 3}};
  ASSERT_TRUE(evolution.run(point(5, 5)));
  EXPECT_EQ(*evaluator.met, 1);
}

TEST(Evolution, AProposalSeesExactlyTheResultsOfKBefore) {
  // Records which programs are in the population when a parent is chosen.
  struct Watching {
    std::shared_ptr<std::vector<std::vector<int>>> seen = std::make_shared<std::vector<std::vector<int>>>();
    Result<ProgramId> select(Population const& population, Rng& rng) {
      std::vector<int> generations;
      for (auto const& m : population.members) generations.push_back(m.generation);
      seen->push_back(generations);
      return UniformSelector{}.select(population, rng);
    }
  };
  for (int k : {1, 3}) {
    Watching selector;
    Evolution evolution{MemoryStorage{},
                        selector,
                        RandomStepMutator{},
                        PointEvaluator{.delay_us = 500},
                        {.generations = 20, .islands = 1, .seed = 5, .parallel_evaluations = k}};
    ASSERT_TRUE(evolution.run(point(1, 1)));
    ASSERT_EQ(selector.seen->size(), 19U);
    for (int g = 1; g < 20; ++g) {
      std::vector<int> expected;
      for (int i = 0; i <= std::max(0, g - k); ++i) expected.push_back(i);
      EXPECT_EQ((*selector.seen)[static_cast<std::size_t>(g - 1)], expected)
          << "k " << k << " generation " << g;
    }
  }
}

TEST(Evolution, MemoryAndSqliteGiveTheSameTable) {
  testing::Scratch scratch;
  EvolutionOptions const options{.generations = 40, .islands = 2, .seed = 9, .parallel_evaluations = 2};
  Evolution memory{MemoryStorage{}, BeamSelector{}, StepMutator{}, PointEvaluator{}, options};
  Evolution sqlite{
      SqliteStorage{scratch / "db.sqlite"}, BeamSelector{}, StepMutator{}, PointEvaluator{}, options};
  ASSERT_TRUE(memory.run(point(5, 5)));
  auto const summary = sqlite.run(point(5, 5));
  ASSERT_TRUE(summary) << to_line(summary.error());
  EXPECT_EQ(testing::first_difference(table(memory.storage()), table(sqlite.storage())), "");
}

TEST(Evolution, RunInMemoryLeavesNoFiles) {
  auto count = [] {
    int n = 0;
    for (auto const& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path()))
      n += entry.path().filename().string().rfind("cuco-", 0) == 0 ? 1 : 0;
    return n;
  };
  testing::Scratch scratch;
  ::setenv("TMPDIR", (scratch / "").c_str(), 1);
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, StepMutator{}, PointEvaluator{}, {.generations = 5, .islands = 1}};
  ASSERT_TRUE(evolution.run(point(5, 5)));
  EXPECT_EQ(count(), 0);
  ::setenv("TMPDIR", (scratch / "not there").c_str(), 1);
  auto const failed = evolution.run(point(5, 5));
  ::unsetenv("TMPDIR");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
}

TEST(Evolution, StopsAtTheTargetWithoutLosingWhatWasInFlight) {
  Evolution evolution{
      MemoryStorage{},
      PowerLawSelector{},
      StepMutator{},
      PointEvaluator{},
      {.generations = 500, .islands = 1, .seed = 2, .parallel_evaluations = 3, .target_score = 1000}};
  auto const summary = evolution.run(point(7, 7));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->reason, StopReason::kTarget);
  EXPECT_GE(summary->best.combined_score, 1000);
  EXPECT_LT(summary->generations_done, 500);
  EXPECT_LE(summary->generations_done - 1, summary->best.generation + 2)
      << "at most k - 1 proposals were in flight";
  EXPECT_EQ(summary->programs, summary->generations_done);
}

TEST(Evolution, StopsWhenNothingImproves) {
  Evolution evolution{MemoryStorage{},
                      UniformSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 500, .islands = 1, .seed = 2, .stop_after_stagnant = 15}};
  auto const summary = evolution.run(point(10, 10));  // the summit: nothing can be better
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->reason, StopReason::kStagnant);
  EXPECT_EQ(summary->generations_done, 16);
  auto const again = evolution.run(point(10, 10));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->evaluated, 0) << "the decision stands";
  EXPECT_EQ(again->reason, StopReason::kStagnant);
  auto options = evolution.options();
  options.stop_after_stagnant = 20;
  evolution.set_options(options);
  EXPECT_EQ(evolution.run(point(10, 10))->generations_done, 21);
}

TEST(Evolution, StopsWhenEverythingIsKnown) {
  // A 3 x 3 board has nine points: the seed and eight others.
  Evolution evolution{MemoryStorage{},
                      UniformSelector{},
                      StepMutator{.size = 3},
                      PointEvaluator{},
                      {.generations = 100, .islands = 2, .seed = 2, .stop_after_skips = 4}};
  Recorder recorder;
  auto const summary = evolution.observe(std::ref(recorder)).run(point(1, 1));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->reason, StopReason::kExhausted);
  EXPECT_EQ(summary->programs, 9);
  EXPECT_EQ(summary->generations_done, 9 + 4);
  EXPECT_EQ(summary->skipped, 4);
  EXPECT_EQ(recorder.count(Event::Kind::kSkipped), 4);
  EXPECT_EQ(evolution.storage().value("last_iteration").value(), "12");
}

TEST(Evolution, ExhaustedParentsAreReplacedInTheSameGeneration) {
  // The selector insists on the seed; once its neighbours are known the others must get their turn.
  Evolution evolution{MemoryStorage{},
                      BestOfNSelector{},
                      StepMutator{.size = 3},
                      PointEvaluator{},
                      {.generations = 9, .islands = 1, .seed = 2}};
  auto const summary = evolution.run(point(0, 0));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->skipped, 0);
  EXPECT_EQ(summary->programs, 9);
}

TEST(Evolution, DuplicatesReuseTheStoredResult) {
  PointEvaluator evaluator;
  for (int k : {1, 3}) {
    *evaluator.count = 0;
    Evolution evolution{MemoryStorage{},
                        UniformSelector{},
                        RandomStepMutator{},
                        evaluator,
                        {.generations = 60, .islands = 1, .seed = 4, .parallel_evaluations = k}};
    auto const summary = evolution.run(point(1, 1));
    ASSERT_TRUE(summary);
    std::set<std::string> distinct;
    for (auto const& p : testing::rows(evolution.storage(), {})) distinct.insert(p.code);
    EXPECT_EQ(*evaluator.count, static_cast<int>(distinct.size()));
    EXPECT_EQ(summary->evaluated, static_cast<int>(distinct.size()));
    EXPECT_EQ(summary->duplicates, 60 - static_cast<int>(distinct.size()));
    EXPECT_GT(summary->duplicates, 20);
    std::map<std::string, double> score;
    for (auto const& p : testing::rows(evolution.storage(), {})) {
      auto const [at, fresh] = score.emplace(p.code, p.combined_score);
      EXPECT_EQ(at->second, p.combined_score);
      EXPECT_EQ(fresh, attribute_or(p.metadata, "duplicate_of").empty());
    }
  }
}

TEST(Evolution, CommentsAndLayoutDoNotMakeANewProgram) {
  struct Commenting {
    Result<Mutation> mutate(MutationContext const& context, Rng&) {
      return Mutation{context.parent.code + " // again\n", "full", "comment", "adds a comment"};
    }
  };
  PointEvaluator evaluator;
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, Commenting{}, evaluator, {.generations = 5, .islands = 1}};
  auto const summary = evolution.run(point(1, 1));
  ASSERT_TRUE(summary);
  EXPECT_EQ(*evaluator.count, 1);
  EXPECT_EQ(summary->duplicates, 4);
}

TEST(Evolution, PhasesAreToldToMutatorAndSelector) {
  struct Asking {
    std::shared_ptr<std::string> phases = std::make_shared<std::string>();
    Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
      phases->push_back(context.phase == Phase::kExplore ? 'e' : 'x');
      return StepMutator{}.mutate(context, rng);
    }
  };
  Asking mutator;
  PhasedSelector selector(BestOfNSelector{}, PowerLawSelector{});
  Evolution evolution{
      MemoryStorage{},
      std::move(selector),
      mutator,
      PointEvaluator{},
      {.generations = 10, .islands = 1, .seed = 1, .explore_fraction = 0.4, .max_attempts = 1}};
  ASSERT_TRUE(evolution.run(point(50, 50)));
  EXPECT_EQ(*mutator.phases, "eeexxxxxx");
  for (auto const& p : testing::rows(evolution.storage(), {})) {
    if (p.generation >= 1 && p.generation <= 3) {
      EXPECT_EQ(attribute_or(evolution.storage().get(p.parent_id).value().metadata, "patch_type"), "init");
    }
  }
}

TEST(Evolution, TimeBudgetStopsProposing) {
  Evolution evolution{
      MemoryStorage{},
      UniformSelector{},
      StepMutator{},
      PointEvaluator{.delay_us = 4000},
      {.generations = 100000, .islands = 1, .parallel_evaluations = 2, .budget_seconds = 0.2}};
  auto const summary = evolution.run(point(5, 5));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->reason, StopReason::kBudget);
  EXPECT_GT(summary->programs, 5);
  EXPECT_EQ(summary->programs, summary->evaluated) << "what was in flight is stored";
}

TEST(Evolution, CancellationFinishesWhatRunsAndContinuesLater) {
  std::atomic<bool> cancel{false};
  struct Cancelling {
    std::atomic<bool>* flag;
    void on(Event const& event) {
      if (event.kind == Event::Kind::kEvaluated && event.generation == 5) flag->store(true);
    }
  };
  EvolutionOptions options{.generations = 20, .islands = 1, .seed = 3};
  options.cancel = &cancel;
  Evolution evolution{MemoryStorage{}, UniformSelector{}, StepMutator{}, PointEvaluator{}, options};
  evolution.observe(Cancelling{&cancel});
  auto const summary = evolution.run(point(5, 5));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->reason, StopReason::kCancelled);
  EXPECT_EQ(summary->generations_done, 6);
  cancel = false;
  auto const rest = evolution.run(point(5, 5));
  ASSERT_TRUE(rest);
  EXPECT_TRUE(rest->resumed);
  EXPECT_EQ(rest->generations_done, 20);
  options.cancel = nullptr;
  Evolution whole{MemoryStorage{}, UniformSelector{}, StepMutator{}, PointEvaluator{}, options};
  ASSERT_TRUE(whole.run(point(5, 5)));
  EXPECT_EQ(table(whole.storage()), table(evolution.storage()))
      << "with one slot a cancelled run loses nothing";
}

TEST(Evolution, NothingNewSkipsAndBudgetEnds) {
  struct Moody {
    int calls = 0;
    Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
      ++calls;
      if (context.generation == 3) return fail(ErrorCode::kNotFound, "no reply could be used");
      if (context.generation == 6) return fail(ErrorCode::kBudget, "5 dollars are spent");
      return StepMutator{}.mutate(context, rng);
    }
  };
  Recorder recorder;
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, Moody{}, PointEvaluator{}, {.generations = 50, .islands = 1}};
  auto const level = set_log_level(LogLevel::kOff);
  auto const summary = evolution.observe(std::ref(recorder)).run(point(50, 50));
  set_log_level(level);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->reason, StopReason::kBudget);
  EXPECT_NE(summary->reason_text.find("5 dollars"), std::string::npos);
  EXPECT_EQ(summary->skipped, 1);
  EXPECT_EQ(summary->generations_done, 6);
  ASSERT_EQ(recorder.count(Event::Kind::kSkipped), 1);
  for (auto const& seen : recorder.seen)
    if (seen.kind == Event::Kind::kSkipped) {
      EXPECT_NE(seen.text.find("the last: no reply could be used"), std::string::npos) << seen.text;
    }
}

TEST(Evolution, HarnessFailureIsAnErrorAndTheRunCanContinue) {
  struct Failing {
    std::shared_ptr<std::atomic<int>> left = std::make_shared<std::atomic<int>>(7);
    Result<Evaluation> evaluate(Candidate const& candidate) const {
      if (--*left == 0) return fail(ErrorCode::kToolMissing, "no compiler", "install g++");
      return PointEvaluator{}.evaluate(candidate);
    }
  };
  Evolution evolution{MemoryStorage{},
                      UniformSelector{},
                      StepMutator{},
                      Failing{},
                      {.generations = 12, .islands = 1, .seed = 1, .parallel_evaluations = 2}};
  auto const broken = evolution.run(point(5, 5));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kToolMissing);
  auto const rest = evolution.run(point(5, 5));
  ASSERT_TRUE(rest) << to_line(rest.error());
  EXPECT_EQ(rest->generations_done, 12);
  EXPECT_EQ(rest->programs, 12);
}

TEST(Evolution, AThrowingPartIsAnErrorNotACrash) {
  struct Throwing {
    Result<Evaluation> evaluate(Candidate const&) const { throw std::runtime_error("boom"); }
  };
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, StepMutator{}, Throwing{}, {.generations = 3, .islands = 1}};
  auto const result = evolution.run(point(5, 5));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInternal);
  EXPECT_NE(result.error().cause.find("boom"), std::string::npos);
}

TEST(Evolution, SeedThatFailsIsNotVerifiedUnlessAllowed) {
  Evolution strict{
      MemoryStorage{}, UniformSelector{}, StepMutator{}, PointEvaluator{}, {.generations = 9, .islands = 1}};
  for (int round = 0; round < 2; ++round) {  // the second call finds the stored seed
    auto const refused = strict.run(point(3, 0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kNotVerified);
    EXPECT_NE(refused.error().cause.find("element 0 differs"), std::string::npos);
  }
  Evolution lenient{MemoryStorage{},
                    UniformSelector{},
                    StepMutator{},
                    PointEvaluator{},
                    {.generations = 60, .islands = 3, .seed = 5, .require_correct_seed = false}};
  auto const summary = lenient.run(point(3, 0));
  ASSERT_TRUE(summary);
  EXPECT_GT(summary->correct, 10) << "a broken seed must not hold the run";
  std::set<int> islands;
  for (auto const& p : testing::rows(lenient.storage(), {.correct_only = true})) islands.insert(p.island);
  EXPECT_EQ(islands.size(), 3U) << "empty islands are settled first";
}

TEST(Evolution, CandidatesCarryTheFrozenHashOfTheSeed) {
  struct Block {
    Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
      auto const text =
          "// EVOLVE-BLOCK-START\nint x = " + std::to_string(rng.below(1000000)) + ";\n// EVOLVE-BLOCK-END\n";
      return Mutation{context.parent.code.substr(0, 6) + text, "full", "number", "another number"};
    }
  };
  struct Checking {
    std::shared_ptr<std::string> hash = std::make_shared<std::string>();
    Result<Evaluation> evaluate(Candidate const& candidate) const {
      EXPECT_EQ(candidate.frozen_hash, frozen_hash(candidate.code).value());
      *hash = candidate.frozen_hash;
      Evaluation e;
      e.outcome = Outcome::kCorrect;
      e.combined_score = 1;
      return e;
    }
  };
  Checking evaluator;
  std::string const seed = "int a\n// EVOLVE-BLOCK-START\nint x = 0;\n// EVOLVE-BLOCK-END\n";
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, Block{}, evaluator, {.generations = 6, .islands = 1}};
  auto const summary = evolution.run(seed);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->programs, 6);
  EXPECT_EQ(*evaluator.hash, frozen_hash(seed).value());
}

TEST(Evolution, MalformedMarkersInASeedAreAParseErrorWithTheLine) {
  Evolution evolution{
      MemoryStorage{}, UniformSelector{}, StepMutator{}, PointEvaluator{}, {.generations = 6, .islands = 1}};
  auto const refused =
      evolution.run(std::vector<Seed>{{"int a;\n// EVOLVE-BLOCK-START\nint b;\n", -1, "broken.cu"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kParse);
  EXPECT_EQ(refused.error().file, "broken.cu");
  EXPECT_GT(refused.error().line, 0U);
}

TEST(Evolution, OptionsWithoutMeaningAreNamed) {
  std::map<std::string, EvolutionOptions> bad;
  bad["generations"] = {.generations = 0};
  bad["parallel_evaluations"] = {.parallel_evaluations = 0};
  bad["explore_fraction"] = {.explore_fraction = 2};
  bad["islands"] = {.islands = 0};
  bad["migration_rate"] = {.migration_rate = -1};
  bad["archive_size"] = {.archive_size = -1};
  for (auto const& [word, options] : bad) {
    Evolution evolution{MemoryStorage{}, UniformSelector{}, StepMutator{}, PointEvaluator{}, options};
    auto const result = evolution.run(point(1, 1));
    ASSERT_FALSE(result) << word;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(result.error().cause.find(word), std::string::npos) << to_line(result.error());
  }
}

TEST(Evolution, AnyPartsAndTheUnconstrainedFactoryWork) {
  auto evolution = make_evolution(MemoryStorage{},
                                  make_selector("weighted").value(),
                                  StepMutator{},
                                  PointEvaluator{},
                                  {.generations = 10, .islands = 1});
  EXPECT_TRUE(evolution.run(point(5, 5)));
}

TEST(Evolution, EventsTellTheWholeStoryInOrder) {
  Recorder recorder;
  Evolution evolution{MemoryStorage{},
                      PowerLawSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 25, .islands = 2, .seed = 6, .migration_interval = 5}};
  auto const summary = evolution.observe(std::ref(recorder)).run(point(6, 6));
  ASSERT_TRUE(summary);
  using Kind = Event::Kind;
  EXPECT_EQ(recorder.seen.front().kind, Kind::kStarted);
  EXPECT_EQ(recorder.seen.back().kind, Kind::kStopped);
  EXPECT_EQ(recorder.count(Kind::kProposed), 25);
  EXPECT_EQ(recorder.count(Kind::kEvaluated), 25);
  EXPECT_GT(recorder.count(Kind::kMigrated), 0);
  int generation = 0;
  for (auto const& seen : recorder.seen)
    if (seen.kind == Kind::kEvaluated) {
      EXPECT_EQ(seen.generation, generation++);
    }
  std::string last_best;
  for (auto const& seen : recorder.seen)
    if (seen.kind == Kind::kNewBest) last_best = seen.id;
  EXPECT_EQ(last_best, summary->best.id.value);
}

}  // namespace
}  // namespace cuco
