// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/process/subprocess.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cuco/process/find_program.hpp"

namespace cuco {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Command helper(std::vector<std::string> arguments) {
  Command command;
  command.argv = {CUCO_PROCESS_HELPER};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.deadline = 30s;  // a failing test must not hang
  return command;
}

ProcessResult run(Command const& command) {
  auto result = run_process(command);
  EXPECT_TRUE(result.has_value()) << to_line(result.error());
  return result.value_or(ProcessResult{.exit_code = 12345, .out = {}, .err = {}});
}

// A process that nobody has reaped yet counts as dead.
bool is_alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  auto const close = text.rfind(')');
  return close != std::string::npos && text.at(close + 2) != 'Z';
}

bool dies_within(pid_t pid, std::chrono::milliseconds time) {
  for (auto const end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
    if (!is_alive(pid)) return true;
    std::this_thread::sleep_for(10ms);
  }
  return !is_alive(pid);
}

TEST(RunProcess, ReportsTheExitCode) {
  for (int code : {0, 1, 3, 91, 255}) {
    auto const result = run(helper({"exit", std::to_string(code)}));
    EXPECT_EQ(result.exit_code, code);
    EXPECT_EQ(result.signal, 0);
    EXPECT_EQ(result.ok(), code == 0);
    EXPECT_FALSE(result.timed_out || result.cancelled || result.truncated);
  }
  EXPECT_EQ(describe(run(helper({"exit", "3"}))), "exit code 3");
}

TEST(RunProcess, KeepsSignalsApartFromExitCodes) {
  auto const result = run(helper({"signal", std::to_string(SIGSEGV)}));
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_EQ(result.exit_code, -1);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(describe(result), "killed by signal 11 (Segmentation fault)");
}

TEST(RunProcess, PassesArgumentsWithoutAShell) {
  auto const result = run(helper({"args", "a b", "$HOME", "`id`", "; exit 1", "", "\"'\\", "*"}));
  EXPECT_EQ(result.out, "[a b][$HOME][`id`][; exit 1][][\"'\\][*]");
}

TEST(RunProcess, StopsAHangingProgramAtTheDeadline) {
  auto command = helper({"hang"});
  command.deadline = 200ms;
  auto const result = run(command);
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.signal, SIGTERM);
  EXPECT_EQ(result.out, "hanging\n");
  EXPECT_GE(result.seconds, 0.19);
  EXPECT_LT(result.seconds, 10);
  EXPECT_THAT(describe(result), StartsWith("timed out after"));
}

TEST(RunProcess, LetsAProgramCleanUpOnTerm) {
  auto command = helper({"polite"});
  command.deadline = 200ms;
  auto const result = run(command);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.out, "ready\nbye\n");
}

TEST(RunProcess, KillsWhatIgnoresTermAfterTheGrace) {
  auto command = helper({"ignore-term"});
  command.deadline = 200ms;
  command.grace = 150ms;
  auto const result = run(command);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_GE(result.seconds, 0.34);
}

TEST(RunProcess, EndsAStoppedProgram) {
  auto command = helper({"stop"});
  command.deadline = 200ms;
  auto const result = run(command);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGTERM);
}

