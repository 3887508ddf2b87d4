// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco {

/// How host programs drive the GPUs of a node; decides what issuing an operation costs.
enum class IssueMode : std::uint8_t {
  kProcessPerGpu,  ///< One process per GPU, as mpirun starts them.
  kSharedProcess,  ///< One process with one thread per GPU: issuing is serialised in the driver.
};
constexpr char const* to_string(IssueMode mode) {
  return mode == IssueMode::kProcessPerGpu ? "process_per_gpu" : "shared_process";
}

/// The parameters of a modelled machine. Keys carry their unit: _us microseconds, _ns nanoseconds, _gbps 1e9
/// bytes per second, _bytes, _mhz, _gib.
struct Machine {
  using Parameters = std::vector<std::pair<std::string, double>>;

  std::string name;         ///< "h200-nvlink".
  std::string description;  ///< One line.
  std::string file;         ///< The TOML file it was read from.
  IssueMode issue_mode = IssueMode::kProcessPerGpu;
  Parameters parameters;      ///< Every parameter of the emulator's model, in its order.
  Parameters shared_process;  ///< Replacements under `IssueMode::kSharedProcess`.

  /// The value in force, or nothing when the model has no such parameter.
  [[nodiscard]] std::optional<double> parameter(std::string_view key) const;
};

/// Reads a machine description: a name ("h200-nvlink", "h200-ib400", "h200-2x4", …) from the emulator's own
/// folder, or the path of a TOML file. An empty name is the default, "h200-nvlink".
///
/// Tables only group: `[link] peer_latency_us = 1.1`. A table `[collective.allreduce_intra]` prefixes its
/// keys with `allreduce_intra_`. `[host.shared_process]` holds what changes in that issue mode. `base =
/// "h200-nvlink"` starts from another machine; else missing keys keep the emulator's defaults. Errors:
/// kNotFound with the names there are; kParse with file and line for malformed TOML, an unknown key, a value
/// that is not a number or is out of range.
[[nodiscard]] Result<Machine> load_machine(std::string const& name_or_path = {});

/// The same from text. @param file for error messages.
[[nodiscard]] Result<Machine> parse_machine(std::string_view toml, std::string const& file);

/// Names of the machine descriptions that come with the emulator, sorted.
[[nodiscard]] std::vector<std::string> machine_names();

/// What the emulated program reads through CUCO_EMU_MACHINE: one `key=value` per line.
[[nodiscard]] std::string flatten(Machine const& machine);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/emu/machine-inl.hpp"
#endif
