// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include <benchmark/benchmark.h>

#include "cuco/population/archive.hpp"
#include "cuco/population/inspirations.hpp"
#include "cuco/population/migration.hpp"
#include "cuco/select/any_selector.hpp"
#include "cuco/select/beam_selector.hpp"
#include "cuco/select/best_of_n_selector.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/select/weighted_selector.hpp"

namespace {

/// `size` members on four islands, four fifths of them correct, the best hundred in the archive.
cuco::Roster roster(std::int64_t size) {
  cuco::Rng rng(1);
  cuco::Roster out(4);
  for (std::int64_t i = 0; i < size; ++i) {
    cuco::Member m;
    m.id = cuco::ProgramId{"g" + std::to_string(i)};
    m.correct = rng.chance(0.8);
    m.score = m.correct ? rng.uniform() * 10000 : 0;
    m.generation = static_cast<int>(i);
    m.island = static_cast<int>(rng.below(4));
    m.children = static_cast<int>(rng.below(6));
    auto const id = m.id;
    out.add(std::move(m), static_cast<std::uint64_t>(i) + 1);
    cuco::update_archive(out, id, 100);
  }
  out.restrict_to(0);
  return out;
}

template <class S>
void select_parent(benchmark::State& state) {
  auto const members = roster(state.range(0));
  S selector{};
  cuco::Rng rng(2);
  for (auto _ : state) benchmark::DoNotOptimize(selector.select(members.population(), rng));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(select_parent<cuco::UniformSelector>)->Arg(100)->Arg(10000);
BENCHMARK(select_parent<cuco::PowerLawSelector>)->Arg(100)->Arg(10000);
BENCHMARK(select_parent<cuco::WeightedSelector>)->Arg(100)->Arg(10000);
BENCHMARK(select_parent<cuco::BeamSelector>)->Arg(100)->Arg(10000);
BENCHMARK(select_parent<cuco::BestOfNSelector>)->Arg(100)->Arg(10000);

void select_erased(benchmark::State& state) {
  auto const members = roster(state.range(0));
  auto selector = cuco::make_selector("power_law").value();
  cuco::Rng rng(2);
  for (auto _ : state) benchmark::DoNotOptimize(selector.select(members.population(), rng));
}
BENCHMARK(select_erased)->Arg(10000);

void inspirations(benchmark::State& state) {
  auto const members = roster(state.range(0));
  cuco::Rng rng(2);
  auto const parent = members.population().members.back().id;
  for (auto _ : state) benchmark::DoNotOptimize(cuco::pick_inspirations(members, parent, {}, true, rng));
}
BENCHMARK(inspirations)->Arg(10000);

void plan_migration(benchmark::State& state) {
  auto const members = roster(state.range(0));
  cuco::Rng rng(2);
  for (auto _ : state) benchmark::DoNotOptimize(cuco::ElitistCopyMigration{}.plan(members, rng));
}
BENCHMARK(plan_migration)->Arg(1000);

}  // namespace
