// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/evolve/impl/diff_text_counts.hpp"

#include <string>

#include <gtest/gtest.h>

#include "cuco/core/rng.hpp"

namespace cuco {
namespace {

TEST(DiffTextCounts, AreThoseOfTheTexts) {
  Rng rng(3);
  std::string const lines[] = {"a\n", "b\n", "-c\n", "+d\n", "--- e\n", "@@ f\n", "\\ g\n", "\n", "+++ h\n"};
  for (int round = 0; round < 3000; ++round) {
    std::string from, to;
    for (std::size_t k = rng.below(25); k > 0; --k) {
      auto const& line = lines[rng.below(std::size(lines))];
      if (!rng.chance(0.2)) from += line;
      if (!rng.chance(0.2)) to += line;
      if (rng.chance(0.1)) to += lines[rng.below(std::size(lines))];
    }
    if (rng.chance(0.2)) from += "no newline";
    if (rng.chance(0.2)) to += "no newline";
    auto const diff = unified_diff(from, to, "x", "y");
    ASSERT_EQ(impl::diff_text_counts(diff), diff_counts(from, to)) << diff;
  }
  EXPECT_EQ(impl::diff_text_counts(""), DiffCounts{});
}

}  // namespace
}  // namespace cuco
