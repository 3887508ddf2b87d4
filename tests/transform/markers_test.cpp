// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/markers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/transform/warmup.hpp"
#include "transform/rewriting.hpp"
#include "transform/seed_text.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

Result<std::string> mark(std::string const& code) {
  return insert_evolve_markers(code, Analyzer{}.analyze(code, "program.cu").value());
}

std::vector<std::string> blocks_of(std::string const& code) {
  std::vector<std::string> out;
  auto const found = find_evolve_blocks(code).value();
  for (auto const& b : found) out.push_back(code.substr(b.text.begin, b.text.size()));
  return out;
}

std::string without_markers(std::string code) {
  for (char const* marker : {"// EVOLVE-BLOCK-START\n", "// EVOLVE-BLOCK-END\n"}) {
    for (std::size_t at = code.find(marker); at != std::string::npos; at = code.find(marker)) {
      std::size_t begin = at;
      while (begin > 0 && (code[begin - 1] == ' ' || code[begin - 1] == '\t')) --begin;
      code.erase(begin, at - begin + std::string(marker).size());
    }
  }
  return code;
}

TEST(Markers, GoIntoLoopsThatHoldSomethingFrozenToo) {
  auto const code =
      to_device(Api::LSA,
                sum_program("",
                            kPlainAllocate,
                            "    int tries = 0;\n    do {\n"
                            "      ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);\n"
                            "      cudaMemcpyAsync(host.data(), out, 4, cudaMemcpyDeviceToHost, stream);\n"
                            "      cudaStreamSynchronize(stream);\n    } while (++tries < 2);\n",
                            kPlainFree))
          .value();
  auto const marked = mark(code);
  ASSERT_TRUE(marked) << to_line(marked.error());
  auto const blocks = blocks_of(*marked);
  ASSERT_GE(blocks.size(), 2U);
  EXPECT_NE(blocks[1].find("device_nccl::all_reduce_sum_float("), std::string::npos);
  EXPECT_EQ(blocks[1].find("cudaMemcpyDeviceToHost"), std::string::npos);
}

TEST(Markers, SeedsGetTheGeneratedSectionAndTheTimedStatements) {
  for (auto api : {Api::LSA, Api::GIN}) {
    for (char const* name : {"alltoall.cu", "allreduce.cu", "allgather_gemm.cu"}) {
      auto const code = to_device(api, seed_text(name)).value();
      auto const marked = mark(code);
      ASSERT_TRUE(marked) << name << to_line(marked.error());
      EXPECT_EQ(without_markers(*marked), code) << name;
      auto const blocks = blocks_of(*marked);
      ASSERT_EQ(blocks.size(), 2U) << name;
      EXPECT_NE(blocks[0].find("// cuco: section begin"), std::string::npos);
      EXPECT_NE(blocks[0].find("// cuco: section end"), std::string::npos);
      EXPECT_NE(blocks[1].find("device_nccl::all_"), std::string::npos);
      EXPECT_TRUE(check_evolve_markers(*marked));
      auto const frozen = frozen_text(*marked).value();
      for (char const* word : {"int main(",
                               "MPI_Init",
                               "cudaEventRecord",
                               "cudaEventElapsedTime",
                               "Verification:",
                               "device_nccl::prepare(",
                               "device_nccl::allocate(",
                               "#include <nccl.h>",
                               "MPI_Barrier",
                               "cudaMemsetAsync",
                               "// cuco: infrastructure begin"})
        EXPECT_NE(frozen.find(word), std::string::npos) << name << ": " << word;
      for (auto const& block : blocks)
        for (char const* word :
             {"MPI_", "cudaEvent", "#include", "#define", "printf(\"Time", "cudaMemcpyDeviceToHost"})
          EXPECT_EQ(block.find(word), std::string::npos) << name << ": " << word;
    }
  }
}

TEST(Markers, KernelsThatMakeInputsStayFrozen) {
  auto const gemm = mark(to_device(Api::LSA, seed_text("allgather_gemm.cu")).value()).value();
  auto const blocks = blocks_of(gemm);
  EXPECT_NE(blocks[0].find("__global__ void gemm("), std::string::npos);
  EXPECT_EQ(blocks[0].find("__global__ void fill("), std::string::npos);
  EXPECT_EQ(blocks[0].find("value_at"), std::string::npos) << "the host verifies with it";
  EXPECT_NE(blocks[1].find("gemm<<<"), std::string::npos);
  auto const reduce = mark(to_device(Api::LSA, seed_text("allreduce.cu")).value()).value();
  EXPECT_NE(frozen_text(reduce).value().find("__global__ void fill_gradients("), std::string::npos);
}

