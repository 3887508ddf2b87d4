// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "compose.hpp"
#include "interrupt.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/emu/machine.hpp"
#include "cuco/evaluate/benchmark_stage.hpp"
#include "cuco/evaluate/cascade.hpp"
#include "cuco/evaluate/compile_stage.hpp"
#include "cuco/evaluate/lint_stage.hpp"
#include "cuco/evaluate/nvcc_check.hpp"
#include "cuco/evaluate/run_stage.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/evolve/json_lines_observer.hpp"
#include "cuco/evolve/log_observer.hpp"
#include "cuco/evolve/meta_summariser.hpp"
#include "cuco/evolve/progress_observer.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/report/run_report.hpp"
#include "cuco/select/any_selector.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "cuco/transform/generated_section.hpp"

namespace cuco::tool {
namespace {

/// One line about the best program and nvcc, or nothing when it is not to be said.
std::string nvcc_line(RunReport const& report,
                      RunDirectory const& directory,
                      Devices const& devices,
                      bool wanted) {
  if (report.best.id.empty() || !devices.is_emulated()) return {};
  if (!wanted) return "nvcc: SKIPPED: --no-nvcc-check";
  auto checked = check_with_nvcc(directory.best() + "/main.cu");
  if (!checked) return "nvcc: " + to_line(checked.error());
  if (!checked->available) return "nvcc: SKIPPED: " + checked->reason;
  return checked->result.built ? "nvcc: the best program compiles"
                               : "nvcc: the best program does NOT compile\n" + checked->result.diagnostics;
}

}  // namespace

void say(bool json, std::string const& text) {
  if (!json) fmt::print(stderr, "{}\n", text);
}

std::string format_time(double ms, Origin origin) {
  return fmt::format("{:.4f} ms ({})", ms, to_string(origin));
}

Api api_of(std::string const& text) {
  return api_named(text).value_or(Api::LSA);
}

std::vector<std::string> split_arguments(std::string const& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

namespace {
std::string default_machine(Api api) {
  switch (api) {
    case Api::LSA: return "h200-nvlink";
    case Api::GIN: return "h200-ib400";
    case Api::Auto: return "h200-2x4";
  }
  return "h200-nvlink";
}
}  // namespace

Result<Devices> make_devices(DeviceChoice const& choice, std::optional<Api> api) {
  EmulatedOptions emulated;
  emulated.machine = choice.machine.empty() ? default_machine(api.value_or(Api::LSA)) : choice.machine;
  auto devices = choice.devices == "cuda"   ? Devices::cuda()
                 : choice.devices == "auto" ? Devices::detect(emulated)
                                            : Devices::emulated(emulated);
  if (devices.is_emulated()) {
    if (auto machine = load_machine(emulated.machine); !machine) return forward_error(std::move(machine));
    // Now, not after minutes of compiling.
    if (!find_program(emulated.mpirun))
      return fail(ErrorCode::kToolMissing,
                  fmt::format("launcher '{}' not found", emulated.mpirun),
                  "install the Debian package openmpi-bin");
  }
  return devices;
}

void add_search_choice(CLI::App& app, SearchChoice& choice) {
  app.add_option("--dir", choice.directory, "Run directory; a run that is there already is resumed");
  app.add_option("--generations", choice.generations, "Proposals in total, the seed included")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--islands", choice.islands, "Islands")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--seed", choice.seed, "Seed of every random choice")->capture_default_str();
  app.add_option("--parallel", choice.parallel, "Evaluations at once; 0: 2 on emulated devices, 1 on GPUs")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--selector", choice.selector, "Parent selection")
      ->check(CLI::IsMember({"power_law", "weighted", "beam_search", "best_of_n", "uniform"}))
      ->capture_default_str();
  app.add_option("--schedules", choice.schedules, "Runs under reordered delivery that a candidate must pass")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--stop-after", choice.stagnant, "Stop when so many generations bring no new best; 0: never")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app.add_option("--budget", choice.budget_s, "Stop after so many seconds; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--target-ms", choice.target_ms, "Stop when the best program takes no longer; 0: no target")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option(
         "--repetitions",
         choice.repetitions,
         "On GPUs: launches of all ranks per measurement; 0: until the interval of the median is narrow")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_flag("--nvcc-check,!--no-nvcc-check",
               choice.nvcc_check,
               "Compile every candidate with nvcc too, where it is installed");
  add_proposer_choice(app, choice.proposers);
}

