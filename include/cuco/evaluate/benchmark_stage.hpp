// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/contract_output.hpp"
#include "cuco/evaluate/devices.hpp"

namespace cuco {

/// Settings of `BenchmarkStage`.
struct BenchmarkOptions {
  int ranks = 2;
  std::vector<std::string> args{};
  std::chrono::milliseconds deadline{std::chrono::minutes(2)};  ///< Of each repetition.
  ContractShape shape = ContractShape::kEveryRank;
  int least_repetitions = 6;  ///< The fewest that give the median a 95 % interval.
  int most_repetitions = 20;
  double relative_width = 0.02;  ///< Enough when the interval of the median is this narrow, as a share of it.
  double confidence = 0.95;
  double give_up_margin = 0.05;  ///< Stop when clearly more than this much slower than the best so far.
  bool confirm_best = true;      ///< Measure a new best a second time and score the second sample.
};

/// The rung that finds the time.
///
/// On GPUs every repetition is one launch of all ranks in fresh processes, each verified; its time is that of
/// the slowest rank. Repetitions end when the interval of their median is narrow enough, at the limit, or as
/// soon as the candidate is clearly worse than the best that this stage has seen. A candidate that would be
/// the new best is measured again from the start, and only the second sample counts, because the first was
/// selected for being fast.
///
/// Emulated devices compute the time, so one run is enough: the run rung's is used when it is there. Leaves
/// times, origin and, for measurements, interval and spread in the evidence. Copies share the best time.
class BenchmarkStage {
 public:
  explicit BenchmarkStage(Devices devices, BenchmarkOptions options = {});

  [[nodiscard]] std::string_view name() const { return "benchmark"; }
  /// Errors: those of `Devices::run`; kInvalidArgument without a compile rung before it.
  [[nodiscard]] Result<Verdict> run(Candidate const& candidate, Evidence& evidence) const;

  /// Tells it the time of the best program of an earlier process, so that giving up early works from the
  /// start.
  void set_best_ms(double ms) const;
  /// The best time so far in milliseconds; 0 when there is none.
  [[nodiscard]] double best_ms() const;

 private:
  struct Sample;
  struct Best;
  [[nodiscard]] Result<Verdict> measure(Candidate const& candidate,
                                        Evidence const& evidence,
                                        bool may_give_up,
                                        Sample& sample) const;

  Devices devices_;
  BenchmarkOptions options_;
  std::shared_ptr<Best> best_;
};

static_assert(explain_stage<BenchmarkStage>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/benchmark_stage-inl.hpp"
#endif
