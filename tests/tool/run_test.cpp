// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// The main job as a user runs it: to its end, again, killed, twice with one seed.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>
#include <thread>

#include "tool/database.hpp"
#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

TEST(RunCommand, ShowsWhatTheRunFound) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto const directory = finished_run();
  auto const json = cuco_json({"show", directory});
  EXPECT_EQ(json.at("directory"), directory);
  EXPECT_EQ(json.at("generations_done"), 3);
  EXPECT_EQ(json.at("programs"), 3);
  EXPECT_TRUE(json.at("best").at("correct").get<bool>());
  EXPECT_EQ(json.at("best").at("origin"), "modelled");
  double const best = json.at("best").at("time_ms");
  double const host = json.at("host_time_ms");
  EXPECT_GT(host, best) << "the device-initiated program is not faster";
  EXPECT_NEAR(json.at("gain_over_host").get<double>(), host / best, 1e-9);

  auto const text = cuco({"show", directory});
  EXPECT_EQ(text.exit_code, kOk);
  EXPECT_THAT(text.out, testing::HasSubstr(directory));
  EXPECT_THAT(text.out, testing::HasSubstr("best: " + json.at("best").at("id").get<std::string>()));
  EXPECT_THAT(text.out, testing::ContainsRegex("host-driven program .*modelled: [0-9.]+x as fast"));
  EXPECT_THAT(read_text(directory + "/best/main.cu"), testing::HasSubstr("EVOLVE-BLOCK-START"));
}

TEST(RunCommand, RepeatedSaysThatItWentOn) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const directory = folder / "run";
  fs::copy(finished_run(), directory, fs::copy_options::recursive | fs::copy_options::copy_symlinks);

  auto const again = cuco_json(run_call(directory, 3));
  EXPECT_TRUE(again.at("summary").at("resumed").get<bool>());
  EXPECT_EQ(again.at("summary").at("evaluated"), 0);
  auto const more = cuco(run_call(directory, 5));
  EXPECT_EQ(more.exit_code, kOk) << more.err;
  EXPECT_THAT(more.err, testing::HasSubstr("fast path: done before, not repeated"));
  EXPECT_THAT(more.err, testing::HasSubstr("resumed, at generation 3 of 5"));
  EXPECT_THAT(more.out, testing::HasSubstr("run directory: " + directory));
  EXPECT_THAT(more.out, testing::HasSubstr("nvcc: SKIPPED: --no-nvcc-check"));
  EXPECT_EQ(cuco_json({"show", directory}).at("programs"), 5);
}

TEST(RunCommand, EvolveGoesOnFromWhatTransformWrote) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const program = finished_run() + "/best/main.cu";
  auto const json = cuco_json(Args{"evolve",
                                   program,
                                   "--dir",
                                   folder / "run",
                                   "--generations",
                                   "2",
                                   "--schedules",
                                   "0",
                                   "--no-nvcc-check"} +
                              kSmall);
  EXPECT_EQ(json.at("correct"), 2);
  EXPECT_EQ(json.at("exit_code"), kOk);
}

constexpr int kGenerations = 5;

/// A longer run that nothing disturbed.
std::string const& reference_run() {
  static TemporaryFolder folder;
  static std::string const path = undisturbed_run(folder, kGenerations, "11");
  return path;
}

TEST(RunCommand, SameSeedSameDatabase) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const elsewhere = folder / "a/place/elsewhere";
  cuco_json(run_call(elsewhere, kGenerations, "11"));
  auto const first = contents_of(reference_run());
  EXPECT_EQ(first.at("programs").size(), kGenerations + 1U);  // and the copy of the seed on the second island
  expect_same(first, contents_of(elsewhere));
}

TEST(RunCommand, AnotherSeedAnotherSearch) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  cuco_json(run_call(folder / "run", 3, "12"));
  EXPECT_NE(contents_of(finished_run()).at("programs"), contents_of(folder / "run").at("programs"));
}

