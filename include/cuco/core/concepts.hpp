// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <vector>

#include "cuco/fwd.hpp"

/// @file
/// The roles of a run. A bare role noun is a concept; a model is qualifier + role (`PowerLawSelector`).
///
/// For every role: no exception leaves a member function; a failing *candidate* is a value, only a failing
/// *harness* is an `Error`; the result depends on the arguments and the model's own state alone, randomness
/// comes from the `Rng` that is passed in. Every model passes the role's contract test in
/// `tests/contract/` and ends its header with `static_assert(explain_…<Model>())`.

namespace cuco {

namespace impl {
template <class>
inline constexpr bool always_false = false;

template <class S>
concept HasAdd = requires(S s, Program p) { s.add(p); };
template <class S>
concept HasGet = requires(S s, ProgramId const& id) { s.get(id); };
template <class S>
concept HasBest = requires(S s) { s.best(); };
template <class S>
concept HasTop = requires(S s, ProgramFilter const& filter) { s.top(std::size_t{}, filter); };
template <class S>
concept HasScan = requires(S s, ProgramFilter const& filter) { s.scan(filter); };
template <class S>
concept HasTransaction = requires(S s, Result<void> (*f)()) { s.transaction(f); };
template <class S>
concept HasSelect = requires(S s, Population const& population, Rng& rng) { s.select(population, rng); };
template <class M>
concept HasMutate = requires(M m, MutationContext const& context, Rng& rng) { m.mutate(context, rng); };
template <class E>
concept HasEvaluate = requires(E e, Candidate const& candidate) { e.evaluate(candidate); };
template <class B>
concept HasComplete = requires(B b, ChatRequest const& request) { b.complete(request); };
template <class E>
concept HasEmbed = requires(E e, std::string_view text) { e.embed(text); };
template <class R>
concept HasRewrite = requires(R r, RewriteRequest const& request) { r.rewrite(request); };
template <class S>
concept HasRun = requires(S s, Candidate const& candidate, Evidence& evidence) { s.run(candidate, evidence); };
template <class S>
concept HasName = requires(S s) { s.name(); };
template <class O>
concept HasOn = requires(O o, Event const& event) { o.on(event); };
}  // namespace impl

/// Keeps the programs of a run.
///
/// **Syntax.**    `s.add(Program) -> Result<void>`; `s.get(id) -> Result<Program>`;
///                `s.best() -> Result<Program>`; `s.top(n, filter)`, `s.scan(filter) -> Result<vector<Program>>`;
///                `s.transaction(f)` with `f() -> Result<void>`, returns what `f` returned.
/// **Semantics.** `get` returns what `add` was given, NaN and infinities excepted. `scan` is in insertion order,
///                `top` in the order of `better`. `transaction` makes all of `f`'s changes or none, also when
///                the process is killed (persistent models). `best` considers correct programs only.
/// **Errors.**    kConflict when `add` repeats an id; kNotFound from `get` and `best`; kStorage else.
/// **Cost.**      `get` O(log n); others linear in what they return, plus sorting. **Threads.** One at a time.
template <class S>
concept Storage = std::movable<S> && requires(S s, S const& c, Program p, ProgramId const& id,
                                              ProgramFilter const& filter, Result<void> (*f)()) {
  { s.add(p) } -> std::same_as<Result<void>>;
  { c.get(id) } -> std::same_as<Result<Program>>;
  { c.best() } -> std::same_as<Result<Program>>;
  { c.top(std::size_t{}, filter) } -> std::same_as<Result<std::vector<Program>>>;
  { c.scan(filter) } -> std::same_as<Result<std::vector<Program>>>;
  { s.transaction(f) } -> std::same_as<Result<void>>;
};

/// Picks the parent of the next candidate.
///
/// **Syntax.**    `s.select(population, rng) -> Result<ProgramId>`
/// **Semantics.** The id names a member of `population`, on `population.island` when that is not -1 and the
///                island holds a correct program; an incorrect one only when nothing is correct.
/// **Errors.**    kInvalidArgument when the population is empty.
/// **Cost.**      O(n log n).  **Threads.** One caller at a time.
template <class S>
concept Selector = std::movable<S> && requires(S s, Population const& population, Rng& rng) {
  { s.select(population, rng) } -> std::same_as<Result<ProgramId>>;
};

/// Proposes a new program.
///
/// **Syntax.**    `m.mutate(context, rng) -> Result<Mutation>`
/// **Semantics.** `Mutation::code` has the parent's frozen text, byte for byte, and differs from the parent.
/// **Errors.**    kNotFound when nothing new can be proposed here (the generation is skipped); kBudget ends the
///                run; others are reported and the generation is skipped.
/// **Threads.**   One caller at a time.
template <class M>
concept Mutator = std::movable<M> && requires(M m, MutationContext const& context, Rng& rng) {
  { m.mutate(context, rng) } -> std::same_as<Result<Mutation>>;
};

/// Judges a candidate.
///
/// **Syntax.**    `e.evaluate(candidate) -> Result<Evaluation>`
/// **Semantics.** `combined_score > 0` only when the outcome is `kCorrect`. Never trusts what the candidate can
///                forge where the harness can know. Leaves no process behind.
/// **Errors.**    Harness failures only (no compiler, disk full): kToolMissing, kIo, kProcess.
/// **Threads.**   Several callers at once, with different candidate directories.
template <class E>
concept Evaluator = std::movable<E> && requires(E const& e, Candidate const& candidate) {
  { e.evaluate(candidate) } -> std::same_as<Result<Evaluation>>;
};

/// Talks to a language model.
///
/// **Syntax.**    `b.complete(request) -> Result<ChatReply>`
/// **Semantics.** A cut-off reply says so in `ChatReply::stop`.
/// **Errors.**    kProcess for transport, kBudget, kInvalidArgument for requests the provider rejects.
/// **Threads.**   One caller at a time.
template <class B>
concept LLMBackend = std::movable<B> && requires(B b, ChatRequest const& request) {
  { b.complete(request) } -> std::same_as<Result<ChatReply>>;
};

/// Maps text to a point, so that similar programs are near.
///
/// **Syntax.**    `e.embed(text) -> Result<Embedding>`
/// **Semantics.** One dimension per embedder; the same text gives the same point.
/// **Threads.**   One caller at a time.
template <class E>
concept Embedder = std::movable<E> && requires(E e, std::string_view text) {
  { e.embed(text) } -> std::same_as<Result<Embedding>>;
};

/// Turns a host-driven program into a device-initiated one, one stage at a time.
///
/// **Syntax.**    `r.rewrite(request) -> Result<Rewrite>`
/// **Semantics.** All of the stage or nothing: never a half-changed program. The result is a proposal; the
///                caller builds, runs and verifies it.
/// **Errors.**    kRefused with file, line, construct and reason.
/// **Threads.**   One caller at a time.
template <class R>
concept Rewriter = std::movable<R> && requires(R r, RewriteRequest const& request) {
  { r.rewrite(request) } -> std::same_as<Result<Rewrite>>;
};

/// One rung of an evaluation cascade.
///
/// **Syntax.**    `s.run(candidate, evidence) -> Result<Verdict>`; `s.name() -> std::string_view`
/// **Semantics.** Reads what earlier rungs left in `evidence`, adds its own. A rung that does not apply passes
///                with `skipped` set and says why.
/// **Errors.**    Harness failures only.  **Threads.** As `Evaluator`.
template <class S>
concept Stage = std::movable<S> && requires(S const& s, Candidate const& candidate, Evidence& evidence) {
  { s.run(candidate, evidence) } -> std::same_as<Result<Verdict>>;
  { s.name() } -> std::convertible_to<std::string_view>;
};

/// Watches a run. Must not change it. Called from the thread that runs it.
///
/// **Syntax.**    `o.on(event)`
template <class O>
concept Observer = std::movable<O> && requires(O o, Event const& event) {
  { o.on(event) } -> std::same_as<void>;
};

/// Says in prose why `S` is not a `Storage`. Use: `static_assert(explain_storage<MyStorage>());`
template <class S>
consteval bool explain_storage() {
  if constexpr (Storage<S>) {
    return true;
  } else if constexpr (!std::movable<S>) {
    static_assert(impl::always_false<S>, "cuco: a Storage must be movable");
  } else if constexpr (!impl::HasAdd<S>) {
    static_assert(impl::always_false<S>, "cuco: a Storage needs add(Program)");
  } else if constexpr (!impl::HasGet<S const>) {
    static_assert(impl::always_false<S>, "cuco: a Storage needs get(ProgramId const&) const");
  } else if constexpr (!impl::HasBest<S const>) {
    static_assert(impl::always_false<S>, "cuco: a Storage needs best() const");
  } else if constexpr (!impl::HasTop<S const> || !impl::HasScan<S const>) {
    static_assert(impl::always_false<S>, "cuco: a Storage needs top(n, ProgramFilter) const and scan(ProgramFilter) const");
  } else if constexpr (!impl::HasTransaction<S>) {
    static_assert(impl::always_false<S>, "cuco: a Storage needs transaction(f) for f() -> Result<void>");
  } else {
    static_assert(impl::always_false<S>, "cuco: a member of this Storage returns the wrong type");
  }
  return false;
}

/// Says in prose why `S` is not a `Selector`.
template <class S>
consteval bool explain_selector() {
  if constexpr (Selector<S>) {
    return true;
  } else if constexpr (!std::movable<S>) {
    static_assert(impl::always_false<S>, "cuco: a Selector must be movable");
  } else if constexpr (!impl::HasSelect<S>) {
    static_assert(impl::always_false<S>, "cuco: a Selector needs select(Population const&, Rng&)");
  } else {
    static_assert(impl::always_false<S>, "cuco: Selector::select must return Result<ProgramId>");
  }
  return false;
}

/// Says in prose why `M` is not a `Mutator`.
template <class M>
consteval bool explain_mutator() {
  if constexpr (Mutator<M>) {
    return true;
  } else if constexpr (!std::movable<M>) {
    static_assert(impl::always_false<M>, "cuco: a Mutator must be movable");
  } else if constexpr (!impl::HasMutate<M>) {
    static_assert(impl::always_false<M>, "cuco: a Mutator needs mutate(MutationContext const&, Rng&)");
  } else {
    static_assert(impl::always_false<M>, "cuco: Mutator::mutate must return Result<Mutation>");
  }
  return false;
}

/// Says in prose why `E` is not an `Evaluator`.
template <class E>
consteval bool explain_evaluator() {
  if constexpr (Evaluator<E>) {
    return true;
  } else if constexpr (!std::movable<E>) {
    static_assert(impl::always_false<E>, "cuco: an Evaluator must be movable");
  } else if constexpr (!impl::HasEvaluate<E const>) {
    static_assert(impl::always_false<E>, "cuco: an Evaluator needs evaluate(Candidate const&) const");
  } else {
    static_assert(impl::always_false<E>, "cuco: Evaluator::evaluate must return Result<Evaluation>");
  }
  return false;
}

/// Says in prose why `B` is not an `LLMBackend`.
template <class B>
consteval bool explain_llm_backend() {
  if constexpr (LLMBackend<B>) {
    return true;
  } else if constexpr (!std::movable<B>) {
    static_assert(impl::always_false<B>, "cuco: an LLMBackend must be movable");
  } else if constexpr (!impl::HasComplete<B>) {
    static_assert(impl::always_false<B>, "cuco: an LLMBackend needs complete(ChatRequest const&)");
  } else {
    static_assert(impl::always_false<B>, "cuco: LLMBackend::complete must return Result<ChatReply>");
  }
  return false;
}

/// Says in prose why `E` is not an `Embedder`.
template <class E>
consteval bool explain_embedder() {
  if constexpr (Embedder<E>) {
    return true;
  } else if constexpr (!std::movable<E>) {
    static_assert(impl::always_false<E>, "cuco: an Embedder must be movable");
  } else if constexpr (!impl::HasEmbed<E>) {
    static_assert(impl::always_false<E>, "cuco: an Embedder needs embed(std::string_view)");
  } else {
    static_assert(impl::always_false<E>, "cuco: Embedder::embed must return Result<Embedding>");
  }
  return false;
}

/// Says in prose why `R` is not a `Rewriter`.
template <class R>
consteval bool explain_rewriter() {
  if constexpr (Rewriter<R>) {
    return true;
  } else if constexpr (!std::movable<R>) {
    static_assert(impl::always_false<R>, "cuco: a Rewriter must be movable");
  } else if constexpr (!impl::HasRewrite<R>) {
    static_assert(impl::always_false<R>, "cuco: a Rewriter needs rewrite(RewriteRequest const&)");
  } else {
    static_assert(impl::always_false<R>, "cuco: Rewriter::rewrite must return Result<Rewrite>");
  }
  return false;
}

/// Says in prose why `S` is not a `Stage`.
template <class S>
consteval bool explain_stage() {
  if constexpr (Stage<S>) {
    return true;
  } else if constexpr (!std::movable<S>) {
    static_assert(impl::always_false<S>, "cuco: a Stage must be movable");
  } else if constexpr (!impl::HasRun<S const>) {
    static_assert(impl::always_false<S>, "cuco: a Stage needs run(Candidate const&, Evidence&) const");
  } else if constexpr (!impl::HasName<S const>) {
    static_assert(impl::always_false<S>, "cuco: a Stage needs name() const");
  } else {
    static_assert(impl::always_false<S>, "cuco: Stage::run must return Result<Verdict>, name() a text");
  }
  return false;
}

/// Says in prose why `O` is not an `Observer`.
template <class O>
consteval bool explain_observer() {
  if constexpr (Observer<O>) {
    return true;
  } else if constexpr (!std::movable<O>) {
    static_assert(impl::always_false<O>, "cuco: an Observer must be movable");
  } else if constexpr (!impl::HasOn<O>) {
    static_assert(impl::always_false<O>, "cuco: an Observer needs on(Event const&)");
  } else {
    static_assert(impl::always_false<O>, "cuco: Observer::on must return void");
  }
  return false;
}

}  // namespace cuco
