// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/impl/state.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

namespace impl {
template <class M>
concept TellsRepair = requires(M const& m) {
  { m.repairs_failures() } -> std::convertible_to<bool>;
};
/// Whether `mutator` is made for parents that fail.
template <class M>
[[nodiscard]] bool repairs_failures([[maybe_unused]] M const& mutator) {
  if constexpr (TellsRepair<M>) {
    return mutator.repairs_failures();
  } else {
    return false;
  }
}
}  // namespace impl

/// A `Mutator` chosen at run time. Move-only; must hold one when `mutate` is called (kInternal otherwise).
class AnyMutator {
 public:
  AnyMutator() = default;
  // Not `Mutator` here: whether a class that is made from an AnyMutator can be moved would depend on itself.
  template <class M>
  requires(!std::is_same_v<std::remove_cvref_t<M>, AnyMutator> && impl::HasMutate<std::remove_cvref_t<M>>)
      AnyMutator(M&& mutator)  // NOLINT(google-explicit-constructor): erasing a model is meant to be silent
      : held_(std::make_unique<Holder<std::remove_cvref_t<M>>>(std::forward<M>(mutator))) {}

  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    if (!held_) return fail(ErrorCode::kInternal, "AnyMutator holds no mutator");
    return held_->mutate(context, rng);
  }
  [[nodiscard]] bool repairs_failures() const { return held_ && held_->repairs_failures(); }
  [[nodiscard]] std::string save() const { return held_ ? held_->save() : ""; }
  void load(std::string_view state) {
    if (held_) held_->load(state);
  }
  void on_phase(Phase phase) {
    if (held_) held_->on_phase(phase);
  }

  /// The held mutator when it is an `M`, else nullptr.
  template <class M>
  [[nodiscard]] M* extract() {
    auto* holder = dynamic_cast<Holder<M>*>(held_.get());
    return holder == nullptr ? nullptr : &holder->mutator;
  }

 private:
  struct Base {
    Base() = default;
    Base(Base const&) = delete;
    Base& operator=(Base const&) = delete;
    virtual ~Base() = default;
    virtual Result<Mutation> mutate(MutationContext const&, Rng&) = 0;
    [[nodiscard]] virtual bool repairs_failures() const = 0;
    [[nodiscard]] virtual std::string save() const = 0;
    virtual void load(std::string_view) = 0;
    virtual void on_phase(Phase) = 0;
  };
  template <class M>
  struct Holder final : Base {
    static_assert(Mutator<M>);
    explicit Holder(M m) : mutator(std::move(m)) {}
    Result<Mutation> mutate(MutationContext const& context, Rng& rng) override {
      return mutator.mutate(context, rng);
    }
    [[nodiscard]] bool repairs_failures() const override { return impl::repairs_failures(mutator); }
    [[nodiscard]] std::string save() const override { return impl::save_state(mutator); }
    void load(std::string_view state) override { impl::load_state(mutator, state); }
    void on_phase(Phase phase) override { impl::set_phase(mutator, phase); }
    M mutator;
  };
  std::unique_ptr<Base> held_;
};

static_assert(explain_mutator<AnyMutator>());

}  // namespace cuco
