// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/run_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "../contract/hostile_file_system.hpp"
#include "cuco/core/atomic_file.hpp"

namespace cuco {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(RunDirectory, NamesItsFiles) {
  TemporaryFolder const folder;
  auto const run = RunDirectory::open(folder / "deep/run/");
  ASSERT_TRUE(run) << to_line(run.error());
  std::string const root = folder / "deep/run";
  EXPECT_EQ(run->path(), root);
  EXPECT_EQ(run->database(), root + "/evolution_db.sqlite");
  EXPECT_EQ(run->log_file(), root + "/evolution_run.log");
  EXPECT_EQ(run->config(), root + "/experiment_config.json");
  EXPECT_EQ(run->best(), root + "/best");
  EXPECT_EQ(run->pipeline(), root + "/_pre_transform_pipeline");
  auto const paths = run->generation(12);
  EXPECT_EQ(paths.path, root + "/gen_12");
  EXPECT_EQ(paths.main(), root + "/gen_12/main.cu");
  EXPECT_EQ(paths.original(), root + "/gen_12/original.cu");
  EXPECT_EQ(paths.diff(), root + "/gen_12/edit.diff");
  EXPECT_EQ(paths.metrics(), root + "/gen_12/results/metrics.json");
  EXPECT_EQ(paths.correct(), root + "/gen_12/results/correct.json");
  EXPECT_EQ(paths.evaluation(), root + "/gen_12/results/evaluation.json");
  EXPECT_EQ(paths.build_log(), root + "/gen_12/results/build.log");
  EXPECT_EQ(paths.run_log(), root + "/gen_12/results/run.log");
  EXPECT_EQ(paths.job_out(), root + "/gen_12/results/job_log.out");
  EXPECT_EQ(paths.job_err(), root + "/gen_12/results/job_log.err");
  EXPECT_EQ(run->seed(2).path, root + "/gen_0_island2");
}

TEST(RunDirectory, ListsTheGenerationsThatExist) {
  TemporaryFolder const folder;
  auto const run = RunDirectory::open(folder.path).value();
  for (int n : {10, 2, 0}) ASSERT_TRUE(run.create(run.generation(n)));
  for (int i : {1, 0}) ASSERT_TRUE(run.create(run.seed(i)));
  ASSERT_TRUE(run.create(run.generation(2))) << "again is fine";
  for (char const* other : {"gen_", "gen_x", "gen_1x", "gen_0_island", "gen_99999999999999", "best"})
    fs::create_directory(folder / other);
  ASSERT_TRUE(write_file_atomic(folder / "gen_5", "a file"));
  std::string found;
  auto const generations = run.generations().value();
  for (auto const& paths : generations)
    found += std::to_string(paths.generation) + "/" + std::to_string(paths.seed_island) + " ";
  EXPECT_EQ(found, "0/-1 0/0 0/1 2/-1 10/-1 ");
}

TEST(RunDirectory, BelongsToOneRunAtATime) {
  TemporaryFolder const folder;
  auto first = RunDirectory::open(folder.path);
  ASSERT_TRUE(first);
  auto const second = RunDirectory::open(folder.path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_EQ(to_line(second.error()),
            folder.path + ": another run uses this directory (process " + std::to_string(::getpid()) +
                "); wait for it or choose another directory");
  EXPECT_TRUE(RunDirectory::inspect(folder.path)) << "readers need no lock";
  {
    RunDirectory const moved = std::move(*first);
    EXPECT_FALSE(RunDirectory::open(folder.path)) << "the lock moves along";
  }
  EXPECT_TRUE(RunDirectory::open(folder.path));
}

TEST(RunDirectory, IsFreeAgainWhenItsOwnerIsKilled) {
  TemporaryFolder const folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  pid_t const child = ::fork();
  if (child == 0) {
    auto const run = RunDirectory::open(folder.path);
    if (!run || ::write(ready[1], "r", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_EQ(RunDirectory::open(folder.path).error().code, ErrorCode::kConflict);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(RunDirectory::open(folder.path));
}

TEST(RunDirectory, InspectCreatesNothing) {
  TemporaryFolder const folder;
  EXPECT_EQ(RunDirectory::inspect(folder / "none").error().code, ErrorCode::kNotFound);
  auto const run = RunDirectory::inspect(folder.path + "/");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->path(), folder.path);
  EXPECT_TRUE(fs::is_empty(folder.path));
}

TEST(RunDirectory, SaysWhyItCannotBeUsed) {
  TemporaryFolder const folder;
  EXPECT_EQ(RunDirectory::open("").error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(write_file_atomic(folder / "file", "x"));
  auto const file = RunDirectory::open(folder / "file");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kIo);
  EXPECT_THAT(to_line(file.error()), HasSubstr("ot a directory"));
  EXPECT_EQ(RunDirectory::open(folder / "file/below").error().code, ErrorCode::kIo);

  ::chmod(folder.path.c_str(), 0555);
  int const code = in_child([&] {
    if (!drop_root()) return kCannotTestHere;
    for (auto const& path : {folder.path, folder / "new"}) {
      auto const denied = RunDirectory::open(path);
      EXPECT_EQ(denied.error().code, ErrorCode::kIo);
      EXPECT_THAT(to_line(denied.error()),
                  HasSubstr("permission denied; check the owner and the permissions"));
    }
    return 0;
  });
  ::chmod(folder.path.c_str(), 0755);
  if (code == kCannotTestHere) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(code, 0);
}

TEST(RunDirectory, NoticesAFullDiskAtOnce) {
  TemporaryFolder const folder;
  int const code = in_child([&] {
    if (!mount_small(folder.path, "size=16k")) return kCannotTestHere;
    EXPECT_TRUE(write_file_atomic(folder / "big", std::string(16'384, 'x')));
    auto const full = RunDirectory::open(folder / ".");
    EXPECT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kIo);
    EXPECT_THAT(to_line(full.error()), HasSubstr("no space left on device"));
    if (!make_read_only(folder.path)) return kCannotTestHere;
    EXPECT_THAT(to_line(RunDirectory::open(folder.path).error()), HasSubstr("read-only file system"));
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "may not mount a small file system here";
  EXPECT_EQ(code, 0);
}

TEST(RunDirectory, KeepsACopyOfTheBest) {
  TemporaryFolder const folder;
  auto const run = RunDirectory::open(folder.path).value();
  for (int n : {1, 2}) {
    ASSERT_TRUE(run.create(run.generation(n)));
    ASSERT_TRUE(write_file_atomic(run.generation(n).main(), std::to_string(n)));
    ASSERT_TRUE(write_file_atomic(run.generation(n).metrics(), "{}"));
  }
  ASSERT_TRUE(write_file_atomic(run.generation(1).path + "/only_in_1", ""));
  ASSERT_TRUE(run.update_best(run.generation(1)));
  EXPECT_EQ(read_file(run.best() + "/main.cu").value(), "1");
  EXPECT_TRUE(fs::exists(run.best() + "/only_in_1"));
  ASSERT_TRUE(run.update_best(run.generation(2)));
  EXPECT_EQ(read_file(run.best() + "/main.cu").value(), "2");
  EXPECT_EQ(read_file(run.best() + "/results/metrics.json").value(), "{}");
  EXPECT_FALSE(fs::exists(run.best() + "/only_in_1"));
  auto const failed = run.update_best(run.generation(3));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  EXPECT_EQ(read_file(run.best() + "/main.cu").value(), "2");
  for (auto const& entry : fs::directory_iterator(folder.path))
    EXPECT_EQ(entry.path().filename().string().find(".best"), std::string::npos) << "nothing half-made stays";
}

TEST(RunDirectory, ReadersAlwaysFindABest) {
  TemporaryFolder const folder;
  auto const run = RunDirectory::open(folder.path).value();
  for (int n : {1, 2}) {
    ASSERT_TRUE(run.create(run.generation(n)));
    ASSERT_TRUE(write_file_atomic(run.generation(n).main(), std::string(1000, static_cast<char>('0' + n))));
  }
  ASSERT_TRUE(run.update_best(run.generation(1)));
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      auto const seen = read_file(run.best() + "/main.cu");
      EXPECT_TRUE(seen && seen->size() == 1000) << (seen ? "a part" : to_line(seen.error()));
      if (!seen) return;
    }
  });
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(run.update_best(run.generation(1 + i % 2)));
  done = true;
  reader.join();
}

TEST(RunDirectory, AppendsToItsLog) {
  TemporaryFolder const folder;
  auto const run = RunDirectory::open(folder.path).value();
  ASSERT_TRUE(run.append_log("one"));
  ASSERT_TRUE(run.append_log("two"));
  EXPECT_EQ(read_file(run.log_file()).value(), "one\ntwo\n");
}

}  // namespace
}  // namespace cuco
