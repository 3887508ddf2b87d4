// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/atomic_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "../contract/hostile_file_system.hpp"

namespace cuco {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(AtomicFile, WritesAndReadsBytes) {
  TemporaryFolder const folder;
  for (std::string const& bytes :
       {std::string(), std::string("a\0b\r\n\xff", 6), std::string(300'000, 'x')}) {
    ASSERT_TRUE(write_file_atomic(folder / "f", bytes));
    EXPECT_EQ(read_file(folder / "f").value(), bytes);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), {}), 1) << "no temporary file stays";
}

TEST(AtomicFile, HonoursTheUmask) {
  TemporaryFolder const folder;
  mode_t const old = ::umask(027);
  ASSERT_TRUE(write_file_atomic(folder / "f", "x"));
  ::umask(old);
  EXPECT_EQ(static_cast<unsigned>(fs::status(folder / "f").permissions()), 0640U);
}

TEST(AtomicFile, WorksInTheCurrentFolder) {
  TemporaryFolder const folder;
  auto const here = fs::current_path();
  fs::current_path(folder.path);
  EXPECT_TRUE(write_file_atomic("plain", "x"));
  EXPECT_EQ(read_file("plain").value(), "x");
  fs::current_path(here);
}

TEST(AtomicFile, ReadingSaysWhatIsWrong) {
  TemporaryFolder const folder;
  auto const missing = read_file(folder / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(to_line(missing.error()),
            folder / "missing" + ": cannot read: no such file or directory; check the path");
  EXPECT_EQ(read_file(folder.path).error().code, ErrorCode::kIo);
}

TEST(AtomicFile, WritingSaysWhatIsWrong) {
  TemporaryFolder const folder;
  auto const missing = write_file_atomic(folder / "no/such/file", "x");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kIo);
  EXPECT_EQ(missing.error().file, folder / "no/such/file");
  fs::create_directory(folder / "taken");
  EXPECT_EQ(write_file_atomic(folder / "taken", "x").error().code, ErrorCode::kIo);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), {}), 1);
}

TEST(AtomicFile, NamesAMissingPermission) {
  TemporaryFolder const folder;
  ASSERT_TRUE(write_file_atomic(folder / "f", "old"));
  ::chmod(folder.path.c_str(), 0555);
  int const code = in_child([&] {
    if (!drop_root()) return kCannotTestHere;
    EXPECT_THAT(to_line(write_file_atomic(folder / "f", "new").error()),
                HasSubstr("permission denied; check the owner"));
    return 0;
  });
  ::chmod(folder.path.c_str(), 0755);
  if (code == kCannotTestHere) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(code, 0);
  EXPECT_EQ(read_file(folder / "f").value(), "old");
}

TEST(AtomicFile, NamesAFullDiskAndAReadOnlyOneAndKeepsTheOldContent) {
  TemporaryFolder const folder;
  int const code = in_child([&] {
    if (!mount_small(folder.path, "size=64k")) return kCannotTestHere;
    EXPECT_TRUE(write_file_atomic(folder / "f", "old"));
    auto const full = write_file_atomic(folder / "f", std::string(200'000, 'x'));
    EXPECT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kIo);
    EXPECT_THAT(to_line(full.error()), HasSubstr("no space left on device; free some space"));
    EXPECT_EQ(read_file(folder / "f").value(), "old");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), {}), 1) << "the half-written file is gone";
    EXPECT_TRUE(write_file_atomic(folder / "f", "newer")) << "and its space is free again";
    if (!make_read_only(folder.path)) return kCannotTestHere;
    EXPECT_THAT(to_line(write_file_atomic(folder / "f", "x").error()),
                HasSubstr("read-only file system; choose"));
    EXPECT_EQ(read_file(folder / "f").value(), "newer");
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "may not mount a small file system here";
  EXPECT_EQ(code, 0);
}

TEST(AtomicFile, ReadersSeeOldOrNewNeverAPart) {
  TemporaryFolder const folder;
  std::string const a(50'000, 'a');
  std::string const b(80'000, 'b');
  ASSERT_TRUE(write_file_atomic(folder / "f", a));
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      auto const seen = read_file(folder / "f");
      EXPECT_TRUE(seen && (*seen == a || *seen == b));
    }
  });
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(write_file_atomic(folder / "f", i % 2 == 0 ? b : a));
  done = true;
  reader.join();
}

TEST(AtomicFile, SurvivesBeingKilled) {
  TemporaryFolder const folder;
  ASSERT_TRUE(write_file_atomic(folder / "f", std::string(100'000, 'a')));
  for (int round = 0; round < 10; ++round) {
    pid_t const child = ::fork();
    if (child == 0)
      for (char c = 'a';; c = c == 'z' ? 'a' : static_cast<char>(c + 1))
        if (!write_file_atomic(folder / "f", std::string(100'000, c))) ::_exit(1);
    ::usleep(static_cast<useconds_t>(2000 + round * 1777));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    auto const bytes = read_file(folder / "f").value();
    ASSERT_EQ(bytes, std::string(100'000, bytes.at(0)));
  }
}

}  // namespace
}  // namespace cuco
