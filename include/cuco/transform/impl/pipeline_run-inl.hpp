// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/impl/kept_answers.hpp"
#include "cuco/transform/impl/pipeline_parts.hpp"
#include "cuco/transform/impl/transform_files.hpp"
#include "cuco/transform/markers.hpp"
#include "cuco/transform/pipeline.hpp"
#include "cuco/transform/warmup.hpp"

namespace cuco::impl {

inline constexpr std::array kPipelineSteps{"analyze", "host_to_device", "evolve_markers", "warmup"};

/// One run of a pipeline.
class PipelineRun {
 public:
  PipelineRun(PipelineParts const& parts,
              PipelineModels const& models,
              SourceProgram const& program,
              std::string output)
      : parts_(parts), models_(models), program_(program), output_(std::move(output)) {
    result_.code = program.code;
  }

  [[nodiscard]] Result<PipelineResult> run(std::vector<std::string> const& steps) {
    auto scratch = WorkDirectory::open(output_.empty() ? std::string() : output_ + "/_work");
    if (!scratch) return forward_error(std::move(scratch));
    work_ = scratch->path();
    for (auto const& name : steps) {
      auto const start = std::chrono::steady_clock::now();
      PipelineStep step{.name = name};
      auto done = one(step);
      if (!done) step.error = to_line(done.error());
      step.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      result_.any_step_failed = result_.any_step_failed || !step.error.empty();
      if (!step.cost_usd) result_.cost_usd.reset();
      if (result_.cost_usd) *result_.cost_usd += *step.cost_usd;
      result_.steps.push_back(step);
      if (auto written = write_step(step); !written) return forward_error(std::move(written));
      if (!done) return forward_error(std::move(done));
    }
    if (!verified_) {
      auto ok = verify(result_.code, "final");
      if (!ok) return forward_error(std::move(ok));
      if (!ok->verified)
        return tl::unexpected<Error>(Error{ErrorCode::kNotVerified,
                                           "the program does not pass its own verification: " + ok->message,
                                           "repair it first",
                                           program_.path,
                                           0,
                                           ok->diagnostics});
      accept(result_.code, *ok);
    }
    if (output_.empty()) return std::move(result_);
    result_.path = output_ + "/" + program_.name;
    if (auto written = write_file_atomic(result_.path, result_.code); !written)
      return forward_error(std::move(written));
    return std::move(result_);
  }

 private:
  [[nodiscard]] Result<void> one(PipelineStep& step) {
    if (step.name == "analyze") return analyze(step);
    if (step.name == "host_to_device") return host_to_device(step);
    if (step.name == "evolve_markers") return evolve_markers(step);
    return warmup(step);
  }

  [[nodiscard]] Result<void> analyze(PipelineStep& step) {
    auto report = Analyzer{}.analyze(result_.code, program_.path);
    if (!report) return forward_error(std::move(report));
    step.details = std::to_string(report->graph.size()) + " collectives, " +
                   std::to_string(report->launches.size()) + " kernel launches";
    analysis_ = to_text(*report);
    return {};
  }

  [[nodiscard]] Result<void> host_to_device(PipelineStep& step) {
    auto report = Analyzer{}.analyze(result_.code, program_.path);
    if (!report) return forward_error(std::move(report));
    if (!report->has_host_communication()) return skip(step, "there are no host collectives");
    auto transformed = parts_.transform(SourceProgram{program_.path, program_.name, result_.code});
    if (!transformed) return forward_error(std::move(transformed));
    result_.code = std::move(transformed->code);
    result_.changes = std::move(transformed->changes);
    result_.input_ms = transformed->input_ms;
    result_.output_ms = transformed->output_ms;
    result_.origin = transformed->origin;
    verified_ = true;
    step.details = std::to_string(transformed->collectives.size()) + " launchers generated";
    step.cost_usd = transformed->cost_usd;
    for (TransformIteration const& i : transformed->iterations)
      if (i.accepted && !i.rewriter.empty()) step.method = i.rewriter;
    markers_method_ = transformed->markers.method;
    return {};
  }

