// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Any model of `Evaluator`, chosen at run time. Copies share one evaluator, which its contract allows:
/// evaluators are callable from several threads.
class AnyEvaluator {
 public:
  template <class E>
  requires(!std::same_as<std::remove_cvref_t<E>, AnyEvaluator> && Evaluator<std::remove_cvref_t<E>>)
      AnyEvaluator(E&& evaluator)  // NOLINT(google-explicit-constructor): a twin stands for its models.
      : model_(std::make_shared<Model<std::remove_cvref_t<E>>>(std::forward<E>(evaluator))) {}

  [[nodiscard]] Result<Evaluation> evaluate(Candidate const& candidate) const {
    return model_->evaluate(candidate);
  }

 private:
  struct Interface {
    Interface() = default;
    Interface(Interface const&) = delete;
    Interface& operator=(Interface const&) = delete;
    virtual ~Interface() = default;
    [[nodiscard]] virtual Result<Evaluation> evaluate(Candidate const& candidate) const = 0;
  };
  template <class E>
  struct Model final : Interface {
    template <class T>
    explicit Model(T&& e) : evaluator(std::forward<T>(e)) {}
    [[nodiscard]] Result<Evaluation> evaluate(Candidate const& candidate) const override {
      return evaluator.evaluate(candidate);
    }
    E evaluator;
  };
  std::shared_ptr<Interface const> model_;
};

static_assert(explain_evaluator<AnyEvaluator>());

}  // namespace cuco
