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
  out.push_back({"eight_bit_float",
                 with("ncclAllReduce(in, out, n, ncclFloat8e4m3, ncclSum, comm, stream);"),
                 "ncclAllReduce(in",
                 "element type"});
  out.push_back(
      {"user_reduction",
       with("ncclRedOp_t op; ncclRedOpCreatePreMulSum(&op, nullptr, ncclFloat, ncclScalarDevice, comm);\n"
            "    ncclAllReduce(in, out, n, ncclFloat, op, comm, stream);"),
       "ncclRedOpCreatePreMulSum",
       "has no kernel"});
  out.push_back({"all_to_all_in_place",
                 with("ncclAlltoAll(in, in, n / nranks, ncclFloat, comm, stream);"),
                 "ncclAlltoAll(in",
                 "overlapping buffers"});
  out.push_back({"name_built_by_a_macro",
                 with("SUM(All)(in, out, n, ncclFloat, ncclSum, comm, stream);\n    ncclAllReduce(in, out, "
                      "n, ncclFloat, "
                      "ncclSum, comm, stream);",
                      "#define SUM(what) nccl##what##Reduce\n"),
                 "#define SUM",
                 "builds the name"});
  out.push_back({"type_that_nothing_names",
                 with("ncclAllReduce(in, out, n, (ncclDataType_t)argc, ncclSum, comm, stream);"),
                 "ncclAllReduce(in",
                 "element type of ncclAllReduce is not known"});
  out.push_back(
      {"threads",
       with("std::thread([] {}).join();\n    ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);"),
       "std::thread",
       "one thread"});
  out.push_back(
      {"captured_graph",
       with("cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);\n    ncclAllReduce(in, out, n, "
            "ncclFloat, ncclSum, comm, stream);"),
       "cudaStreamBeginCapture",
       "captured graph"});
  out.push_back(
      {"work_inside_a_group",
       with("ncclGroupStart();\n    ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);\n    "
            "cudaMemsetAsync(in, 0, 4, stream);\n    ncclGroupEnd();"),
       "cudaMemsetAsync(in",
       "between a collective and the end of its group"});
  std::string const sum = "ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);";
  out.push_back({"work_in_the_next_round_of_a_group",
                 with("ncclGroupStart();\n    for (int k = 0; k < 2; ++k) {\n      cudaMemsetAsync(out, 0, "
                      "4, stream);\n      " +
                      sum + "\n    }\n    ncclGroupEnd();"),
                 "cudaMemsetAsync(out",
                 "between a collective and the end of its group"});
  out.push_back({"work_of_a_function_in_a_group",
                 with("ncclGroupStart();\n    " + sum + "\n    clear(in, stream);\n    ncclGroupEnd();",
                      "static void clear(float* p, cudaStream_t s) { cudaMemsetAsync(p, 0, 4, s); }\n"),
                 "clear(in",
                 "between a collective and the end of its group"});
  out.push_back({"work_of_a_macro_in_a_group",
                 with("ncclGroupStart();\n    " + sum + "\n    LAUNCH(touch, in);\n    ncclGroupEnd();",
                      "__global__ void touch(float* p) { p[0] = 1; }\n#define LAUNCH(k, ...) k<<<1, "
                      "1>>>(__VA_ARGS__)\n"),
                 "LAUNCH(touch, in",
                 "between a collective and the end of its group"});
  out.push_back({"work_in_the_group_of_a_guard",
                 with("{ Guard guard; " + sum + "\n    cudaMemsetAsync(in, 0, 4, stream); }",
                      "struct Guard { Guard() { ncclGroupStart(); } ~Guard() { ncclGroupEnd(); } };\n"),
                 "cudaMemsetAsync(in",
                 "between a collective and the end of its group"});
  out.push_back({"wait_in_a_group",
                 with("ncclGroupStart();\n    " + sum +
                      "\n    cudaStreamWaitEvent(stream, stop, 0);\n    ncclGroupEnd();"),
                 "cudaStreamWaitEvent",
                 "between a collective and the end of its group"});
  out.push_back(
      {"group_on_two_streams",
       with("ncclGroupStart();\n    " + sum +
                "\n    ncclAllReduce(out, in, n, ncclFloat, ncclSum, comm, side);\n    ncclGroupEnd();",
            "",
            std::string(kPlainAllocate) + "  cudaStream_t side;\n  cudaStreamCreate(&side);\n"),
       "ncclGroupStart",
       "different streams"});
  out.push_back(
      {"group_on_the_streams_of_an_array",
       with("ncclGroupStart();\n    for (int k = 0; k < 2; ++k)\n      ncclAllReduce(in, out, n, ncclFloat, "
            "ncclSum, comm, lanes[k]);\n    ncclGroupEnd();",
            "",
            std::string(kPlainAllocate) + "  cudaStream_t lanes[2] = {stream, 0};\n"),
       "ncclGroupStart",
       "different streams"});
  out.push_back(
      {"device_in_a_loop",
       with(
           sum,
           "",
           std::string(kPlainAllocate) +
               "  ncclComm_t all[2];\n  for (int d = 0; d < 2; ++d) {\n    cudaSetDevice(2 * rank + d);\n    "
               "ncclCommInitRank(&all[d], 2, ncclUniqueId{}, d);\n  }\n"),
       "cudaSetDevice(2 * rank",
       "several GPUs"});
  out.push_back({"device_of_a_helper",
                 with(sum,
                      "static void open(int d, ncclComm_t* c) { cudaSetDevice(d); ncclCommInitRank(c, 2, "
                      "ncclUniqueId{}, d); }\n",
                      std::string(kPlainAllocate) + "  ncclComm_t a, b;\n  open(0, &a);\n  open(1, &b);\n"),
                 "open(0",
                 "several GPUs"});
  out.push_back({"shrunk_communicator",
                 with("ncclCommShrink(comm, nullptr, 0, &comm, nullptr, 0);\n    " + sum),
                 "ncclCommShrink",
                 "no memory"});
  out.push_back({"unknown_communicator_call",
                 with("ncclCommMirror(comm, &comm);\n    " + sum),
                 "ncclCommMirror",
                 "not known"});
  out.push_back({"threads_in_a_macro",
                 with("RUN([] {});\n    " + sum, "#define RUN(f) std::thread(f).join()\n"),
                 "#define RUN",
                 "starts threads"});
  out.push_back({"threads_by_a_pragma_operator",
                 with("_Pragma(\"omp parallel for\") for (int k = 0; k < 2; ++k) {}\n    " + sum),
                 "_Pragma",
                 "one thread"});
  out.push_back({"group_of_both",
                 with("ncclGroupStart();\n    ncclCommSplit(comm, 0, rank, &comm, nullptr);\n    "
                      "ncclAllReduce(in, out, n, "
                      "ncclFloat, ncclSum, comm, stream);\n    ncclGroupEnd();"),
                 "ncclGroupStart",
                 "makes communicators and moves data"});
  out.push_back({"communicator_that_does_not_block",
                 with("ncclConfig_t config = NCCL_CONFIG_INITIALIZER;\n    config.blocking = 0;\n    "
                      "ncclAllReduce(in, out, "
                      "n, ncclFloat, ncclSum, comm, stream);"),
                 "config.blocking",
                 "does not block"});
  out.push_back(
      {"branches_that_do_not_balance",
       with("#ifdef ONE\n    if (n > 1) {\n#else\n    if (n > 2) {\n      ncclAllReduce(out, in, n, "
            "ncclFloat, "
            "ncclSum, comm, stream);\n#endif\n    ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, "
            "stream);\n    }"),
       "ncclAllReduce(out, in",
       "branches of #if"});
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
