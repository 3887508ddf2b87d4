// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/ensemble_policy.hpp"
#include "cuco/llm/impl/ensemble_book.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/uniform_policy.hpp"

namespace cuco {

struct EnsembleOptions {
  std::uint64_t seed = 0;      ///< Of the choices.
  bool next_on_error = false;  ///< When an arm fails for a passing reason (`is_retryable`), ask another one.
};

/// Several backends as one: a policy chooses who answers.
///
/// **The choice** is drawn from a random stream named by seed, generation, conversation and how often that
/// conversation was begun in that generation, so that nothing hidden has to be restored for a resumed run to
/// choose alike. All turns of a conversation go to the arm that began it; a conversation is known by its
/// turns before the first answer.
///
/// **Learning.** `evolution.observe(ensemble.observer())`: a program whose metadata `model_name` is an arm's
/// name is that arm's; its reward is `combined_score`, or none when it is not correct; its parent's score and
/// the best score of generation 0 are known from earlier events. A resumed run tells its stored programs
/// first, after which the policy is where it was. Choices that no program has come of count against an arm
/// until the next generation, so that an arm whose replies are never usable is not chosen for ever.
/// Conversations that no program can come of, such as summaries and judgements, go through `aside()`: the
/// same arms, chosen by the same policy, but nothing counts against them.
///
/// What arms cost that failed before another one answered (`next_on_error`) is part of the reply's usage and
/// cost.
///
/// The reply's `model` is the arm's name, which is the arm's `model()`, with "#2" for a second one of the
/// same model.
///
/// Errors: the arm's, as they are; kInvalidArgument without arms or with options without meaning. Copies
/// share arms and policy. Any thread, if the arms may.
template <EnsemblePolicy Policy = UniformPolicy>
class Ensemble {
  struct State;

 public:
  explicit Ensemble(std::vector<AnyBackend> arms, Policy policy = {}, EnsembleOptions options = {})
      : state_(std::make_shared<State>(std::move(arms), std::move(policy), options)) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    return state_->complete(request, false);
  }
  /// `ensemble:A|B`, which prices and budgets understand.
  [[nodiscard]] std::string model() const { return state_->book.model(); }
  [[nodiscard]] std::vector<std::string> const& arms() const { return state_->book.names(); }

  /// Passes a run's events on to the policy.
  class Observer {
   public:
    void on(Event const& event) { state_->on(event); }

   private:
    friend class Ensemble;
    explicit Observer(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };
  [[nodiscard]] Observer observer() const { return Observer(state_); }

  /// A backend for conversations that no program is to come of.
  class Aside {
   public:
    [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
      return state_->complete(request, true);
    }
    [[nodiscard]] std::string model() const { return state_->book.model(); }

   private:
    friend class Ensemble;
    explicit Aside(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };
  [[nodiscard]] Aside aside() const { return Aside(state_); }

  /// What the policy has learned, as JSON. A resumed run does not need it: its events tell.
  [[nodiscard]] std::string save() const {
    std::lock_guard const lock(state_->mutex);
    return state_->book.wrap(state_->policy.name(), state_->policy.save());
  }
  /// Takes over what an ensemble with the same policy learned; arms are matched by name, new ones start
  /// empty. Errors: kParse; nothing is changed then.
  [[nodiscard]] Status load(std::string_view text) {
    State& s = *state_;
    std::lock_guard const lock(s.mutex);
    auto const state = s.book.unwrap(s.policy.name(), text);
    if (!state) return tl::unexpected<Error>(state.error());
    Policy loaded = s.policy;
    if (Status done = loaded.load(*state); !done) return done;
    s.policy = std::move(loaded);
    return {};
  }
  /// A copy of the policy with what it has learned so far.
  [[nodiscard]] Policy policy() const {
    std::lock_guard const lock(state_->mutex);
    return state_->policy;
  }

 private:
  struct State {
    State(std::vector<AnyBackend> backends, Policy p, EnsembleOptions const& o)
        : arms(std::move(backends)), policy(std::move(p)), options(o), book(models(arms), o.seed) {
      ready = arms.empty() ? Status(fail(ErrorCode::kInvalidArgument, "an ensemble without backends"))
                           : policy.start(arms.size());
    }
    static std::vector<std::string> models(std::vector<AnyBackend> const& backends) {
      std::vector<std::string> out;
      for (AnyBackend const& backend : backends) out.push_back(backend.model());
      return out;
    }
    [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request, bool aside) {
      if (!ready) return tl::unexpected<Error>(ready.error());
      std::vector<bool> usable(arms.size(), true);
      impl::Discarded discarded(request);
      std::unique_lock lock(mutex);
      auto const turn = book.turn(request, aside);
      Rng rng = turn.rng;
      for (std::size_t left = arms.size();; --left) {
        bool const follow = turn.arm && usable[*turn.arm];
        std::size_t const arm = follow ? *turn.arm : policy.choose(ArmDraw{book.pulls(turn), usable}, rng);
        book.assign(turn, arm);
        AnyBackend backend = arms[arm];
        std::string const name = book.names()[arm];
        lock.unlock();
        bool const stranger = turn.arm && !follow;
        auto reply =
            stranger ? backend.complete(impl::without_provider_state(request)) : backend.complete(request);
        if (reply) reply->model = name;
        if (reply || !options.next_on_error || left == 1 || !is_retryable(reply.error())) {
          discarded.charge_to(reply);
          return reply;
        }
        discarded.add(reply.error());
        usable[arm] = false;
        lock.lock();
      }
    }
    void on(Event const& event) {
      std::lock_guard const lock(mutex);
      if (!ready) return;
      auto const news = book.on(event);
      if (news.restart) (void)policy.start(arms.size());
      if (news.submitted) policy.submitted(*news.submitted);
      if (news.completed) policy.completed(*news.completed, news.result);
    }

    std::mutex mutex{};
    std::vector<AnyBackend> arms;
    Policy policy;
    EnsembleOptions options;
    impl::EnsembleBook book;
    Status ready{};
  };
  std::shared_ptr<State> state_;
};

static_assert(explain_llm_backend<Ensemble<UniformPolicy>>());
static_assert(explain_llm_backend<Ensemble<UniformPolicy>::Aside>());
static_assert(explain_observer<Ensemble<UniformPolicy>::Observer>());

}  // namespace cuco
