// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Markers and warm-up by a model, with the rules as check.

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/transform/impl/transform_files.hpp"
#include "cuco/transform/llm_markers.hpp"
#include "cuco/transform/llm_warmup.hpp"
#include "cuco/transform/pipeline.hpp"
#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

constexpr char const* kStart = "// EVOLVE-BLOCK-START\n";
constexpr char const* kEnd = "// EVOLVE-BLOCK-END\n";

LlmStepOptions step_options() {
  LlmStepOptions o;
  o.prompts = std::string(CUCO_SOURCE_DIR) + "/prompts";
  return o;
}

/// A device program with markers as a person would set them.
std::string marked_alltoall() {
  return with_changes(device_alltoall(),
                      {{"__global__ void exchange", std::string(kStart) + "__global__ void exchange"},
                       {"// What rank `rank` sends", std::string(kEnd) + "// What rank `rank` sends"},
                       {"    exchange<<<", std::string("    ") + kStart + "    exchange<<<"},
                       {"    CUDA_CHECK(cudaGetLastError());\n",
                        std::string("    CUDA_CHECK(cudaGetLastError());\n    ") + kEnd}});
}

class ModelSteps : public ModelRun {
 protected:
  [[nodiscard]] StepResult markers(std::string const& code, ScriptedBackend const& model) {
    auto const report = Analyzer{}.analyze(code, "p.cu").value();
    auto out = LlmMarkers<ScriptedBackend>{model, step_options()}(code, report);
    EXPECT_TRUE(out) << to_line(out.error());
    return out ? *out : StepResult{};
  }
  [[nodiscard]] StepResult warmup(std::string const& code, ScriptedBackend const& model) {
    auto const report = Analyzer{}.analyze(code, "p.cu").value();
    auto out = LlmWarmup<ScriptedBackend>{model, step_options()}(code, report);
    EXPECT_TRUE(out) << to_line(out.error());
    return out ? *out : StepResult{};
  }
};

TEST_F(ModelSteps, GoodMarkersAreTaken) {
  ScriptedBackend const model({program(marked_alltoall())});
  auto const out = markers(device_alltoall(), model);
  EXPECT_EQ(out.method, "llm");
  EXPECT_TRUE(out.changed);
  EXPECT_EQ(out.code, marked_alltoall());
  EXPECT_EQ(out.cost_usd, 0.01);
  EXPECT_TRUE(has(model.requests()[0].messages[0].text, device_alltoall()));
}

TEST_F(ModelSteps, TheBytesAreTheProgramsOwn) {
  std::string const plain = device_alltoall();
  std::string crlf;
  for (char c : plain) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  // A reply has neither carriage returns nor, at its end, a newline; a model may cut blanks at line ends.
  auto const out =
      markers("\n" + crlf.substr(0, crlf.size() - 2) + "  ", ScriptedBackend({program(marked_alltoall())}));
  EXPECT_EQ(out.method, "llm") << out.reason;
  std::string expected;
  for (char c : marked_alltoall()) expected += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(out.code, "\n" + expected.substr(0, expected.size() - 2) + "  ");
}

