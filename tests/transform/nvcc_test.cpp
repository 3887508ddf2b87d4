// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Seeds and generated programs compile with nvcc against the real NCCL headers, without a warning.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "corpus/nvcc.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"
#include "cuco/transform/markers.hpp"
#include "transform/collective_points.hpp"
#include "transform/rewriting.hpp"
#include "transform/seed_text.hpp"
#include "transform/styles.hpp"
#include "transform/teams_program.hpp"

namespace cuco::testing {
namespace {

std::string find_nvcc() {
  if (auto found = find_program("nvcc")) return *found;
  std::string const usual = "/usr/local/cuda/bin/nvcc";
  return std::filesystem::exists(usual) ? usual : std::string();
}

class Nvcc : public ::testing::Test {
 protected:
  void SetUp() override {
    nvcc_ = find_nvcc();
    if (nvcc_.empty()) GTEST_SKIP() << "nvcc is not installed";
    auto const toolkit = std::filesystem::path(nvcc_).parent_path().parent_path() / "include";
    if (!std::filesystem::exists(toolkit / "nccl_device.h") &&
        !std::filesystem::exists("/usr/include/nccl_device.h"))
      GTEST_SKIP() << "the NCCL headers with the device interface are not installed";
    auto const mpi = run_process(Command{{"mpicxx", "--showme:incdirs"}});
    if (!mpi || !mpi->ok()) GTEST_SKIP() << "mpicxx is not installed";
    std::istringstream words(mpi->out);
    for (std::string word; words >> word;) mpi_.push_back("-I" + word);
    folder_ = std::filesystem::path(CUCO_BINARY_DIR) / "transform_nvcc" /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  struct Source {
    std::string code;
    int standard;
    std::string label;
  };

  /// Two at a time: nvcc uses one core.
  void expect_compile(std::vector<Source> const& sources) {
    std::atomic<std::size_t> next{0};
    auto const work = [&] {
      for (std::size_t i = next++; i < sources.size(); i = next++)
        expect_compiles(sources[i].code, sources[i].standard, sources[i].label);
    };
    std::thread other(work);
    work();
    other.join();
  }

  void expect_compiles(std::string const& code, int standard, std::string const& label) {
    auto const source = (folder_ / (label + ".cu")).string();
    std::ofstream(source) << code;
    std::vector<std::string> argv{nvcc_,
                                  "-std=c++" + std::to_string(standard),
                                  "-arch=sm_90",
                                  "-Werror=all-warnings",
                                  "-Xcompiler",
                                  "-Wall",
                                  "-DOMPI_SKIP_MPICXX",
                                  "-c",
                                  source,
                                  "-o",
                                  source + ".o"};
    for (auto const& flag : fast_translation(nvcc_)) argv.push_back(flag);
    argv.insert(argv.end(), mpi_.begin(), mpi_.end());
    // The same text gives the same verdict, warnings included.
    if (auto const ccache = find_program("ccache")) argv.insert(argv.begin(), *ccache);
    Command command{argv};
    command.environment = {"TMPDIR=" + folder_.string()};
    command.deadline = std::chrono::minutes(5);
    auto const result = run_process(command);
    ASSERT_TRUE(result) << to_line(result.error());
    EXPECT_TRUE(result->ok()) << label << "\n" << result->err;
    EXPECT_EQ(result->err.find("warning"), std::string::npos) << label << "\n" << result->err;
  }

 private:
  std::string nvcc_;
  std::vector<std::string> mpi_;
  std::filesystem::path folder_;
};

std::string marked(Api api, std::string const& code, std::string const& words = {}) {
  std::optional<Directives> directives;
  if (!words.empty()) directives = parse_directives(words).value();
  auto const device = to_device(api, code, directives).value();
  return insert_evolve_markers(device, Analyzer{}.analyze(device).value()).value();
}

TEST_F(Nvcc, SeedsBothStandards) {
  expect_compile({{seed_text("alltoall.cu"), 17, "alltoall"},
                  {seed_text("allreduce.cu"), 20, "allreduce"},
                  {seed_text("allgather_gemm.cu"), 17, "allgather_gemm"}});
}

TEST_F(Nvcc, ProgramsThatChoose) {
  expect_compile({{marked(Api::Auto, everything()), 20, "auto_everything"},
                  {marked(Api::Auto, teams_program()), 17, "auto_teams"}});
}

TEST_F(Nvcc, StageA) {
  auto const a = rewrite(Api::GIN, seed_text("allreduce.cu"), TransformStage::kInfrastructure);
  ASSERT_TRUE(a);
  expect_compiles(a->code, 17, "stage_a");
}

TEST_F(Nvcc, ConservativeBothStandards) {
  std::string const lsa = marked(Api::LSA, everything());
  std::string const gin = marked(Api::GIN, everything());
  expect_compile({{lsa, 17, "lsa17"}, {lsa, 20, "lsa20"}, {gin, 17, "gin17"}, {gin, 20, "gin20"}});
}

TEST_F(Nvcc, OtherPoints) {
  std::string const all = everything();
  expect_compile(
      {{marked(Api::LSA, all, "backend=lsa algorithm=one_shot sync=global ctas=32 vector_bytes=8"),
        17,
        "lsa_global"},
       {marked(Api::LSA, all, "backend=lsa algorithm=pull issuer=warp placement=stream unroll=8"),
        20,
        "lsa_pull"},
       {marked(Api::GIN, all, "backend=gin algorithm=two_shot sync=global issuer=thread ctas=8"),
        17,
        "gin_global"},
       {marked(Api::GIN,
               all,
               "backend=gin algorithm=push sync=per_peer issuer=warp ctas=8 chunk_bytes=262144 contexts=4"),
        20,
        "gin_per_peer"}});
}

TEST_F(Nvcc, NarrowTypesAndAverages) {
  std::string code = plain_sum();
  std::string const call = kPlainSum;
  std::string calls;
  for (char const* type : {"ncclHalf", "ncclBfloat16", "ncclInt8", "ncclUint8", "ncclInt64", "ncclDouble"})
    for (char const* op : {"ncclAvg", "ncclProd"})
      calls +=
          std::string("    NCCL_CHECK(ncclAllReduce(in, out, 4, ") + type + ", " + op + ", comm, stream));\n";
  code.replace(code.find(call), call.size(), calls);
  expect_compiles(marked(Api::LSA, code), 17, "narrow");
}

TEST_F(Nvcc, EveryCollectiveAndAlgorithm) {
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const all = tried_points(api);
    expect_compiles(
        collective_program(api, all, section_of(api, all)), api == Api::LSA ? 17 : 20, to_string(api));
  }
}

}  // namespace
}  // namespace cuco::testing
