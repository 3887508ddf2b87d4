// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <iterator>

#include "cuco/process/process_limits.hpp"

/// @file
/// The code between fork and exec. The caller may have any number of threads, so everything here is
/// async-signal-safe: no allocation, no locks, no stdio; all memory comes with the `SpawnPlan`.
///
/// A supervisor process stands between the caller and the program. As the child subreaper it inherits
/// whatever the program leaves behind, in whatever process group, so that it can end all of it, also after
/// the caller's death, which it notices by end of file on its control socket (PR_SET_PDEATHSIG would follow
/// the calling *thread*).

namespace cuco::impl {

/// Processes of the machine as (pid, parent) pairs; memory for a scan of /proc.
struct ProcessTable {
  static constexpr std::size_t kMost = 8192;
  pid_t pid[kMost];
  pid_t parent[kMost];
  pid_t member[kMost];
};

/// Everything that the supervisor and the program's start need, made before the fork.
struct SpawnPlan {
  char const* path;
  char* const* argv;
  char* const* envp;
  char const* directory;  // nullptr: stay
  int in, out, err, control;
  ProcessLimits limits;
  std::int64_t grace_ns;
  ProcessTable* table;
};

/// What comes back over the control socket, one datagram each.
struct SpawnReport {
  enum Stage : int { kDirectory, kLimits, kStreams, kFork, kExec, kExited };
  int stage;
  int value;      // errno, or the wait status for kExited
  int survivors;  // processes that did not die of KILL
  std::int64_t nanoseconds;
};

inline std::int64_t monotonic_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

inline void send_report(int control, SpawnReport const& report) {
  while (::send(control, &report, sizeof report, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

/// Reads the parent of process `name` (digits) from /proc; 0 when it is gone.
inline pid_t parent_of(int proc, char const* name) {
  char path[32];
  std::size_t n = 0;
  while (name[n] != '\0' && n < 20) {
    path[n] = name[n];
    ++n;
  }
  char const* suffix = "/stat";
  for (std::size_t i = 0; i < 6; ++i) path[n + i] = suffix[i];
  int const fd = ::openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[512];
  ssize_t const size = ::read(fd, text, sizeof text);
  ::close(fd);
  // "pid (name) state ppid …": the name may hold anything, parentheses too.
  ssize_t i = size - 1;
  while (i >= 0 && text[i] != ')') --i;
  if (i < 0) return 0;
  pid_t parent = 0;
  for (i += 4; i < size && text[i] >= '0' && text[i] <= '9'; ++i) parent = parent * 10 + (text[i] - '0');
  return parent;
}

/// Sends `signal` to all descendants of this process and returns how many there are.
inline std::size_t signal_descendants(ProcessTable& table, int signal) {
  int const proc = ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return 0;
  std::size_t size = 0;
  alignas(8) char buffer[4096];
  for (;;) {
    long const got = ::syscall(SYS_getdents64, proc, buffer, sizeof buffer);
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      auto const* entry = reinterpret_cast<dirent64 const*>(buffer + at);
      at += entry->d_reclen;
      char const* name = entry->d_name;
      if (*name < '1' || *name > '9' || size == ProcessTable::kMost) continue;
      pid_t const parent = parent_of(proc, name);
      if (parent == 0) continue;
      pid_t pid = 0;
      for (; *name >= '0' && *name <= '9'; ++name) pid = pid * 10 + (*name - '0');
      table.pid[size] = pid;
      table.parent[size] = parent;
      ++size;
    }
  }
  ::close(proc);

  pid_t const self = ::getpid();
  std::size_t members = 0;
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t i = 0; i < size; ++i) {
      pid_t const parent = table.parent[i];
      if (parent == 0) continue;  // taken already
      bool ours = parent == self;
      for (std::size_t m = 0; !ours && m < members; ++m) ours = table.member[m] == parent;
      if (!ours) continue;
      table.member[members++] = table.pid[i];
      table.parent[i] = 0;
      grown = true;
    }
  }
  for (std::size_t m = 0; m < members; ++m) {
    ::kill(table.member[m], signal);
    // A stopped process acts on TERM only when it continues.
    if (signal != SIGKILL) ::kill(table.member[m], SIGCONT);
  }
  return members;
}

inline void close_range_or_loop(unsigned first, unsigned last) {
  if (first > last) return;
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, first, last, 0U) == 0) return;
#endif
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; ++fd) ::close(static_cast<int>(fd));
}

inline bool apply_limit(int resource, std::uint64_t value) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return false;
  limit.rlim_cur = std::min<rlim_t>(value, limit.rlim_max);
  limit.rlim_max = limit.rlim_cur;
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

