// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/transform/diagnostic_rerun.hpp"
#include "cuco/transform/generated_section.hpp"
#include "cuco/transform/impl/attempt.hpp"
#include "cuco/transform/impl/kept_answers.hpp"
#include "cuco/transform/impl/stage_check.hpp"
#include "cuco/transform/impl/transform_files.hpp"
#include "cuco/transform/impl/transform_parts.hpp"
#include "cuco/transform/impl/transform_state.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/markers.hpp"
#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/rule_rewriter.hpp"
#include "cuco/transform/transform_options.hpp"
#include "cuco/transform/transform_result.hpp"

namespace cuco::impl::transforming {

/// One transformation on its way: what was tried, for the summary, for feedback and for resuming.
class TransformRun {
 public:
  TransformRun(TransformParts const& parts,
               TransformOptions const& options,
               SourceProgram const& program,
               std::string directory)
      : parts_(parts), options_(options), program_(program), directory_(std::move(directory)) {}

  [[nodiscard]] Result<TransformResult> run(Api api) {
    api_ = api;
    auto report = Analyzer{}.analyze(program_.code, program_.path);
    if (!report) return forward_error(std::move(report));
    result_.name = device_name(program_.name);
    result_.code = program_.code;
    result_.changed = report->has_host_communication();
    if (auto ok = begin(); !ok) return forward_error(std::move(ok));
    result_.input_ms = state_.input_ms;
    result_.origin = state_.origin;
    if (result_.output_ms == 0) result_.output_ms = state_.input_ms;
    if (result_.changed) {
      auto done = all_stages();
      // The rules may have had a wrong idea of the program's buffers. With feedback they copy them all.
      if (!done && done.error().code == ErrorCode::kNotVerified && rules_try_again_) {
        if (auto ok = restart(); !ok) return forward_error(std::move(ok));
        done = all_stages();
      }
      if (!done) return forward_error(std::move(done));
    }
    return finish();
  }

  [[nodiscard]] std::vector<TransformIteration> const& iterations() const { return state_.iterations; }

 private:
  // ---- beginning ----------------------------------------------------------------------------------------

  /// Verifies the input, or goes on where an earlier call has stopped.
  [[nodiscard]] Status begin() {
    std::string const key = this->key();
    if (options_.resume)
      if (auto old = load_state(directory_, key)) {
        state_ = std::move(*old);
        result_.resumed = true;
        for (FinishedStage const& f : state_.finished) adopt(f);
        return {};
      }
    drop_state(directory_);
    state_.key = key;
    TransformIteration input;
    input.label = "input";
    input.code = program_.code;
    input.host_communication = result_.changed;
    auto outcome = check(input);
    if (!outcome) return forward_error(std::move(outcome));
    input.accepted = outcome->verified;
    state_.iterations.push_back(std::move(input));
    if (!outcome->verified)
      return not_verified("the program does not pass its own verification: " + outcome->message,
                          "repair it first; it is run with " + std::to_string(options_.ranks) + " ranks",
                          outcome->diagnostics);
    state_.input_verified = true;
    state_.shape = outcome->shape;
    state_.input_ms = outcome->slowest_ms;
    state_.origin = outcome->origin;
    return save_state(directory_, state_);
  }

  [[nodiscard]] std::string key() const {
    std::vector<std::string> parts{program_.code,
                                   program_.name,
                                   to_string(api_),
                                   std::to_string(options_.ranks),
                                   std::to_string(options_.schedules),
                                   options_.single_stage ? "single" : "two",
                                   options_.directives ? to_string(*options_.directives) : std::string()};
    parts.insert(parts.end(), options_.args.begin(), options_.args.end());
    if (parts_.fingerprint) parts.push_back(parts_.fingerprint());
    return transform_key(parts);
  }

  void adopt(FinishedStage const& stage) {
    result_.code = stage.code;
    result_.output_ms = stage.slowest_ms;
    result_.changes.insert(result_.changes.end(), stage.changes.begin(), stage.changes.end());
  }

  /// Everything anew, with what was learned. At most once.
  [[nodiscard]] Status restart() {
    rules_try_again_ = false;
    state_.restarted = true;
    state_.finished.clear();
    state_.attempts = 0;
    result_.code = program_.code;
    result_.changes.clear();
    return save_state(directory_, state_);
  }

  // ---- stages -------------------------------------------------------------------------------------------

  [[nodiscard]] Result<void> all_stages() {
    std::vector<TransformStage> stages{TransformStage::kInfrastructure, TransformStage::kDevice};
    if (options_.single_stage) stages = {TransformStage::kSingle};
    for (auto stage : stages) {
      bool const done = std::any_of(state_.finished.begin(),
                                    state_.finished.end(),
                                    [&](FinishedStage const& f) { return f.stage == stage; });
      if (done) continue;
      if (auto ok = advance(stage); !ok) return ok;
    }
    return {};
  }

