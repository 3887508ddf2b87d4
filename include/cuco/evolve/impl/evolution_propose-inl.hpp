// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/unified_diff.hpp"
#include "cuco/evolve/impl/diff_text_counts.hpp"
#include "cuco/evolve/impl/evolution_run.hpp"
#include "cuco/mutate/impl/ask_model.hpp"
#include "cuco/population/inspirations.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::optional<Stop> EvolutionRun::interrupted() const {
  if (options_.cancel != nullptr && options_.cancel->load()) return Stop{StopReason::kCancelled, "cancelled"};
  std::chrono::duration<double> const spent = std::chrono::steady_clock::now() - started_;
  if (options_.budget_seconds > 0 && spent.count() >= options_.budget_seconds)
    return Stop{StopReason::kBudget,
                fmt::format("the time budget of {:g} s is used up", options_.budget_seconds)};
  return std::nullopt;
}

CUCO_EVOLVE_INLINE Result<std::vector<Program>> EvolutionRun::fetch(std::vector<ProgramId> const& ids) {
  std::vector<Program> out;
  for (auto const& id : ids) {
    auto program = storage().get(id);
    if (!program) return forward_error(std::move(program));
    out.push_back(*std::move(program));
  }
  return out;
}

CUCO_EVOLVE_INLINE Result<std::string> EvolutionRun::code_of(ProgramId const& id) {
  if (id == last_parent_.first) return last_parent_.second;
  auto program = storage().get(id);
  if (!program) return forward_error(std::move(program));
  return std::move(program->code);
}

/// The proposal of `generation`: the one that is written down already, else a new one; nullopt when the
/// mutator's budget is used up.
CUCO_EVOLVE_INLINE Result<std::optional<Proposal>> EvolutionRun::propose(int generation) {
  if (auto kept = files_.load(files_.paths(generation, -1), run_); kept && kept->generation == generation) {
    parts_.selector.load(kept->selector_state);
    parts_.mutator.load(kept->mutator_state);
    if (kept->skipped.empty()) kept->duplicate_of = state_.announce(kept->program);
    return kept;
  }
  auto drawn = draw(generation);
  if (!drawn || !*drawn) return drawn;
  auto proposal = **std::move(drawn);
  proposal.selector_state = parts_.selector.save();
  proposal.mutator_state = parts_.mutator.save();
  // Through JSON in any case: a proposal that a restart reads back and a fresh one must not differ in a byte.
  auto const text = proposal_json(proposal, run_);
  auto exact = proposal_from_json(text, run_, std::move(proposal.program.code));
  if (!exact) return forward_error(std::move(exact));
  std::string parent_code;
  if (exact->skipped.empty()) {
    exact->duplicate_of = state_.announce(exact->program);
    auto code = code_of(exact->program.parent_id);
    if (!code) return forward_error(std::move(code));
    parent_code = *std::move(code);
  }
  if (auto stored = files_.store(*exact, parent_code, run_); !stored) return forward_error(std::move(stored));
  return std::optional<Proposal>(*std::move(exact));
}

/// Ends the run because of `error`, after `spent` on the proposal that is not made.
CUCO_EVOLVE_INLINE void EvolutionRun::end_of_means(Error const& error,
                                                   char const* whose,
                                                   std::optional<double> spent) {
  transient_stop_ = true;
  unfinished_ = spent;
  if (error.code == ErrorCode::kBudget) {
    stop_ = Stop{StopReason::kBudget, to_line(error)};
  } else if (error.code == ErrorCode::kCancelled) {
    stop_ = Stop{StopReason::kCancelled, to_line(error)};
  } else {
    stop_ = Stop{StopReason::kFailed, fmt::format("the {} failed: {}", whose, to_line(error))};
    summary_.error = error;
  }
}

/// The children of `parent` that failed, newest first.
CUCO_EVOLVE_INLINE std::vector<ProgramId> EvolutionRun::recent_failures(ProgramId const& parent) const {
  auto const found = state_.failures.find(parent.value);
  if (found == state_.failures.end()) return {};
  auto const& all = found->second;
  auto const count = std::min(all.size(), static_cast<std::size_t>(std::max(0, options_.failures_told)));
  return {all.rbegin(), all.rbegin() + static_cast<std::ptrdiff_t>(count)};
}

