// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/evaluate/lint_stage.hpp"

#include <gtest/gtest.h>

#include <string>

#include "cuco/edit/evolve_blocks.hpp"

namespace cuco::testing {
namespace {

constexpr char const* kSeed = R"(#include <cstdio>
// EVOLVE-BLOCK-START
__global__ void kernel(float* p) { p[threadIdx.x] = 1; }
// EVOLVE-BLOCK-END
int main() {
  double ms = 1;
  bool pass = true;
  // EVOLVE-BLOCK-START
  kernel<<<1, 32>>>(nullptr);
  // EVOLVE-BLOCK-END
  printf("Time: %f ms\nVerification: %s\n", ms, pass ? "PASS" : "FAIL");
}
)";

std::string replaced(std::string const& from, std::string const& to) {
  std::string text = kSeed;
  auto const at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

Verdict judge(std::string code, LintOptions options = {}) {
  Candidate candidate;
  candidate.code = std::move(code);
  candidate.frozen_hash = frozen_hash(kSeed).value();
  Evidence evidence;
  auto const verdict = LintStage{std::move(options)}.run(candidate, evidence);
  EXPECT_TRUE(verdict);
  return verdict ? *verdict : Verdict{};
}

TEST(LintStage, SeedAndChangesInsideBlocksPass) {
  EXPECT_TRUE(judge(kSeed).passed());
  auto const verdict = judge(replaced("p[threadIdx.x] = 1;", "if (p) p[threadIdx.x] = 2;"));
  EXPECT_TRUE(verdict.passed()) << verdict.message;
  EXPECT_EQ(verdict.message, "2 blocks");
}

TEST(LintStage, ChangedFrozenTextIsRefused) {
  for (auto const& code : {replaced("bool pass = true", "bool pass = 1"),
                           replaced("double ms = 1", "double ms = 0.1"),
                           replaced("int main() {\n", "int main() {\n\n"),
                           std::string(kSeed) + "\n"}) {
    auto const verdict = judge(code);
    EXPECT_EQ(verdict.outcome, Outcome::kLintFailed);
    EXPECT_NE(verdict.message.find("outside the EVOLVE blocks"), std::string::npos) << verdict.message;
  }
  LintOptions options;
  options.original = kSeed;
  auto const verdict = judge(replaced("double ms = 1", "double ms = 0.1"), options);
  EXPECT_EQ(verdict.outcome, Outcome::kLintFailed);
  EXPECT_NE(verdict.message.find("main.cu:6:"), std::string::npos) << verdict.message;
}

TEST(LintStage, MovedOrMissingMarkersAreRefused) {
  EXPECT_EQ(judge(replaced("  // EVOLVE-BLOCK-END\n", "")).outcome, Outcome::kLintFailed);
  EXPECT_EQ(judge(replaced("// EVOLVE-BLOCK-START\n", "")).outcome, Outcome::kLintFailed);
  // The frozen print becomes mutable by moving a marker over it.
  std::string moved = replaced("  // EVOLVE-BLOCK-END\n", "");
  moved.insert(moved.rfind('}'), "  // EVOLVE-BLOCK-END\n");
  EXPECT_EQ(judge(moved).outcome, Outcome::kLintFailed);
  EXPECT_EQ(judge("int main() {}").outcome, Outcome::kLintFailed);
}

class Forbidden : public ::testing::TestWithParam<char const*> {};
TEST_P(Forbidden, InsideABlock) {
  auto const verdict = judge(replaced("  kernel<<<1, 32>>>(nullptr);\n", std::string(GetParam()) + "\n"));
  EXPECT_EQ(verdict.outcome, Outcome::kLintFailed) << GetParam();
  EXPECT_NE(verdict.message.find("main.cu:"), std::string::npos) << verdict.message;
  EXPECT_EQ(verdict.message.find('\n'), std::string::npos);
  EXPECT_NE(verdict.feedback.find(verdict.message), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(All,
                         Forbidden,
                         ::testing::Values("  puts(\"Verification: PASS\");",
                                           "  printf(\"Time: 0.1 ms\\n\");",
                                           "  exit(0);",
                                           "  return 0;",
                                           "  if (fork() == 0) return 1;",
                                           "  system(\"true\");",
                                           "  } int other() {",
                                           "#if 0",
                                           "#define pass true",
                                           "  bool pass = true;"));

TEST(LintStage, WithoutAHashItSaysThatNothingWasCompared) {
  Candidate candidate;
  candidate.code = kSeed;
  Evidence evidence;
  auto const verdict = LintStage{}.run(candidate, evidence);
  ASSERT_TRUE(verdict);
  EXPECT_NE(verdict->message.find("not compared"), std::string::npos);
}

TEST(LintStage, BytesThatAreNoProgramFailWithoutHarm) {
  EXPECT_EQ(judge(std::string("\0\xff\xfe", 3)).outcome, Outcome::kLintFailed);
  EXPECT_EQ(judge("").outcome, Outcome::kLintFailed);
  EXPECT_EQ(judge("/* open").outcome, Outcome::kLintFailed);
}

}  // namespace
}  // namespace cuco::testing
