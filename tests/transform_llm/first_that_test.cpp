// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/first_that.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "transform/rewriting.hpp"
#include "transform/styles.hpp"
#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

/// With a construct that rules refuse.
std::string with_thread(std::string const& code) {
  return with_changes(
      code,
      {{"  std::vector<uint32_t> h_send", "  std::thread([] {}).join();\n  std::vector<uint32_t> h_send"},
       {"#include <vector>\n", "#include <thread>\n#include <vector>\n"}});
}
std::string refused_program() {
  return with_thread(host_alltoall());
}

template <class... R>
auto transformer_of(FirstThat<R...> rewriter,
                    ModelVerifier const& verifier,
                    TransformOptions const& options) {
  return Transformer<Api::LSA, FirstThat<R...>, ModelVerifier>{std::move(rewriter), verifier, options};
}

using FirstThatTest = ModelRun;

TEST_F(FirstThatTest, RulesDoWhatTheyCanWithoutACall) {
  ScriptedBackend const model(std::vector<std::string>{});
  auto const result =
      transformer_of(
          FirstThat{RuleRewriter<Api::LSA>{}, LlmRewriter<Api::LSA>{model, silent()}}, verifier_, options())
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_TRUE(model.requests().empty());
  EXPECT_EQ(result->collectives.size(), 1U);
  EXPECT_EQ(result->cost_usd, 0.0);
  for (auto const& c : result->changes) EXPECT_FALSE(has(c.what, "ask ")) << c.what;
}

TEST_F(FirstThatTest, AfterARefusalTheModelIsAsked) {
  program_ = make_program(refused_program(), "alltoall.cu").value();
  ASSERT_EQ(rewrite(Api::LSA, program_.code, TransformStage::kInfrastructure).error().code,
            ErrorCode::kRefused);
  ScriptedBackend const model(
      {program(with_thread(infrastructure_alltoall())), program(with_thread(device_alltoall()))});
  auto const result =
      transformer_of(
          FirstThat{RuleRewriter<Api::LSA>{}, LlmRewriter<Api::LSA>{model, silent()}}, verifier_, options())
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(model.requests().size(), 2U);
  ASSERT_GE(result->changes.size(), 2U);
  EXPECT_EQ(result->changes[0].what, "ask llm scripted:list");
  EXPECT_TRUE(has(result->changes[0].why, "rules: refused: "));
  EXPECT_TRUE(has(result->changes[0].why, "std::thread")) << result->changes[0].why;
  EXPECT_EQ(result->iterations[1].rewriter, "llm scripted:list");
  EXPECT_FALSE(has(model.requests()[0].messages[0].text, "device_nccl"));
}

TEST_F(FirstThatTest, AfterAFailureTheModelGoesOnFromThere) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (has(a.code, "device_nccl::alltoall") || has(a.code, "device_nccl::all_to_all")) is_wrong(out);
  };
  ScriptedBackend const model({program(device_alltoall())});
  auto const result =
      transformer_of(
          FirstThat{RuleRewriter<Api::LSA>{}, LlmRewriter<Api::LSA>{model, silent()}}, verifier_, options())
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  ASSERT_EQ(model.requests().size(), 1U);
  auto const asked = model.requests()[0];
  ASSERT_EQ(asked.messages.size(), 3U);
  EXPECT_TRUE(has(asked.messages[0].text, "device_nccl")) << "stage B begins with the rules' stage A";
  EXPECT_TRUE(has(asked.messages[2].text, "iteration_2, device stage, by rules: fails its verification"));
  // Input, the rules' stages, the same with copies, the model's.
  ASSERT_EQ(result->iterations.size(), 6U);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(result->iterations[i].rewriter, "rules") << i;
  EXPECT_EQ(result->iterations[5].rewriter, "llm scripted:list");
  bool told = false;
  for (auto const& c : result->changes) told = told || has(c.why, "rules: what it made failed: rank 1");
  EXPECT_TRUE(told);
}