/// Writes what a call cost to the program that came of it: nothing when there was none.
inline void note_cost(Program& program, std::string const& name, std::optional<double> usd) {
  if (!usd) {
    set_attribute(program.metadata, name, "unknown");
  } else if (*usd != 0) {
    set_attribute(program.metadata, name, fmt::format("{}", *usd));
  }
}

/// What the attempts of one generation have in common.
struct EvolutionRun::Draw {
  int generation = 0;
  Phase phase = Phase::kExplore;
  Advice advice{};
  Spent spent{};        ///< On parents for which there was nothing new.
  std::string cause{};  ///< Why there was nothing new for the last of them.
};

/// A program in place of `parent` for the mutator to repair; empty: none, or it is not the turn of one.
CUCO_EVOLVE_INLINE ProgramId EvolutionRun::to_repair(ProgramId const& parent, Rng rng) const {
  if (!parts_.mutator.repairs_failures() || !rng.chance(options_.repair_fraction)) return {};
  auto const* member = state_.roster.find(parent);
  return member != nullptr && member->correct ? state_.to_repair(parent) : ProgramId{};
}

/// Asks the mutator for a child of `id`. Empty: it has nothing new for it, or the run has to end (`stop_`).
CUCO_EVOLVE_INLINE Result<std::optional<Proposal>> EvolutionRun::ask_about(ProgramId const& id,
                                                                           Draw& draw,
                                                                           int attempt,
                                                                           Rng const& rng) {
  auto const index = static_cast<std::uint64_t>(attempt);
  auto parent = storage().get(id);
  if (!parent) return forward_error(std::move(parent));
  auto inspiration_rng = rng.split("inspirations", index);
  auto const picked = pick_inspirations(
      state_.roster, id, options_.inspiration_options(), options_.separation, inspiration_rng);
  auto const archive = fetch(picked.archive);
  auto const top_k = fetch(picked.top_k);
  if (!archive) return tl::unexpected<Error>(archive.error());
  if (!top_k) return tl::unexpected<Error>(top_k.error());
  auto const failures = fetch(recent_failures(id));
  if (!failures) return tl::unexpected<Error>(failures.error());
  MutationContext const context{.parent = *parent,
                                .archive_inspirations = *archive,
                                .top_k_inspirations = *top_k,
                                .generation = draw.generation,
                                .phase = draw.phase,
                                .task = options_.task,
                                .recommendations = draw.advice.recommendations,
                                .known_codes = &state_.codes,
                                .known_embeddings = &state_.embeddings,
                                .failures = &*failures};
  auto mutate_rng = rng.split("mutate", index);
  auto mutation = parts_.mutator.mutate(context, mutate_rng);
  if (!mutation) {
    auto const& error = mutation.error();
    draw.spent.add(spent_of(error).usd);
    draw.cause = error.cause;
    if (error.code != ErrorCode::kNotFound) end_of_means(error, "mutator", draw.spent.usd);
    return std::optional<Proposal>();
  }
  Proposal proposal;
  proposal.generation = draw.generation;
  auto& child = proposal.program;
  child.generation = draw.generation;
  child.id = make_id(run_, draw.generation, -1, mutation->code);
  child.archive_inspiration_ids = picked.archive;
  child.top_k_inspiration_ids = picked.top_k;
  draw.spent.add(mutation->cost_usd);
  mutation->cost_usd = draw.spent.usd;
  fill_in(child, *parent, *std::move(mutation), draw.phase, attempt);
  note_cost(child, "meta_cost", draw.advice.cost_usd);
  last_parent_ = {parent->id, std::move(parent->code)};
  return std::optional<Proposal>(std::move(proposal));
}

