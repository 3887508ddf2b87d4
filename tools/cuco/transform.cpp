// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "compose.hpp"
#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/edit/unified_diff.hpp"
#include "cuco/evaluate/nvcc_check.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "diff_view.hpp"
#include "interrupt.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  DeviceChoice where;
  std::string file;
  std::string api;
  std::string out;
  int schedules = 2;
  bool diff = false;
  ModelChoice models;
  RewriterChoice rewriter;
};

nlohmann::json changes_of(PipelineResult const& result) {
  nlohmann::json out = nlohmann::json::array();
  for (Change const& c : result.changes) out.push_back({{"line", c.line}, {"what", c.what}, {"why", c.why}});
  return out;
}

int transform(Options const& options) {
  bool const json = options.common.json;
  auto program = load_program(options.file);
  if (!program) return report_error(program.error(), json);
  Api const api = api_of(options.api);
  auto devices = make_devices(options.where, api);
  if (!devices) return report_error(devices.error(), json);
  auto const scratch = ProcessScratchFolder::make();
  if (!scratch) return report_error(scratch.error(), json);
  auto report = Analyzer{}.analyze(program->code, options.file);
  if (!report) return report_error(report.error(), json);
  if (!report->has_host_communication())
    return report_error(Error{ErrorCode::kParse,
                              "there is no NCCL collective in this program",
                              "give a program that calls NCCL from the host",
                              options.file},
                        json);

  std::string const stem = std::filesystem::path(options.file).stem().string();
  std::string const out = options.out.empty() ? stem + "_" + options.api : options.out;
  std::error_code ec;
  std::filesystem::create_directories(out, ec);
  if (ec)
    return report_error(Error{ErrorCode::kIo,
                              "cannot create the folder: " + ec.message(),
                              "choose another one with --out",
                              out},
                        json);

  auto models = make_models(options.models, 0, out + "/llm_ledger.jsonl");
  if (!models) return report_error(models.error(), json);
  if (auto usable = check(options.rewriter, options.models, *models); !usable)
    return report_error(usable.error(), json);
  std::optional<InterruptGuard> guard;
  if (*models) guard.emplace();
  say(json,
      fmt::format("{}: {} collectives, to {} on {} with {} ranks",
                  options.file,
                  report->graph.size(),
                  options.api,
                  devices->name(),
                  options.where.ranks));
  TransformOptions transform_options;
  transform_options.ranks = options.where.ranks;
  transform_options.args = split_arguments(options.where.args);
  transform_options.work_directory = out + "/_transform_work";
  transform_options.schedules = options.schedules;
  transform_options.deadline = std::chrono::seconds(options.where.timeout_s);
  auto result =
      run_pipeline(api, *devices, transform_options, options.rewriter, *models, *program, out + "/_pipeline");
  if (!result) return report_error(result.error(), json);
  if (auto whole = models->replayed(); !whole) return report_error(whole.error(), json);
  std::string const path = out + "/" + stem + "_device.cu";
  if (auto written = write_file_atomic(path, result->code); !written)
    return report_error(written.error(), json);

  std::string nvcc = "not needed: the program was built by nvcc";
  if (devices->is_emulated()) {
    auto checked = check_with_nvcc(path);
    if (!checked) return report_error(checked.error(), json);
    nvcc = !checked->available     ? "SKIPPED: " + checked->reason
           : checked->result.built ? "compiles"
                                   : "does not compile";
    if (checked->available && !checked->result.built)
      return report_error(Error{ErrorCode::kNotVerified,
                                "the generated program does not compile with nvcc",
                                "please report this program",
                                path,
                                0,
                                checked->result.diagnostics},
                          json);
  }
  double const gain = result->output_ms > 0 ? result->input_ms / result->output_ms : 0;
  if (json) {
    nlohmann::json steps = nlohmann::json::array();
    for (auto const& s : result->steps)
      steps.push_back({{"name", s.name},
                       {"skipped", s.skipped},
                       {"seconds", s.seconds},
                       {"error", s.error},
                       {"details", s.details}});
    nlohmann::json text = {
        {"verified", true},
        {"api", options.api},
        {"ranks", options.where.ranks},
        {"devices", devices->name()},
        {"origin", to_string(result->origin)},
        {"host_ms", result->input_ms},
        {"device_ms", result->output_ms},
        {"gain", gain},
        {"nvcc", nvcc},
        {"program", path},
        {"steps", steps},
        {"changes", changes_of(*result)},
        {"cost_usd", result->cost_usd ? nlohmann::json(*result->cost_usd) : nlohmann::json()},
        {"exit_code", kOk}};
    if (options.diff) text["diff"] = unified_diff(program->code, result->code, options.file, path);
    fmt::print("{}\n", text.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return kOk;
  }
  if (options.diff)
    fmt::print(
        "{}\n",
        diff_view(
            program->code, result->code, options.file, path, result->changes, ::isatty(STDOUT_FILENO) != 0));
  say_steps(json, result->steps);
  if (*models) fmt::print("models            {}\n", spending_text(models->spent()));
  fmt::print(
      "host-driven       {}\ndevice-initiated  {}  {:.2f}x\nnvcc              {}\nverified program  {}\n",
      format_time(result->input_ms, result->origin),
      format_time(result->output_ms, result->origin),
      gain,
      nvcc,
      path);
  return kOk;
}

}  // namespace

void add_transform(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("transform", "Turn a host-driven program into a verified device-initiated one");
  command->add_option("file", options->file, "CUDA source file")->required();
  command
      ->add_option("--api", options->api, "Device interface; auto: the program chooses for each communicator")
      ->required()
      ->check(CLI::IsMember({"lsa", "gin", "auto"}));
  command->add_option("--out", options->out, "Folder for the result; default: <stem>_<api>");
  command
      ->add_option(
          "--schedules", options->schedules, "Runs under reordered delivery that every stage must pass")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command->add_flag(
      "--diff", options->diff, "Show what changed and why, and the difference of the two programs");
  add_rewriter_choice(*command, options->rewriter);
  add_model_choice(*command, options->models);
  add_device_choice(*command, options->where);
  add_common(*command, options->common);
  command->callback([options, &status] { status = transform(*options); });
}

}  // namespace cuco::tool
