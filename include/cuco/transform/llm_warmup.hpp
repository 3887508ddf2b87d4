// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/analysis/report.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/transform/impl/conversation.hpp"
#include "cuco/transform/impl/model_step.hpp"
#include "cuco/transform/llm_step_options.hpp"
#include "cuco/transform/step_result.hpp"
#include "cuco/transform/warmup.hpp"

namespace cuco {

/// Untimed rounds by a model, checked by the rules: a `ProgramStep`.
///
/// The model may add one run of lines before the timed region, in frozen text, that does the timed work. A
/// program that needs no rounds, or must not have any (`Warmup::unwanted`), comes back unchanged without a
/// call. A reply that is anything else, or none, gives way to the rules (`insert_warmup`). What is returned
/// still has to be verified.
template <LLMBackend B = AnyBackend>
class LlmWarmup {
 public:
  explicit LlmWarmup(B backend, LlmStepOptions options = {})
      : backend_(std::move(backend)), options_(std::move(options)) {}

  /// Errors: those of `insert_warmup`.
  [[nodiscard]] Result<StepResult> operator()(std::string const& code, Report const& report) {
    auto rules = insert_warmup(code, report.file);
    if (!rules) return forward_error(std::move(rules));
    StepResult out;
    out.code = code;
    out.reason = rules->reason;
    if (rules->unwanted) return out;
    auto asked = impl::transforming::ask_for_program(
        backend_, options_, "transform_warmup", {{"program", impl::transforming::fenced(code)}});
    out.cost_usd = asked.cost_usd;
    impl::transforming::Accepted mine =
        asked.code ? impl::transforming::with_warmup_of(code, *asked.code, report.file) : asked.code;
    if (mine) {
      out.method = "llm";
      out.reason = "rounds as the model wrote them";
      out.code = std::move(*mine);
      out.changed = true;
    } else {
      out.method = "llm+rules_fallback";
      out.reason = rules->reason + "; by rules, because " + mine.error();
      out.code = std::move(rules->code);
      out.changed = rules->inserted;
    }
    return out;
  }

 private:
  B backend_;
  LlmStepOptions options_;
};

}  // namespace cuco
