// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "cuco/evaluate/devices.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  bool warm_up = false;
};

/// One line of the report.
struct Check {
  std::string what;
  bool ok = false;
  std::string detail;   ///< Version or path; why not, when not ok.
  std::string purpose;  ///< "emulated", "nvcc" or "gpu": what it is needed for.
};

std::string first_line(std::string const& text) {
  return text.substr(0, text.find('\n'));
}

Check program(std::string const& what,
              std::vector<std::string> const& argv,
              std::string const& purpose,
              std::string const& remedy) {
  auto path = find_program(argv.front());
  if (!path) return {what, false, remedy, purpose};
  Command command;
  command.argv = argv;
  command.deadline = std::chrono::seconds(20);
  auto result = run_process(command);
  if (!result || !result->ok())
    return {what, false, fmt::format("{} does not run; {}", *path, remedy), purpose};
  std::string text = result->out.empty() ? result->err : result->out;
  // nvcc puts its version on a later line.
  if (auto at = text.find("release "); at != std::string::npos) text = text.substr(at);
  return {what, true, fmt::format("{} ({})", *path, first_line(text)), purpose};
}

std::vector<Check> inspect(Options const& options) {
  std::vector<Check> checks;
  checks.push_back(
      program("C++ compiler", {"g++", "--version"}, "emulated", "install the Debian package g++"));
  if (!checks.back().ok) {
    checks.back() = program(
        "C++ compiler", {"clang++", "--version"}, "emulated", "install the Debian package g++ or clang");
  }
  checks.push_back(
      program("mpirun", {"mpirun", "--version"}, "emulated", "install the Debian package openmpi-bin"));
  checks.push_back(program(
      "mpicxx", {"mpicxx", "--showme:version"}, "emulated", "install the Debian package libopenmpi-dev"));
  std::string const nvcc = find_program("nvcc") ? "nvcc" : "/usr/local/cuda/bin/nvcc";
  checks.push_back(program("nvcc",
                           {nvcc, "--version"},
                           "nvcc",
                           "not found: generated code is not compile-checked with nvcc (CUDA toolkit 13)"));
  checks.push_back(program("GPUs",
                           {"nvidia-smi", "--query-gpu=name", "--format=csv,noheader"},
                           "gpu",
                           "no NVIDIA GPU here: programs run on emulated ranks"));

  if (options.warm_up && checks[0].ok && checks[1].ok && checks[2].ok) {
    // Building any program builds the emulator's runtime into the cache, once per version and compiler.
    auto const scratch = ProcessScratchFolder::make();
    std::string const folder = scratch ? scratch->path() : "";
    std::string const source = folder + "/probe.cu";
    Check check{"emulator", false, "", "emulated"};
    if (!scratch) {
      check.detail = to_line(scratch.error());
    } else if (std::FILE* f = std::fopen(source.c_str(), "w")) {
      std::fputs(
          "#include <cuda_runtime.h>\n#include <mpi.h>\n#include <nccl.h>\n"
          "__global__ void probe(int* p) { *p = 1; }\n"
          "int main(int argc, char** argv) {\n  MPI_Init(&argc, &argv);\n  int* p = nullptr;\n"
          "  cudaMalloc(&p, sizeof(int));\n  probe<<<1, 1>>>(p);\n  int one = 0;\n"
          "  cudaMemcpy(&one, p, sizeof(int), cudaMemcpyDeviceToHost);\n  MPI_Finalize();\n  return one == 1 "
          "? 0 : 1;\n}\n",
          f);
      std::fclose(f);
      auto devices = Devices::emulated();
      auto built = devices.build({source, folder + "/probe"});
      if (!built) {
        check.detail = to_line(built.error());
      } else if (!built->built) {
        check.detail = "the probe program does not compile: " + first_line(built->diagnostics);
      } else {
        RunSpec spec;
        spec.binary = folder + "/probe";
        spec.directory = folder;
        auto ran = devices.run(spec);
        check.ok = ran && ran->ok();
        check.detail = check.ok ? "a probe program builds and runs on 2 emulated ranks"
                       : ran    ? fmt::format("the probe program ended with exit code {}: {}",
                                           ran->exit_code,
                                           first_line(ran->stderr_text + ran->launcher_text))
                                : to_line(ran.error());
      }
    } else {
      check.detail = "the temporary directory is not writable";
    }
    checks.push_back(check);
  }
  return checks;
}

int doctor(Options const& options) {
  auto const checks = inspect(options);
  bool emulated = true;
  bool gpu = true;
  for (auto const& check : checks) {
    if (check.purpose == "emulated") emulated = emulated && check.ok;
    gpu = gpu && check.ok;
  }
  auto const machine = (gpu ? Devices::cuda() : Devices::emulated()).facts();
  if (options.common.json) {
    nlohmann::json out;
    out["checks"] = nlohmann::json::array();
    for (auto const& c : checks)
      out["checks"].push_back(
          {{"what", c.what}, {"ok", c.ok}, {"detail", c.detail}, {"needed_for", c.purpose}});
    out["machine"] = machine;
    out["emulated"] = emulated;
    out["cuda"] = gpu;
    out["exit_code"] = emulated ? kOk : kMissingTool;
    fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    for (auto const& c : checks) {
      char const* mark = c.ok ? "ok" : c.purpose == "emulated" ? "MISSING" : "absent";
      fmt::print("{:<8} {:<13} {}\n", mark, c.what, c.detail);
    }
    fmt::print("programs run on: {}\n",
               gpu        ? "GPUs, or emulated ranks with --devices emulated"
               : emulated ? "emulated ranks"
                          : "nothing yet; scripts/setup installs what is missing");
    if (gpu || emulated) fmt::print("  {}\n", fmt::join(machine, "\n  "));
  }
  return emulated ? kOk : kMissingTool;
}

}  // namespace

void add_doctor(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("doctor", "Say what this machine can do");
  command->add_flag("--warm-up", options->warm_up, "Build the emulator into the cache and run a probe on it");
  add_common(*command, options->common);
  command->callback([options, &status] { status = doctor(*options); });
}

}  // namespace cuco::tool
