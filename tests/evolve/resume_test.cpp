// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/log.hpp"
#include "cuco/core/run_directory.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/select/beam_selector.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"

namespace cuco {
namespace {

using testing::point;
using testing::PointEvaluator;
using testing::Scratch;
using testing::StepMutator;
using testing::table;

/// Has state that must survive: the number of proposals it ever made.
struct CountingMutator {
  int made = 0;
  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    ++made;
    // Calls that find nothing cost; of some generations nothing comes at all.
    if (made % 9 == 0 || context.generation % 8 == 5)
      return tl::unexpected<Error>(
          Error{ErrorCode::kNotFound, "this call finds nothing", {}, {}, 0, "cost-usd: 0.1\n"});
    auto mutation = StepMutator{.size = 12}.mutate(context, rng);
    if (mutation) {
      mutation->name = "number_" + std::to_string(made);
      mutation->description = "not UTF-8: \xfe";
    }
    return mutation;
  }
  [[nodiscard]] std::string save() const { return std::to_string(made); }
  void load(std::string_view state) { made = state.empty() ? 0 : std::stoi(std::string(state)); }
};

struct Case {
  std::uint64_t seed;
  int slots;
  int islands;
  int stagnant;
};

template <class Selector>
Result<RunSummary> run_in(std::string const& directory,
                          std::string const& log,
                          Case const& c,
                          Selector selector) {
  EvolutionOptions options{
      .generations = 26, .islands = c.islands, .seed = c.seed, .parallel_evaluations = c.slots};
  options.migration_interval = 6;
  options.directory = directory;
  options.stop_after_stagnant = c.stagnant;
  auto storage = SqliteStorage::open(directory);
  if (!storage) return forward_error(std::move(storage));
  Evolution evolution{*std::move(storage),
                      std::move(selector),
                      CountingMutator{},
                      PointEvaluator{.delay_us = 3000, .log = log},
                      options};
  return evolution.run(point(5, 5));
}

std::string table_of(std::string const& directory) {
  return table(SqliteStorage::open(directory, {.read_only = true}).value());
}

/// Ids of the candidates with a finished evaluation on disk.
std::set<std::string> finished(std::string const& directory) {
  std::set<std::string> out;
  for (int g = 0; g < 40; ++g) {
    auto const folder = directory + "/gen_" + std::to_string(g);
    auto const proposal = read_file(folder + "/proposal.json");
    if (!proposal || !read_file(folder + "/results/evaluation.json")) continue;
    auto const at = proposal->find("\"id\": \"");
    if (at == std::string::npos) continue;
    out.insert(proposal->substr(at + 7, proposal->find('"', at + 7) - at - 7));
  }
  return out;
}

template <class Selector>
int kill_until_done(std::string const& directory,
                    std::string const& log,
                    Case const& c,
                    Selector selector,
                    double seconds,
                    Rng& rng) {
  int kills = 0;
  int idle = 0;
  for (int round = 0; round < 200; ++round) {
    auto const before = finished(directory);
    auto const logged = testing::lines_of(log).size();
    std::fflush(nullptr);
    pid_t const child = ::fork();
    if (child == 0) {
      set_log_level(LogLevel::kOff);
      ::_exit(run_in(directory, log, c, selector) ? 0 : 1);
    }
    // Some seven kills per run; rounds that are too short to get anywhere make the next ones longer.
    double const patience = seconds * 0.3 * (1 + idle) * rng.uniform();
    auto const deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(patience);
    int status = 0;
    pid_t gone = 0;
    while ((gone = ::waitpid(child, &status, WNOHANG)) == 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    if (gone == 0) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
    }
    auto const lines = testing::lines_of(log);
    idle = lines.size() == logged ? idle + 1 : 0;
    for (std::size_t i = logged; i < lines.size(); ++i)
      EXPECT_EQ(before.count(lines[i].substr(0, lines[i].find(' '))), 0U)
          << "evaluated again in round " << round << ": " << lines[i];
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      if (WEXITSTATUS(status) == 0) return kills;
      ADD_FAILURE() << "the resumed run failed";
      return kills;
    }
    ++kills;
  }
  ADD_FAILURE() << "never finished";
  return kills;
}

