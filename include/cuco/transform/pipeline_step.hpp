// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace cuco {

/// What one step of a pipeline did.
struct PipelineStep {
  std::string name;
  bool skipped = false;
  std::string method = "rules";  ///< Or "llm", or "llm+rules_fallback" when a model's proposal was no good.
  double seconds = 0;
  std::string error{};                   ///< Empty unless it failed; the code before it was kept then.
  std::string details{};                 ///< One line: what it did, or why it was skipped.
  std::optional<double> cost_usd = 0.0;  ///< Of the calls to models. Empty: unknown.
};

}  // namespace cuco
