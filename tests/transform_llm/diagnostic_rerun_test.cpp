// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/diagnostic_rerun.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/evaluate/nvcc_check.hpp"
#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

using impl::transforming::with_checked_launches;

std::string checked(std::string const& code, std::size_t launches) {
  auto const out = with_checked_launches(code, "p.cu");
  if (!out) return "error: " + to_line(out.error());
  EXPECT_EQ(out->launches, launches) << code;
  auto const begin = out->code.find("#line 1 \"p.cu\"\n");
  EXPECT_NE(begin, std::string::npos);
  return out->code.substr(begin + 15);
}

TEST(CheckedLaunches, AreFoundInEveryForm) {
  std::string const head = "__global__ void k(int);\ntemplate <int N> __global__ void t(int);\n";
  auto const in_f = [&](std::string const& statement) { return head + "void f() { " + statement + " }\n"; };
  EXPECT_EQ(checked(in_f("k<<<1, 2>>>(3);"), 1),
            in_f("(k<<<1, 2>>>(3), ::cuco_diagnostic::check(\"k\", __LINE__));"));
  EXPECT_EQ(checked(in_f("if (a) k<<<dim3(1, 2), 2, 0, s>>>(g(3));"), 1),
            in_f("if (a) (k<<<dim3(1, 2), 2, 0, s>>>(g(3)), ::cuco_diagnostic::check(\"k\", __LINE__));"));
  EXPECT_EQ(checked(in_f("ns::t<2><<<1, 2>>>(3);"), 1),
            in_f("(ns::t<2><<<1, 2>>>(3), ::cuco_diagnostic::check(\"ns::t<2>\", __LINE__));"));
  EXPECT_EQ(checked(in_f("(*pick(1))<<<1, 2>>>(3);"), 1),
            in_f("((*pick(1))<<<1, 2>>>(3), ::cuco_diagnostic::check(\"(*pick(1))\", __LINE__));"));
  EXPECT_EQ(checked(in_f("CHECK(cudaLaunchKernel((void*)k, 1, 2, args, 0, s));"), 1),
            in_f("CHECK(::cuco_diagnostic::after(cudaLaunchKernel((void*)k, 1, 2, args, 0, s), \"(void*)k\", "
                 "__LINE__));"));
  EXPECT_EQ(checked(in_f("auto e = ::cudaLaunchCooperativeKernel(k, 1, 2, args);"), 1),
            in_f("auto e = ::cuco_diagnostic::after(::cudaLaunchCooperativeKernel(k, 1, 2, args), \"k\", "
                 "__LINE__);"));
  EXPECT_EQ(checked(in_f("cudaLaunchKernelEx(&config, t<4>, 3);"), 1),
            in_f("::cuco_diagnostic::after(cudaLaunchKernelEx(&config, t<4>, 3), \"t<4>\", __LINE__);"));
  EXPECT_EQ(checked(in_f("// k<<<1, 2>>>(3)\n g(\"k<<<1, 2>>>(3)\");"), 0),
            in_f("// k<<<1, 2>>>(3)\n g(\"k<<<1, 2>>>(3)\");"));
}

TEST(CheckedLaunches, AreFoundInMacros) {
  EXPECT_EQ(checked("#define RUN(kernel, ...) kernel<<<1, 2>>>(__VA_ARGS__)\nvoid f() { RUN(k, 3); }\n", 1),
            "#define RUN(kernel, ...) (kernel<<<1, 2>>>(__VA_ARGS__), ::cuco_diagnostic::check(#kernel, "
            "__LINE__))\n"
            "void f() { RUN(k, 3); }\n");
  EXPECT_EQ(checked("#define GO \\\n  k<<<1, 2>>> \\\n  (3)\nvoid f() { GO; }\n", 1),
            "#define GO \\\n  (k<<<1, 2>>> \\\n  (3), ::cuco_diagnostic::check(\"k\", __LINE__))\nvoid f() { "
            "GO; }\n");
}

TEST(CheckedLaunches, LeavesDeviceCodeAlone) {
  std::string const code = "__global__ void child();\n__global__ void parent() { child<<<1, 1>>>(); }\n";
  EXPECT_EQ(checked(code, 0), code);
}

TEST(CheckedLaunches, AnyTextIsAValueOrAnError) {
  for (std::string const text : {"<<<",
                                 "k<<<",
                                 "k<<<1>>>",
                                 ">>>(",
                                 "void f() { k<<<1, 2>>>; }",
                                 "x<y<<<1>>>(2)",
                                 "#define X k<<<\n",
                                 "cudaLaunchKernel()",
                                 "cudaLaunchKernelEx(a)",
                                 "cudaLaunchKernel"})
    (void)with_checked_launches(text, "p.cu");
}

using DiagnosticRerun = ModelRun;

TEST_F(DiagnosticRerun, SaysWhichKernelItWasAndLeavesNothing) {
  VerifyOutcome failed;
  fails_to_run(failed, "ended with exit code 2");
  std::string where;
  verifier_.verdict = [&](VerifyOutcome& out, auto const& a) {
    where = a.directory;
    EXPECT_TRUE(has(a.code, "::cuco_diagnostic::check(\"exchange\", __LINE__)"));
    fails_to_run(out, "ended with exit code 96");
    std::string const line =
        "[1] cuco-diagnostic: rank 1: kernel exchange, launched in line 112, fails: an illegal memory "
        "access\n";
    ASSERT_TRUE(write_file_atomic(a.directory + "/" + a.label + ".log", "noise\n" + line + line));
  };
  auto const text = diagnostic_rerun(verifier_, device_alltoall(), failed);
  ASSERT_TRUE(text) << to_line(text.error());
  EXPECT_EQ(*text, "rank 1: kernel exchange, launched in line 112, fails: an illegal memory access\n");
  EXPECT_FALSE(std::filesystem::exists(where));
}