/// Turns this process into the program.
[[noreturn]] inline void become_program(SpawnPlan const& plan, pid_t supervisor) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(127);

  // Away from 0, 1 and 2 first: the caller may run with those closed, and then a pipe has such a number.
  int const control = ::fcntl(plan.control, F_DUPFD_CLOEXEC, 10);
  int const in = ::fcntl(plan.in, F_DUPFD_CLOEXEC, 10);
  int const out = ::fcntl(plan.out, F_DUPFD_CLOEXEC, 10);
  int const err = ::fcntl(plan.err, F_DUPFD_CLOEXEC, 10);
  auto give_up = [&](SpawnReport::Stage stage) {
    send_report(control >= 0 ? control : plan.control, {stage, errno, 0, 0});
    ::_exit(127);
  };
  if (control < 0 || in < 0 || out < 0 || err < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 ||
      ::dup2(err, 2) < 0)
    give_up(SpawnReport::kStreams);
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) give_up(SpawnReport::kDirectory);

  auto const& limits = plan.limits;
  if (!apply_limit(RLIMIT_CORE, 0) ||
      (limits.address_space_bytes != 0 && !apply_limit(RLIMIT_AS, limits.address_space_bytes)) ||
      (limits.cpu_seconds != 0 && !apply_limit(RLIMIT_CPU, limits.cpu_seconds)) ||
      (limits.file_size_bytes != 0 && !apply_limit(RLIMIT_FSIZE, limits.file_size_bytes)) ||
      (limits.processes != 0 && !apply_limit(RLIMIT_NPROC, limits.processes)))
    give_up(SpawnReport::kLimits);

  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.path, plan.argv, plan.envp);
  give_up(SpawnReport::kExec);
  ::_exit(127);
}

/// Starts the program, waits for it, ends what is left, reports. Entered with all signals blocked.
[[noreturn]] inline void supervise(SpawnPlan const& plan) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_NAME, "cuco-supervisor");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(signal, &standard, nullptr);
  }

  unsigned keep[] = {static_cast<unsigned>(plan.in),
                     static_cast<unsigned>(plan.out),
                     static_cast<unsigned>(plan.err),
                     static_cast<unsigned>(plan.control)};
  std::sort(std::begin(keep), std::end(keep));
  unsigned next = 0;
  for (unsigned fd : keep) {
    if (fd > 0) close_range_or_loop(next, fd - 1);
    next = fd + 1;
  }
  close_range_or_loop(next, ~0U);

  sigset_t watched;
  ::sigemptyset(&watched);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&watched, signal);
  int const signals = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);

  std::int64_t const started = monotonic_ns();
  pid_t const self = ::getpid();
  pid_t const program = ::_Fork();
  if (program == 0) become_program(plan, self);
  if (program < 0) {
    send_report(plan.control, {SpawnReport::kFork, errno, 0, 0});
    ::_exit(127);
  }
  ::setpgid(program, program);
  ::close(plan.in);
  ::close(plan.out);
  ::close(plan.err);

  constexpr std::int64_t kUnkillableAfter = 10'000'000'000;
  int status = 0;
  bool ended = false;
  bool stopping = false;
  std::int64_t finished = 0;
  std::int64_t kill_at = 0;
  std::size_t survivors = 0;
  pollfd watch[] = {{plan.control, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    pid_t reaped = 0;
    int reaped_status = 0;
    while ((reaped = ::waitpid(-1, &reaped_status, WNOHANG)) > 0) {
      if (reaped != program) continue;
      ended = true;
      status = reaped_status;
      finished = monotonic_ns();
      if (!stopping) kill_at = finished;
    }
    if (reaped < 0 && errno == ECHILD) break;

    std::int64_t const now = monotonic_ns();
    int timeout_ms = -1;
    if (ended || stopping) {
      if (now >= kill_at) {
        survivors = signal_descendants(*plan.table, SIGKILL);
        if (now - kill_at > kUnkillableAfter) break;
        timeout_ms = 2;
      } else {
        timeout_ms = static_cast<int>(std::min<std::int64_t>((kill_at - now) / 1'000'000 + 1, 1000));
      }
    }
    if (::poll(watch, 2, timeout_ms) <= 0) continue;
    bool stop = false;
    if (watch[0].revents != 0) {
      char byte = 0;
      ssize_t const got = ::read(plan.control, &byte, 1);
      stop = got >= 0;
      if (got == 0) watch[0].fd = -1;
    }
    if (watch[1].revents != 0) {
      signalfd_siginfo info{};
      while (::read(signals, &info, sizeof info) > 0) stop = stop || info.ssi_signo != SIGCHLD;
    }
    if (stop && !stopping) {
      stopping = true;
      if (!ended) {
        kill_at = monotonic_ns() + plan.grace_ns;
        signal_descendants(*plan.table, SIGTERM);
      }
    }
  }
  // Not reaped within the limit: KILL was sent, the kernel keeps it in an uninterruptible call.
  if (!ended) finished = monotonic_ns();
  bool const clean = ::waitpid(-1, nullptr, WNOHANG) < 0;
  send_report(plan.control,
              {SpawnReport::kExited, status, clean ? 0 : static_cast<int>(survivors), finished - started});
  ::_exit(0);
}

}  // namespace cuco::impl
