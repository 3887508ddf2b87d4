// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/select/impl/state.hpp"

namespace cuco {

/// A `Selector` chosen at run time. Move-only; must hold one when `select` is called (kInternal otherwise).
class AnySelector {
 public:
  AnySelector() = default;
  template <class S>
  requires(!std::is_same_v<std::remove_cvref_t<S>, AnySelector> && Selector<std::remove_cvref_t<S>>)
      AnySelector(S&& selector)  // NOLINT(google-explicit-constructor): erasing a model is meant to be silent
      : held_(std::make_unique<Holder<std::remove_cvref_t<S>>>(std::forward<S>(selector))) {}

  [[nodiscard]] Result<ProgramId> select(Population const& population, Rng& rng) {
    if (!held_) return fail(ErrorCode::kInternal, "AnySelector holds no selector");
    return held_->select(population, rng);
  }
  [[nodiscard]] std::string name() const { return held_ ? held_->name() : "none"; }
  [[nodiscard]] std::string save() const { return held_ ? held_->save() : ""; }
  void load(std::string_view state) {
    if (held_) held_->load(state);
  }
  void on_phase(Phase phase) {
    if (held_) held_->on_phase(phase);
  }

  /// The held selector when it is an `S`, else nullptr.
  template <class S>
  [[nodiscard]] S* extract() {
    auto* holder = dynamic_cast<Holder<S>*>(held_.get());
    return holder == nullptr ? nullptr : &holder->selector;
  }

 private:
  struct Base {
    Base() = default;
    Base(Base const&) = delete;
    Base& operator=(Base const&) = delete;
    virtual ~Base() = default;
    virtual Result<ProgramId> select(Population const&, Rng&) = 0;
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual std::string save() const = 0;
    virtual void load(std::string_view) = 0;
    virtual void on_phase(Phase) = 0;
  };
  template <class S>
  struct Holder final : Base {
    explicit Holder(S s) : selector(std::move(s)) {}
    Result<ProgramId> select(Population const& population, Rng& rng) override {
      return selector.select(population, rng);
    }
    [[nodiscard]] std::string name() const override { return impl::name_of(selector, "custom"); }
    [[nodiscard]] std::string save() const override { return impl::save_state(selector); }
    void load(std::string_view state) override { impl::load_state(selector, state); }
    void on_phase(Phase phase) override { impl::set_phase(selector, phase); }
    S selector;
  };
  std::unique_ptr<Base> held_;
};

static_assert(explain_selector<AnySelector>());

/// The knobs of all selectors; each reads its own.
struct SelectorOptions {
  double alpha = 1.0;               ///< power_law
  double exploitation_ratio = 0.2;  ///< power_law
  double lambda = 10.0;             ///< weighted
  int beams = 5;                    ///< beam_search
};

/// The names `make_selector` knows: power_law, weighted, beam_search, best_of_n, uniform.
[[nodiscard]] std::vector<std::string_view> selector_names();

/// The selector called `name`. Errors: kInvalidArgument for another name (the remedy lists them).
[[nodiscard]] Result<AnySelector> make_selector(std::string_view name, SelectorOptions const& options = {});

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/select/any_selector-inl.hpp"
#endif
