// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "../contract/evaluator_contract.hpp"

#include <memory>
#include <string>
#include <vector>

#include "cuco/evaluate/any_evaluator.hpp"
#include "cuco/evaluate/benchmark_stage.hpp"
#include "cuco/evaluate/cascade.hpp"
#include "cuco/evaluate/command_evaluator.hpp"
#include "cuco/evaluate/compile_stage.hpp"
#include "cuco/evaluate/run_stage.hpp"
#include "fake_backend.hpp"

namespace cuco::testing {
namespace {

/// Devices on which the text of a candidate says what happens.
Devices obedient_devices() {
  auto backend = std::make_shared<FakeBackend>();
  backend->on_build = [](BuildSpec const& spec) -> Result<BuildResult> {
    auto const code = slurp(spec.source_path);
    BuildResult result;
    result.built = code.find("syntax error") == std::string::npos;
    if (result.built)
      make_script(spec.output_path, code);
    else
      result.diagnostics = spec.source_path + ":1: error: syntax\n";
    return result;
  };
  backend->on_run = [](RunSpec const& spec) -> Result<RunResult> {
    auto const code = slurp(spec.binary);
    RunResult result = good_run({2, 3});
    if (code.find("wrong") != std::string::npos) result.rank_stdout[1] = contract_lines(1, "FAIL");
    if (code.find("crash") != std::string::npos) result.signal = 11;
    if (code.find("hang") != std::string::npos) result.timed_out = true;
    return result;
  };
  return Devices(backend);
}

CompileOptions without_nvcc() {
  CompileOptions options;
  options.nvcc_check = false;
  return options;
}

struct CascadeOnDevices {
  Devices devices = obedient_devices();
  auto evaluator() {
    return Cascade{CompileStage{devices, without_nvcc()}, RunStage{devices}, BenchmarkStage{devices}};
  }
  static std::string good() { return "good"; }
  static std::vector<std::string> bad() { return {"wrong", "crash", "hang", "syntax error"}; }
};

struct Erased : CascadeOnDevices {
  AnyEvaluator evaluator() { return CascadeOnDevices::evaluator(); }
};

struct External {
  TemporaryDirectory directory;
  CommandEvaluator evaluator() {
    make_script(directory / "judge", R"sh(#!/bin/sh
case "$(cat "$2")" in
  good) echo '{"combined_score": 2500, "public": {"time_ms": 3, "rank0_time_ms": 2, "rank1_time_ms": 3}}' > "$4/metrics.json"
        echo '{"correct": true, "error": null}' > "$4/correct.json" ;;
  crash) kill -SEGV $$ ;;
  silent) ;;
  *) echo '{"correct": false, "error": "wrong"}' > "$4/correct.json" ;;
esac
)sh");
    CommandEvaluatorOptions options;
    options.argv = {directory / "judge"};
    return CommandEvaluator(options);
  }
  static std::string good() { return "good"; }
  static std::vector<std::string> bad() { return {"wrong", "crash", "silent"}; }
};

using Models = ::testing::Types<CascadeOnDevices, Erased, External>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EvaluatorContract, Models);

}  // namespace
}  // namespace cuco::testing
