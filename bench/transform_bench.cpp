// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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
std::string transform(std::string const& source, std::string const& name) {
  cuco::Result<std::string> code = source;
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

template <cuco::Api A>
std::string transformed(std::string const& name) {
  auto code = cuco::read_file(CUCO_SOURCE_DIR "/seeds/" + name);
  return code ? transform<A>(*code, name) : std::string();
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

/// The all-to-all seed with `lines` lines in front: host functions and kernels that do not communicate, and
/// from each 100 lines one function that reduces a buffer of its own, if `many`.
std::string long_program(std::size_t lines, bool many) {
  auto seed = cuco::read_file(CUCO_SOURCE_DIR "/seeds/alltoall.cu");
  if (!seed) return {};
  std::string front;
  for (std::size_t i = 0; 10 * i < lines; ++i) {
    std::string const n = std::to_string(i);
    if (many && i % 10 == 0)
      front += "static void step" + n + "(ncclComm_t comm, cudaStream_t stream, size_t count) {\n" +
               "  float* part = nullptr;\n  cudaMalloc(&part, count * sizeof(float));\n" +
               "  cudaMemsetAsync(part, 0, count * sizeof(float), stream);\n" +
               "  ncclAllReduce(part, part, count, ncclFloat, ncclSum, comm, stream);\n" +
               "  cudaStreamSynchronize(stream);\n  cudaFree(part);\n}\n\n\n";
    else
      front += "__global__ void scale" + n + "(float* x, float f, int n) {\n" +
               "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  if (i < n) x[i] = x[i] * f;\n}\n" +
               "static void run" + n +
               "(float* x, int n, cudaStream_t stream) {\n  for (int k = 0; k < 3; ++k)\n" + "    scale" + n +
               "<<<(n + 255) / 256, 256, 0, stream>>>(x, 0.5f, n);\n}\n\n\n";
  }
  std::size_t const at = seed->find("int main(");
  return at == std::string::npos ? std::string() : seed->insert(at, front);
}

void rewriting_long(benchmark::State& state) {
  std::string const source = long_program(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  if (transform<cuco::Api::LSA>(source, "long.cu").empty())
    return state.SkipWithError("the seed is missing, or refused");
  for (auto _ : state) benchmark::DoNotOptimize(transform<cuco::Api::LSA>(source, "long.cu"));
  auto const lines = static_cast<double>(std::count(source.begin(), source.end(), '\n'));
  state.counters["lines"] = lines;
}
BENCHMARK(rewriting_long)
    ->ArgNames({"lines", "many"})
    ->ArgsProduct({{370, 1000, 10000, 100000}, {0}})
    ->ArgsProduct({{370, 1000, 10000}, {1}})
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
