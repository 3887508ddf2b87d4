// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/evaluate/contract_output.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/core/rng.hpp"

namespace cuco {
namespace {

std::string good(double ms) {
  return "Time: " + std::to_string(ms) + " ms\nVerification: PASS\n";
}

TEST(RankOutput, ReadsTheTwoLines) {
  auto const report = parse_rank_output("hello\nTime: 0.125 ms\nmore\nVerification: PASS\n");
  ASSERT_TRUE(report.time_ms.has_value());
  EXPECT_EQ(*report.time_ms, 0.125);
  EXPECT_TRUE(report.passed);
  EXPECT_EQ(report.problem, "");
}

TEST(RankOutput, AcceptsCarriageReturnsBlanksAndExponents) {
  auto const report = parse_rank_output("Time:   1.5e-3   ms \r\nVerification:  PASS\t\r\n");
  ASSERT_TRUE(report.time_ms.has_value());
  EXPECT_EQ(*report.time_ms, 0.0015);
  EXPECT_TRUE(report.passed);
}

TEST(RankOutput, LastLineNeedsNoNewline) {
  EXPECT_TRUE(parse_rank_output("Time: 1 ms\nVerification: PASS").passed);
}

class MalformedTime : public ::testing::TestWithParam<char const*> {};
TEST_P(MalformedTime, IsAProblemAndNoTime) {
  auto const report = parse_rank_output(std::string("Time:") + GetParam() + "\nVerification: PASS\n");
  EXPECT_FALSE(report.time_ms.has_value());
  EXPECT_EQ(report.time_lines, 1);
  EXPECT_NE(report.problem, "");
}
INSTANTIATE_TEST_SUITE_P(All,
                         MalformedTime,
                         ::testing::Values("",
                                           " ms",
                                           " 0 ms",
                                           " -1 ms",
                                           " nan ms",
                                           " inf ms",
                                           " 1e999 ms",
                                           " 1",
                                           " 1 s",
                                           " 1 ms per iteration",
                                           " 1 2 ms",
                                           " 0x10 ms",
                                           " 1,5 ms",
                                           " +1 ms",
                                           " 1e ms"));

class MalformedVerification : public ::testing::TestWithParam<char const*> {};
TEST_P(MalformedVerification, DoesNotPass) {
  auto const report = parse_rank_output(std::string("Time: 1 ms\nVerification:") + GetParam() + "\n");
  EXPECT_FALSE(report.passed);
}
INSTANTIATE_TEST_SUITE_P(
    All,
    MalformedVerification,
    ::testing::Values("", " pass", " PASSED", " PASS (simplified)", " FAIL", " PASS PASS", "\x01PASS"));

TEST(RankOutput, OnlyTheBeginningOfALineCounts) {
  auto const report = parse_rank_output("avg Time: 5 ms\n Verification: PASS\nTimes: 1 ms\n");
  EXPECT_EQ(report.time_lines, 0);
  EXPECT_EQ(report.verification_lines, 0);
  EXPECT_EQ(report.problem, "");
}

TEST(RankOutput, TwoOfAKindAreCounted) {
  auto const report = parse_rank_output(good(1) + good(2));
  EXPECT_EQ(report.time_lines, 2);
  EXPECT_FALSE(report.time_ms.has_value());
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.times_ms, (std::vector<double>{1, 2}));
}

TEST(RankOutput, AnyBytesAreRead) {
  Rng rng(11);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t i = rng.below(200); i > 0; --i) text += static_cast<char>(rng.below(256));
    if (rng.chance(0.5)) text.insert(rng.below(text.size() + 1), "\nTime: 1 ms\n");
    auto const report = parse_rank_output(text);
    EXPECT_LE(report.times_ms.size(), static_cast<std::size_t>(report.time_lines));
    EXPECT_FALSE(report.passed && report.verification_lines != 1);
  }
}

TEST(Contract, EveryRankMustSpeakAndTheSlowestCounts) {
  auto const result = check_contract({good(1), good(3), good(2)}, ContractShape::kEveryRank);
  EXPECT_TRUE(result.passed) << result.reason;
  EXPECT_EQ(result.rank_ms, (std::vector<double>{1, 3, 2}));
  EXPECT_EQ(result.slowest_ms, 3);
}

