// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
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

/// The kinds of program whose cost must grow with their length alone.
enum Shape : std::int64_t {
  kSeeds,      ///< A seed's text many times over.
  kFunctions,  ///< Thousands of functions, each with its own buffers, stream, helper and callers.
  kOneMain,    ///< One function with thousands of loops, launches and collectives on the same two buffers.
  kClasses,    ///< Thousands of classes that own buffers, with a lambda each.
};

std::string program(Shape shape, std::int64_t lines) {
  std::string out = "__global__ void k(float* a, const float* b) { float* r = a + 1; r[0] = b[0]; }\n";
  if (shape == kSeeds) {
    std::string const text = seed("alltoall.cu");
    auto const each = std::count(text.begin(), text.end(), '\n');
    return each == 0 ? text : repeated(text, lines / each + 1);
  }
  if (shape == kOneMain) {
    out +=
        "int main() {\nfloat *x, *y; cudaMalloc(&x, 4); cudaMalloc(&y, 4); cudaStream_t s; "
        "cudaStreamCreate(&s);\n";
    for (std::int64_t i = 0; i < lines / 5; ++i)
      out +=
          "for (int i = 0; i < 3; ++i) {\nk<<<1, 1, 0, s>>>(x, y);\nncclAllReduce(x, y, 4, ncclFloat, "
          "ncclSum, comm, "
          "s);\ncudaStreamSynchronize(s);\n}\n";
    return out + "}\n";
  }
  for (std::int64_t i = 0; i < lines / 6; ++i) {
    std::string const n = std::to_string(i);
    if (shape == kFunctions)
      out += "float* x" + n + "; cudaStream_t s" + n + ";\nvoid f" + n + "(float* p) { ncclAllReduce(p, x" +
             n + ", 4, ncclFloat, ncclSum, comm, s" + n + "); }\nvoid g" + n + "() { cudaMalloc(&x" + n +
             ", 4); cudaStreamCreate(&s" + n + ");\nk<<<1, 1, 0, s" + n + ">>>(x" + n + ", nullptr);\nf" + n +
             "(x" + n + ");\nf" + std::to_string(i / 2) + "(x" + n + "); }\n";
    if (shape == kClasses)
      out += "struct B" + n + " { B" + n +
             "() { cudaMalloc(&p_, 4); }\nfloat* data() { return p_; } void clear() { "
             "cudaMemset(p_, 0, 4); } float* p_; };\nvoid h" +
             n + "() { B" + n +
             " b; b.clear();\nauto l = [&](float* q) { "
             "ncclBcast(q, 4, ncclFloat, 0, comm, s); };\nl(b.data());\nk<<<1, 1>>>(b.data(), nullptr); }\n";
  }
  return out;
}

/// Time per line must not grow with the length.
void analysing(benchmark::State& state) {
  std::string const source = program(static_cast<Shape>(state.range(0)), state.range(1));
  auto const lines = std::count(source.begin(), source.end(), '\n');
  if (lines < state.range(1) / 2) return state.SkipWithError("the program cannot be made");
  for (auto _ : state) benchmark::DoNotOptimize(cuco::Analyzer{}.analyze(source));
  state.counters["lines"] = static_cast<double>(lines);
  state.counters["ms_per_1000_lines"] =
      benchmark::Counter(static_cast<double>(lines) * 1e-6,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(analysing)
    ->ArgsProduct({{kSeeds, kFunctions, kOneMain, kClasses}, {1000, 10000, 100000}})
    ->ArgNames({"shape", "lines"})
    ->Unit(benchmark::kMillisecond);

void frozen_hashing(benchmark::State& state) {
  std::string const source = "int before;\n// EVOLVE-BLOCK-START\n" +
                             repeated(seed("allreduce.cu"), state.range(0)) + "// EVOLVE-BLOCK-END\n";
  for (auto _ : state) benchmark::DoNotOptimize(cuco::frozen_hash(source));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(source.size()));
}
BENCHMARK(frozen_hashing)->Arg(1)->Arg(16);

}  // namespace
