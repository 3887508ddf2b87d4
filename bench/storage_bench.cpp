// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>

#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>

#include "cuco/store/memory_storage.hpp"
#include "cuco/store/sqlite_storage.hpp"

namespace {

/// A row of the usual size: some 20 KB of source.
cuco::Program program(std::int64_t i) {
  cuco::Program p;
  p.id = cuco::ProgramId{"g" + std::to_string(i)};
  p.code = "// " + std::to_string(i) + "\n" + std::string(20000, 'x');
  p.generation = static_cast<int>(i);
  p.correct = i % 5 != 0;
  p.combined_score = p.correct ? static_cast<double>(i % 997) : 0;
  p.public_metrics = {{"time_ms", 1.25}, {"rank0_time_ms", 1.25}, {"rank1_time_ms", 1.0}};
  p.metadata = {{"patch_type", "directive"}, {"patch_name", "two_shot"}, {"outcome", "correct"}};
  return p;
}

struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / "cuco-bench-XXXXXX").string();
  Folder() {
    if (::mkdtemp(path.data()) == nullptr) std::abort();
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

template <class S>
S open(Folder const& folder);
template <>
cuco::MemoryStorage open(Folder const& /*folder*/) {
  return {};
}
template <>
cuco::SqliteStorage open(Folder const& folder) {
  return cuco::SqliteStorage{folder.path + "/bench.sqlite"};
}

template <class S>
void fill(benchmark::State& state, S& storage, std::int64_t rows) {
  auto const added = storage.transaction([&]() -> cuco::Status {
    for (std::int64_t i = 0; i < rows; ++i)
      if (auto one = storage.add(program(i)); !one) return one;
    return {};
  });
  if (!added) state.SkipWithError(to_line(added.error()).c_str());
}

/// One row per transaction, as a run does it.
template <class S>
void add(benchmark::State& state) {
  Folder const folder;
  auto storage = open<S>(folder);
  std::int64_t i = 0;
  for (auto _ : state) {
    auto const added = storage.transaction([&] { return storage.add(program(i++)); });
    if (!added) state.SkipWithError(to_line(added.error()).c_str());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(add<cuco::MemoryStorage>)->Iterations(2000);
BENCHMARK(add<cuco::SqliteStorage>)->Iterations(500);

template <class S>
void get(benchmark::State& state) {
  Folder const folder;
  auto storage = open<S>(folder);
  fill(state, storage, 1000);
  std::int64_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(storage.get(cuco::ProgramId{"g" + std::to_string(i++ % 1000)}));
}
BENCHMARK(get<cuco::MemoryStorage>);
BENCHMARK(get<cuco::SqliteStorage>);

template <class S>
void scan(benchmark::State& state) {
  Folder const folder;
  auto storage = open<S>(folder);
  fill(state, storage, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(storage.scan(cuco::ProgramFilter{}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(scan<cuco::MemoryStorage>)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(scan<cuco::SqliteStorage>)->Arg(1000)->Unit(benchmark::kMillisecond);

template <class S>
void members(benchmark::State& state) {
  Folder const folder;
  auto storage = open<S>(folder);
  fill(state, storage, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(storage.members());
}
BENCHMARK(members<cuco::MemoryStorage>)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(members<cuco::SqliteStorage>)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