struct Refusal {
  char const* name;
  std::vector<std::string> output;
  ContractShape shape;
  char const* reason;
};
class Refused : public ::testing::TestWithParam<Refusal> {};
TEST_P(Refused, WithTheReasonAndNoTime) {
  auto const result = check_contract(GetParam().output, GetParam().shape);
  EXPECT_FALSE(result.passed);
  EXPECT_NE(result.reason.find(GetParam().reason), std::string::npos) << result.reason;
  EXPECT_TRUE(result.rank_ms.empty());
  EXPECT_EQ(result.slowest_ms, 0);
  EXPECT_EQ(result.reason.find('\n'), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(
    All,
    Refused,
    ::testing::Values(
        Refusal{"silent_rank",
                {good(1), ""},
                ContractShape::kEveryRank,
                "rank 1 printed no 'Verification:' line"},
        Refusal{
            "no_time", {"Verification: PASS\n"}, ContractShape::kEveryRank, "rank 0 printed no 'Time:' line"},
        Refusal{"two_times",
                {good(1), "Time: 1 ms\nTime: 0.5 ms\nVerification: PASS\n"},
                ContractShape::kEveryRank,
                "rank 1 printed 2 'Time:' lines"},
        Refusal{"two_verdicts",
                {"Verification: FAIL\n" + good(1)},
                ContractShape::kEveryRank,
                "rank 0 printed 2 'Verification:' lines"},
        Refusal{"fail",
                {good(1), "Time: 1 ms\nVerification: FAIL\n"},
                ContractShape::kEveryRank,
                "rank 1 printed 'Verification: FAIL'"},
        Refusal{"control_characters", {"Time: \x1b[2J ms\n"}, ContractShape::kEveryRank, "'Time: ?[2J ms'"},
        Refusal{"rank_one_speaks",
                {good(1), good(1)},
                ContractShape::kRankZero,
                "rank 1 printed a contract line, and only rank 0 may"},
        Refusal{"rank_zero_silent", {"", ""}, ContractShape::kRankZero, "rank 0 printed no"},
        Refusal{"any_silent", {"x", "y"}, ContractShape::kAny, "no rank printed a 'Verification:' line"},
        Refusal{"any_untimed",
                {"Verification: PASS\n", ""},
                ContractShape::kAny,
                "no rank printed a 'Time:' line"},
        Refusal{"any_fail",
                {good(1), "Verification: FAIL\n"},
                ContractShape::kAny,
                "rank 1 printed 'Verification: FAIL'"},
        Refusal{"no_rank", {}, ContractShape::kEveryRank, "there is no rank"}),
    [](auto const& info) { return std::string(info.param.name); });

TEST(Contract, AnyShapeTakesTheSlowestOfAllPrintedTimes) {
  auto const result =
      check_contract({"Time: 1 ms\nTime: 4 ms\n", "Verification: PASS\nTime: 2 ms\n"}, ContractShape::kAny);
  EXPECT_TRUE(result.passed) << result.reason;
  EXPECT_EQ(result.slowest_ms, 4);
}

TEST(Contract, ShapeOfASeedIsTheStrictestThatItHas) {
  EXPECT_EQ(detect_contract_shape({good(1), good(2)}), ContractShape::kEveryRank);
  EXPECT_EQ(detect_contract_shape({good(1), "hello\n"}), ContractShape::kRankZero);
  EXPECT_EQ(detect_contract_shape({good(1), "Time: 2 ms\n"}), ContractShape::kAny);
  EXPECT_EQ(detect_contract_shape({good(1)}), ContractShape::kEveryRank);
}

TEST(Contract, PassingImpliesOnePassOfEveryRankWhateverElseIsPrinted) {
  Rng rng(5);
  std::vector<std::string> const lines{"Time: 1 ms\n",
                                       "Verification: PASS\n",
                                       "Verification: FAIL\n",
                                       "noise\n",
                                       "Time: x ms\n",
                                       "Verification: PASS!\n",
                                       "",
                                       "\n"};
  int passed = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<std::string> output(1 + rng.below(3));
    bool sound = true;
    for (auto& text : output) {
      int times = 0;
      int verdicts = 0;
      bool spoiled = false;
      for (int i = 0; i < 4; ++i) {
        std::size_t const pick = rng.chance(0.6) ? rng.below(2) : rng.below(lines.size());
        text += lines[pick];
        times += pick == 0;
        verdicts += pick == 1;
        spoiled = spoiled || pick == 2 || pick == 4 || pick == 5;
      }
      sound = sound && times == 1 && verdicts == 1 && !spoiled;
    }
    bool const accepted = check_contract(output, ContractShape::kEveryRank).passed;
    EXPECT_EQ(accepted, sound);
    passed += accepted;
  }
  EXPECT_GT(passed, 20);
}

}  // namespace
}  // namespace cuco
