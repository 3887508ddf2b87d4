// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// A transformation that was killed goes on where it was, and takes nothing on trust.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <string>
#include <vector>

#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

class Resume : public ModelRun {
 protected:
  [[nodiscard]] TransformOptions resumed() const {
    auto o = options();
    o.resume = true;
    return o;
  }
  [[nodiscard]] Result<TransformResult> run(ScriptedBackend const& model, TransformOptions const& o) {
    return ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier_, o}.transform(
        program_);
  }
  /// Runs it in a process that is killed when the list of answers is used up.
  void run_until_killed(std::vector<ScriptedBackend::Answer> const& answers) {
    pid_t const child = ::fork();
    if (child == 0) {
      std::size_t next = 0;
      ScriptedBackend const model([&](ChatRequest const&) -> ScriptedBackend::Answer {
        if (next == answers.size()) ::raise(SIGKILL);
        return answers[next++];
      });
      (void)run(model, resumed());
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it was to be killed";
  }
  void spoil(std::string const& name, std::string const& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
};

/// Of each of the programs, so that attempts differ.
std::string variant(int number, std::string const& code) {
  return "// variant " + std::to_string(number) + "\n" + code;
}

TEST_F(Resume, FinishedStagesAndTheConversationAreKept) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (has(a.code, "// variant 1\n")) does_not_build(out, "error: variant 1 is not allowed");
  };
  run_until_killed({program(infrastructure_alltoall()), program(variant(1, device_alltoall()))});
  ScriptedBackend const model({program(device_alltoall())});
  auto const result = run(model, resumed());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_TRUE(result->resumed);
  EXPECT_EQ(verifier_.labels(), std::vector<std::string>{"iteration_3"})
      << "neither input nor stage A is run again";
  ASSERT_EQ(model.requests().size(), 1U);
  auto const asked = model.requests()[0];
  ASSERT_EQ(asked.messages.size(), 3U) << "the failed attempt is not forgotten";
  EXPECT_TRUE(has(asked.messages[0].text, infrastructure_alltoall()));
  EXPECT_TRUE(has(asked.messages[1].text, "// variant 1"));
  EXPECT_TRUE(has(asked.messages[2].text, "variant 1 is not allowed"));
  EXPECT_TRUE(
      has(asked.messages[2].text, "- iteration_1, infrastructure stage, by llm scripted:list: accepted"));
  EXPECT_EQ(result->input_ms, 2.0);
  EXPECT_EQ(result->changes.size(), 2U);
  EXPECT_NEAR(*result->cost_usd, 0.03, 1e-12) << "what was spent before counts";
  EXPECT_EQ(summary()["iterations"].size(), 4U);
  EXPECT_TRUE(has(result->code, "EVOLVE-BLOCK-START"));
}

TEST_F(Resume, WithoutAskingItBeginsAnew) {
  run_until_killed({program(infrastructure_alltoall())});
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  auto const result = run(model, options());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_FALSE(result->resumed);
  EXPECT_EQ(verifier_.labels(), (std::vector<std::string>{"input", "iteration_1", "iteration_2"}));
}

TEST_F(Resume, AProgramThatWasTouchedIsMadeAgain) {
  run_until_killed({program(infrastructure_alltoall())});
  spoil("iteration_1.cu", infrastructure_alltoall() + "// touched\n");
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  auto const result = run(model, resumed());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels(), (std::vector<std::string>{"iteration_2", "iteration_3"}));
  EXPECT_FALSE(has(result->code, "touched"));
}

TEST_F(Resume, AnUnverifiedProgramIsNeverTaken) {
  // Killed while the program of stage A was being verified: it is there, and nobody knows whether it is good.
  ScriptedBackend const first({program(infrastructure_alltoall())});
  verifier_.verdict = [](VerifyOutcome&, auto const& a) {
    if (a.label == "iteration_1") ::raise(SIGKILL);
  };
  pid_t const child = ::fork();
  if (child == 0) {
    (void)run(first, resumed());
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(file("iteration_1.cu"), infrastructure_alltoall());

  verifier_.verdict = [](VerifyOutcome&, auto const&) {};
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  auto const result = run(model, resumed());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels(), (std::vector<std::string>{"iteration_1", "iteration_2"}));
}

TEST_F(Resume, OtherInputOrOptionsAreAnotherTransformation) {
  run_until_killed({program(infrastructure_alltoall())});
  auto const begins_anew = [&](TransformOptions const& o) {
    ModelVerifier verifier;
    ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
    auto const kept = file("transform_state.json");
    auto const result =
        ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier, o}.transform(program_);
    spoil("transform_state.json", kept);
    return result && !result->resumed && verifier.labels().front() == "input";
  };
  auto o = resumed();
  o.ranks = 4;
  EXPECT_TRUE(begins_anew(o));
  o = resumed();
  o.args = {"1024"};
  EXPECT_TRUE(begins_anew(o));
  o = resumed();
  o.schedules = 7;
  EXPECT_TRUE(begins_anew(o));
  program_ = make_program("// changed\n" + host_alltoall(), "alltoall.cu").value();
  EXPECT_TRUE(begins_anew(resumed()));
}

