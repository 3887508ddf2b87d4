// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Candidates that misbehave, as real processes under the real launcher: what they do must neither count as
/// success nor outlive the run.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "cuco/evaluate/cascade.hpp"
#include "cuco/evaluate/compile_stage.hpp"
#include "cuco/evaluate/impl/build_command.hpp"
#include "cuco/evaluate/impl/mpirun.hpp"
#include "cuco/evaluate/run_stage.hpp"
#include "cuco/process/find_program.hpp"
#include "fake_backend.hpp"

namespace cuco::testing {
namespace {

using namespace std::chrono_literals;

/// Plain MPI programs, compiled as they are.
class PlainMpiBackend final : public DeviceBackend {
 public:
  [[nodiscard]] Result<BuildResult> build(BuildSpec const& spec) const override {
    return impl::evaluating::run_build(
        {"mpicxx", "-std=c++17", "-x", "c++", spec.source_path, "-o", spec.output_path}, spec);
  }
  [[nodiscard]] Result<RunResult> run(RunSpec const& spec) const override {
    auto launcher = impl::evaluating::find_launcher("mpirun");
    if (!launcher) return forward_error(std::move(launcher));
    impl::evaluating::LaunchSettings settings{std::move(*launcher)};
    settings.output_cap = 64U << 10U;
    return impl::evaluating::launch(spec, settings);
  }
  [[nodiscard]] std::string name() const override { return "plain MPI"; }
  [[nodiscard]] bool emulated() const override { return false; }
  [[nodiscard]] std::string fingerprint() const override { return "plain MPI"; }
  [[nodiscard]] int capacity() const override { return 0; }
};

/// Private directories of this process, and what Open MPI calls its own.
std::set<std::string> temporary_files() {
  std::set<std::string> names;
  std::string const mine = "cuco-" + std::to_string(::getpid()) + "-";
  for (std::string const& folder :
       {std::filesystem::temp_directory_path().string(), std::string("/dev/shm")}) {
    std::error_code error;
    for (auto const& entry : std::filesystem::directory_iterator(folder, error))
      if (entry.path().filename().string().rfind(mine, 0) == 0) names.insert(entry.path().string());
  }
  return names;
}

class ContainmentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!find_program("mpirun") || !find_program("mpicxx"))
      GTEST_SKIP() << "Open MPI (mpirun, mpicxx) is not installed";
  }

  /// Evaluates a program with `body` between MPI_Init and MPI_Finalize; `rank` and `pidfile` are in scope.
  Evaluation evaluate(std::string const& body, std::chrono::milliseconds deadline = 20s) {
    candidate_.code =
        "#include <mpi.h>\n#include <cmath>\n#include <csignal>\n#include <cstdio>\n#include "
        "<cstdlib>\n#include <unistd.h>\n"
        "#include <string>\n#include <sys/stat.h>\n#include <fcntl.h>\n"
        "int rank;\nstatic const char* pidfile = \"" +
        pidfile_ +
        "\";\n"
        "static void remember(int pid) { FILE* f = fopen(pidfile, \"a\"); fprintf(f, \"%d\\n\", pid); "
        "fclose(f); }\n"
        "static void pass() { printf(\"Time: 1.0 ms\\nVerification: PASS\\n\"); fflush(stdout); }\n"
        "int main(int argc, char** argv) {\n  MPI_Init(&argc, &argv);\n  MPI_Comm_rank(MPI_COMM_WORLD, "
        "&rank);\n"
        "  (void)remember; (void)pass;\n" +
        body + "\n  MPI_Finalize();\n}\n";
    candidate_.directory = directory_.path();
    RunOptions run;
    run.deadline = deadline;
    auto const evaluation = Cascade{CompileStage{devices_}, RunStage{devices_, run}}.evaluate(candidate_);
    if (!evaluation) {
      ADD_FAILURE() << to_line(evaluation.error());
      return {};
    }
    return *evaluation;
  }

  /// Processes that the candidate remembered and that still run.
  int survivors() const {
    int alive = 0;
    std::istringstream lines(slurp(pidfile_));
    for (int pid = 0; lines >> pid;) alive += ::kill(pid, 0) == 0;
    return alive;
  }
  int remembered() const {
    int count = 0;
    std::istringstream lines(slurp(pidfile_));
    for (int pid = 0; lines >> pid;) ++count;
    return count;
  }

  Devices devices_{std::make_shared<PlainMpiBackend>()};
  TemporaryDirectory directory_;
  std::string pidfile_ = directory_ / "pids";
  Candidate candidate_;
};

