// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/process/subprocess.hpp"
#include "cuco/transform/agent_rewriter.hpp"
#include "cuco/transform/impl/conversation.hpp"
#include "cuco/transform/impl/transform_files.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE AgentOptions claude_agent(std::string const& model) {
  AgentOptions options;
  if (model.empty()) return options;
  options.argv.insert(options.argv.end(), {"--model", model});
  options.called += " " + model;
  return options;
}

namespace impl::transforming {

/// How to build and run, when the caller does not say.
CUCO_EVOLVE_INLINE std::string default_instructions(std::string const& result,
                                                    RewriteRequest const& request) {
  std::string const stem = std::filesystem::path(result).stem().string();
  std::string run = "    mpirun -np " + std::to_string(request.ranks) + " ./" + stem;
  for (std::string const& a : request.args) run += " " + a;
  return "    nvcc -std=c++17 -arch=native -O3 -ccbin mpicxx -o " + stem + " " + result + " -lnccl\n" + run +
         "\n";
}

/// What the agent is to do, as one text.
CUCO_EVOLVE_INLINE Result<std::string> agent_task(AgentOptions const& options,
                                                  Api api,
                                                  RewriteRequest const& request,
                                                  std::string const& file,
                                                  std::string const& result) {
  auto library = PromptLibrary::load(options.prompts);
  if (!library) return forward_error(std::move(library));
  auto system = system_text({*library, api, options.reference, options.hardware});
  if (!system) return system;
  auto task = stage_task(*library, api, request.stage);
  if (!task) return task;
  std::string history;
  if (TransformIteration const* last = last_attempt(request))
    history =
        "\n# What was tried\n\n" + history_text(request) + "\n\nThe last one:\n\n" + outcome_text(*last);
  return library->fill(
      "transform_agent",
      {{"file", file},
       {"result", result},
       {"system", *system},
       {"analysis", to_prompt(request.report)},
       {"reference", reference_text(options.reference)},
       {"task", *task},
       {"history", history},
       {"instructions",
        options.instructions.empty() ? default_instructions(result, request) : options.instructions}});
}

/// What the agent left, or why it is no proposal.
CUCO_EVOLVE_INLINE Rewrite take_result(std::string const& path,
                                       std::string const& name,
                                       RewriteRequest const& request) {
  constexpr std::uintmax_t kLargest = 8U << 20U;
  Rewrite out;
  std::error_code problem;
  auto const status = std::filesystem::symlink_status(path, problem);
  if (!std::filesystem::exists(status)) {
    out.problem = "it left no " + name;
  } else if (!std::filesystem::is_regular_file(status)) {
    out.problem = name + " is not a plain file of its folder";
  } else if (std::filesystem::file_size(path, problem) > kLargest || problem) {
    out.problem = name + " is larger than any program";
  } else if (auto text = read_file(path); !text) {
    out.problem = name + " cannot be read: " + text.error().cause;
  } else if (text->empty()) {
    out.problem = name + " is empty";
  } else if (*text == request.source || same_tokens(*text, request.source)) {
    out.problem = name + " is the program it was given";
  } else {
    out.code = std::move(*text);
  }
  return out;
}

CUCO_EVOLVE_INLINE Result<Rewrite> rewrite_by_agent(AgentOptions const& options,
                                                    Api api,
                                                    RewriteRequest const& request) {
  if (options.argv.empty()) return fail(ErrorCode::kInvalidArgument, "the agent has no command");
  auto folder = evaluating::make_private_folder(options.folders_in);
  if (!folder) return forward_error(std::move(folder));
  std::string name = std::filesystem::path(request.file).filename().string();
  if (name.empty() || name.find('<') != std::string::npos) name = "program.cu";
  std::string const result = device_name(name);
  std::string const at = folder->path() + "/";
  auto task = agent_task(options, api, request, name, result);
  if (!task) return forward_error(std::move(task));
  for (auto const& [file, text] : {std::pair<std::string, std::string const*>{name, &request.source},
                                   std::pair<std::string, std::string const*>{"TASK.md", &*task}})
    if (auto written = write_file_atomic(at + file, *text); !written)
      return forward_error(std::move(written));
  if (auto made = evaluating::make_directories(at + "tmp"); !made) return forward_error(std::move(made));

  Command command;
  command.argv = options.argv;
  for (std::string& word : command.argv)
    for (auto const& [what, value] : {std::pair<std::string, std::string>{"{{folder}}", folder->path()},
                                      std::pair<std::string, std::string>{"{{task}}", at + "TASK.md"},
                                      std::pair<std::string, std::string>{"{{source}}", at + name},
                                      std::pair<std::string, std::string>{"{{result}}", at + result}})
      for (std::size_t i = word.find(what); i != std::string::npos; i = word.find(what, i + value.size()))
        word.replace(i, what.size(), value);
  command.directory = folder->path();
  command.environment = {"TMPDIR=" + at + "tmp"};
  for (std::string const& variable : options.pass_environment)
    if (char const* value = std::getenv(variable.c_str()); value != nullptr)
      command.environment.push_back(variable + "=" + value);
  command.standard_input = *task;
  command.deadline = options.deadline;
  command.limits = options.limits;
  command.output_cap = 1U << 20U;
  auto keep = [&](char const* suffix, std::string const& text) -> Status {
    if (request.artifacts.empty()) return {};
    return write_file_atomic(request.artifacts + suffix, text);
  };
  if (auto kept = keep(".prompt.txt", *task); !kept) return forward_error(std::move(kept));
  auto ended = run_process(command);
  if (!ended) return forward_error(std::move(ended));
  if (auto kept = keep(".reply.txt", ended->out + ended->err); !kept) return forward_error(std::move(kept));

  Rewrite out;
  if (ended->ok()) {
    out = take_result(at + result, result, request);
  } else {
    out.problem = describe(*ended);
  }
  if (!out.problem.empty()) {
    out.problem = "the agent made no program: " + out.problem;
    constexpr std::size_t kLongest = 2000;
    if (!ended->err.empty()) out.problem += "\n" + evaluating::excerpt(ended->err, kLongest);
  } else {
    out.changes.push_back({1,
                           std::string("rewrite the program for the ") + to_string(request.stage) + " stage",
                           "by an agent, in a folder of its own"});
  }
  out.by = options.called;
  out.cost_usd.reset();  // It does not tell.
  return out;
}

}  // namespace impl::transforming

}  // namespace cuco
