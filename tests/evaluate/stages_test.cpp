// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cuco/evaluate/benchmark_stage.hpp"
#include "cuco/evaluate/compile_stage.hpp"
#include "cuco/evaluate/run_stage.hpp"
#include "fake_backend.hpp"

namespace cuco::testing {
namespace {

class StageTest : public ::testing::Test {
 protected:
  StageTest() {
    candidate_.code = "__global__ void k() { ncclGin gin; }\nint main() {}\n";
    candidate_.directory = directory_.path();
    candidate_.frozen_hash = "0123456789abcdef";
  }
  Devices devices() { return Devices(backend_); }
  CompileOptions quick() {
    CompileOptions options;
    options.nvcc_check = false;
    return options;
  }
  /// Evidence as the compile rung leaves it.
  Evidence compiled() {
    Evidence evidence;
    evidence.binary_path = "/bin/true";
    return evidence;
  }
  std::shared_ptr<FakeBackend> backend_ = std::make_shared<FakeBackend>();
  TemporaryDirectory directory_;
  Candidate candidate_;
};

TEST_F(StageTest, CompileBuildsEachSourceOnce) {
  CompileStage const stage{devices(), quick()};
  Evidence a;
  Evidence b;
  ASSERT_TRUE(stage.run(candidate_, a)->passed());
  ASSERT_TRUE(stage.run(candidate_, b)->passed());
  EXPECT_EQ(backend_->builds.size(), 1U);
  EXPECT_EQ(a.binary_path, b.binary_path);
  EXPECT_TRUE(std::filesystem::exists(a.binary_path));
  candidate_.code += " ";
  ASSERT_TRUE(stage.run(candidate_, b)->passed());
  EXPECT_EQ(backend_->builds.size(), 2U);
  EXPECT_NE(a.binary_path, b.binary_path);
}

TEST_F(StageTest, CompileBuildsOnceForCallersThatComeTogether) {
  CompileStage const stage{devices(), quick()};
  backend_->on_build = [](BuildSpec const& spec) -> Result<BuildResult> {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    make_script(spec.output_path, "x");
    BuildResult result;
    result.built = true;
    return result;
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      Evidence evidence;
      EXPECT_TRUE(stage.run(candidate_, evidence)->passed());
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(backend_->builds.size(), 1U);
}

TEST_F(StageTest, KeptExecutablesAreFoundByTheNextProcess) {
  auto options = quick();
  options.cache_directory = directory_ / "cache";
  Evidence evidence;
  ASSERT_TRUE((CompileStage{devices(), options}.run(candidate_, evidence)->passed()));
  ASSERT_TRUE((CompileStage{devices(), options}.run(candidate_, evidence)->passed()));
  EXPECT_EQ(backend_->builds.size(), 1U);
  // A build that was interrupted before its end does not count.
  for (auto const& entry : std::filesystem::directory_iterator(directory_ / "cache"))
    std::filesystem::remove(entry.path() / "key");
  ASSERT_TRUE((CompileStage{devices(), options}.run(candidate_, evidence)->passed()));
  EXPECT_EQ(backend_->builds.size(), 2U);
}

TEST_F(StageTest, CacheForgetsTheOldestBuilds) {
  auto options = quick();
  options.cache_directory = directory_ / "cache";
  CompileStage const stage{devices(), options};
  std::string const code = candidate_.code;
  Evidence evidence;
  for (int i = 0; i < 300; ++i) {
    candidate_.code = code + "// " + std::to_string(i);
    ASSERT_TRUE(stage.run(candidate_, evidence)->passed());
    EXPECT_TRUE(std::filesystem::exists(evidence.binary_path));
  }
  auto const kept = std::distance(std::filesystem::directory_iterator(directory_ / "cache"),
                                  std::filesystem::directory_iterator{});
  EXPECT_EQ(kept, 256);
  ASSERT_TRUE(stage.run(candidate_, evidence)->passed());
  EXPECT_EQ(backend_->builds.size(), 300U) << "the newest is still there";
  candidate_.code = code + "// 0";
  ASSERT_TRUE(stage.run(candidate_, evidence)->passed());
  EXPECT_EQ(backend_->builds.size(), 301U) << "the oldest is built again";
}

TEST_F(StageTest, PrivateCacheGoesAwayWithTheStage) {
  Evidence evidence;
  {
    CompileStage const stage{devices(), quick()};
    ASSERT_TRUE(stage.run(candidate_, evidence)->passed());
    EXPECT_TRUE(std::filesystem::exists(evidence.binary_path));
  }
  EXPECT_FALSE(std::filesystem::exists(evidence.binary_path));
}

TEST_F(StageTest, CompileErrorsAreTrimmedAndFreeOfPaths) {
  backend_->on_build = [](BuildSpec const& spec) -> Result<BuildResult> {
    BuildResult result;
    result.exit_code = 1;
    for (int i = 0; i < 500; ++i)
      result.diagnostics += "In file included from something.h:" + std::to_string(i) + "\n";
    result.diagnostics += spec.source_path + ":7:3: warning: unused\n";
    result.diagnostics +=
        spec.source_path + ":9:5: error: 'x' was not declared\n    9 |     x = 1;\n      |     ^\n";
    for (int i = 0; i < 30; ++i)
      result.diagnostics += spec.source_path + ":" + std::to_string(i + 10) + ": error: again\n";
    return result;
  };
  Evidence evidence;
  auto const verdict = CompileStage{devices(), quick()}.run(candidate_, evidence);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->outcome, Outcome::kCompileFailed);
  EXPECT_EQ(verdict->message, "main.cu:9:5: error: 'x' was not declared");
  EXPECT_NE(verdict->feedback.find("    9 |     x = 1;\n"), std::string::npos);
  EXPECT_NE(verdict->feedback.find("and 25 more errors"), std::string::npos) << verdict->feedback;
  EXPECT_EQ(verdict->feedback.find("In file included"), std::string::npos);
  EXPECT_EQ(verdict->feedback.find("warning"), std::string::npos);
  EXPECT_EQ(verdict->feedback.find('/'), std::string::npos) << verdict->feedback;
  EXPECT_EQ(evidence.binary_path, "");
  EXPECT_NE(slurp(directory_ / "results/build.log").find("warning: unused"), std::string::npos);
}

TEST_F(StageTest, MissingCompilerIsAHarnessError) {
  backend_->on_build = [](BuildSpec const&) -> Result<BuildResult> {
    return fail(ErrorCode::kToolMissing, "no g++");
  };
  Evidence evidence;
  CompileStage const stage{devices(), quick()};
  EXPECT_EQ(stage.run(candidate_, evidence).error().code, ErrorCode::kToolMissing);
  EXPECT_FALSE(stage.run(candidate_, evidence)) << "a harness failure must not be cached";
  EXPECT_EQ(backend_->builds.size(), 2U);
}

TEST_F(StageTest, NvccCheckSaysWhyItIsSkipped) {
  CompileOptions options;
  options.cuda.nvcc = "/no/such/nvcc";
  Evidence evidence;
  auto const verdict = CompileStage{devices(), options}.run(candidate_, evidence);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->passed());
  EXPECT_NE(verdict->message.find("nvcc check skipped: program '/no/such/nvcc'"), std::string::npos)
      << verdict->message;
}

TEST_F(StageTest, RunTriesSchedulesOfItsOwnOnEmulatedDevices) {
  RunOptions options;
  options.ranks = 3;
  options.args = {"--n", "5"};
  options.seed = 40;
  Evidence evidence = compiled();
  auto const verdict = RunStage{devices(), options}.run(candidate_, evidence);
  ASSERT_TRUE(verdict && verdict->passed());
  ASSERT_EQ(backend_->runs.size(), 3U);
  EXPECT_EQ(backend_->runs[0].gin_mode, GinMode::kEager);
  EXPECT_EQ(backend_->runs[0].skew_us, 0);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(backend_->runs[i].gin_mode, GinMode::kRandom);
    EXPECT_EQ(backend_->runs[i].seed, 39 + i);
    EXPECT_GT(backend_->runs[i].skew_us, 0);
    EXPECT_EQ(backend_->runs[i].ranks, 3);
    EXPECT_EQ(backend_->runs[i].args, options.args);
  }
  EXPECT_EQ(evidence.trust, Trust::kEmulated);
  EXPECT_EQ(evidence.origin, Origin::kModelled);
  EXPECT_EQ(evidence.rank_ms, (std::vector<double>{1, 1, 1}));
}

