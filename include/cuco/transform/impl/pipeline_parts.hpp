// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/transform_result.hpp"

namespace cuco {
struct PipelineModels;
struct PipelineResult;
}  // namespace cuco

namespace cuco::impl {

/// A pipeline's transformer behind functions, so that the steps are compiled once.
struct PipelineParts {
  std::function<Result<TransformResult>(SourceProgram const&)> transform{};
  std::function<Result<VerifyOutcome>(
      std::string const& code, std::string const& directory, std::string const& label)>
      verify{};
  bool resume = false;  ///< Take what models have made of the same programs before.
};

/// `Pipeline::run`.
[[nodiscard]] Result<PipelineResult> run_pipeline(PipelineParts const& parts,
                                                  PipelineModels const& models,
                                                  std::vector<std::string> const& steps,
                                                  SourceProgram const& program,
                                                  std::string const& output_directory);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/pipeline_run-inl.hpp"
#endif
