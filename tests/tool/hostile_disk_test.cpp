// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Directories that cannot be used, and what a failing call leaves of the run that is already in one.
#include <algorithm>

#include "cuco/core/run_directory.hpp"
#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

std::string show(std::string const& directory) {
  auto const result = cuco({"show", directory});
  EXPECT_EQ(result.exit_code, kOk) << result.err;
  EXPECT_THAT(result.out, testing::HasSubstr("best: "));
  return result.out;
}

std::string copy_of_finished_run(std::string const& to) {
  fs::copy(finished_run(), to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  return to;
}

TEST(Directory, UnderARegularFile) {
  TemporaryFolder folder;
  write_text(folder / "file", "text\n");
  auto const under = folder / "file/run";
  expect_fails(kIo, Args{"transform", seed("allreduce"), "--api", "lsa", "--out", under} + kSmall, {under});
  expect_fails(kIo, run_call(under, 2), {under});
  expect_fails(kIo, run_call(folder / "file", 2), {folder / "file"});
  EXPECT_EQ(read_text(folder / "file"), "text\n");
}

TEST(Directory, ReadOnly) {
  TemporaryFolder folder;
  int const code = in_child([&] {
    if (!mount_small(folder.path, "size=64k") || !make_read_only(folder.path)) return kCannotTestHere;
    for (auto const& path : {folder / "new", folder.path}) {
      expect_fails(
          kIo, Args{"transform", seed("allreduce"), "--api", "lsa", "--out", path} + kSmall, {folder.path});
      expect_fails(kIo, run_call(path, 2), {folder.path, "read-only"});
    }
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(code, 0);
}

TEST(Directory, FullDiskFromTheStart) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  int const code = in_child([&] {
    // Room for folders and nothing else; then for sources, but not for a binary.
    for (auto const& [size, why] : {std::pair{"size=4k", "o space left"},
                                    std::pair{"size=128k", "no space left on device; free some space"}}) {
      if (!mount_small(folder.path, size)) return kCannotTestHere;
      SCOPED_TRACE(size);
      expect_fails(kIo,
                   Args{"transform", seed("allreduce"), "--api", "lsa", "--out", folder / "out"} + kSmall,
                   {folder.path, why});
      EXPECT_FALSE(fs::exists(folder / "out/allreduce_device.cu")) << "half a result";
      expect_fails(kIo, run_call(folder / "run", 2), {folder / "run", why});
    }
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(code, 0);
}

TEST(Directory, InUse) {
  TemporaryFolder folder;
  auto held = RunDirectory::open(folder / "run");
  ASSERT_TRUE(held);
  expect_fails(kInUse, run_call(folder / "run", 2), {folder / "run", "another run uses this directory"});
}

TEST(Directory, OfADifferentRunIsLeftAsItIs) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto const directory = finished_run();
  auto const before = show(directory);
  auto gin = run_call(directory, 3);
  std::replace(gin.begin(), gin.end(), std::string("lsa"), std::string("gin"));
  expect_fails(kInUse, gin, {directory, "api"});
  expect_fails(
      kInUse, run_call(directory, 3, "3", seed("alltoall")), {directory, "another program", "alltoall.cu"});
  expect_fails(kInUse, run_call(directory, 3, "4"), {"seed"});  // of the random choices
  auto ranks = run_call(directory, 3);
  ranks[static_cast<std::size_t>(std::find(ranks.begin(), ranks.end(), "--ranks") - ranks.begin()) + 1] = "4";
  expect_fails(kInUse, ranks, {directory, "ranks"});
  EXPECT_EQ(show(directory), before);
}

TEST(Directory, FailuresDoNotDamageAFinishedRun) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  finished_run();  // here, not in the child
  TemporaryFolder folder;
  int const code = in_child([&] {
    if (!mount_small(folder.path, "size=64m")) return kCannotTestHere;
    auto const directory = copy_of_finished_run(folder / "run");
    auto const before = show(directory);
    auto const more = run_call(directory, 6);

    {
      SCOPED_TRACE("full disk");
      std::ofstream filler(folder / "filler", std::ios::binary);
      std::string const block(1U << 20U, 'x');
      while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
      }
      filler.close();
      std::ofstream rest(folder / "rest", std::ios::binary);
      while (rest.put('x').flush()) {
      }
      rest.close();
      expect_fails(kIo, more, {directory, "disk is full"});
      EXPECT_EQ(show(directory), before);
      fs::remove(folder / "filler");
      fs::remove(folder / "rest");
    }
    {
      SCOPED_TRACE("read-only");
      if (!make_read_only(folder.path)) return kCannotTestHere;
      expect_fails(kIo, more, {directory, "read-only"});
      EXPECT_EQ(show(directory), before);
    }
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(code, 0);
}

TEST(Directory, DamagedDatabaseIsReportedAndKept) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const directory = copy_of_finished_run(folder / "run");
  auto const database = directory + "/evolution_db.sqlite";
  fs::remove(database + "-wal");
  fs::remove(database + "-shm");
  auto bytes = read_text(database);
  ASSERT_GT(bytes.size(), 16384U);
  std::fill(bytes.begin() + 4096, bytes.begin() + 12288, '\xff');
  write_text(database, bytes);
  expect_fails(kIo, {"show", directory}, {database, "corrupt: ", "age "});  // Page or page.
  EXPECT_THAT(cuco({"show", directory}).err, testing::Not(testing::HasSubstr("***")));
  expect_fails(kIo, run_call(directory, 3), {database});
  EXPECT_EQ(read_text(database), bytes) << "the evidence was changed";
}

}  // namespace
}  // namespace cuco::tool_test
