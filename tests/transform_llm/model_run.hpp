// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/llm/scripted_backend.hpp"
#include "cuco/transform/first_that.hpp"
#include "cuco/transform/llm_rewriter.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/transformer.hpp"
#include "transform_llm/device_programs.hpp"

namespace cuco::testing {

/// Passes every program, but for what a test says of those with a certain text in them.
struct ModelVerifier {
  struct Asked {
    std::string code, directory, label;
  };
  using Verdict = std::function<void(VerifyOutcome&, Asked const&)>;
  std::shared_ptr<std::vector<Asked>> asked = std::make_shared<std::vector<Asked>>();
  Verdict verdict = [](VerifyOutcome&, Asked const&) {};

  [[nodiscard]] Result<VerifyOutcome> verify(std::string const& code,
                                             std::string const& directory,
                                             std::string const& label) const {
    Asked const a{code, directory, label};
    asked->push_back(a);
    VerifyOutcome out;
    out.built = out.ran = out.verified = true;
    out.outcome = Outcome::kCorrect;
    out.slowest_ms = 2.0;
    out.origin = Origin::kModelled;
    verdict(out, a);
    if (!out.verified) out.slowest_ms = 0;
    return out;
  }
  [[nodiscard]] std::vector<std::string> labels() const {
    std::vector<std::string> out;
    for (auto const& a : *asked) out.push_back(a.label);
    return out;
  }
};
static_assert(Verifier<ModelVerifier>);

inline void does_not_build(VerifyOutcome& out, std::string const& message) {
  out.built = out.ran = out.verified = false;
  out.outcome = Outcome::kCompileFailed;
  out.message = message;
  out.diagnostics = message + "\n   12 |   some line\n";
}
inline void fails_to_run(VerifyOutcome& out, std::string const& message) {
  out.built = true;
  out.ran = out.verified = false;
  out.outcome = Outcome::kRunFailed;
  out.message = message;
  out.diagnostics = message + "\nstandard error:\nCUDA: an illegal memory access was encountered\n";
}
inline void is_wrong(VerifyOutcome& out) {
  out.verified = false;
  out.outcome = Outcome::kWrongAnswer;
  out.message = "rank 1: Verification: FAIL";
  out.diagnostics = out.message + "\noutput of rank 1:\nTime: 1.0 ms\nVerification: FAIL\n";
}

inline std::string in_fence(std::string const& code, std::string const& before = "Here it is.") {
  return before + "\n\n```cuda\n" + code + "```\n";
}

inline ScriptedBackend::Answer said(std::string const& text, double cost = 0.01) {
  ChatReply reply;
  reply.text = text;
  reply.cost_usd = cost;
  reply.usage = {100, 20};
  return reply;
}
inline ScriptedBackend::Answer program(std::string const& code) {
  return said(in_fence(code));
}

template <Api A>
using ModelTransformer = Transformer<A, LlmRewriter<A>, ModelVerifier>;

class ModelRun : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::path(::testing::TempDir()) /
               ("model_run_" + std::to_string(::getpid()) + "_" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()))
                  .string();
    std::filesystem::remove_all(folder_);
    program_ = make_program(host_alltoall(), "some/where/alltoall.cu").value();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] TransformOptions options() const {
    TransformOptions out;
    out.work_directory = folder_;
    return out;
  }
  [[nodiscard]] static LlmRewriterOptions silent() {
    LlmRewriterOptions out;
    out.prompts = std::string(CUCO_SOURCE_DIR) + "/prompts";
    out.judge = false;
    return out;
  }
  [[nodiscard]] static LlmRewriterOptions judged(ScriptedBackend const& judge) {
    LlmRewriterOptions out = silent();
    out.judge = true;
    out.judge_backend = judge;
    return out;
  }
  [[nodiscard]] Result<TransformResult> transform(ScriptedBackend const& model,
                                                  LlmRewriterOptions const& how) {
    return ModelTransformer<Api::LSA>{LlmRewriter<Api::LSA>{model, how}, verifier_, options()}.transform(
        program_);
  }

  [[nodiscard]] std::string file(std::string const& name) const {
    auto text = read_file(folder_ + "/" + name);
    return text ? *text : "no " + name;
  }
  [[nodiscard]] nlohmann::json summary() const {
    return nlohmann::json::parse(file("transform_summary.json"));
  }

  std::string folder_;
  SourceProgram program_;
  ModelVerifier verifier_;
};

/// All that a request says to the model.
inline std::string all_of(ChatRequest const& request) {
  std::string out = request.system;
  for (auto const& m : request.messages) out += "\n" + m.text;
  return out;
}
inline bool has(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace cuco::testing