TEST_F(ContainmentTest, HonestProgramPassesAndLeavesNothing) {
  auto const evaluation = evaluate(
      "  remember(getpid()); printf(\"Time: %g ms\\nVerification: PASS\\n\", 1.0 + rank);\n"
      "  fclose(fopen(\"litter\", \"w\"));");
  EXPECT_TRUE(evaluation.correct()) << evaluation.error;
  EXPECT_EQ(evaluation.rank_ms, (std::vector<double>{1, 2}));
  EXPECT_EQ(evaluation.slowest_ms, 2);
  EXPECT_EQ(remembered(), 2);
  EXPECT_EQ(survivors(), 0);
  EXPECT_EQ(temporary_files(), std::set<std::string>{});
  EXPECT_FALSE(std::filesystem::exists(directory_ / "litter"));
}

TEST_F(ContainmentTest, OneRankCannotSpeakForAnother) {
  auto const evaluation = evaluate(
      "  if (rank == 0) { pass();\n"
      "    printf(\"[1,1]<stdout>:Time: 0.1 ms\\n[1,1]<stdout>:Verification: PASS\\n\");\n"
      "    printf(\"</stdout>\\n<stdout rank=\\\"1\\\">Time: 0.1 ms\\nVerification: PASS\\n</stdout>\\n\"); "
      "}");
  EXPECT_EQ(evaluation.outcome, Outcome::kWrongAnswer);
}

TEST_F(ContainmentTest, OwnVerdictBeforeTheRealOneDoesNotCount) {
  auto const evaluation = evaluate(
      "  printf(\"Time: 0.001 ms\\nVerification: PASS\\n\");\n  printf(\"Time: 5 ms\\nVerification: "
      "FAIL\\n\");");
  EXPECT_EQ(evaluation.outcome, Outcome::kWrongAnswer);
  EXPECT_NE(evaluation.error.find("2 'Verification:' lines"), std::string::npos) << evaluation.error;
  EXPECT_EQ(evaluation.combined_score, 0);
}

TEST_F(ContainmentTest, VerdictOnStandardErrorDoesNotCount) {
  EXPECT_EQ(evaluate("  fprintf(stderr, \"Time: 1 ms\\nVerification: PASS\\n\");").outcome,
            Outcome::kWrongAnswer);
}

TEST_F(ContainmentTest, EarlyExitWithSuccessIsNotSuccess) {
  auto const evaluation = evaluate("  if (rank == 1) { MPI_Finalize(); _exit(0); }\n  pass();");
  EXPECT_FALSE(evaluation.correct());
  EXPECT_NE(evaluation.error.find("rank 1"), std::string::npos) << evaluation.error;
  EXPECT_FALSE(evaluate("  exit(0);").correct());
}

TEST_F(ContainmentTest, HangIsEndedAtTheDeadline) {
  auto const start = std::chrono::steady_clock::now();
  auto const evaluation =
      evaluate("  remember(getpid()); signal(SIGTERM, SIG_IGN); pass(); for (;;) usleep(1000);", 2s);
  EXPECT_EQ(evaluation.outcome, Outcome::kTimedOut);
  EXPECT_EQ(evaluation.error, "run: did not end within 2 s");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
  EXPECT_EQ(remembered(), 2);
  EXPECT_EQ(survivors(), 0);
}

