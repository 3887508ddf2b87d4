// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/rule_rewriter.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cuco/transform/generated_section.hpp"
#include "transform/rewriting.hpp"
#include "transform/seed_text.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

std::vector<Style> all_programs() {
  auto out = accepted_styles();
  for (char const* name : {"alltoall.cu", "allreduce.cu", "allgather_gemm.cu"})
    out.push_back({name, seed_text(name)});
  out.push_back({"everything", everything()});
  return out;
}

/// Lines of `code` outside the generated text.
std::vector<std::string> user_lines(std::string const& code) {
  std::vector<std::string> out;
  std::istringstream stream(code);
  bool generated = false;
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind("// cuco: infrastructure begin", 0) == 0 || line.rfind("// cuco: section begin", 0) == 0)
      generated = true;
    if (!generated) out.push_back(line);
    if (line == "// cuco: infrastructure end" || line == "// cuco: section end") generated = false;
  }
  return out;
}

TEST(RuleRewriter, StageAKeepsTheCollectivesAndStageBLeavesNone) {
  for (auto api : {Api::LSA, Api::GIN}) {
    for (Style const& s : all_programs()) {
      auto const before = Analyzer{}.analyze(s.code);
      auto const a = rewrite(api, s.code, TransformStage::kInfrastructure);
      ASSERT_TRUE(a) << s.name << ": " << to_line(a.error());
      auto const between = Analyzer{}.analyze(a->code);
      ASSERT_TRUE(between) << s.name;
      EXPECT_EQ(between->graph.size(), before->graph.size()) << s.name;
      EXPECT_NE(a->code, s.code);
      auto const b = rewrite(api, a->code, TransformStage::kDevice);
      ASSERT_TRUE(b) << s.name << ": " << to_line(b.error());
      auto const after = Analyzer{}.analyze(b->code);
      ASSERT_TRUE(after) << s.name;
      EXPECT_FALSE(after->has_host_communication()) << s.name;
      EXPECT_FALSE(a->changes.empty());
      EXPECT_FALSE(b->changes.empty());
    }
  }
}

TEST(RuleRewriter, IsDeterministic) {
  for (auto const& code : {seed_text("allreduce.cu"), everything()})
    EXPECT_EQ(to_device(Api::GIN, code).value(), to_device(Api::GIN, code).value());
}

TEST(RuleRewriter, ChangesOnlyTheLinesItMust) {
  for (Style const& s : all_programs()) {
    auto const lines = user_lines(to_device(Api::LSA, s.code).value());
    auto const original = user_lines(s.code);
    std::multiset<std::string> const before(original.begin(), original.end()),
        after(lines.begin(), lines.end());
    for (std::string const& line : lines) {
      bool const may = before.count(line) != 0 || line.empty() || line.rfind("#include <", 0) == 0;
      EXPECT_TRUE(may || line.find("device_nccl::") != std::string::npos) << s.name << ": new line " << line;
    }
    for (std::string const& line : original) {
      bool rewritten = after.count(line) != 0;
      for (char const* word : {"ncclAll", "cudaMalloc", "cudaFree", "ncclMem", "ncclCommDestroy", "TYPE"})
        rewritten = rewritten || line.find(word) != std::string::npos;
      EXPECT_TRUE(rewritten) << s.name << ": lost line " << line;
    }
  }
}

TEST(RuleRewriter, SeedsGetExactlyTheExpectedEdits) {
  auto const a = to_device(Api::LSA, seed_text("alltoall.cu")).value();
  EXPECT_NE(a.find("NCCL_CHECK(device_nccl::all_to_all_uint32(d_send, d_recv, count, comm, stream));"),
            std::string::npos);
  EXPECT_NE(a.find("CUDA_CHECK(device_nccl::allocate(&d_send, total * sizeof(uint32_t)));"),
            std::string::npos);
  EXPECT_NE(a.find("CUDA_CHECK(device_nccl::release(d_recv));"), std::string::npos);
  EXPECT_NE(a.find("NCCL_CHECK(device_nccl::comm_destroy(comm));"), std::string::npos);
  // Registration is before the loop that is timed.
  EXPECT_LT(a.find("  device_nccl::prepare(comm, {d_send, d_recv});\n  for (int it = 0;"), a.size());
  EXPECT_NE(a.find("#include <nccl.h>\n#include <nccl_device.h>\n"), std::string::npos);

  auto const g = to_device(Api::GIN, seed_text("allgather_gemm.cu")).value();
  // b and c take no part in communication.
  EXPECT_NE(g.find("CUDA_CHECK(cudaMalloc((void**)&b,"), std::string::npos);
  EXPECT_NE(g.find("CUDA_CHECK(cudaMalloc((void**)&c,"), std::string::npos);
  EXPECT_NE(g.find("device_nccl::allocate((void**)&a_shard,"), std::string::npos);
  // The section stands right before the kernel that is timed.
  EXPECT_NE(g.find("// cuco: section end\n\n__global__ void gemm("), std::string::npos);

  auto const r = to_device(Api::GIN, seed_text("allreduce.cu")).value();
  EXPECT_EQ(
      occurrences(
          r, "device_nccl::all_reduce_sum_float(buf.gradients, buf.sums, buf.count, ctx.comm, ctx.stream)"),
      2);
  EXPECT_EQ(occurrences(r, "device_nccl::prepare(ctx.comm, {buf.gradients, buf.sums});"), 1);
}

