// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/report/run_report.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/store/memory_storage.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"

namespace cuco {
namespace {

using testing::point;
using testing::PointEvaluator;
using testing::StepMutator;

Program row(std::string id, std::string parent, int generation, double ms, std::string origin = "modelled") {
  Program p;
  p.id = ProgramId{std::move(id)};
  p.parent_id = ProgramId{std::move(parent)};
  p.generation = generation;
  p.correct = ms > 0;
  p.combined_score = ms > 0 ? combined_score(ms) : 0;
  if (ms > 0) p.public_metrics = {{"time_ms", ms}};
  p.metadata = {{"origin", ms > 0 ? std::move(origin) : "none"},
                {"trust", "emulated"},
                {"outcome", ms > 0 ? "correct" : "compile_failed"},
                {"patch_name", "step_" + p.id.value},
                {"patch_description", "what it\nchanges"},
                {"directives", generation > 0 ? "chunk=" + std::to_string(generation) : ""}};
  return p;
}

Program copy(Program const& original, int island) {
  return copy_to_island(original, island);
}

std::vector<Program> family() {
  auto seed = row("a", "", 0, 8);
  auto middle = row("b", "a", 2, 4);
  auto middle_copy = copy(middle, 1);
  auto best = row("c", middle_copy.id.value, 5, 1);
  auto failed = row("d", "c", 6, 0);
  auto twin = row("e", "b", 7, 1);
  set_attribute(twin.metadata, "duplicate_of", "c");
  return {seed, copy(seed, 1), middle, middle_copy, best, failed, twin};
}

TEST(RunReport, LineageGoesFromTheSeedToTheBestThroughOriginals) {
  auto const report =
      make_report(family(), {.last_generation = 7, .skipped = 1, .options = R"({"generations": 20})"});
  ASSERT_EQ(report.lineage.size(), 3U);
  EXPECT_EQ(report.lineage[0].id.value, "a");
  EXPECT_EQ(report.lineage[1].id.value, "b") << "not its copy on island 1";
  EXPECT_EQ(report.lineage[2].id.value, "c");
  EXPECT_DOUBLE_EQ(report.lineage[1].gain, 2);
  EXPECT_DOUBLE_EQ(report.lineage[2].gain, 4);
  EXPECT_DOUBLE_EQ(report.gain_over_seed, 8);
  EXPECT_EQ(report.generations_done, 8);
  EXPECT_EQ(report.generations, 20);
  EXPECT_EQ(report.programs, 5);
  EXPECT_EQ(report.copies, 2);
  EXPECT_EQ(report.correct, 4);
  EXPECT_EQ(report.duplicates, 1);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0], (std::pair<std::string, int>{"compile_failed", 1}));
  ASSERT_EQ(report.top.size(), 3U) << "neither copies, nor duplicates, nor failures";
  EXPECT_EQ(report.top[0].id.value, "c");
}

TEST(RunReport, HostTimeIsComparedOnlyWithTimesOfItsOrigin) {
  auto const modelled = make_report(family(), {}, {.host_ms = 3, .host_origin = "modelled"});
  EXPECT_DOUBLE_EQ(modelled.gain_over_host, 3);
  EXPECT_NE(to_text(modelled).find("host-driven program 3 ms modelled: 3.00x as fast"), std::string::npos)
      << to_text(modelled);
  auto const measured = make_report(family(), {}, {.host_ms = 3, .host_origin = "measured"});
  EXPECT_EQ(measured.gain_over_host, 0);
  EXPECT_NE(to_text(measured).find("not comparable"), std::string::npos) << to_text(measured);
  auto const recorded = make_report(family(), {.host_ms = "2.5", .host_origin = "modelled"});
  EXPECT_DOUBLE_EQ(recorded.gain_over_host, 2.5);
}