TEST_F(FirstThatTest, TheRulesBeginAnewBeforeAModelIsAsked) {
  // The helper says what was wrong; rules know what to do with that, once.
  int failures = 0;
  verifier_.verdict = [&](VerifyOutcome& out, auto const& a) {
    if (a.label == "input" || Analyzer{}.analyze(a.code)->has_host_communication() || ++failures > 1) return;
    fails_to_run(out,
                 "device_nccl: communication buffer: not in memory that this program allocated as symmetric");
  };
  ScriptedBackend const model(std::vector<std::string>{});
  auto const result =
      transformer_of(
          FirstThat{RuleRewriter<Api::LSA>{}, LlmRewriter<Api::LSA>{model, silent()}}, verifier_, options())
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_TRUE(model.requests().empty());
  EXPECT_TRUE(has(result->code, "device_nccl"));
}

TEST_F(FirstThatTest, AModelsStageAIsNotGivenToTheRules) {
  program_ = make_program(refused_program(), "alltoall.cu").value();
  int asked = 0;
  struct Counting {
    int* count;
    RuleRewriter<Api::LSA> rules{};
    [[nodiscard]] Result<Rewrite> rewrite(RewriteRequest const& request) const {
      ++*count;
      return rules.rewrite(request);
    }
    [[nodiscard]] static std::string name() { return "counting"; }
  };
  ScriptedBackend const model(
      {program(with_thread(infrastructure_alltoall())), program(with_thread(device_alltoall()))});
  auto const result =
      transformer_of(
          FirstThat{Counting{&asked}, LlmRewriter<Api::LSA>{model, silent()}}, verifier_, options())
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(asked, 1);
}

/// Always says the same.
struct Fixed {
  std::string text;
  ErrorCode code = ErrorCode::kRefused;
  std::shared_ptr<int> calls = std::make_shared<int>(0);
  [[nodiscard]] Result<Rewrite> rewrite(RewriteRequest const&) const {
    ++*calls;
    if (text.empty()) return fail(code, "not for me");
    Rewrite out;
    out.code = text;
    return out;
  }
  [[nodiscard]] static std::string name() { return "fixed"; }
};

TEST_F(FirstThatTest, TheLastRefusalHasAllReasons) {
  auto const result =
      transformer_of(FirstThat{Fixed{}, Fixed{}, Fixed{}}, verifier_, options()).transform(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(has(result.error().detail, "fixed: refused: not for me"));
  EXPECT_TRUE(has(result.error().detail, "fixed (2): refused")) << "namesakes are told apart";
}

TEST_F(FirstThatTest, OtherErrorsStop) {
  Fixed const broke{"", ErrorCode::kBudget};
  Fixed const next{device_alltoall()};
  auto const result = transformer_of(FirstThat{broke, next}, verifier_, options()).transform(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kBudget);
  EXPECT_EQ(*next.calls, 0);
}

TEST_F(FirstThatTest, EachHasItsAttempts) {
  struct Eager : Fixed {
    [[nodiscard]] static int attempts(TransformStage) { return 3; }
  };
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (a.label != "input") is_wrong(out);
  };
  Eager const first{{infrastructure_alltoall()}};
  Fixed const second{"// other\n" + infrastructure_alltoall()};
  FirstThat rewriter{first, second};
  EXPECT_EQ(rewriter.attempts(TransformStage::kDevice), 4);
  EXPECT_EQ(rewriter.name(), "fixed, else fixed (2)");
  auto const result = transformer_of(rewriter, verifier_, options()).transform(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(*first.calls, 3);
  EXPECT_EQ(*second.calls, 1);
  EXPECT_EQ(summary()["num_iterations"], 4);
}

TEST_F(FirstThatTest, ARefusalGivesNobodyMoreAttempts) {
  verifier_.verdict = [](VerifyOutcome& out, auto const& a) {
    if (a.label != "input") is_wrong(out);
  };
  Fixed const refuses{""};
  Fixed const second{infrastructure_alltoall()};
  auto const result = transformer_of(FirstThat{refuses, second}, verifier_, options()).transform(program_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotVerified);
  EXPECT_TRUE(has(result.error().cause, "does not pass")) << to_line(result.error());
  EXPECT_EQ(*second.calls, 1);
}

}  // namespace
}  // namespace cuco::testing
