// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Every seed, to both interfaces, on eight ranks.
#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

struct Case {
  char const* seed;
  char const* api;
  char const* args;
  char const* collective;
};

class TransformCommand : public testing::TestWithParam<Case> {};

TEST_P(TransformCommand, GivesAVerifiedProgram) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto const& p = GetParam();
  TemporaryFolder folder;
  auto const before = read_text(seed(p.seed));
  auto const json = cuco_json({"transform",
                               seed(p.seed),
                               "--api",
                               p.api,
                               "--ranks",
                               "8",
                               "--devices",
                               "emulated",
                               "--args",
                               p.args,
                               "--schedules",
                               "1",
                               "--out",
                               folder / "out"});
  ASSERT_TRUE(json.value("verified", false)) << json;
  EXPECT_EQ(json.at("api"), p.api);
  EXPECT_EQ(json.at("ranks"), 8);
  EXPECT_EQ(json.at("origin"), "modelled");
  double const host = json.at("host_ms");
  double const device = json.at("device_ms");
  EXPECT_GT(host, 0);
  EXPECT_GT(device, 0);
  EXPECT_NEAR(json.at("gain").get<double>(), host / device, 1e-9);
  std::string names;
  for (auto const& step : json.at("steps")) names += step.at("name").get<std::string>() + " ";
  EXPECT_EQ(names, "analyze host_to_device evolve_markers warmup ");
  EXPECT_THAT(json.at("nvcc").get<std::string>(),
              testing::AnyOf("compiles", testing::StartsWith("SKIPPED: ")));

  auto const path = json.at("program").get<std::string>();
  EXPECT_EQ(path, folder / ("out/" + std::string(p.seed) + "_device.cu"));
  auto const code = read_text(path);
  EXPECT_THAT(code, testing::HasSubstr("// EVOLVE-BLOCK-START"));
  EXPECT_THAT(code, testing::HasSubstr("// EVOLVE-BLOCK-END"));
  EXPECT_THAT(code, testing::HasSubstr(std::string("cuco: section begin api=") + p.api));
  auto const report = cuco_json({"analyze", path});
  EXPECT_TRUE(report.at("graph").empty()) << "host collectives are left: " << report.at("graph");
  EXPECT_EQ(read_text(seed(p.seed)), before) << "the input was changed";
}

INSTANTIATE_TEST_SUITE_P(Seeds,
                         TransformCommand,
                         testing::Values(Case{"allreduce", "lsa", "16384 1", "AllReduce"},
                                         Case{"allreduce", "gin", "16384 1", "AllReduce"},
                                         Case{"alltoall", "lsa", "16384 1", "AlltoAll"},
                                         Case{"alltoall", "gin", "16384 1", "AlltoAll"},
                                         Case{"allgather_gemm", "lsa", "16 16 16 1", "AllGather"},
                                         Case{"allgather_gemm", "gin", "16 16 16 1", "AllGather"}),
                         [](auto const& info) {
                           return std::string(info.param.seed) + "_" + info.param.api;
                         });

TEST(AnalyzeCommand, SaysWhatTheSeedsDo) {
  for (auto const& [name, collective] : {std::pair{"allreduce", "AllReduce"},
                                         std::pair{"alltoall", "AlltoAll"},
                                         std::pair{"allgather_gemm", "AllGather"}}) {
    SCOPED_TRACE(name);
    auto const json = cuco_json({"analyze", seed(name)});
    EXPECT_EQ(json.at("file"), seed(name));
    ASSERT_FALSE(json.at("graph").empty());
    EXPECT_THAT(json.at("graph").dump(), testing::HasSubstr(collective));
    EXPECT_FALSE(json.at("allocations").empty());
    auto const text = cuco({"analyze", seed(name)});
    EXPECT_EQ(text.exit_code, kOk);
    EXPECT_THAT(text.out, testing::HasSubstr(collective));
    EXPECT_EQ(text.err, "");
    auto const prompt = cuco({"analyze", seed(name), "--prompt"});
    EXPECT_EQ(prompt.exit_code, kOk);
    EXPECT_THAT(prompt.out, testing::HasSubstr(collective));
  }
}

TEST(DoctorCommand, JsonAgreesWithText) {
  auto const text = cuco({"doctor"});
  auto const json = cuco_json({"doctor"}, text.exit_code);
  EXPECT_EQ(json.at("emulated"), text.exit_code == kOk);
  for (auto const& check : json.at("checks"))
    EXPECT_THAT(text.out, testing::HasSubstr(check.at("what").get<std::string>()));
}

}  // namespace
}  // namespace cuco::tool_test
