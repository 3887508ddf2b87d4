// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/log.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace cuco {
namespace {

class Log : public testing::Test {
 protected:
  void SetUp() override {
    old_ = set_log_sink([this](LogLevel level, std::string_view text) {
      lines.push_back(std::string(to_string(level)) + ":" + std::string(text));
    });
    level_ = set_log_level(LogLevel::kInfo);
  }
  void TearDown() override {
    set_log_sink(old_);
    set_log_level(level_);
  }
  std::vector<std::string> lines;

 private:
  LogSink old_;
  LogLevel level_{};
};

TEST_F(Log, DropsWhatIsBelowTheLevel) {
  log_debug("a");
  log_info("b");
  set_log_level(LogLevel::kError);
  log_warning("c");
  log_error("d");
  set_log_level(LogLevel::kOff);
  log_error("e");
  log(LogLevel::kOff, "f");
  EXPECT_EQ(lines, (std::vector<std::string>{"info:b", "error:d"}));
}

TEST_F(Log, ServesThreadsOneAtATime) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) log_info("x");
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lines.size(), 2000U);
}

TEST_F(Log, WritesToStandardErrorByDefault) {
  auto const mine = set_log_sink({});
  testing::internal::CaptureStderr();
  log_warning("disk is slow");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "cuco: warning: disk is slow\n");
  set_log_sink(mine);
  EXPECT_TRUE(lines.empty());
}

}  // namespace
}  // namespace cuco