TEST(RunProcess, LeavesNoDaemonBehindANormalExit) {
  auto const before = std::chrono::steady_clock::now();
  auto const result = run(helper({"daemon"}));
  EXPECT_TRUE(result.ok());
  pid_t const daemon = std::stoi(result.out);
  ASSERT_GT(daemon, 1);
  EXPECT_FALSE(is_alive(daemon));
  // The daemon holds the output pipes: waiting for their end would have taken until the deadline.
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

TEST(RunProcess, LeavesNoDaemonBehindADeadline) {
  auto command = helper({"daemon-hang"});
  command.deadline = 300ms;
  command.grace = 100ms;
  auto const result = run(command);
  EXPECT_TRUE(result.timed_out);
  pid_t const daemon = std::stoi(result.out);
  ASSERT_GT(daemon, 1);
  EXPECT_FALSE(is_alive(daemon));
}

TEST(RunProcess, LeavesNothingWhenTheCallerIsKilled) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  pid_t const caller = ::fork();
  if (caller == 0) {
    auto command = helper({"daemon-hang"});
    command.grace = 100ms;
    // The daemon's pid is known only at the end of run_process, so a thread looks for it in the process
    // table.
    std::thread([&] { (void)run_process(command); }).detach();
    for (;;) {
      for (int pid = ::getpid() + 1; pid < ::getpid() + 2000; ++pid) {
        std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline");
        std::string text((std::istreambuf_iterator<char>(in)), {});
        if (text.find("daemon-hang") == std::string::npos) continue;
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string fields((std::istreambuf_iterator<char>(stat)), {});
        // Field 6 is the session: the daemon leads its own.
        long session = 0;
        char state = 0;
        int parent = 0, group = 0;
        auto const close = fields.rfind(')');
        if (close == std::string::npos ||
            std::sscanf(fields.c_str() + close + 2, "%c %d %d %ld", &state, &parent, &group, &session) != 4 ||
            session != pid)
          continue;
        if (::write(pipe_ends[1], &pid, sizeof pid) < 0) ::_exit(1);
        for (;;) ::pause();
      }
      ::usleep(10'000);
    }
  }
  int daemon = 0;
  ASSERT_EQ(::read(pipe_ends[0], &daemon, sizeof daemon), static_cast<ssize_t>(sizeof daemon));
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  EXPECT_TRUE(is_alive(daemon));
  ::kill(caller, SIGKILL);
  ::waitpid(caller, nullptr, 0);
  EXPECT_TRUE(dies_within(daemon, 10s));
}

TEST(RunProcess, StopsWhenCancelled) {
  std::atomic<bool> cancel{false};
  auto command = helper({"hang"});
  command.cancel = &cancel;
  std::thread canceller([&] {
    std::this_thread::sleep_for(150ms);
    cancel = true;
  });
  auto const result = run(command);
  canceller.join();
  EXPECT_TRUE(result.cancelled);
  EXPECT_FALSE(result.timed_out);
  EXPECT_FALSE(result.ok());
  EXPECT_LT(result.seconds, 10);
}

TEST(RunProcess, DrainsAFloodOnBothStreamsAndKeepsHeadAndTail) {
  auto command = helper({"flood", std::to_string(32 << 20)});
  command.output_cap = 1000;
  auto const result = run(command);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.truncated);
  EXPECT_THAT(result.out, StartsWith("HEADooo"));
  EXPECT_EQ(result.out.substr(result.out.size() - 7), "oooTAIL");
  EXPECT_THAT(result.out, HasSubstr("\n[... " + std::to_string((32 << 20) + 8 - 1000) + " bytes cut ...]\n"));
  EXPECT_LT(result.out.size(), 1100U);
  EXPECT_THAT(result.err, HasSubstr("\n[... " + std::to_string((32 << 20) - 1000) + " bytes cut ...]\n"));
}

TEST(RunProcess, KeepsOutputUpToTheCapWhole) {
  auto command = helper({"flood", "65536"});
  command.output_cap = 65536 + 8;
  auto const result = run(command);
  EXPECT_FALSE(result.truncated);
  EXPECT_EQ(result.out, "HEAD" + std::string(65536, 'o') + "TAIL");
  command.output_cap = 65536 + 7;
  EXPECT_TRUE(run(command).truncated);
}

TEST(RunProcess, FeedsStandardInput) {
  std::string big;
  for (int i = 0; i < 300'000; ++i) big += std::to_string(i) + ",";
  auto command = helper({"cat"});
  command.standard_input = big;
  auto const result = run(command);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.out, big);
}

TEST(RunProcess, GivesEndOfFileWithoutInput) {
  auto const result = run(helper({"cat"}));
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.out, "");
}

