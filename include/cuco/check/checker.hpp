// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/check/soundness_report.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/device_options.hpp"
#include "cuco/transform/load_program.hpp"

namespace cuco {

/// How `Checker` looks for defects.
struct CheckOptions {
  std::vector<int> ranks{2, 4};  ///< Numbers of ranks to try, each at least 1.
  int seeds = 2;                 ///< Schedules of each kind that depends on a seed.
  std::string schedule{};        ///< "ranks:mode:seed[:GPUs per node]": this one only, as a report names it.
  bool all = false;              ///< Go on after a schedule that shows a defect.
  std::vector<std::string> args{};                               ///< Of the program.
  std::vector<std::pair<std::string, std::string>> overrides{};  ///< Values of its dimensions.
  int standard = 17;                                             ///< C++ standard: 17 or 20.
  std::chrono::milliseconds deadline{std::chrono::seconds(60)};  ///< Of one run.
  EmulatedOptions emulator{};
  std::atomic<bool> const* cancel = nullptr;
  std::function<void(std::string const& schedule)> progress{};  ///< Before each run.
};

/// Looks for unsound communication in a program with device-initiated communication (LSA, GIN or both),
/// without a GPU: runs it on emulated ranks under several schedules, records every access and every
/// synchronisation, and reports accesses that nothing orders, waits that do not guarantee what they are for,
/// broken rules and deadlocks.
///
/// A defect is reported when the synchronisation of a run does not exclude it, whether or not the values were
/// wrong. kSound says that no tried schedule of this input shows one; other inputs and control flow may.
class Checker {
 public:
  explicit Checker(CheckOptions options = {}) : options_(std::move(options)) {}

  /// Errors: kToolMissing, kIo, kProcess, kCancelled; kNotFound and kInvalidArgument for overrides and
  /// schedules. A program that does not compile, or that the emulator cannot run, gives
  /// `Soundness::kUnknown`.
  [[nodiscard]] Result<SoundnessReport> check(SourceProgram const& program) const;

 private:
  CheckOptions options_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/check/checker-inl.hpp"
#endif