TEST_F(StageTest, RunNeedsOneScheduleWhereNothingCanBeReordered) {
  candidate_.code = "int main() {}";
  Evidence evidence = compiled();
  ASSERT_TRUE(RunStage{devices()}.run(candidate_, evidence)->passed());
  EXPECT_EQ(backend_->runs.size(), 2U);
}

TEST_F(StageTest, RunOnGpusIsOneRunAndSelfReported) {
  backend_->is_emulated = false;
  Evidence evidence = compiled();
  ASSERT_TRUE(RunStage{devices()}.run(candidate_, evidence)->passed());
  EXPECT_EQ(backend_->runs.size(), 1U);
  EXPECT_EQ(evidence.trust, Trust::kSelfReported);
  EXPECT_EQ(evidence.origin, Origin::kMeasured);
}

TEST_F(StageTest, TrustNeedsAFrozenVerificationAndIsNotLoweredAgain) {
  candidate_.frozen_hash.clear();
  Evidence evidence = compiled();
  ASSERT_TRUE(RunStage{devices()}.run(candidate_, evidence)->passed());
  EXPECT_EQ(evidence.trust, Trust::kSelfReported);
  evidence.trust = Trust::kEmulated;
  backend_->is_emulated = false;
  ASSERT_TRUE(RunStage{devices()}.run(candidate_, evidence)->passed());
  EXPECT_EQ(evidence.trust, Trust::kEmulated);
}

