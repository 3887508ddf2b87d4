// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/atomic_file.hpp"
#include "cuco/transform/transformer.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/transform/pipeline.hpp"
#include "transform/fake_verifier.hpp"
#include "transform/rewriting.hpp"
#include "transform/seed_text.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

class TransformerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        (std::filesystem::path(::testing::TempDir()) /
         (std::string("transformer_") + ::testing::UnitTest::GetInstance()->current_test_info()->name()))
            .string();
    std::filesystem::remove_all(folder_);
    program_ = make_program(seed_text("allreduce.cu"), "some/where/allreduce.cu").value();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  TransformOptions options() const {
    TransformOptions out;
    out.work_directory = folder_;
    return out;
  }
  nlohmann::json summary() const {
    return nlohmann::json::parse(read_file(folder_ + "/transform_summary.json").value());
  }

  std::string folder_;
  SourceProgram program_;
  FakeVerifier verifier_;
};

TEST_F(TransformerTest, VerifiesTheInputThenEachStage) {
  auto const result =
      FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()}.transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  ASSERT_EQ(verifier_.asked->size(), 3U);
  auto const& asked = *verifier_.asked;
  EXPECT_EQ(asked[0].label, "input");
  EXPECT_EQ(asked[0].code, program_.code);
  EXPECT_EQ(asked[1].label, "iteration_1");
  EXPECT_TRUE(Analyzer{}.analyze(asked[1].code)->has_host_communication());
  EXPECT_EQ(asked[2].label, "iteration_2");
  EXPECT_FALSE(Analyzer{}.analyze(asked[2].code)->has_host_communication());
  EXPECT_EQ(result->name, "allreduce_device.cu");
  EXPECT_TRUE(result->changed);
  EXPECT_EQ(result->collectives.size(), 1U);
  EXPECT_NE(result->code.find("EVOLVE-BLOCK-START"), std::string::npos);
  EXPECT_DOUBLE_EQ(result->input_ms, 1.0);
  EXPECT_DOUBLE_EQ(result->output_ms, 1.0 / 3);
  EXPECT_EQ(result->origin, Origin::kModelled);
  EXPECT_EQ(read_file(folder_ + "/allreduce_device.cu").value(), result->code);
  auto const s = summary();
  EXPECT_EQ(s["success"], true);
  EXPECT_EQ(s["num_iterations"], 2);
  EXPECT_EQ(s["iterations"].size(), 3U);
  EXPECT_EQ(s["iterations"][1]["has_host_communication"], true);
  EXPECT_EQ(s["iterations"][2]["has_host_communication"], false);
  EXPECT_EQ(s["iterations"][2]["verification_passed"], true);
}

TEST_F(TransformerTest, ASeedThatFailsItsOwnVerificationIsNotTransformed) {
  verifier_.passes = [](auto const&) { return false; };
  auto const result =
      FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()}.transform(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotVerified);
  EXPECT_EQ(result.error().file, "some/where/allreduce.cu");
  EXPECT_NE(result.error().cause.find("Verification: FAIL"), std::string::npos);
  EXPECT_EQ(result.error().detail, "long story");
  EXPECT_EQ(verifier_.asked->size(), 1U);
  EXPECT_EQ(summary()["success"], false);
}

TEST_F(TransformerTest, AStageThatFailsIsNeverReturned) {
  // Each is tried once more, with copies.
  for (auto const& [bad, again] : {std::pair<std::string, std::string>{"iteration_1", "iteration_2"},
                                   std::pair<std::string, std::string>{"iteration_2", "iteration_4"}}) {
    FakeVerifier verifier;
    verifier.passes = [one = bad, two = again](auto const& a) { return a.label != one && a.label != two; };
    auto const result =
        FakeTransformer<Api::GIN>{RuleRewriter<Api::GIN>{}, verifier, options()}.transform(program_);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, ErrorCode::kNotVerified);
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/allreduce_device.cu"));
    EXPECT_EQ(summary()["success"], false);
    EXPECT_FALSE(summary()["error"].get<std::string>().empty());
  }
}

TEST_F(TransformerTest, RefusalsComeThroughWithTheirLine) {
  auto const program =
      make_program(
          sum_program(
              "", kPlainAllocate, "    ncclAlltoAll(in, in, n / 2, ncclFloat, comm, stream);\n", kPlainFree),
          "b.cu")
          .value();
  auto const result =
      FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()}.transform(program);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kRefused);
  EXPECT_EQ(result.error().line, line_of(program.code, "ncclAlltoAll"));
}

TEST_F(TransformerTest, WithoutHostCommunicationTheProgramStays) {
  auto const code = to_device(Api::LSA, seed_text("alltoall.cu")).value();
  auto const result = FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()}.transform(
      make_program(code, "x.cu").value());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_FALSE(result->changed);
  EXPECT_EQ(verifier_.asked->size(), 1U);
}

