// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/evaluate/command_evaluator.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "cuco/evaluate/evaluation_files.hpp"
#include "fake_backend.hpp"

namespace cuco::testing {
namespace {

/// A shell script as evaluator; $2 is the program, $4 the results directory.
class CommandEvaluatorTest : public ::testing::Test {
 protected:
  Result<Evaluation> evaluate(std::string const& script,
                              std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
    make_script(directory_ / "evaluator", "#!/bin/sh\n" + script);
    CommandEvaluatorOptions options;
    options.argv = {directory_ / "evaluator"};
    options.deadline = deadline;
    return CommandEvaluator(options).evaluate(candidate());
  }
  Candidate candidate() {
    Candidate c;
    c.code = "the code";
    c.directory = directory_ / "gen_3";
    return c;
  }
  TemporaryDirectory directory_;
};

constexpr char const* kMetrics =
    R"(echo '{"combined_score": 12.5, "public": {"time_ms": 2, "max_time_ms": 3, "rank0_time_ms": 2, "rank1_time_ms": 3, "ok": true,
       "nested": {"x": 1}, "name": "y"}, "private": {"p": 4}, "text_feedback": ["a", "b"]}' > "$4/metrics.json"
)";

TEST_F(CommandEvaluatorTest, ReadsBothFiles) {
  auto const evaluation = evaluate(std::string(
                                       R"([ "$1" = --program_path ] && [ "$3" = --results_dir ] || exit 9
cp "$2" "$4/copy"
echo hello
echo problem >&2
)") + kMetrics + R"(echo '{"correct": true, "error": null}' > "$4/correct.json")");
  ASSERT_TRUE(evaluation) << to_line(evaluation.error());
  EXPECT_TRUE(evaluation->correct()) << evaluation->error;
  EXPECT_EQ(evaluation->combined_score, 12.5);
  EXPECT_EQ(evaluation->slowest_ms, 3);
  EXPECT_EQ(evaluation->rank_ms, (std::vector<double>{2, 3}));
  EXPECT_EQ(metric_or(evaluation->public_metrics, "ok", 0), 1);
  EXPECT_EQ(metric_or(evaluation->public_metrics, "nested.x", 0), 1);
  EXPECT_EQ(metric_or(evaluation->public_metrics, "name", -7), -7);
  EXPECT_EQ(evaluation->private_metrics, (Metrics{{"p", 4}}));
  EXPECT_EQ(evaluation->text_feedback, "a\nb\n");
  EXPECT_EQ(evaluation->trust, Trust::kSelfReported);
  EXPECT_EQ(slurp(directory_ / "gen_3/results/copy"), "the code");
  EXPECT_EQ(slurp(directory_ / "gen_3/results/job_log.out"), "hello\n");
  EXPECT_EQ(slurp(directory_ / "gen_3/results/job_log.err"), "problem\n");
}

TEST_F(CommandEvaluatorTest, MissingCorrectFileIsNotCorrect) {
  auto const evaluation = evaluate(kMetrics);
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->outcome, Outcome::kWrongAnswer);
  EXPECT_EQ(evaluation->combined_score, 0);
  EXPECT_EQ(evaluation->error, "the evaluator wrote no correct.json");
  EXPECT_EQ(metric_or(evaluation->public_metrics, "time_ms", 0), 2);
}

TEST_F(CommandEvaluatorTest, MissingOrBrokenMetricsCannotBeCorrect) {
  for (std::string const script : {"",
                                   "echo '{\"combined_score\": 1' > \"$4/metrics.json\"\n",
                                   "echo '[1]' > \"$4/metrics.json\"\n",
                                   "echo '{\"combined_score\": \"high\"}' > \"$4/metrics.json\"\n",
                                   "echo '{\"combined_score\": -1}' > \"$4/metrics.json\"\n"}) {
    auto const evaluation = evaluate(script + R"(echo '{"correct": true}' > "$4/correct.json")");
    ASSERT_TRUE(evaluation) << script;
    EXPECT_FALSE(evaluation->correct()) << script;
    EXPECT_EQ(evaluation->combined_score, 0);
    EXPECT_NE(evaluation->error.find("metrics.json"), std::string::npos) << evaluation->error;
  }
}

TEST_F(CommandEvaluatorTest, IncorrectKeepsTheReasonAndNoScore) {
  auto const evaluation = evaluate(
      std::string(kMetrics) + R"(echo '{"correct": false, "error": "mismatch at 7"}' > "$4/correct.json")");
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->outcome, Outcome::kWrongAnswer);
  EXPECT_EQ(evaluation->error, "mismatch at 7");
  EXPECT_EQ(evaluation->combined_score, 0);
  EXPECT_EQ(evaluation->text_feedback, "a\nb\n");
}

