// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/llm_rewriter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

constexpr char const* kStageA = "The host collectives stay and still move all data";
constexpr char const* kStageB = "Replace every host collective, send and receive by a kernel";
constexpr char const* kNoWayBack = "Do not revert to host collectives";

using LlmRewriterTest = ModelRun;

TEST_F(LlmRewriterTest, MakesBothStagesAndEachIsVerified) {
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  auto const result = transform(model, silent());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels(), (std::vector<std::string>{"input", "iteration_1", "iteration_2"}));
  EXPECT_EQ((*verifier_.asked)[1].code, infrastructure_alltoall());
  EXPECT_EQ((*verifier_.asked)[2].code, device_alltoall());
  EXPECT_TRUE(has(result->code, "EVOLVE-BLOCK-START"));
  EXPECT_FALSE(Analyzer{}.analyze(result->code)->has_host_communication());
  ASSERT_EQ(result->changes.size(), 2U);
  EXPECT_EQ(result->iterations[1].rewriter, "llm scripted:list");
  ASSERT_TRUE(result->cost_usd);
  EXPECT_NEAR(*result->cost_usd, 0.02, 1e-12);

  auto const asked = model.requests();
  ASSERT_EQ(asked.size(), 2U);
  for (auto const& r : asked) {
    EXPECT_EQ(r.messages.size(), 1U);
    EXPECT_EQ(r.temperature, 0.0);
    EXPECT_TRUE(has(r.system, "ncclGetLsaPointer")) << "the card of the interface";
    EXPECT_FALSE(has(r.system, "gin.put")) << "and not the other one's";
    EXPECT_FALSE(has(all_of(r), "{{"));
  }
  std::string const first = all_of(asked[0]);
  std::string const second = all_of(asked[1]);
  EXPECT_TRUE(has(first, host_alltoall()));
  EXPECT_TRUE(has(first, "AlltoAll")) << "the analysis";
  EXPECT_TRUE(has(first, kStageA));
  EXPECT_FALSE(has(first, kStageB));
  EXPECT_FALSE(has(first, kNoWayBack)) << "stage A keeps them";
  EXPECT_TRUE(has(second, infrastructure_alltoall())) << "stage B begins with what stage A made";
  EXPECT_TRUE(has(second, kStageB));
  EXPECT_TRUE(has(second, kNoWayBack));
  EXPECT_FALSE(has(second, kStageA));
}

TEST_F(LlmRewriterTest, MakesBothInOneStep) {
  ScriptedBackend const model({program(device_alltoall())});
  auto o = options();
  o.single_stage = true;
  auto const result =
      ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier_, o}.transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels(), (std::vector<std::string>{"input", "iteration_1"}));
  std::string const asked = all_of(model.requests().at(0));
  EXPECT_TRUE(has(asked, kStageB));
  EXPECT_TRUE(has(asked, "ncclCommWindowRegister(comm, base"));
  EXPECT_TRUE(has(asked, "Do two things at once"));
  EXPECT_EQ(summary()["iterations"][1]["stage"], "single");
}

TEST_F(LlmRewriterTest, TwoStepsAtOnceAreWelcome) {
  ScriptedBackend const model({program(device_alltoall())});
  auto const result = transform(model, silent());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels().size(), 2U);
  EXPECT_EQ(model.requests().size(), 1U) << "nothing is left for stage B";
}

