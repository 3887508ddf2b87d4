// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuco/core/program.hpp"

namespace cuco {

/// The two halves of a run: find new ideas, then refine the best.
enum class Phase : std::uint8_t { kExplore, kExploit };
constexpr char const* to_string(Phase phase) {
  return phase == Phase::kExplore ? "explore" : "exploit";
}

/// What a mutator may look at. Refers to programs owned by the caller.
struct MutationContext {
  Program const& parent;
  std::vector<Program> const& archive_inspirations;
  std::vector<Program> const& top_k_inspirations;
  int generation = 0;
  Phase phase = Phase::kExplore;
  std::string task{};             ///< What the program is to be good at, for models that read prose.
  std::string recommendations{};  ///< From the meta-summary; may be empty.
  /// Codes that exist already, in the order they were made; a mutator that can, proposes something else.
  std::vector<std::string> const* known_codes = nullptr;
  /// For `known_codes[i]` its embedding, empty where it has none. Null: not kept.
  std::vector<std::vector<float>> const* known_embeddings = nullptr;
  /// Children of the parent that failed, newest first, with their `text_feedback`. Null: none are told.
  std::vector<Program> const* failures = nullptr;
};

/// A proposed program: a whole source file that keeps the parent's frozen text.
struct Mutation {
  std::string code;
  std::string patch_type;  ///< "directive", "diff", "full", "cross", "fix".
  std::string name;        ///< lower_case_with_underscores.
  std::string description;
  Attributes metadata{};
  std::vector<float> embedding{};    ///< Of the code; empty when the mutator made none.
  std::optional<double> cost_usd = 0;  ///< Of all calls behind it, failed ones too. Empty: unknown.
};

}  // namespace cuco
