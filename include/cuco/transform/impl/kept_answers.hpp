// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "cuco/core/result.hpp"
#include "cuco/transform/judge.hpp"
#include "cuco/transform/step_result.hpp"
#include "cuco/transform/transform_iteration.hpp"

/// @file
/// Answers of models that are paid for and used later, in files: a process that is killed in between, or a
/// call that fails, does not lose them.

namespace cuco::impl::transforming {

/// Keeps what a judge said about `attempt` beside the artifacts of the next one; nothing without artifacts.
[[nodiscard]] Status keep_diagnosis(std::string const& artifacts,
                                    TransformIteration const& attempt,
                                    Diagnosis const& diagnosis);

/// What was kept about this attempt. Whoever takes it also takes what it cost.
[[nodiscard]] std::optional<Diagnosis> kept_diagnosis(std::string const& artifacts,
                                                      TransformIteration const& attempt);

/// After its cost was taken.
void drop_diagnosis(std::string const& artifacts);

/// Keeps what step `name` made of `input`, as `<name>.kept.json` and `<name>.kept.cu` in `directory`.
[[nodiscard]] Status keep_step(std::string const& directory,
                               std::string const& name,
                               std::string const& input,
                               StepResult const& result);

/// What step `name` made of the same input, with what it cost. None when a file is missing or was touched.
[[nodiscard]] std::optional<StepResult> kept_step(std::string const& directory,
                                                  std::string const& name,
                                                  std::string const& input);

/// `step` of `input`, or what an earlier call has kept of it. Kept are results that a model was asked for.
/// @param resume whether to take what an earlier call has left.
[[nodiscard]] Result<StepResult> step_once(ProgramStep const& step,
                                           std::string const& directory,
                                           std::string const& name,
                                           std::string const& input,
                                           Report const& report,
                                           bool resume);

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/kept_answers-inl.hpp"
#endif
