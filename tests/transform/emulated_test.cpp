// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Transformed programs run on the emulator: many styles, many points of the design space, reordered
/// delivery.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/transform/generated_section.hpp"
#include "transform/rewriting.hpp"
#include "transform/seed_text.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

class Emulated : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
    directory_ = std::filesystem::path(CUCO_BINARY_DIR) / "transform_test" /
                 ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void expect_verified(std::string const& code,
                       std::string const& label,
                       int ranks,
                       int schedules,
                       std::vector<std::string> args = {}) {
    VerifyOptions options;
    options.args = std::move(args);
    options.ranks = ranks;
    options.schedules = schedules;
    auto const outcome =
        ProgramVerifier(Devices::emulated(), options).verify(code, directory_.string(), label);
    ASSERT_TRUE(outcome) << to_line(outcome.error());
    EXPECT_TRUE(outcome->verified) << label << ": " << outcome->message << "\n" << outcome->diagnostics;
  }

 private:
  std::filesystem::path directory_;
};

/// Few threads: what is checked here does not depend on their number, and the emulator is quicker.
Directives small(Api api) {
  auto d = conservative(Site{.api = api});
  d.ctas = 2;
  d.threads = 128;
  return d;
}

/// `code` with the launchers that are not at `wanted` made small.
std::string with_small_others(std::string const& code, Directives const& wanted) {
  auto all = read_annotations(code).value();
  for (auto& c : all) {
    auto d = c.directives;
    d.ctas = 2;
    d.threads = 128;
    if (!(c.directives == wanted) && !legal(d, c.site)) c.directives = d;
  }
  return regenerate(code, all).value();
}

class EmulatedStyle : public Emulated, public ::testing::WithParamInterface<std::size_t> {};

TEST_P(EmulatedStyle, IsVerifiedForBothApis) {
  auto const style = accepted_styles()[GetParam()];
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const code = to_device(api, style.code, small(api));
    ASSERT_TRUE(code) << style.name << ": " << to_line(code.error());
    expect_verified(*code, std::string(style.name) + "_" + to_string(api), 2, api == Api::GIN ? 1 : 0);
  }
}

INSTANTIATE_TEST_SUITE_P(All,
                         EmulatedStyle,
                         ::testing::Range<std::size_t>(0, accepted_styles().size()),
                         [](auto const& info) { return std::string(accepted_styles()[info.param].name); });

/// A point of the design space for every collective it is legal at; the others are conservative.
struct Point {
  char const* name;
  Api api;
  int ranks;
  char const* words;
};

class EmulatedPoint : public Emulated, public ::testing::WithParamInterface<Point> {};

TEST_P(EmulatedPoint, IsVerifiedForEveryCollective) {
  auto directives = parse_directives(GetParam().words);
  ASSERT_TRUE(directives) << to_line(directives.error());
  auto const code = to_device(GetParam().api, everything(), *directives);
  ASSERT_TRUE(code) << to_line(code.error());
  EXPECT_NE(code->find(to_string(*directives)), std::string::npos) << "legal nowhere: " << GetParam().words;
  expect_verified(with_small_others(*code, *directives),
                  GetParam().name,
                  GetParam().ranks,
                  GetParam().api == Api::GIN ? 2 : 1);
}

