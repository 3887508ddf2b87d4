// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/evaluate/cascade.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "cuco/evaluate/any_evaluator.hpp"
#include "fake_backend.hpp"

namespace cuco::testing {
namespace {

/// A rung that does what the test says.
struct FakeStage {
  std::string label;
  std::function<Result<Verdict>(Candidate const&, Evidence&)> act;
  [[nodiscard]] std::string_view name() const { return label; }
  [[nodiscard]] Result<Verdict> run(Candidate const& candidate, Evidence& evidence) const {
    return act(candidate, evidence);
  }
};
static_assert(explain_stage<FakeStage>());

FakeStage passing(std::string label, int* calls = nullptr) {
  return {std::move(label), [calls](auto const&, auto&) -> Result<Verdict> {
            if (calls != nullptr) ++*calls;
            return Verdict{};
          }};
}
FakeStage timing(std::vector<double> ranks, std::vector<double> repetitions = {}) {
  return {"time", [ranks, repetitions](auto const&, Evidence& evidence) -> Result<Verdict> {
            evidence.rank_ms = ranks;
            evidence.repetitions_ms = repetitions;
            evidence.origin = Origin::kModelled;
            evidence.trust = Trust::kEmulated;
            return Verdict{};
          }};
}
FakeStage failing(Outcome outcome, std::string message, std::string feedback) {
  return {"fail", [=](auto const&, auto&) -> Result<Verdict> {
            return Verdict{outcome, message, feedback, false};
          }};
}

class CascadeTest : public ::testing::Test {
 protected:
  Candidate candidate() {
    Candidate c;
    c.id = ProgramId{"x"};
    c.code = "int main() {}\n";
    c.directory = directory_.path();
    return c;
  }
  nlohmann::json json(std::string const& name) {
    return nlohmann::json::parse(slurp(directory_ / ("results/" + name)));
  }
  TemporaryDirectory directory_;
};

TEST_F(CascadeTest, ScoreIsThatOfTheSlowestRank) {
  auto const evaluation = Cascade{timing({1, 4, 2})}.evaluate(candidate());
  ASSERT_TRUE(evaluation) << to_line(evaluation.error());
  EXPECT_TRUE(evaluation->correct());
  EXPECT_EQ(evaluation->slowest_ms, 4);
  EXPECT_EQ(evaluation->combined_score, 2000);
  EXPECT_EQ(evaluation->trust, Trust::kEmulated);
  EXPECT_EQ(evaluation->origin, Origin::kModelled);
  Metrics const expected{
      {"time_ms", 4}, {"max_time_ms", 4}, {"rank0_time_ms", 1}, {"rank1_time_ms", 4}, {"rank2_time_ms", 2}};
  EXPECT_EQ(evaluation->public_metrics, expected);
  EXPECT_NE(evaluation->text_feedback.find("rank 1"), std::string::npos);
  EXPECT_EQ(evaluation->error, "");
}

TEST_F(CascadeTest, RepetitionsCountByTheirMedian) {
  auto const evaluation = Cascade{timing({1, 3}, {3, 9, 3.5})}.evaluate(candidate());
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->slowest_ms, 3.5);
  EXPECT_EQ(metric_or(evaluation->public_metrics, "max_time_ms", 0), 9);
}

TEST_F(CascadeTest, StopsAtTheFirstFailureAndKeepsItsWords) {
  int before = 0;
  int after = 0;
  auto const evaluation = Cascade{passing("lint", &before),
                                  timing({1}),
                                  failing(Outcome::kWrongAnswer, "rank 1 said FAIL", "look at rank 1"),
                                  passing("late", &after)}
                              .evaluate(candidate());
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 0);
  EXPECT_EQ(evaluation->outcome, Outcome::kWrongAnswer);
  EXPECT_EQ(evaluation->error, "fail: rank 1 said FAIL");
  EXPECT_EQ(evaluation->text_feedback, "look at rank 1\n");
  EXPECT_EQ(evaluation->combined_score, 0);
  EXPECT_EQ(evaluation->slowest_ms, 0);
  EXPECT_TRUE(evaluation->rank_ms.empty());
  EXPECT_EQ(evaluation->origin, Origin::kNone);
  EXPECT_EQ(attribute_or(evaluation->notes, "fail"), "failed: rank 1 said FAIL");
  EXPECT_EQ(attribute_or(evaluation->notes, "late", "absent"), "absent");
}

