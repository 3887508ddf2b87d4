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

/// Asks a language model to repair a parent that fails, from what the harness said about it.
///
/// Replies may hold SEARCH/REPLACE blocks or whole blocks. Conversation and errors are those of
/// `DiffMutator`; kNotFound also for parents that are correct.
template <LLMBackend B>
class FixMutator {
 public:
  explicit FixMutator(B backend, LlmMutatorOptions options = {})
      : model_(std::move(backend), std::move(options)) {}

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    return model_.propose(impl::LlmEdit::kFix, context, rng);
  }
  /// A `Mixture` asks such members first when the parent fails.
  [[nodiscard]] static constexpr bool repairs_failures() { return true; }

  /// State of the backend, when it has any.
  [[nodiscard]] std::string save() const requires impl::KeepsState<B> { return model_.save(); }
  void load(std::string_view state) requires impl::KeepsState<B> { model_.load(state); }

 private:
  impl::ModelMutator<B> model_;
};

static_assert(explain_mutator<FixMutator<impl::MuteBackend>>());

}  // namespace cuco
