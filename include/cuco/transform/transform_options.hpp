// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cuco/directives/directives.hpp"
#include "cuco/transform/step_result.hpp"

namespace cuco {

/// How a program is transformed.
struct TransformOptions {
  int ranks = 2;                           ///< MPI processes of every run.
  std::vector<std::string> args{};         ///< The program's arguments.
  std::string work_directory{};            ///< For artifacts; empty: a temporary one, removed afterwards.
  std::optional<Directives> directives{};  ///< Where to generate; empty: conservative.
  /// Of each stage; 0: as many as the rewriter asks for, which is one unless it reads feedback.
  int attempts = 0;
  /// Of each run of a program.
  std::chrono::milliseconds deadline{std::chrono::minutes(2)};
  int schedules = 2;          ///< On emulated devices: runs under reordered delivery, besides the plain one.
  bool single_stage = false;  ///< Ask for infrastructure and kernels in one step.
  /// Go on with what an earlier call, of the same input and options, left in the work directory. Its finished
  /// stages are taken when their programs are unchanged, and its attempts are told to the rewriter.
  bool resume = false;
  /// When a program fails at run time and there will be another attempt: run it once more with a
  /// synchronisation after each kernel launch, to learn which kernel it is.
  bool diagnostic_rerun = true;
  ProgramStep markers{};  ///< Puts EVOLVE markers into the result; empty: the rules do.
};

}  // namespace cuco