TEST_F(DiagnosticRerun, OnlyWhereItMayTellMore) {
  auto const reruns = [&](VerifyOutcome const& outcome, std::string const& code) {
    verifier_.asked->clear();
    auto const text = diagnostic_rerun(verifier_, code, outcome);
    EXPECT_TRUE(text);
    return !verifier_.asked->empty();
  };
  VerifyOutcome outcome;
  fails_to_run(outcome, "ended with exit code 2");
  EXPECT_TRUE(reruns(outcome, device_alltoall()));
  EXPECT_FALSE(reruns(outcome, host_alltoall())) << "it has no kernels";
  outcome.outcome = Outcome::kTimedOut;
  outcome.message = outcome.diagnostics = "did not end within 10 s";
  EXPECT_TRUE(reruns(outcome, device_alltoall()));
  fails_to_run(outcome, "a rank was ended by signal 11 (Segmentation fault)");
  outcome.diagnostics = outcome.message;
  EXPECT_FALSE(reruns(outcome, device_alltoall())) << "an error of the host";
  is_wrong(outcome);
  outcome.ran = true;
  EXPECT_FALSE(reruns(outcome, device_alltoall()));
}

TEST_F(DiagnosticRerun, SaysWhenNoKernelFails) {
  VerifyOutcome outcome;
  fails_to_run(outcome, "CUDA: unspecified launch failure");
  EXPECT_TRUE(has(diagnostic_rerun(verifier_, device_alltoall(), outcome).value(), "disturb each other"));
  verifier_.verdict = [](VerifyOutcome& out, auto const&) { fails_to_run(out, "NCCL: invalid usage"); };
  EXPECT_TRUE(has(diagnostic_rerun(verifier_, device_alltoall(), outcome).value(), "No kernel fails"));
  verifier_.verdict = [](VerifyOutcome& out, auto const&) { does_not_build(out, "error: it cannot be"); };
  EXPECT_EQ(diagnostic_rerun(verifier_, device_alltoall(), outcome).value(), "");
}

TEST_F(DiagnosticRerun, WhatTheEmulatorSaidIsEnough) {
  VerifyOutcome outcome;
  fails_to_run(outcome, "cuco-emu: rank 0: store outside an allocation");
  outcome.diagnostics =
      "x\ncuco-emu: rank 0: kernel exchange (line 30), block (0,0,0): store outside an allocation\n";
  auto const text = diagnostic_rerun(verifier_, device_alltoall(), outcome);
  EXPECT_EQ(*text, "rank 0: kernel exchange (line 30), block (0,0,0): store outside an allocation\n");
  EXPECT_TRUE(verifier_.asked->empty());
}

TEST_F(DiagnosticRerun, GoesToTheJudgeAndIntoTheFeedback) {
  std::string const bad = "// bad\n" + device_alltoall();
  verifier_.verdict = [&](VerifyOutcome& out, auto const& a) {
    if (!has(a.code, "// bad")) return;
    fails_to_run(out, "ended with exit code 2");
    if (a.label != "diagnostic") return;
    out.diagnostics +=
        "cuco-diagnostic: rank 0: kernel exchange, launched in line 99, fails: misaligned address\n";
  };
  ScriptedBackend const model({program(infrastructure_alltoall()), program(bad), program(device_alltoall())});
  ScriptedBackend const judge({said("exchange stores to a misaligned address.")});
  auto const result = transform(model, judged(judge));
  ASSERT_TRUE(result) << to_line(result.error());
  std::string const told = "rank 0: kernel exchange, launched in line 99, fails: misaligned address";
  EXPECT_TRUE(has(judge.requests().at(0).messages[0].text, told));
  EXPECT_TRUE(has(model.requests().at(2).messages[2].text, told));
  EXPECT_TRUE(has(file("iteration_2.rerun.txt"), told));
  for (auto const& entry : std::filesystem::directory_iterator(folder_))
    EXPECT_FALSE(has(entry.path().filename().string(), "diagnostic"));
}

TEST(CheckedLaunchesNvcc, CompileAndLink) {
  std::string const code = with_changes(
      device_alltoall(),
      {{"// What rank `rank` sends",
        "#define RUN(kernel, grid, ...) kernel<<<grid, 1>>>(__VA_ARGS__)\n__global__ void other(int) {}\n"
        "template <class T> __global__ void generic(T) {}\n"
        "static void more(cudaStream_t s) {\n  RUN(other, 1, 2);\n  if (s) generic<int><<<1, 1, 0, s>>>(1);\n"
        "  else\n    generic<<<1, 1>>>(2.0f);\n  int v = 1;\n  void* args[] = {&v};\n"
        "  CUDA_CHECK(cudaLaunchKernel((void*)other, dim3(1), dim3(1), args, 0, s));\n}\n"
        "// What rank `rank` sends"},
       {"    CUDA_CHECK(cudaGetLastError());", "    more(stream);"}});
  auto const instrumented = with_checked_launches(code, "program.cu");
  ASSERT_TRUE(instrumented) << to_line(instrumented.error());
  EXPECT_EQ(instrumented->launches, 5U);
  std::string const path = ::testing::TempDir() + "/checked_launches.cu";
  ASSERT_TRUE(write_file_atomic(path, instrumented->code));
  auto const built = check_with_nvcc(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(built) << to_line(built.error());
  if (!built->available) GTEST_SKIP() << built->reason;
  EXPECT_TRUE(built->result.built) << built->result.diagnostics;
}

}  // namespace
}  // namespace cuco::testing
