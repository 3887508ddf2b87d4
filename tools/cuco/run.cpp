// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
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
#include "cuco/core/hash.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "interrupt.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  DeviceChoice where;
  SearchChoice search;
  ModelChoice models;
  RewriterChoice rewriter;
  std::string file;
  std::string api;
};

/// What a finished fast path left behind, so that a resumed run does not repeat it.
struct Prepared {
  Search search;
  double device_ms = 0;
  Origin origin = Origin::kNone;
};

std::string record_path(RunDirectory const& directory) {
  return directory.pipeline() + "/prepared.json";
}

/// The fast path's result of an earlier call, if it was finished. The run directory is claimed, so it is of
/// the same program and options.
std::optional<Prepared> load_prepared(RunDirectory const& directory, SourceProgram const& program) {
  auto text = read_file(record_path(directory));
  if (!text) return std::nullopt;
  auto const json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  auto code = read_file(directory.pipeline() + "/" + program.name);
  if (!code || content_hash(*code) != json.value("code_hash", "")) return std::nullopt;
  Prepared out;
  out.search.program = {directory.pipeline() + "/" + program.name, program.name, *code};
  auto const shape = json.value("shape", "");
  out.search.shape = shape == "rank_zero" ? ContractShape::kRankZero
                     : shape == "any"     ? ContractShape::kAny
                                          : ContractShape::kEveryRank;
  out.origin = json.value("origin", "") == "measured" ? Origin::kMeasured : Origin::kModelled;
  out.search.host = {json.value("host_ms", 0.0), out.origin};
  out.device_ms = json.value("device_ms", 0.0);
  return out;
}

Result<Prepared> prepare(Options const& options,
                         Devices const& devices,
                         RunDirectory const& directory,
                         Models const& models,
                         SourceProgram const& program) {
  bool const json = options.common.json;
  TransformOptions transform;
  transform.ranks = options.where.ranks;
  transform.args = split_arguments(options.where.args);
  transform.work_directory = directory.pipeline() + "/_transform_work";
  transform.schedules = options.search.schedules;
  transform.deadline = std::chrono::seconds(options.where.timeout_s);
  say(json,
      fmt::format("fast path: {} to {} on {} with {} ranks",
                  options.file,
                  options.api,
                  devices.name(),
                  options.where.ranks));
  auto result = run_pipeline(
      api_of(options.api), devices, transform, options.rewriter, models, program, directory.pipeline());
  if (!result) return forward_error(std::move(result));
  say_steps(json, result->steps);

  VerifyOptions verify;
  verify.ranks = options.where.ranks;
  verify.args = transform.args;
  verify.deadline = std::chrono::seconds(options.where.timeout_s);
  auto outcome =
      ProgramVerifier(devices, verify).verify(result->code, directory.pipeline() + "/_verify", "seed");
  if (!outcome) return forward_error(std::move(outcome));
  if (!outcome->verified)
    return fail(ErrorCode::kNotVerified, "the transformed program does not pass: " + outcome->message);

  Prepared out;
  out.search.program = {directory.pipeline() + "/" + program.name, program.name, result->code};
  out.search.shape = outcome->shape;
  out.search.host = {result->input_ms, result->origin};
  out.device_ms = outcome->slowest_ms;
  out.origin = outcome->origin;
  nlohmann::json const record = {{"code_hash", content_hash(result->code)},
                                 {"shape", to_string(outcome->shape)},
                                 {"host_ms", result->input_ms},
                                 {"device_ms", outcome->slowest_ms},
                                 {"origin", to_string(outcome->origin)}};
  if (auto written = write_file_atomic(record_path(directory), record.dump(2) + "\n"); !written)
    return forward_error(std::move(written));
  return out;
}

int run(Options options) {
  bool const json = options.common.json;
  auto program = load_program(options.file);
  if (!program) return report_error(program.error(), json);
  auto report = Analyzer{}.analyze(program->code, options.file);
  if (!report) return report_error(report.error(), json);
  if (!report->has_host_communication())
    return report_error(Error{ErrorCode::kParse,
                              "there is no NCCL collective in this program",
                              "use cuco evolve for a program that is device-initiated already",
                              options.file},
                        json);
  auto devices = make_devices(options.where, api_of(options.api));
  if (!devices) return report_error(devices.error(), json);
  auto const scratch = ProcessScratchFolder::make();
  if (!scratch) return report_error(scratch.error(), json);
  if (options.search.directory.empty())
    options.search.directory =
        "runs/" + std::filesystem::path(options.file).stem().string() + "-" + options.api;
  auto directory = RunDirectory::open(options.search.directory);
  if (!directory) return report_error(directory.error(), json);
  if (auto claimed = claim_directory(*directory, *program, options.where, options.api, *devices); !claimed)
    return report_error(claimed.error(), json);

  auto models = make_models(options.models, options.search.seed, directory->path() + "/llm_ledger.jsonl");
  if (!models) return report_error(models.error(), json);
  if (auto usable = check(options.rewriter, options.models, *models); !usable)
    return report_error(usable.error(), json);
  if (auto usable = check(options.search.proposers, *models); !usable)
    return report_error(usable.error(), json);
  if (!json) fmt::print("{}", to_text(*report));
  std::fflush(stdout);
  auto prepared = load_prepared(*directory, *program);
  if (prepared) {
    say(json, "fast path: done before, not repeated");
  } else {
    std::optional<InterruptGuard> guard;
    if (*models) guard.emplace();
    auto made = prepare(options, *devices, *directory, *models, *program);
    if (!made) return report_error(made.error(), json);
    if (interrupted())
      return report_error(Error{ErrorCode::kCancelled, "interrupted after the fast path"}, json);
    prepared = std::move(*made);
  }
  say(json,
      fmt::format("host-driven {}, device-initiated {}",
                  format_time(prepared->search.host.ms, prepared->origin),
                  format_time(prepared->device_ms, prepared->origin)));
  say(json, fmt::format("slow path: {} generations", options.search.generations));
  return run_search(prepared->search, options.search, *models, options.where, *devices, *directory, json);
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("run", "All of it: analyse, transform, verify, evolve; resumes when repeated");
  command->add_option("file", options->file, "Host-driven CUDA source file")->required();
  command
      ->add_option("--api", options->api, "Device interface; auto: the program chooses for each communicator")
      ->required()
      ->check(CLI::IsMember({"lsa", "gin", "auto"}));
  add_search_choice(*command, options->search);
  add_rewriter_choice(*command, options->rewriter);
  add_model_choice(*command, options->models);
  add_device_choice(*command, options->where);
  add_common(*command, options->common);
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace cuco::tool
