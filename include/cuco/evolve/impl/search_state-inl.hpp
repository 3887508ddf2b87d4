// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/evolve/impl/code_key.hpp"
#include "cuco/evolve/impl/search_state.hpp"
#include "cuco/store/impl/storable.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string const& SearchState::key_of(std::string const& code) {
  auto& key = keys_[content_hash_128(code)];
  if (key.empty()) key = code_key(code);
  return key;
}

CUCO_EVOLVE_INLINE ProgramId SearchState::announce(Program const& program) {
  codes.push_back(program.code);
  embeddings.push_back(program.embedding);
  auto const [at, fresh] = by_code.emplace(key_of(program.code), program.id);
  return fresh ? ProgramId{} : at->second;
}

CUCO_EVOLVE_INLINE void SearchState::enter(Program const& program) {
  roster.add(member_of(program), hash64(key_of(program.code)));
  if (!attribute_or(program.metadata, kIslandCopyKey).empty()) return;
  ++programs;
  if (program.correct) ++correct;
  bool const duplicate = !attribute_or(program.metadata, "duplicate_of").empty();
  if (duplicate) ++duplicates;
  if (!program.correct && !duplicate && !program.parent_id.empty())
    failures[program.parent_id.value].push_back(program.id);
  if (!program.correct || program.parent_id.empty()) return;
  auto const* parent = roster.find(program.parent_id);
  if (parent != nullptr && !parent->correct) repaired.insert(program.parent_id.value);
}

CUCO_EVOLVE_INLINE ProgramId SearchState::to_repair(ProgramId const& parent) const {
  constexpr int kTries = 2;
  auto const found = failures.find(parent.value);
  if (found == failures.end()) return {};
  auto const& all = found->second;
  for (auto id = all.rbegin(); id != all.rend(); ++id) {
    auto const* member = roster.find(*id);
    if (member != nullptr && member->children < kTries && repaired.count(id->value) == 0) return *id;
  }
  return {};
}

CUCO_EVOLVE_INLINE std::string price_text(std::optional<double> usd) {
  return usd ? fmt::format("{}", *usd) : std::string("unknown");
}

CUCO_EVOLVE_INLINE std::optional<double> price_of(std::string_view text) {
  if (text.empty()) return 0;
  double usd = 0;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), usd);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return usd;
}

CUCO_EVOLVE_INLINE std::optional<Stop> stop_after(SearchState const& state, EvolutionOptions const& options) {
  auto const* best = state.roster.best();
  if (options.target_score > 0 && best != nullptr && best->score >= options.target_score)
    return Stop{StopReason::kTarget,
                fmt::format("score {:.6g} reaches the target {:.6g}", best->score, options.target_score)};
  if (options.stop_after_stagnant > 0 &&
      state.last_generation - (best == nullptr ? 0 : best->generation) >= options.stop_after_stagnant)
    return Stop{StopReason::kStagnant,
                fmt::format("no new best for {} generations", options.stop_after_stagnant)};
  if (state.skips_in_a_row >= options.stop_after_skips)
    return Stop{
        StopReason::kExhausted,
        fmt::format("nothing new could be proposed for {} generations in a row", state.skips_in_a_row)};
  return std::nullopt;
}

CUCO_EVOLVE_INLINE std::string stop_options(EvolutionOptions const& options) {
  return fmt::format("generations {} target {} stagnant {} skips {}",
                     options.generations,
                     options.target_score,
                     options.stop_after_stagnant,
                     options.stop_after_skips);
}