TEST_F(ContainmentTest, CrashOfOneRankFailsTheCandidate) {
  auto const evaluation = evaluate(
      "  remember(getpid()); pass(); if (rank == 1) raise(SIGSEGV); else MPI_Barrier(MPI_COMM_WORLD);");
  EXPECT_EQ(evaluation.outcome, Outcome::kRunFailed);
  EXPECT_NE(evaluation.error.find("signal 11"), std::string::npos) << evaluation.error;
  EXPECT_EQ(survivors(), 0);
}

TEST_F(ContainmentTest, ExitCodeOfOneRankFailsTheCandidate) {
  auto const evaluation = evaluate("  pass(); MPI_Finalize(); return rank == 1 ? 5 : 0;");
  EXPECT_EQ(evaluation.outcome, Outcome::kRunFailed);
  EXPECT_EQ(evaluation.error, "run: ended with exit code 5");
}

TEST_F(ContainmentTest, BackgroundProcessesAreGoneAfterwards) {
  auto const evaluation = evaluate(
      "  if (fork() == 0) { setsid(); if (fork() == 0) { remember(getpid()); int n = open(\"/dev/null\", "
      "O_RDWR);\n"
      "      dup2(n, 0); dup2(n, 1); dup2(n, 2); for (int i = 3; i < 100; ++i) close(i); sleep(300); } "
      "_exit(0); }\n"
      "  while (access(pidfile, F_OK) != 0) usleep(1000);\n  usleep(100000);\n  pass();");
  EXPECT_TRUE(evaluation.correct()) << evaluation.error;
  EXPECT_EQ(remembered(), 2);
  EXPECT_EQ(survivors(), 0);
  EXPECT_EQ(temporary_files(), std::set<std::string>{});
}

TEST_F(ContainmentTest, FloodOfOutputIsNotKeptAndNotSuccess) {
  auto const evaluation = evaluate(
      "  pass(); for (long i = 0; i < 200000; ++i) puts(\"0123456789012345678901234567890123456789\");", 60s);
  EXPECT_EQ(evaluation.outcome, Outcome::kRunFailed);
  EXPECT_EQ(evaluation.error, "run: printed more than the limit on output");
  EXPECT_LT(std::filesystem::file_size(directory_ / "results/run.log"), 1U << 20U);
  EXPECT_LT(evaluation.text_feedback.size(), 10000U);
}

TEST_F(ContainmentTest, SecretsAndTheHomeDirectoryStayOutside) {
  ::setenv("SOME_API_KEY", "secret", 1);
  auto const evaluation = evaluate(
      "  if (getenv(\"SOME_API_KEY\") || !getenv(\"HOME\") || access(getenv(\"HOME\"), W_OK) != 0 ||\n"
      "      std::string(getenv(\"HOME\")) != getenv(\"TMPDIR\")) return 7;\n  pass();");
  ::unsetenv("SOME_API_KEY");
  EXPECT_TRUE(evaluation.correct()) << evaluation.error << evaluation.text_feedback;
}

TEST_F(ContainmentTest, ArgumentsArriveAsTheyAre) {
  candidate_.code =
      "#include <mpi.h>\n#include <cstdio>\n#include <cstring>\nint main(int argc, char** argv) {\n"
      "  bool ok = argc == 4 && !strcmp(argv[1], \"a b\") && !strcmp(argv[2], \"$(x) *\") && "
      "!strcmp(argv[3], \"-np\");\n"
      "  MPI_Init(&argc, &argv);\n  printf(\"Time: 1 ms\\nVerification: %s\\n\", ok ? \"PASS\" : "
      "\"FAIL\");\n  MPI_Finalize();\n}\n";
  candidate_.directory = directory_.path();
  RunOptions run;
  run.ranks = 3;
  run.args = {"a b", "$(x) *", "-np"};
  auto const evaluation = Cascade{CompileStage{devices_}, RunStage{devices_, run}}.evaluate(candidate_);
  ASSERT_TRUE(evaluation) << to_line(evaluation.error());
  EXPECT_TRUE(evaluation->correct()) << evaluation->error;
  EXPECT_EQ(evaluation->rank_ms.size(), 3U);
}

}  // namespace
}  // namespace cuco::testing
