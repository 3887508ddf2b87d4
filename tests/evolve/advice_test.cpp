// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// What a run tells mutators and advisers beyond the parent, and that a resumed run tells the same.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/evolve/evolution.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"

namespace cuco {
namespace {

using testing::point;
using testing::PointEvaluator;
using testing::Scratch;
using testing::StepMutator;
using testing::table;

/// Writes down what it was shown, and gives its proposals an embedding and a price.
struct CuriousMutator {
  std::shared_ptr<std::vector<std::string>> shown = std::make_shared<std::vector<std::string>>();
  std::optional<double> price = 0.25;

  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    EXPECT_NE(context.known_codes, nullptr);
    EXPECT_NE(context.known_embeddings, nullptr);
    EXPECT_NE(context.failures, nullptr);
    EXPECT_EQ(context.known_codes->size(), context.known_embeddings->size());
    std::string line = std::to_string(context.generation) + " " + context.recommendations + " failures";
    for (auto const& failure : *context.failures) {
      EXPECT_EQ(failure.parent_id, context.parent.id);
      EXPECT_FALSE(failure.correct);
      EXPECT_FALSE(failure.text_feedback.empty());
      line += " " + failure.id.value;
    }
    line += " embeddings";
    for (std::size_t i = 0; i < context.known_codes->size(); ++i)
      line += " " + ((*context.known_embeddings)[i].empty()
                         ? std::string("none")
                         : std::to_string((*context.known_embeddings)[i].at(0)));
    shown->push_back(line);
    auto mutation = StepMutator{.size = 12}.mutate(context, rng);
    if (mutation) {
      mutation->embedding = {static_cast<float>(context.generation) / 3.0F, 1.0F};
      mutation->cost_usd = price;
    }
    return mutation;
  }
};

/// Counts the programs it has been told of.
struct CountingAdviser {
  struct State {
    std::vector<std::string> programs;
    std::vector<std::string> order;
    int fails_at = -1;
    ErrorCode code = ErrorCode::kProcess;
  };
  std::shared_ptr<State> state = std::make_shared<State>();

  void on(Event const& event) {
    if (event.kind == Event::Kind::kStarted) state->order.emplace_back("started");
    if (event.kind == Event::Kind::kRestored) state->order.emplace_back("restored");
    if (event.kind == Event::Kind::kRestored || event.kind == Event::Kind::kEvaluated)
      state->programs.push_back(event.program->id.value);
  }
  Result<Advice> advise(int generation) {
    if (generation == state->fails_at) return fail(state->code, "no advice today");
    return Advice{"after " + std::to_string(state->programs.size()) + " programs", 0.5};
  }
};

EvolutionOptions options(std::string const& directory, int generations) {
  EvolutionOptions out{.generations = generations, .islands = 1, .seed = 3};
  out.directory = directory;
  out.failures_told = 2;
  return out;
}

template <class M, class A>
Result<RunSummary> run_in(EvolutionOptions const& options,
                          M mutator,
                          A adviser,
                          std::string* rows = nullptr) {
  auto storage = SqliteStorage::open(options.directory);
  if (!storage) return forward_error(std::move(storage));
  Evolution evolution{*std::move(storage), UniformSelector{}, std::move(mutator), PointEvaluator{}, options};
  evolution.advise(std::move(adviser));
  auto summary = evolution.run(point(5, 5));
  if (rows != nullptr) *rows = table(evolution.storage());
  return summary;
}

TEST(Advice, MutatorsGetRecommendationsFailuresAndEmbeddings) {
  Scratch const scratch;
  CuriousMutator const mutator;
  CountingAdviser const adviser;
  std::string rows;
  ASSERT_TRUE(run_in(options(scratch / "run", 24), mutator, adviser, &rows));
  // Several lines of one generation: for its first parents there was nothing new.
  std::map<int, std::string> last;
  for (auto const& line : *mutator.shown) last[std::stoi(line)] = line;
  ASSERT_EQ(last.size(), 23U);
  EXPECT_EQ(mutator.shown->at(0), "1 after 1 programs failures embeddings none");
  for (auto const& line : *mutator.shown) {
    auto const generation = line.substr(0, line.find(' '));
    EXPECT_EQ(line.rfind(generation + " after " + generation + " programs failures", 0), 0U) << line;
  }
  EXPECT_NE(last.at(3).find(" embeddings none 0.333333 0.666667"), std::string::npos);
  bool told = false;
  for (auto const& line : *mutator.shown) told = told || line.find("failures g") != std::string::npos;
  EXPECT_TRUE(told) << "no parent with a failing child was chosen again";
  EXPECT_NE(rows.find(R"("api_costs":"0.25")"), std::string::npos);
  EXPECT_NE(rows.find(R"("meta_cost":"0.5")"), std::string::npos);
}

TEST(Advice, AResumedRunTellsTheSame) {
  Scratch const scratch;
  std::string whole;
  CuriousMutator const once;
  ASSERT_TRUE(run_in(options(scratch / "a", 20), once, CountingAdviser{}, &whole));

  CuriousMutator const first;
  ASSERT_TRUE(run_in(options(scratch / "b", 9), first, CountingAdviser{}));
  CuriousMutator const second;
  CountingAdviser const adviser;
  std::string resumed;
  ASSERT_TRUE(run_in(options(scratch / "b", 20), second, adviser, &resumed));
  std::vector<std::string> both = *first.shown;
  both.insert(both.end(), second.shown->begin(), second.shown->end());
  // The explore phase depends on the planned total, which the toy mutator does not read.
  EXPECT_EQ(both, *once.shown);
  ASSERT_GE(adviser.state->order.size(), 10U);
  EXPECT_EQ(adviser.state->order[8], "restored");
  EXPECT_EQ(adviser.state->order[9], "started");
}

TEST(Advice, AnAdviserThatFailsEndsTheRunUntilItWorks) {
  Scratch const scratch;
  std::string whole;
  ASSERT_TRUE(run_in(options(scratch / "whole", 8), CuriousMutator{}, CountingAdviser{}, &whole));
  CountingAdviser adviser;
  adviser.state->fails_at = 4;
  auto summary = run_in(options(scratch / "run", 8), CuriousMutator{}, adviser);
  ASSERT_TRUE(summary) << to_line(summary.error());
  EXPECT_EQ(summary->reason, StopReason::kFailed);
  EXPECT_EQ(summary->generations_done, 4);
  EXPECT_EQ(summary->error->cause, "no advice today");
  std::string rows;
  summary = run_in(options(scratch / "run", 8), CuriousMutator{}, CountingAdviser{}, &rows);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->generations_done, 8);
  EXPECT_EQ(testing::first_difference(rows, whole), "");

