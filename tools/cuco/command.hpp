// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cuco/core/result.hpp"

namespace CLI {
class App;
}

namespace cuco::tool {

/// What the process returns. Documented in docs/getting-started.md.
enum ExitCode : int {
  kOk = 0,
  kNotVerifiedExit = 1,  ///< It ran, and what came out did not verify.
  kUsage = 2,            ///< Unknown option, missing argument.
  kBadInput = 3,         ///< A file is missing, empty, binary, malformed, or its markers are.
  kRefusedExit = 4,      ///< Well-formed input that the rules do not transform.
  kMissingTool = 5,      ///< A compiler, mpirun or a package is not installed.
  kInputOutput = 6,      ///< Read-only directory, full disk, unreadable or damaged database.
  kInUse = 7,            ///< Another run holds the directory, or it belongs to a different run.
  kInterrupted = 130,
  kInternalExit = 70,
};

/// The exit code that an error of `code` gives.
int exit_code(ErrorCode code);

/// As it stands under "error" with --json.
nlohmann::json error_object(Error const& error);

/// Prints `error` as one line on standard error (one JSON object on standard output with --json).
/// @return its exit code.
int report_error(Error const& error, bool json);

/// Options that every command takes.
struct Common {
  bool json = false;
};
void add_common(CLI::App& app, Common& common);

/// Options of the commands that build and run programs.
struct DeviceChoice {
  std::string devices = "auto";  ///< emulated, cuda, auto.
  std::string machine;           ///< Machine description of the emulator: a name or a path; empty: by API.
  std::string args;              ///< Arguments of the program, split at blanks.
  int ranks = 4;
  int timeout_s = 120;
};
void add_device_choice(CLI::App& app, DeviceChoice& choice);

// One function per command: declares its options on `app` and stores its exit code in `status` when chosen.
void add_analyze(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
void add_doctor(CLI::App& app, int& status);
void add_evolve(CLI::App& app, int& status);
void add_models(CLI::App& app, int& status);
void add_run(CLI::App& app, int& status);
void add_show(CLI::App& app, int& status);
void add_transform(CLI::App& app, int& status);

}  // namespace cuco::tool