template <class Selector>
int killed_equals_uninterrupted(Case const& c, Selector selector, Rng& rng) {
  Scratch scratch;
  auto const whole = run_in(scratch / "whole", scratch / "whole.log", c, selector);
  EXPECT_TRUE(whole);
  if (!whole) return 0;
  int const kills =
      kill_until_done(scratch / "killed", scratch / "killed.log", c, selector, whole->seconds, rng);
  EXPECT_EQ(testing::first_difference(table_of(scratch / "killed"), table_of(scratch / "whole")), "");
  // Nothing lost: whatever was evaluated is a row; nothing wasted: only what a kill interrupted was started
  // twice.
  std::set<std::string> rows;
  auto const storage = SqliteStorage::open(scratch / "killed", {.read_only = true}).value();
  for (auto const& row : testing::rows(storage, {})) rows.insert(row.id.value);
  std::map<std::string, int> starts;
  for (auto const& line : testing::lines_of(scratch / "killed.log")) ++starts[line.substr(0, line.find(' '))];
  int repeated = 0;
  for (auto const& [id, count] : starts) {
    EXPECT_EQ(rows.count(id), 1U) << id;
    repeated += count - 1;
  }
  EXPECT_LE(repeated, kills * c.slots);
  EXPECT_EQ(static_cast<int>(testing::lines_of(scratch / "whole.log").size()),
            static_cast<int>(starts.size()));
  return kills;
}

TEST(Resume, KilledAtRandomInstantsTheTableIsTheSame) {
  auto const level = set_log_level(LogLevel::kOff);
  Rng rng(static_cast<std::uint64_t>(::getpid()));
  int kills = 0;
  int round = 0;
  for (; kills < 25 && round < 12; ++round) {
    Case const c{static_cast<std::uint64_t>(round), 1 + round % 3, 1 + round % 2, round % 4 == 1 ? 4 : 0};
    kills += round % 2 == 0 ? killed_equals_uninterrupted(c, BeamSelector{.beams = 3}, rng)
                            : killed_equals_uninterrupted(c, PowerLawSelector{}, rng);
    if (HasFailure()) break;
  }
  set_log_level(level);
  EXPECT_GE(kills, 25) << "too few kills to say anything";
}

class ResumeHere : public ::testing::Test {
 protected:
  Result<RunSummary> run(EvolutionOptions options, std::string const& code = point(5, 5)) {
    options.directory = scratch_ / "run";
    Evolution evolution{
        SqliteStorage{scratch_ / "run"}, UniformSelector{}, StepMutator{}, evaluator_, options};
    return evolution.run(code);
  }
  Scratch scratch_;
  PointEvaluator evaluator_;
  EvolutionOptions const options_{.generations = 8, .islands = 2, .seed = 1};
};

TEST_F(ResumeHere, WritesTheFilesOfEveryGenerationAndTheBest) {
  auto const summary = run(options_);
  ASSERT_TRUE(summary) << to_line(summary.error());
  EXPECT_EQ(summary->directory, scratch_ / "run");
  for (int g = 0; g < 8; ++g) {
    auto const folder = scratch_ / ("run/gen_" + std::to_string(g));
    for (char const* name :
         {"main.cu", "results/metrics.json", "results/correct.json", "results/evaluation.json"})
      EXPECT_TRUE(std::filesystem::exists(folder + "/" + name)) << folder << "/" << name;
    EXPECT_EQ(std::filesystem::exists(folder + "/original.cu"), g > 0);
    EXPECT_EQ(std::filesystem::exists(folder + "/edit.diff"), g > 0);
  }
  EXPECT_EQ(read_file(scratch_ / "run/best/main.cu").value(), summary->best.code);
}

TEST_F(ResumeHere, FinishedRunEvaluatesNothingAndMoreGenerationsContinue) {
  ASSERT_TRUE(run(options_));
  EXPECT_EQ(*evaluator_.count, 8);
  auto const again = run(options_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->resumed);
  EXPECT_EQ(*evaluator_.count, 8);
  auto more = options_;
  more.generations = 12;
  auto const longer = run(more);
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->generations_done, 12);
  EXPECT_EQ(*evaluator_.count, 12);
  EXPECT_EQ(run(options_)->generations_done, 12) << "fewer generations take nothing back";
}