  [[nodiscard]] Result<void> advance(TransformStage stage) {
    int const most = options_.attempts > 0 ? options_.attempts : parts_.attempts(stage);
    while (state_.attempts < most) {
      auto report = Analyzer{}.analyze(result_.code, program_.path);
      if (!report) return forward_error(std::move(report));
      // Who rewrites may do more than was asked for.
      if (stage == TransformStage::kDevice && !report->has_host_communication()) return {};
      auto accepted = attempt(stage, *report, most > 1);
      // Whoever was asked has no attempt left.
      if (!accepted && accepted.error().code == ErrorCode::kNotVerified && state_.attempts > 0) break;
      if (!accepted) return forward_error(std::move(accepted));
      if (auto saved = save_state(directory_, state_); !saved) return saved;
      if (*accepted) return {};
      if (rules_try_again_) break;
    }
    // A later call begins this stage anew; what was tried stays on record.
    state_.attempts = 0;
    if (auto saved = save_state(directory_, state_); !saved) return saved;
    TransformIteration const& last = state_.iterations.back();
    return not_verified(std::string("the ") + to_string(api_) + " program of the " + to_string(stage) +
                            " stage does not pass the program's verification: " + last.message,
                        "see " + directory_ + "/" + last.label + ".log",
                        last.diagnostics);
  }

  /// One proposal and its verdict.
  /// @return whether it is the result of the stage.
  [[nodiscard]] Result<bool> attempt(TransformStage stage, Report const& report, bool again) {
    auto const start = std::chrono::steady_clock::now();
    TransformIteration now;
    now.label = "iteration_" + std::to_string(state_.number + 1);
    now.stage = stage;
    RewriteRequest const request{result_.code,
                                 program_.path,
                                 report,
                                 stage,
                                 options_.directives,
                                 options_.ranks,
                                 state_.feedback,
                                 state_.attempts + 1,
                                 &state_.iterations,
                                 program_.code,
                                 options_.args,
                                 directory_ + "/" + now.label};
    auto rewrite = parts_.rewrite(request);
    if (!rewrite) return forward_error(std::move(rewrite));
    if (auto ok = note_diagnosis(*rewrite); !ok) return forward_error(std::move(ok));
    ++state_.number;
    ++state_.attempts;
    take_proposal(*rewrite, program_.code, result_.code, state_.iterations, now);
    // Also of one that is not built: whoever resumes finds it by its label.
    if (!now.code.empty())
      if (auto kept = write_file_atomic(path_of(now, ".cu"), now.code); !kept)
        return forward_error(std::move(kept));
    if (now.message.empty()) {
      auto judged = judge(now, rewrite->by_rules, again);
      if (!judged) return forward_error(std::move(judged));
    }
    std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
    now.seconds = seconds.count();
    rules_try_again_ = false;
    if (now.accepted) {
      state_.finished.push_back({stage, now.label, now.code, now.slowest_ms, std::move(rewrite->changes)});
      adopt(state_.finished.back());
      state_.attempts = 0;
      state_.feedback.clear();
    } else {
      state_.feedback = now.message + "\n" + now.diagnostics;
      rules_try_again_ = rewrite->by_rules && !state_.restarted;
    }
    bool const accepted = now.accepted;
    state_.iterations.push_back(std::move(now));
    return accepted;
  }

  /// Builds and runs the proposal and decides whether it is the stage's result.
  [[nodiscard]] Status judge(TransformIteration& now, bool by_rules, bool again) {
    auto after = Analyzer{}.analyze(now.code, program_.path);
    now.host_communication =
        !after || after->has_host_communication() || (!by_rules && names_host_collective(now.code));
    auto outcome = check(now);
    if (!outcome) return forward_error(std::move(outcome));
    if (now.verified && now.stage != TransformStage::kInfrastructure && now.host_communication)
      now.message = "host collectives are left";
    if (now.verified && now.message.empty() && !by_rules)
      now.message = stage_problem(api_, now.stage, program_.code, now.code, program_.path);
    now.accepted = now.verified && now.message.empty();
    if (again && options_.diagnostic_rerun && now.built && !now.ran) {
      auto rerun = cuco::diagnostic_rerun(parts_.verifier, now.code, *outcome);
      if (!rerun) return forward_error(std::move(rerun));
      now.rerun = std::move(*rerun);
      if (!now.rerun.empty()) return write_file_atomic(path_of(now, ".rerun.txt"), now.rerun);
    }
    return {};
  }

