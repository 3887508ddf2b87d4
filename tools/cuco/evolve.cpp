// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "compose.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "cuco/transform/generated_section.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  DeviceChoice where;
  SearchChoice search;
  ModelChoice models;
  std::string file;
};

int evolve(Options options) {
  bool const json = options.common.json;
  auto program = load_program(options.file);
  if (!program) return report_error(program.error(), json);
  auto blocks = find_evolve_blocks(program->code, options.file);
  if (!blocks) return report_error(blocks.error(), json);
  if (blocks->empty())
    return report_error(
        Error{ErrorCode::kParse,
              "there are no EVOLVE-BLOCK markers",
              "put // EVOLVE-BLOCK-START and // EVOLVE-BLOCK-END around what may change, or use cuco run",
              options.file},
        json);
  auto collectives = read_annotations(program->code, options.file);
  if (!collectives) return report_error(collectives.error(), json);
  if (collectives->empty() && !options.models.any())
    return report_error(Error{ErrorCode::kRefused,
                              "there is no generated section that directives could vary",
                              "start from a program that cuco transform wrote, or name a model with --model",
                              options.file},
                        json);
  Api const api = generated_api(program->code).value_or(Api::LSA);
  auto devices = make_devices(options.where, api);
  if (!devices) return report_error(devices.error(), json);
  auto const scratch = ProcessScratchFolder::make();
  if (!scratch) return report_error(scratch.error(), json);

  if (options.search.directory.empty())
    options.search.directory = "runs/" + std::filesystem::path(options.file).stem().string();
  auto directory = RunDirectory::open(options.search.directory);
  if (!directory) return report_error(directory.error(), json);
  if (auto claimed = claim_directory(*directory, *program, options.where, to_string(api), *devices); !claimed)
    return report_error(claimed.error(), json);

  auto models = make_models(options.models, options.search.seed, directory->path() + "/llm_ledger.jsonl");
  if (!models) return report_error(models.error(), json);
  if (auto usable = check(options.search.proposers, *models); !usable)
    return report_error(usable.error(), json);

  VerifyOptions verify;
  verify.ranks = options.where.ranks;
  verify.args = split_arguments(options.where.args);
  verify.deadline = std::chrono::seconds(options.where.timeout_s);
  say(json,
      fmt::format(
          "{}: verifying it on {} with {} ranks", options.file, devices->name(), options.where.ranks));
  auto outcome =
      ProgramVerifier(*devices, verify).verify(program->code, directory->path() + "/_verify", "seed");
  if (!outcome) return report_error(outcome.error(), json);
  if (!outcome->verified)
    return report_error(Error{ErrorCode::kNotVerified,
                              "the program does not pass its own verification: " + outcome->message,
                              "repair it first",
                              options.file,
                              0,
                              outcome->diagnostics},
                        json);
  return run_search(
      {*program, outcome->shape, {}}, options.search, *models, options.where, *devices, *directory, json);
}

}  // namespace

void add_evolve(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("evolve", "Search for a faster variant of a program with EVOLVE markers");
  command->add_option("file", options->file, "CUDA source file with EVOLVE markers")->required();
  add_search_choice(*command, options->search);
  add_model_choice(*command, options->models);
  add_device_choice(*command, options->where);
  add_common(*command, options->common);
  command->callback([options, &status] { status = evolve(*options); });
}

}  // namespace cuco::tool
