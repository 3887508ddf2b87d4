// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/check/checker.hpp"

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "compose.hpp"
#include "cuco/check/soundness_rule.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/progress.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "cuco/transform/load_program.hpp"
#include "interrupt.hpp"

namespace cuco::tool {
namespace {

/// What the checker says, as exit codes.
enum Verdict : int { kSoundExit = 0, kDefectExit = 1, kCannotTellExit = 2 };

struct Options {
  Common common;
  std::string file, sarif, args, machine;
  std::vector<std::string> defines;
  CheckOptions check;
  int timeout_s = 60;
};

int check(Options& options) {
  bool const json = options.common.json;
  auto const scratch = ProcessScratchFolder::make();
  if (!scratch) return report_error(scratch.error(), json);
  auto const program = load_program(options.file);
  if (!program) return report_error(program.error(), json);
  for (std::string const& define : options.defines) {
    std::size_t const equals = define.find('=');
    options.check.overrides.emplace_back(
        define.substr(0, equals), equals == std::string::npos ? std::string() : define.substr(equals + 1));
  }
  options.check.args = split_arguments(options.args);
  options.check.emulator.machine = options.machine;
  options.check.deadline = std::chrono::seconds(options.timeout_s);
  InterruptGuard const guard;
  options.check.cancel = &interrupted();
  if (!json)
    options.check.progress = [](std::string const& s) { fmt::print(stderr, "check: schedule {}\n", s); };
  auto const report = Checker{options.check}.check(*program);
  if (!report) return report_error(report.error(), json);
  if (!options.sarif.empty())
    if (auto written = write_file_atomic(options.sarif, to_sarif(*report) + "\n"); !written)
      return report_error(written.error(), json);
  int const code = report->verdict == Soundness::kSound     ? kSoundExit
                   : report->verdict == Soundness::kUnsound ? kDefectExit
                                                            : kCannotTellExit;
  if (json) {
    auto out = nlohmann::ordered_json::parse(to_json(*report));
    out["exit_code"] = code;
    fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{}", to_text(*report, detect_terminal(STDOUT_FILENO).colour));
  }
  return code;
}

int explain(std::string const& id, bool json) {
  if (id.empty()) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (SoundnessRule const& rule : soundness_rules()) {
      if (json)
        all.push_back({{"id", rule.id}, {"title", rule.title}});
      else
        fmt::print("{:<24} {}\n", rule.id, rule.title);
    }
    if (json) fmt::print("{}\n", all.dump(2));
    return kOk;
  }
  SoundnessRule const* rule = find_soundness_rule(id);
  if (rule == nullptr)
    return report_error(
        Error{ErrorCode::kNotFound, "there is no rule '" + id + "'", "`cuco explain` lists the rules"}, json);
  if (json) {
    nlohmann::ordered_json const out = {
        {"id", rule->id}, {"title", rule->title}, {"reason", rule->reason}, {"remedy", rule->remedy}};
    fmt::print("{}\n", out.dump(2));
  } else {
    fmt::print("{}: {}\n\n{}\n\nWhat to do: {}\n", rule->id, rule->title, rule->reason, rule->remedy);
  }
  return kOk;
}

}  // namespace

void add_check(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("check", "Look for unsound device-initiated communication, without a GPU");
  command->add_option("file", options->file, "CUDA source file")->required();
  command->add_option("--np", options->check.ranks, "Numbers of ranks to try")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--seeds", options->check.seeds, "Schedules of each kind that has a seed")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option(
      "--schedule", options->check.schedule, "One schedule only, as a report names it: ranks:mode:seed");
  command->add_flag(
      "--all-schedules", options->check.all, "Go on after the first schedule that shows a defect");
  command
      ->add_option("-D", options->defines, "NAME=VALUE: another value for a #define or constexpr dimension")
      ->allow_extra_args(false);
  command->add_option("--args", options->args, "Arguments of the program, split at blanks");
  command->add_option("--machine", options->machine, "Machine description of the emulator: a name or a path");
  command->add_option("--std", options->check.standard, "C++ standard")
      ->check(CLI::IsMember({17, 20}))
      ->capture_default_str();
  command->add_option("--timeout", options->timeout_s, "Seconds for one run")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->add_option("--sarif", options->sarif, "File for the findings in SARIF");
  add_common(*command, options->common);
  command->footer("Exit codes: 0 sound, 1 defects, 2 cannot tell; others as for all commands.");
  command->callback([options, &status] { status = check(*options); });

  auto rule = std::make_shared<std::string>();
  auto common = std::make_shared<Common>();
  auto* about = app.add_subcommand("explain", "Explain a rule of `cuco check`, or list them");
  about->add_option("rule", *rule, "Its id");
  add_common(*about, *common);
  about->callback([rule, common, &status] { status = explain(*rule, common->json); });
}

}  // namespace cuco::tool