INSTANTIATE_TEST_SUITE_P(
    Lsa,
    EmulatedPoint,
    ::testing::Values(
        Point{"conservative", Api::LSA, 2, "backend=lsa algorithm=push"},
        Point{"three_ranks", Api::LSA, 3, "backend=lsa algorithm=two_shot ctas=4 threads=128"},
        Point{"pull_by_warps",
              Api::LSA,
              4,
              "backend=lsa algorithm=pull issuer=warp ctas=1 threads=128 unroll=2"},
        Point{"push_by_warps",
              Api::LSA,
              3,
              "backend=lsa algorithm=push issuer=warp ctas=2 threads=128 vector_bytes=8"},
        Point{"global_two_shot",
              Api::LSA,
              2,
              "backend=lsa algorithm=two_shot sync=global ctas=4 threads=128 unroll=1"},
        Point{"global_push", Api::LSA, 2, "backend=lsa algorithm=push sync=global ctas=4 threads=128"},
        Point{"one_shot", Api::LSA, 4, "backend=lsa algorithm=one_shot ctas=2 threads=128 vector_bytes=8"},
        Point{
            "own_stream", Api::LSA, 2, "backend=lsa algorithm=two_shot placement=stream ctas=2 threads=128"}),
    [](auto const& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Gin,
    EmulatedPoint,
    ::testing::Values(
        Point{"conservative", Api::GIN, 2, "backend=gin algorithm=push ctas=4"},
        Point{"three_ranks", Api::GIN, 3, "backend=gin algorithm=two_shot ctas=2 threads=128"},
        Point{"by_threads_in_chunks",
              Api::GIN,
              4,
              "backend=gin algorithm=push issuer=thread ctas=2 threads=128 chunk_bytes=65536 contexts=2"},
        Point{"two_shot_by_threads",
              Api::GIN,
              3,
              "backend=gin algorithm=two_shot issuer=thread ctas=4 threads=128 contexts=4"},
        Point{"per_peer_by_warps",
              Api::GIN,
              3,
              "backend=gin algorithm=push sync=per_peer issuer=warp ctas=2 threads=128"},
        Point{"two_shot_per_peer",
              Api::GIN,
              4,
              "backend=gin algorithm=two_shot sync=per_peer issuer=warp ctas=2 threads=128"},
        Point{
            "two_shot_global", Api::GIN, 2, "backend=gin algorithm=two_shot sync=global ctas=4 threads=128"},
        Point{"one_shot", Api::GIN, 3, "backend=gin algorithm=one_shot ctas=2 threads=128 vector_bytes=8"},
        Point{"one_shot_global",
              Api::GIN,
              2,
              "backend=gin algorithm=one_shot sync=global issuer=thread ctas=2 threads=128"},
        Point{"one_shot_per_peer",
              Api::GIN,
              3,
              "backend=gin algorithm=one_shot sync=per_peer ctas=2 threads=128"},
        Point{
            "own_stream", Api::GIN, 2, "backend=gin algorithm=two_shot placement=stream ctas=2 threads=128"}),
    [](auto const& info) { return std::string(info.param.name); });

/// What NCCL and CUDA do at the edges, done by the program in one run.
constexpr char const* kEdges = R"(#include <cmath>
#include <cuda_fp16.h>
struct Owner {  // frees when CUDA has ended already
  float* data = nullptr;
  ~Owner() {
    if (data != nullptr && cudaFree(data) != cudaErrorCudartUnloading) abort();
  }
};
static Owner kept;
template <class T>
static size_t extreme(ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm, int rank, int nranks, cudaStream_t stream) {
  T* p;
  CUDA_CHECK(cudaMalloc(&p, 64 * sizeof(T)));
  std::vector<T> h(64);
  for (int i = 0; i < 64; ++i) h[i] = i % nranks == rank ? T(std::nanf("")) : T(float(i + rank));
  CUDA_CHECK(cudaMemcpy(p, h.data(), 64 * sizeof(T), cudaMemcpyHostToDevice));
  NCCL_CHECK(ncclAllReduce(p, p, 64, type, op, comm, stream));
  CUDA_CHECK(cudaStreamSynchronize(stream));
  CUDA_CHECK(cudaMemcpy(h.data(), p, 64 * sizeof(T), cudaMemcpyDeviceToHost));
  size_t wrong = 0;
  for (int i = 0; i < 64; ++i) {
    int best = -1;
    for (int r = 0; r < nranks; ++r)
      if (i % nranks != r && (best < 0 || op == ncclMax)) best = i + r;
    wrong += !(float(h[i]) == float(best));
  }
  CUDA_CHECK(cudaFree(p));
  return wrong;
}
)";

