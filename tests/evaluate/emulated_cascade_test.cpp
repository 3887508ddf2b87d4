// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// The whole cascade on emulated devices: real compiler, real launcher, real emulator.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/evaluate/benchmark_stage.hpp"
#include "cuco/evaluate/cascade.hpp"
#include "cuco/evaluate/compile_stage.hpp"
#include "cuco/evaluate/impl/cuda_toolchain.hpp"
#include "cuco/evaluate/lint_stage.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/evaluate/run_stage.hpp"
#include "cuco/process/find_program.hpp"
#include "fake_backend.hpp"

namespace cuco::testing {
namespace {

using namespace std::chrono_literals;

/// Doubles an array; `kernel` is the body of its first block.
std::string program(std::string const& kernel) {
  return R"(#include <cuda_runtime.h>
#include <mpi.h>
#include <cstdio>
#include <vector>
// EVOLVE-BLOCK-START
)" + kernel +
         R"(
// EVOLVE-BLOCK-END
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  int const n = 1000;
  std::vector<float> host(n);
  for (int i = 0; i < n; ++i) host[i] = i + rank;
  float* device = nullptr;
  cudaMalloc(&device, n * sizeof(float));
  cudaMemcpy(device, host.data(), n * sizeof(float), cudaMemcpyHostToDevice);
  cudaEvent_t start, stop;
  cudaEventCreate(&start);
  cudaEventCreate(&stop);
  cudaEventRecord(start);
  scale<<<(n + 127) / 128, 128>>>(device, n);
  cudaEventRecord(stop);
  cudaEventSynchronize(stop);
  float ms = 0;
  cudaEventElapsedTime(&ms, start, stop);
  cudaMemcpy(host.data(), device, n * sizeof(float), cudaMemcpyDeviceToHost);
  bool pass = true;
  for (int i = 0; i < n; ++i) pass = pass && host[i] == 2.f * (i + rank);
  printf("Time: %f ms\nVerification: %s\n", ms, pass ? "PASS" : "FAIL");
  cudaFree(device);
  MPI_Finalize();
}
)";
}

constexpr char const* kGood = R"(__global__ void scale(float* p, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] *= 2;
})";

class EmulatedCascadeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!find_program("mpirun") || !find_program("mpicxx"))
      GTEST_SKIP() << "Open MPI (mpirun, mpicxx) is not installed";
  }
  Evaluation evaluate(std::string const& kernel, bool nvcc = false) {
    Candidate candidate;
    candidate.code = program(kernel);
    candidate.directory = directory_ / ("gen_" + std::to_string(serial_++));
    candidate.frozen_hash = frozen_hash(program(kGood)).value();
    std::filesystem::create_directories(candidate.directory);
    CompileOptions compile;
    compile.nvcc_check = nvcc;
    RunOptions run;
    run.deadline = 60s;
    Cascade const judge{
        LintStage{}, CompileStage{devices_, compile}, RunStage{devices_, run}, BenchmarkStage{devices_}};
    auto const evaluation = judge.evaluate(candidate);
    if (evaluation) return *evaluation;
    ADD_FAILURE() << to_line(evaluation.error()) << "\n" << evaluation.error().detail;
    return {};
  }
  Devices devices_ = Devices::emulated();
  TemporaryDirectory directory_;
  int serial_ = 0;
};

TEST_F(EmulatedCascadeTest, GoodProgramIsVerifiedWithAModelledTime) {
  auto const evaluation = evaluate(kGood);
  EXPECT_TRUE(evaluation.correct()) << evaluation.error << "\n" << evaluation.text_feedback;
  EXPECT_EQ(evaluation.origin, Origin::kModelled);
  EXPECT_EQ(evaluation.trust, Trust::kEmulated);
  EXPECT_EQ(evaluation.rank_ms.size(), 2U);
  EXPECT_GT(evaluation.slowest_ms, 0);
  EXPECT_EQ(evaluation.combined_score, combined_score(evaluation.slowest_ms));
  auto const again = evaluate(kGood);
  EXPECT_EQ(again.rank_ms, evaluation.rank_ms);
  EXPECT_EQ(again.text_feedback, evaluation.text_feedback);
  EXPECT_EQ(again.public_metrics, evaluation.public_metrics);
  EXPECT_EQ(again.private_metrics, evaluation.private_metrics);
}

