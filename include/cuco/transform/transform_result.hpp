// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cuco/core/metric.hpp"
#include "cuco/transform/generated_section.hpp"
#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/step_result.hpp"
#include "cuco/transform/transform_iteration.hpp"

namespace cuco {

/// A verified device-initiated program, with EVOLVE markers.
struct TransformResult {
  std::string code;
  std::string name;     ///< `<stem>_device.cu`.
  bool changed = true;  ///< False: there was no host communication, and the code is the input's.
  std::vector<TransformIteration> iterations;
  std::optional<double> cost_usd = 0.0;  ///< Of all calls to models. Empty: unknown.
  StepResult markers{};                  ///< How the EVOLVE markers were set; `code` is left out.
  bool resumed = false;                  ///< Began with what an earlier call had left.
  std::vector<Change> changes;
  std::vector<GeneratedCollective> collectives;
  double input_ms = 0;   ///< Slowest rank of the host-driven program.
  double output_ms = 0;  ///< Slowest rank of the result.
  Origin origin = Origin::kNone;
  double seconds = 0;
};

}  // namespace cuco
