// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/process/find_program.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace cuco {
namespace {

namespace fs = std::filesystem;

class FindProgram : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "cuco_find_XXXXXX";
    root = ::mkdtemp(name.data());
    fs::create_directories(root / "a/tool");  // a folder of that name is not a program
    fs::create_directories(root / "b");
    fs::create_directories(root / "c");
    std::ofstream(root / "b/tool") << "x";  // not executable
    std::ofstream(root / "c/tool") << "x";
    fs::permissions(root / "c/tool", fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(root); }
  [[nodiscard]] std::string path(std::string const& folder) const { return (root / folder).string(); }
  fs::path root;
};

TEST_F(FindProgram, TakesTheFirstExecutableFile) {
  auto const found = find_program("tool", path("a") + ":" + path("b") + ":" + path("c"));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, path("c/tool"));
}

TEST_F(FindProgram, SkipsEmptyEntriesOfThePath) {
  auto const here = fs::current_path();
  fs::current_path(root / "c");
  EXPECT_FALSE(find_program("tool", ""));
  EXPECT_FALSE(find_program("tool", "::" + path("b") + ":"));
  fs::current_path(here);
}

TEST_F(FindProgram, TakesPathsAsTheyAre) {
  EXPECT_TRUE(find_program(path("c/tool"), ""));
  EXPECT_EQ(find_program(path("b/tool"), path("c")).error().code, ErrorCode::kToolMissing);
}

TEST_F(FindProgram, NamesTheMissingProgram) {
  auto const found = find_program("no-such-tool", path("c"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kToolMissing);
  EXPECT_NE(found.error().cause.find("'no-such-tool'"), std::string::npos);
  EXPECT_EQ(find_program("").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cuco
