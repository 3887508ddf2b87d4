// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/emu/emulator_build.hpp"
#include "cuco/emu/machine.hpp"
#include "cuco/evaluate/device_backend.hpp"
#include "cuco/evaluate/device_options.hpp"
#include "cuco/evaluate/impl/machine_facts.hpp"
#include "cuco/evaluate/impl/mpirun.hpp"

namespace cuco::impl::evaluating {

/// Exit codes with which the emulator's runtime ends a program.
enum EmulatorExit : int {
  kExitDeadlock = 90,
  kExitNotEmulated = 91,
  kExitIllegalUse = 92,
  kExitOutOfBounds = 93
};

/// Reads the emulator's verdict out of a finished run. When several ranks end at once the launcher reports
/// one exit code, so the deadlock report on stderr counts as well.
inline void interpret_emulator_exit(RunResult& result) {
  result.deadlock = result.exit_code == kExitDeadlock;
  result.not_emulated = result.exit_code == kExitNotEmulated;
  result.illegal_use = result.exit_code == kExitIllegalUse;
  result.out_of_bounds = result.exit_code == kExitOutOfBounds;
  bool const failed = result.exit_code != 0 || result.timed_out || result.signal != 0;
  bool const told = result.deadlock || result.not_emulated || result.illegal_use || result.out_of_bounds;
  if (failed && !told && result.stderr_text.find("cuco-emu: deadlock") != std::string::npos)
    result.deadlock = true;
}

/// The CPU of this machine in the place of GPUs.
class EmulatedBackend final : public DeviceBackend {
 public:
  explicit EmulatedBackend(EmulatedOptions options)
      : options_(std::move(options)),
        compiler_(EmulatorBuildOptions{options_.compiler, options_.cache_directory}) {}

  [[nodiscard]] Result<BuildResult> build(BuildSpec const& spec) const override {
    EmulatorBuildRequest request;
    request.source_path = spec.source_path;
    request.output_path = spec.output_path;
    request.defines = spec.defines;
    request.standard = spec.standard;
    request.deadline = spec.deadline;
    auto built = compiler_.build(request);
    if (!built) return forward_error(std::move(built));
    BuildResult result;
    result.built = built->ok;
    result.timed_out = built->timed_out;
    result.exit_code = built->exit_code;
    result.diagnostics = std::move(built->diagnostics);
    result.seconds = built->seconds;
    return result;
  }

  [[nodiscard]] Result<RunResult> run(RunSpec const& spec) const override {
    auto launcher = find_launcher(options_.mpirun);
    if (!launcher) return forward_error(std::move(launcher));
    auto const machine = this->machine();
    if (!machine) return tl::unexpected(machine.error());
    char skew[32];
    std::snprintf(skew, sizeof skew, "%g", spec.skew_us);
    LaunchSettings settings{std::move(*launcher), options_.output_cap};
    settings.environment = {"OMP_NUM_THREADS=1",
                            std::string("CUCO_EMU_GIN_MODE=") + to_string(spec.gin_mode),
                            "CUCO_EMU_SEED=" + std::to_string(spec.seed),
                            std::string("CUCO_EMU_SKEW_US=") + skew};
    settings.environment_files = {{"CUCO_EMU_MACHINE", flatten(*machine)}};
    auto result = launch(spec, settings);
    if (result) interpret_emulator_exit(*result);
    return result;
  }

  [[nodiscard]] std::string name() const override {
    auto const machine = this->machine();
    return "emulated " + (machine ? machine->name : options_.machine);
  }
  [[nodiscard]] std::vector<std::string> facts() const override {
    auto const machine = this->machine();
    return machine ? machine_facts(*machine) : std::vector<std::string>{name()};
  }
  [[nodiscard]] bool emulated() const override { return true; }
  [[nodiscard]] std::string fingerprint() const override { return "emulated " + compiler_.fingerprint(); }
  [[nodiscard]] int capacity() const override { return 0; }

 private:
  // Read once: a description that changes during a run would make its times incomparable.
  [[nodiscard]] Result<Machine> machine() const {
    std::lock_guard const lock(mutex_);
    if (!machine_) machine_ = load_machine(options_.machine);
    return *machine_;
  }

  EmulatedOptions options_;
  EmulatorBuild compiler_;
  mutable std::mutex mutex_;
  mutable std::optional<Result<Machine>> machine_;
};

}  // namespace cuco::impl::evaluating
