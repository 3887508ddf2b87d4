// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace cuco::tool {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotVerified: return kNotVerifiedExit;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kParse:
    case ErrorCode::kNotFound: return kBadInput;
    case ErrorCode::kRefused: return kRefusedExit;
    case ErrorCode::kToolMissing: return kMissingTool;
    case ErrorCode::kIo:
    case ErrorCode::kStorage: return kInputOutput;
    case ErrorCode::kConflict: return kInUse;
    case ErrorCode::kTimeout:
    case ErrorCode::kBudget: return kNotVerifiedExit;
    case ErrorCode::kCancelled: return kInterrupted;
    case ErrorCode::kProcess:
    case ErrorCode::kInternal: return kInternalExit;
  }
  return kInternalExit;
}

int report_error(Error const& error, bool json) {
  if (json) {
    nlohmann::json out = {{"error",
                           {{"code", to_string(error.code)},
                            {"file", error.file},
                            {"line", error.line},
                            {"cause", error.cause},
                            {"remedy", error.remedy},
                            {"detail", error.detail}}},
                          {"exit_code", exit_code(error.code)}};
    fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    if (!error.detail.empty()) fmt::print(stderr, "{}\n", error.detail);
    fmt::print(stderr, "cuco: {}\n", to_line(error));
  }
  return exit_code(error.code);
}

void add_common(CLI::App& app, Common& common) {
  app.add_flag("--json", common.json, "Print one JSON object instead of text");
}

void add_device_choice(CLI::App& app, DeviceChoice& choice) {
  app.add_option("--devices", choice.devices, "Where programs run: emulated, cuda or auto")
      ->check(CLI::IsMember({"emulated", "cuda", "auto"}))
      ->capture_default_str();
  app.add_option("--machine", choice.machine,
                 "Machine the emulator models: a name (h200-nvlink, h200-ib400, …) or a TOML file; "
                 "default: NVLink for lsa, InfiniBand for gin");
  app.add_option("--ranks", choice.ranks, "Number of MPI ranks")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--args", choice.args, "Arguments of the program, in one string, split at blanks");
  app.add_option("--timeout", choice.timeout_s, "Seconds one run of the program may take")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
}

}  // namespace cuco::tool
