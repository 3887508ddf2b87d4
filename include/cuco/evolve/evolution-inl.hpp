// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/evolve/evolution.hpp"
#include "cuco/evolve/impl/run_parts.hpp"

namespace cuco {

template <RunStorage S, Selector L, Mutator M, Evaluator E>
Result<RunSummary> Evolution<S, L, M, E>::run(std::vector<Seed> const& seeds) {
  impl::RunStoreOf<S> storage(storage_);
  impl::RunSelectorOf<L> selector(selector_);
  impl::RunMutatorOf<M> mutator(mutator_);
  impl::RunEvaluatorOf<E> const evaluator(evaluator_);
  return impl::run_evolution({storage, selector, mutator, evaluator, options_, observers_, adviser_}, seeds);
}

}  // namespace cuco
