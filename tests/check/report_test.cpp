// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Rules, reports and overrides: what needs no run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "cuco/check/checker.hpp"
#include "cuco/check/impl/deadlock_rule.hpp"
#include "cuco/check/impl/overrides.hpp"
#include "cuco/check/soundness_report.hpp"
#include "cuco/check/soundness_rule.hpp"

namespace cuco::checking {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SoundnessRules, AreCompleteAndDocumented) {
  std::ifstream in(std::string(CUCO_SOURCE_DIR) + "/docs/check.md");
  std::stringstream page;
  page << in.rdbuf();
  std::set<std::string_view> ids;
  for (SoundnessRule const& rule : soundness_rules()) {
    EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
    EXPECT_FALSE(rule.title.empty() || rule.reason.empty() || rule.remedy.empty()) << rule.id;
    EXPECT_EQ(find_soundness_rule(rule.id), &rule);
    EXPECT_THAT(page.str(), HasSubstr("`" + std::string(rule.id) + "`")) << "docs/check.md lacks it";
  }
  EXPECT_EQ(find_soundness_rule("no-such-rule"), nullptr);
}

TEST(SoundnessRules, MessagesOfTheEmulatorHaveOne) {
  EXPECT_EQ(rule_of_message("illegal use: LSA barrier index 0 is used by two live sessions of this rank"),
            "barrier-shared-index");
  EXPECT_EQ(rule_of_message("illegal use: LSA barrier index 4, but 2 barriers were requested"),
            "barrier-index-range");
  EXPECT_EQ(rule_of_message("illegal use: a GIN put: signal 3, but 2 were requested (ginSignalCount)"),
            "signal-id-range");
  EXPECT_EQ(rule_of_message(
                "out-of-bounds access: write of 4 bytes at byte 9 of window memory of rank 1 of 8 bytes"),
            "window-bounds");
  EXPECT_EQ(
      rule_of_message("out-of-bounds access: read of 4 bytes at byte 9 of cudaMalloc memory of 8 bytes"),
      "out-of-bounds");
  EXPECT_EQ(rule_of_message("illegal use: something new"), "illegal-use");
  for (char const* text : {"divergent barrier: this thread", "is at another call"})
    EXPECT_NE(find_soundness_rule(rule_of_message(text)), nullptr);
}

SoundnessReport example() {
  SoundnessReport r;
  r.verdict = Soundness::kUnsound;
  r.file = "ring.cu";
  Defect d;
  d.rule = "unawaited-data";
  d.message = "a read with \"quotes\" and bytes \xff";
  d.places = {{"ring.cu", 12, "read by rank 1", "x = in[0];"}, {"", 0, "delivery", ""}};
  d.ranks = {0, 1};
  d.schedule = "4:adversarial:7";
  r.defects = {d};
  r.runs = {{"2:eager:1", 0.5, 100, 0, ""}, {"4:adversarial:7", 0.7, 200, 1, ""}};
  r.overrides = {"N: 4096 -> 64 (ring.cu:3)"};
  return r;
}

TEST(SoundnessReport, TextNamesRuleLineRanksAndSchedule) {
  std::string const text = to_text(example());
  for (char const* part : {"ring.cu:12: unawaited-data: ",
                           "x = in[0];",
                           "ranks: 0, 1",
                           "--schedule 4:adversarial:7",
                           "override: N: 4096 -> 64",
                           "unsound: ring.cu has 1 defect",
                           "(unknown line): delivery"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(to_text(example(), true), HasSubstr("\x1b[1;31m"));
}

TEST(SoundnessReport, JsonAndSarifParse) {
  auto const json = nlohmann::json::parse(to_json(example()));
  EXPECT_EQ(json["verdict"], "unsound");
  EXPECT_EQ(json["defects"][0]["rule"], "unawaited-data");
  EXPECT_EQ(json["defects"][0]["places"][0]["line"], 12);
  EXPECT_EQ(json["runs"].size(), 2U);
  auto const sarif = nlohmann::json::parse(to_sarif(example()));
  EXPECT_EQ(sarif["version"], "2.1.0");
  auto const& run = sarif["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), soundness_rules().size());
  EXPECT_EQ(run["results"][0]["ruleId"], "unawaited-data");
  EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 12);
  EXPECT_EQ(run["results"][0]["relatedLocations"].size(), 1U);
}

TEST(SoundnessReport, UnknownSaysWhy) {
  SoundnessReport r;
  r.file = "x.cu";
  r.stopped = "not emulated: textures";
  EXPECT_EQ(to_text(r), "cannot tell: x.cu: not emulated: textures\n");
}

SourceProgram program(std::string code) {
  return make_program(std::move(code), "dims.cu").value();
}

TEST(Overrides, DefinesAndConstants) {
  auto const p = program(
      "#define N 4096  // elements\n#define M(x) x\n  #  define\tDEEP   (1 << 20) /* bytes */\n"
      "constexpr int blocks = 32, threads = 256;\nstatic const size_t bytes{N * sizeof(int)};\nint free_one "
      "= 3;\n"
      "// #define N 7\nint main() { return N; }\n");
  auto const out = apply_overrides(p, {{"N", "64"}, {"DEEP", "16"}, {"threads", "32"}, {"bytes", "128"}});
  ASSERT_TRUE(out) << to_line(out.error());
  EXPECT_EQ(out->code,
            "#define N 64  // elements\n#define M(x) x\n  #  define\tDEEP   16 /* bytes */\n"
            "constexpr int blocks = 32, threads = 32;\nstatic const size_t bytes{128};\nint free_one = 3;\n"
            "// #define N 7\nint main() { return N; }\n");
  EXPECT_THAT(out->notes, Contains("N: 4096 -> 64 (dims.cu:1)"));
  EXPECT_THAT(out->notes, Contains("threads: 256 -> 32 (dims.cu:4)"));
}

TEST(Overrides, WhatIsNoDimensionIsNamed) {
  auto const p = program("#define M(x) x\nint free_one = 3;\nint main() {}\n");
  for (char const* name : {"M", "free_one", "absent"}) {
    auto const out = apply_overrides(p, {{name, "1"}});
    ASSERT_FALSE(out) << name;
    EXPECT_EQ(out.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(out.error().cause, HasSubstr(name));
  }
  for (auto const& bad :
       {Override{"", "1"}, Override{"N", ""}, Override{"N", "1; evil"}, Override{"N", "1\n#include <x>"}})
    EXPECT_FALSE(apply_overrides(p, {bad}));
}

}  // namespace
}  // namespace cuco::checking
