// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/mutation.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/mutate/llm_mutator_options.hpp"

namespace cuco::impl {

/// What a model is asked for.
enum class LlmEdit : std::uint8_t { kDiff, kFull, kCross, kFix };
constexpr char const* to_string(LlmEdit edit) {
  switch (edit) {
    case LlmEdit::kDiff: return "diff";
    case LlmEdit::kFull: return "full";
    case LlmEdit::kCross: return "cross";
    case LlmEdit::kFix: return "fix";
  }
  return "diff";
}

/// What one mutation drew.
struct PromptPlan {
  LlmEdit edit = LlmEdit::kDiff;
  std::string format{};                              ///< Name of the template that says what to reply.
  Program const* partner = nullptr;                  ///< Of a crossover.
  std::vector<EvolveBlock> const* blocks = nullptr;  ///< Of the parent; null: they are looked for.
};

/// How kernels of a program reach their peers, by the names it uses.
struct ApiUse {
  bool lsa = false;
  bool gin = false;
};
[[nodiscard]] ApiUse api_use(std::string_view code);

/// "lines 1 to 40 and 210 to 330": the lines of `code` inside, or outside, its EVOLVE blocks.
[[nodiscard]] std::string line_ranges(std::string_view code, bool mutable_ones);
[[nodiscard]] std::string line_ranges(std::string_view code,
                                      std::vector<EvolveBlock> const& blocks,
                                      bool mutable_ones);

/// `prompts.fill` with kNotFound as kToolMissing: for a mutator, kNotFound is about the parent.
[[nodiscard]] Result<std::string> fill_prompt(PromptLibrary const& prompts,
                                              std::string_view name,
                                              std::map<std::string, std::string> const& values = {});

struct MutationPrompt {
  std::string system;
  std::string user;
  std::vector<std::string> dropped{};  ///< Sections that did not fit, in the order they went.
};

/// The first request of a conversation. Sections are dropped whole, in the order that docs/prompts.md gives,
/// until it fits into `options.prompt_tokens`.
///
/// Errors: kRefused when what cannot be dropped does not fit; what `fill_prompt` reports.
[[nodiscard]] Result<MutationPrompt> write_mutation_prompt(PromptLibrary const& prompts,
                                                           MutationContext const& context,
                                                           LlmMutatorOptions const& options,
                                                           PromptPlan const& plan);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/impl/mutation_prompt-inl.hpp"
#endif