/// Starts the command with its temporary files in `tmpdir` and kills it, and nothing else, `delay` after
/// `ready` says so.
/// @return whether it was still running then.
template <class Ready>
bool kill_after(Args args, std::string const& tmpdir, Ready ready, std::chrono::milliseconds delay) {
  args.insert(args.begin(), CUCO_TOOL);
  std::vector<char*> argv;
  for (auto& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  pid_t const child = ::fork();
  if (child == 0) {
    int const null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    ::setenv("TMPDIR", tmpdir.c_str(), 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  // The end of the child is not collected yet, so its number stays its own.
  siginfo_t ended{};
  auto const running = [&] {
    return ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0;
  };
  auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (running() && !ready() && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(delay);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "exit code " << WEXITSTATUS(status);
  return WIFSIGNALED(status);
}

/// Finished evaluations: file -> which file it is and when it was written.
std::map<std::string, std::string> evaluations(std::string const& directory) {
  std::map<std::string, std::string> out;
  std::error_code none;
  for (auto const& entry : fs::directory_iterator(directory, none)) {
    auto const path = entry.path().string() + "/results/evaluation.json";
    struct stat info {};
    if (entry.path().filename().string().rfind("gen_", 0) != 0 || ::stat(path.c_str(), &info) != 0) continue;
    out[entry.path().filename().string()] = std::to_string(info.st_ino) + " " +
                                            std::to_string(info.st_mtim.tv_sec) + "." +
                                            std::to_string(info.st_mtim.tv_nsec) + "\n" + read_text(path);
  }
  return out;
}

TEST(RunCommand, KilledAtRandomInstantsLosesAndRepeatsNothing) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto const& reference = reference_run();
  auto const planned = evaluations(reference).size();
  ASSERT_GE(planned, static_cast<std::size_t>(kGenerations));
  TemporaryFolder folder;
  auto const directory = folder / "run";
  auto const tmpdir = folder / "tmp";
  fs::create_directories(tmpdir);
  auto const call = run_call(directory, kGenerations, "11") + Args{"--json"};

  std::mt19937_64 random(20260101);
  std::map<std::string, std::string> done;
  int killed = 0;
  for (int round = 0; round < 4; ++round) {
    // First while the program is transformed, then while the search goes on, after it went on at least a
    // little.
    std::chrono::milliseconds const delay(round == 0 ? 200 + random() % 1500 : random() % 1200);
    SCOPED_TRACE("round " + std::to_string(round) + ", killed after " + std::to_string(delay.count()) +
                 " ms");
    auto const ready = [&] { return round == 0 || evaluations(directory).size() > done.size(); };
    killed += kill_after(call, tmpdir, ready, delay) ? 1 : 0;
    auto const now = evaluations(directory);
    for (auto const& [generation, was] : done) {
      ASSERT_EQ(now.count(generation), 1U) << generation << " is lost";
      EXPECT_EQ(now.at(generation), was) << generation << " was evaluated twice";
    }
    done = now;
    // What the kill left can be looked at, or there is no database yet.
    auto const show = cuco({"show", directory});
    EXPECT_THAT(show.exit_code, testing::AnyOf(kOk, kBadInput, kIo)) << show.err;
    EXPECT_EQ(error_lines(show.err).size(), show.exit_code == kOk ? 0U : 1U) << show.err;
  }
  EXPECT_GE(killed, 2) << "the runs were over before they could be killed";
  EXPECT_GE(done.size(), 1U);

  auto const last = cuco_json(run_call(directory, kGenerations, "11"), kOk, {{}, {"TMPDIR=" + tmpdir}});
  EXPECT_TRUE(fs::is_empty(tmpdir)) << "what killed runs left stays: " << *fs::directory_iterator(tmpdir);
  EXPECT_EQ(last.at("summary").at("evaluated").get<std::size_t>() + done.size(), planned)
      << "some evaluation was repeated or left out";
  auto const now = evaluations(directory);
  EXPECT_EQ(now.size(), planned);
  for (auto const& [generation, was] : done)
    EXPECT_EQ(now.at(generation), was) << generation << " was evaluated twice";
  expect_same(contents_of(directory), contents_of(reference));
}

/// Runs one of examples/ from the top of the repository.
void run_example(std::string const& name, Args const& args) {
  auto const binary = std::string(CUCO_EXAMPLES_DIR) + "/" + name;
  if (!fs::exists(binary)) FAIL() << "the example is not built: " << name;
  auto const result = start(Args{binary} + args, {CUCO_SOURCE_DIR, {}});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out,
              testing::ContainsRegex("host-driven [0-9.]+ ms, device-initiated [0-9.]+ ms \\(modelled\\)"));
}

TEST(Examples, GinAlltoall) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  run_example("gin_alltoall", {"--ranks", "2", "--generations", "4", "--dir", folder / "run"});
  if (IsSkipped()) return;
  EXPECT_EQ(cuco_json({"show", folder / "run"}).at("generations_done"), 4);
}

TEST(Examples, LsaAllreduce) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  run_example("lsa_allreduce", {"--ranks", "2", "--generations", "4"});
}

}  // namespace
}  // namespace cuco::tool_test