TEST_F(LlmRewriterTest, AnErrorOfTheCompilerIsRepaired) {
  std::string const broken =
      with_changes(infrastructure_alltoall(), {{"ncclDevComm devComm{};", "ncclDevCom devComm{};"}});
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (has(a.code, "ncclDevCom devComm"))
      does_not_build(out, "error: 'ncclDevCom' was not declared in this scope");
  };
  ScriptedBackend const model(
      {program(broken), program(infrastructure_alltoall()), program(device_alltoall())});
  ScriptedBackend const judge({said("The type's name lacks an m.", 0.001)});
  auto const result = transform(model, judged(judge));
  ASSERT_TRUE(result) << to_line(result.error());
  ASSERT_EQ(judge.requests().size(), 1U) << "asked for the failure, and for nothing else";
  auto const question = judge.requests()[0];
  EXPECT_TRUE(has(all_of(question), "was not declared in this scope"));
  EXPECT_TRUE(has(all_of(question), broken));
  EXPECT_TRUE(has(all_of(question), host_alltoall()));
  EXPECT_TRUE(has(question.system, "Do not write code"));

  auto const asked = model.requests();
  ASSERT_EQ(asked.size(), 3U);
  ASSERT_EQ(asked[1].messages.size(), 3U);
  EXPECT_EQ(asked[1].messages[0].text, asked[0].messages[0].text) << "a provider can keep the first turn";
  EXPECT_EQ(asked[1].messages[1].role, ChatMessage::Role::kAssistant);
  EXPECT_TRUE(has(asked[1].messages[1].text, broken));
  std::string const retry = asked[1].messages[2].text;
  EXPECT_TRUE(has(retry, "was not declared in this scope"));
  EXPECT_TRUE(has(retry, "The type's name lacks an m."));
  EXPECT_TRUE(
      has(retry,
          "- iteration_1, infrastructure stage, by llm scripted:list: does not build: error: 'ncclDevCom'"));
  EXPECT_TRUE(has(retry, kStageA)) << "the task is told again";
  EXPECT_FALSE(has(retry, kNoWayBack));
  EXPECT_EQ(asked[2].messages.size(), 1U) << "the next stage begins afresh";

  EXPECT_EQ(file("iteration_1.judge.txt"), "The type's name lacks an m.");
  auto const s = summary();
  EXPECT_EQ(s["iterations"][1]["build_success"], false);
  EXPECT_EQ(s["iterations"][1]["judge_feedback"], "The type's name lacks an m.");
  EXPECT_NEAR(s["iterations"][2]["cost_usd"].get<double>(), 0.011, 1e-12)
      << "the judge is paid by the next attempt";
  EXPECT_NEAR(*result->cost_usd, 0.031, 1e-12);
}

TEST_F(LlmRewriterTest, AWrongResultIsToldWithItsLateLines) {
  std::string const wrong = with_changes(device_alltoall(), {{"dev.rank * count", "0 * count"}});
  verifier_.verdict = [&](VerifyOutcome& out, auto const& a) {
    if (a.code != wrong) return;
    is_wrong(out);
    std::string log = "== run: 2 ranks\nBEGIN\n";
    for (int i = 0; i < 2000; ++i)
      log += "a long line of output that nobody needs, number " + std::to_string(i) + "\n";
    ASSERT_TRUE(
        write_file_atomic(a.directory + "/" + a.label + ".log", log + "Verification: PASS\nEND OF RANK 0\n"));
  };
  ScriptedBackend const model(
      {program(infrastructure_alltoall()), program(wrong), program(device_alltoall())});
  ScriptedBackend const judge({said("All ranks write slot 0.")});
  auto const result = transform(model, judged(judge));
  ASSERT_TRUE(result) << to_line(result.error());
  std::string const retry = model.requests().at(2).messages.at(2).text;
  EXPECT_TRUE(has(retry, "BEGIN"));
  EXPECT_TRUE(has(retry, "END OF RANK 0")) << "the end of the output counts most";
  EXPECT_TRUE(has(retry, "bytes left out"));
  EXPECT_TRUE(has(retry, "fails its verification: rank 1: Verification: FAIL"));
  EXPECT_TRUE(has(retry, "All ranks write slot 0."));
  EXPECT_TRUE(has(retry, kStageB));
  EXPECT_TRUE(has(retry, kNoWayBack));
  EXPECT_LT(retry.size(), 30000U);
}

TEST_F(LlmRewriterTest, WhatIsAskedDoesNotDependOnThePlace) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (a.label != "iteration_1") return;
    fails_to_run(out, a.directory + "/iteration_1.cu:7: CUDA: out of memory");
    ASSERT_TRUE(write_file_atomic(a.directory + "/iteration_1.log",
                                  "== run: 2 ranks\n" + a.directory + "/iteration_1.cu:7: CUDA\n" +
                                      "-- launcher\nprocess 4711 on host moon was killed\n"));
  };
  std::vector<std::string> asked;
  for (std::string const place : {"/here", "/over/there"}) {
    ScriptedBackend const model({program("// 1\n" + infrastructure_alltoall()),
                                 program(infrastructure_alltoall()),
                                 program(device_alltoall())});
    auto o = options();
    o.work_directory += place;
    ASSERT_TRUE((ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, silent()}, verifier_, o}.transform(
        program_)));
    std::string all;
    for (auto const& r : model.requests()) all += all_of(r);
    asked.push_back(all);
  }
  EXPECT_EQ(asked[0], asked[1]);
  EXPECT_TRUE(has(asked[0], "iteration_1.cu:7: CUDA: out of memory"));
  EXPECT_FALSE(has(asked[0], "4711"));
}

