// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/evaluate/device_backend.hpp"

namespace cuco::impl::evaluating {

/// An Open MPI launcher.
struct Launcher {
  std::string path;     ///< Absolute.
  int major = 0;        ///< Of Open MPI.
  std::string version;  ///< First line of --version.
};

/// Finds `name` and asks it who it is; asked once per path and process.
/// Errors: kToolMissing when it is not there or not Open MPI 4 or later.
[[nodiscard]] Result<Launcher> find_launcher(std::string const& name);

/// How to launch, apart from what the `RunSpec` says.
struct LaunchSettings {
  Launcher launcher;
  std::size_t output_cap = std::size_t{4} << 20U;
  std::vector<std::string> environment{};  ///< NAME=VALUE; `RunSpec::environment` comes on top.
  /// Variable and text: written to a file of this run, whose path the variable gets. Fresh for every run, so
  /// that no program can leave a changed file to the next.
  std::vector<std::pair<std::string, std::string>> environment_files{};
};

/// The launcher's argument vector for `spec`.
[[nodiscard]] std::vector<std::string> launch_argv(Launcher const& launcher,
                                                   RunSpec const& spec,
                                                   bool as_root);

/// Runs `spec` under private HOME and TMPDIR, and leaves neither processes nor files behind. The emulator's
/// exit codes are not interpreted. Errors: kInvalidArgument, kProcess, kIo, kToolMissing.
[[nodiscard]] Result<RunResult> launch(RunSpec const& spec, LaunchSettings const& settings);

}  // namespace cuco::impl::evaluating

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/impl/mpirun-inl.hpp"
#endif
