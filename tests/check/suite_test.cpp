// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The public suite: every unsound kernel is rejected for its reason, no sound one is. Here each under a few
// schedules; scripts/check-suite runs all modes, seeds and numbers of ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "cuco/check/checker.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/process/find_program.hpp"

namespace cuco {
namespace {

namespace fs = std::filesystem;

struct Kernel {
  std::string name, path;
  std::vector<std::string> rules;  ///< The one that is expected, and others that say the same in other words.
  std::vector<int> ranks;
};

std::vector<std::string> words_after(std::string const& text, std::string const& key) {
  std::vector<std::string> out;
  std::size_t const at = text.find("// " + key + ":");
  if (at == std::string::npos) return out;
  std::istringstream line(text.substr(at + key.size() + 4, text.find('\n', at) - at - key.size() - 4));
  for (std::string word; line >> word;) out.push_back(word);
  return out;
}

std::vector<Kernel> kernels(std::string const& folder) {
  std::vector<Kernel> out;
  for (auto const& entry :
       fs::directory_iterator(std::string(CUCO_SOURCE_DIR) + "/tests/check/kernels/" + folder)) {
    if (entry.path().extension() != ".cu") continue;
    Kernel k;
    k.path = entry.path().string();
    k.name = entry.path().stem().string();
    auto const text = read_file(k.path);
    if (!text) continue;
    k.rules = words_after(*text, "expect");
    for (std::string const& other : words_after(*text, "also")) k.rules.push_back(other);
    for (std::string const& n : words_after(*text, "ranks")) k.ranks.push_back(std::stoi(n));
    out.push_back(std::move(k));
  }
  std::sort(out.begin(), out.end(), [](Kernel const& a, Kernel const& b) { return a.name < b.name; });
  return out;
}

std::string skip_reason() {
  if (!find_program("mpirun")) return "mpirun is not installed";
  if (!find_program("g++") && !find_program("clang++")) return "no host C++ compiler is installed";
  return {};
}

SoundnessReport checked(Kernel const& k, CheckOptions options) {
  auto const program = load_program(k.path);
  EXPECT_TRUE(program) << to_line(program.error());
  if (!program) return {};
  auto report = Checker(std::move(options)).check(*program);
  EXPECT_TRUE(report) << to_line(report.error());
  return report ? std::move(*report) : SoundnessReport{};
}

class UnsoundKernel : public ::testing::TestWithParam<Kernel> {};
class SoundKernel : public ::testing::TestWithParam<Kernel> {};

TEST_P(UnsoundKernel, IsRejectedForItsReason) {
  if (std::string const reason = skip_reason(); !reason.empty()) GTEST_SKIP() << reason;
  Kernel const& k = GetParam();
  ASSERT_FALSE(k.rules.empty() || k.ranks.empty()) << "the file does not say what is expected";
  CheckOptions options;
  options.ranks = {std::find(k.ranks.begin(), k.ranks.end(), 4) != k.ranks.end() ? 4 : k.ranks[0]};
  options.seeds = 1;
  auto const report = checked(k, options);
  EXPECT_EQ(report.verdict, Soundness::kUnsound) << to_text(report);
  ASSERT_FALSE(report.defects.empty());
  // Which of several consequences of one mistake shows first depends on the machine.
  EXPECT_TRUE(std::any_of(report.defects.begin(), report.defects.end(), [&](Defect const& d) {
    return std::find(k.rules.begin(), k.rules.end(), d.rule) != k.rules.end();
  })) << to_text(report);
}

TEST_P(SoundKernel, IsAccepted) {
  if (std::string const reason = skip_reason(); !reason.empty()) GTEST_SKIP() << reason;
  CheckOptions options;
  options.ranks = {4};
  options.seeds = 1;
  auto const report = checked(GetParam(), options);
  EXPECT_EQ(report.verdict, Soundness::kSound) << to_text(report);
  EXPECT_GE(report.runs.size(), 3U);
}

auto const name_of = [](auto const& info) { return info.param.name; };
void PrintTo(Kernel const& k, std::ostream* out) {
  *out << k.name;
}
INSTANTIATE_TEST_SUITE_P(Suite, UnsoundKernel, ::testing::ValuesIn(kernels("unsound")), name_of);
INSTANTIATE_TEST_SUITE_P(Suite, SoundKernel, ::testing::ValuesIn(kernels("sound")), name_of);

TEST(CheckSuite, IsLargeEnoughAndHasPairs) {
  auto const sound = kernels("sound"), unsound = kernels("unsound");
  EXPECT_GE(sound.size(), 25U);
  EXPECT_GE(unsound.size(), 60U);
  for (Kernel const& k : unsound) {
    auto const twin = words_after(*read_file(k.path), "twin");
    ASSERT_EQ(twin.size(), 1U) << k.name;
    EXPECT_TRUE(std::any_of(sound.begin(), sound.end(), [&](Kernel const& s) {
      return s.name + ".cu" == twin[0];
    })) << k.name;
  }
}

TEST(Checker, AScheduleIsRepeated) {
  if (std::string const reason = skip_reason(); !reason.empty()) GTEST_SKIP() << reason;
  auto const all = kernels("unsound");
  auto const k =
      std::find_if(all.begin(), all.end(), [](Kernel const& x) { return x.rules[0] == "source-reuse"; });
  ASSERT_NE(k, all.end());
  CheckOptions options;
  options.seeds = 1;
  auto const first = checked(*k, options);
  ASSERT_FALSE(first.defects.empty());
  options.schedule = first.defects[0].schedule;
  auto const again = checked(*k, options);
  ASSERT_EQ(again.runs.size(), 1U);
  ASSERT_FALSE(again.defects.empty());
  EXPECT_EQ(again.defects[0].rule, first.defects[0].rule);
  ASSERT_FALSE(again.defects[0].places.empty());
  EXPECT_EQ(again.defects[0].places[0].line, first.defects[0].places[0].line);
}

TEST(Checker, WhatCannotBeCheckedIsNotSound) {
  if (std::string const reason = skip_reason(); !reason.empty()) GTEST_SKIP() << reason;
  auto const program = make_program(
      "#include <cuda_runtime.h>\n__global__ void k() { asm volatile(\"bar.sync 0;\"); }\nint main() { "
      "k<<<1, 1>>>(); }\n",
      "asm.cu");
  ASSERT_TRUE(program);
  auto const report = Checker().check(*program);
  ASSERT_TRUE(report) << to_line(report.error());
  EXPECT_EQ(report->verdict, Soundness::kUnknown);
  EXPECT_THAT(report->stopped, ::testing::HasSubstr("asm.cu:2"));
}

TEST(Checker, BadSchedulesAndOverridesAreErrors) {
  auto const program = make_program("int main() {}\n", "none.cu");
  ASSERT_TRUE(program);
  for (char const* bad : {"", "4", "4:fast:1", "0:eager:1", "4:eager:x", "4:eager:1:0", "4:eager:1:2:3"}) {
    CheckOptions options;
    options.schedule = bad;
    if (*bad == '\0') continue;
    auto const report = Checker(options).check(*program);
    ASSERT_FALSE(report) << bad;
    EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace cuco
