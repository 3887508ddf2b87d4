// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/impl/state.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/impl/run_adviser.hpp"
#include "cuco/fwd.hpp"
#include "cuco/mutate/any_mutator.hpp"
#include "cuco/population/seeds.hpp"

/// @file
/// The four parts of a run behind virtual functions, so that the engine is compiled once and not for every
/// combination of parts. All of them refer to parts that `Evolution` owns.

namespace cuco {
struct EvolutionOptions;
struct RunSummary;
}  // namespace cuco

namespace cuco::impl {

/// The storage of a run.
class RunStore {
 public:
  virtual ~RunStore() = default;
  [[nodiscard]] virtual Status add(Program const& program) = 0;
  [[nodiscard]] virtual Result<Program> get(ProgramId const& id) const = 0;
  [[nodiscard]] virtual Result<std::vector<Program>> scan(ProgramFilter const& filter) const = 0;
  [[nodiscard]] virtual Status transaction(std::function<Status()> const& changes) = 0;
  [[nodiscard]] virtual Status update(Program const& program) = 0;
  [[nodiscard]] virtual Status set_archived(ProgramId const& id, bool archived) = 0;
  [[nodiscard]] virtual Status set_value(std::string const& key, std::string const& value) = 0;
  [[nodiscard]] virtual Result<std::optional<std::string>> value(std::string const& key) const = 0;
  [[nodiscard]] virtual Result<std::size_t> size() const = 0;
};

template <class S>
class RunStoreOf final : public RunStore {
 public:
  explicit RunStoreOf(S& storage) : storage_(storage) {}
  Status add(Program const& program) override { return storage_.add(program); }
  Result<Program> get(ProgramId const& id) const override { return constant().get(id); }
  Result<std::vector<Program>> scan(ProgramFilter const& filter) const override {
    return constant().scan(filter);
  }
  Status transaction(std::function<Status()> const& changes) override {
    return storage_.transaction(changes);
  }
  Status update(Program const& program) override { return storage_.update(program); }
  Status set_archived(ProgramId const& id, bool archived) override {
    return storage_.set_archived(id, archived);
  }
  Status set_value(std::string const& key, std::string const& value) override {
    return storage_.set_value(key, value);
  }
  Result<std::optional<std::string>> value(std::string const& key) const override {
    return constant().value(key);
  }
  Result<std::size_t> size() const override { return constant().size(); }

 private:
  S const& constant() const { return storage_; }
  S& storage_;
};

/// What a selector and a mutator may have besides their role.
class RunPart {
 public:
  virtual ~RunPart() = default;
  /// Whether `save` and `load` do anything.
  [[nodiscard]] virtual bool keeps_state() const = 0;
  [[nodiscard]] virtual std::string save() const = 0;
  virtual void load(std::string_view state) = 0;
  virtual void set_phase(Phase phase) = 0;
  /// `fallback` for a part that has no name.
  [[nodiscard]] virtual std::string name(std::string_view fallback) const = 0;
};

class RunSelector : public RunPart {
 public:
  [[nodiscard]] virtual Result<ProgramId> select(Population const& population, Rng& rng) = 0;
};

class RunMutator : public RunPart {
 public:
  /// Whether it is made, in the phase that was set, for parents that fail.
  [[nodiscard]] virtual bool repairs_failures() const = 0;
  [[nodiscard]] virtual Result<Mutation> mutate(MutationContext const& context, Rng& rng) = 0;
};

template <class P, class Role>
class RunPartOf : public Role {
 public:
  explicit RunPartOf(P& part) : part_(part) {}
  bool keeps_state() const override { return KeepsState<P>; }
  std::string save() const override { return save_state(part_); }
  void load(std::string_view state) override { load_state(part_, state); }
  void set_phase(Phase phase) override { impl::set_phase(part_, phase); }
  std::string name(std::string_view fallback) const override { return name_of(part_, fallback); }

 protected:
  P& part_;
};

template <class L>
class RunSelectorOf final : public RunPartOf<L, RunSelector> {
 public:
  using RunPartOf<L, RunSelector>::RunPartOf;
  Result<ProgramId> select(Population const& population, Rng& rng) override {
    return this->part_.select(population, rng);
  }
};

template <class M>
class RunMutatorOf final : public RunPartOf<M, RunMutator> {
 public:
  using RunPartOf<M, RunMutator>::RunPartOf;
  bool repairs_failures() const override { return impl::repairs_failures(this->part_); }
  Result<Mutation> mutate(MutationContext const& context, Rng& rng) override {
    return this->part_.mutate(context, rng);
  }
};

/// The evaluator of a run. Several threads call it at once.
class RunEvaluator {
 public:
  virtual ~RunEvaluator() = default;
  [[nodiscard]] virtual Result<Evaluation> evaluate(Candidate const& candidate) const = 0;
};

template <class E>
class RunEvaluatorOf final : public RunEvaluator {
 public:
  explicit RunEvaluatorOf(E const& evaluator) : evaluator_(evaluator) {}
  Result<Evaluation> evaluate(Candidate const& candidate) const override {
    return evaluator_.evaluate(candidate);
  }

 private:
  E const& evaluator_;
};

/// What `Evolution::run` hands to the engine.
struct RunParts {
  RunStore& storage;
  RunSelector& selector;
  RunMutator& mutator;
  RunEvaluator const& evaluator;
  EvolutionOptions const& options;
  std::vector<std::function<void(Event const&)>> const& observers;
  RunAdviser const& adviser;
};

/// `Evolution::run`. An exception of a part is an error of kInternal.
[[nodiscard]] Result<RunSummary> run_evolution(RunParts const& parts, std::vector<Seed> const& seeds);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/impl/evolution_run-inl.hpp"
#endif
