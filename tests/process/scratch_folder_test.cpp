// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/process/scratch_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "contract/hostile_file_system.hpp"

namespace cuco {
namespace {

namespace fs = std::filesystem;
using ::testing::StartsWith;

/// A child process that holds a ScratchFolder in `parent`. Its number, once the folder is there.
pid_t holder_of_a_folder(std::string const& parent) {
  int ready[2];
  EXPECT_EQ(::pipe(ready), 0);
  pid_t const child = ::fork();
  if (child == 0) {
    auto const folder = ScratchFolder::make(parent);
    std::ofstream(folder->path() + "/file") << "x";
    (void)!::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

void end(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(ScratchFolder, IsPrivateAndGoesWithItsOwner) {
  TemporaryFolder const parent;
  std::string path;
  {
    auto made = ScratchFolder::make(parent.path);
    ASSERT_TRUE(made);
    path = made->path();
    EXPECT_THAT(fs::path(path).filename().string(), StartsWith("cuco-" + std::to_string(::getpid()) + "-"));
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
    fs::create_directories(path + "/a/b");
    ScratchFolder moved = std::move(*made);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(ScratchFolder, NamesTheFolderThatCannotBeUsed) {
  TemporaryFolder const parent;
  auto const failed = ScratchFolder::make(parent / "none");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  EXPECT_EQ(failed.error().file, parent / "none");
  EXPECT_FALSE(failed.error().remedy.empty());
}

TEST(AbandonedFolders, OnlyThoseOfDeadProcessesGo) {
  TemporaryFolder const parent;
  pid_t const alive = holder_of_a_folder(parent.path);
  pid_t const dead = holder_of_a_folder(parent.path);
  auto const mine = ScratchFolder::make(parent.path);
  ASSERT_TRUE(mine);
  end(dead);
  std::string const number = std::to_string(dead);
  // Names that are alike, and a file.
  for (std::string const& name : {"cuco-" + number,
                                  "cuco-" + number + "x-abc",
                                  std::string("cuco-cache-0"),
                                  "other-" + number + "-abc"})
    fs::create_directories(parent / name);
  std::ofstream(parent / ("cuco-" + number + "-file")) << "x";
  fs::create_directory_symlink(mine->path(), parent / ("cuco-" + number + "-link"));

  EXPECT_EQ(remove_abandoned_folders(parent.path), 1);
  int left = 0;
  for (auto const& entry : fs::directory_iterator(parent.path)) {
    ++left;
    (void)entry;
  }
  EXPECT_EQ(left, 8);
  EXPECT_TRUE(fs::exists(mine->path()));
  end(alive);
  EXPECT_EQ(remove_abandoned_folders(parent.path), 1);
  EXPECT_EQ(remove_abandoned_folders(parent / "none"), 0);
}

TEST(AbandonedFolders, OfAnotherUserStay) {
  TemporaryFolder const parent;
  ::chmod(parent.path.c_str(), 0777);
  end(holder_of_a_folder(parent.path));
  int const code = in_child([&] {
    if (::geteuid() != 0 || !drop_root()) return kCannotTestHere;
    EXPECT_EQ(remove_abandoned_folders(parent.path), 0);
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "needs root, to become somebody else";
  EXPECT_EQ(code, 0);
  EXPECT_EQ(remove_abandoned_folders(parent.path), 1);
}

TEST(ProcessScratchFolder, HoldsAllTemporaryFilesAndTidiesUpAfterOthers) {
  TemporaryFolder const parent;
  end(holder_of_a_folder(parent.path));
  ASSERT_FALSE(fs::is_empty(parent.path));
  int const code = in_child([&] {
    ::setenv("TMPDIR", parent.path.c_str(), 1);
    {
      auto const folder = ProcessScratchFolder::make();
      EXPECT_TRUE(folder);
      if (!folder) return 1;
      EXPECT_EQ(fs::temp_directory_path().string(), folder->path());
      EXPECT_EQ(shared_temporary_folder(), parent.path);
      EXPECT_EQ(fs::path(folder->path()).parent_path().string(), parent.path);
      EXPECT_EQ(std::distance(fs::directory_iterator(parent.path), fs::directory_iterator()), 1);
    }
    EXPECT_EQ(std::string(::getenv("TMPDIR")), parent.path);
    EXPECT_TRUE(fs::is_empty(parent.path));
    ::unsetenv("TMPDIR");
    {
      auto const folder = ProcessScratchFolder::make();
      EXPECT_EQ(shared_temporary_folder(), "/tmp");
    }
    EXPECT_EQ(::getenv("TMPDIR"), nullptr);
    return 0;
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace cuco
