// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// The pictures of `analyze`: where they go and what may be combined.
#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

bool has(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

TEST(Analyze, PictureComesBeforeTheReportAndAloneWhenAsked) {
  auto const both = cuco({"analyze", seed("alltoall")});
  ASSERT_EQ(both.exit_code, kOk) << both.err;
  EXPECT_LT(both.out.find("[1] AlltoAll"), both.out.find("Communication graph"));
  EXPECT_TRUE(has(both.out, "Communication graph"));
  EXPECT_FALSE(has(both.out, "\x1b")) << "colours in a pipe";
  auto const alone = cuco({"analyze", seed("alltoall"), "--graph", "text"});
  EXPECT_EQ(both.out.rfind(alone.out, 0), 0U) << "the same picture";
  EXPECT_FALSE(has(alone.out, "Communication graph"));
}

TEST(Analyze, GraphvizAndPage) {
  auto const dot = cuco({"analyze", seed("alltoall"), "--graph", "dot"});
  EXPECT_EQ(dot.out.rfind("digraph communication {", 0), 0U);
  TemporaryFolder folder;
  auto const html = cuco({"analyze", seed("alltoall"), "--graph", "html", "--out", folder / "graph.html"});
  EXPECT_EQ(html.exit_code, kOk) << html.err;
  EXPECT_EQ(html.out, "");
  EXPECT_EQ(read_text(folder / "graph.html").rfind("<!DOCTYPE html>", 0), 0U);
}

TEST(Analyze, WhatDoesNotGoTogetherIsRefused) {
  for (Args const& wrong :
       {Args{"--graph", "png"}, Args{"--graph", "dot", "--json"}, Args{"--graph", "dot", "--prompt"}})
    EXPECT_EQ(cuco(Args{"analyze", seed("alltoall")} + wrong).exit_code, kUsage) << wrong.back();
  TemporaryFolder folder;
  expect_fails(kIo, {"analyze", seed("alltoall"), "--out", folder / "none/graph.txt"}, {"none/graph.txt"});
}

}  // namespace
}  // namespace cuco::tool_test