  [[nodiscard]] Result<void> evolve_markers(PipelineStep& step) {
    auto report = Analyzer{}.analyze(result_.code, program_.path);
    if (!report) return forward_error(std::move(report));
    auto marked = markers(*report);
    if (!marked) return keep(step, marked.error());
    step.cost_usd = marked->cost_usd;
    if (!marked->changed) {
      if (!markers_method_.empty()) step.method = markers_method_;
      return skip(step, "there are markers");
    }
    step.method = marked->method;
    step.details = marked->reason.empty() ? "markers inserted" : marked->reason;
    if (same_tokens(marked->code, result_.code)) {
      result_.code = std::move(marked->code);
      return {};
    }
    return adopt(step, std::move(marked->code));
  }
  [[nodiscard]] Result<StepResult> markers(Report const& report) const {
    if (models_.markers)
      return transforming::step_once(
          models_.markers, work_, "markers", result_.code, report, parts_.resume && !output_.empty());
    auto marked = insert_evolve_markers(result_.code, report);
    if (!marked) return forward_error(std::move(marked));
    StepResult out;
    out.changed = *marked != result_.code;
    out.code = std::move(*marked);
    return out;
  }

  [[nodiscard]] Result<void> warmup(PipelineStep& step) {
    auto warm = warm_up();
    if (!warm) return keep(step, warm.error());
    step.method = warm->method;
    step.cost_usd = warm->cost_usd;
    if (!warm->changed) return skip(step, warm->reason);
    step.details = warm->reason;
    return adopt(step, std::move(warm->code));
  }
  [[nodiscard]] Result<StepResult> warm_up() const {
    if (models_.warmup) {
      auto report = Analyzer{}.analyze(result_.code, program_.path);
      if (!report) return forward_error(std::move(report));
      return transforming::step_once(
          models_.warmup, work_, "warmup", result_.code, *report, parts_.resume && !output_.empty());
    }
    auto warm = insert_warmup(result_.code, program_.path);
    if (!warm) return forward_error(std::move(warm));
    StepResult out;
    out.changed = warm->inserted;
    out.code = std::move(warm->code);
    out.reason = std::move(warm->reason);
    return out;
  }

  static Result<void> skip(PipelineStep& step, std::string why) {
    step.skipped = true;
    step.details = std::move(why);
    return {};
  }
  static Result<void> keep(PipelineStep& step, Error const& error) {
    step.error = to_line(error);
    return {};
  }

  [[nodiscard]] Result<VerifyOutcome> verify(std::string const& code, std::string const& label) const {
    return parts_.verify(code, work_, label);
  }
  void accept(std::string code, VerifyOutcome const& outcome) {
    result_.code = std::move(code);
    result_.output_ms = outcome.slowest_ms;
    result_.origin = outcome.origin;
    verified_ = true;
  }

  /// Takes `code` when it passes.
  [[nodiscard]] Result<void> adopt(PipelineStep& step, std::string code) {
    auto outcome = verify(code, step.name);
    if (!outcome) return forward_error(std::move(outcome));
    if (outcome->verified) {
      accept(std::move(code), *outcome);
    } else {
      step.error = "the program does not pass after this step: " + outcome->message;
    }
    return {};
  }

  [[nodiscard]] Result<void> write_step(PipelineStep const& step) const {
    if (output_.empty()) return {};
    auto folder = WorkDirectory::open(output_ + "/_step_" + step.name);
    if (!folder) return forward_error(std::move(folder));
    if (auto ok = write_file_atomic(folder->path() + "/result.json", pipeline_step_json(step)); !ok)
      return ok;
    if (step.name == "analyze")
      if (auto ok = write_file_atomic(folder->path() + "/analysis.txt", analysis_); !ok) return ok;
    return write_file_atomic(folder->path() + "/" + program_.name, result_.code);
  }

  PipelineParts const& parts_;
  PipelineModels const& models_;
  SourceProgram const& program_;
  std::string output_;
  std::string work_{};
  std::string analysis_{};
  std::string markers_method_{};  ///< The transformer's.
  PipelineResult result_{};
  bool verified_ = false;
};

CUCO_EVOLVE_INLINE Result<PipelineResult> run_pipeline(PipelineParts const& parts,
                                                       PipelineModels const& models,
                                                       std::vector<std::string> const& steps,
                                                       SourceProgram const& program,
                                                       std::string const& output_directory) {
  for (auto const& name : steps) {
    bool const known =
        std::any_of(kPipelineSteps.begin(), kPipelineSteps.end(), [&](auto s) { return name == s; });
    if (!known)
      return fail(ErrorCode::kInvalidArgument,
                  "there is no pipeline step '" + name + "'",
                  "steps are analyze, host_to_device, evolve_markers and warmup");
  }
  auto const start = std::chrono::steady_clock::now();
  auto result = PipelineRun(parts, models, program, output_directory).run(steps);
  if (result)
    result->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace cuco::impl