TEST_F(LlmRewriterTest, EveryTurnHasItsStagesInstructions) {
  auto const instructions =
      [&](auto rewriter, TransformStage stage, int attempt, ScriptedBackend const& model) {
        auto const report = Analyzer{}.analyze(program_.code).value();
        std::vector<TransformIteration> history(3);
        for (auto& i : history) i.label = "iteration_1", i.code = "int main() {}", i.message = "failed";
        RewriteRequest request{program_.code, "a.cu", report, stage};
        request.attempt = attempt;
        request.history = &history;
        EXPECT_TRUE(rewriter.rewrite(request));
        return model.requests().back().messages.back().text;
      };
  auto const each = [&](auto api, std::string const& mine, std::string const& other) {
    constexpr Api kApi = decltype(api)::value;
    for (int attempt : {1, 2, 3}) {
      ScriptedBackend const model([](ChatRequest const&) { return said("int main() {}"); });
      LlmRewriter<kApi> rewriter{model, silent()};
      std::string const a = instructions(rewriter, TransformStage::kInfrastructure, attempt, model);
      std::string const b = instructions(rewriter, TransformStage::kDevice, attempt, model);
      std::string const both = instructions(rewriter, TransformStage::kSingle, attempt, model);
      EXPECT_TRUE(has(a, kStageA) && !has(a, kStageB) && !has(a, kNoWayBack)) << attempt;
      EXPECT_TRUE(has(b, kStageB) && !has(b, kStageA) && has(b, kNoWayBack)) << attempt;
      EXPECT_TRUE(has(both, "1. Include <nccl_device.h>") && has(both, kStageB)) << attempt;
      EXPECT_FALSE(has(both, kStageA)) << "no host collective stays: " << attempt;
      EXPECT_TRUE(has(b, mine)) << to_string(kApi);
      EXPECT_EQ(has(b, other), kApi == Api::Auto) << to_string(kApi);
    }
  };
  std::string const lsa = "Load and store\n";
  std::string const gin = "Put and signal\n";
  each(std::integral_constant<Api, Api::LSA>{}, lsa, gin);
  each(std::integral_constant<Api, Api::GIN>{}, gin, lsa);
  each(std::integral_constant<Api, Api::Auto>{}, gin, lsa);
}

TEST_F(LlmRewriterTest, RepliesWithoutAProgramAreFailedAttempts) {
  ChatReply cut;
  cut.text = in_fence(infrastructure_alltoall());
  cut.finish = FinishReason::kLength;
  ChatReply withheld = cut;
  withheld.finish = FinishReason::kFiltered;
  ScriptedBackend const model({ScriptedBackend::Answer(cut),
                               ScriptedBackend::Answer(withheld),
                               said("I would use symmetric memory and a barrier."),
                               program("__global__ void only_a_kernel() {}\n"),
                               program(infrastructure_alltoall()),
                               program(device_alltoall())});
  ScriptedBackend const judge(std::vector<std::string>{});
  auto const result = transform(model, judged(judge));
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_TRUE(judge.requests().empty()) << "there is nothing to diagnose";
  EXPECT_EQ(verifier_.labels(), (std::vector<std::string>{"input", "iteration_5", "iteration_6"}))
      << "what is no program is not built";
  auto const asked = model.requests();
  EXPECT_TRUE(has(asked[1].messages[2].text, "cut off"));
  EXPECT_TRUE(has(asked[2].messages[2].text, "withheld"));
  EXPECT_TRUE(has(asked[3].messages[2].text, "no program was found"));
  EXPECT_TRUE(has(asked[4].messages[2].text, "it has no main"));
  EXPECT_EQ(asked[4].messages[1].text, "(There was no usable program.)");
  EXPECT_EQ(file("iteration_3.reply.txt"), "I would use symmetric memory and a barrier.");
  EXPECT_EQ(file("iteration_3.cu"), "no iteration_3.cu");
  auto const s = summary();
  EXPECT_EQ(s["num_iterations"], 6);
  EXPECT_EQ(s["iterations"][1]["build_success"], false);
  EXPECT_TRUE(has(s["iterations"][1]["build_errors"], "cut off"));
}

