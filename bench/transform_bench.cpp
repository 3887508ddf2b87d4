// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <benchmark/benchmark.h>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/directives/design_space.hpp"
#include "cuco/transform/generated_section.hpp"
#include "cuco/transform/markers.hpp"
#include "cuco/transform/rule_rewriter.hpp"

namespace {

/// Both stages and the markers, nothing built or run; empty when a rule refuses.
template <cuco::Api A>
std::string transformed(std::string const& name) {
  auto code = cuco::read_file(CUCO_SOURCE_DIR "/seeds/" + name);
  if (!code) return {};
  for (auto stage : {cuco::TransformStage::kInfrastructure, cuco::TransformStage::kDevice}) {
    auto report = cuco::Analyzer{}.analyze(*code, name);
    if (!report) return {};
    cuco::RewriteRequest const request{*code, name, *report, stage};
    auto rewrite = cuco::RuleRewriter<A>{}.rewrite(request);
    if (!rewrite) return {};
    *code = std::move(rewrite->code);
  }
  auto report = cuco::Analyzer{}.analyze(*code, name);
  auto marked =
      report ? cuco::insert_evolve_markers(*code, *report) : cuco::Result<std::string>(std::string());
  return marked ? *marked : std::string();
}

void rewriting(benchmark::State& state, cuco::Api api, char const* name) {
  auto const run = [&] {
    return api == cuco::Api::LSA ? transformed<cuco::Api::LSA>(name) : transformed<cuco::Api::GIN>(name);
  };
  if (run().empty()) return state.SkipWithError("the seed is missing or refused");
  for (auto _ : state) benchmark::DoNotOptimize(run());
}
BENCHMARK_CAPTURE(rewriting, alltoall_lsa, cuco::Api::LSA, "alltoall.cu")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rewriting, allreduce_lsa, cuco::Api::LSA, "allreduce.cu")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rewriting, allreduce_gin, cuco::Api::GIN, "allreduce.cu")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rewriting, allgather_gemm_gin, cuco::Api::GIN, "allgather_gemm.cu")
    ->Unit(benchmark::kMillisecond);

/// What the directive mutator does for one proposal.
void regenerating(benchmark::State& state) {
  std::string const code = transformed<cuco::Api::LSA>("allreduce.cu");
  auto collectives = cuco::read_annotations(code);
  if (!collectives || collectives->empty()) return state.SkipWithError("there is no generated section");
  auto const points = cuco::neighbours(collectives->front().directives, collectives->front().site);
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(cuco::regenerate(code, collectives->front().name, points[i++ % points.size()]));
}
BENCHMARK(regenerating)->Unit(benchmark::kMicrosecond);

void enumerating(benchmark::State& state) {
  cuco::Site site;
  site.api = state.range(0) == 0 ? cuco::Api::LSA : cuco::Api::GIN;
  for (auto _ : state) benchmark::DoNotOptimize(cuco::enumerate(site));
  state.counters["points"] = static_cast<double>(cuco::enumerate(site).size());
}
BENCHMARK(enumerating)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
