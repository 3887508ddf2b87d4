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
/// Errors of `advise` and `conclude`: those of the backend (a kNotFound as kProcess), kParse or kIo when the
/// memory cannot be read, kToolMissing without prompt templates. What was asked until then is not asked
/// again. A reply that is cut off or says nothing is logged, the last recommendations stay, and the next
/// advice tries again.
template <LLMBackend B>
class MetaSummariser {
 public:
  explicit MetaSummariser(B backend, MetaSummariserOptions options = {})
      : backend_(std::move(backend)), summary_(std::move(options)) {}

  void on(Event const& event) { summary_.on(event); }
  /// What mutators of generation `generation` should know. The price is that of the calls made since the last
  /// advice.
  [[nodiscard]] Result<Advice> advise(int generation) { return summary_.advise(generation, asking()); }
  /// The end of the run: what is new since the last summary is summarised too, whatever the interval, in a
  /// text file of its own. A run that goes on later does so from the summary before.
  [[nodiscard]] Result<Advice> conclude() { return summary_.conclude(asking()); }
  [[nodiscard]] std::string const& recommendations() const { return summary_.recommendations(); }

 private:
  /// A kNotFound of the backend, a recording without the answer, is not about programs.
  [[nodiscard]] impl::AskModel asking() {
    return [this](ChatRequest const& request) {
      auto reply = backend_.complete(request);
      if (!reply && reply.error().code == ErrorCode::kNotFound) reply.error().code = ErrorCode::kProcess;
      return reply;
    };
  }

  B backend_;
  impl::MetaSummary summary_;
};

static_assert(explain_observer<MetaSummariser<impl::MuteBackend>>());

}  // namespace cuco
