// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// A mutator or an adviser that cannot work stops the run with its error. Nothing of it stays: the run goes on
// as if it had never stopped.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/evolve/evolution.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/store/memory_storage.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"

namespace cuco {
namespace {

using testing::point;
using testing::PointEvaluator;
using testing::Recorder;
using testing::Scratch;
using testing::StepMutator;
using testing::table;

/// Answers from generation `from` on with an error, as long as it is told to. Has state.
struct Ailing {
  std::shared_ptr<std::optional<Error>> error = std::make_shared<std::optional<Error>>();
  int from = 6;
  int made = 0;

  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    ++made;
    if (*error && context.generation >= from) return tl::unexpected<Error>(**error);
    auto mutation = StepMutator{.size = 12}.mutate(context, rng);
    if (mutation) mutation->name = "number_" + std::to_string(made);
    return mutation;
  }
  [[nodiscard]] std::string save() const { return std::to_string(made); }
  void load(std::string_view state) { made = state.empty() ? 0 : std::stoi(std::string(state)); }
};

EvolutionOptions options(int slots, std::string const& directory = {}) {
  EvolutionOptions out{.generations = 20, .islands = 2, .seed = 5, .parallel_evaluations = slots};
  out.migration_interval = 4;
  out.directory = directory;
  return out;
}

Result<RunSummary> run_in(std::string const& directory,
                          int slots,
                          Ailing const& mutator,
                          Recorder& recorder) {
  auto storage = SqliteStorage::open(directory);
  if (!storage) return forward_error(std::move(storage));
  Evolution evolution{*std::move(storage),
                      PowerLawSelector{},
                      mutator,
                      PointEvaluator{.delay_us = 2000},
                      options(slots, directory)};
  return evolution.observe(std::ref(recorder)).run(point(5, 5));
}

std::string table_of(std::string const& directory) {
  return table(SqliteStorage::open(directory, {.read_only = true}).value());
}

TEST(ModelFailure, StopsAtOnceAndTheRunGoesOnAsIfNothingHadHappened) {
  for (int const slots : {1, 3}) {
    Scratch const scratch;
    Recorder recorder;
    ASSERT_TRUE(run_in(scratch / "whole", slots, Ailing{}, recorder));
    auto const whole = table_of(scratch / "whole");
    for (auto const code : {ErrorCode::kRefused,
                            ErrorCode::kInvalidArgument,
                            ErrorCode::kToolMissing,
                            ErrorCode::kProcess,
                            ErrorCode::kTimeout,
                            ErrorCode::kParse}) {
      auto const directory = scratch / to_string(code);
      Ailing mutator;
      *mutator.error = Error{code, "the provider answered 401", "check the key"};
      // Once more often than `stop_after_skips`.
      for (int round = code == ErrorCode::kRefused ? 0 : 10; round < 12; ++round) {
        Recorder seen;
        auto const stopped = run_in(directory, slots, mutator, seen);
        ASSERT_TRUE(stopped) << to_line(stopped.error());
        EXPECT_EQ(stopped->reason, StopReason::kFailed);
        ASSERT_TRUE(stopped->error);
        EXPECT_EQ(stopped->error->code, code);
        EXPECT_EQ(to_line(*stopped->error), "the provider answered 401; check the key");
        EXPECT_NE(stopped->reason_text.find("the mutator failed: the provider answered 401"),
                  std::string::npos);
        EXPECT_EQ(stopped->skipped, 0);
        EXPECT_LE(stopped->generations_done, 6);
        EXPECT_EQ(seen.count(Event::Kind::kSkipped), 0);
        EXPECT_EQ(seen.seen.back().kind, Event::Kind::kStopped);
      }
      EXPECT_EQ(SqliteStorage::open(directory).value().value("stopped").value().value_or(""), "");
      mutator.error->reset();
      Recorder seen;
      auto const done = run_in(directory, slots, mutator, seen);
      ASSERT_TRUE(done) << to_line(done.error());
      EXPECT_EQ(done->generations_done, 20);
      EXPECT_FALSE(done->error);
      EXPECT_EQ(testing::first_difference(table_of(directory), whole), "") << to_string(code) << slots;
    }
  }
}

TEST(ModelFailure, WhatWasInFlightIsNotEvaluatedAgain) {
  Scratch const scratch;
  Ailing mutator;
  *mutator.error = Error{ErrorCode::kProcess, "no connection"};
  Recorder seen;
  auto const stopped = run_in(scratch / "run", 3, mutator, seen);
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->evaluated, 6) << "the seed and five proposals, of which the last are still running";
  mutator.error->reset();
  auto const done = run_in(scratch / "run", 3, mutator, seen);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->imported, 6 - stopped->generations_done);
  EXPECT_EQ(done->evaluated, 20 - 6);
}

TEST(ModelFailure, AlsoInMemory) {
  Ailing mutator;
  *mutator.error = Error{ErrorCode::kRefused, "no credit"};
  Evolution evolution{MemoryStorage{}, UniformSelector{}, mutator, PointEvaluator{}, options(2)};
  auto const stopped = evolution.run(point(5, 5));
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->reason, StopReason::kFailed);
  EXPECT_EQ(stopped->generations_done, 6) << "nobody could import what is not stored";
  mutator.error->reset();
  EXPECT_EQ(evolution.run(point(5, 5))->generations_done, 20);
}

