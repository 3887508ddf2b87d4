// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cuco/analysis/report.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// What became of a step that a model may do in the rules' place.
struct StepResult {
  std::string code;
  bool changed = false;
  std::string method = "rules";  ///< "rules", "llm", or "llm+rules_fallback".
  std::string reason{};          ///< One line: what was done, or why nothing, and why not as the model said.
  std::optional<double> cost_usd = 0.0;  ///< Of the calls to models. Empty: unknown.
};

/// Such a step, of a program and its analysis. Empty: the rules do it.
using ProgramStep = std::function<Result<StepResult>(std::string const& code, Report const& report)>;

}  // namespace cuco
