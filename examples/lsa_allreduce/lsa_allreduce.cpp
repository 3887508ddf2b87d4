// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// From ncclAllReduce to load/store kernels, then generations over the directive space, with typed parts.
//
// usage: lsa_allreduce [--devices emulated|cuda] [--ranks N] [--generations N]
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <cuco/cuco.hpp>

namespace {

int stop(cuco::Error const& error) {
  fmt::print(stderr, "lsa_allreduce: {}\n", cuco::to_line(error));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cuco;
  bool cuda = false;
  int ranks = 4;
  int generations = 12;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--devices") cuda = std::string_view(argv[i + 1]) == "cuda";
    if (std::string_view(argv[i]) == "--ranks") ranks = std::atoi(argv[i + 1]);
    if (std::string_view(argv[i]) == "--generations") generations = std::atoi(argv[i + 1]);
  }
  // Real GPUs of one host, or ranks whose NVLink is modelled.
  Devices const devices = cuda ? Devices::cuda() : Devices::emulated({.machine = "h200-nvlink"});

  auto host_driven = load_program("seeds/allreduce.cu");
  if (!host_driven) return stop(host_driven.error());

  // Fast path: two stages, each built, run and verified; then markers and a warm-up.
  Pipeline fast_path{Transformer<Api::LSA>{RuleRewriter<Api::LSA>{}, devices, {.ranks = ranks}}};
  auto device = fast_path.run(*host_driven);
  if (!device) return stop(device.error());
  fmt::print("host-driven {:.4f} ms, device-initiated {:.4f} ms ({})\n",
             device->input_ms,
             device->output_ms,
             to_string(device->origin));

  // Slow path: islands of programs that differ in their directives, judged by a cascade.
  Cascade judge{LintStage{{.original = device->code}},
                CompileStage{devices, {.nvcc_check = false}},
                RunStage{devices, {.ranks = ranks}},
                BenchmarkStage{devices, {.ranks = ranks}}};
  Evolution evolution{
      MemoryStorage{},
      WeightedSelector{},
      DirectiveMutator{},
      judge,
      {.generations = generations, .islands = 2, .seed = 7, .parallel_evaluations = cuda ? 1 : 2}};
  evolution.observe(ProgressObserver{});
  auto best = evolution.run(device->code);
  if (!best) return stop(best.error());
  fmt::print("{}\n", best->summary());
  return best->best.correct ? 0 : 1;
}