void say_steps(bool json, std::vector<PipelineStep> const& steps) {
  for (auto const& step : steps) {
    char const* state = !step.error.empty() ? "failed" : step.skipped ? "skipped" : "done";
    say(json,
        fmt::format("  {:<15} {:<8} {:>5.1f} s  {}",
                    step.name,
                    state,
                    step.seconds,
                    step.error.empty() ? step.details : step.error));
  }
}

Status claim_directory(RunDirectory const& directory,
                       SourceProgram const& program,
                       DeviceChoice const& where,
                       std::string const& api,
                       Devices const& devices) {
  nlohmann::json const wanted = {{"program", program.name},
                                 {"source_hash", content_hash(program.code)},
                                 {"api", api},
                                 {"ranks", where.ranks},
                                 {"args", where.args},
                                 {"devices", devices.is_emulated() ? "emulated" : "cuda"},
                                 {"machine", devices.is_emulated() ? devices.name() : ""}};
  if (!std::filesystem::exists(directory.config()))
    return write_file_atomic(directory.config(), wanted.dump(2) + "\n");
  auto text = read_file(directory.config());
  if (!text) return forward_error(std::move(text));
  auto const stored = nlohmann::json::parse(*text, nullptr, false);
  if (stored.is_discarded() || !stored.is_object())
    return fail_at(ErrorCode::kStorage,
                   directory.config(),
                   0,
                   "is not a JSON object",
                   "choose another directory with --dir");
  for (auto const& [key, value] : wanted.items()) {
    if (stored.value(key, nlohmann::json()) == value) continue;
    return fail_at(ErrorCode::kConflict,
                   directory.path(),
                   0,
                   fmt::format("holds a run with another {}: {} there, {} here",
                               key,
                               stored.value(key, nlohmann::json()).dump(),
                               value.dump()),
                   "choose another directory with --dir, or repeat the command of that run");
  }
  return {};
}

