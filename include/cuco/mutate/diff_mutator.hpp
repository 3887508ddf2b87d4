// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/mutate/impl/model_mutator.hpp"
#include "cuco/mutate/llm_mutator_options.hpp"

namespace cuco {

/// Asks a language model for SEARCH/REPLACE blocks that change the parent in few places.
///
/// One conversation of up to `attempts` replies: what is wrong with a reply (it cannot be applied, is cut
/// off, is a program that exists) is the next turn. The code of the result has the frozen text of the parent,
/// byte for byte. docs/prompts.md says what the model is told.
///
/// Errors: kNotFound for a parent without EVOLVE blocks, for one that does not fit into `prompt_tokens` and
/// when no reply could be used; kRefused for a seed that does not fit; kToolMissing without prompt templates;
/// those of the backend, of which kNotFound becomes kProcess.
template <LLMBackend B>
class DiffMutator {
 public:
  explicit DiffMutator(B backend, LlmMutatorOptions options = {})
      : model_(std::move(backend), std::move(options)) {}

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    return model_.propose(impl::LlmEdit::kDiff, context, rng);
  }

  /// State of the backend, when it has any.
  [[nodiscard]] std::string save() const requires impl::KeepsState<B> { return model_.save(); }
  void load(std::string_view state) requires impl::KeepsState<B> { model_.load(state); }

 private:
  impl::ModelMutator<B> model_;
};

static_assert(explain_mutator<DiffMutator<impl::MuteBackend>>());

}  // namespace cuco