TEST_F(ModelSteps, OtherMarkersGiveWayToTheRules) {
  std::string const code = device_alltoall();
  std::string const rules = insert_evolve_markers(code, Analyzer{}.analyze(code, "p.cu").value()).value();
  std::vector<std::pair<std::string, ScriptedBackend::Answer>> const replies{
      {"a changed line", program(with_changes(marked_alltoall(), {{"128, 0, stream", "256, 0, stream"}}))},
      {"a missing line",
       program(with_changes(marked_alltoall(), {{"  CUDA_CHECK(cudaStreamDestroy(stream));\n", ""}}))},
      {"an added line",
       program(with_changes(marked_alltoall(),
                            {{"  CUDA_CHECK(cudaStreamDestroy(stream));\n",
                              "  CUDA_CHECK(cudaStreamDestroy(stream));\n  x();\n"}}))},
      {"a changed blank",
       program(with_changes(marked_alltoall(), {{"  const size_t total", "   const size_t total"}}))},
      {"no marker", program(code)},
      {"main inside",
       program(
           with_changes(code,
                        {{"int main(", std::string(kStart) + "int main("},
                         {"  return all ? 0 : 1;\n}\n", "  return all ? 0 : 1;\n}\n" + std::string(kEnd)}}))},
      {"a timer inside",
       program(with_changes(code,
                            {{"    CUDA_CHECK(cudaEventRecord(start, stream));\n",
                              kStart + std::string("    CUDA_CHECK(cudaEventRecord(start, stream));\n")},
                             {"    CUDA_CHECK(cudaGetLastError());\n",
                              "    CUDA_CHECK(cudaGetLastError());\n" + std::string(kEnd)}}))},
      {"nothing that works",
       program(with_changes(code,
                            {{"// What rank `rank` sends", kStart + std::string("// What rank `rank` sends")},
                             {"static uint32_t input_at", kEnd + std::string("static uint32_t input_at")}}))},
      {"only a start",
       program(with_changes(
           code, {{"__global__ void exchange", kStart + std::string("__global__ void exchange")}}))},
      {"inside a macro",
       program(with_changes(
           marked_alltoall(),
           {{"    cudaError_t status_", kStart + std::string(kEnd) + "    cudaError_t status_"}}))},
      {"prose", said("I would mark the kernel.")},
      {"no answer", ScriptedBackend::Answer(fail(ErrorCode::kBudget, "spent"))},
  };
  for (auto const& [name, reply] : replies) {
    auto const out = markers(code, ScriptedBackend({reply}));
    EXPECT_EQ(out.method, "llm+rules_fallback") << name;
    EXPECT_EQ(out.code, rules) << name;
    EXPECT_FALSE(out.reason.empty());
  }
}

/// Blocks around what decides: words alone do not tell.
TEST_F(ModelSteps, TheVerificationStaysFrozen) {
  std::string const code = device_alltoall();
  std::string const check = "    for (int peer = 0; peer < nranks; ++peer)\n";
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> const wide{
      {"the check", {{check, kStart + check}, {"++errors;\n", "++errors;\n" + std::string(kEnd)}}},
      {"the reference",
       {{"// What rank", kStart + std::string("// What rank")},
        {"int main(", kEnd + std::string("int main(")}}},
      {"the inputs",
       {{"    for (size_t i = 0; i < total; ++i) h_send",
         kStart + std::string("    for (size_t i = 0; i < total; ++i) h_send")},
        {"    CUDA_CHECK(cudaMemcpyAsync(", kEnd + std::string("    CUDA_CHECK(cudaMemcpyAsync(")}}},
      {"the sizes",
       {{"  const size_t total", kStart + std::string("  const size_t total")},
        {"  if (count == 0", kEnd + std::string("  if (count == 0")}}},
      {"the median",
       {{"  std::sort(times", kStart + std::string("  std::sort(times")},
        {"  if (errors != 0)", kEnd + std::string("  if (errors != 0)")}}}};
  for (auto const& [name, changes] : wide) {
    // Beside a block as it should be.
    std::string marked = with_changes(code, changes);
    marked = with_changes(marked,
                          {{"    exchange<<<", std::string("    ") + kStart + "    exchange<<<"},
                           {"    CUDA_CHECK(cudaGetLastError());\n",
                            std::string("    CUDA_CHECK(cudaGetLastError());\n    ") + kEnd}});
    ASSERT_FALSE(has(marked, "not found")) << name << marked;
    auto const out = markers(code, ScriptedBackend({program(marked)}));
    EXPECT_EQ(out.method, "llm+rules_fallback") << name;
    EXPECT_TRUE(has(out.reason, "EVOLVE block")) << out.reason;
  }
  std::string const both =
      with_changes(code,
                   {{"__global__ void exchange", kStart + std::string("__global__ void exchange")},
                    {"int main(", kEnd + std::string("int main(")}});
  EXPECT_EQ(markers(code, ScriptedBackend({program(both)})).method, "llm+rules_fallback")
      << "kernel and reference";
}