TEST(RunProcess, SurvivesAProgramThatDoesNotReadItsInput) {
  auto command = helper({"exit", "0"});
  command.standard_input.assign(10 << 20, 'x');
  EXPECT_TRUE(run(command).ok());
}

TEST(RunProcess, WaitsForTheProgramNotForItsStreams) {
  EXPECT_EQ(run(helper({"close-output"})).exit_code, 5);
}

TEST(RunProcess, ScrubsTheEnvironment) {
  ::setenv("ANTHROPIC_API_KEY", "secret", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  ::setenv("OMPI_MCA_test", "kept", 1);
  ::setenv("NCCL_DEBUG", "WARN", 1);
  auto command = helper({"env"});
  command.environment = {"A=1", "NCCL_DEBUG=INFO", "A=2", "EMPTY="};
  auto const out = "\n" + run(command).out;
  EXPECT_THAT(out, Not(HasSubstr("secret")));
  EXPECT_THAT(out, HasSubstr("\nOMPI_MCA_test=kept\n"));
  EXPECT_THAT(out, HasSubstr("\nNCCL_DEBUG=INFO\n"));
  EXPECT_THAT(out, Not(HasSubstr("WARN")));
  EXPECT_THAT(out, HasSubstr("\nA=2\n"));
  EXPECT_THAT(out, Not(HasSubstr("\nA=1\n")));
  EXPECT_THAT(out, HasSubstr("\nEMPTY=\n"));
  EXPECT_THAT(out, HasSubstr("\nPATH="));
  for (char const* name : {"ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "OMPI_MCA_test", "NCCL_DEBUG"})
    ::unsetenv(name);
}

TEST(RunProcess, PassesNoDescriptorsOn) {
  int const leaky = ::open("/dev/null", O_RDONLY);  // not CLOEXEC
  ASSERT_GE(leaky, 0);
  EXPECT_EQ(run(helper({"fds"})).out, "0 1 2 ");
  ::close(leaky);
}

TEST(RunProcess, LeaksNoDescriptorsItself) {
  auto const count = [] {
    int open = 0;
    for (int fd = 0; fd < 1024; ++fd) open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
  };
  int const before = count();
  for (int i = 0; i < 5; ++i) {
    (void)run(helper({"exit", "0"}));
    EXPECT_FALSE(run_process(Command{.argv = {"no-such-program"}}));
    auto lost = helper({"exit"});
    lost.directory = "/no/such/folder";
    EXPECT_FALSE(run_process(lost));
  }
  EXPECT_EQ(count(), before);
}

TEST(RunProcess, WorksWhenTheCallerHasClosedItsOwnStreams) {
  pid_t const child = ::fork();
  if (child == 0) {
    for (int fd : {0, 1, 2}) ::close(fd);
    auto command = helper({"cat"});
    command.standard_input = "through";
    auto const result = run_process(command);
    ::_exit(result && result->out == "through" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(RunProcess, GivesTheProgramDefaultSignals) {
  auto const old = ::signal(SIGPIPE, SIG_IGN);
  sigset_t set, before;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  EXPECT_EQ(run(helper({"signals"})).out, "");
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, &before, &now);
  EXPECT_EQ(::sigismember(&now, SIGTERM), 1) << "the caller's own mask must come back as it was";
  ::signal(SIGPIPE, old);
}

TEST(RunProcess, WorksWhenTheCallerIgnoresItsChildren) {
  auto const old = ::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(run(helper({"exit", "6"})).exit_code, 6);
  ::signal(SIGCHLD, old);
}

TEST(RunProcess, SetsLimits) {
  auto command = helper({"limits"});
  command.limits.file_size_bytes = 1 << 20;
  command.limits.cpu_seconds = 50;
  EXPECT_EQ(run(command).out, "0 inf 50 1048576 ");
  command = helper({"burn"});
  command.limits.cpu_seconds = 1;
  auto const result = run(command);
  EXPECT_TRUE(result.signal == SIGXCPU || result.signal == SIGKILL) << describe(result);
  EXPECT_FALSE(result.timed_out);
}

TEST(RunProcess, RunsInItsDirectory) {
  auto command = helper({"cwd"});
  command.directory = "/usr";
  EXPECT_EQ(run(command).out, "/usr");
}

TEST(RunProcess, NamesWhatIsMissing) {
  auto const program = run_process(Command{.argv = {"no-such-program"}});
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, ErrorCode::kToolMissing);
  EXPECT_EQ(to_line(program.error()),
            "program 'no-such-program' not found on PATH; install it or add its folder to PATH");

  auto const path = run_process(Command{.argv = {"/no/such/program"}});
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().code, ErrorCode::kToolMissing);

  auto command = helper({"cwd"});
  command.directory = "/no/such/folder";
  auto const directory = run_process(command);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(directory.error().cause, HasSubstr("/no/such/folder"));
}

TEST(RunProcess, SaysWhenTheInterpreterIsMissing) {
  std::string name = testing::TempDir() + "cuco_script_XXXXXX";
  int const fd = ::mkstemp(name.data());
  ASSERT_GE(fd, 0);
  std::string const text = "#!/no/such/interpreter\n";
  ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::fchmod(fd, 0755);
  ::close(fd);
  auto const result = run_process(Command{.argv = {name}});
  ::unlink(name.c_str());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kToolMissing);
  EXPECT_THAT(result.error().cause, HasSubstr("interpreter"));
}

TEST(RunProcess, RejectsNonsense) {
  EXPECT_EQ(run_process(Command{}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(run_process(Command{.argv = {""}}).error().code, ErrorCode::kInvalidArgument);
  auto command = helper({std::string("a\0b", 3)});
  EXPECT_EQ(run_process(command).error().code, ErrorCode::kInvalidArgument);
  command = helper({"exit"});
  command.environment = {"NOEQUALS"};
  EXPECT_EQ(run_process(command).error().code, ErrorCode::kInvalidArgument);
  command = helper({std::string(64 << 20, 'x')});
  auto const big = run_process(command);
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().code, ErrorCode::kProcess);
  EXPECT_THAT(big.error().cause, HasSubstr("cannot start"));
}

TEST(RunProcess, ServesManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        auto command = helper({"cat"});
        command.standard_input.assign(100'000, static_cast<char>('a' + t));
        auto const result = run_process(command);
        if (result && result->ok() && result->out == command.standard_input) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 40);
}

// A real launcher puts its ranks into process groups of their own.
TEST(RunProcess, EndsAllRanksOfAnMpiJob) {
  auto const mpirun = find_program("mpirun");
  if (!mpirun) GTEST_SKIP() << to_line(mpirun.error());
  Command command;
  command.argv = {*mpirun, "--oversubscribe", "-np", "3", CUCO_PROCESS_HELPER, "ignore-term"};
  // A launcher that is killed leaves its session files behind: here, where they go with the test.
  std::string folder = testing::TempDir() + "cuco_mpi_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  command.environment = {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "TMPDIR=" + folder};
  command.deadline = 5s;
  command.grace = 300ms;
  auto const result = run(command);
  EXPECT_TRUE(result.timed_out) << result.err;
  EXPECT_THAT(result.out, HasSubstr("ready\nready\nready\n")) << result.err;
  int left = 0;
  for (int pid = ::getpid(); pid < ::getpid() + 3000; ++pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    if (text.find("ignore-term") != std::string::npos && is_alive(pid)) ++left;
  }
  EXPECT_EQ(left, 0);
  std::filesystem::remove_all(folder);
}

TEST(RunProcess, LeavesNoZombies) {
  (void)run(helper({"daemon"}));
  int status = 0;
  EXPECT_EQ(::waitpid(-1, &status, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace cuco