TEST_F(StageTest, FailureUnderReorderingSaysSo) {
  backend_->on_run = [](RunSpec const& spec) -> Result<RunResult> {
    auto result = good_run({1, 1});
    if (spec.gin_mode == GinMode::kRandom) result.rank_stdout[1] = contract_lines(1, "FAIL");
    return result;
  };
  Evidence evidence = compiled();
  auto const verdict = RunStage{devices()}.run(candidate_, evidence);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->outcome, Outcome::kWrongAnswer);
  EXPECT_EQ(verdict->message,
            "under reordered delivery and start skew (seed 1): rank 1 printed 'Verification: FAIL'");
  EXPECT_NE(verdict->feedback.find("in program order"), std::string::npos);
  EXPECT_EQ(evidence.trust, Trust::kSelfReported);
  EXPECT_NE(slurp(directory_ / "results/run.log").find("Verification: FAIL"), std::string::npos);
}

TEST_F(StageTest, RunWithoutABinaryIsAMisuse) {
  Evidence evidence;
  EXPECT_EQ(RunStage{devices()}.run(candidate_, evidence).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(BenchmarkStage{devices()}.run(candidate_, evidence).error().code, ErrorCode::kInvalidArgument);
}

struct Ending {
  char const* name;
  std::function<void(RunResult&)> change;
  Outcome outcome;
  char const* message;
};
class Endings : public StageTest, public ::testing::WithParamInterface<Ending> {};
TEST_P(Endings, HaveTheirOwnOutcome) {
  backend_->on_run = [](RunSpec const&) -> Result<RunResult> {
    auto result = good_run({1, 1});
    GetParam().change(result);
    return result;
  };
  Evidence evidence = compiled();
  auto const verdict = RunStage{devices()}.run(candidate_, evidence);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->outcome, GetParam().outcome) << verdict->message;
  EXPECT_NE(verdict->message.find(GetParam().message), std::string::npos) << verdict->message;
  EXPECT_TRUE(evidence.rank_ms.empty());
}
INSTANTIATE_TEST_SUITE_P(
    All,
    Endings,
    ::testing::Values(
        Ending{"deadlock",
               [](RunResult& r) {
                 r.exit_code = 90;
                 r.deadlock = true;
                 r.rank_stderr[0] =
                     "cuco-emu: deadlock: rank 0 waits for a signal\n  block 0 thread 0\nother\n";
               },
               Outcome::kDeadlocked,
               "cuco-emu: deadlock: rank 0 waits for a signal"},
        Ending{"bounds",
               [](RunResult& r) {
                 r.exit_code = 93;
                 r.out_of_bounds = true;
                 r.rank_stderr[1] = "noise\ncuco-emu: write of 4 bytes outside 'recv'\n";
               },
               Outcome::kRunFailed,
               "outside 'recv'"},
        Ending{"illegal",
               [](RunResult& r) {
                 r.exit_code = 92;
                 r.illegal_use = true;
               },
               Outcome::kRunFailed,
               "illegal use"},
        Ending{"not_emulated",
               [](RunResult& r) {
                 r.exit_code = 91;
                 r.not_emulated = true;
               },
               Outcome::kRunFailed,
               "not emulated"},
        Ending{"crash",
               [](RunResult& r) {
                 r.exit_code = 139;
                 r.signal = 11;
               },
               Outcome::kRunFailed,
               "signal 11 (Segmentation fault)"},
        Ending{"timeout",
               [](RunResult& r) {
                 r.exit_code = -1;
                 r.signal = 9;
                 r.timed_out = true;
               },
               Outcome::kTimedOut,
               "did not end within 120 s"},
        Ending{"flood",
               [](RunResult& r) {
                 r.output_truncated = true;
                 r.timed_out = true;
               },
               Outcome::kRunFailed,
               "printed more"},
        Ending{"exit_code", [](RunResult& r) { r.exit_code = 3; }, Outcome::kRunFailed, "exit code 3"},
        Ending{"honest_fail",
               [](RunResult& r) {
                 r.exit_code = 1;
                 r.rank_stdout[0] = contract_lines(1, "FAIL");
               },
               Outcome::kWrongAnswer,
               "rank 0 printed 'Verification: FAIL'"},
        Ending{"early_exit",
               [](RunResult& r) { r.rank_stdout[1].clear(); },
               Outcome::kWrongAnswer,
               "rank 1 printed no 'Verification:' line"}),
    [](auto const& info) { return std::string(info.param.name); });

