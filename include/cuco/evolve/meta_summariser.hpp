// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/advice.hpp"
#include "cuco/evolve/impl/meta_summary.hpp"
#include "cuco/evolve/meta_summariser_options.hpp"
#include "cuco/mutate/impl/model_mutator.hpp"

namespace cuco {

/// Watches a run and tells its mutators what has been learned: `evolution.advise(MetaSummariser{llm,
/// {.directory = …}})`.
///
/// When `interval` new programs are there, `advise` has the model summarise each of them, bring a record of
/// the search up to date, and write recommendations; else it gives the last ones. Record and recommendations
/// are replaced, never appended to, so prompts do not grow with the run. Programs that failed count; copies
/// and duplicates do not.
///
/// With a directory, `meta_memory.json` is replaced whenever something changed, and each summary leaves
/// `meta_<programs so far>.txt`. A resumed run goes on from there: nothing is summarised twice.
///
/// Errors of `advise`: kBudget and kCancelled from the backend, kParse or kIo when the memory cannot be read.
/// A call that fails otherwise is logged, the last recommendations stay, and the next call tries again.
template <LLMBackend B>
class MetaSummariser {
 public:
  explicit MetaSummariser(B backend, MetaSummariserOptions options = {})
      : backend_(std::move(backend)), summary_(std::move(options)) {}

  void on(Event const& event) { summary_.on(event); }
  /// What mutators of generation `generation` should know. The price is that of the calls made since the last
  /// advice.
  [[nodiscard]] Result<Advice> advise(int generation) {
    return summary_.advise(generation,
                           [this](ChatRequest const& request) { return backend_.complete(request); });
  }
  [[nodiscard]] std::string const& recommendations() const { return summary_.recommendations(); }

 private:
  B backend_;
  impl::MetaSummary summary_;
};

static_assert(explain_observer<MetaSummariser<impl::MuteBackend>>());

}  // namespace cuco