TEST_F(ModelSteps, MarkersThatAreThereStay) {
  ScriptedBackend const model(std::vector<std::string>{});
  auto const out = markers(marked_alltoall(), model);
  EXPECT_FALSE(out.changed);
  EXPECT_EQ(out.method, "rules");
  EXPECT_TRUE(model.requests().empty());
}

/// Two rounds before the loop.
std::string warm_alltoall(std::string const& code, std::string const& round = "") {
  std::string const lines =
      round.empty() ? "  for (int warm = 0; warm < 2; ++warm) {\n"
                      "    exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n  }\n"
                      "  CUDA_CHECK(cudaDeviceSynchronize());\n  MPI_CHECK(MPI_Barrier(MPI_COMM_WORLD));\n\n"
                    : round;
  return with_changes(code,
                      {{"  for (int it = 0; it < iterations; ++it) {\n",
                        lines + "  for (int it = 0; it < iterations; ++it) {\n"}});
}

TEST_F(ModelSteps, AGoodWarmUpIsTaken) {
  for (auto const& code : {device_alltoall(), marked_alltoall()}) {
    auto const out = warmup(code, ScriptedBackend({program(warm_alltoall(code))}));
    EXPECT_EQ(out.method, "llm") << out.reason;
    EXPECT_EQ(out.code, warm_alltoall(code));
    EXPECT_TRUE(out.changed);
  }
}

TEST_F(ModelSteps, AnotherWarmUpIsNot) {
  std::string const code = marked_alltoall();
  std::string const launch = "  exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n";
  std::vector<std::pair<std::string, std::string>> const replies{
      {"elsewhere changed",
       with_changes(warm_alltoall(code),
                    {{"128, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n    CUDA",
                      "64, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n    CUDA"}})},
      {"at two places",
       with_changes(
           warm_alltoall(code),
           {{"  cudaStream_t stream;\n", "  int more = 0;\n  (void)more;\n  cudaStream_t stream;\n"}})},
      {"prints", warm_alltoall(code, launch + "  printf(\"Verification: PASS\\n\");\n")},
      {"times", warm_alltoall(code, launch + "  cudaEventRecord(start, stream);\n")},
      {"moves data by MPI",
       warm_alltoall(code, launch + "  MPI_Allreduce(a, b, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);\n")},
      {"leaves", warm_alltoall(code, launch + "  return 0;\n")},
      {"assigns", warm_alltoall(code, launch + "  errors = 0;\n")},
      {"counts", warm_alltoall(code, launch + "  ++iterations;\n")},
      {"writes an element", warm_alltoall(code, launch + "  h_send[0] = 1;\n")},
      {"allocates", warm_alltoall(code, launch + "  void* p; cudaMalloc(&p, 8);\n")},
      {"includes", warm_alltoall(code, "#include \"x.h\"\n" + launch)},
      {"has a block", warm_alltoall(code, kStart + launch + kEnd)},
      {"does nothing", warm_alltoall(code, "  int idle = 0;\n  (void)idle;\n")},
      {"is not balanced", warm_alltoall(code, launch + "  {\n")},
      {"is in a block", with_changes(code, {{"    exchange<<<", launch + "    exchange<<<"}})},
      {"is in the measured loop",
       with_changes(code,
                    {{"    MPI_CHECK(MPI_Barrier(MPI_COMM_WORLD));\n\n    CUDA_CHECK(cudaEventRecord(start",
                      "    MPI_CHECK(MPI_Barrier(MPI_COMM_WORLD));\n" + launch +
                          "\n    CUDA_CHECK(cudaEventRecord(start"}})},
      {"comes after it",
       with_changes(code, {{"  int mine = errors == 0", launch + "  int mine = errors == 0"}})},
  };
  for (auto const& [name, text] : replies) {
    ASSERT_FALSE(has(text, "not found: ")) << name << text;
    auto const out = warmup(code, ScriptedBackend({program(text)}));
    EXPECT_EQ(out.method, "llm+rules_fallback") << name;
    EXPECT_EQ(out.code, insert_warmup(code).value().code) << name;
  }
}

