// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <deque>
#include <exception>
#include <future>
#include <optional>
#include <string>
#include <utility>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/impl/proposal.hpp"
#include "cuco/evolve/impl/run_files.hpp"
#include "cuco/store/evaluation_json.hpp"

namespace cuco::impl {

/// The proposals that are not in storage yet, oldest first. The first `width` of them are being evaluated.
template <class E>
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

  Slots(E const& evaluator, RunFiles const& files, int width)
      : evaluator_(evaluator), files_(files), width_(static_cast<std::size_t>(width)) {}

  void push(Entry entry) { entries_.push_back(std::move(entry)); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] bool full() const { return entries_.size() >= width_; }
  [[nodiscard]] Entry const& front() const { return entries_.front(); }

  /// Starts what may run now. Returns how many evaluations that were.
  int start() {
    int started = 0;
    for (std::size_t i = 0; i < entries_.size() && i < width_; ++i) {
      auto& entry = entries_[i];
      if (entry.settled_or_running()) continue;
      Candidate candidate{entry.proposal.program.id,
                          entry.proposal.program.code,
                          entry.at.path,
                          entry.frozen_hash,
                          entry.proposal.generation};
      entry.running = std::async(std::launch::async, [this, candidate = std::move(candidate), at = entry.at] {
        return evaluate(candidate, at);
      });
      ++started;
    }
    return started;
  }

  /// Removes the oldest entry and waits for its evaluation, which `ready` holds afterwards when it needs one.
  Result<Entry> pop() {
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    if (entry.running.valid()) {
      auto evaluation = entry.running.get();
      if (!evaluation) return forward_error(std::move(evaluation));
      entry.ready = *std::move(evaluation);
    }
    return entry;
  }

 private:
  /// Runs on a thread of its own. The result is on disk before anybody hears of it.
  Result<Evaluation> evaluate(Candidate const& candidate, GenerationPaths const& at) const {
    try {
      auto evaluation = evaluator_.evaluate(candidate);
      if (!evaluation) return evaluation;
      if (evaluation->correct() && !std::isfinite(evaluation->combined_score)) {
        evaluation->outcome = Outcome::kRunFailed;
        evaluation->error = "the evaluator gave a score that is not a number";
      }
      // Through JSON in any case: an imported result and a fresh one must not differ in a byte.
      auto exact = evaluation_from_json(to_json(*evaluation));
      if (!exact) return exact;
      if (auto stored = files_.store(at, *exact); !stored) return forward_error(std::move(stored));
      return exact;
    } catch (std::exception const& error) {
      return fail(ErrorCode::kInternal, std::string("the evaluator threw: ") + error.what());
    } catch (...) {
      return fail(ErrorCode::kInternal, "the evaluator threw something that is not an exception");
    }
  }

  E const& evaluator_;
  RunFiles const& files_;
  std::size_t width_;
  std::deque<Entry> entries_;
};

}  // namespace cuco::impl