TEST_F(LlmRewriterTest, WhatPassesButIsNotDoneIsFeedback) {
  std::string const lie = with_changes(device_alltoall(),
                                       {{"printf(\"Verification: %s\\n\", all ? \"PASS\" : \"FAIL\");",
                                         "printf(\"Verification: PASS\\n\");"}});
  std::string const lazy =
      with_changes(infrastructure_alltoall(), {{"// What rank", "// Better now. What rank"}});
  ScriptedBackend const model({program(host_alltoall()),
                               program("// nothing new\n" + host_alltoall()),
                               program(infrastructure_alltoall()),
                               program(lazy),
                               program(lie),
                               program(device_alltoall())});
  auto const result = transform(model, silent());
  ASSERT_TRUE(result) << to_line(result.error());
  auto const asked = model.requests();
  ASSERT_EQ(asked.size(), 6U);
  EXPECT_TRUE(has(asked[1].messages[2].text, "nothing was changed"));
  EXPECT_TRUE(has(asked[2].messages[2].text, "nothing was changed")) << "a comment is no change";
  EXPECT_TRUE(has(asked[4].messages[2].text, "nothing was changed"));
  EXPECT_TRUE(has(asked[5].messages[2].text, "passes its verification. It is not done, though: line"));
  EXPECT_TRUE(has(asked[5].messages[2].text, "result lines"));
  EXPECT_EQ(summary()["iterations"][5]["verification_passed"], true);
  EXPECT_EQ(summary()["iterations"][5]["accepted"], false);
}

TEST_F(LlmRewriterTest, AProgramThatFailedIsNotBuiltAgain) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (has(a.code, "gone wrong")) fails_to_run(out, "a rank was ended by signal 11");
  };
  std::string const bad = "// gone wrong\n" + infrastructure_alltoall();
  ScriptedBackend const model(
      {program(bad), program(bad), program(infrastructure_alltoall()), program(device_alltoall())});
  auto const result = transform(model, silent());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels(),
            (std::vector<std::string>{"input", "iteration_1", "iteration_3", "iteration_4"}));
  auto const asked = model.requests();
  EXPECT_EQ(asked[1].temperature, 0.0);
  EXPECT_EQ(asked[2].temperature, 0.7) << "the same again: some variety helps";
  EXPECT_TRUE(has(asked[2].messages[2].text, "the same program as iteration_1, which failed"));
}

TEST_F(LlmRewriterTest, AttemptsComeToAnEndAndNothingIsReturned) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (a.label != "input") is_wrong(out);
  };
  int number = 0;
  ScriptedBackend const model([&](ChatRequest const&) {
    return program("// " + std::to_string(++number) + "\n" + infrastructure_alltoall());
  });
  auto const result = transform(model, silent());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotVerified);
  EXPECT_EQ(model.requests().size(), 5U) << "the attempts of stage A";
  EXPECT_EQ(file("alltoall_device.cu"), "no alltoall_device.cu");
  EXPECT_EQ(summary()["success"], false);
  EXPECT_EQ(summary()["num_iterations"], 5);
  // One line about each.
  for (int i = 1; i <= 4; ++i)
    EXPECT_TRUE(has(model.requests().back().messages[2].text, "- iteration_" + std::to_string(i) + ", "));
}

TEST_F(LlmRewriterTest, StageBHasTenAttempts) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (has(a.code, "exchange<<<")) is_wrong(out);
  };
  int number = 0;
  ScriptedBackend const model([&](ChatRequest const&) {
    return ++number == 1 ? program(infrastructure_alltoall())
                         : program("// " + std::to_string(number) + "\n" + device_alltoall());
  });
  ASSERT_FALSE(transform(model, silent()));
  EXPECT_EQ(model.requests().size(), 11U);
}

TEST_F(LlmRewriterTest, ABackendsErrorComesThrough) {
  for (ErrorCode const code : {ErrorCode::kBudget, ErrorCode::kTimeout, ErrorCode::kRefused}) {
    ScriptedBackend const model(
        {program(infrastructure_alltoall()), ScriptedBackend::Answer(fail(code, "no more of this"))});
    auto const result = transform(model, silent());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code);
    EXPECT_EQ(file("alltoall_device.cu"), "no alltoall_device.cu");
    EXPECT_EQ(summary()["error"], "no more of this");
  }
}

