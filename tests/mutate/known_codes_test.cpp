// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/mutate/impl/known_codes.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cuco::impl {
namespace {

TEST(KnownCodes, CommentsAndLayoutDoNotMakeAnotherProgram) {
  KnownCodes known;
  std::vector<std::string> const codes{"int a = 1;\n", "int b = 2; // two\n"};
  EXPECT_TRUE(known.holds("int  b=2;", "int p;", &codes));
  EXPECT_TRUE(known.holds("/* the parent */ int p ;", "int p;", &codes));
  EXPECT_FALSE(known.holds("int b = 3;", "int p;", &codes));
  EXPECT_TRUE(known.holds("int p;", "int p;", nullptr));
  EXPECT_FALSE(known.holds("int a = 1;", "int p;", nullptr));
}

TEST(KnownCodes, FollowsAGrowingListAndNoticesAnotherOne) {
  KnownCodes known;
  std::vector<std::string> codes;
  for (int i = 0; i < 100; ++i) {
    auto const code = "int v = " + std::to_string(i) + ";";
    EXPECT_FALSE(known.holds(code, "", &codes));
    codes.push_back(code);
    EXPECT_TRUE(known.holds(code, "", &codes));
  }
  // A shorter list, and one of the same length with other programs.
  std::vector<std::string> const few{"int v = 5;"};
  EXPECT_FALSE(known.holds("int v = 50;", "", &few));
  EXPECT_TRUE(known.holds("int v = 5;", "", &few));
  auto others = codes;
  for (auto& code : others) code += " int w;";
  EXPECT_TRUE(known.holds("int v = 50;", "", &codes));
  EXPECT_FALSE(known.holds("int v = 50;", "", &others));
  EXPECT_TRUE(known.holds("int v = 50; int w;", "", &others));
}

}  // namespace
}  // namespace cuco::impl
