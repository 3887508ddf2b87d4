// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/mutate/impl/ask_model.hpp"
#include "cuco/mutate/impl/known_codes.hpp"
#include "cuco/mutate/impl/mutation_prompt.hpp"
#include "cuco/mutate/llm_mutator_options.hpp"

namespace cuco::impl {

/// What a mutator keeps between mutations.
struct LlmMutatorMemory {
  std::shared_ptr<PromptLibrary const> prompts{};  ///< Loaded when it is needed first.
  KnownCodes known{};
};

/// One mutation by a model: draws, writes the prompt, and talks until a reply can be applied.
///
/// Errors: kNotFound when this edit does not apply to the parent, the parent does not fit into a prompt, or
/// no reply could be used (`Error::detail` then has what the calls cost, see `spent_of`); kToolMissing
/// without templates; kRefused for a seed that does not fit; else those of the backend, as they are. A
/// backend's kNotFound becomes kInvalidArgument: it is no answer about the parent.
[[nodiscard]] Result<Mutation> propose_edit(LlmEdit edit,
                                            MutationContext const& context,
                                            Rng& rng,
                                            LlmMutatorOptions const& options,
                                            LlmMutatorMemory& memory,
                                            AskModel const& ask);

/// Loads templates into `prompts` unless they are there. A missing folder is kToolMissing.
[[nodiscard]] Status need_prompts(std::shared_ptr<PromptLibrary const>& prompts, std::string const& folder);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/impl/propose_edit-inl.hpp"
#endif
