// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/run_directory.hpp"
#include "cuco/evolve/impl/evolution_propose-inl.hpp"
#include "cuco/evolve/impl/evolution_run.hpp"
#include "cuco/evolve/impl/evolution_start-inl.hpp"
#include "cuco/evolve/impl/evolution_store-inl.hpp"
#include "cuco/evolve/impl/run_files.hpp"
#include "cuco/evolve/impl/slots-inl.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE Result<RunSummary> EvolutionRun::run() {
  if (auto ready = begin(); !ready) return forward_error(std::move(ready));
  for (;;) {
    while (next_ < options_.generations && !slots_.full()) {
      if (!stop_ && (stop_ = interrupted())) transient_stop_ = true;
      // A run that was killed while it wound up still has to store what it had proposed.
      if (stop_ && (transient_stop_ || !files_.load(files_.paths(next_, -1), run_))) break;
      auto proposal = propose(next_);
      if (!proposal) return forward_error(std::move(proposal));
      if (!*proposal) break;  // the mutator has no means to go on; stop_ is set
      if (auto queued = enqueue(**std::move(proposal)); !queued) return forward_error(std::move(queued));
      ++next_;
      summary_.evaluated += slots_.start();  // runs while the next one is proposed
    }
    // What is in flight stays on disk: stored now, before the next proposal, it would make that another one.
    if (summary_.error && files_.durable()) {
      while (!slots_.empty()) (void)slots_.pop();
      break;
    }
    if (!transient_stop_) summary_.evaluated += slots_.start();
    if (slots_.empty() || (transient_stop_ && !slots_.front().settled_or_running())) break;
    auto entry = slots_.pop();
    if (!entry) return forward_error(std::move(entry));
    if (auto stored = insert(*std::move(entry)); !stored) return forward_error(std::move(stored));
  }
  return finish(stop_.value_or(Stop{StopReason::kGenerations, "all planned generations are done"}));
}

CUCO_EVOLVE_INLINE void EvolutionRun::emit(Event::Kind kind,
                                           int generation,
                                           Program const* program,
                                           std::string text) {
  Event const event{
      kind, generation, options_.generations, program, best_.id.empty() ? nullptr : &best_, std::move(text)};
  for (auto const& observer : parts_.observers) observer(event);
}

CUCO_EVOLVE_INLINE Result<RunSummary> run_evolution(RunParts const& parts, std::vector<Seed> const& seeds) {
  try {
    auto const& options = parts.options;
    if (auto valid = check(options); !valid) return forward_error(std::move(valid));
    auto islands = place_seeds(seeds, options.islands);
    if (!islands) return forward_error(std::move(islands));
    std::optional<RunDirectory> opened;
    if (options.run_directory == nullptr && !options.directory.empty()) {
      auto directory = RunDirectory::open(options.directory);
      if (!directory) return forward_error(std::move(directory));
      opened = *std::move(directory);
    }
    auto files = RunFiles::open(opened ? &*opened : options.run_directory);
    if (!files) return forward_error(std::move(files));
    return EvolutionRun(parts, *std::move(files), seeds, *islands).run();
  } catch (std::exception const& error) {
    return fail(ErrorCode::kInternal, std::string("a part of the run threw: ") + error.what());
  } catch (...) {
    return fail(ErrorCode::kInternal, "a part of the run threw something that is not an exception");
  }
}

}  // namespace cuco::impl
