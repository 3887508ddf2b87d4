// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <unistd.h>

#include <benchmark/benchmark.h>

#include "cuco/embed/ngram_embedder.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/mutate/cross_mutator.hpp"
#include "cuco/mutate/diff_mutator.hpp"
#include "cuco/mutate/full_mutator.hpp"
#include "cuco/mutate/mixture.hpp"
#include "cuco/mutate/novel.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/store/memory_storage.hpp"
#include "cuco/store/sqlite_storage.hpp"

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

/// A program of 410 lines, of which a third may evolve.
std::string marked_source(std::uint64_t number) {
  std::string out = "#include <cstdio>\n";
  for (int i = 0; i < 270; ++i)
    out += "float f" + std::to_string(i) + "(float x) { return x * 2.0f + 1.0f; }\n";
  out += "// EVOLVE-BLOCK-START\n";
  for (std::uint64_t i = 0; i < 135; ++i)
    out += "float g" + std::to_string(i) + "(float x) { return x * " +
           std::to_string((number >> (i % 48)) % 97) + ".0f; }\n";
  return out + "// EVOLVE-BLOCK-END\nint main() { return 0; }\n";
}

/// Answers with a whole new program, and knows how long that took.
struct InstantModel {
  std::shared_ptr<std::uint64_t> calls = std::make_shared<std::uint64_t>(0);
  std::shared_ptr<double> seconds = std::make_shared<double>(0);

  [[nodiscard]] cuco::Result<cuco::ChatReply> complete(cuco::ChatRequest const& /*request*/) {
    auto const begin = std::chrono::steady_clock::now();
    cuco::Rng rng(++*calls);
    cuco::ChatReply reply;
    reply.text = "<NAME>other factors</NAME>\n<DESCRIPTION>numbers</DESCRIPTION>\n```cuda\n" +
                 marked_source(rng()) + "```\n";
    *seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return reply;
  }
  [[nodiscard]] static std::string model() { return "bench:instant"; }
};

/// When the generations from `from` on were done.
struct Stopwatch {
  int from;
  InstantModel model;
  std::chrono::steady_clock::time_point begin{}, end{};
  double model_begin = 0, model_end = 0;
  void on(cuco::Event const& event) {
    if (event.kind != cuco::Event::Kind::kEvaluated) return;
    end = std::chrono::steady_clock::now();
    model_end = *model.seconds;
    if (event.generation > from) return;
    begin = end;
    model_begin = model_end;
  }
};

/// What a generation costs besides model and evaluation when there are already 1,000 programs: prompts with
/// inspirations, edits, novelty over all that is known, storage in a file.
void generation_with_models(benchmark::State& state) {
  constexpr int kStored = 1000, kMore = 200;
  std::string const folder =
      (std::filesystem::temp_directory_path() / ("cuco_bench_" + std::to_string(::getpid()))).string();
  for (auto _ : state) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    auto storage = cuco::SqliteStorage::open(folder + "/evolution_db.sqlite");
    if (!storage) {
      state.SkipWithError(to_line(storage.error()).c_str());
      break;
    }
    InstantModel const model;
    cuco::Evolution evolution{std::move(*storage),
                              cuco::PowerLawSelector{},
                              cuco::Novel{cuco::Mixture{weighted(.8, cuco::FullMutator{model}),
                                                        weighted(.2, cuco::CrossMutator{model})},
                                          cuco::NgramEmbedder{}},
                              NoOpEvaluator{},
                              {.generations = kStored + kMore, .seed = 1, .parallel_evaluations = 1}};
    Stopwatch watch{kStored, model};
    evolution.observe(std::ref(watch));
    auto const summary = evolution.run(marked_source(0));
    if (!summary) {
      state.SkipWithError(to_line(summary.error()).c_str());
      break;
    }
    state.counters["proposals"] = static_cast<double>(*model.calls);
    double const all = std::chrono::duration<double>(watch.end - watch.begin).count();
    state.SetIterationTime((all - (watch.model_end - watch.model_begin)) / kMore);
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(generation_with_models)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
