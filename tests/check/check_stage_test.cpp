// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/check/check_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cuco/core/atomic_file.hpp"
#include "cuco/process/find_program.hpp"

namespace cuco {
namespace {

Verdict verdict_on(std::string const& kernel) {
  auto const text = read_file(std::string(CUCO_SOURCE_DIR) + "/tests/check/kernels/" + kernel);
  EXPECT_TRUE(text);
  CheckOptions options;
  options.ranks = {2};
  options.seeds = 1;
  Candidate candidate;
  candidate.code = text.value_or("");
  Evidence evidence;
  auto verdict = CheckStage(options).run(candidate, evidence);
  EXPECT_TRUE(verdict) << to_line(verdict.error());
  return verdict.value_or(Verdict{});
}

TEST(CheckStage, FailsACandidateThatDoesNotWaitForItsData) {
  if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
  auto const bad = verdict_on("unsound/gin_alltoall_one_short.cu");
  EXPECT_EQ(bad.outcome, Outcome::kUnsound);
  EXPECT_THAT(bad.message, ::testing::HasSubstr("signal-threshold-low"));
  EXPECT_THAT(bad.feedback, ::testing::HasSubstr("main.cu:"));
  EXPECT_THAT(bad.feedback, ::testing::HasSubstr("Wait for the baseline plus everything"));
  auto const good = verdict_on("sound/gin_alltoall_blocks.cu");
  EXPECT_EQ(good.outcome, Outcome::kCorrect);
  EXPECT_THAT(good.message, ::testing::HasSubstr("schedules"));
}

TEST(CheckStage, WhatCannotBeCheckedPassesAndSaysSo) {
  Candidate candidate;
  candidate.code =
      "#include <cuda_runtime.h>\n__global__ void k() { asm volatile(\"bar.sync 0;\"); }\nint main() { "
      "k<<<1, 1>>>(); }\n";
  Evidence evidence;
  if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
  auto const verdict = CheckStage().run(candidate, evidence);
  ASSERT_TRUE(verdict) << to_line(verdict.error());
  EXPECT_EQ(verdict->outcome, Outcome::kCorrect);
  EXPECT_THAT(verdict->message, ::testing::HasSubstr("not checked"));
}

}  // namespace
}  // namespace cuco
