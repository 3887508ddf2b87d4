// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include <benchmark/benchmark.h>

#include "cuco/evolve/evolution.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/store/memory_storage.hpp"

namespace {

/// A source of the usual size with one number that changes.
std::string source(std::uint64_t number) {
  std::string out = "int main() { return " + std::to_string(number) + "; }\n";
  for (int i = 0; i < 400; ++i)
    out += "float f" + std::to_string(i) + "(float x) { return x * 2.0f + 1.0f; }\n";
  return out;
}

struct NumberMutator {
  cuco::Result<cuco::Mutation> mutate(cuco::MutationContext const& /*context*/, cuco::Rng& rng) {
    return cuco::Mutation{source(rng()), "full", "number", "another number"};
  }
};

struct NoOpEvaluator {
  cuco::Result<cuco::Evaluation> evaluate(cuco::Candidate const& candidate) const {
    cuco::Evaluation e;
    e.outcome = cuco::Outcome::kCorrect;
    e.combined_score = static_cast<double>(candidate.id.value.back());
    return e;
  }
};

/// What the loop itself costs per generation: select, diff, normalise, store, archive, migrate.
void generations(benchmark::State& state) {
  auto const count = static_cast<int>(state.range(0));
  for (auto _ : state) {
    cuco::Evolution evolution{
        cuco::MemoryStorage{},
        cuco::PowerLawSelector{},
        NumberMutator{},
        NoOpEvaluator{},
        {.generations = count, .seed = 1, .parallel_evaluations = static_cast<int>(state.range(1))}};
    auto const summary = evolution.run(source(0));
    if (!summary) state.SkipWithError(to_line(summary.error()).c_str());
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(generations)
    ->Args({50, 1})
    ->Args({500, 1})
    ->Args({500, 4})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