  /// A judge's words belong to the attempt before.
  [[nodiscard]] Status note_diagnosis(Rewrite const& rewrite) {
    if (rewrite.diagnosis.empty() || state_.attempts == 0 || state_.iterations.empty()) return {};
    TransformIteration& last = state_.iterations.back();
    last.diagnosis = rewrite.diagnosis;
    return write_file_atomic(path_of(last, ".judge.txt"), last.diagnosis);
  }

  // ---- verification -------------------------------------------------------------------------------------

  /// Builds and runs `now.code`, and notes how it went.
  [[nodiscard]] Result<VerifyOutcome> check(TransformIteration& now) {
    auto const start = std::chrono::steady_clock::now();
    if (auto made = write_file_atomic(path_of(now, ".cu"), now.code); !made)
      return forward_error(std::move(made));
    auto outcome = parts_.verifier.verify(now.code, directory_, now.label);
    if (!outcome) return outcome;
    if (state_.input_verified && outcome->verified && outcome->shape != state_.shape) {
      outcome->verified = false;
      outcome->message = "other ranks print the result than in the input program";
    }
    std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
    now.built = outcome->built;
    now.ran = outcome->ran;
    now.verified = outcome->verified;
    now.slowest_ms = outcome->slowest_ms;
    now.seconds = seconds.count();
    // The same program must give the same words wherever it is built: a recorded model is asked by them.
    now.message = without_folder(outcome->message, directory_);
    now.diagnostics = without_folder(outcome->diagnostics, directory_);
    if (!now.verified && now.built)
      now.output = without_folder(output_of_log(path_of(now, ".log")), directory_);
    return outcome;
  }

  [[nodiscard]] std::string path_of(TransformIteration const& i, char const* suffix) const {
    return directory_ + "/" + i.label + suffix;
  }

  [[nodiscard]] tl::unexpected<Error> not_verified(std::string cause,
                                                   std::string remedy,
                                                   std::string detail) const {
    Error error{
        ErrorCode::kNotVerified, std::move(cause), std::move(remedy), program_.path, 0, std::move(detail)};
    return tl::unexpected<Error>(std::move(error));
  }

  // ---- end ----------------------------------------------------------------------------------------------

  [[nodiscard]] Result<StepResult> place_markers(Report const& report) const {
    if (options_.markers)
      return step_once(options_.markers, directory_, "markers", result_.code, report, options_.resume);
    auto marked = insert_evolve_markers(result_.code, report);
    if (!marked) return forward_error(std::move(marked));
    StepResult out;
    out.changed = *marked != result_.code;
    out.code = std::move(*marked);
    return out;
  }

  [[nodiscard]] Result<TransformResult> finish() {
    auto report = Analyzer{}.analyze(result_.code, program_.path);
    if (!report) return forward_error(std::move(report));
    auto marked = place_markers(*report);
    if (!marked) return forward_error(std::move(marked));
    if (!same_tokens(result_.code, marked->code)) {
      TransformIteration now;
      now.label = "iteration_" + std::to_string(++state_.number);
      now.stage = TransformStage::kDevice;
      now.code = marked->code;
      auto outcome = check(now);
      if (!outcome) return forward_error(std::move(outcome));
      now.accepted = now.verified;
      state_.iterations.push_back(now);
      if (!now.verified)
        return not_verified("the program with markers does not pass: " + now.message, {}, now.diagnostics);
      result_.output_ms = now.slowest_ms;
    }
    result_.code = std::move(marked->code);
    marked->code.clear();
    result_.markers = std::move(*marked);
    auto collectives = read_annotations(result_.code, program_.path);
    // A model's program may have lines that look like the annotations of generated code.
    if (!collectives && all_by_rules()) return forward_error(std::move(collectives));
    if (collectives) result_.collectives = std::move(*collectives);
    if (auto written = write_file_atomic(directory_ + "/" + result_.name, result_.code); !written)
      return forward_error(std::move(written));
    result_.iterations = state_.iterations;
    result_.cost_usd = total_cost(result_.iterations);
    if (!result_.markers.cost_usd) result_.cost_usd.reset();
    if (result_.cost_usd) *result_.cost_usd += *result_.markers.cost_usd;
    return std::move(result_);
  }

  [[nodiscard]] bool all_by_rules() const {
    return std::all_of(state_.iterations.begin(), state_.iterations.end(), [](TransformIteration const& i) {
      return !i.accepted || i.rewriter.empty() || i.rewriter == RuleRewriter<Api::LSA>::name();
    });
  }

  TransformParts const& parts_;
  TransformOptions const& options_;
  SourceProgram const& program_;
  std::string directory_;
  Api api_ = Api::LSA;
  TransformState state_{};
  TransformResult result_{};
  bool rules_try_again_ = false;  ///< With feedback the rules copy every buffer.
};

}  // namespace cuco::impl::transforming