TEST_F(ResumeHere, OtherSeedSourceOrIslandsAreConflicts) {
  ASSERT_TRUE(run(options_));
  auto const before = table_of(scratch_ / "run");
  auto other = options_;
  other.seed = 2;
  auto const seed = run(other);
  ASSERT_FALSE(seed);
  EXPECT_EQ(seed.error().code, ErrorCode::kConflict);
  EXPECT_NE(to_line(seed.error()).find("another random seed (1, not 2)"), std::string::npos)
      << to_line(seed.error());
  EXPECT_NE(to_line(seed.error()).find(scratch_ / "run"), std::string::npos);
  other = options_;
  other.islands = 3;
  EXPECT_EQ(run(other).error().code, ErrorCode::kConflict);
  auto const source = run(options_, point(6, 6));
  ASSERT_FALSE(source);
  EXPECT_NE(to_line(source.error()).find("seed programs"), std::string::npos);
  EXPECT_EQ(testing::first_difference(table_of(scratch_ / "run"), before), "")
      << "a refused run changes nothing";
}

TEST_F(ResumeHere, ALostDatabaseIsRebuiltFromTheFilesWithoutEvaluating) {
  ASSERT_TRUE(run(options_));
  auto const before = table_of(scratch_ / "run");
  for (char const* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(scratch_ / ("run/evolution_db.sqlite" + std::string(suffix)));
  auto const rebuilt = run(options_);
  ASSERT_TRUE(rebuilt) << to_line(rebuilt.error());
  EXPECT_EQ(*evaluator_.count, 8);
  EXPECT_EQ(rebuilt->imported, 8);
  EXPECT_EQ(testing::first_difference(table_of(scratch_ / "run"), before), "");
}

TEST_F(ResumeHere, FilesOfAnotherRunAreNotImported) {
  ASSERT_TRUE(run(options_));
  for (char const* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(scratch_ / ("run/evolution_db.sqlite" + std::string(suffix)));
  auto other = options_;
  other.seed = 2;
  auto const fresh = run(other);
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->imported, 0);
  EXPECT_EQ(*evaluator_.count, 16);
}

TEST_F(ResumeHere, ADamagedEvaluationIsDoneAgain) {
  ASSERT_TRUE(run(options_));
  for (char const* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(scratch_ / ("run/evolution_db.sqlite" + std::string(suffix)));
  ASSERT_TRUE(write_file_atomic(scratch_ / "run/gen_3/results/evaluation.json", "{\"outcome\": "));
  auto const rebuilt = run(options_);
  ASSERT_TRUE(rebuilt);
  EXPECT_EQ(*evaluator_.count, 9);
}

TEST_F(ResumeHere, TwoRunsInOneDirectoryAreAConflict) {
  auto const held = RunDirectory::open(scratch_ / "run");
  ASSERT_TRUE(held);
  auto const second = run(options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST_F(ResumeHere, ARepairedSeedMayUseTheDirectoryOfTheBrokenOne) {
  auto const broken = run(options_, point(3, 0));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kNotVerified);
  EXPECT_NE(to_line(broken.error()).find(scratch_ / "run"), std::string::npos) << to_line(broken.error());
  auto const repaired = run(options_);
  ASSERT_TRUE(repaired) << to_line(repaired.error());
  EXPECT_EQ(repaired->programs, 8);
}

TEST_F(ResumeHere, AnEmptyDatabaseFileIsAFreshRun) {
  std::filesystem::create_directories(scratch_ / "run");
  ASSERT_TRUE(write_file_atomic(scratch_ / "run/evolution_db.sqlite", ""));
  auto const summary = run(options_);
  ASSERT_TRUE(summary) << to_line(summary.error());
  EXPECT_FALSE(summary->resumed);
  EXPECT_EQ(summary->programs, 8);
}

}  // namespace
}  // namespace cuco