TEST(RunReport, EveryTimeNamesItsOrigin) {
  auto const text = to_text(make_report(family(), {}, {.host_ms = 3, .host_origin = "modelled"}));
  std::size_t times = 0;
  for (auto at = text.find(" ms"); at != std::string::npos; at = text.find(" ms", at + 1)) {
    ++times;
    EXPECT_EQ(text.compare(at, 12, " ms modelled"), 0) << text.substr(at, 30);
  }
  EXPECT_GE(times, 9U);
}

TEST(RunReport, DescriptionsStayOnOneLine) {
  EXPECT_NE(to_text(make_report(family(), {})).find("what it changes"), std::string::npos);
}

TEST(RunReport, NothingCorrectAndNothingAtAll) {
  auto const failed = make_report({row("a", "", 0, 0)}, {});
  EXPECT_NE(to_text(failed).find("no correct program"), std::string::npos);
  EXPECT_TRUE(nlohmann::json::parse(to_json(failed)).at("best").is_null());
  auto const empty = make_report(std::vector<Program>{}, {});
  EXPECT_EQ(empty.programs, 0);
  EXPECT_TRUE(nlohmann::json::accept(to_json(empty)));
}

TEST(RunReport, ALoopInTheParentsEnds) {
  auto a = row("a", "b", 0, 2);
  auto b = row("b", "a", 1, 1);
  EXPECT_EQ(make_report({a, b}, {}).lineage.size(), 2U);
}

TEST(RunReport, JsonHasTheWholeReport) {
  auto const json =
      nlohmann::json::parse(to_json(make_report(family(), {}, {.top = 2, .directory = "runs/x"})));
  EXPECT_EQ(json.at("directory"), "runs/x");
  EXPECT_EQ(json.at("top").size(), 2U);
  EXPECT_EQ(json.at("lineage").size(), 3U);
  EXPECT_EQ(json.at("lineage")[2].at("directives"), "chunk=5");
  EXPECT_EQ(json.at("best").at("origin"), "modelled");
  EXPECT_EQ(json.at("gain_over_seed"), 8);
  EXPECT_TRUE(json.at("gain_over_host").is_null());
  EXPECT_EQ(json.at("failures").at("compile_failed"), 1);
}

std::map<std::string, std::string> files_of(std::string const& directory) {
  std::map<std::string, std::string> out;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    out[entry.path().string()] = read_file(entry.path().string()).value();
  }
  return out;
}

TEST(RunReport, LoadsARunWithoutChangingItsFiles) {
  testing::Scratch scratch;
  auto const directory = scratch / "run";
  {
    EvolutionOptions options{.generations = 40, .islands = 2, .seed = 7};
    options.directory = directory;
    Evolution evolution{
        SqliteStorage{directory}, PowerLawSelector{}, StepMutator{}, PointEvaluator{}, options};
    ASSERT_TRUE(evolution.run(point(5, 5)));
    // While the run has the database open, too.
    auto const live = load_report(directory);
    ASSERT_TRUE(live) << to_line(live.error());
    EXPECT_EQ(live->programs, 40);
  }
  auto const before = files_of(directory);
  auto const report = load_report(directory);
  ASSERT_TRUE(report) << to_line(report.error());
  EXPECT_EQ(report->generations_done, 40);
  EXPECT_EQ(report->generations, 40);
  EXPECT_EQ(report->directory, directory);
  EXPECT_GT(report->gain_over_seed, 1);
  EXPECT_EQ(report->lineage.front().generation, 0);
  EXPECT_EQ(report->lineage.back().id, report->best.id);
  EXPECT_FALSE(to_text(*report).empty());
  auto after = files_of(directory);
  for (auto const& [name, bytes] : before) EXPECT_EQ(after[name], bytes) << name;
}

TEST(RunReport, AFolderWithoutARunIsNotFound) {
  testing::Scratch scratch;
  auto const report = load_report(scratch / "nothing");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(scratch / "nothing"));
}

}  // namespace
}  // namespace cuco