TEST_F(ModelSteps, AProgramThatWarmsUpIsNotAskedAbout) {
  ScriptedBackend const model(std::vector<std::string>{});
  std::string const code = host_alltoall();
  std::string const warm = insert_warmup(code).value().code;
  ASSERT_NE(warm, code);
  auto const out = warmup(warm, model);
  EXPECT_FALSE(out.changed);
  EXPECT_TRUE(model.requests().empty());
}

TEST_F(ModelSteps, ThePipelineAsksAndVerifies) {
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  ScriptedBackend const marker({program(marked_alltoall())});
  ScriptedBackend const warmer({program(warm_alltoall(marked_alltoall()))});
  auto o = options();
  o.markers = LlmMarkers<>{marker, step_options()};
  Pipeline pipeline{
      ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier_, o},
      {"analyze", "host_to_device", "evolve_markers", "warmup"},
      {.markers = LlmMarkers<>{marker, step_options()}, .warmup = LlmWarmup<>{warmer, step_options()}}};
  auto const result = pipeline.run(program_, folder_ + "/out");
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_FALSE(result->any_step_failed);
  EXPECT_EQ(result->code, warm_alltoall(marked_alltoall()));
  EXPECT_EQ(verifier_.asked->back().code, result->code) << "what leaves has been verified as it is";
  EXPECT_EQ(result->steps[1].method, "llm scripted:list");
  EXPECT_EQ(result->steps[2].method, "llm");
  EXPECT_TRUE(result->steps[2].skipped) << "the transformer has set them";
  EXPECT_EQ(result->steps[3].method, "llm");
  EXPECT_NEAR(*result->cost_usd, 0.04, 1e-12);
  EXPECT_EQ(marker.requests().size(), 1U);
  auto const json = nlohmann::json::parse(file("out/_step_warmup/result.json"));
  EXPECT_EQ(json["method"], "llm");
  EXPECT_NEAR(json["cost"].get<double>(), 0.01, 1e-12);
}

TEST_F(ModelSteps, AWarmUpThatFailsVerificationIsDropped) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (a.label == "warmup") is_wrong(out);
  };
  ScriptedBackend const warmer({program(warm_alltoall(marked_alltoall()))});
  program_ = make_program(marked_alltoall(), "alltoall.cu").value();
  ScriptedBackend const model(std::vector<std::string>{});
  Pipeline pipeline{ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier_, options()},
                    {"host_to_device", "evolve_markers", "warmup"},
                    {.markers = {}, .warmup = LlmWarmup<>{warmer, step_options()}}};
  auto const result = pipeline.run(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_TRUE(result->any_step_failed);
  EXPECT_EQ(result->code, marked_alltoall());
}

TEST_F(ModelSteps, RunsHaveTheDeadlineOfTheOptions) {
  auto o = options();
  o.deadline = std::chrono::seconds(7);
  Transformer<Api::LSA> const transformer{RuleRewriter<Api::LSA>{}, Devices::emulated(), o};
  EXPECT_EQ(transformer.verifier().options().deadline, std::chrono::seconds(7));
}

