// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>

#include "cuco/core/api.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/transform/impl/conversation.hpp"
#include "cuco/transform/impl/kept_answers.hpp"
#include "cuco/transform/judge.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco {

/// How an `LlmRewriter` asks.
struct LlmRewriterOptions {
  std::string prompts{};    ///< Folder of the templates; empty: the library's own.
  std::string reference{};  ///< The text of a device-initiated program to learn from; may be empty.
  std::string hardware{};   ///< Facts about the machine, for the system text; may be empty.
  int max_tokens = 32768;
  /// Empty: the provider's default, for models that take none.
  std::optional<double> temperature = 0.0;
  /// After a program came twice, which temperature 0 makes likely to go on.
  std::optional<double> repeat_temperature = 0.7;
  Effort effort = Effort::kDefault;
  int infrastructure_attempts = 5;
  int device_attempts = 10;    ///< Also of a single stage.
  bool judge = true;           ///< Ask for a diagnosis of each failed attempt before the next one.
  AnyBackend judge_backend{};  ///< Whom to ask for it; empty: the rewriter's own backend.
};

/// Asks a language model for the program of a stage. Every attempt is one conversation: the program, its
/// analysis and the stage's task; after a failure also the latest program, what became of it, one line about
/// each earlier attempt, a judge's diagnosis, and the task again.
///
/// What comes back is a proposal. A reply that is cut off, withheld or has no program is an attempt that
/// failed (`Rewrite::problem`), never code. A judge that fails is done without.
///
/// Writes, where the request says so, `.system.txt`, `.prompt.txt` (before the call) and `.reply.txt`.
/// Errors: those of the backend (kBudget, kProcess, kTimeout, kRefused without a key, …) and of the
/// templates; kIo.
template <Api A, LLMBackend B = AnyBackend>
requires std::copy_constructible<B>
class LlmRewriter {
 public:
  explicit LlmRewriter(B backend, LlmRewriterOptions options = {})
      : backend_(std::move(backend)), options_(std::move(options)) {
    if (!options_.judge) return;
    JudgeOptions judge;
    judge.prompts = options_.prompts;
    judge_.emplace(options_.judge_backend ? options_.judge_backend : AnyBackend(B(backend_)), judge);
  }

  [[nodiscard]] Result<Rewrite> rewrite(RewriteRequest const& request) {
    if (!prompts_) {
      auto loaded = PromptLibrary::load(options_.prompts);
      if (!loaded) return forward_error(std::move(loaded));
      prompts_ = std::move(*loaded);
    }
    Diagnosis const diagnosis = diagnose(request);
    auto chat = impl::transforming::conversation(
        {*prompts_, A, options_.reference, options_.hardware}, request, diagnosis.text);
    if (!chat) return forward_error(std::move(chat));
    chat->max_tokens = options_.max_tokens;
    chat->temperature = repeats(request) ? options_.repeat_temperature : options_.temperature;
    chat->effort = options_.effort;
    if (auto kept = keep(request, ".system.txt", chat->system); !kept) return forward_error(std::move(kept));
    if (auto kept = keep(request, ".prompt.txt", impl::transforming::turns_text(*chat)); !kept)
      return forward_error(std::move(kept));
    auto reply = backend_.complete(*chat);
    if (!reply) return forward_error(std::move(reply));
    if (auto kept = keep(request, ".reply.txt", reply->text); !kept) return forward_error(std::move(kept));
    impl::transforming::drop_diagnosis(request.artifacts);
    Rewrite out = impl::transforming::read_program(*reply, request);
    out.by = name();
    out.diagnosis = diagnosis.text;
    impl::transforming::add_cost(out.cost_usd, diagnosis.cost_usd);
    out.usage += diagnosis.usage;
    return out;
  }

  [[nodiscard]] int attempts(TransformStage stage) const {
    return stage == TransformStage::kInfrastructure ? options_.infrastructure_attempts
                                                    : options_.device_attempts;
  }
  [[nodiscard]] std::string name() const { return "llm " + model_of(backend_); }

 private:
  /// What is wrong with the attempt before; free of cost when there is none or it was told already.
  [[nodiscard]] Diagnosis diagnose(RewriteRequest const& request) {
    Diagnosis none;
    none.cost_usd = 0;
    TransformIteration const* last = impl::transforming::last_attempt(request);
    if (last == nullptr || last->code.empty()) return none;
    none.text = last->diagnosis;
    if (!none.text.empty() || !judge_) return none;
    if (auto kept = impl::transforming::kept_diagnosis(request.artifacts, *last)) return std::move(*kept);
    auto told = judge_->diagnose(A, request.source, *last);
    if (!told) return none;
    // Paid for, whatever becomes of the call that uses it. Without the file it is only asked for again.
    (void)impl::transforming::keep_diagnosis(request.artifacts, *last, *told);
    return std::move(*told);
  }

  /// Whether the latest program was proposed before.
  [[nodiscard]] static bool repeats(RewriteRequest const& request) {
    TransformIteration const* last = impl::transforming::last_attempt(request);
    if (last == nullptr || last->code.empty()) return false;
    for (TransformIteration const& i : *request.history)
      if (&i != last && i.code == last->code) return true;
    return false;
  }

  [[nodiscard]] static Status keep(RewriteRequest const& request,
                                   char const* suffix,
                                   std::string const& text) {
    if (request.artifacts.empty()) return {};
    return write_file_atomic(request.artifacts + suffix, text);
  }

  B backend_;
  LlmRewriterOptions options_;
  std::optional<Judge<AnyBackend>> judge_{};
  std::optional<PromptLibrary> prompts_{};
};

static_assert(explain_rewriter<LlmRewriter<Api::LSA>>());
static_assert(explain_rewriter<LlmRewriter<Api::GIN>>());
static_assert(explain_rewriter<LlmRewriter<Api::Auto>>());

}  // namespace cuco
