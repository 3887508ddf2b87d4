// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "cuco/core/api.hpp"
#include "cuco/core/metric.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/run_directory.hpp"
#include "cuco/evaluate/contract_output.hpp"
#include "cuco/evaluate/devices.hpp"
#include "cuco/evolve/evolution_options.hpp"
#include "cuco/transform/agent_rewriter.hpp"
#include "cuco/transform/first_that.hpp"
#include "cuco/transform/llm_markers.hpp"
#include "cuco/transform/llm_rewriter.hpp"
#include "cuco/transform/llm_warmup.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/pipeline.hpp"
#include "model_choice.hpp"
#include "proposers.hpp"

namespace cuco::tool {

/// The devices that the options name. The emulator models NVLink for load/store programs, InfiniBand for
/// put-based ones and two NVLink nodes for those that choose, unless a machine is named. Errors: kNotFound,
/// kParse for the machine; kToolMissing for
/// --devices cuda without nvcc.
Result<Devices> make_devices(DeviceChoice const& choice, std::optional<Api> api);

/// `text` split at blanks.
std::vector<std::string> split_arguments(std::string const& text);

/// Options of the search.
struct SearchChoice {
  std::string directory;  ///< Of the run.
  std::string selector = "power_law";
  int generations = 40;
  int islands = 2;
  std::uint64_t seed = 1;
  int parallel = 0;  ///< 0: 2 on emulated devices, 1 on GPUs.
  int schedules = 2;
  int stagnant = 0;
  double budget_s = 0;
  double target_ms = 0;
  bool nvcc_check = true;
  int repetitions = 0;  ///< Launches per measurement on GPUs; 0: as many as the interval asks for.
  ProposerChoice proposers;
};
void add_search_choice(CLI::App& app, SearchChoice& choice);

/// What a host-driven or transformed program took.
struct Timing {
  double ms = 0;
  Origin origin = Origin::kNone;
};

/// What is searched and how its result is told.
struct Search {
  SourceProgram program;  ///< With EVOLVE markers.
  ContractShape shape = ContractShape::kEveryRank;
  Timing host;  ///< The host-driven program; 0: unknown.
};

/// Evolves `search.program` in `directory`, with progress on standard error and the report on standard
/// output.
/// @return the exit code of the command.
int run_search(Search const& search,
               SearchChoice const& choice,
               Models const& models,
               DeviceChoice const& where,
               Devices const& devices,
               RunDirectory const& directory,
               bool json);

/// Checks `experiment_config.json` against what this call would run, or writes it.
/// Errors: kConflict naming the first difference; kIo.
Status claim_directory(RunDirectory const& directory,
                       SourceProgram const& program,
                       DeviceChoice const& where,
                       std::string const& api,
                       Devices const& devices);

/// "text" on standard error, unless --json.
void say(bool json, std::string const& text);

/// "0.1234 ms (modelled)".
std::string format_time(double ms, Origin origin);

/// Prints the steps of a pipeline, one line each.
void say_steps(bool json, std::vector<PipelineStep> const& steps);

/// Who rewrites host-driven programs.
struct RewriterChoice {
  std::string rewriter = "auto";  ///< rules, model, agent; auto: the rules, then the model where they stop.
  std::string reference;          ///< File with a device-initiated program to learn from.
  std::string agent_model;        ///< Of the claude command line.
  std::vector<std::string> agent_environment;  ///< Variables that the agent gets, such as that of its key.
  bool model_steps = false;                    ///< Markers and warm-up by the model, with the rules as check.
  bool single_stage = false;
};
void add_rewriter_choice(CLI::App& app, RewriterChoice& choice);
/// Errors: kInvalidArgument for a choice that needs a model and has none, and for promises that an agent
/// cannot keep.
[[nodiscard]] Status check(RewriterChoice const& choice, ModelChoice const& asked, Models const& models);

/// Facts about the machine that programs run on, for prompts.
std::string hardware_text(Devices const& devices, int ranks);

/// Runs the pipeline with a transformer of the API and the rewriter that are chosen at run time.
Result<PipelineResult> run_pipeline(Api api,
                                    Devices const& devices,
                                    TransformOptions options,
                                    RewriterChoice const& choice,
                                    Models const& models,
                                    SourceProgram const& program,
                                    std::string const& output_directory);

/// Parses --api.
Api api_of(std::string const& text);

}  // namespace cuco::tool