TEST(RuleRewriter, GeneratedTextHasNoPlaceholdersLeft) {
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const code = to_device(api, everything()).value();
    for (std::size_t at = code.find('@'); at != std::string::npos; at = code.find('@', at + 1))
      ADD_FAILURE() << code.substr(at, 30);
    EXPECT_EQ(code.find('\t'), std::string::npos);
    EXPECT_EQ(code.find('\x02'), std::string::npos);
    EXPECT_EQ(code.find('\x03'), std::string::npos);
  }
}

TEST(RuleRewriter, OneLauncherForEachKindOfCollective) {
  auto const code = to_device(Api::LSA, everything()).value();
  auto const all = read_annotations(code).value();
  std::vector<std::string> names;
  for (auto const& c : all) names.push_back(c.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"all_reduce_sum_float",
                                      "all_reduce_max_int64",
                                      "all_gather_double",
                                      "all_gather_int32",
                                      "all_to_all_uint8"}));
  EXPECT_TRUE(all[1].site.in_place);
  EXPECT_FALSE(all[0].site.in_place);
  EXPECT_TRUE(all[3].site.send_offset_varies) << "g_all + rank * n";
  EXPECT_FALSE(all[2].site.send_offset_varies);
  // Launchers do not share barriers.
  EXPECT_NE(code.find("constexpr int kFirstBarrier = 0;"), std::string::npos);
  EXPECT_NE(code.find("constexpr int kFirstBarrier = 64;"), std::string::npos);
  EXPECT_NE(code.find("Requirements requirements() { return {160}; }"), std::string::npos);
}

TEST(RuleRewriter, SeveralStreamsAreKeptInOrder) {
  for (Style const& s : accepted_styles()) {
    auto const code = to_device(Api::LSA, s.code).value();
    // In doubt in order; but not for the one stream that main makes.
    bool const ordered = code.find("order_of(comm);") != std::string::npos;
    if (std::string(s.name) == "two_streams") {
      EXPECT_TRUE(ordered);
    }
    if (std::string(s.name) == "plain") {
      EXPECT_FALSE(ordered);
    }
  }
}

TEST(RuleRewriter, PortableAcrossVersionsOfNccl) {
  auto const lsa = to_device(Api::LSA, plain_sum()).value();
  auto const gin = to_device(Api::GIN, plain_sum()).value();
  for (auto const& code : {lsa, gin}) {
    EXPECT_NE(code.find("NCCL_DEV_COMM_REQUIREMENTS_INITIALIZER"), std::string::npos);
    EXPECT_EQ(code.find("multimem"), std::string::npos);
    EXPECT_EQ(code.find("Multimem"), std::string::npos);
    EXPECT_EQ(code.find("thread_scope"), std::string::npos);
    EXPECT_EQ(code.find("putValue"), std::string::npos);
  }
  EXPECT_NE(gin.find("needs.ginConnectionType = NCCL_GIN_CONNECTION_FULL;"), std::string::npos);
  EXPECT_NE(gin.find("needs.ginForceEnable = true;"), std::string::npos);
  for (char const* word : {"ncclGin", "ginS", "signals", "scratch"})
    EXPECT_EQ(lsa.find(word), std::string::npos)
        << "a load/store program needs nothing of one-sided networking";
}

TEST(RuleRewriter, WantedDirectivesAreUsedWhereLegal) {
  auto d = parse_directives("backend=lsa algorithm=pull ctas=32 threads=256").value();
  auto const all = read_annotations(to_device(Api::LSA, everything(), d).value()).value();
  EXPECT_EQ(all[2].directives, d);                          // AllGather
  EXPECT_EQ(all[4].directives, d);                          // AlltoAll
  EXPECT_EQ(all[0].directives, conservative(all[0].site));  // no pull for an AllReduce
  EXPECT_EQ(all[3].directives, conservative(all[3].site));  // its send offset differs between ranks
}

TEST(RuleRewriter, StageBBeforeStageAIsAnError) {
  auto const b = rewrite(Api::LSA, plain_sum(), TransformStage::kDevice);
  ASSERT_FALSE(b);
  EXPECT_EQ(b.error().code, ErrorCode::kInvalidArgument);
  auto const a = rewrite(Api::LSA, plain_sum(), TransformStage::kInfrastructure);
  auto const other = rewrite(Api::GIN, a->code, TransformStage::kDevice);
  ASSERT_FALSE(other) << "the infrastructure is for the other interface";
}

TEST(RuleRewriter, HeadersBehindConditionsAndWithoutNewline) {
  std::string code = plain_sum();
  code.insert(0, "#ifdef USE_OMP\n#include <omp.h>\n#endif\n");
  while (code.back() == '\n') code.pop_back();
  auto const device = to_device(Api::LSA, code);
  ASSERT_TRUE(device) << to_line(device.error());
  EXPECT_GT(device->find("// cuco: infrastructure begin"), device->find("#include <nccl.h>"));
  std::string late = plain_sum();
  late.insert(late.find("#define CUDA_CHECK"), "#if defined(X)\n#include \"x.h\"\n#endif\n");
  auto const other = to_device(Api::LSA, late);
  ASSERT_TRUE(other);
  EXPECT_GT(other->find("// cuco: infrastructure begin"), other->find("#endif"));
}

}  // namespace
}  // namespace cuco::testing