TEST(Markers, AddingThemTwiceChangesNothing) {
  auto const once = mark(to_device(Api::GIN, plain_sum()).value()).value();
  EXPECT_EQ(mark(once).value(), once);
}

TEST(Markers, UnsoundOnesAreErrors) {
  std::string const code = to_device(Api::LSA, plain_sum()).value();
  for (char const* markers :
       {"// EVOLVE-BLOCK-START\n",
        "// EVOLVE-BLOCK-END\n",
        "// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\n// EVOLVE-BLOCK-END\n"}) {
    auto const result = mark(markers + code);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kParse);
    EXPECT_GT(result.error().line, 0U);
  }
}

TEST(Markers, WordsInStringsAreNoMarkers) {
  auto const code =
      "static const char* kText = \"EVOLVE-BLOCK-START\";\n" + to_device(Api::LSA, plain_sum()).value();
  EXPECT_EQ(blocks_of(mark(code).value()).size(), 2U);
}

TEST(Markers, TimerAroundALoopFreezesItsCount) {
  std::string code = plain_sum();
  std::string const call = kPlainSum;
  std::size_t const at = code.find(call);
  code.replace(at,
               call.size(),
               "    for (int k = 0; k < 5; ++k) NCCL_CHECK(ncclAllReduce(in, out, n, ncclFloat, ncclSum, "
               "comm, stream));\n");
  auto const marked = mark(to_device(Api::LSA, code).value()).value();
  auto const blocks = blocks_of(marked);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[1].find("for ("), std::string::npos) << blocks[1];
  EXPECT_NE(frozen_text(marked).value().find("for (int k = 0; k < 5; ++k) {"), std::string::npos);
  ASSERT_TRUE(Analyzer{}.analyze(marked)) << "braces balance";

  std::string braced = plain_sum();
  braced.replace(braced.find(call), call.size(), "    for (int k = 0; k < 5; ++k) {\n  " + call + "    }\n");
  auto const other = blocks_of(mark(to_device(Api::LSA, braced).value()).value());
  ASSERT_EQ(other.size(), 2U);
  EXPECT_EQ(other[1].find("for ("), std::string::npos);
}

TEST(Markers, StatementsThatMustStayFrozenSplitTheTimedRegion) {
  std::string code = plain_sum();
  std::string const call = kPlainSum;
  code.replace(code.find(call),
               call.size(),
               call + "    MPI_Barrier(MPI_COMM_WORLD);\n" + call + "    printf(\"between\\n\");\n");
  auto const marked = mark(to_device(Api::LSA, code).value()).value();
  auto const blocks = blocks_of(marked);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(occurrences(blocks[1], "device_nccl::all_reduce_sum_float("), 1);
  EXPECT_EQ(occurrences(blocks[2], "device_nccl::all_reduce_sum_float("), 1);
}

TEST(Markers, OtherTimersAndNone) {
  std::string code = plain_sum();
  auto swap = [&](std::string const& from, std::string const& to) {
    code.replace(code.find(from), from.size(), to);
  };
  swap("    CUDA_CHECK(cudaEventRecord(start, stream));\n", "    const double t0 = MPI_Wtime();\n");
  swap("    CUDA_CHECK(cudaEventRecord(stop, stream));\n",
       "    CUDA_CHECK(cudaStreamSynchronize(stream));\n    const double t1 = MPI_Wtime();\n");
  swap("    CUDA_CHECK(cudaEventSynchronize(stop));\n", "");
  swap("    CUDA_CHECK(cudaEventElapsedTime(&ms, start, stop));\n", "    ms = float(1e3 * (t1 - t0));\n");
  auto const clock = blocks_of(mark(to_device(Api::LSA, code).value()).value());
  ASSERT_EQ(clock.size(), 2U);
  EXPECT_NE(clock[1].find("cudaStreamSynchronize"), std::string::npos) << "it is between start and stop";
  swap("    const double t0 = MPI_Wtime();\n", "");
  swap("    const double t1 = MPI_Wtime();\n", "");
  swap("    ms = float(1e3 * (t1 - t0));\n", "    ms = 1;\n");
  auto const none = blocks_of(mark(to_device(Api::LSA, code).value()).value());
  ASSERT_EQ(none.size(), 2U);
  EXPECT_EQ(occurrences(none[1], ";"), 1) << none[1];
}

