// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <benchmark/benchmark.h>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/edit/evolve_blocks.hpp"

namespace {

std::string seed(char const* name) {
  auto text = cuco::read_file(std::string(CUCO_SOURCE_DIR "/seeds/") + name);
  return text ? *text : std::string{};
}

/// A long program: the seed's text many times over, which keeps the mix of tokens.
std::string repeated(std::string const& text, std::int64_t times) {
  std::string out;
  for (std::int64_t i = 0; i < times; ++i) out += text;
  return out;
}

void lexing(benchmark::State& state) {
  std::string const source = repeated(seed("alltoall.cu"), state.range(0));
  if (source.empty()) return state.SkipWithError("seeds/alltoall.cu cannot be read");
  for (auto _ : state) benchmark::DoNotOptimize(cuco::lex(source));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(source.size()));
}
BENCHMARK(lexing)->Arg(1)->Arg(16)->Arg(256);

void analysing(benchmark::State& state) {
  std::string const source = repeated(seed("alltoall.cu"), state.range(0));
  if (source.empty()) return state.SkipWithError("seeds/alltoall.cu cannot be read");
  for (auto _ : state) benchmark::DoNotOptimize(cuco::Analyzer{}.analyze(source));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(source.size()));
}
BENCHMARK(analysing)->Arg(1)->Arg(8)->Arg(32)->Unit(benchmark::kMicrosecond);

void frozen_hashing(benchmark::State& state) {
  std::string const source = "int before;\n// EVOLVE-BLOCK-START\n" +
                             repeated(seed("allreduce.cu"), state.range(0)) + "// EVOLVE-BLOCK-END\n";
  for (auto _ : state) benchmark::DoNotOptimize(cuco::frozen_hash(source));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(source.size()));
}
BENCHMARK(frozen_hashing)->Arg(1)->Arg(16);

}  // namespace