CUCO_EVOLVE_INLINE std::string options_json(EvolutionOptions const& o, std::string const& selector) {
  nlohmann::ordered_json json;
  json["generations"] = o.generations;
  json["islands"] = o.islands;
  json["seed"] = o.seed;
  json["parallel_evaluations"] = o.parallel_evaluations;
  json["selector"] = selector;
  json["explore_fraction"] = o.explore_fraction;
  json["stop_after_stagnant"] = o.stop_after_stagnant;
  json["target_score"] = o.target_score;
  json["stop_after_skips"] = o.stop_after_skips;
  json["max_attempts"] = o.max_attempts;
  json["archive_size"] = o.archive_size;
  json["archive_inspirations"] = o.archive_inspirations;
  json["top_k_inspirations"] = o.top_k_inspirations;
  json["elite_ratio"] = o.elite_ratio;
  json["failures_told"] = o.failures_told;
  json["repair_fraction"] = o.repair_fraction;
  json["migration_interval"] = o.migration_interval;
  json["migration_rate"] = o.migration_rate;
  json["elitism"] = o.elitism;
  json["separation"] = o.separation;
  json["migration_graph"] = o.migration_graph;
  json["task"] = o.task;
  json["language"] = o.language;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

CUCO_EVOLVE_INLINE Phase phase_of(int generation, EvolutionOptions const& options) {
  int const explore = std::max(1, static_cast<int>(options.generations * options.explore_fraction));
  return generation < explore ? Phase::kExplore : Phase::kExploit;
}

CUCO_EVOLVE_INLINE ProgramId make_id(std::string_view run, int generation, int slot, std::string_view code) {
  auto const hash = content_hash(fmt::format("{}/{}/{}/{}", run, generation, slot, code));
  return {fmt::format("g{}-{}", generation, hash.substr(0, 8))};
}

CUCO_EVOLVE_INLINE std::string sources_hash(std::vector<Seed> const& seeds, std::vector<int> const& islands) {
  std::string text;
  for (std::size_t i = 0; i < seeds.size(); ++i)
    text += fmt::format("{} {}\n", islands[i], content_hash_128(seeds[i].code));
  return content_hash_128(text);
}

CUCO_EVOLVE_INLINE void apply(Evaluation const& e, Program& p) {
  p.correct = e.correct() && std::isfinite(e.combined_score);
  p.combined_score = p.correct ? e.combined_score : 0;
  p.public_metrics = e.public_metrics;
  p.private_metrics = e.private_metrics;
  auto add_metric = [&](std::string const& name, double value) {
    if (std::isfinite(value) && std::isnan(metric_or(p.public_metrics, name, std::nan(""))))
      p.public_metrics.push_back({name, value});
  };
  if (p.correct && e.slowest_ms > 0) {
    add_metric("time_ms", e.slowest_ms);
    for (std::size_t rank = 0; rank < e.rank_ms.size(); ++rank)
      add_metric("rank" + std::to_string(rank) + "_time_ms", e.rank_ms[rank]);
  }
  p.text_feedback = e.text_feedback;
  set_attribute(p.metadata, "outcome", to_string(e.outcome));
  set_attribute(p.metadata, "trust", to_string(e.trust));
  set_attribute(p.metadata, "origin", to_string(e.origin));
  if (!e.error.empty()) set_attribute(p.metadata, "error", e.error);
  for (auto const& note : e.notes) set_attribute(p.metadata, "note." + note.name, note.value);
}

CUCO_EVOLVE_INLINE void apply(Program const& twin, Program& p) {
  p.correct = twin.correct;
  p.combined_score = twin.combined_score;
  p.public_metrics = twin.public_metrics;
  p.private_metrics = twin.private_metrics;
  p.text_feedback = twin.text_feedback;
  for (auto const& a : twin.metadata)
    if (a.name == "outcome" || a.name == "trust" || a.name == "origin" || a.name == "error" ||
        a.name.rfind("note.", 0) == 0)
      set_attribute(p.metadata, a.name, a.value);
  set_attribute(p.metadata, "duplicate_of", twin.id.value);
}

CUCO_EVOLVE_INLINE double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

CUCO_EVOLVE_INLINE std::vector<Move> plan_migration(Roster const& roster,
                                                    int generation,
                                                    EvolutionOptions const& o) {
  if (o.islands < 2 || o.migration_interval < 1 || generation < 1 || generation % o.migration_interval != 0)
    return {};
  auto rng = Rng(o.seed).split("migration", static_cast<std::uint64_t>(generation));
  if (!o.migration_graph.empty())
    return GraphMigration{.destinations = o.migration_graph, .rate = o.migration_rate, .elitism = o.elitism}
        .plan(roster, rng);
  return ElitistCopyMigration{.rate = o.migration_rate, .elitism = o.elitism}.plan(roster, rng);
}

}  // namespace cuco::impl
