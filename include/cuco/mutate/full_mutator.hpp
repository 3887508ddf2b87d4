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

/// Asks a language model to write the EVOLVE blocks of the parent anew.
///
/// Each mutation draws one of five ways to ask: any improvement, another algorithm, one that the programs
/// shown suggest, another structure, other parameters (`patch_variant` in the metadata). Conversation and
/// errors are those of `DiffMutator`.
template <LLMBackend B>
class FullMutator {
 public:
  explicit FullMutator(B backend, LlmMutatorOptions options = {})
      : model_(std::move(backend), std::move(options)) {}

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    return model_.propose(impl::LlmEdit::kFull, context, rng);
  }

  /// State of the backend, when it has any.
  [[nodiscard]] std::string save() const requires impl::KeepsState<B> { return model_.save(); }
  void load(std::string_view state) requires impl::KeepsState<B> { model_.load(state); }

 private:
  impl::ModelMutator<B> model_;
};

static_assert(explain_mutator<FullMutator<impl::MuteBackend>>());

}  // namespace cuco
