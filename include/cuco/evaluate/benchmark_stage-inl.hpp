// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/benchmark_stage.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/evaluate/statistics.hpp"

namespace cuco {

struct BenchmarkStage::Sample {
  std::vector<double> slowest_ms;            // Index = repetition.
  std::vector<std::vector<double>> rank_ms;  // [repetition][rank].
  bool gave_up = false;

  [[nodiscard]] std::vector<double> rank_medians() const {
    std::vector<double> medians;
    for (std::size_t rank = 0; !rank_ms.empty() && rank < rank_ms.front().size(); ++rank) {
      std::vector<double> times;
      for (auto const& repetition : rank_ms)
        if (rank < repetition.size()) times.push_back(repetition[rank]);
      medians.push_back(median(std::move(times)));
    }
    return medians;
  }
};

struct BenchmarkStage::Best {
  std::mutex mutex;
  double ms = 0;
};

CUCO_EVOLVE_INLINE BenchmarkStage::BenchmarkStage(Devices devices, BenchmarkOptions options)
    : devices_(std::move(devices)), options_(std::move(options)), best_(std::make_shared<Best>()) {}

CUCO_EVOLVE_INLINE void BenchmarkStage::set_best_ms(double ms) const {
  std::lock_guard const lock(best_->mutex);
  if (ms > 0 && (best_->ms == 0 || ms < best_->ms)) best_->ms = ms;
}

CUCO_EVOLVE_INLINE double BenchmarkStage::best_ms() const {
  std::lock_guard const lock(best_->mutex);
  return best_->ms;
}

CUCO_EVOLVE_INLINE Result<Verdict> BenchmarkStage::measure(Candidate const& candidate,
                                                           Evidence const& evidence,
                                                           bool may_give_up,
                                                           Sample& sample) const {
  bool const emulated = devices_.is_emulated();
  int const most = emulated ? 1 : std::max(1, options_.most_repetitions);
  double const best = best_ms();
  for (int i = 0; i < most; ++i) {
    RunSpec spec;
    spec.binary = evidence.binary_path;
    spec.args = options_.args;
    spec.ranks = options_.ranks;
    spec.deadline = options_.deadline;
    auto result = devices_.run(spec);
    if (!result) return forward_error(std::move(result));
    auto const logged = impl::evaluating::append_text(
        candidate.directory + "/results/run.log",
        impl::evaluating::run_log("repetition " + std::to_string(i), spec, *result));
    if (!logged) return tl::unexpected(logged.error());
    auto judgement = impl::evaluating::judge_run(spec, *result, options_.shape);
    if (!judgement.verdict.passed()) {
      judgement.verdict.message = "repetition " + std::to_string(i) + ": " + judgement.verdict.message;
      return std::move(judgement.verdict);
    }
    sample.slowest_ms.push_back(judgement.contract.slowest_ms);
    sample.rank_ms.push_back(std::move(judgement.contract.rank_ms));
    if (may_give_up && clearly_worse(sample.slowest_ms, best, options_.give_up_margin)) {
      sample.gave_up = true;
      break;
    }
    if (i + 1 < options_.least_repetitions) continue;
    Interval const interval = median_interval(sample.slowest_ms, options_.confidence);
    double const center = median(sample.slowest_ms);
    if (interval.confidence >= options_.confidence &&
        interval.high - interval.low <= options_.relative_width * center)
      break;
  }
  return Verdict{};
}

CUCO_EVOLVE_INLINE Result<Verdict> BenchmarkStage::run(Candidate const& candidate, Evidence& evidence) const {
  if (evidence.binary_path.empty())
    return fail(
        ErrorCode::kInvalidArgument, "a benchmark rung has nothing to run", "put a compile rung before it");
  Verdict verdict;
  bool const emulated = devices_.is_emulated();
  if (emulated && evidence.origin == Origin::kModelled && !evidence.rank_ms.empty()) {
    verdict.message = "modelled time of the first run";
    set_best_ms(*std::max_element(evidence.rank_ms.begin(), evidence.rank_ms.end()));
    return verdict;
  }

  Sample sample;
  auto measured = measure(candidate, evidence, true, sample);
  if (!measured || !measured->passed()) return measured;
  bool const would_win = best_ms() == 0 || median(sample.slowest_ms) < best_ms();
  bool const confirm = !emulated && options_.confirm_best && would_win && !sample.gave_up;
  if (confirm) {
    Sample second;
    measured = measure(candidate, evidence, false, second);
    if (!measured || !measured->passed()) return measured;
    sample = std::move(second);
  }
  double const time = median(sample.slowest_ms);
  set_best_ms(time);
  evidence.rank_ms = sample.rank_medians();
  evidence.repetitions_ms = sample.slowest_ms;
  evidence.origin = devices_.origin();
  verdict.message = std::to_string(sample.slowest_ms.size()) + " repetitions";
  if (sample.gave_up) verdict.message += ", given up as clearly slower than the best";
  if (confirm) verdict.message += ", confirmed by a second sample";
  if (!emulated) {
    Interval const interval = median_interval(sample.slowest_ms, options_.confidence);
    evidence.public_metrics.push_back({"time_low_ms", interval.low});
    evidence.public_metrics.push_back({"time_high_ms", interval.high});
    evidence.private_metrics.push_back({"repetitions", static_cast<double>(sample.slowest_ms.size())});
    evidence.private_metrics.push_back({"time_interval_confidence", interval.confidence});
    evidence.private_metrics.push_back({"time_standard_deviation_ms", standard_deviation(sample.slowest_ms)});
  }
  return verdict;
}

}  // namespace cuco
