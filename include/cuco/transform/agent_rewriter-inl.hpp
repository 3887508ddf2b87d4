// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/llm/redaction.hpp"
#include "cuco/process/find_program.hpp"
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
inline constexpr char const* kBuildWithNvcc =
    "    nvcc -std=c++17 -arch=native -O3 -ccbin mpicxx -o {{stem}} {{result}} -lnccl\n"
    "    mpirun -np {{ranks}} ./{{stem}}{{args}}\n\n"
    "Build and run your program, also several times, until it says \"Verification: PASS\" on every rank, "
    "then "
    "stop.\n";
inline constexpr char const* kBuildElsewhere =
    "You cannot build or run the program here: its GPUs are emulated, and there is no nvcc. It will be "
    "compiled "
    "as C++17 and run with {{ranks}} ranks ({{stem}}{{args}}) when you are done, with messages delayed and "
    "out "
    "of order. Do not look for another way to run it, and write no program that only runs without GPUs: read "
    "it "
    "again instead, kernel by kernel, as another rank, then stop.\n";

inline constexpr char const* kBuildWithCheck =
    "The GPUs are emulated, and there is no nvcc. This compiles your program as C++17, runs it with "
    "{{ranks}} emulated ranks "
    "({{stem}}{{args}}) under several schedules, and says what is not synchronised:\n\n"
    "    {{cuco}} check {{result}} --np {{ranks}} --args \"{{args}}\"\n\n"
    "Exit code 0: it ran and is sound; 1: defects, with their lines; 2: it does not compile or does not end "
    "well. Repeat until it "
    "says \"sound\", then stop. Do not look for another way to run it, and write no program that only runs "
    "without GPUs.\n";

}  // namespace impl::transforming

CUCO_EVOLVE_INLINE std::string agent_instructions(Devices const& devices, std::string const& cuco) {
  if (!devices.is_emulated()) return impl::transforming::kBuildWithNvcc;
  std::string text = cuco.empty() ? impl::transforming::kBuildElsewhere : impl::transforming::kBuildWithCheck;
  constexpr std::string_view kWord = "{{cuco}}";
  if (std::size_t const at = text.find(kWord); at != std::string::npos) text.replace(at, kWord.size(), cuco);
  return text;
}

namespace impl::transforming {

/// `text` with the words in double braces replaced by what they stand for.
CUCO_EVOLVE_INLINE std::string with_words(std::string text,
                                          std::vector<std::pair<std::string, std::string>> const& words) {
  for (auto const& [what, value] : words)
    for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + value.size()))
      text.replace(i, what.size(), value);
  return text;
}

/// How to build and run, for this request.
CUCO_EVOLVE_INLINE std::string instructions_of(AgentOptions const& options,
                                               std::string const& result,
                                               RewriteRequest const& request) {
  std::string args;
  for (std::string const& a : request.args) args += " " + a;
  return with_words(options.instructions.empty() ? std::string(kBuildWithNvcc) : options.instructions,
                    {{"{{stem}}", std::filesystem::path(result).stem().string()},
                     {"{{result}}", result},
                     {"{{ranks}}", std::to_string(request.ranks)},
                     {"{{args}}", args}});
}

CUCO_EVOLVE_INLINE std::vector<std::string> isolated(std::vector<std::string> const& argv,
                                                     std::string const& folder,
                                                     std::vector<std::string> const& writable) {
  auto const bwrap = find_program("bwrap");
  if (!bwrap) return {};
  std::vector<std::string> out{*bwrap,
                               "--die-with-parent",
                               "--unshare-pid",
                               "--ro-bind",
                               "/",
                               "/",
                               "--dev-bind",
                               "/dev",
                               "/dev",
                               "--proc",
                               "/proc"};
  char const* home = std::getenv("HOME");
  for (std::string path : writable) {
    if (path.starts_with("~/")) path = home == nullptr ? std::string() : home + path.substr(1);
    if (!path.empty()) out.insert(out.end(), {"--bind-try", path, path});
  }
  out.insert(out.end(), {"--bind", folder, folder, "--chdir", folder, "--"});
  // It is there on machines that do not let anybody use it.
  Command probe;
  probe.argv = out;
  probe.argv.emplace_back("true");
  probe.deadline = std::chrono::seconds(10);
  auto const works = run_process(probe);
  if (!works || !works->ok()) return {};
  out.insert(out.end(), argv.begin(), argv.end());
  return out;
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
  return library->fill("transform_agent",
                       {{"file", file},
                        {"result", result},
                        {"system", *system},
                        {"analysis", to_prompt(request.report)},
                        {"reference", reference_text(options.reference)},
                        {"task", *task},
                        {"history", history},
                        {"instructions", instructions_of(options, result, request)}});
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
    word = with_words(std::move(word),
                      {{"{{folder}}", folder->path()},
                       {"{{task}}", at + "TASK.md"},
                       {"{{source}}", at + name},
                       {"{{result}}", at + result}});
  if (auto program = find_program(command.argv[0]); !program) return forward_error(std::move(program));
  auto const apart =
      options.isolate ? isolated(command.argv, folder->path(), options.writable) : std::vector<std::string>();
  if (!apart.empty()) command.argv = apart;
  command.directory = folder->path();
  command.environment = {"TMPDIR=" + at + "tmp"};
  for (std::string const& variable : options.pass_environment)
    if (char const* value = std::getenv(variable.c_str()); value != nullptr) {
      register_secret(value);
      command.environment.push_back(variable + "=" + value);
    }
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
  ended->out = redact_secrets(std::move(ended->out));
  ended->err = redact_secrets(std::move(ended->err));
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
                           apart.empty()
                               ? "by an agent, in a folder of its own, with all that the user may write"
                               : "by an agent that could write to a folder of its own only"});
  }
  out.problem = redact_secrets(std::move(out.problem));
  out.code = redact_secrets(std::move(out.code));
  out.by = options.called;
  out.cost_usd.reset();  // It does not tell.
  return out;
}

}  // namespace impl::transforming

}  // namespace cuco
