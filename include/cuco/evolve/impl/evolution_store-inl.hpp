// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <fmt/format.h>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/pool.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/impl/evolution_run.hpp"
#include "cuco/mutate/impl/ask_model.hpp"
#include "cuco/population/archive.hpp"

namespace cuco::impl {

/// Adds one row to storage, roster and, if it is good enough, archive. Inside a transaction.
CUCO_EVOLVE_INLINE Status EvolutionRun::admit(Program program) {
  program.in_archive = false;
  program.timestamp = now();
  if (auto added = storage().add(program); !added) return added;
  state_.enter(program);
  auto const decision =
      update_archive(state_.roster, program.id, static_cast<std::size_t>(options_.archive_size));
  if (!decision.evicted.empty())
    if (auto set = storage().set_archived(decision.evicted, false); !set) return set;
  if (decision.admitted)
    if (auto set = storage().set_archived(program.id, true); !set) return set;
  if (program.correct && (best_.id.empty() || better(program, best_))) {
    best_ = std::move(program);
    best_.in_archive = decision.admitted;
  }
  return {};
}

CUCO_EVOLVE_INLINE Status EvolutionRun::count_child(ProgramId const& id) {
  auto parent = storage().get(id);
  if (!parent) return forward_error(std::move(parent));
  ++parent->children_count;
  state_.roster.find(id)->children = parent->children_count;
  return storage().update(*parent);
}

/// Copies programs between islands when a migration is due. Inside a transaction.
CUCO_EVOLVE_INLINE Status EvolutionRun::migrate(int generation, std::vector<std::string>& told) {
  for (auto const& move : plan_migration(state_.roster, generation, options_)) {
    auto original = storage().get(move.id);
    if (!original) return forward_error(std::move(original));
    auto copy = copy_to_island(*original, move.to);
    copy.migration_history.push_back({generation, move.from, move.to});
    if (auto added = admit(copy); !added) return added;
    told.push_back(
        fmt::format("{} was copied from island {} to island {}", move.id.value, move.from, move.to));
  }
  return {};
}

CUCO_EVOLVE_INLINE Status EvolutionRun::save_states(std::string const& selector, std::string const& mutator) {
  if (parts_.selector.keeps_state())
    if (auto set = storage().set_value(selector_key(), selector); !set) return set;
  if (parts_.mutator.keeps_state())
    if (auto set = storage().set_value(key::mutator_state, mutator); !set) return set;
  return {};
}

/// Everything a restart needs besides the rows. Inside the transaction that completes `proposal`'s
/// generation.
CUCO_EVOLVE_INLINE Status EvolutionRun::save_progress(Proposal const& proposal) {
  state_.last_generation = proposal.generation;
  if (!stop_) stop_ = stop_after(state_, options_);
  bool const decided = stop_ && !transient_stop_;
  std::pair<char const*, std::string> const values[] = {
      {key::last_iteration, std::to_string(state_.last_generation)},
      {key::best_program_id, best_.id.value},
      {key::skipped, std::to_string(state_.skipped)},
      {key::skips_in_a_row, std::to_string(state_.skips_in_a_row)},
      {key::stopped, decided ? fmt::format("{}\n{}", to_string(stop_->reason), stop_->text) : ""},
      {key::stop_options, stop_options(options_)},
      {key::unattributed_cost, price_text(state_.unattributed)},
      {key::trailing_cost, ""},  // what was spent after the generation before is part of this one
  };
  for (auto const& [name, value] : values)
    if (auto set = storage().set_value(name, value); !set) return set;
  return save_states(proposal.selector_state, proposal.mutator_state);
}

CUCO_EVOLVE_INLINE Status EvolutionRun::insert_skip(Proposal const& proposal) {
  ++state_.skipped;
  ++state_.skips_in_a_row;
  Spent spent{state_.unattributed};
  spent.add(proposal.cost_usd);
  state_.unattributed = spent.usd;
  std::vector<std::string> moves;
  auto stored = storage().transaction([&]() -> Status {
    if (auto moved = migrate(proposal.generation, moves); !moved) return moved;
    return save_progress(proposal);
  });
  if (!stored) return stored;
  emit(Event::Kind::kSkipped, proposal.generation, nullptr, proposal.skipped);
  for (auto& text : moves) emit(Event::Kind::kMigrated, proposal.generation, nullptr, std::move(text));
  return {};
}

/// Completes a generation: program, parent, archive, migration and progress in one transaction.
CUCO_EVOLVE_INLINE Status EvolutionRun::insert(Entry entry) {
  auto& proposal = entry.proposal;
  if (!proposal.skipped.empty()) return insert_skip(proposal);
  auto& program = proposal.program;
  if (!proposal.duplicate_of.empty()) {
    auto const twin = storage().get(proposal.duplicate_of);
    if (!twin) return tl::unexpected<Error>(twin.error());
    apply(*twin, program);
  } else {
    apply(*entry.ready, program);
  }
  // An island without a correct program takes the next one that works; otherwise children stay at home.
  program.island = state_.roster.find(program.parent_id)->island;
  if (int const empty = state_.roster.first_unsettled_island(); program.correct && empty >= 0)
    program.island = empty;
  state_.skips_in_a_row = 0;

  auto const previous_best = best_.id;
  std::vector<std::string> moves;
  auto stored = storage().transaction([&]() -> Status {
    if (auto added = admit(program); !added) return added;
    if (auto counted = count_child(program.parent_id); !counted) return counted;
    if (auto moved = migrate(proposal.generation, moves); !moved) return moved;
    return save_progress(proposal);
  });
  if (!stored) return stored;
  program.in_archive = state_.roster.find(program.id)->in_archive;
  emit(Event::Kind::kEvaluated, proposal.generation, &program);
  if (best_.id != previous_best) {
    emit(Event::Kind::kNewBest, proposal.generation, &best_);
    if (auto copied = files_.update_best(entry.at); !copied) return copied;
  }
  for (auto& text : moves) emit(Event::Kind::kMigrated, proposal.generation, nullptr, std::move(text));
  files_.release(entry.at);
  return {};
}

/// What was spent after the last generation: on a proposal that was not made, or on the adviser's last words.
/// The next generation takes its place, so that a run that goes on has the rows of one that never stopped.
CUCO_EVOLVE_INLINE Status EvolutionRun::note_trailing_cost(Stop const& stop) {
  Spent spent{unfinished_};
  if (!transient_stop_ && parts_.adviser.conclude) {
    auto last = parts_.adviser.conclude();
    spent.add(last ? last->cost_usd : spent_of(last.error()).usd);
    if (!last)
      log_warning(
          fmt::format("no conclusion of the run ({}): {}", to_string(stop.reason), to_line(last.error())));
  }
  if (spent.usd != 0) {
    auto noted =
        storage().transaction([&] { return storage().set_value(key::trailing_cost, price_text(spent.usd)); });
    if (!noted) return noted;
  }
  auto const trailing = storage().value(key::trailing_cost);
  if (!trailing) return tl::unexpected<Error>(trailing.error());
  Spent all{state_.unattributed};
  all.add(price_of(trailing->value_or("")));
  summary_.unattributed_cost = all.usd;
  return {};
}

CUCO_EVOLVE_INLINE Result<RunSummary> EvolutionRun::finish(Stop stop) {
  if (auto noted = note_trailing_cost(stop); !noted) return forward_error(std::move(noted));
  Member const* seed = nullptr;
  for (auto const& member : state_.roster.population().members)
    if (member.generation == 0 && (seed == nullptr || better_member(member, *seed))) seed = &member;
  if (seed != nullptr) {
    auto program = storage().get(seed->id);
    if (!program) return forward_error(std::move(program));
    summary_.seed = *std::move(program);
  }
  if (!best_.id.empty()) {
    auto program = storage().get(best_.id);
    if (!program) return forward_error(std::move(program));
    best_ = *std::move(program);
  }
  summary_.best = best_;
  summary_.reason = stop.reason;
  summary_.reason_text = std::move(stop.text);
  summary_.generations_done = state_.last_generation + 1;
  summary_.generations = options_.generations;
  summary_.programs = state_.programs;
  summary_.correct = state_.correct;
  summary_.duplicates = state_.duplicates;
  summary_.skipped = state_.skipped;
  summary_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  summary_.directory = files_.path();
  emit(Event::Kind::kStopped, state_.last_generation, nullptr, summary_.reason_text);
  return summary_;
}

}  // namespace cuco::impl
