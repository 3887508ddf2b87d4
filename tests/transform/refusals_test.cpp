// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// What the rules do not cover is refused with file, line, construct and remedy, and nothing is changed.

#include <gtest/gtest.h>

#include <string>

#include "transform/rewriting.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

struct Refusal {
  char const* name;
  std::string code;
  std::string construct;  ///< Its first occurrence is on the line that must be named.
  std::string cause;      ///< Part of the cause.
};

std::string with(std::string const& call,
                 std::string const& before_main = {},
                 std::string const& allocate = kPlainAllocate) {
  return sum_program(before_main, allocate, "    " + call + "\n", kPlainFree);
}

std::vector<Refusal> refusals() {
  std::vector<Refusal> out;
  out.push_back({"send",
                 with("NCCL_CHECK(ncclSend(in, n, ncclFloat, 1, comm, stream));"),
                 "ncclSend(in",
                 "ncclSend has no rule"});
  out.push_back({"recv",
                 with("ncclRecv(out, n, ncclFloat, 0, comm, stream);"),
                 "ncclRecv(out",
                 "ncclRecv has no rule"});
  out.push_back({"broadcast",
                 with("ncclBroadcast(in, out, n, ncclFloat, 0, comm, stream);"),
                 "ncclBroadcast(in",
                 "ncclBroadcast has no rule"});
  out.push_back({"reduce_scatter",
                 with("ncclReduceScatter(in, out, n, ncclFloat, ncclSum, comm, stream);"),
                 "ncclReduceScatter(in",
                 "ncclReduceScatter has no rule"});
  out.push_back({"second_collective",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);\n    ncclReduce(in, out, "
                      "n, ncclFloat, ncclSum, 0, comm, stream);"),
                 "ncclReduce(in",
                 "ncclReduce has no rule"});
  out.push_back({"group",
                 with("ncclGroupStart();\n    ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);\n "
                      "   ncclGroupEnd();"),
                 "ncclAllReduce(in",
                 "ncclGroupStart"});
  out.push_back({"managed_memory",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "",
                      "  float *in, *out;\n  cudaMallocManaged(&in, n * sizeof(float));\n  cudaMalloc(&out, "
                      "n * sizeof(float));\n"),
                 "cudaMallocManaged(&in",
                 "plain device memory"});
  out.push_back({"stream_ordered_pool",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "",
                      "  float *in, *out;\n  cudaMalloc(&in, n * sizeof(float));\n  cudaMallocAsync(&out, n "
                      "* sizeof(float), stream);\n"),
                 "cudaMallocAsync(&out",
                 "plain device memory"});
  out.push_back({"pinned_host_memory",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "",
                      "  float *in, *out;\n  cudaMallocHost(&in, n * sizeof(float));\n  cudaMalloc(&out, n * "
                      "sizeof(float));\n"),
                 "cudaMallocHost(&in",
                 "plain device memory"});
  out.push_back({"size_differs_between_ranks",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "",
                      "  float *in, *out;\n  const size_t mine = (n + rank) * sizeof(float);\n"
                      "  cudaMalloc(&in, mine);\n  cudaMalloc(&out, n * sizeof(float));\n"),
                 "cudaMalloc(&in, mine)",
                 "may differ between ranks"});
  out.push_back({"unknown_allocation",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "float* from_pool(size_t);\n",
                      "  float* in = from_pool(n);\n  float* out;\n  cudaMalloc(&out, n * sizeof(float));\n"),
                 "ncclAllReduce(in",
                 "allocation of the send buffer"});
  out.push_back({"run_time_type",
                 with("ncclDataType_t type = argc > 1 ? ncclFloat : ncclInt;\n    ncclAllReduce(in, out, n, "
                      "type, ncclSum, comm, stream);"),
                 "ncclAllReduce(in",
                 "element type 'type'"});
  out.push_back({"eight_bit_float",
                 with("ncclAllReduce(in, out, n, ncclFloat8e4m3, ncclSum, comm, stream);"),
                 "ncclAllReduce(in",
                 "element type"});
  out.push_back(
      {"user_reduction",
       with("ncclRedOp_t op; ncclRedOpCreatePreMulSum(&op, nullptr, ncclFloat, ncclScalarDevice, comm);\n"
            "    ncclAllReduce(in, out, n, ncclFloat, op, comm, stream);"),
       "ncclAllReduce(in",
       "the reduction 'op'"});
  out.push_back({"all_to_all_in_place",
                 with("ncclAlltoAll(in, in, n / nranks, ncclFloat, comm, stream);"),
                 "ncclAlltoAll(in",
                 "overlap"});
  out.push_back({"collective_in_a_macro",
                 with("SUM(in, out, n);",
                      "#define SUM(a, b, n) ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, stream)\n"),
                 "#define SUM",
                 "macro SUM"});
  out.push_back({"collective_as_a_value",
                 with("auto* f = &ncclAllReduce;\n    f(in, out, n, ncclFloat, ncclSum, comm, stream);"),
                 "&ncclAllReduce",
                 "not called directly"});
  out.push_back({"one_process_for_all_gpus",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "",
                      std::string(kPlainAllocate) + "  ncclCommInitAll(&comm, 1, nullptr);\n"),
                 "ncclCommInitAll",
                 "several GPUs"});
  out.push_back({"windows_already",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "",
                      std::string(kPlainAllocate) +
                          "  ncclWindow_t w;\n  ncclCommWindowRegister(comm, in, n * 4, &w, 0);\n"),
                 "ncclCommWindowRegister",
                 "already uses device-side communication"});
  out.push_back({"name_taken",
                 with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                      "namespace device_nccl { int x; }\n"),
                 "namespace device_nccl",
                 "already in use"});
  return out;
}

