// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/emu/emulator_build.hpp"
#include "cuco/emu/machine.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace emulated {

/// How a program of this folder is run.
struct RunOptions {
  int ranks = 2;
  std::vector<std::string> args{};
  std::string machine = "h200-nvlink";
  std::string gin_mode = "eager";
  std::uint64_t seed = 1;
  double skew_us = 0;
  std::vector<std::string> environment{};
  cuco::IssueMode issue_mode = cuco::IssueMode::kProcessPerGpu;
};

inline std::string program_path(std::string const& name) {
  return std::string(CUCO_SOURCE_DIR) + "/tests/emu/programs/" + name + ".cu";
}

/// A reason to skip, or empty.
inline std::string missing_tool() {
  if (!cuco::find_program("mpirun")) return "mpirun is not installed";
  if (!cuco::find_program("g++") && !cuco::find_program("clang++"))
    return "no host C++ compiler is installed";
  return {};
}

inline cuco::EmulatorBuild const& builder() {
  static cuco::EmulatorBuild const build{{}};
  return build;
}

/// The executable of a program, built once for all test processes.
inline std::string built_program(std::string const& name) {
  std::string const source = program_path(name);
  auto text = cuco::read_file(source);
  auto header = cuco::read_file(std::string(CUCO_SOURCE_DIR) + "/tests/emu/programs/check.h");
  EXPECT_TRUE(text && header);
  if (!text || !header) return {};
  std::string const folder = std::string(CUCO_BINARY_DIR) + "/emulated_programs";
  std::string const binary =
      folder + "/" + name + "-" + cuco::content_hash(builder().fingerprint() + *text + *header);
  if (std::filesystem::exists(binary)) return binary;
  std::filesystem::create_directories(folder);
  cuco::EmulatorBuildRequest request;
  request.source_path = source;
  request.output_path = binary;
  auto const outcome = builder().build(request);
  EXPECT_TRUE(outcome) << cuco::to_line(outcome.error()) << "\n" << outcome.error().detail;
  if (!outcome) return {};
  EXPECT_TRUE(outcome->ok) << outcome->diagnostics;
  return outcome->binary;
}

inline cuco::ProcessResult run(std::string const& name, RunOptions const& options) {
  cuco::ProcessResult nothing;
  nothing.exit_code = -1;
  std::string const binary = built_program(name);
  if (binary.empty()) return nothing;
  auto machine = cuco::load_machine(options.machine);
  EXPECT_TRUE(machine) << cuco::to_line(machine.error());
  if (!machine) return nothing;
  machine->issue_mode = options.issue_mode;
  std::string const flat =
      std::string(CUCO_BINARY_DIR) + "/emulated_programs/machine-" + std::to_string(::getpid());
  EXPECT_TRUE(cuco::write_file_atomic(flat, cuco::flatten(*machine)));
  cuco::Command command;
  command.argv = {"mpirun",
                  "--oversubscribe",
                  "--bind-to",
                  "none",
                  "--mca",
                  "btl",
                  "self,vader",
                  "--mca",
                  "pml",
                  "ob1",
                  "--mca",
                  "btl_vader_single_copy_mechanism",
                  "none",
                  "-np",
                  std::to_string(options.ranks),
                  binary};
  command.argv.insert(command.argv.end(), options.args.begin(), options.args.end());
  command.environment = {"OMPI_ALLOW_RUN_AS_ROOT=1",
                         "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                         "OMPI_MCA_mpi_yield_when_idle=1",
                         "CUCO_EMU_MACHINE=" + flat,
                         "CUCO_EMU_GIN_MODE=" + options.gin_mode,
                         "CUCO_EMU_SEED=" + std::to_string(options.seed),
                         "CUCO_EMU_SKEW_US=" + std::to_string(options.skew_us)};
  command.environment.insert(
      command.environment.end(), options.environment.begin(), options.environment.end());
  command.deadline = std::chrono::seconds(120);
  auto result = cuco::run_process(command);
  std::filesystem::remove(flat);
  EXPECT_TRUE(result) << cuco::to_line(result.error());
  return result ? std::move(*result) : nothing;
}

inline int count(std::string const& text, std::string const& what) {
  int n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

/// Runs one case and expects every rank to pass all its checks.
inline void expect_ok(std::string const& name, std::string const& test_case, RunOptions options) {
  if (std::string const reason = missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
  options.args = {test_case};
  cuco::ProcessResult const result = run(name, options);
  EXPECT_EQ(result.exit_code, 0) << describe(result);
  EXPECT_EQ(count(result.out, "ok " + test_case + "\n"), options.ranks);
  EXPECT_EQ(count(result.out, "FAIL"), 0);
  if (testing::Test::HasFailure())
    ADD_FAILURE() << name << " " << test_case << " ranks " << options.ranks << "\n"
                  << result.out << result.err;
}

}  // namespace emulated