TEST_F(TransformerTest, ATemporaryWorkDirectoryLeavesNothing) {
  auto const result = FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_}.transform(program_);
  ASSERT_TRUE(result);
  EXPECT_FALSE(std::filesystem::exists(verifier_.asked->front().directory));
}

TEST_F(TransformerTest, AnUnusableWorkDirectoryIsAnError) {
  auto o = options();
  o.work_directory = "/proc/none/here";
  auto const result = FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, o}.transform(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kIo);
}

/// Fails once, and wants to hear why.
struct Stubborn {
  std::shared_ptr<std::vector<std::string>> heard = std::make_shared<std::vector<std::string>>();
  [[nodiscard]] Result<Rewrite> rewrite(RewriteRequest const& request) const {
    heard->push_back(request.feedback);
    return RuleRewriter<Api::LSA>{}.rewrite(request);
  }
};

TEST_F(TransformerTest, FeedbackReachesTheNextAttempt) {
  verifier_.passes = [](auto const& a) { return a.label != "iteration_1"; };
  auto o = options();
  o.attempts = 2;
  Stubborn rewriter;
  auto const result =
      Transformer<Api::LSA, Stubborn, FakeVerifier>{rewriter, verifier_, o}.transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  ASSERT_EQ(rewriter.heard->size(), 3U);
  EXPECT_EQ((*rewriter.heard)[0], "");
  EXPECT_NE((*rewriter.heard)[1].find("Verification: FAIL"), std::string::npos);
  EXPECT_EQ((*rewriter.heard)[2], "") << "the next stage starts afresh";
}

TEST_F(TransformerTest, WhatFailsInPlaceIsTriedWithCopies) {
  verifier_.passes = [](auto const& a) {
    return a.label == "input" || a.code.find("_staged") != std::string::npos;
  };
  auto const result =
      FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()}.transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_NE(result->code.find("_staged"), std::string::npos);
  EXPECT_EQ(result->code.find("device_nccl::prepare(comm, {"), std::string::npos);
}

TEST_F(TransformerTest, PipelineRunsItsStepsInOrder) {
  Pipeline pipeline{FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()}};
  auto const program = make_program(seed_text("alltoall.cu"), "alltoall.cu").value();
  auto const result = pipeline.run(program, folder_ + "/out");
  ASSERT_TRUE(result) << to_line(result.error());
  ASSERT_EQ(result->steps.size(), 4U);
  EXPECT_EQ(result->steps[0].name, "analyze");
  EXPECT_FALSE(result->steps[1].skipped);
  EXPECT_TRUE(result->steps[2].skipped) << "the transformer has inserted markers";
  EXPECT_FALSE(result->steps[3].skipped) << result->steps[3].details;
  EXPECT_FALSE(result->any_step_failed);
  EXPECT_NE(result->code.find("warmup_round"), std::string::npos);
  EXPECT_EQ(read_file(folder_ + "/out/alltoall.cu").value(), result->code);
  for (char const* step : {"analyze", "host_to_device", "evolve_markers", "warmup"}) {
    auto const json =
        nlohmann::json::parse(read_file(folder_ + "/out/_step_" + step + "/result.json").value());
    EXPECT_EQ(json["name"], step);
    EXPECT_TRUE(json["error"].is_null());
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/out/_step_analyze/analysis.txt"));
  EXPECT_EQ(verifier_.asked->back().code, result->code) << "what leaves has been verified as it is";
}

TEST_F(TransformerTest, PipelineKeepsTheCodeBeforeAStepThatFails) {
  verifier_.passes = [](auto const& a) { return a.label != "warmup"; };
  Pipeline pipeline{FakeTransformer<Api::GIN>{RuleRewriter<Api::GIN>{}, verifier_, options()}};
  auto const result = pipeline.run(make_program(seed_text("alltoall.cu"), "alltoall.cu").value());
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->any_step_failed);
  EXPECT_FALSE(result->steps[3].error.empty());
  EXPECT_EQ(result->code.find("warmup_round"), std::string::npos);
}

TEST_F(TransformerTest, PipelineReturnsNothingUnverified) {
  verifier_.passes = [](auto const&) { return false; };
  Pipeline pipeline{FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()},
                    {"analyze", "evolve_markers"}};
  auto const result = pipeline.run(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotVerified);
}

TEST_F(TransformerTest, PipelineKnowsItsSteps) {
  Pipeline pipeline{FakeTransformer<Api::LSA>{RuleRewriter<Api::LSA>{}, verifier_, options()},
                    {"analyze", "polish"}};
  auto const result = pipeline.run(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(result.error().cause.find("polish"), std::string::npos);
  EXPECT_TRUE(verifier_.asked->empty());
}

}  // namespace
}  // namespace cuco::testing
