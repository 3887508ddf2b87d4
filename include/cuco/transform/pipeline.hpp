// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/transform/pipeline_step.hpp"
#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/step_result.hpp"
#include "cuco/transform/transformer.hpp"

namespace cuco {

/// A verified program that is ready to evolve.
struct PipelineResult {
  std::string code;
  std::string path;  ///< Where it was written; empty without an output directory.
  std::vector<PipelineStep> steps;
  std::vector<Change> changes;  ///< What the rewriter did to the program and why, by line of the input.
  bool any_step_failed = false;
  double input_ms = 0;   ///< Slowest rank of the input, when the transformer ran it; else 0.
  double output_ms = 0;  ///< Slowest rank of `code`.
  Origin origin = Origin::kNone;
  double seconds = 0;
  std::optional<double> cost_usd = 0.0;  ///< Of all calls to models. Empty: unknown.
};

/// Models that do steps in the rules' place: `{.markers = LlmMarkers{backend}, .warmup =
/// LlmWarmup{backend}}`. Empty ones are left to the rules.
struct PipelineModels {
  ProgramStep markers{};
  ProgramStep warmup{};
};

/// Runs named steps in order: `analyze`, `host_to_device` (skipped without host collectives),
/// `evolve_markers` (skipped when there are markers), `warmup` (skipped when the program warms up, or
/// cannot). Markers and warm-up may come from a model. A step that changes the program is followed by
/// building, running and verifying it; when that fails, the code before the step is kept. Only a failure of
/// host_to_device ends the pipeline. What `run` returns has passed its verification.
template <class T>
class Pipeline {
 public:
  explicit Pipeline(
      T transformer,
      std::vector<std::string> steps = {"analyze", "host_to_device", "evolve_markers", "warmup"},
      PipelineModels models = {})
      : transformer_(std::move(transformer)), steps_(std::move(steps)), models_(std::move(models)) {}

  /// @param output_directory gets `_step_<name>/` with the code and result.json of each step, and the final
  /// program
  ///        under its own name; empty: nothing is written.
  /// Errors: kInvalidArgument for a step of unknown name; those of `Transformer::transform`; kNotVerified;
  /// kIo.
  [[nodiscard]] Result<PipelineResult> run(SourceProgram const& program,
                                           std::string const& output_directory = {});

 private:
  T transformer_;
  std::vector<std::string> steps_;
  PipelineModels models_;
};

}  // namespace cuco

#include "cuco/transform/pipeline-inl.hpp"