TEST_F(LlmRewriterTest, WithoutAJudgeItGoesOn) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (a.label == "iteration_1") is_wrong(out);
  };
  ScriptedBackend const model({program("// 1\n" + infrastructure_alltoall()),
                               program(infrastructure_alltoall()),
                               program(device_alltoall())});
  ScriptedBackend const judge({ScriptedBackend::Answer(fail(ErrorCode::kBudget, "no money for judges"))});
  auto const result = transform(model, judged(judge));
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(judge.requests().size(), 1U);
  EXPECT_FALSE(has(model.requests()[1].messages[2].text, "diagnosis"));
}

TEST_F(LlmRewriterTest, TheJudgeIsTheSameModelUnlessToldOtherwise) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (a.label == "iteration_1") is_wrong(out);
  };
  ScriptedBackend const model({program("// 1\n" + infrastructure_alltoall()),
                               said("It waits for too little."),
                               program(infrastructure_alltoall()),
                               program(device_alltoall())});
  auto how = silent();
  how.judge = true;
  auto const result = transform(model, how);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_TRUE(has(model.requests()[1].system, "Somebody else repairs it"));
  EXPECT_TRUE(has(model.requests()[2].messages[2].text, "It waits for too little."));
}

TEST_F(LlmRewriterTest, AnUnknownCostStaysUnknown) {
  ChatReply unpriced;
  unpriced.text = in_fence(infrastructure_alltoall());
  ScriptedBackend const model({ScriptedBackend::Answer(unpriced), program(device_alltoall())});
  auto const result = transform(model, silent());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_FALSE(result->cost_usd);
  EXPECT_TRUE(summary()["total_cost_usd"].is_null());
  EXPECT_TRUE(summary()["iterations"][1]["cost_usd"].is_null());
  EXPECT_NEAR(summary()["iterations"][2]["cost_usd"].get<double>(), 0.01, 1e-12);
}

TEST_F(LlmRewriterTest, EverythingIsOnFile) {
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  ASSERT_TRUE(transform(model, silent()));
  EXPECT_EQ(file("iteration_1.cu"), infrastructure_alltoall());
  EXPECT_EQ(file("iteration_1.system.txt"), model.requests()[0].system);
  EXPECT_TRUE(has(file("iteration_1.prompt.txt"), model.requests()[0].messages[0].text));
  EXPECT_EQ(file("iteration_2.reply.txt"), in_fence(device_alltoall()));
  auto const s = summary();
  for (char const* key :
       {"success", "total_duration_sec", "num_iterations", "error", "total_cost_usd", "iterations"})
    EXPECT_TRUE(s.contains(key)) << key;
  for (char const* key : {"iteration",
                          "build_success",
                          "build_errors",
                          "run_success",
                          "verification_passed",
                          "time_ms",
                          "has_host_communication",
                          "judge_feedback",
                          "duration_sec",
                          "cost_usd",
                          "rewriter"})
    EXPECT_TRUE(s["iterations"][1].contains(key)) << key;
  EXPECT_NEAR(s["total_cost_usd"].get<double>(), 0.02, 1e-12);
  EXPECT_EQ(s["total_input_tokens"], 200);
}

TEST_F(LlmRewriterTest, ReferenceAndHardwareAreTold) {
  ScriptedBackend const model({program(infrastructure_alltoall()), program(device_alltoall())});
  auto how = silent();
  how.reference = "// example of ``` fences\nint reference_program;\n";
  how.hardware = "2 x H200, NVLink";
  ASSERT_TRUE(transform(model, how));
  EXPECT_TRUE(has(model.requests()[0].system, "2 x H200, NVLink"));
  EXPECT_TRUE(has(model.requests()[1].messages[0].text,
                  "````cuda\n// example of ``` fences\nint reference_program;\n````"))
      << "a fence that the text cannot close";
}

TEST_F(LlmRewriterTest, MarkersOfAModelAreTakenOut) {
  std::string const marked =
      with_changes(device_alltoall(),
                   {{"int main(", "// EVOLVE-BLOCK-START\nint main("},
                    {"  return all ? 0 : 1;\n}\n", "  return all ? 0 : 1;\n}\n// EVOLVE-BLOCK-END\n"}});
  ScriptedBackend const model({program(infrastructure_alltoall()), program(marked)});
  auto const result = transform(model, silent());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ((*verifier_.asked)[2].code, device_alltoall());
  EXPECT_FALSE(has(result->code, "// EVOLVE-BLOCK-START\nint main("));
}

}  // namespace
}  // namespace cuco::testing
