// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Every program of the corpus, for both interfaces: transformed, run on several numbers of ranks under
/// reordered delivery, compiled with nvcc. What passes is left in the build folder, under corpus/programs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "corpus/kept_devices.hpp"
#include "corpus/nvcc.hpp"
#include "corpus/programs.hpp"
#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/rule_rewriter.hpp"
#include "cuco/transform/transformer.hpp"

namespace cuco::testing {
namespace {

using Case = std::tuple<std::string, Api>;

std::string small_letters(Api api) {
  return api == Api::LSA ? "lsa" : "gin";
}

class Transforms : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
    work_ = corpus_folder() + "/scratch/" + label();
    std::filesystem::remove_all(work_);
    std::filesystem::remove(result_path());
  }
  void TearDown() override {
    if (!work_.empty() && !HasFailure()) std::filesystem::remove_all(work_);
  }
  static void SetUpTestSuite() { forget_unused(corpus_folder() + "/kept"); }

  static std::string corpus_folder() { return std::string(CUCO_BINARY_DIR) + "/corpus"; }
  static std::string program() { return std::get<0>(GetParam()); }
  static Api api() { return std::get<1>(GetParam()); }
  static std::string label() { return program() + "_" + small_letters(api()); }
  static std::string result_path() { return corpus_folder() + "/programs/" + label() + ".cu"; }

  [[nodiscard]] Devices devices(std::string given, std::optional<std::uint64_t> reorder_seed = {}) const {
    KeptOptions options;
    options.machine = api() == Api::LSA ? "h200-nvlink" : "h200-ib400";
    options.folder = corpus_folder() + "/kept";
    options.given = std::move(given);
    options.reorder_seed = reorder_seed;
    return Devices(std::make_shared<KeptDevices>(std::move(options)));
  }

  [[nodiscard]] Result<TransformResult> transform(SourceProgram const& source) const {
    TransformOptions options;
    options.ranks = 4;
    options.schedules = 0;  // every run is a reordered one here
    options.work_directory = work_;
    auto const where = devices(source.code, 4);
    if (api() == Api::LSA)
      return Transformer<Api::LSA>{RuleRewriter<Api::LSA>{}, where, options}.transform(source);
    return Transformer<Api::GIN>{RuleRewriter<Api::GIN>{}, where, options}.transform(source);
  }

  void expect_device_initiated(TransformResult const& result) const {
    EXPECT_TRUE(result.changed);
    EXPECT_FALSE(result.collectives.empty());
    auto const report = Analyzer{}.analyze(result.code, result.name);
    ASSERT_TRUE(report) << to_line(report.error());
    EXPECT_FALSE(report->has_host_communication());
    auto const blocks = find_evolve_blocks(result.code, result.name);
    ASSERT_TRUE(blocks) << to_line(blocks.error());
    EXPECT_GE(blocks->size(), 2U) << "kernels, and where they are called";
  }

  /// The transformation has run it with four.
  void expect_verified_with_other_ranks(std::string const& code) const {
    for (int ranks : {2, 3, 8}) {
      VerifyOptions options;
      options.ranks = ranks;
      ProgramVerifier const verifier(devices({}, static_cast<std::uint64_t>(ranks)), options);
      auto const outcome = verifier.verify(code, work_, "verify");
      ASSERT_TRUE(outcome) << to_line(outcome.error());
      EXPECT_TRUE(outcome->verified) << ranks << " ranks: " << outcome->message << "\n"
                                     << outcome->diagnostics;
    }
  }

  void expect_compiles(std::string const& code) const {
    Nvcc const nvcc;
    if (nvcc.missing().empty())
      EXPECT_EQ(nvcc.complaints(code, work_, "nvcc"), "");
    else
      std::cout << "nvcc: SKIPPED: " << nvcc.missing() << "\n";
  }

 private:
  std::string work_;
};

TEST_P(Transforms, AndVerifies) {
  auto const source = load_program(corpus_path(program()));
  ASSERT_TRUE(source) << to_line(source.error());
  std::filesystem::create_directories(corpus_folder() + "/programs");
  ASSERT_TRUE(write_file_atomic(corpus_folder() + "/programs/" + program() + "_host.cu", source->code));
  auto const result = transform(*source);
  if (auto const* expected = expected_refusal(program(), api())) {
    ASSERT_FALSE(result) << "is transformed: take it off the list of refusals";
    EXPECT_EQ(result.error().code, ErrorCode::kRefused) << to_line(result.error());
    EXPECT_THAT(to_line(result.error()), ::testing::HasSubstr(expected->reason));
    return;
  }
  ASSERT_TRUE(result) << to_line(result.error()) << "\n" << result.error().detail;
  expect_device_initiated(*result);
  expect_verified_with_other_ranks(result->code);
  expect_compiles(result->code);
  if (HasFailure()) return;
  ASSERT_TRUE(write_file_atomic(result_path(), result->code));
}

INSTANTIATE_TEST_SUITE_P(Corpus,
                         Transforms,
                         ::testing::Combine(::testing::ValuesIn(corpus_programs()),
                                            ::testing::Values(Api::LSA, Api::GIN)),
                         [](auto const& info) {
                           return std::get<0>(info.param) + "_" + small_letters(std::get<1>(info.param));
                         });

/// The programs' own tests pass without nvcc; that they were not compiled with it is said here.
TEST(Corpus, IsCompiledWithNvcc) {
  if (Nvcc const nvcc; !nvcc.missing().empty()) GTEST_SKIP() << nvcc.missing();
}

TEST(Corpus, IsLargeAndMostlyTransformed) {
  auto const programs = corpus_programs();
  EXPECT_GE(programs.size(), 40U);
  for (auto api : {Api::LSA, Api::GIN}) {
    std::size_t transformed = 0;
    for (auto const& name : programs)
      if (expected_refusal(name, api) == nullptr) ++transformed;
    EXPECT_GE(transformed, 36U) << to_string(api);
  }
  for (auto const& one : expected_refusals())
    EXPECT_THAT(programs, ::testing::Contains(std::string(one.program))) << "refused, but not there";
}

}  // namespace
}  // namespace cuco::testing
