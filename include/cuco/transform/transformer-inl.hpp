// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/transform/impl/transform_files.hpp"
#include "cuco/transform/markers.hpp"
#include "cuco/transform/transformer.hpp"

namespace cuco {

namespace impl {

/// One transformation on its way: what was tried, for the summary.
template <Rewriter R, Verifier V>
class TransformRun {
 public:
  TransformRun(R& rewriter,
               V const& verifier,
               TransformOptions const& options,
               SourceProgram const& program,
               std::string directory)
      : rewriter_(rewriter),
        verifier_(verifier),
        options_(options),
        program_(program),
        directory_(std::move(directory)) {}

  [[nodiscard]] Result<TransformResult> run(Api api) {
    auto report = Analyzer{}.analyze(program_.code, program_.path);
    if (!report) return forward_error(std::move(report));
    result_.name = device_name(program_.name);
    auto input =
        check(program_.code, "input", TransformStage::kInfrastructure, report->has_host_communication());
    if (!input) return forward_error(std::move(input));
    if (!input->verified)
      return not_verified("the program does not pass its own verification: " + input->message,
                          "repair it first; it is run with " + std::to_string(options_.ranks) + " ranks",
                          *input);
    shape_ = input->shape;
    result_.input_ms = result_.output_ms = input->slowest_ms;
    result_.origin = input->origin;
    result_.code = program_.code;
    result_.changed = report->has_host_communication();
    if (result_.changed) {
      auto done = both_stages(api);
      // The rules may have had a wrong idea of the program's buffers. With feedback they copy them all.
      if (!done && done.error().code == ErrorCode::kNotVerified) {
        result_.code = program_.code;
        result_.changes.clear();
        done = both_stages(api);
      }
      if (!done) return forward_error(std::move(done));
    }
    return finish();
  }

  [[nodiscard]] std::vector<TransformIteration> const& iterations() const { return result_.iterations; }

 private:
  [[nodiscard]] Result<void> both_stages(Api api) {
    for (auto stage : {TransformStage::kInfrastructure, TransformStage::kDevice})
      if (auto ok = advance(stage, api); !ok) return ok;
    return {};
  }

  /// Builds and runs `code`, and notes how it went.
  [[nodiscard]] Result<VerifyOutcome> check(std::string const& code,
                                            std::string const& label,
                                            TransformStage stage,
                                            bool host) {
    auto const start = std::chrono::steady_clock::now();
    auto outcome = verifier_.verify(code, directory_, label);
    if (!outcome) return outcome;
    if (shape_ && outcome->verified && outcome->shape != *shape_) {
      outcome->verified = false;
      outcome->message = "other ranks print the result than in the input program";
    }
    std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
    result_.iterations.push_back({label,
                                  stage,
                                  outcome->built,
                                  outcome->ran,
                                  outcome->verified,
                                  host,
                                  outcome->slowest_ms,
                                  seconds.count(),
                                  outcome->message});
    return outcome;
  }

  [[nodiscard]] tl::unexpected<Error> not_verified(std::string cause,
                                                   std::string remedy,
                                                   VerifyOutcome const& outcome) const {
    Error error{
        ErrorCode::kNotVerified, std::move(cause), std::move(remedy), program_.path, 0, outcome.diagnostics};
    return tl::unexpected<Error>(std::move(error));
  }

  [[nodiscard]] Result<void> advance(TransformStage stage, Api api) {
    VerifyOutcome last;
    for (int attempt = 0; attempt < std::max(1, options_.attempts); ++attempt) {
      auto report = Analyzer{}.analyze(result_.code, program_.path);
      if (!report) return forward_error(std::move(report));
      RewriteRequest const request{
          result_.code, program_.path, *report, stage, options_.directives, options_.ranks, feedback_};
      auto rewrite = rewriter_.rewrite(request);
      if (!rewrite) return forward_error(std::move(rewrite));
      auto after = Analyzer{}.analyze(rewrite->code, program_.path);
      bool const host = !after || after->has_host_communication();
      std::string const label = "iteration_" + std::to_string(++number_);
      auto outcome = check(rewrite->code, label, stage, host);
      if (!outcome) return forward_error(std::move(outcome));
      if (stage == TransformStage::kDevice && host && outcome->verified) {
        outcome->verified = false;
        outcome->message = "host collectives are left";
      }
      if (outcome->verified) {
        result_.code = std::move(rewrite->code);
        result_.output_ms = outcome->slowest_ms;
        result_.changes.insert(result_.changes.end(), rewrite->changes.begin(), rewrite->changes.end());
        feedback_.clear();
        return {};
      }
      feedback_ = outcome->message + "\n" + outcome->diagnostics;
      last = std::move(*outcome);
    }
    return not_verified(std::string("the ") + to_string(api) + " program of the " + to_string(stage) +
                            " stage does not pass the program's verification: " + last.message,
                        "see " + directory_ + "/iteration_" + std::to_string(number_) + ".log",
                        last);
  }

  [[nodiscard]] Result<TransformResult> finish() {
    auto report = Analyzer{}.analyze(result_.code, program_.path);
    if (!report) return forward_error(std::move(report));
    auto marked = insert_evolve_markers(result_.code, *report);
    if (!marked) return forward_error(std::move(marked));
    if (!same_tokens(result_.code, *marked)) {
      auto outcome = check(*marked, "iteration_" + std::to_string(++number_), TransformStage::kDevice, false);
      if (!outcome) return forward_error(std::move(outcome));
      if (!outcome->verified)
        return not_verified("the program with markers does not pass: " + outcome->message, {}, *outcome);
      result_.output_ms = outcome->slowest_ms;
    }
    result_.code = std::move(*marked);
    auto collectives = read_annotations(result_.code, program_.path);
    if (!collectives) return forward_error(std::move(collectives));
    result_.collectives = std::move(*collectives);
    if (auto written = write_file_atomic(directory_ + "/" + result_.name, result_.code); !written)
      return forward_error(std::move(written));
    return std::move(result_);
  }

  R& rewriter_;
  V const& verifier_;
  TransformOptions const& options_;
  SourceProgram const& program_;
  std::string directory_;
  std::optional<ContractShape> shape_{};
  TransformResult result_{};
  std::string feedback_{};  ///< Of the attempt that failed last.
  int number_ = 0;
};

}  // namespace impl

template <Api A, Rewriter R, Verifier V>
Result<TransformResult> Transformer<A, R, V>::transform(SourceProgram const& program) {
  auto const start = std::chrono::steady_clock::now();
  auto directory = impl::WorkDirectory::open(options_.work_directory);
  if (!directory) return forward_error(std::move(directory));
  impl::TransformRun<R, V> run(rewriter_, verifier_, options_, program, directory->path());
  auto result = run.run(A);
  std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
  if (result) result->seconds = seconds.count();
  auto const& iterations = result ? result->iterations : run.iterations();
  std::string const summary = impl::transform_summary_json(
      iterations, seconds.count(), result ? std::string() : to_line(result.error()));
  auto written = write_file_atomic(directory->path() + "/transform_summary.json", summary);
  if (!written && result) return forward_error(std::move(written));
  return result;
}

}  // namespace cuco