TEST(Markers, CheckFindsWhatMustNotBeInABlock) {
  auto const sound = mark(to_device(Api::LSA, plain_sum()).value()).value();
  for (auto [line, what] : {std::pair{"MPI_Barrier(MPI_COMM_WORLD);\n", "MPI"},
                            {"cudaEventRecord(start, stream);\n", "timer"},
                            {"#define X 1\n", "preprocessor"},
                            {"printf(\"Verification: PASS\\n\");\n", "output"},
                            {"cudaMemcpy(a, b, 4, cudaMemcpyDeviceToHost);\n", "copy to the host"},
                            {"cudaMalloc(&p, 4);\n", "allocation"},
                            {"ncclCommDestroy(comm);\n", "communicator"}}) {
    auto code = sound;
    std::size_t const at = code.rfind("// EVOLVE-BLOCK-START\n") + 22;
    code.insert(at, line);
    auto const result = check_evolve_markers(code, "x.cu");
    ASSERT_FALSE(result) << line;
    EXPECT_EQ(result.error().code, ErrorCode::kRefused);
    EXPECT_NE(result.error().cause.find(what), std::string::npos) << result.error().cause;
    EXPECT_EQ(result.error().line,
              static_cast<std::uint32_t>(
                  1 + std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n')));
  }
}

TEST(Warmup, GoesBeforeTheTimedLoopInFrozenText) {
  auto const code = mark(to_device(Api::LSA, seed_text("alltoall.cu")).value()).value();
  auto const warm = insert_warmup(code, "alltoall.cu").value();
  ASSERT_TRUE(warm.inserted) << warm.reason;
  EXPECT_EQ(occurrences(warm.code, "device_nccl::all_to_all_uint32(d_send"), 2);
  EXPECT_LT(warm.code.find("warmup_round"), warm.code.find("for (int it = 0; it < iterations"));
  EXPECT_GT(warm.code.find("warmup_round"), warm.code.find("device_nccl::prepare("));
  EXPECT_NE(frozen_text(warm.code).value().find("warmup_round"), std::string::npos);
  auto const again = insert_warmup(warm.code).value();
  EXPECT_FALSE(again.inserted);
  EXPECT_EQ(again.code, warm.code);
}

TEST(Warmup, IsNotAddedTwiceNorForAWordInAComment) {
  EXPECT_FALSE(insert_warmup(to_device(Api::LSA, seed_text("allreduce.cu")).value()).value().inserted);
  EXPECT_TRUE(insert_warmup("// warmup warm-up Warmup\n" + to_device(Api::LSA, plain_sum()).value())
                  .value()
                  .inserted);
  EXPECT_TRUE(insert_warmup(plain_sum()).value().inserted) << "host collectives are warmed up too";
  std::string skipping = plain_sum();
  std::string const elapsed = "    CUDA_CHECK(cudaEventElapsedTime(&ms, start, stop));\n";
  skipping.insert(skipping.find(elapsed) + elapsed.size(), "    if (round >= 1) ms *= 1;\n");
  EXPECT_FALSE(insert_warmup(skipping).value().inserted) << "early rounds are left out already";
}

TEST(Warmup, LeavesStateAloneThatRoundsHandOn) {
  auto loop = [&](std::string const& body) {
    std::string code = plain_sum();
    code.replace(code.find(kPlainSum),
                 std::string(kPlainSum).size(),
                 "    for (int k = 0; k < 2; ++k) {\n" + body + "    }\n");
    return insert_warmup(code).value();
  };
  std::string const read =
      "      CUDA_CHECK(cudaMemcpyAsync(in, out, 4, cudaMemcpyDeviceToDevice, stream));\n";
  auto const kept = loop(read + kPlainSum);
  EXPECT_FALSE(kept.inserted) << "the first round reads what was there before it";
  EXPECT_NE(kept.reason.find("may read"), std::string::npos) << kept.reason;
  EXPECT_FALSE(loop("      NCCL_CHECK(ncclAllReduce(out, in, n, ncclFloat, ncclSum, comm, stream));\n" +
                    std::string(kPlainSum))
                   .inserted)
      << "one collective hands on to the other";
  EXPECT_TRUE(loop(kPlainSum).inserted);
}

TEST(Warmup, NeverChangesResultsOfInPlaceCollectives) {
  auto const remade =
      sum_program("",
                  "  float* x;\n  CUDA_CHECK(cudaMalloc(&x, n * sizeof(float)));\n",
                  "    NCCL_CHECK(ncclAllReduce(x, x, n, ncclFloat, ncclSum, comm, stream));\n",
                  "",
                  "x",
                  "x");
  EXPECT_TRUE(insert_warmup(remade).value().inserted) << "each round makes its input anew";
  std::string kept = remade;
  std::string const copy =
      "    CUDA_CHECK(cudaMemcpy(x, host.data(), n * sizeof(float), cudaMemcpyHostToDevice));\n";
  kept.erase(kept.find(copy), copy.size());
  auto const warm = insert_warmup(kept).value();
  EXPECT_FALSE(warm.inserted);
  EXPECT_NE(warm.reason.find("in-place"), std::string::npos) << warm.reason;
}

}  // namespace
}  // namespace cuco::testing
