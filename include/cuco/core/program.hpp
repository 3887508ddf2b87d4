// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <vector>

#include "cuco/core/metric.hpp"

namespace cuco {

/// Names one program for the whole life of a run. Deterministic: the same seed gives the same ids.
struct ProgramId {
  std::string value;
  auto operator<=>(ProgramId const&) const = default;
  [[nodiscard]] bool empty() const { return value.empty(); }
};

/// One move of a program between islands.
struct Migration {
  int generation = 0;
  int from = 0;
  int to = 0;
  bool operator==(Migration const&) const = default;
};

/// One candidate of a run: the row of the `programs` table. Plain data.
struct Program {
  ProgramId id;
  std::string code;  ///< The whole source file.
  std::string language = "cuda";
  ProgramId parent_id;  ///< Empty for seeds.
  std::vector<ProgramId> archive_inspiration_ids;
  std::vector<ProgramId> top_k_inspiration_ids;
  int generation = 0;  ///< Index of the proposal that made it; seeds are 0.
  int island = 0;
  double timestamp = 0;   ///< Seconds since the epoch; the only field that differs between equal runs.
  std::string code_diff;  ///< Unified diff against the parent.
  bool correct = false;
  double combined_score = 0;  ///< Higher is better; 0 for programs that are not correct.
  Metrics public_metrics;     ///< Shown to mutators and users.
  Metrics private_metrics;    ///< Stored only.
  std::string text_feedback;
  double complexity = 0;
  std::vector<float> embedding;
  int children_count = 0;
  bool in_archive = false;
  std::vector<Migration> migration_history;
  Attributes metadata;  ///< patch_type, patch_name, directives, verdict, trust, origin, error, …
};

/// Which programs `Storage::top` and `Storage::scan` return.
struct ProgramFilter {
  int island = -1;  ///< -1: any.
  bool correct_only = false;
  bool archive_only = false;
  int min_generation = 0;
};

/// True when `p` passes `filter`.
inline bool matches(ProgramFilter const& filter, Program const& p) {
  return (filter.island < 0 || p.island == filter.island) && (!filter.correct_only || p.correct) &&
         (!filter.archive_only || p.in_archive) && p.generation >= filter.min_generation;
}

/// The order behind "best": correct first, then higher score, then earlier generation, then smaller id.
/// Total, so that ties never depend on who finished first.
inline bool better(Program const& a, Program const& b) {
  if (a.correct != b.correct) return a.correct;
  if (a.combined_score != b.combined_score) return a.combined_score > b.combined_score;
  if (a.generation != b.generation) return a.generation < b.generation;
  return a.id < b.id;
}

}  // namespace cuco
