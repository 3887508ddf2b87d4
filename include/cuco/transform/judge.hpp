// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "cuco/core/api.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/transform/impl/conversation.hpp"
#include "cuco/transform/transform_iteration.hpp"

namespace cuco {

/// How a `Judge` asks.
struct JudgeOptions {
  std::string prompts{};  ///< Folder of the templates; empty: the library's own.
  int max_tokens = 2048;
  std::optional<double> temperature = 0.0;  ///< Empty: the provider's default.
  Effort effort = Effort::kDefault;
};

/// What is wrong with a failed attempt, in at most 200 words.
struct Diagnosis {
  std::string text;  ///< Empty when the model had nothing to say.
  std::optional<double> cost_usd{};
  TokenUsage usage{};
};

/// Asks a model why an attempt failed. It diagnoses and quotes; it does not write code or say which calls to
/// use, which is the rewriter's business. To be called for failures only.
template <LLMBackend B = AnyBackend>
class Judge {
 public:
  explicit Judge(B backend, JudgeOptions options = {})
      : backend_(std::move(backend)), options_(std::move(options)) {}

  /// @param original the program that the stage began with; @param attempt a failed one, with its code.
  /// Errors: those of the backend and of the templates. None of them means that the attempt was good.
  [[nodiscard]] Result<Diagnosis> diagnose(Api api,
                                           std::string const& original,
                                           TransformIteration const& attempt) {
    if (!prompts_) {
      auto loaded = PromptLibrary::load(options_.prompts);
      if (!loaded) return forward_error(std::move(loaded));
      prompts_ = std::move(*loaded);
    }
    auto card = impl::transforming::api_card(*prompts_, api);
    if (!card) return forward_error(std::move(card));
    auto system = prompts_->fill("transform_judge_system", {{"api_card", *card}});
    if (!system) return forward_error(std::move(system));
    auto task = impl::transforming::stage_task(*prompts_, api, attempt.stage);
    if (!task) return forward_error(std::move(task));
    auto question = prompts_->fill("transform_judge",
                                   {{"task", *task},
                                    {"original", impl::transforming::fenced(original)},
                                    {"program", impl::transforming::fenced(attempt.code)},
                                    {"outcome", impl::transforming::outcome_text(attempt)}});
    if (!question) return forward_error(std::move(question));
    ChatRequest chat;
    chat.system = std::move(*system);
    chat.messages.push_back({ChatMessage::Role::kUser, std::move(*question)});
    chat.max_tokens = options_.max_tokens;
    chat.temperature = options_.temperature;
    chat.effort = options_.effort;
    auto reply = backend_.complete(chat);
    if (!reply) return forward_error(std::move(reply));
    constexpr std::size_t kMostWords = 200;
    Diagnosis out;
    if (reply->finish != FinishReason::kFiltered)
      out.text = impl::transforming::prose(reply->text, kMostWords);
    out.cost_usd = reply->cost_usd;
    out.usage = reply->usage;
    return out;
  }

 private:
  B backend_;
  JudgeOptions options_;
  std::optional<PromptLibrary> prompts_{};
};

}  // namespace cuco