TEST_F(EmulatedCascadeTest, WrongResultIsAWrongAnswer) {
  auto const evaluation =
      evaluate("__global__ void scale(float* p, int n) { int i = threadIdx.x; if (i < n) p[i] *= 2; }");
  EXPECT_EQ(evaluation.outcome, Outcome::kWrongAnswer);
  EXPECT_EQ(evaluation.error, "run: rank 0 printed 'Verification: FAIL'");
}

TEST_F(EmulatedCascadeTest, CompileErrorNamesTheLineOfTheProgram) {
  auto const evaluation = evaluate("__global__ void scale(float* p, int n) {\n  p[0] = undeclared_name;\n}");
  EXPECT_EQ(evaluation.outcome, Outcome::kCompileFailed);
  EXPECT_NE(evaluation.error.find("main.cu:7"), std::string::npos) << evaluation.error;
  EXPECT_NE(evaluation.error.find("undeclared_name"), std::string::npos) << evaluation.error;
  EXPECT_EQ(evaluation.text_feedback.find(directory_.path()), std::string::npos);
}

TEST_F(EmulatedCascadeTest, AccessOutsideAnAllocationIsFound) {
  auto const evaluation = evaluate(
      "__global__ void scale(float* p, int n) { int i = blockIdx.x * blockDim.x + threadIdx.x; p[i] *= 2; }");
  EXPECT_EQ(evaluation.outcome, Outcome::kRunFailed);
  EXPECT_NE(evaluation.error.find("cuco-emu:"), std::string::npos)
      << evaluation.error << evaluation.text_feedback;
}

TEST_F(EmulatedCascadeTest, EndlessWaitIsADeadlockAndEndsBeforeTheDeadline) {
  auto const start = std::chrono::steady_clock::now();
  auto const evaluation = evaluate(
      "__global__ void scale(float* p, int n) {\n  volatile float* flag = p;\n  while (*flag != -1.f) {}\n  "
      "p[0] = n;\n}");
  EXPECT_EQ(evaluation.outcome, Outcome::kDeadlocked) << evaluation.error << evaluation.text_feedback;
  EXPECT_NE(evaluation.text_feedback.find("deadlock"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50s);
}

TEST_F(EmulatedCascadeTest, NvccHasAWordToo) {
  auto const nvcc = impl::evaluating::find_cuda_toolchain(CudaOptions{});
  if (!nvcc) GTEST_SKIP() << to_line(nvcc.error());
  auto const good = evaluate(kGood, true);
  EXPECT_TRUE(good.correct()) << good.error;
  EXPECT_NE(attribute_or(good.notes, "compile").find("nvcc accepts it"), std::string::npos);
  auto const bad = evaluate(
      std::string(kGood) + "\n#if !__has_include(<cuco_emu_prelude.h>)\n#error on purpose\n#endif", true);
  EXPECT_EQ(bad.outcome, Outcome::kCompileFailed);
  EXPECT_NE(bad.error.find("nvcc rejects"), std::string::npos) << bad.error;
  EXPECT_NE(bad.error.find("main.cu"), std::string::npos) << bad.error;
}

TEST_F(EmulatedCascadeTest, VerifierTellsHowFarAProgramCame) {
  VerifyOptions options;
  options.schedules = 1;
  options.deadline = 60s;
  ProgramVerifier const verifier{devices_, options};
  auto const good = verifier.verify(program(kGood), directory_ / "work", "good");
  ASSERT_TRUE(good) << to_line(good.error());
  EXPECT_TRUE(good->built && good->ran && good->verified) << good->message;
  EXPECT_EQ(good->outcome, Outcome::kCorrect);
  EXPECT_EQ(good->shape, ContractShape::kEveryRank);
  EXPECT_EQ(good->rank_ms.size(), 2U);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "work/good.cu"));
  EXPECT_NE(slurp(directory_ / "work/good.log").find("reordered delivery"), std::string::npos);

  auto const wrong =
      verifier.verify(program("__global__ void scale(float*, int) {}"), directory_ / "work", "wrong");
  ASSERT_TRUE(wrong);
  EXPECT_TRUE(wrong->built);
  EXPECT_FALSE(wrong->verified);
  EXPECT_EQ(wrong->slowest_ms, 0);
  EXPECT_NE(wrong->diagnostics, "");

  auto const broken = verifier.verify("int main( {", directory_ / "work", "broken");
  ASSERT_TRUE(broken);
  EXPECT_FALSE(broken->built || broken->ran || broken->verified);
  EXPECT_EQ(broken->outcome, Outcome::kCompileFailed);
  EXPECT_NE(broken->message.find("broken.cu"), std::string::npos) << broken->message;
}

}  // namespace
}  // namespace cuco::testing
