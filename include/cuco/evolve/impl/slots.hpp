// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <future>
#include <optional>
#include <string>
#include <utility>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/impl/proposal.hpp"
#include "cuco/evolve/impl/run_files.hpp"
#include "cuco/evolve/impl/run_parts.hpp"

namespace cuco::impl {

/// The proposals that are not in storage yet, oldest first. The first `width` of them are being evaluated.
class Slots {
 public:
  struct Entry {
    Proposal proposal;
    GenerationPaths at;
    std::string frozen_hash{};
    std::optional<Evaluation> ready{};  ///< Imported from an interrupted run.
    std::future<Result<Evaluation>> running{};

    [[nodiscard]] bool needs_evaluation() const {
      return proposal.skipped.empty() && proposal.duplicate_of.empty() && !ready;
    }
    [[nodiscard]] bool settled_or_running() const { return !needs_evaluation() || running.valid(); }
  };

  Slots(RunEvaluator const& evaluator, RunFiles const& files, int width)
      : evaluator_(evaluator), files_(files), width_(static_cast<std::size_t>(width)) {}

  void push(Entry entry) { entries_.push_back(std::move(entry)); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] bool full() const { return entries_.size() >= width_; }
  [[nodiscard]] Entry const& front() const { return entries_.front(); }

  /// Starts what may run now. Returns how many evaluations that were.
  int start();

  /// Removes the oldest entry and waits for its evaluation, which `ready` holds afterwards when it needs one.
  Result<Entry> pop();

 private:
  /// Runs on a thread of its own. The result is on disk before anybody hears of it.
  Result<Evaluation> evaluate(Candidate const& candidate, GenerationPaths const& at) const;

  RunEvaluator const& evaluator_;
  RunFiles const& files_;
  std::size_t width_;
  std::deque<Entry> entries_;
};

}  // namespace cuco::impl