TEST_F(CascadeTest, SkippedRungsPassAndSayWhy) {
  FakeStage const skipped{"nvcc", [](auto const&, auto&) -> Result<Verdict> {
                            return Verdict{Outcome::kCorrect, "no nvcc", "", true};
                          }};
  auto const evaluation = Cascade{skipped, timing({1})}.evaluate(candidate());
  ASSERT_TRUE(evaluation);
  EXPECT_TRUE(evaluation->correct());
  EXPECT_EQ(attribute_or(evaluation->notes, "nvcc"), "skipped: no nvcc");
}

TEST_F(CascadeTest, RungsOfOneNameAreToldApart) {
  auto const evaluation =
      Cascade{passing("run"), passing("run"), passing("run"), timing({1})}.evaluate(candidate());
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->notes[1].name, "run#2");
  EXPECT_EQ(evaluation->notes[2].name, "run#3");
}

TEST_F(CascadeTest, PassingWithoutATimeIsNotCorrect) {
  auto const evaluation = Cascade{passing("lint")}.evaluate(candidate());
  ASSERT_TRUE(evaluation);
  EXPECT_FALSE(evaluation->correct());
  EXPECT_EQ(evaluation->combined_score, 0);
  EXPECT_EQ(evaluation->error, "no rung found a time");
}

TEST_F(CascadeTest, HarnessFailureIsAnErrorAndLeavesNoVerdict) {
  FakeStage const broken{"compile", [](auto const&, auto&) -> Result<Verdict> {
                           return fail(ErrorCode::kToolMissing, "no compiler");
                         }};
  ASSERT_TRUE(Cascade{timing({1})}.evaluate(candidate()));
  auto const evaluation = Cascade{broken}.evaluate(candidate());
  ASSERT_FALSE(evaluation);
  EXPECT_EQ(evaluation.error().code, ErrorCode::kToolMissing);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "results/correct.json"))
      << "the earlier verdict must not survive";
}

TEST_F(CascadeTest, WritesTheCandidateAndTheResultFiles) {
  std::string seen;
  FakeStage const reader{"reader", [&](auto const&, Evidence& evidence) -> Result<Verdict> {
                           seen = slurp(evidence.source_path);
                           return Verdict{};
                         }};
  ASSERT_TRUE((Cascade{reader, timing({0.5, 1})}.evaluate(candidate())));
  EXPECT_EQ(seen, "int main() {}\n");
  auto const metrics = json("metrics.json");
  EXPECT_EQ(metrics["combined_score"], 5000);
  EXPECT_EQ(metrics["public"]["rank0_time_ms"], 0.5);
  EXPECT_TRUE(metrics["private"].is_object());
  EXPECT_TRUE(metrics["text_feedback"].is_string());
  EXPECT_EQ(json("correct.json"), nlohmann::json({{"correct", true}, {"error", nullptr}}));

  ASSERT_TRUE((Cascade{failing(Outcome::kRunFailed, "bad \xff byte", "x")}.evaluate(candidate())));
  auto const correct = json("correct.json");
  EXPECT_EQ(correct["correct"], false);
  EXPECT_EQ(correct["error"].get<std::string>().substr(0, 9), "fail: bad");
  EXPECT_EQ(json("metrics.json")["combined_score"], 0);
}

TEST_F(CascadeTest, EqualCandidatesGiveEqualEvaluationsInDifferentDirectories) {
  TemporaryDirectory other;
  auto a = candidate();
  auto b = candidate();
  b.directory = other.path();
  Cascade const judge{passing("lint"), timing({1, 2})};
  ASSERT_TRUE(judge.evaluate(a) && judge.evaluate(b));
  EXPECT_EQ(slurp(a.directory + "/results/metrics.json"), slurp(b.directory + "/results/metrics.json"));
  EXPECT_EQ(slurp(a.directory + "/results/correct.json"), slurp(b.directory + "/results/correct.json"));
}

TEST_F(CascadeTest, DirectoryThatCannotBeWrittenIsAnErrorWithItsPath) {
  spit(directory_ / "file", "");
  auto c = candidate();
  c.directory = directory_ / "file/below";
  auto const evaluation = Cascade{timing({1})}.evaluate(c);
  ASSERT_FALSE(evaluation);
  EXPECT_EQ(evaluation.error().code, ErrorCode::kIo);
  EXPECT_NE(to_line(evaluation.error()).find(c.directory), std::string::npos);
}

}  // namespace
}  // namespace cuco::testing