TEST_F(StageTest, BenchmarkTakesTheModelledTimeOfTheRunRung) {
  Evidence evidence = compiled();
  ASSERT_TRUE(RunStage{devices()}.run(candidate_, evidence)->passed());
  auto const runs = backend_->runs.size();
  BenchmarkStage const stage{devices()};
  ASSERT_TRUE(stage.run(candidate_, evidence)->passed());
  EXPECT_EQ(backend_->runs.size(), runs);
  EXPECT_EQ(stage.best_ms(), 1);
  Evidence fresh = compiled();
  ASSERT_TRUE(stage.run(candidate_, fresh)->passed());
  EXPECT_EQ(backend_->runs.size(), runs + 1);
  EXPECT_EQ(fresh.rank_ms, (std::vector<double>{1, 1}));
  EXPECT_EQ(fresh.origin, Origin::kModelled);
}

class MeasuredTest : public StageTest {
 protected:
  MeasuredTest() {
    backend_->is_emulated = false;
    backend_->on_run = [this](RunSpec const&) -> Result<RunResult> {
      double const t = times_.empty() ? 1.0 : times_[std::min(next_, times_.size() - 1)];
      ++next_;
      return good_run({t / 2, t});
    };
  }
  std::vector<double> times_;
  std::size_t next_ = 0;
};

TEST_F(MeasuredTest, SteadyTimesNeedTheLeastRepetitionsTwiceForANewBest) {
  BenchmarkStage const stage{devices()};
  Evidence evidence = compiled();
  auto const verdict = stage.run(candidate_, evidence);
  ASSERT_TRUE(verdict && verdict->passed());
  EXPECT_EQ(backend_->runs.size(), 12U);
  EXPECT_EQ(evidence.repetitions_ms, (std::vector<double>(6, 1.0)));
  EXPECT_EQ(evidence.rank_ms, (std::vector<double>{0.5, 1}));
  EXPECT_EQ(evidence.origin, Origin::kMeasured);
  EXPECT_NE(verdict->message.find("confirmed"), std::string::npos);
  EXPECT_EQ(metric_or(evidence.public_metrics, "time_low_ms", 0), 1);
}

TEST_F(MeasuredTest, NoisyTimesAreRepeatedUpToTheLimit) {
  for (int i = 0; i < 100; ++i) times_.push_back(i % 2 == 0 ? 1.0 : 1.5);
  BenchmarkOptions options;
  options.confirm_best = false;
  Evidence evidence = compiled();
  ASSERT_TRUE((BenchmarkStage{devices(), options}.run(candidate_, evidence)->passed()));
  EXPECT_EQ(evidence.repetitions_ms.size(), 20U);
}

TEST_F(MeasuredTest, LuckyFirstSampleDoesNotSetTheScore) {
  times_ = std::vector<double>(6, 0.5);
  times_.resize(12, 0.9);
  BenchmarkStage const stage{devices()};
  Evidence evidence = compiled();
  ASSERT_TRUE(stage.run(candidate_, evidence)->passed());
  EXPECT_EQ(evidence.repetitions_ms, (std::vector<double>(6, 0.9)));
  EXPECT_EQ(stage.best_ms(), 0.9);
}

TEST_F(MeasuredTest, ClearlySlowerCandidatesStopEarly) {
  BenchmarkStage const stage{devices()};
  stage.set_best_ms(0.5);
  Evidence evidence = compiled();
  auto const verdict = stage.run(candidate_, evidence);
  ASSERT_TRUE(verdict && verdict->passed());
  EXPECT_EQ(backend_->runs.size(), 5U);
  EXPECT_NE(verdict->message.find("given up"), std::string::npos);
  EXPECT_EQ(stage.best_ms(), 0.5);
}

TEST_F(MeasuredTest, RepetitionThatFailsFailsTheCandidate) {
  backend_->on_run = [this](RunSpec const&) -> Result<RunResult> {
    auto result = good_run({1, 1});
    if (++next_ == 4) result.rank_stdout[0] = contract_lines(1, "FAIL");
    return result;
  };
  Evidence evidence = compiled();
  auto const verdict = BenchmarkStage{devices()}.run(candidate_, evidence);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->outcome, Outcome::kWrongAnswer);
  EXPECT_EQ(verdict->message, "repetition 3: rank 0 printed 'Verification: FAIL'");
}

}  // namespace
}  // namespace cuco::testing
