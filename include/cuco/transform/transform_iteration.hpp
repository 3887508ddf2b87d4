// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/transform/rewrite.hpp"

namespace cuco {

/// One program that was built and run on the way.
struct TransformIteration {
  std::string label;  ///< "input", or "iteration_<k>".
  TransformStage stage = TransformStage::kInfrastructure;
  bool built = false;
  bool ran = false;
  bool verified = false;
  bool host_communication = false;
  double slowest_ms = 0;
  double seconds = 0;     ///< Wall clock of rewriting, building and running.
  std::string message{};  ///< Why it failed.
};

}  // namespace cuco