TEST_F(ModelSteps, WhatWasPaidForIsNotAskedAgain) {
  auto o = options();
  o.resume = true;
  auto run = [&](ScriptedBackend const& model, ScriptedBackend const& marker, ScriptedBackend const& warmer) {
    auto with = o;
    with.markers = LlmMarkers<>{marker, step_options()};
    Pipeline pipeline{
        ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier_, with},
        {"analyze", "host_to_device", "evolve_markers", "warmup"},
        {.markers = LlmMarkers<>{marker, step_options()}, .warmup = LlmWarmup<>{warmer, step_options()}}};
    return pipeline.run(program_, folder_ + "/out");
  };
  ScriptedBackend const nobody(std::vector<std::string>{});
  auto const first = run(ScriptedBackend({program(infrastructure_alltoall()), program(device_alltoall())}),
                         ScriptedBackend({program(marked_alltoall())}),
                         ScriptedBackend({program(warm_alltoall(marked_alltoall()))}));
  ASSERT_TRUE(first) << to_line(first.error());
  auto const again = run(nobody, nobody, nobody);
  ASSERT_TRUE(again) << to_line(again.error());
  EXPECT_TRUE(nobody.requests().empty());
  EXPECT_EQ(again->code, first->code);
  EXPECT_NEAR(*again->cost_usd, *first->cost_usd, 1e-12) << "it was paid once";
  EXPECT_EQ(again->steps[3].method, "llm");
  // Of another program, or touched, it is not taken.
  std::ofstream(folder_ + "/out/_work/warmup.kept.cu", std::ios::app) << "// more\n";
  ScriptedBackend const asked({program(warm_alltoall(marked_alltoall()))});
  ASSERT_TRUE(run(nobody, nobody, asked));
  EXPECT_EQ(asked.requests().size(), 1U);
  o.resume = false;
  ScriptedBackend const anew({program(infrastructure_alltoall()), program(device_alltoall())});
  ScriptedBackend const marker({program(marked_alltoall())});
  ASSERT_TRUE(run(anew, marker, ScriptedBackend({program(warm_alltoall(marked_alltoall()))})));
  EXPECT_EQ(marker.requests().size(), 1U);
}

/// Whatever models say: what a pipeline returns has passed its verification in exactly this form.
TEST_F(ModelSteps, NothingUnverifiedBecomesASeed) {
  std::vector<std::string> const codes{
      host_alltoall(),
      infrastructure_alltoall(),
      device_alltoall(),
      marked_alltoall(),
      warm_alltoall(marked_alltoall()),
      with_changes(device_alltoall(), {{"all ? \"PASS\" : \"FAIL\"", "\"PASS\""}}),
      with_changes(infrastructure_alltoall(), {{kHostCall, "memset(h_recv.data(), 0, 4);"}})};
  int seeds = 0;
  int none = 0;
  for (unsigned round = 0; round < 16; ++round) {
    unsigned state = round * 2654435761U + 1;
    auto next = [&](unsigned n) {
      state = state * 1664525U + 1013904223U;
      return (state >> 16U) % n;
    };
    ScriptedBackend const model([&](ChatRequest const&) {
      std::string code = codes[next(static_cast<unsigned>(codes.size()))];
      if (next(3) == 0) code = "// " + std::to_string(next(1000)) + "\n" + code;
      return next(5) == 0 ? said("no code") : program(code);
    });
    ModelVerifier verifier;
    std::vector<std::string> passed;
    verifier.verdict = [&](VerifyOutcome& out, auto const& a) {
      if (a.label != "input" && next(3) == 0) is_wrong(out);
      if (out.verified) passed.push_back(a.code);
    };
    auto o = options();
    o.single_stage = round % 2 == 1;
    Pipeline pipeline{
        ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier, o},
        {"host_to_device", "evolve_markers", "warmup"},
        {.markers = LlmMarkers<>{model, step_options()}, .warmup = LlmWarmup<>{model, step_options()}}};
    auto const result = pipeline.run(program_);
    ++(result ? seeds : none);
    if (!result) continue;
    // Markers are comments: the same tokens have been verified.
    bool const known = std::any_of(passed.begin(), passed.end(), [&](std::string const& code) {
      return impl::same_tokens(code, result->code);
    });
    EXPECT_TRUE(known) << round;
    EXPECT_FALSE(Analyzer{}.analyze(result->code)->has_host_communication()) << round;
    EXPECT_FALSE(has(result->code, "printf(\"Verification: %s\\n\", \"PASS\")")) << round;
  }
  EXPECT_GT(seeds, 0);
  EXPECT_GT(none, 0);
}

}  // namespace
}  // namespace cuco::testing
