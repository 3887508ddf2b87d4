// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/impl/state.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/mutate/impl/propose_edit.hpp"
#include "cuco/mutate/llm_mutator_options.hpp"

namespace cuco::impl {

/// What the mutators that ask a model share: the backend, and what is kept between mutations.
template <LLMBackend B>
class ModelMutator {
 public:
  ModelMutator(B backend, LlmMutatorOptions options)
      : backend_(std::move(backend)), options_(std::move(options)) {}

  [[nodiscard]] Result<Mutation> propose(LlmEdit edit, MutationContext const& context, Rng& rng) {
    return propose_edit(edit, context, rng, options_, memory_, [this](ChatRequest const& request) {
      return backend_.complete(request);
    });
  }
  /// The backend's, which may learn which model does best.
  [[nodiscard]] std::string save() const { return save_state(backend_); }
  void load(std::string_view state) { load_state(backend_, state); }

 private:
  B backend_;
  LlmMutatorOptions options_;
  LlmMutatorMemory memory_{};
};

/// Answers nothing; only to check that the templates model their role.
struct MuteBackend {
  Result<ChatReply> complete(ChatRequest const& /*request*/) {
    return fail(ErrorCode::kInternal, "the mute backend was asked");
  }
};

}  // namespace cuco::impl
