// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/evaluate/impl/mpirun.hpp"
#include "cuco/evaluate/impl/mpirun_output.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::impl::evaluating {

inline constexpr char const* kInstallOpenMpi =
    "install Open MPI 4 or later: apt-get install openmpi-bin libopenmpi-dev";

CUCO_EVOLVE_INLINE Result<Launcher> find_launcher(std::string const& name) {
  auto path = find_program(name);
  if (!path) return fail(ErrorCode::kToolMissing, "launcher '" + name + "' not found", kInstallOpenMpi);

  static std::mutex mutex;
  static std::map<std::string, Launcher> known;
  std::lock_guard const lock(mutex);
  if (auto const found = known.find(*path); found != known.end()) return found->second;

  Command command;
  command.argv = {*path, "--version"};
  command.environment = {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
  command.deadline = std::chrono::seconds(30);
  auto asked = run_process(command);
  if (!asked) return forward_error(std::move(asked));
  Launcher launcher{*path, 0, asked->out.substr(0, asked->out.find('\n'))};
  constexpr std::string_view kMark = "(Open MPI) ";
  if (std::size_t const at = launcher.version.find(kMark); at != std::string::npos) {
    char const* const first = launcher.version.data() + at + kMark.size();
    std::from_chars(first, launcher.version.data() + launcher.version.size(), launcher.major);
  }
  if (!asked->ok() || launcher.major < 4)
    return fail(ErrorCode::kToolMissing,
                "launcher '" + *path + "' is not Open MPI 4 or later (" +
                    (asked->ok() ? launcher.version : describe(*asked)) + ")",
                kInstallOpenMpi);
  known[*path] = launcher;
  return launcher;
}

CUCO_EVOLVE_INLINE std::vector<std::string> launch_argv(Launcher const& launcher,
                                                        RunSpec const& spec,
                                                        bool as_root) {
  std::vector<std::string> argv{launcher.path};
  if (as_root) argv.emplace_back("--allow-run-as-root");
  auto add = [&](std::initializer_list<char const*> words) {
    argv.insert(argv.end(), words.begin(), words.end());
  };
  add({"--oversubscribe", "--bind-to", "none"});
  if (launcher.major >= 5)
    add({"--output", "xml"});
  else
    add({"--xml", "--mca", "btl", "self,vader", "--mca", "btl_vader_single_copy_mechanism", "none"});
  // Without this every rank looks for fabrics first, which takes longer than most candidates run.
  add({"--mca", "pml", "ob1"});
  argv.emplace_back("-np");
  argv.push_back(std::to_string(spec.ranks));
  // Ranks start in a directory of their own, from where a relative path would lead elsewhere.
  std::error_code unknown;
  argv.push_back(std::filesystem::absolute(spec.binary, unknown).string());
  argv.insert(argv.end(), spec.args.begin(), spec.args.end());
  return argv;
}

CUCO_EVOLVE_INLINE Result<RunResult> launch(RunSpec const& spec, LaunchSettings const& settings) {
  if (spec.ranks < 1)
    return fail(ErrorCode::kInvalidArgument,
                "cannot run " + std::to_string(spec.ranks) + " ranks",
                "ask for 1 or more");
  auto scratch = make_private_folder();
  if (!scratch) return forward_error(std::move(scratch));
  // Open MPI's shared segments are files that outlive a killed rank, so they get a directory that we remove.
  auto shared = make_private_folder("/dev/shm");

  Command command;
  command.argv = launch_argv(settings.launcher, spec, ::geteuid() == 0);
  // Without a directory of its own the program may litter where everything is removed.
  std::string const litter = scratch->path() + "/cwd";
  if (spec.directory.empty())
    if (auto made = make_directories(litter); !made) return forward_error(std::move(made));
  command.directory = spec.directory.empty() ? litter : spec.directory;
  command.deadline = spec.deadline;
  command.output_cap = settings.output_cap;
  command.environment = {
      "HOME=" + scratch->path(),
      "TMPDIR=" + scratch->path(),
      "XDG_CACHE_HOME=" + scratch->path(),
      "OMPI_MCA_mpi_yield_when_idle=1",
      "OMPI_MCA_btl_vader_backing_directory=" + (shared ? shared->path() : scratch->path())};
  command.environment.insert(
      command.environment.end(), settings.environment.begin(), settings.environment.end());
  for (auto const& [name, text] : settings.environment_files) {
    std::string const path = scratch->path() + "/" + name;
    if (auto written = append_text(path, text); !written) return forward_error(std::move(written));
    command.environment.push_back(name + "=" + path);
  }
  for (auto const& [name, value] : spec.environment) command.environment.push_back(name + "=" + value);
  auto process = run_process(command);
  if (!process) return forward_error(std::move(process));

  RunResult result;
  MpirunOutput output = parse_mpirun_xml(process->out, spec.ranks);
  result.rank_stdout = std::move(output.rank_stdout);
  result.rank_stderr = std::move(output.rank_stderr);
  result.stderr_text = join_by_rank(result.rank_stderr);
  result.launcher_text = std::move(output.launcher_text) + process->err;
  if (result.launcher_text.find("unable to launch the specified application") != std::string::npos)
    return tl::unexpected<Error>(Error{ErrorCode::kProcess,
                                       "mpirun cannot start '" + spec.binary + "'",
                                       "check that it exists and may be executed",
                                       {},
                                       0,
                                       result.launcher_text});
  result.timed_out = process->timed_out;
  result.output_truncated = process->truncated;
  result.seconds = process->seconds;
  result.exit_code = process->exit_code;
  result.signal = process->signal;
  if (result.signal == 0) result.signal = launcher_signal(result.launcher_text);
  constexpr int kShellSignalBase = 128;
  if (result.signal == 0 && result.exit_code > kShellSignalBase && result.exit_code < kShellSignalBase + 65)
    result.signal = result.exit_code - kShellSignalBase;
  return result;
}

}  // namespace cuco::impl::evaluating
