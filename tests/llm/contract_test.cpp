// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <chrono>

#include "../contract/hostile_file_system.hpp"
#include "../contract/llm_backend_contract.hpp"
#include "../contract/observer_contract.hpp"
#include "cuco/llm/asymmetric_ucb.hpp"
#include "cuco/llm/budgeted.hpp"
#include "cuco/llm/cached.hpp"
#include "cuco/llm/cost_aware_ucb.hpp"
#include "cuco/llm/ensemble.hpp"
#include "cuco/llm/model_prices.hpp"
#include "cuco/llm/priced.hpp"
#include "cuco/llm/recorded.hpp"
#include "cuco/llm/retrying.hpp"
#include "cuco/llm/thompson_policy.hpp"
#include "cuco/llm/weighted_policy.hpp"

namespace cuco::testing {
namespace {

using Function = ScriptedBackend::Function;

struct ScriptedFixture {
  using Model = ScriptedBackend;
  Model make(Function f) { return ScriptedBackend(std::move(f)); }
};
struct AnyFixture {
  using Model = AnyBackend;
  Model make(Function f) { return ScriptedBackend(std::move(f)); }
};
struct RetryingFixture {
  using Model = Retrying<ScriptedBackend>;
  Model make(Function f) { return Retrying{ScriptedBackend(std::move(f))}; }
};
struct PricedFixture {
  using Model = Priced<ScriptedBackend>;
  Model make(Function f) { return Priced{ScriptedBackend(std::move(f)), ModelPrices{}}; }
};
struct BudgetedFixture {
  using Model = Budgeted<ScriptedBackend>;
  Model make(Function f) { return Budgeted{ScriptedBackend(std::move(f)), usd(5)}; }
};
struct RecordedFixture {
  using Model = Recorded<ScriptedBackend>;
  Model make(Function f) { return Recorded{ScriptedBackend(std::move(f)), folder / std::to_string(made++)}; }
  TemporaryFolder folder{};
  int made = 0;
};
struct CachedFixture {
  using Model = Cached<ScriptedBackend>;
  Model make(Function f) { return Cached{ScriptedBackend(std::move(f))}; }
};
template <class Policy>
struct EnsembleFixture {
  using Model = Ensemble<Policy>;
  Model make(Function f) {
    ScriptedBackend const arm(std::move(f));
    return Model({arm, arm}, policy());
  }
  static Policy policy() {
    if constexpr (std::is_same_v<Policy, WeightedPolicy>) {
      return WeightedPolicy({1, 2});
    } else {
      return Policy();
    }
  }
};
struct StackFixture {
  using Model = Retrying<Budgeted<Recorded<Ensemble<AsymmetricUcb>>>>;
  Model make(Function f) {
    ScriptedBackend const arm(std::move(f));
    auto arms = Ensemble{{arm, arm}, AsymmetricUcb{}};
    return Retrying{Budgeted{Recorded{arms, folder / std::to_string(made++)}, Budget{5, 1'000'000}}};
  }
  TemporaryFolder folder{};
  int made = 0;
};

using Backends = ::testing::Types<ScriptedFixture,
                                  AnyFixture,
                                  RetryingFixture,
                                  PricedFixture,
                                  BudgetedFixture,
                                  RecordedFixture,
                                  CachedFixture,
                                  EnsembleFixture<UniformPolicy>,
                                  EnsembleFixture<WeightedPolicy>,
                                  EnsembleFixture<AsymmetricUcb>,
                                  EnsembleFixture<CostAwareUcb>,
                                  EnsembleFixture<ThompsonPolicy>,
                                  StackFixture>;
INSTANTIATE_TYPED_TEST_SUITE_P(Llm, LLMBackendContract, Backends);

struct EnsembleObserverFixture {
  using Model = Ensemble<AsymmetricUcb>::Observer;
  Model make() { return Ensemble{{ScriptedBackend(std::vector<std::string>{})}, AsymmetricUcb{}}.observer(); }
};
struct RecordingObserverFixture {
  using Model = Recording::Observer;
  Model make() { return Recording(folder.path, Recording::Use::kRecord).observer(); }
  TemporaryFolder folder{};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Ensemble, ObserverContract, EnsembleObserverFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Recording, ObserverContract, RecordingObserverFixture);

}  // namespace
}  // namespace cuco::testing
