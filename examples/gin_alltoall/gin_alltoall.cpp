// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// From ncclAlltoAll to one-sided puts and signals, then generations over the directive space, kept in
// SQLite so that a second call goes on where the first was stopped.
//
// usage: gin_alltoall [--devices emulated|cuda] [--ranks N] [--generations N]
// [--dir RUN_DIRECTORY]
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <cuco/cuco.hpp>

namespace {

int stop(cuco::Error const& error) {
  fmt::print(stderr, "gin_alltoall: {}\n", cuco::to_line(error));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cuco;
  bool cuda = false;
  int ranks = 4;
  int generations = 12;
  std::string directory = "runs/gin_alltoall";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--devices") cuda = std::string_view(argv[i + 1]) == "cuda";
    if (std::string_view(argv[i]) == "--ranks") ranks = std::atoi(argv[i + 1]);
    if (std::string_view(argv[i]) == "--generations") generations = std::atoi(argv[i + 1]);
    if (std::string_view(argv[i]) == "--dir") directory = argv[i + 1];
  }
  // GPUs with a network that carries GPU-initiated puts, or ranks on one node each over a modelled 400 Gb/s
  // fabric.
  Devices const devices = cuda ? Devices::cuda() : Devices::emulated({.machine = "h200-ib400"});

  auto host_driven = load_program("seeds/alltoall.cu");
  if (!host_driven) return stop(host_driven.error());

  Pipeline fast_path{Transformer<Api::GIN>{RuleRewriter<Api::GIN>{}, devices, {.ranks = ranks}}};
  auto device = fast_path.run(*host_driven);
  if (!device) return stop(device.error());
  fmt::print("host-driven {:.4f} ms, device-initiated {:.4f} ms ({})\n",
             device->input_ms,
             device->output_ms,
             to_string(device->origin));

  // Every candidate also has to pass under reordered delivery of its puts and signals.
  Cascade judge{LintStage{{.original = device->code}},
                CompileStage{devices, {.nvcc_check = false}},
                RunStage{devices, {.ranks = ranks, .schedules = 2}},
                BenchmarkStage{devices, {.ranks = ranks}}};
  Evolution evolution{SqliteStorage{directory},
                      PowerLawSelector{.alpha = 1.0},
                      DirectiveMutator{},
                      judge,
                      {.generations = generations,
                       .islands = 2,
                       .seed = 7,
                       .parallel_evaluations = cuda ? 1 : 2,
                       .directory = directory}};
  evolution.observe(ProgressObserver{});
  auto best = evolution.run(device->code);
  if (!best) return stop(best.error());
  fmt::print("{}\n", best->summary());
  return best->best.correct ? 0 : 1;
}
