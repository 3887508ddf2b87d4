// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "analyze.hpp"
#include "support.hpp"

namespace {

/// Reports of the seeds against tests/analysis/golden. CUCO_UPDATE_GOLDEN=1 writes them anew.
TEST(Golden, SeedReports) {
  namespace fs = std::filesystem;
  auto const seeds = cuco::testing::seed_files();
  ASSERT_FALSE(seeds.empty());
  for (auto const& path : seeds) {
    std::string const source = cuco::testing::read_file(path);
    auto const report = cuco::Analyzer{}.analyze(source, fs::path(path).filename().string());
    ASSERT_TRUE(report) << to_line(report.error());
    std::string const json = to_json(*report) + "\n";
    fs::path const golden = fs::path(CUCO_SOURCE_DIR) / "tests/analysis/golden" /
                            fs::path(path).filename().replace_extension(".json");
    if (std::getenv("CUCO_UPDATE_GOLDEN") != nullptr) {
      std::ofstream(golden, std::ios::binary) << json;
      continue;
    }
    EXPECT_EQ(cuco::testing::read_file(golden.string()), json)
        << golden << " differs; CUCO_UPDATE_GOLDEN=1 writes it anew";
  }
}

/// What the goldens must say whatever else changes: the shape of each seed's communication.
TEST(Golden, SeedGraphsAreCertain) {
  for (auto const& path : cuco::testing::seed_files()) {
    auto const r = cuco::testing::analyze(cuco::testing::read_file(path));
    EXPECT_TRUE(r.notes.empty()) << path;
    ASSERT_FALSE(r.graph.empty()) << path;
    for (auto const& n : r.graph) {
      EXPECT_EQ(n.confidence, 1.0) << path;
      EXPECT_TRUE(r.calls.at(static_cast<std::size_t>(n.call)).bare_statement) << path;
      EXPECT_NE(n.send.allocation, cuco::kNone) << path;
      EXPECT_NE(n.recv.allocation, cuco::kNone) << path;
      EXPECT_FALSE(n.send.producers.empty() && n.send.copies_in.empty()) << path;
      EXPECT_FALSE(n.recv.consumers.empty() && n.recv.copies_out.empty()) << path;
    }
  }
}

TEST(Output, JsonHoldsTheReport) {
  auto const r =
      cuco::testing::analyze("#include <nccl.h>\nvoid f() { ncclBcast(p, 4, ncclFloat, 0, comm, s); }\n");
  auto const j = nlohmann::json::parse(to_json(r));
  for (char const* key : {"file",
                          "lines",
                          "includes",
                          "macros",
                          "functions",
                          "loops",
                          "calls",
                          "collectives",
                          "setup",
                          "sync_points",
                          "mpi",
                          "allocations",
                          "launches",
                          "graph",
                          "notes"})
    EXPECT_TRUE(j.contains(key)) << key;
  EXPECT_EQ(j["graph"][0]["collective"], "Broadcast");
  EXPECT_EQ(j["graph"][0]["send"]["allocation"], -1);
  EXPECT_EQ(j["calls"][0]["args"][1], "4");
  EXPECT_FALSE(j["calls"][0].contains("span"));
}

TEST(Output, JsonIsValidForAnyBytes) {
  auto const r = cuco::testing::analyze(
      "#define \xff\xfe \"\xc3\x28\"\nvoid f\x80() { ncclBcast(\"\xff\", \xe2\x82, t, 0, c, s); }");
  EXPECT_TRUE(nlohmann::json::accept(to_json(r)));
}

TEST(Output, TextAndPromptNameWhatMatters) {
  auto const r = cuco::testing::analyze(R"(
__global__ void fill(float* p) { p[0] = 1; }
void run() { float* d; cudaMalloc(&d, 64); for (;;) { fill<<<1, 1>>>(d); ncclAllReduce(d, d, 16, ncclFloat, ncclSum, comm, s); } }
void g(float* q) { ncclBcast(q, 1, ncclInt, 0, comm, s); }
)");
  std::string const text = to_text(r);
  for (char const* part : {"t.cu: 4 lines, 2 collective calls, 1 kernel launch",
                           "[1] AllReduce at line 3, in run(), loop of line 3",
                           "count 16, type ncclFloat, op ncclSum, comm comm, stream s, in place",
                           "cudaMalloc at line 3, 64 bytes",
                           "written before by fill (line 3)",
                           "line 3: d = cudaMalloc(64)",
                           "ncclAllReduce [communicate]",
                           "fill [compute]",
                           "kernels: fill (2-2)",
                           "confidence 0.64:",
                           "g() is not called in this file"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  std::string const prompt = to_prompt(r);
  for (char const* part : {"# Communication analysis of t.cu (4 lines)",
                           "device side: each rank reduces its share",
                           "needs ncclMemAlloc and a window: d",
                           "## Execution order per function"})
    EXPECT_NE(prompt.find(part), std::string::npos) << part << "\n" << prompt;
  EXPECT_NE(to_text(cuco::testing::analyze("")).find("no host-driven collective"), std::string::npos);
}

}  // namespace
