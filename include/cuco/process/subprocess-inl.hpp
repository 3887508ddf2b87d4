// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/impl/program_setup.hpp"
#include "cuco/process/impl/supervisor.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE tl::unexpected<Error> spawn_error(SpawnReport const& report, Command const& command) {
  std::string const why = errno_text(report.value);
  switch (report.stage) {
    case SpawnReport::kDirectory:
      return fail(ErrorCode::kNotFound, "cannot enter directory '" + command.directory + "': " + why);
    case SpawnReport::kLimits:
      return fail(ErrorCode::kProcess, "cannot set the resource limits of '" + command.argv[0] + "': " + why);
    case SpawnReport::kExec:
      if (report.value == ENOENT)
        return fail(
            ErrorCode::kToolMissing,
            "program '" + command.argv[0] + "' cannot start: its interpreter or loader does not exist",
            "reinstall it");
      return fail(ErrorCode::kProcess,
                  "program '" + command.argv[0] + "' cannot start: " + why,
                  report.value == E2BIG ? "pass shorter arguments" : "");
    default: return fail(ErrorCode::kProcess, "cannot start program '" + command.argv[0] + "': " + why);
  }
}

/// The path to execute, as seen from the command's directory.
CUCO_EVOLVE_INLINE Result<std::string> program_path(Command const& command,
                                                    std::vector<std::string> const& environment) {
  std::string const& name = command.argv[0];
  if (name.find('/') != std::string::npos) {
    bool const relative = name[0] != '/' && !command.directory.empty();
    auto found = find_program(relative ? command.directory + "/" + name : name);
    if (!found) return forward_error(std::move(found));
    return name;
  }
  std::string_view path = kDefaultPath;
  for (auto const& entry : environment)
    if (entry.compare(0, 5, "PATH=") == 0) path = std::string_view(entry).substr(5);
  auto found = find_program(name, path);
  // A relative PATH entry means the caller's directory, and the program starts in another.
  if (found && (*found)[0] != '/' && !command.directory.empty()) {
    std::unique_ptr<char, void (*)(void*)> real(::realpath(found->c_str(), nullptr), std::free);
    if (real) return std::string(real.get());
  }
  return found;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<ProcessResult> run_process(Command const& command) {
  using impl::UniqueFd;
  if (command.argv.empty() || command.argv[0].empty())
    return fail(ErrorCode::kInvalidArgument, "a command without a program");
  for (auto const& argument : command.argv)
    if (argument.find('\0') != std::string::npos)
      return fail(ErrorCode::kInvalidArgument, "an argument of '" + command.argv[0] + "' holds a NUL byte");
  auto environment = impl::program_environment(command.environment);
  if (!environment) return forward_error(std::move(environment));
  if (struct stat info{};
      !command.directory.empty() && (::stat(command.directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)))
    return fail(ErrorCode::kNotFound, "working directory '" + command.directory + "' does not exist");
  auto path = impl::program_path(command, *environment);
  if (!path) return forward_error(std::move(path));

  UniqueFd in_read, in_write, out_read, out_write, err_read, err_write, control, supervisor_control;
  bool const feed = !command.standard_input.empty();
  if (!feed) in_read = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  int sockets[2] = {-1, -1};
  bool opened = (feed ? impl::make_pipe(in_read, in_write) : bool(in_read)) &&
                impl::make_pipe(out_read, out_write) && impl::make_pipe(err_read, err_write);
  if (opened && ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0) {
    control = UniqueFd(sockets[0]);
    supervisor_control = UniqueFd(sockets[1]);
  } else {
    return fail(ErrorCode::kProcess,
                "cannot start program '" + command.argv[0] + "': " + impl::errno_text(errno),
                "allow more open files (ulimit -n)");
  }
  if (feed) impl::set_nonblocking(in_write.get());
  impl::set_nonblocking(out_read.get());
  impl::set_nonblocking(err_read.get());

  std::vector<std::string> arguments = command.argv;
  auto const argv = impl::pointers(arguments);
  auto const envp = impl::pointers(*environment);
  std::unique_ptr<impl::ProcessTable> const table(new impl::ProcessTable);
  impl::SpawnPlan const plan{path->c_str(),
                             argv.data(),
                             envp.data(),
                             command.directory.empty() ? nullptr : command.directory.c_str(),
                             in_read.get(),
                             out_write.get(),
                             err_write.get(),
                             supervisor_control.get(),
                             command.limits,
                             std::chrono::nanoseconds(command.grace).count(),
                             table.get()};

  impl::SigpipeGuard const guard;
  sigset_t all, before;
  ::sigfillset(&all);
  // The caller's signal handlers must not run in the supervisor.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t const supervisor = ::fork();
  if (supervisor == 0) impl::supervise(plan);
  int const fork_errno = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (supervisor < 0)
    return fail(ErrorCode::kProcess,
                "cannot start program '" + command.argv[0] + "': " + impl::errno_text(fork_errno),
                "free memory or processes");
  in_read.reset();
  out_write.reset();
  err_write.reset();
  supervisor_control.reset();

  ProcessResult result;
  impl::CappedText out(command.output_cap), err(command.output_cap);
  std::int64_t const deadline =
      command.deadline.count() > 0 ? impl::monotonic_ns() + std::chrono::nanoseconds(command.deadline).count()
                                   : 0;
  std::size_t fed = 0;
  std::optional<impl::SpawnReport> report;
  bool reported = false;
  bool lost = false;
  auto stop = [&](bool& why) {
    why = true;
    (void)::send(control.get(), "T", 1, MSG_NOSIGNAL);
  };
  while (!reported && !lost) {
    bool const stopping = result.timed_out || result.cancelled;
    int timeout_ms = -1;
    if (!stopping && deadline != 0) {
      auto const left = std::max<std::int64_t>(deadline - impl::monotonic_ns(), 0) / 1'000'000 + 1;
      timeout_ms = static_cast<int>(std::min<std::int64_t>(left, 60'000));
    }
    if (!stopping && command.cancel != nullptr) timeout_ms = timeout_ms < 0 ? 20 : std::min(timeout_ms, 20);
    pollfd watch[] = {{control.get(), POLLIN, 0},
                      {out_read.get(), POLLIN, 0},
                      {err_read.get(), POLLIN, 0},
                      {in_write.get(), POLLOUT, 0}};
    int const ready = ::poll(watch, 4, timeout_ms);
    if (ready < 0 && errno != EINTR) lost = true;
    if (ready > 0) {
      if (watch[1].revents != 0) impl::drain(out_read, out);
      if (watch[2].revents != 0) impl::drain(err_read, err);
      if (watch[3].revents != 0) {
        auto const size = command.standard_input.size() - fed;
        ssize_t const put = ::write(in_write.get(), command.standard_input.data() + fed, size);
        if (put > 0) fed += static_cast<std::size_t>(put);
        bool const broken = put < 0 && errno != EAGAIN && errno != EINTR;
        if (broken || fed == command.standard_input.size()) in_write.reset();
      }
      if (watch[0].revents != 0) {
        impl::SpawnReport next{};
        ssize_t const got = ::recv(control.get(), &next, sizeof next, 0);
        if (got == static_cast<ssize_t>(sizeof next)) {
          // A failed start is told by the would-be program; the supervisor's own report follows and is not
          // news.
          if (!report) report = next;
          reported = next.stage == impl::SpawnReport::kExited || next.stage == impl::SpawnReport::kFork;
        } else if (got >= 0 || errno != EINTR) {
          lost = true;
        }
      }
    }
    if (!reported && !stopping) {
      if (command.cancel != nullptr && command.cancel->load(std::memory_order_relaxed)) {
        stop(result.cancelled);
      } else if (deadline != 0 && impl::monotonic_ns() >= deadline) {
        stop(result.timed_out);
      }
    }
  }
  impl::drain(out_read, out);
  impl::drain(err_read, err);
  control.reset();
  while (::waitpid(supervisor, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (lost || !report)
    return fail(ErrorCode::kProcess, "the supervisor of '" + command.argv[0] + "' was killed");
  if (report->stage != impl::SpawnReport::kExited) return impl::spawn_error(*report, command);
  if (report->survivors > 0)
    return fail(ErrorCode::kProcess,
                "'" + command.argv[0] + "' left " + std::to_string(report->survivors) +
                    " processes that cannot be killed",
                "look for hung devices or file systems");

  result.exit_code = WIFEXITED(report->value) ? WEXITSTATUS(report->value) : -1;
  result.signal = WIFSIGNALED(report->value) ? WTERMSIG(report->value) : 0;
  result.seconds = static_cast<double>(report->nanoseconds) * 1e-9;
  result.truncated = out.truncated() || err.truncated();
  result.out = out.take();
  result.err = err.take();
  return result;
}

CUCO_EVOLVE_INLINE std::string describe(ProcessResult const& result) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", result.seconds);
  if (result.cancelled) return std::string("cancelled after ") + seconds;
  if (result.timed_out) return std::string("timed out after ") + seconds;
  if (result.signal != 0) {
    char const* name = ::sigdescr_np(result.signal);
    return "killed by signal " + std::to_string(result.signal) + " (" + (name != nullptr ? name : "unknown") +
           ")";
  }
  return "exit code " + std::to_string(result.exit_code);
}

}  // namespace cuco