int run_search(Search const& search,
               SearchChoice const& choice,
               Models const& models,
               DeviceChoice const& where,
               Devices const& devices,
               RunDirectory const& directory,
               bool json) {
  auto const args = split_arguments(where.args);
  auto const deadline = std::chrono::seconds(where.timeout_s);

  CompileOptions compile;
  compile.nvcc_check = choice.nvcc_check;
  RunOptions run;
  run.ranks = where.ranks;
  run.args = args;
  run.deadline = deadline;
  run.shape = search.shape;
  run.schedules = choice.schedules;
  BenchmarkOptions benchmark;
  benchmark.ranks = where.ranks;
  benchmark.args = args;
  benchmark.deadline = deadline;
  benchmark.shape = search.shape;
  if (choice.repetitions > 0) benchmark.least_repetitions = benchmark.most_repetitions = choice.repetitions;
  Cascade judge{LintStage{{search.program.code}},
                CompileStage{devices, compile},
                RunStage{devices, run},
                BenchmarkStage{devices, benchmark}};

  EvolutionOptions options;
  options.generations = choice.generations;
  options.islands = choice.islands;
  options.seed = choice.seed;
  options.parallel_evaluations = choice.parallel > 0 ? choice.parallel : devices.is_emulated() ? 2 : 1;
  options.budget_seconds = choice.budget_s;
  options.stop_after_stagnant = choice.stagnant;
  options.target_score = choice.target_ms > 0 ? combined_score(choice.target_ms) : 0;
  options.run_directory = &directory;
  options.cancel = &interrupted();
  if (models) options.max_attempts = 3;  // each one may be several paid calls
  auto task = task_text(choice.proposers);
  if (!task) return report_error(task.error(), json);
  options.task = *std::move(task);

  auto const annotations = read_annotations(search.program.code, search.program.name);
  auto mutator = make_proposer(
      choice.proposers, models, annotations && !annotations->empty(), hardware_text(devices, where.ranks));
  if (!mutator) return report_error(mutator.error(), json);
  auto selector = make_selector(choice.selector);
  if (!selector) return report_error(selector.error(), json);
  auto storage = SqliteStorage::open(directory.database());
  if (!storage) return report_error(storage.error(), json);
  if (search.host.ms > 0) {
    for (auto const& [key, value] : {std::pair{kHostTimeKey, fmt::format("{}", search.host.ms)},
                                     std::pair{kHostOriginKey, std::string(to_string(search.host.origin))}}) {
      if (auto stored = storage->set_value(key, value); !stored) return report_error(stored.error(), json);
    }
  }

  InterruptGuard guard;
  Evolution evolution{
      std::move(*storage), std::move(*selector), *std::move(mutator), std::move(judge), options};
  struct Relay {
    std::function<void(Event const&)> to;
    void on(Event const& event) const { to(event); }
  };
  for (auto const& observer : models.observers) evolution.observe(Relay{observer});
  if (models && choice.proposers.meta_every > 0) {
    MetaSummariserOptions meta;
    meta.interval = choice.proposers.meta_every;
    meta.directory = directory.path();
    meta.effort = models.effort;
    evolution.advise(MetaSummariser{models.adviser, std::move(meta)});
  }
  evolution.observe(LogObserver(directory));
  auto events = JsonLinesObserver::open(directory.path() + "/events.jsonl");
  if (!events) return report_error(events.error(), json);
  evolution.observe(std::move(*events));
  if (!json) evolution.observe(ProgressObserver());
  auto summary = evolution.run(search.program.code);
  if (!summary) return report_error(summary.error(), json);

  ReportOptions report_options;
  report_options.directory = directory.path();
  auto report = make_report(evolution.storage(), report_options);
  if (!report) return report_error(report.error(), json);
  bool const verified = !report->best.id.empty();
  std::optional<Error> failure = summary->error;
  if (auto whole = models.replayed(); !failure && !whole) failure = whole.error();
  int const code = failure                                     ? exit_code(failure->code)
                   : summary->reason == StopReason::kCancelled ? kInterrupted
                   : verified                                  ? kOk
                                                               : kNotVerifiedExit;
  if (json) {
    auto out = nlohmann::json::parse(to_json(*report), nullptr, false);
    out["summary"] = {
        {"stopped_because", to_string(summary->reason)},
        {"evaluated", summary->evaluated},
        {"imported", summary->imported},
        {"resumed", summary->resumed},
        {"unattributed_usd",
         summary->unattributed_cost ? nlohmann::json(*summary->unattributed_cost) : nlohmann::json()},
        {"seconds", summary->seconds}};
    if (models) {
      auto const spent = models.spent();
      out["models"] = {{"names", models.names},
                       {"calls", spent.calls},
                       {"tokens", spent.tokens},
                       {"usd", spent.usd},
                       {"unpriced_calls", spent.unpriced_calls}};
    }
    if (failure) out["error"] = error_object(*failure);
    out["exit_code"] = code;
    fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}", to_text(*report));
    if (auto line = nvcc_line(*report, directory, devices, choice.nvcc_check); !line.empty())
      fmt::print("{}\n", line);
    if (models) fmt::print("models: {}\n", spending_text(models.spent()));
    fmt::print("stopped: {}\nbest program: {}/main.cu\nrun directory: {}\n",
               summary->reason_text,
               directory.best(),
               directory.path());
    // What was found so far is shown and kept; the complaint is the last line.
    std::fflush(stdout);
    if (failure) return report_error(*failure, false);
  }
  return code;
}

}  // namespace cuco::tool
