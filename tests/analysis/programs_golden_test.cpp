// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/flatten.hpp"
#include "support.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> programs() {
  std::vector<fs::path> out;
  for (auto const& entry : fs::directory_iterator(fs::path(CUCO_SOURCE_DIR) / "tests/programs"))
    if (entry.path().extension() == ".cu") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

/// What the analysis says of every program of the corpus. CUCO_UPDATE_GOLDEN=1 writes the texts anew; read
/// what changed against the program before keeping it.
TEST(Golden, Programs) {
  fs::path const folder = fs::path(CUCO_SOURCE_DIR) / "tests/analysis/golden/programs";
  bool const update = std::getenv("CUCO_UPDATE_GOLDEN") != nullptr;
  if (update) fs::create_directories(folder);
  for (fs::path const& path : programs()) {
    auto const flat = cuco::flatten_includes(path.string());
    ASSERT_TRUE(flat) << to_line(flat.error());
    auto const report = cuco::Analyzer{}.analyze(*flat, path.filename().string());
    ASSERT_TRUE(report) << to_line(report.error());
    fs::path const golden = folder / path.filename().replace_extension(".txt");
    if (update) {
      std::ofstream(golden, std::ios::binary) << to_text(*report);
      continue;
    }
    EXPECT_EQ(cuco::testing::read_file(golden.string()), to_text(*report))
        << golden << " differs; CUCO_UPDATE_GOLDEN=1 writes it anew";
  }
}

/// The least that must be known of a real program: what communicates, through what, and where it is
/// allocated.
TEST(Golden, ProgramsHaveACompleteGraph) {
  for (fs::path const& path : programs()) {
    auto const flat = cuco::flatten_includes(path.string());
    ASSERT_TRUE(flat) << to_line(flat.error());
    auto const r = cuco::Analyzer{}.analyze(*flat, path.filename().string());
    ASSERT_TRUE(r) << to_line(r.error());
    EXPECT_FALSE(r->graph.empty()) << path;
    for (auto const& n : r->graph) {
      EXPECT_FALSE(n.count.empty() || n.datatype.empty() || n.comm.empty() || n.stream.empty()) << path;
      EXPECT_FALSE(n.communicators.empty()) << path;
      EXPECT_EQ(n.confidence < 1, !n.guesses.empty()) << path;
    }
    for (auto const& g : r->groups) EXPECT_NE(g.end, cuco::kNone) << path;
  }
}

}  // namespace
