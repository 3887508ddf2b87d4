// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/metric.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// What to build: one source file into one executable.
struct BuildSpec {
  std::string source_path;
  std::string output_path;             ///< Parent directory exists. Written only when the build succeeds.
  std::vector<std::string> defines{};  ///< "NAME" or "NAME=VALUE".
  int standard = 17;                   ///< C++ standard: 17 or 20.
  std::chrono::milliseconds deadline{std::chrono::minutes(5)};
};

/// How a build ended. A program that does not compile is a value, not an `Error`.
struct BuildResult {
  bool built = false;
  bool timed_out = false;
  int exit_code = 0;
  std::string diagnostics{};  ///< What the compiler said, complete up to the output cap.
  double seconds = 0;         ///< Wall clock.
};

/// The order in which the emulator delivers one-sided network operations.
enum class GinMode : std::uint8_t {
  kEager,        ///< At once, in program order.
  kLazy,         ///< As late as the interface permits, in program order.
  kRandom,       ///< Any order the interface permits, drawn from `RunSpec::seed`.
  kAdversarial,  ///< As late as the interface permits, the youngest first.
};
constexpr char const* to_string(GinMode mode) {
  switch (mode) {
    case GinMode::kEager: return "eager";
    case GinMode::kLazy: return "lazy";
    case GinMode::kRandom: return "random";
    case GinMode::kAdversarial: return "adversarial";
  }
  return "?";
}

/// What to run: one executable as `ranks` MPI processes.
struct RunSpec {
  std::string binary;               ///< Absolute path.
  std::vector<std::string> args{};  ///< argv of every rank, without the program's name.
  int ranks = 2;
  std::string directory{};  ///< Working directory; exists. Empty: a private one, removed afterwards.
  std::chrono::milliseconds deadline{std::chrono::minutes(2)};
  GinMode gin_mode = GinMode::kEager;  ///< Emulated devices only.
  std::uint64_t seed = 0;              ///< Emulated devices only.
  double skew_us = 0;  ///< Emulated devices only: each rank starts up to this many real microseconds late.
  std::vector<std::pair<std::string, std::string>> environment{};  ///< Added to the scrubbed environment.
};

/// How a run ended. A program that fails is a value, not an `Error`.
struct RunResult {
  int exit_code = 0;              ///< The program's, as the launcher reports it; -1 when it was killed.
  int signal = 0;                 ///< The signal that ended a rank; 0: none.
  bool timed_out = false;         ///< The deadline passed and every process was killed.
  bool output_truncated = false;  ///< It printed more than the output cap.
  bool deadlock = false;          ///< The emulator found every process waiting.
  bool illegal_use = false;       ///< The emulator saw a rule of the device interface broken.
  bool out_of_bounds = false;     ///< The emulator saw an access outside an allocation.
  bool not_emulated = false;      ///< The program needs something the emulator does not have.
  std::vector<std::string> rank_stdout{};  ///< Index = rank. A rank cannot write into another's entry.
  std::vector<std::string> rank_stderr{};  ///< Index = rank.
  std::string stderr_text{};               ///< The same rank by rank; lines start with `[rank] `.
  std::string launcher_text{};             ///< What the launcher itself said.
  double seconds = 0;                      ///< Wall clock, launcher included.
  [[nodiscard]] bool ok() const { return exit_code == 0 && signal == 0 && !timed_out && !output_truncated; }
};

/// One kind of place where candidates are built and run; the extension point behind `Devices` (a batch
/// system, a container, a fake in a test). Several callers at once. Errors are failures of the harness only:
/// kToolMissing, kIo, kProcess, kInvalidArgument.
class DeviceBackend {
 public:
  DeviceBackend() = default;
  DeviceBackend(DeviceBackend const&) = delete;
  DeviceBackend& operator=(DeviceBackend const&) = delete;
  virtual ~DeviceBackend() = default;

  [[nodiscard]] virtual Result<BuildResult> build(BuildSpec const& spec) const = 0;
  [[nodiscard]] virtual Result<RunResult> run(RunSpec const& spec) const = 0;
  /// One line for people, for example "emulated 2xH200" or "2 x NVIDIA H200 (sm_90)".
  [[nodiscard]] virtual std::string name() const = 0;
  /// What is known of the machine, a line each, for people and for prompts: devices, links, memory. The values
  /// are those that cuco was told or asked for, with their units.
  [[nodiscard]] virtual std::vector<std::string> facts() const { return {name()}; }
  [[nodiscard]] virtual bool emulated() const = 0;
  /// Changes whenever the same source could give another binary: compilers, flags, machine. Part of cache
  /// keys.
  [[nodiscard]] virtual std::string fingerprint() const = 0;
  /// Number of devices; 0 when there is no limit. More ranks than devices is an error on real GPUs.
  [[nodiscard]] virtual int capacity() const = 0;
};

}  // namespace cuco
