// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <exception>
#include <future>
#include <string>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/impl/slots.hpp"
#include "cuco/store/evaluation_json.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE int Slots::start() {
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

CUCO_EVOLVE_INLINE Result<Slots::Entry> Slots::pop() {
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  if (entry.running.valid()) {
    auto evaluation = entry.running.get();
    if (!evaluation) return forward_error(std::move(evaluation));
    entry.ready = *std::move(evaluation);
  }
  return entry;
}

CUCO_EVOLVE_INLINE Result<Evaluation> Slots::evaluate(Candidate const& candidate,
                                                      GenerationPaths const& at) const {
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

}  // namespace cuco::impl