TEST_F(CommandEvaluatorTest, MalformedCorrectFileIsAHarnessError) {
  for (std::string const content : {"{", "true", "{\"correct\": 1}", "{}"}) {
    auto const evaluation = evaluate("echo '" + content + "' > \"$4/correct.json\"");
    ASSERT_FALSE(evaluation) << content;
    EXPECT_EQ(evaluation.error().code, ErrorCode::kParse);
    EXPECT_NE(evaluation.error().file.find("correct.json"), std::string::npos);
  }
}

TEST_F(CommandEvaluatorTest, ExitCodeCountsMoreThanWhatItClaims) {
  auto const evaluation =
      evaluate(std::string(kMetrics) + "echo '{\"correct\": true}' > \"$4/correct.json\"\nexit 3");
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->outcome, Outcome::kRunFailed);
  EXPECT_EQ(evaluation->combined_score, 0);
  EXPECT_EQ(evaluation->error, "evaluator: exit code 3");
}

TEST_F(CommandEvaluatorTest, CrashHalfwayThroughAFileIsAFailingCandidate) {
  auto const evaluation = evaluate("printf '{\"corr' > \"$4/correct.json\"\nkill -SEGV $$");
  ASSERT_TRUE(evaluation) << to_line(evaluation.error());
  EXPECT_EQ(evaluation->outcome, Outcome::kRunFailed);
  EXPECT_NE(evaluation->error.find("signal 11"), std::string::npos) << evaluation->error;
}

TEST_F(CommandEvaluatorTest, DeadlineEndsItAndWhatItStarted) {
  auto const evaluation =
      evaluate("echo '{\"correct\": true}' > \"$4/correct.json\"\n(sleep 3; touch \"$4/late\") &\nsleep 60",
               std::chrono::milliseconds(500));
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->outcome, Outcome::kTimedOut);
  EXPECT_EQ(evaluation->combined_score, 0);
  EXPECT_NE(evaluation->error.find("0.5 s"), std::string::npos) << evaluation->error;
  ::sleep(3);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "gen_3/results/late"));
}

TEST_F(CommandEvaluatorTest, ResultsOfAnEarlierAttemptDoNotCount) {
  ASSERT_TRUE(evaluate(std::string(kMetrics) + R"(echo '{"correct": true}' > "$4/correct.json")")->correct());
  EXPECT_FALSE(evaluate("true")->correct());
}

TEST_F(CommandEvaluatorTest, MissingEvaluatorIsAHarnessError) {
  CommandEvaluatorOptions options;
  EXPECT_EQ(CommandEvaluator(options).evaluate(candidate()).error().code, ErrorCode::kInvalidArgument);
  options.argv = {"no-such-evaluator-program"};
  EXPECT_EQ(CommandEvaluator(options).evaluate(candidate()).error().code, ErrorCode::kToolMissing);
  options.argv = {"/bin/sh", "/no/such/evaluate.sh"};
  auto const evaluation = CommandEvaluator(options).evaluate(candidate());
  ASSERT_FALSE(evaluation);
  EXPECT_EQ(evaluation.error().code, ErrorCode::kNotFound);
  EXPECT_NE(to_line(evaluation.error()).find("/no/such/evaluate.sh"), std::string::npos);
}

TEST_F(CommandEvaluatorTest, SecretsOfTheCallerAreNotPassedOn) {
  ::setenv("SOME_API_KEY", "secret", 1);
  auto const evaluation = evaluate("env > \"$4/environment\"");
  ::unsetenv("SOME_API_KEY");
  ASSERT_TRUE(evaluation);
  auto const seen = slurp(directory_ / "gen_3/results/environment");
  EXPECT_NE(seen.find("PATH="), std::string::npos);
  EXPECT_EQ(seen.find("secret"), std::string::npos);
}

TEST(EvaluationFiles, WhatIsWrittenIsReadBack) {
  TemporaryDirectory directory;
  Evaluation evaluation;
  evaluation.outcome = Outcome::kCorrect;
  evaluation.combined_score = combined_score(0.1);
  evaluation.public_metrics = {{"time_ms", 0.1}, {"max_time_ms", 0.1}, {"rank0_time_ms", 0.1}};
  evaluation.private_metrics = {{"z", 1e-300}};
  evaluation.text_feedback = "line \"one\"\nline two\n";
  ASSERT_TRUE(write_evaluation_files(directory.path(), evaluation));
  auto const back = read_evaluation_files(directory.path());
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->correct());
  EXPECT_EQ(back->combined_score, evaluation.combined_score);
  EXPECT_EQ(back->public_metrics, evaluation.public_metrics);
  EXPECT_EQ(back->private_metrics, evaluation.private_metrics);
  EXPECT_EQ(back->text_feedback, evaluation.text_feedback);
  EXPECT_EQ(back->rank_ms, (std::vector<double>{0.1}));
}

}  // namespace
}  // namespace cuco::testing
