// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/impl/evolution_run.hpp"

namespace cuco::impl {

inline int to_int(std::optional<std::string> const& text, int fallback) {
  int value = fallback;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

/// Compares the run in storage with the one that is asked for; writes down who we are in an empty one.
CUCO_EVOLVE_INLINE Status EvolutionRun::identify() {
  struct Fact {
    char const* key;
    std::string value;
    char const* what;
    bool show;
  };
  Fact const facts[] = {
      {key::run_seed, std::to_string(options_.seed), "random seed", true},
      {key::run_islands, std::to_string(options_.islands), "number of islands", true},
      {key::run_sources, sources_hash(seeds_, islands_), "seed programs", false},
  };
  run_ = content_hash_128(facts[0].value + "/" + facts[1].value + "/" + facts[2].value);
  auto const size = storage().size();
  if (!size) return tl::unexpected<Error>(size.error());
  auto const where = files_.durable() ? "run directory " + files_.path() : std::string("storage");
  for (auto const& fact : facts) {
    auto const stored = storage().value(fact.key);
    if (!stored) return tl::unexpected<Error>(stored.error());
    if (*size == 0) continue;  // a run that never stored a program binds nobody
    if (!*stored)
      return fail(ErrorCode::kConflict,
                  "the " + where + " holds programs but no record of how the run was started",
                  "choose another run directory");
    if (**stored != fact.value)
      return fail(ErrorCode::kConflict,
                  fmt::format("the {} holds a run with another {}{}",
                              where,
                              fact.what,
                              fact.show ? fmt::format(" ({}, not {})", **stored, fact.value) : ""),
                  "use the same one to continue it, or choose another run directory");
  }
  return storage().transaction([&]() -> Status {
    for (auto const& fact : facts)
      if (auto set = storage().set_value(fact.key, fact.value); !set) return set;
    return storage().set_value(key::run_options, options_json(options_, parts_.selector.name("custom")));
  });
}

CUCO_EVOLVE_INLINE Status EvolutionRun::begin() {
  for (auto const& seed : seeds_)
    if (auto frozen = frozen_hash_or_empty(seed.code, seed.name.empty() ? "<seed>" : seed.name); !frozen)
      return forward_error(std::move(frozen));
  if (auto known = identify(); !known) return known;
  auto const size = storage().size();
  if (!size) return tl::unexpected<Error>(size.error());
  summary_.resumed = *size > 0;
  if (summary_.resumed) {
    if (auto restored = restore(); !restored) return restored;
  }
  emit(Event::Kind::kStarted, state_.last_generation + 1, nullptr, summary_.resumed ? "resumed" : "new run");
  if (!summary_.resumed) {
    if (auto planted = plant_seeds(); !planted) return planted;
  }
  next_ = state_.last_generation + 1;
  return {};
}

CUCO_EVOLVE_INLINE Result<Proposal> EvolutionRun::seed_proposal(std::size_t index) {
  auto const& seed = seeds_[index];
  Proposal proposal;
  auto& program = proposal.program;
  program.island = islands_[index];
  // Two seeds of one island get folders beyond the last island's.
  if (seeds_.size() > 1) {
    auto const twins =
        std::count(islands_.begin(), islands_.begin() + static_cast<std::ptrdiff_t>(index), program.island);
    proposal.seed_slot = twins == 0 ? program.island : options_.islands + static_cast<int>(index);
  }
  program.code = seed.code;
  program.language = options_.language;
  program.id = make_id(run_, 0, proposal.seed_slot, seed.code);
  program.metadata = seed.metadata;
  set_attribute(program.metadata, "patch_type", "init");
  set_attribute(program.metadata, "patch_name", seed.name.empty() ? "initial_program" : seed.name);
  proposal.duplicate_of = state_.announce(program);
  if (auto kept = files_.load(files_.paths(0, proposal.seed_slot), run_)) return *std::move(kept);
  if (auto stored = files_.store(proposal, {}, run_); !stored) return forward_error(std::move(stored));
  return proposal;
}

/// Generation 0: all seeds are evaluated, then stored together with the copies that fill the other islands.
CUCO_EVOLVE_INLINE Status EvolutionRun::plant_seeds() {
  for (std::size_t i = 0; i < seeds_.size(); ++i) {
    auto proposal = seed_proposal(i);
    if (!proposal) return forward_error(std::move(proposal));
    if (auto queued = enqueue(*std::move(proposal)); !queued) return queued;
  }
  std::vector<Program> programs;
  std::vector<GenerationPaths> folders;
  while (!slots_.empty()) {
    summary_.evaluated += slots_.start();
    auto entry = slots_.pop();
    if (!entry) return forward_error(std::move(entry));
    auto& program = programs.emplace_back(std::move(entry->proposal.program));
    folders.push_back(entry->at);
    auto const twin = std::find_if(programs.begin(), programs.end(), [&](Program const& p) {
      return p.id == entry->proposal.duplicate_of;
    });
    if (twin != programs.end()) {
      apply(Program(*twin), program);
    } else {
      apply(*entry->ready, program);
    }
  }
  // Refused before anything is stored, so that the same directory takes the repaired seed.
  if (auto usable = require_correct_seed(programs); !usable) return usable;
  auto const copies = fill_islands(programs, options_.islands);
  auto stored = storage().transaction([&]() -> Status {
    for (auto const* group : {&std::as_const(programs), &copies})
      for (auto const& program : *group)
        if (auto added = admit(program); !added) return added;
    return save_progress(
        Proposal{.selector_state = parts_.selector.save(), .mutator_state = parts_.mutator.save()});
  });
  if (!stored) return stored;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    emit(Event::Kind::kEvaluated, 0, &programs[i]);
    if (programs[i].id != best_.id) continue;
    emit(Event::Kind::kNewBest, 0, &programs[i]);
    if (auto copied = files_.update_best(folders[i]); !copied) return copied;
  }
  for (auto const& folder : folders) files_.release(folder);
  return {};
}

CUCO_EVOLVE_INLINE Status EvolutionRun::restore() {
  auto programs = storage().scan(ProgramFilter{});
  if (!programs) return forward_error(std::move(programs));
  for (auto const& program : *programs) {
    if (attribute_or(program.metadata, kIslandCopyKey).empty()) state_.announce(program);
    state_.enter(program);
    emit(Event::Kind::kRestored, program.generation, &program);
  }
  std::optional<std::string> values[7];
  char const* const keys[] = {key::last_iteration,
                              key::skipped,
                              key::skips_in_a_row,
                              key::stopped,
                              key::stop_options,
                              key::mutator_state,
                              key::unattributed_cost};
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    auto value = storage().value(keys[i]);
    if (!value) return forward_error(std::move(value));
    values[i] = *std::move(value);
  }
  auto selector = storage().value(selector_key());
  if (!selector) return forward_error(std::move(selector));
  state_.last_generation = to_int(values[0], -1);
  if (state_.last_generation < 0)
    return fail(ErrorCode::kStorage,
                "the storage holds programs but no last_iteration",
                "choose another run directory");
  state_.skipped = to_int(values[1], 0);
  state_.skips_in_a_row = to_int(values[2], 0);
  state_.unattributed = price_of(values[6].value_or(""));
  parts_.selector.load(selector->value_or(""));
  parts_.mutator.load(values[5].value_or(""));
  // A decision to stop stands as long as the rules are the same: what was in flight then must not undo it.
  if (values[3] && !values[3]->empty() && values[4] == stop_options(options_)) {
    auto const end = values[3]->find('\n');
    auto const name = values[3]->substr(0, end);
    stop_ = Stop{StopReason::kGenerations, end == std::string::npos ? name : values[3]->substr(end + 1)};
    for (auto reason : {StopReason::kTarget, StopReason::kStagnant, StopReason::kExhausted})
      if (name == to_string(reason)) stop_->reason = reason;
  } else {
    stop_ = stop_after(state_, options_);
  }
  if (auto const* best = state_.roster.best()) {
    auto program = storage().get(best->id);
    if (!program) return forward_error(std::move(program));
    best_ = *std::move(program);
    // The kill may have come between the commit and the copy.
    for (int slot = -1; files_.durable() && slot < options_.islands + static_cast<int>(seeds_.size());
         ++slot) {
      if (best_.generation > 0 && slot >= 0) break;
      auto const at = files_.paths(best_.generation, slot);
      auto const kept = files_.load(at, run_);
      if (!kept || kept->program.code != best_.code) continue;
      if (auto copied = files_.update_best(at); !copied) return copied;
      break;
    }
  }
  return {};
}

/// The error of a run whose seeds all fail; nothing when that is allowed.
CUCO_EVOLVE_INLINE Status EvolutionRun::require_correct_seed(std::vector<Program> const& seeds) {
  auto const correct = [](Program const& program) { return program.correct; };
  if (!options_.require_correct_seed || std::any_of(seeds.begin(), seeds.end(), correct)) return {};
  auto const& metadata = seeds.front().metadata;
  return fail(ErrorCode::kNotVerified,
              "the seed fails its own verification: " +
                  attribute_or(metadata, "error", attribute_or(metadata, "outcome", "no reason given")),
              files_.durable() ? "see " + files_.path() + "/gen_0*/results; make the seed pass first"
                               : std::string("make the seed pass first"));
}

}  // namespace cuco::impl
