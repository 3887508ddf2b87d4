// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
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

namespace {

/// What to do about an error whose maker did not say.
char const* usual_remedy(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "see cuco --help";
    case ErrorCode::kParse: return "correct it there";
    case ErrorCode::kRefused: return "rewrite that part by hand";
    case ErrorCode::kNotVerified: return "repair the program first";
    case ErrorCode::kNotFound: return "check the path";
    case ErrorCode::kIo: return "check that the disk has room and that you may write there";
    case ErrorCode::kStorage:
    case ErrorCode::kConflict: return "choose another directory";
    case ErrorCode::kToolMissing: return "cuco doctor says what is missing";
    case ErrorCode::kTimeout: return "allow more time with --timeout";
    case ErrorCode::kBudget: return "raise that limit";
    case ErrorCode::kCancelled: return "repeat the command to go on";
    case ErrorCode::kProcess: return "repeat the command";
    case ErrorCode::kInternal: return "please report this";
  }
  return "please report this";
}

}  // namespace

nlohmann::json error_object(Error const& error) {
  return {{"code", to_string(error.code)},
          {"file", error.file},
          {"line", error.line},
          {"cause", error.cause},
          {"remedy", error.remedy.empty() ? usual_remedy(error.code) : error.remedy},
          {"detail", error.detail}};
}

int report_error(Error const& reported, bool json) {
  Error error = reported;
  if (error.remedy.empty()) error.remedy = usual_remedy(error.code);
  if (json) {
    nlohmann::json const out = {{"error", error_object(error)}, {"exit_code", exit_code(error.code)}};
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
  app.add_option("--machine",
                 choice.machine,
                 "Machine the emulator models: a name (h200-nvlink, h200-ib400, …) or a TOML file; "
                 "default: NVLink for lsa, InfiniBand for gin, two NVLink nodes for auto");
  app.add_option("--ranks", choice.ranks, "Number of MPI ranks")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--args", choice.args, "Arguments of the program, in one string, split at blanks");
  app.add_option("--timeout", choice.timeout_s, "Seconds one run of the program may take")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
}

}  // namespace cuco::tool
