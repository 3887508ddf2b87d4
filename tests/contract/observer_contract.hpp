// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/store/program_json.hpp"

/// @file
/// What every `Observer` promises. Instantiate with a fixture type F that is default constructible and offers
///
///     F::Model           the observer
///     F::Model make()    a fresh one

namespace cuco::testing {

inline Program observed_program() {
  Program p;
  p.id = ProgramId{"g3-0123abcd"};
  p.generation = 3;
  p.correct = true;
  p.combined_score = 5000;
  p.public_metrics = {{"time_ms", 1.0}};
  p.metadata = {{"patch_name", "two_shot"}, {"origin", "modelled"}, {"outcome", "correct"}};
  return p;
}

/// One event of every kind, with and without programs, and with text that is hard to print.
template <class F>
void for_every_event(F&& f) {
  auto const program = observed_program();
  Program failed = program;
  failed.correct = false;
  failed.combined_score = 0;
  failed.metadata = {{"outcome", "compile_failed"}, {"error", "line 1\nline 2 \xff\t\"quoted\" {}"}};
  using Kind = Event::Kind;
  for (auto kind : {Kind::kStarted,
                    Kind::kProposed,
                    Kind::kEvaluated,
                    Kind::kNewBest,
                    Kind::kMigrated,
                    Kind::kSkipped,
                    Kind::kStopped}) {
    for (Program const* p :
         {static_cast<Program const*>(nullptr), &program, static_cast<Program const*>(&failed)})
      for (Program const* best : {static_cast<Program const*>(nullptr), &program})
        for (char const* text : {"", "why {} %s", "two\nlines \xfe"}) f(Event{kind, 3, 10, p, best, text});
  }
}

template <class F>
class ObserverContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(ObserverContract);

TYPED_TEST_P(ObserverContract, TakesEveryEventAndChangesNothing) {
  TypeParam fixture;
  auto observer = fixture.make();
  for_every_event([&](Event const& event) {
    auto const before = event.program == nullptr ? "" : to_json(*event.program);
    EXPECT_NO_THROW(observer.on(event));
    EXPECT_EQ(event.program == nullptr ? "" : to_json(*event.program), before);
  });
}

TYPED_TEST_P(ObserverContract, SurvivesBeingMoved) {
  TypeParam fixture;
  auto first = fixture.make();
  first.on(Event{Event::Kind::kStarted, 0, 2, nullptr, nullptr, "new run"});
  auto second = std::move(first);
  auto third = fixture.make();
  third = std::move(second);
  auto const program = observed_program();
  EXPECT_NO_THROW(third.on(Event{Event::Kind::kEvaluated, 0, 2, &program, &program, ""}));
}

TYPED_TEST_P(ObserverContract, GenerationsMayBeUnknown) {
  TypeParam fixture;
  auto observer = fixture.make();
  EXPECT_NO_THROW(observer.on(Event{Event::Kind::kEvaluated, 0, 0, nullptr, nullptr, ""}));
  EXPECT_NO_THROW(observer.on(Event{Event::Kind::kStopped, -1, 0, nullptr, nullptr, "nothing done"}));
}

REGISTER_TYPED_TEST_SUITE_P(ObserverContract,
                            TakesEveryEventAndChangesNothing,
                            SurvivesBeingMoved,
                            GenerationsMayBeUnknown);

}  // namespace cuco::testing
