// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/impl/state.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/embed/any_embedder.hpp"
#include "cuco/embed/ngram_embedder.hpp"
#include "cuco/mutate/any_mutator.hpp"
#include "cuco/mutate/impl/ask_model.hpp"
#include "cuco/mutate/impl/novelty_filter.hpp"
#include "cuco/mutate/novel_options.hpp"

namespace cuco {

/// Lets a mutator propose again as long as what it proposes exists already, up to a number of attempts.
///
/// The EVOLVE blocks of a proposal are embedded and compared with those of every program of the run, on all
/// islands, correct or not. With a cosine above the threshold it is not new, unless its numbers, names of the
/// libraries or methods called are others than those of each program so near: a changed constant or memory
/// order is a changed program. Repairs (`patch_type` "fix") are always new. Of what is not new a judge, asked
/// once per distinct proposal of a generation, may say that it is. A judge that fails in passing or cannot be
/// understood, and an embedder that fails, let the proposal pass with a note.
///
/// After a rejection the inner mutator draws from another random stream, and the reason is appended to
/// `MutationContext::recommendations`, where models read it. When the last proposal is rejected too, the
/// result is kNotFound, so that nothing of it is evaluated. Rejected proposals and the judge are part of the
/// cost of the mutation that is kept, or of the error (`impl::spent_of`).
///
/// The mutation gets `embedding`, and the metadata `novelty_checks_performed`, `novelty_similarity` (with the
/// nearest known program) and `novelty_note` if there is something to tell.
///
/// Errors: kNotFound, "nothing new"; kInvalidArgument for less than one attempt; those of the inner mutator;
/// of the judge those that it would have for every proposal (kBudget, kCancelled, kRefused, kToolMissing,
/// kIo, a recording without the answer as kProcess). One caller at a time.
template <Mutator M, Embedder E = NgramEmbedder>
class Novel {
 public:
  explicit Novel(M mutator, E embedder = {}, NovelOptions options = {})
      : mutator_(std::move(mutator)), embedder_(std::move(embedder)), filter_(std::move(options)) {}
  Novel(M mutator, E embedder, double threshold)
      : Novel(std::move(mutator), std::move(embedder), NovelOptions{.threshold = threshold}) {}

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    int const attempts = filter_.options().attempts;
    if (attempts < 1)
      return fail(
          ErrorCode::kInvalidArgument, "novelty: attempts is " + std::to_string(attempts), "use at least 1");
    impl::Spent spent;
    std::string advice;
    double similarity = 0;
    for (int attempt = 1; attempt <= attempts; ++attempt) {
      auto mutation = draw(context, advice, attempt, rng);
      if (!mutation) {
        spent.add(impl::spent_of(mutation.error()).usd);
        return tl::unexpected<Error>(impl::with_spent(std::move(mutation).error(), spent));
      }
      spent.add(mutation->cost_usd);
      auto verdict =
          filter_.check(*mutation, context, [this](std::string_view text) { return embedder_.embed(text); });
      spent.add(verdict.cost_usd);
      if (verdict.error) {
        auto error = *std::move(verdict.error);
        // That a recording has no answer is not about the parent.
        if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kProcess;
        return tl::unexpected<Error>(impl::with_spent(std::move(error), spent));
      }
      if (verdict.is_new) {
        mutation->cost_usd = spent.usd;
        impl::note_novelty(*mutation, verdict, attempt);
        return mutation;
      }
      similarity = verdict.similarity.value_or(1);
      advice += (advice.empty() ? "" : "\n") + impl::rejection_advice(*mutation, verdict);
    }
    return tl::unexpected<Error>(impl::with_spent(
        Error{ErrorCode::kNotFound,
              "nothing new in " + std::to_string(attempts) + " proposals; the last has similarity " +
                  std::to_string(similarity) + " with a known program",
              "raise the threshold, or use another mutator",
              {},
              0,
              {}},
        spent));
  }

  [[nodiscard]] bool repairs_failures() const { return impl::repairs_failures(mutator_); }
  void on_phase(Phase phase) { impl::set_phase(mutator_, phase); }
  /// The inner mutator's state. What is known of the run's programs is made anew.
  [[nodiscard]] std::string save() const { return impl::save_state(mutator_); }
  void load(std::string_view state) { impl::load_state(mutator_, state); }

 private:
  [[nodiscard]] Result<Mutation> draw(MutationContext const& context,
                                      std::string const& advice,
                                      int attempt,
                                      Rng& rng) {
    if (attempt == 1) return mutator_.mutate(context, rng);
    MutationContext told = context;
    told.recommendations += (told.recommendations.empty() ? "" : "\n\n") + advice;
    Rng again = rng.split("novel", static_cast<std::uint64_t>(attempt));
    return mutator_.mutate(told, again);
  }

  M mutator_;
  E embedder_;
  impl::NoveltyFilter filter_;
};

static_assert(explain_mutator<Novel<AnyMutator, AnyEmbedder>>());

}  // namespace cuco