class Refused : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Refused, NamesLineConstructAndRemedy) {
  Refusal const r = refusals()[GetParam()];
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const a = rewrite(api, r.code, TransformStage::kInfrastructure);
    ASSERT_FALSE(a) << r.name << " was accepted";
    EXPECT_EQ(a.error().code, ErrorCode::kRefused) << to_line(a.error());
    EXPECT_EQ(a.error().file, "program.cu");
    EXPECT_EQ(a.error().line, line_of(r.code, r.construct)) << to_line(a.error());
    EXPECT_NE(a.error().cause.find(r.cause), std::string::npos) << to_line(a.error());
    EXPECT_FALSE(a.error().remedy.empty());
    EXPECT_EQ(to_line(a.error()).find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(All,
                         Refused,
                         ::testing::Range<std::size_t>(0, refusals().size()),
                         [](auto const& info) { return std::string(refusals()[info.param].name); });

TEST(Refusal, AllocationThatAMacroHides) {
  auto const a = rewrite(Api::LSA,
                         with("ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);",
                              "#define GET(p) cudaMalloc(&p, n * sizeof(float))\n",
                              "  float *in, *out;\n  GET(in);\n  GET(out);\n"),
                         TransformStage::kInfrastructure);
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().code, ErrorCode::kRefused);
  EXPECT_NE(a.error().line, 0U);
}

TEST(Refusal, NothingToTransform) {
  auto const a = rewrite(Api::LSA, with("(void)in;"), TransformStage::kInfrastructure);
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().code, ErrorCode::kRefused);
  EXPECT_NE(a.error().cause.find("no collective"), std::string::npos);
}

TEST(Refusal, TextThatDoesNotLex) {
  for (char const* code : {"int main() { /* no end", "int main() { return 0; ", "\"open"}) {
    RuleRewriter<Api::LSA> const rewriter;
    Report const empty{};
    auto const a = rewriter.rewrite(RewriteRequest{code, "bad.cu", empty});
    ASSERT_FALSE(a);
    EXPECT_EQ(a.error().code, ErrorCode::kParse);
    EXPECT_EQ(a.error().file, "bad.cu");
  }
}

}  // namespace
}  // namespace cuco::testing
