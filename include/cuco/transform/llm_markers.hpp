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
#include "cuco/transform/markers.hpp"
#include "cuco/transform/step_result.hpp"

namespace cuco {

/// EVOLVE markers by a model, checked by the rules: a `ProgramStep`.
///
/// The model may add marker lines and nothing else, and the blocks may not hold what must be frozen. A reply
/// that is anything else, or none, gives way to the rules (`insert_evolve_markers`).
template <LLMBackend B = AnyBackend>
class LlmMarkers {
 public:
  explicit LlmMarkers(B backend, LlmStepOptions options = {})
      : backend_(std::move(backend)), options_(std::move(options)) {}

  /// Errors: those of `insert_evolve_markers`, where the rules have to do it. A program that has markers
  /// comes back unchanged, without a call.
  [[nodiscard]] Result<StepResult> operator()(std::string const& code, Report const& report) {
    StepResult out;
    out.code = code;
    auto marked = insert_evolve_markers(code, report);
    if (marked && *marked == code) {
      out.reason = "there are markers";
      return out;
    }
    auto asked = impl::transforming::ask_for_program(
        backend_, options_, "transform_markers", {{"program", impl::transforming::fenced(code)}});
    out.cost_usd = asked.cost_usd;
    impl::transforming::Accepted mine =
        asked.code ? impl::transforming::with_markers_of(code, *asked.code, report.file) : asked.code;
    if (mine) {
      out.method = "llm";
      out.reason = "markers as the model set them";
      out.code = std::move(*mine);
    } else {
      if (!marked) return forward_error(std::move(marked));
      out.method = "llm+rules_fallback";
      out.reason = "markers by rules: " + mine.error();
      out.code = std::move(*marked);
    }
    out.changed = true;
    return out;
  }

 private:
  B backend_;
  LlmStepOptions options_;
};

}  // namespace cuco
