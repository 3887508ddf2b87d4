// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// `cuco check` and `cuco explain` as a user calls them.
#include <csignal>
#include <filesystem>
#include <thread>

#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

std::string kernel(std::string const& name) {
  return std::string(CUCO_SOURCE_DIR) + "/tests/check/kernels/" + name;
}

TEST(CheckCommand, NamesDefectLineRanksAndSchedule) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const path = kernel("unsound/gin_alltoall_one_short.cu");
  auto const text = cuco({"check", path, "--np", "2", "--seeds", "1", "--sarif", folder / "out.sarif"});
  EXPECT_EQ(text.exit_code, 1) << text.out << text.err;
  EXPECT_THAT(text.out, testing::HasSubstr("signal-threshold-low"));
  EXPECT_THAT(text.out, testing::HasSubstr("again: --schedule 2:eager:1"));
  EXPECT_THAT(text.out, testing::HasSubstr("// DEFECT")) << "the culprit's line is shown";
  EXPECT_THAT(text.err, testing::HasSubstr("check: schedule 2:eager:1"));
  auto const sarif = nlohmann::json::parse(read_text(folder / "out.sarif"));
  EXPECT_EQ(sarif["runs"][0]["results"][0]["ruleId"], "signal-threshold-low");
  auto const json = cuco_json({"check", path, "--np", "2", "--schedule", "2:eager:1"}, 1);
  EXPECT_EQ(json.at("verdict"), "unsound");
  EXPECT_EQ(json.at("defects")[0].at("rule"), "signal-threshold-low");
}

TEST(CheckCommand, WhatTheRulesGenerateIsSound) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  struct Seed {
    char const *name, *args;
  };
  for (Seed const& s :
       {Seed{"alltoall", "1024 1"}, Seed{"allreduce", "1024 1"}, Seed{"allgather_gemm", "8 8 8 1"}})
    for (char const* api : {"lsa", "gin"}) {
      SCOPED_TRACE(std::string(s.name) + " " + api);
      TemporaryFolder folder;
      auto const made = cuco({"transform",
                              seed(s.name),
                              "--api",
                              api,
                              "--ranks",
                              "2",
                              "--devices",
                              "emulated",
                              "--args",
                              s.args,
                              "--schedules",
                              "1",
                              "--out",
                              folder / "out"});
      ASSERT_EQ(made.exit_code, kOk) << made.err;
      auto const program = folder / ("out/" + std::string(s.name) + "_device.cu");
      auto const json = cuco_json({"check", program, "--np", "4", "--seeds", "1", "--args", s.args});
      EXPECT_EQ(json.at("verdict"), "sound") << json;
    }
}

TEST(CheckCommand, DimensionsAreOverridden) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto const path = kernel("sound/gin_alltoall_blocks.cu");
  auto const text = cuco({"check", path, "--np", "2", "--schedule", "2:eager:1", "-D", "COUNT=8"});
  EXPECT_EQ(text.exit_code, 0) << text.out << text.err;
  EXPECT_THAT(text.out, testing::HasSubstr("override: COUNT: 40 -> 8 (gin_alltoall_blocks.cu:"));
  EXPECT_THAT(text.out, testing::HasSubstr("sound: gin_alltoall_blocks.cu"));
}

TEST(CheckCommand, BadInputIsOneLine) {
  TemporaryFolder folder;
  expect_fails(kBadInput, {"check", folder / "absent.cu"}, {"absent.cu"});
  write_text(folder / "empty.cu", "");
  expect_fails(kBadInput, {"check", folder / "empty.cu"}, {"empty.cu"});
  write_text(folder / "main.cu", "int main() { return 0; }\n");
  expect_fails(
      kBadInput, {"check", folder / "main.cu", "--schedule", "fast"}, {"no schedule", "ranks:mode:seed"});
  expect_fails(kBadInput, {"check", folder / "main.cu", "-D", "N=4"}, {"'N'"});
  expect_fails(kUsage, {"check", folder / "main.cu", "--np", "0"}, {});
  expect_fails(kBadInput, {"explain", "no-such-rule"}, {"no-such-rule", "cuco explain"});
}

TEST(CheckCommand, WhatIsNotEmulatedIsNotSound) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  write_text(folder / "asm.cu",
             "#include <cuda_runtime.h>\n__global__ void k() { asm volatile(\"bar.sync 0;\"); }\nint main() "
             "{ k<<<1, 1>>>(); }\n");
  auto const text = cuco({"check", folder / "asm.cu"});
  EXPECT_EQ(text.exit_code, 2) << text.out << text.err;
  EXPECT_THAT(text.out, testing::HasSubstr("cannot tell: asm.cu: "));
  EXPECT_THAT(text.out, testing::HasSubstr("asm.cu:2"));
}

TEST(CheckCommand, ExplainsItsRules) {
  auto const all = cuco({"explain"});
  EXPECT_EQ(all.exit_code, kOk);
  EXPECT_THAT(all.out, testing::HasSubstr("flush-is-not-delivery"));
  auto const one = cuco({"explain", "source-reuse"});
  EXPECT_EQ(one.exit_code, kOk);
  EXPECT_THAT(one.out, testing::HasSubstr("What to do:"));
}

}  // namespace
}  // namespace cuco::tool_test