CUCO_EVOLVE_INLINE Result<std::optional<Proposal>> EvolutionRun::draw(int generation) {
  auto const rng = Rng(options_.seed).split("generation", static_cast<std::uint64_t>(generation));
  Draw draw{generation, phase_of(generation, options_)};
  parts_.selector.set_phase(draw.phase);
  parts_.mutator.set_phase(draw.phase);
  auto const settled = state_.roster.settled_islands();
  auto island_rng = rng.split("island");
  state_.roster.restrict_to(settled.empty() ? -1 : settled[island_rng.below(settled.size())]);

  if (parts_.adviser.advise) {
    auto given = parts_.adviser.advise(generation);
    if (!given) {
      end_of_means(given.error(), "adviser", spent_of(given.error()).usd);
      return std::optional<Proposal>();
    }
    draw.advice = *std::move(given);
  }
  Population rest;  // without the programs that have nothing new; filled when it is needed
  int exhausted = 0;
  for (int attempt = 0; attempt < options_.max_attempts; ++attempt) {
    if (exhausted > 0 && rest.members.empty()) break;
    auto select_rng = rng.split("select", static_cast<std::uint64_t>(attempt));
    auto chosen = parts_.selector.select(exhausted == 0 ? state_.roster.population() : rest, select_rng);
    if (!chosen) return forward_error(std::move(chosen));
    if (attempt == 0) {
      auto const repair_rng = rng.split("repair");
      if (auto const broken = to_repair(*chosen, repair_rng); !broken.empty()) {
        auto repaired = ask_about(broken, draw, attempt, repair_rng);
        if (!repaired || *repaired || stop_) return repaired;
      }
    }
    auto proposal = ask_about(*chosen, draw, attempt, rng);
    if (!proposal || *proposal || stop_) return proposal;
    // Its copies on other islands have nothing new either.
    if (exhausted++ == 0) rest = state_.roster.population();
    std::erase_if(rest.members, [&, key = state_.roster.code_key(*chosen)](Member const& member) {
      return state_.roster.code_key(member.id) == key;
    });
  }
  Proposal proposal;
  proposal.generation = generation;
  proposal.skipped =
      fmt::format("nothing new to propose from {} programs; the last: {}", exhausted, draw.cause);
  draw.spent.add(draw.advice.cost_usd);
  proposal.cost_usd = draw.spent.usd;
  return std::optional<Proposal>(std::move(proposal));
}

CUCO_EVOLVE_INLINE void EvolutionRun::fill_in(
    Program& child, Program const& parent, Mutation&& mutation, Phase phase, int attempt) {
  child.code = std::move(mutation.code);
  child.language = parent.language;
  child.parent_id = parent.id;
  child.island = parent.island;
  child.code_diff = unified_diff(parent.code, child.code, "original.cu", "main.cu");
  auto& metadata = child.metadata;
  set_attribute(metadata, "patch_type", mutation.patch_type);
  set_attribute(metadata, "patch_name", mutation.name);
  set_attribute(metadata, "patch_description", mutation.description);
  auto const counts = diff_text_counts(child.code_diff);
  set_attribute(
      metadata,
      "diff_summary",
      fmt::format(
          R"({{"added":{},"deleted":{},"modified":{}}})", counts.added, counts.deleted, counts.modified));
  set_attribute(metadata, "phase", to_string(phase));
  if (attempt > 0) set_attribute(metadata, "resample_attempt", std::to_string(attempt));
  note_cost(child, "api_costs", mutation.cost_usd);
  child.embedding = std::move(mutation.embedding);
  for (auto& attribute : mutation.metadata)
    set_attribute(metadata, attribute.name, std::move(attribute.value));
}

/// Puts a proposal, new or read back, in line for evaluation.
CUCO_EVOLVE_INLINE Status EvolutionRun::enqueue(Proposal proposal) {
  Entry entry{std::move(proposal), {}};
  entry.at = files_.paths(entry.proposal.generation, entry.proposal.seed_slot);
  auto const& program = entry.proposal.program;
  if (entry.proposal.skipped.empty()) {
    if (program.parent_id.empty()) {
      entry.frozen_hash = frozen_hash_or_empty(program.code, "<seed>").value_or("");
    } else if (auto const known = frozen_hashes_.find(program.parent_id.value);
               known != frozen_hashes_.end()) {
      entry.frozen_hash = known->second;
    } else {
      auto code = code_of(program.parent_id);
      if (!code) return forward_error(std::move(code));
      entry.frozen_hash = frozen_hash_or_empty(*code, "<parent>").value_or("");
      frozen_hashes_.emplace(program.parent_id.value, entry.frozen_hash);
    }
    if (entry.proposal.duplicate_of.empty()) {
      entry.ready = files_.load_evaluation(entry.at);
      if (entry.ready) ++summary_.imported;
    }
    emit(Event::Kind::kProposed, entry.proposal.generation, &program);
  }
  slots_.push(std::move(entry));
  return {};
}

}  // namespace cuco::impl