TEST_F(Resume, AStateThatCannotBeReadIsNone) {
  run_until_killed({program(infrastructure_alltoall())});
  std::string const good = file("transform_state.json");
  ASSERT_GT(good.size(), 200U);
  for (std::string const& bad :
       {std::string(),
        std::string("{}"),
        std::string("[1, 2]"),
        good.substr(0, good.size() / 2),
        with_changes(good, {{"\"input_verified\": true", "\"input_verified\": false"}}),
        with_changes(good, {{"\"number\": 1", "\"number\": \"one\""}}),
        with_changes(good, {{"\"attempts\": 0", "\"attempts\": -5"}})}) {
    ASSERT_FALSE(has(bad, "not found: ")) << bad;
    spoil("transform_state.json", bad);
    ModelVerifier verifier;
    ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
    auto const result =
        ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier, resumed()}.transform(
            program_);
    ASSERT_TRUE(result) << to_line(result.error());
    EXPECT_EQ(verifier.labels().front(), "input") << bad.substr(0, 60);
  }
}

TEST_F(Resume, AfterABudgetItGoesOnWithAnotherModel) {
  ScriptedBackend const poor(
      {program(infrastructure_alltoall()), ScriptedBackend::Answer(fail(ErrorCode::kBudget, "spent"))});
  auto const first = run(poor, resumed());
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorCode::kBudget);
  verifier_.asked->clear();
  ScriptedBackend const rich({program(device_alltoall())});
  auto const second = run(rich, resumed());
  ASSERT_TRUE(second) << to_line(second.error());
  EXPECT_EQ(verifier_.labels(), std::vector<std::string>{"iteration_2"});
}

TEST_F(Resume, AFinishedOneIsReadAndNotRepeated) {
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  auto const first = run(model, resumed());
  ASSERT_TRUE(first) << to_line(first.error());
  verifier_.asked->clear();
  ScriptedBackend const none(std::vector<std::string>{});
  auto const second = run(none, resumed());
  ASSERT_TRUE(second) << to_line(second.error());
  EXPECT_TRUE(verifier_.labels().empty());
  EXPECT_EQ(second->code, first->code);
  EXPECT_EQ(second->output_ms, first->output_ms);
}

TEST_F(Resume, AfterTheLastAttemptTheStageIsTriedAnew) {
  bool works = false;
  verifier_.verdict = [&](VerifyOutcome& out, auto const& a) {
    if (has(a.code, "exchange<<<") && !works) is_wrong(out);
  };
  int number = 0;
  ScriptedBackend const hopeless([&](ChatRequest const&) {
    return ++number == 1 ? program(infrastructure_alltoall()) : program(variant(number, device_alltoall()));
  });
  ASSERT_FALSE(run(hopeless, resumed()));
  ASSERT_EQ(number, 11);
  works = true;
  verifier_.asked->clear();
  ScriptedBackend const model({program(device_alltoall())});
  auto const result = run(model, resumed());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels(), std::vector<std::string>{"iteration_12"});
}

/// A proposal that need not be built is part of the conversation all the same.
TEST_F(Resume, ProposalsThatWereNotBuiltAreKept) {
  ScriptedBackend const first({program("// the same\n" + host_alltoall()), said("stop", 0)});
  auto o = resumed();
  o.attempts = 1;
  ASSERT_FALSE(run(first, o));
  EXPECT_EQ(file("iteration_1.cu"), "// the same\n" + host_alltoall());
}

/// The judge was paid, then the rewriter's call failed.
TEST_F(Resume, TheJudgesAnswerOutlivesAFailedCall) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (has(a.code, "// variant 1\n")) is_wrong(out);
  };
  ScriptedBackend const judge({said("The barrier is missing.", 0.5)});
  ScriptedBackend const model({program(variant(1, infrastructure_alltoall())),
                               ScriptedBackend::Answer(fail(ErrorCode::kProcess, "no network"))});
  auto with = [&](ScriptedBackend const& writer, ScriptedBackend const& asked) {
    return ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{writer, judged(asked)}, verifier_, resumed()}
        .transform(program_);
  };
  auto const broken = with(model, judge);
  ASSERT_FALSE(broken);
  EXPECT_EQ(judge.requests().size(), 1U);
  ScriptedBackend const nobody(std::vector<std::string>{});
  ScriptedBackend const next({program(infrastructure_alltoall()), program(device_alltoall())});
  auto const done = with(next, nobody);
  ASSERT_TRUE(done) << to_line(done.error());
  EXPECT_TRUE(nobody.requests().empty()) << "it is known";
  EXPECT_TRUE(has(next.requests()[0].messages.back().text, "The barrier is missing."));
  EXPECT_NEAR(*done->cost_usd, 0.53, 1e-9);
  EXPECT_EQ(file("iteration_2.judge.json"), "no iteration_2.judge.json");
}

}  // namespace
}  // namespace cuco::testing