TEST_F(Emulated, EdgesOfNcclAndCuda) {
  std::string const code =
      sum_program(kEdges,
                  "  float *in, *out;\n  CUDA_CHECK(cudaMalloc(&in, n * sizeof(float)));\n"
                  "  CUDA_CHECK(cudaMalloc(&kept.data, n * sizeof(float)));\n  out = kept.data;\n"
                  "  ncclComm_t pair;\n  NCCL_CHECK(ncclGroupStart());\n"
                  "  NCCL_CHECK(ncclCommSplit(comm, 0, rank, &pair, nullptr));\n"
                  "  NCCL_CHECK(ncclGroupEnd());\n",
                  R"(    void* huge = nullptr;
    if (cudaMalloc(&huge, size_t(1) << 50) == cudaSuccess) ++wrong;  // leaves its error behind
    NCCL_CHECK(ncclAllReduce(kept.data, kept.data, 1, ncclFloat, ncclSum, comm, stream));
    NCCL_CHECK(ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream));
    NCCL_CHECK(ncclGroupStart());
    NCCL_CHECK(ncclSend(out, 7, ncclFloat, (rank + 1) % nranks, pair, stream));
    NCCL_CHECK(ncclRecv(in, 7, ncclFloat, (rank + nranks - 1) % nranks, pair, stream));
    NCCL_CHECK(ncclGroupEnd());
    if (cudaGetLastError() != cudaErrorMemoryAllocation) ++wrong;  // still there: it is the program's
    wrong += extreme<float>(ncclFloat, ncclMax, comm, rank, nranks, stream);
    wrong += extreme<double>(ncclDouble, ncclMin, comm, rank, nranks, stream);
    wrong += extreme<__half>(ncclHalf, ncclMax, comm, rank, nranks, stream);
    wrong += extreme<float>(round % 2 ? ncclFloat : ncclFloat32, ncclMin, comm, rank, nranks, stream);
)",
                  "  CUDA_CHECK(cudaFree(in));\n  NCCL_CHECK(ncclCommDestroy(pair));\n");
  expect_verified(code, "host", 3, 0);
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const device = to_device(api, code);
    ASSERT_TRUE(device) << to_line(device.error());
    expect_verified(*device, to_string(api), 3, 0);
  }
}

TEST_F(Emulated, SeedsOnEightRanks) {
  // One seed for each interface; the others run on fewer ranks in the tests of the tool.
  auto const lsa = to_device(Api::LSA, seed_text("allreduce.cu"), small(Api::LSA));
  ASSERT_TRUE(lsa) << to_line(lsa.error());
  expect_verified(*lsa, "lsa", 8, 0, {"65536", "2"});
  auto const gin = to_device(Api::GIN, seed_text("allgather_gemm.cu"));
  ASSERT_TRUE(gin) << to_line(gin.error());
  expect_verified(*gin, "gin", 8, 0, {"32", "32", "32", "2"});
}

TEST_F(Emulated, ChunksSmallerThanThePieces) {
  // 200,000 elements: every piece is longer than a chunk.
  auto const directives = parse_directives("backend=gin algorithm=push ctas=1 threads=256 chunk_bytes=65536");
  std::string code = everything();
  code.replace(code.find("4099"), 4, "200003");
  code.replace(code.find("round < 3"), 9, "round < 1");
  auto const device = to_device(Api::GIN, code, *directives);
  ASSERT_TRUE(device) << to_line(device.error());
  expect_verified(*device, "chunks", 2, 1);
}

TEST_F(Emulated, FewerElementsThanRanksOrThreads) {
  for (auto api : {Api::LSA, Api::GIN}) {
    std::string code = everything();
    code.replace(code.find("4099"), 4, "2");
    auto const device = to_device(api, code);
    ASSERT_TRUE(device) << to_line(device.error());
    expect_verified(with_small_others(*device, {}), std::string("tiny_") + to_string(api), 4, 1);
  }
}

TEST_F(Emulated, AKernelThatDoesNotWaitIsCaught) {
  // What verification on the emulator is worth: without its waits the program must fail.
  auto code = to_device(Api::GIN, plain_sum());
  ASSERT_TRUE(code);
  for (char const* wait : {"gin.waitSignal(ncclCoopCta(), scatter, scatter_before + ranks - 1);",
                           "gin.waitSignal(ncclCoopCta(), gather, gather_before + senders);"}) {
    std::size_t const at = code->find(wait);
    ASSERT_NE(at, std::string::npos) << wait;
    code->replace(at, std::string(wait).size(), ";");
  }
  VerifyOptions options;
  options.schedules = 3;
  auto const outcome =
      ProgramVerifier(Devices::emulated(), options)
          .verify(*code, (std::filesystem::path(CUCO_BINARY_DIR) / "transform_test_racy").string(), "racy");
  ASSERT_TRUE(outcome) << to_line(outcome.error());
  EXPECT_FALSE(outcome->verified);
  std::filesystem::remove_all(std::filesystem::path(CUCO_BINARY_DIR) / "transform_test_racy");
}

}  // namespace
}  // namespace cuco::testing
