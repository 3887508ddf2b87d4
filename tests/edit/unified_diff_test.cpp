// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/edit/unified_diff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/rng.hpp"

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    std::size_t const n = std::min(text.find('\n'), text.size() - 1) + 1;
    out.emplace_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

/// Applies a unified diff as patch(1) does without fuzz. Fails the test on any mismatch.
std::string patched(std::string const& from, std::string const& diff) {
  Lines const source = lines_of(from);
  Lines const patch = lines_of(diff);
  std::string out;
  std::size_t at = 0;
  std::size_t i = 2;
  while (i < patch.size()) {
    int a = 0, a_count = 1, b = 0, b_count = 1;
    std::string const head = patch[i++];
    std::size_t const plus = head.find('+');
    if (std::sscanf(head.c_str(), "@@ -%d,%d", &a, &a_count) < 1) ADD_FAILURE() << "bad hunk: " << head;
    std::sscanf(head.c_str() + plus, "+%d,%d", &b, &b_count);
    std::size_t const begin = static_cast<std::size_t>(a_count == 0 ? a : a - 1);
    EXPECT_GE(begin, at);
    for (; at < begin; ++at) out += source[at];
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), b_count == 0 ? b : b - 1) << head;
    while ((a_count > 0 || b_count > 0) && i < patch.size()) {
      std::string line = patch[i++];
      if (i < patch.size() && patch[i].front() == '\\') {
        line.pop_back();
        ++i;
      }
      char const mark = line.front();
      std::string const text = line.substr(1);
      if (mark != '+') {
        EXPECT_LT(at, source.size());
        if (at >= source.size()) return out;
        EXPECT_EQ(source[at++], text);
        --a_count;
      }
      if (mark != '-') {
        out += text;
        --b_count;
      }
    }
    EXPECT_EQ(a_count, 0);
    EXPECT_EQ(b_count, 0);
  }
  for (; at < source.size(); ++at) out += source[at];
  return out;
}

std::size_t changed_lines(std::string const& diff) {
  std::size_t n = 0;
  Lines const lines = lines_of(diff);
  for (std::size_t i = 2; i < lines.size(); ++i) n += lines[i][0] == '+' || lines[i][0] == '-' ? 1 : 0;
  return n;
}

/// Length of the longest common subsequence, by the textbook table.
std::size_t common(Lines const& a, Lines const& b) {
  std::vector<std::vector<std::size_t>> t(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j)
      t[i][j] = a[i - 1] == b[j - 1] ? t[i - 1][j - 1] + 1 : std::max(t[i - 1][j], t[i][j - 1]);
  return t[a.size()][b.size()];
}

TEST(UnifiedDiff, LooksLikeDiffU) {
  EXPECT_EQ(cuco::unified_diff("a\nb\nc\n", "a\nx\nc\n", "old.cu", "new.cu"),
            "--- old.cu\n+++ new.cu\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
  EXPECT_EQ(cuco::unified_diff("a\n", "a\n", "o", "n"), "");
  EXPECT_EQ(cuco::unified_diff("", "a\n", "o", "n"), "--- o\n+++ n\n@@ -0,0 +1 @@\n+a\n");
  EXPECT_EQ(cuco::unified_diff("a\nb\n", "", "o", "n"), "--- o\n+++ n\n@@ -1,2 +0,0 @@\n-a\n-b\n");
}

TEST(UnifiedDiff, SaysWhereTheLastNewlineIsMissing) {
  EXPECT_EQ(cuco::unified_diff("a\nb", "a\nb\n", "o", "n"),
            "--- o\n+++ n\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n");
  EXPECT_EQ(cuco::unified_diff("x\na", "y\na", "o", "n"),
            "--- o\n+++ n\n@@ -1,2 +1,2 @@\n-x\n+y\n a\n\\ No newline at end of file\n");
}

TEST(UnifiedDiff, ContextSplitsAndJoinsHunks) {
  std::string from, to;
  for (int i = 0; i < 20; ++i) {
    from += std::to_string(i) + "\n";
    to += (i == 3 || i == 10 ? "x" : "") + std::to_string(i) + "\n";
  }
  auto hunks = [&](int context) {
    std::string const diff = cuco::unified_diff(from, to, "o", "n", context);
    std::size_t n = 0;
    for (std::string const& line : lines_of(diff)) n += line.starts_with("@@") ? 1 : 0;
    EXPECT_EQ(patched(from, diff), to);
    return n;
  };
  EXPECT_EQ(hunks(3), 1U);  // Six lines between them: the contexts touch.
  EXPECT_EQ(hunks(2), 2U);
  EXPECT_EQ(hunks(0), 2U);
  EXPECT_EQ(hunks(-5), 2U);
  EXPECT_EQ(hunks(2147483647), 1U);
}

TEST(DiffCounts, PairDeletedWithAddedLines) {
  EXPECT_EQ(cuco::diff_counts("a\nb\nc\n", "a\nc\n"), (cuco::DiffCounts{0, 1, 0}));
  EXPECT_EQ(cuco::diff_counts("a\nc\n", "a\nb\nc\n"), (cuco::DiffCounts{1, 0, 0}));
  EXPECT_EQ(cuco::diff_counts("a\nb\nc\n", "a\nx\ny\nc\n"), (cuco::DiffCounts{1, 0, 1}));
  EXPECT_EQ(cuco::diff_counts("a\n", "a\n"), (cuco::DiffCounts{}));
}

TEST(UnifiedDiffProperty, ApplyingReproducesTheTargetAndNothingIsSuperfluous) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    cuco::Rng rng(seed);
    std::size_t const kinds = 1 + rng.below(8);
    auto random_text = [&](std::size_t most) {
      std::string out;
      for (std::size_t n = rng.below(most); n > 0; --n)
        out += std::string(1, static_cast<char>('a' + rng.below(kinds))) + (rng.chance(0.2) ? "\r\n" : "\n");
      if (!out.empty() && rng.chance(0.3)) out.pop_back();
      return out;
    };
    std::string const from = random_text(40);
    std::string to = random_text(40);
    if (rng.chance(0.5)) {
      Lines lines = lines_of(from);
      for (std::size_t edits = rng.below(5); edits > 0 && !lines.empty(); --edits) {
        std::size_t const at = rng.below(lines.size());
        if (rng.chance(0.5)) {
          lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
        } else {
          lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), "new\n");
        }
      }
      to.clear();
      for (auto const& line : lines) to += line;
    }
    for (int context : {0, 1, 3}) {
      std::string const diff = cuco::unified_diff(from, to, "o", "n", context);
      EXPECT_EQ(diff.empty(), from == to);
      if (diff.empty()) continue;
      EXPECT_EQ(patched(from, diff), to) << diff;
      Lines const a = lines_of(from), b = lines_of(to);
      EXPECT_EQ(changed_lines(diff), a.size() + b.size() - 2 * common(a, b)) << diff;
    }
    auto const counts = cuco::diff_counts(from, to);
    EXPECT_EQ(lines_of(to).size() + counts.deleted, lines_of(from).size() + counts.added);
  }
}

TEST(UnifiedDiff, LargeUnrelatedTextsTakeLittleTime) {
  std::string from, to;
  for (int i = 0; i < 20000; ++i) {
    from += "a" + std::to_string(i * 7919 % 20011) + "\n";
    to += "b" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(patched(from, cuco::unified_diff(from, to, "o", "n")), to);
  EXPECT_EQ(cuco::diff_counts(from, to), (cuco::DiffCounts{0, 0, 20000}));
}

}  // namespace