TEST(ModelFailure, BudgetAndCancellationKeepTheirReasons) {
  for (auto const& [code, reason] : {std::pair{ErrorCode::kBudget, StopReason::kBudget},
                                     std::pair{ErrorCode::kCancelled, StopReason::kCancelled}}) {
    Ailing mutator;
    *mutator.error = Error{code, "enough"};
    Evolution evolution{MemoryStorage{}, UniformSelector{}, mutator, PointEvaluator{}, options(1)};
    auto const stopped = evolution.run(point(5, 5));
    ASSERT_TRUE(stopped);
    EXPECT_EQ(stopped->reason, reason);
    EXPECT_FALSE(stopped->error);
  }
}

/// Has nothing to propose in some generations, at a price.
struct Costly {
  std::shared_ptr<std::optional<Error>> error = std::make_shared<std::optional<Error>>();

  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    if (*error && context.generation == 7) return tl::unexpected<Error>(**error);
    if (context.generation == 3 || context.generation == 5)
      return tl::unexpected<Error>(
          Error{ErrorCode::kNotFound, "nothing usable was said", {}, {}, 0, "cost-usd: 0.125\n"});
    auto mutation = StepMutator{}.mutate(context, rng);
    if (mutation) mutation->cost_usd = 0.25;
    return mutation;
  }
};
/// Advice at a price.
struct Adviser {
  std::optional<double> price = 0.5;
  std::shared_ptr<std::optional<Error>> error = std::make_shared<std::optional<Error>>();
  std::shared_ptr<int> concluded = std::make_shared<int>(0);
  void on(Event const& /*event*/) {}
  [[nodiscard]] Result<Advice> advise(int generation) const {
    if (*error && generation == 4) return tl::unexpected<Error>(**error);
    return Advice{"be bold", price};
  }
  [[nodiscard]] Result<Advice> conclude() const {
    ++*concluded;
    return Advice{"the end", *concluded == 1 ? 2.0 : 0.0};
  }
};

TEST(ModelFailure, WhatGenerationsWithoutAProgramCostIsKept) {
  Scratch const scratch;
  auto run = [&](Costly const& mutator, Adviser const& adviser) {
    auto given = options(1, scratch / "run");
    given.generations = 10;
    given.max_attempts = 2;
    Evolution evolution{
        SqliteStorage::open(scratch / "run").value(), UniformSelector{}, mutator, PointEvaluator{}, given};
    evolution.advise(adviser);
    return evolution.run(point(5, 5)).value();
  };
  Costly mutator;
  Adviser const adviser;
  *mutator.error = Error{ErrorCode::kBudget, "5 dollars are spent", {}, {}, 0, "cost-usd: 0.375\n"};
  auto const stopped = run(mutator, adviser);
  EXPECT_EQ(stopped.skipped, 2);
  EXPECT_EQ(*adviser.concluded, 0) << "the run goes on";
  // Two attempts and the advice of two generations; the attempt that the budget ended.
  EXPECT_EQ(stopped.unattributed_cost, 2 * (2 * 0.125 + 0.5) + 0.375);
  mutator.error->reset();
  auto const done = run(mutator, adviser);
  EXPECT_EQ(done.skipped, 2);
  EXPECT_EQ(*adviser.concluded, 1);
  EXPECT_EQ(done.unattributed_cost, 2 * (2 * 0.125 + 0.5) + 2.0) << "generation 7 has its row now";
  EXPECT_EQ(run(mutator, adviser).unattributed_cost, done.unattributed_cost) << "nothing was done";
}

TEST(ModelFailure, AnUnknownPriceMakesTheSumUnknown) {
  Adviser adviser;
  adviser.price = std::nullopt;
  auto given = options(1);
  given.generations = 5;
  Evolution evolution{MemoryStorage{}, UniformSelector{}, Costly{}, PointEvaluator{}, given};
  evolution.advise(adviser);
  EXPECT_EQ(evolution.run(point(5, 5))->unattributed_cost, std::nullopt);
  EXPECT_EQ(evolution.storage().value("unattributed_cost").value(), "unknown");
}

TEST(ModelFailure, OfTheAdviserStopsTheRunToo) {
  Adviser adviser;
  *adviser.error = Error{ErrorCode::kRefused, "no access"};
  Evolution evolution{MemoryStorage{}, UniformSelector{}, Costly{}, PointEvaluator{}, options(1)};
  evolution.advise(adviser);
  auto const stopped = evolution.run(point(5, 5));
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->reason, StopReason::kFailed);
  EXPECT_EQ(stopped->error->code, ErrorCode::kRefused);
  EXPECT_EQ(stopped->reason_text, "the adviser failed: no access");
  EXPECT_EQ(stopped->generations_done, 4);
  EXPECT_EQ(*adviser.concluded, 0);
  adviser.error->reset();
  EXPECT_EQ(evolution.run(point(5, 5))->generations_done, 20);
}

}  // namespace
}  // namespace cuco
