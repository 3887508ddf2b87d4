// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Generated launchers of every collective and algorithm, called directly on emulated ranks: in place, with
/// odd counts and alignments, staged buffers, types that are known at run time, every root.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cuco/evaluate/devices.hpp"
#include "cuco/process/find_program.hpp"
#include "transform/collective_points.hpp"

namespace cuco::testing {
namespace {

class Collectives : public ::testing::TestWithParam<Api> {
 protected:
  void SetUp() override {
    if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
    // One for each test: they run at the same time.
    std::string const test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::path(CUCO_BINARY_DIR) / "transform_collectives" /
              test.substr(0, test.find('/')) / to_string(GetParam());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::string build(std::string const& code) {
    BuildSpec spec;
    spec.source_path = (folder_ / "program.cu").string();
    spec.output_path = (folder_ / "program.bin").string();
    std::ofstream(spec.source_path) << code;
    auto const built = devices_.build(spec);
    if (!built || !built->built) {
      ADD_FAILURE() << (built ? built->diagnostics : to_line(built.error()));
      return {};
    }
    return spec.output_path;
  }

  void expect_verified(std::string const& binary,
                       int ranks,
                       GinMode mode,
                       std::vector<std::string> args = {}) {
    RunSpec run;
    run.binary = binary;
    run.args = std::move(args);
    run.ranks = ranks;
    run.gin_mode = mode;
    run.seed = static_cast<std::uint64_t>(ranks);
    run.skew_us = mode == GinMode::kRandom ? 300 : 0;
    auto const result = devices_.run(run);
    ASSERT_TRUE(result) << to_line(result.error());
    EXPECT_TRUE(result->ok()) << ranks << " ranks\n" << result->stderr_text << result->launcher_text;
    for (auto const& text : result->rank_stdout)
      EXPECT_NE(text.find("Verification: PASS"), std::string::npos);
  }

 private:
  std::filesystem::path folder_;
  Devices devices_ = Devices::emulated();
};

TEST_P(Collectives, AreVerifiedAtManyPointsAndRankCounts) {
  auto const all = tried_points(GetParam());
  auto const binary = build(collective_program(GetParam(), all, section_of(GetParam(), all)));
  if (binary.empty()) return;
  expect_verified(binary, 2, GinMode::kEager);
  expect_verified(binary, 3, GinMode::kRandom, {"", "1"});
  expect_verified(binary, 4, GinMode::kRandom);
}

TEST_P(Collectives, AreVerifiedOnEightRanks) {
  auto const all = tried_points(GetParam());
  auto const binary =
      build(collective_program(GetParam(), all, section_of(GetParam(), all), "{Case{517, 1, 1, false, 5}}"));
  if (!binary.empty()) expect_verified(binary, 8, GinMode::kRandom);
}

INSTANTIATE_TEST_SUITE_P(Both, Collectives, ::testing::Values(Api::LSA, Api::GIN), [](auto const& info) {
  return std::string(to_string(info.param));
});

}  // namespace
}  // namespace cuco::testing