  CountingAdviser spent;
  spent.state->fails_at = 4;
  spent.state->code = ErrorCode::kBudget;
  summary = run_in(options(scratch / "spent", 8), CuriousMutator{}, spent);
  ASSERT_TRUE(summary) << to_line(summary.error());
  EXPECT_EQ(summary->reason, StopReason::kBudget);
  EXPECT_EQ(summary->generations_done, 4);
}

/// Has nothing new for the first parent of a generation, after calls that have cost what `asked` says.
struct CostlyMutator {
  std::map<int, std::string> asked;
  int refused = 0;  ///< The last generation with a refusal.

  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    auto const found = asked.find(context.generation);
    if (found != asked.end() && refused < context.generation) {
      refused = context.generation;
      return tl::unexpected<Error>(
          Error{ErrorCode::kNotFound, "nothing usable was said", {}, {}, 0, found->second});
    }
    auto mutation = StepMutator{}.mutate(context, rng);
    if (mutation) mutation->cost_usd = 0.25;
    return mutation;
  }
};

TEST(Advice, WhatWasSpentOnParentsInVainIsTheChildsCost) {
  Scratch const scratch;
  CostlyMutator mutator;
  mutator.asked = {{2, "http-status: 200\ncost-usd: 0.5\n"}, {3, "cost-usd: unknown\n"}, {4, "no price"}};
  auto storage = SqliteStorage::open(scratch / "run");
  ASSERT_TRUE(storage);
  Evolution evolution{
      *std::move(storage), UniformSelector{}, mutator, PointEvaluator{}, options(scratch / "run", 6)};
  ASSERT_TRUE(evolution.run(point(5, 5)));
  std::vector<std::string> costs;
  for (auto const& program : testing::rows(evolution.storage())) {
    costs.push_back(attribute_or(program.metadata, "api_costs", "none"));
    EXPECT_EQ(attribute_or(program.metadata, "resample_attempt", "0"),
              mutator.asked.count(program.generation) > 0 ? "1" : "0");
  }
  EXPECT_EQ(costs, (std::vector<std::string>{"none", "0.25", "0.75", "unknown", "0.25", "0.25"}));
}

TEST(Advice, AnUnknownPriceIsToldAsUnknown) {
  Scratch const scratch;
  CuriousMutator mutator;
  mutator.price = std::nullopt;
  std::string rows;
  ASSERT_TRUE(run_in(options(scratch / "run", 3), mutator, CountingAdviser{}, &rows));
  EXPECT_NE(rows.find(R"("api_costs":"unknown")"), std::string::npos);
}

}  // namespace
}  // namespace cuco
