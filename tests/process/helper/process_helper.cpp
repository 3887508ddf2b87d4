// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// The program that the process tests run: behaves as badly as its first argument says.

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern char** environ;

namespace {

void say(std::string const& text) {
  for (std::size_t at = 0; at < text.size();) {
    ssize_t const put = ::write(1, text.data() + at, text.size() - at);
    if (put <= 0) ::_exit(99);
    at += static_cast<std::size_t>(put);
  }
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

// Leaves a process that is in a session of its own, ignores TERM and holds our streams.
pid_t leave_daemon() {
  int ready[2];
  if (::pipe(ready) != 0) ::_exit(98);
  pid_t const child = ::fork();
  if (child == 0) {
    pid_t const grandchild = ::fork();
    if (grandchild != 0) ::_exit(0);
    ::setsid();
    ::signal(SIGTERM, SIG_IGN);
    pid_t const self = ::getpid();
    if (::write(ready[1], &self, sizeof self) < 0) ::_exit(98);
    hang();
  }
  pid_t daemon = 0;
  if (::read(ready[0], &daemon, sizeof daemon) < 0) ::_exit(98);
  return daemon;
}

}  // namespace

int main(int argc, char** argv) {
  std::string const mode = argc > 1 ? argv[1] : "";
  auto const number = [&](int index) { return argc > index ? std::atol(argv[index]) : 0L; };

  if (mode == "exit") return static_cast<int>(number(2));
  if (mode == "hang") {
    say("hanging\n");
    hang();
  }
  if (mode == "ignore-term") {
    ::signal(SIGTERM, SIG_IGN);
    say("ready\n");
    hang();
  }
  if (mode == "polite") {  // cleans up on TERM, as launchers do
    ::signal(SIGTERM, [](int) {
      char const bye[] = "bye\n";
      ssize_t const put = ::write(1, bye, sizeof bye - 1);
      ::_exit(put > 0 ? 7 : 8);
    });
    say("ready\n");
    hang();
  }
  if (mode == "daemon") {  // exits at once, leaving a daemon
    say(std::to_string(leave_daemon()) + "\n");
    return 0;
  }
  if (mode == "daemon-hang") {
    say(std::to_string(leave_daemon()) + "\n");
    hang();
  }
  if (mode == "stop") {
    ::raise(SIGSTOP);
    return 0;
  }
  if (mode == "signal") {
    ::raise(static_cast<int>(number(2)));
    hang();
  }
  if (mode == "flood") {  // both streams, interleaved, `number` bytes each
    std::string const out(65536, 'o'), err(65536, 'e');
    say("HEAD");
    for (long left = number(2); left > 0; left -= 65536) {
      say(out);
      if (::write(2, err.data(), err.size()) < 0) return 99;
    }
    say("TAIL");
    return 0;
  }
  if (mode == "cat") {
    char buffer[4096];
    ssize_t got = 0;
    while ((got = ::read(0, buffer, sizeof buffer)) > 0)
      say(std::string(buffer, static_cast<std::size_t>(got)));
    return got == 0 ? 0 : 1;
  }
  if (mode == "env") {
    for (char** entry = environ; *entry != nullptr; ++entry) say(std::string(*entry) + "\n");
    return 0;
  }
  if (mode == "cwd") {
    char buffer[4096];
    say(::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "?");
    return 0;
  }
  if (mode == "args") {
    for (int i = 2; i < argc; ++i) say(std::string("[") + argv[i] + "]");
    return 0;
  }
  if (mode == "fds") {  // numbers of all open descriptors but the one of this listing
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return 1;
    while (dirent const* entry = ::readdir(folder))
      if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != ::dirfd(folder))
        say(std::string(entry->d_name) + " ");
    return 0;
  }
  if (mode == "signals") {  // blocked or ignored ones
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
    for (int s = 1; s < 32; ++s) {
      struct sigaction action {};
      ::sigaction(s, nullptr, &action);
      if (::sigismember(&blocked, s) == 1 || action.sa_handler == SIG_IGN) say(std::to_string(s) + " ");
    }
    return 0;
  }
  if (mode == "limits") {
    for (auto resource : {RLIMIT_CORE, RLIMIT_AS, RLIMIT_CPU, RLIMIT_FSIZE}) {
      rlimit limit{};
      ::getrlimit(resource, &limit);
      say(limit.rlim_cur == RLIM_INFINITY ? "inf " : std::to_string(limit.rlim_cur) + " ");
    }
    return 0;
  }
  if (mode == "burn") {
    for (bool volatile forever = true; forever;) {
    }
    return 1;
  }
  if (mode == "close-output") {  // end of file long before the end of the program
    ::close(1);
    ::close(2);
    ::usleep(100'000);
    return 5;
  }
  return 64;
}
