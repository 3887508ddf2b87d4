// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/load_program.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace cuco::testing {
namespace {

class LoadProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string("load_program_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(std::string const& content) {
    auto const path = (folder_ / "x.cu").string();
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::filesystem::path folder_;
};

TEST_F(LoadProgram, ReadsWhatIsThere) {
  auto const path = file("int main() { return 0; }\n");
  auto const program = load_program(path);
  ASSERT_TRUE(program) << to_line(program.error());
  EXPECT_EQ(program->name, "x.cu");
  EXPECT_EQ(program->path, path);
  EXPECT_EQ(program->code, "int main() { return 0; }\n");
}

TEST_F(LoadProgram, BadFilesGetOneLineWithCauseAndRemedy) {
  auto check =
      [](Result<SourceProgram> const& program, ErrorCode code, std::string const& cause, std::uint32_t line) {
        ASSERT_FALSE(program);
        EXPECT_EQ(program.error().code, code);
        EXPECT_NE(program.error().cause.find(cause), std::string::npos) << to_line(program.error());
        EXPECT_EQ(program.error().line, line) << to_line(program.error());
        EXPECT_FALSE(program.error().file.empty());
        EXPECT_EQ(to_line(program.error()).find('\n'), std::string::npos);
      };
  check(load_program((folder_ / "none.cu").string()), ErrorCode::kNotFound, "", 0);
  check(load_program(folder_.string()), ErrorCode::kInvalidArgument, "folder", 0);
  check(load_program(file("")), ErrorCode::kParse, "empty", 0);
  check(load_program(file(" \n\t\r\n")), ErrorCode::kParse, "empty", 0);
  check(load_program(file(std::string("\x7f"
                                      "ELF\0\0\1",
                                      7))),
        ErrorCode::kParse,
        "binary",
        0);
  check(load_program(file("int f() {\n  return 1;\n")), ErrorCode::kParse, "not closed", 1);
  check(load_program(file("int f() {\n}\n}\n")), ErrorCode::kParse, "closes nothing", 3);
}

TEST_F(LoadProgram, AnyBytesGiveAProgramOrAnError) {
  std::string bytes;
  for (int i = 1; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::string const& text :
       {bytes, std::string("\"\\"), std::string("/*"), std::string("R\"("), std::string(5000, '(')})
    EXPECT_NO_THROW((void)load_program(file(text)));
}

}  // namespace
}  // namespace cuco::testing
