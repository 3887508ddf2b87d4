// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace cuco {
namespace {

TEST(ProgressBar, FillsInProportion) {
  EXPECT_EQ(progress_bar(0, 4, 8), "[--------]");
  EXPECT_EQ(progress_bar(1, 4, 8), "[##------]");
  EXPECT_EQ(progress_bar(4, 4, 8), "[########]");
  EXPECT_EQ(progress_bar(9, 4, 8), "[########]");
  EXPECT_EQ(progress_bar(0, 0, 3), "[---]");
  EXPECT_EQ(progress_bar(1, 3, 0), "[]");
}

class ProgressOutput : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe2(ends_, O_NONBLOCK), 0); }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  std::string written() {
    std::string text(4096, '\0');
    ssize_t const got = ::read(ends_[0], text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  int ends_[2];
};

TEST_F(ProgressOutput, IsPlainLinesOnAPipe) {
  Progress progress(ends_[1]);
  progress.update(1, 3, "0.5 ms");
  progress.update(1, 3, "0.5 ms");  // nothing new
  progress.note("new best");
  progress.update(2, 3, "0.4 ms");
  progress.finish();
  EXPECT_EQ(written(), "1/3 0.5 ms\nnew best\n2/3 0.4 ms\n");
}

TEST_F(ProgressOutput, RedrawsOneLineOnATerminal) {
  {
    Progress progress(ends_[1], {.live = true, .colour = false, .columns = 80});
    progress.update(1, 2, "a");
    EXPECT_EQ(written(), "[##########----------] 1/2  a");
    progress.note("kept");
    EXPECT_EQ(written(), "\r\x1b[Kkept\n[##########----------] 1/2  a");
    progress.update(2, 2, "b");
    EXPECT_EQ(written(), "\r\x1b[K[####################] 2/2  b");
  }
  EXPECT_EQ(written(), "\r\x1b[K") << "the bar goes when the run is over";
}

TEST_F(ProgressOutput, NeverWrapsAndNeverCutsACharacter) {
  Progress progress(ends_[1], {.live = true, .colour = false, .columns = 31});
  progress.update(1, 2, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
  EXPECT_EQ(written(), "[##########----------] 1/2  \xc3\xa9\xc3\xa9");
}

TEST_F(ProgressOutput, IgnoresAClosedPipe) {
  int const bad = ::open("/dev/null", O_RDONLY);
  Progress progress(bad, {});
  progress.update(1, 2, "a");
  ::close(bad);
}

TEST(DetectTerminal, LooksAtTheDescriptorAndTheEnvironment) {
  auto const keep = [](char const* name) {
    char const* value = std::getenv(name);
    return value != nullptr ? std::string(value) : std::string("\x01");
  };
  auto const put = [](char const* name, std::string const& value) {
    value == "\x01" ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
  };
  std::string const term = keep("TERM");
  std::string const no_colour = keep("NO_COLOR");
  int terminal = -1;
  int other = -1;
  winsize size{};
  size.ws_col = 123;
  size.ws_row = 40;
  if (::openpty(&terminal, &other, nullptr, nullptr, &size) != 0) GTEST_SKIP() << "no pseudo terminals here";

  put("TERM", "xterm");
  put("NO_COLOR", "\x01");
  auto style = detect_terminal(other);
  EXPECT_TRUE(style.live);
  EXPECT_TRUE(style.colour);
  EXPECT_EQ(style.columns, 123);
  put("NO_COLOR", "1");
  style = detect_terminal(other);
  EXPECT_TRUE(style.live);
  EXPECT_FALSE(style.colour);
  put("NO_COLOR", "");
  EXPECT_TRUE(detect_terminal(other).colour);
  put("TERM", "dumb");
  style = detect_terminal(other);
  EXPECT_FALSE(style.live);
  EXPECT_FALSE(style.colour);
  put("TERM", "\x01");
  EXPECT_FALSE(detect_terminal(other).live);
  put("TERM", "xterm");
  int const file = ::open("/dev/null", O_WRONLY);
  EXPECT_FALSE(detect_terminal(file).live);
  ::close(file);
  ::close(terminal);
  ::close(other);
  put("TERM", term);
  put("NO_COLOR", no_colour);
}

}  // namespace
}  // namespace cuco
