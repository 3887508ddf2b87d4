// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/contract_output.hpp"
#include "cuco/evaluate/devices.hpp"

namespace cuco {

/// Settings of `RunStage`.
struct RunOptions {
  int ranks = 2;
  std::vector<std::string> args{};
  std::chrono::milliseconds deadline{std::chrono::minutes(2)};  ///< Of each run.
  ContractShape shape = ContractShape::kEveryRank;              ///< The seed's; see `detect_contract_shape`.
  int schedules = 2;  ///< Emulated devices: runs under reordered delivery and start skew after the first run.
  std::uint64_t seed = 1;  ///< Of the first of them; the next has the next number.
  double skew_us = 300;    ///< Their start skew, real microseconds.
};

/// The rung that runs the candidate and reads its verification.
///
/// First with delivery in program order; then, on emulated devices, under `schedules` other orders that the
/// device interface permits (one, when the program has no one-sided operations and only the skew can matter).
/// Every run must pass. Leaves the first run's times in the evidence. Raises the trust to `kEmulated` when a
/// reordered run passed and the candidate's frozen text, its verification included, is known to be the
/// seed's. Appends to `results/run.log`.
class RunStage {
 public:
  explicit RunStage(Devices devices, RunOptions options = {})
      : devices_(std::move(devices)), options_(std::move(options)) {}

  [[nodiscard]] std::string_view name() const { return "run"; }
  /// Errors: those of `Devices::run`; kInvalidArgument without a compile rung before it.
  [[nodiscard]] Result<Verdict> run(Candidate const& candidate, Evidence& evidence) const;

 private:
  Devices devices_;
  RunOptions options_;
};

static_assert(explain_stage<RunStage>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/run_stage-inl.hpp"
#endif
