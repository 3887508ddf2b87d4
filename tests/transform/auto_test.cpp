// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Programs that choose their interface for each communicator: what is generated, and that it is right where
/// all ranks load and store, where none do, and where some communicators do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/transform/generated_section.hpp"
#include "cuco/transform/markers.hpp"
#include "transform/collective_points.hpp"
#include "transform/exchange_program.hpp"
#include "transform/rewriting.hpp"
#include "transform/styles.hpp"
#include "transform/teams_program.hpp"

namespace cuco::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string device() {
  static std::string const code = to_device(Api::Auto, teams_program()).value();
  return code;
}

/// With few threads and CTAs: the emulator is quicker, and rings wrap around.
std::string small(std::string const& code) {
  auto all = read_annotations(code).value();
  for (auto& c : all) {
    auto d = c.directives;
    d.ctas = 2;
    d.threads = 128;
    if (c.site.collective == Collective::kSendRecv) d.chunk_bytes = 16384;
    EXPECT_FALSE(legal(d, c.site)) << c.name;
    c.directives = d;
  }
  return regenerate(code, all).value();
}

TEST(Auto, HasAName) {
  for (auto api : {Api::LSA, Api::GIN, Api::Auto}) EXPECT_EQ(api_named(to_string(api)), api);
  EXPECT_STREQ(to_string(Api::Auto), "auto");
  EXPECT_FALSE(api_named("automatic"));
}

TEST(Auto, EveryCollectiveHasTwoLaunchersAndAChoice) {
  auto const code = device();
  EXPECT_EQ(generated_api(code), Api::Auto);
  auto const all = read_annotations(code).value();
  std::vector<std::string> names;
  for (auto const& c : all) {
    names.push_back(c.name);
    bool const lsa = c.name.substr(c.name.size() - 4) == "_lsa";
    EXPECT_EQ(c.site.api, lsa ? Api::LSA : Api::GIN) << c.name;
    EXPECT_EQ(c.site.lsa_team_is_world, lsa) << c.name;
    EXPECT_EQ(c.directives.backend, lsa ? Backend::kLsa : Backend::kGin) << c.name;
    EXPECT_FALSE(legal(c.directives, c.site)) << c.name;
  }
  EXPECT_THAT(names,
              ::testing::ElementsAre("all_reduce_sum_float_lsa",
                                     "all_reduce_sum_float_gin",
                                     "all_gather_int32_lsa",
                                     "all_gather_int32_gin",
                                     "send_recv_lsa",
                                     "send_recv_gin"));
  for (std::string const name : {"all_reduce_sum_float", "all_gather_int32"})
    for (std::string const end : {"", "_lsa", "_gin"})
      EXPECT_EQ(occurrences(code, "inline ncclResult_t " + name + end + "("), 1) << name << end;
  EXPECT_THAT(code, HasSubstr("NCCL_CHECK(device_nccl::all_gather_int32(mine, node_all, n, node, stream))"));
  EXPECT_THAT(code,
              HasSubstr("  if (loads_and_stores(communicator_of(comm)))\n"
                        "    return all_gather_int32_lsa(send, recv, count, comm, stream);\n"
                        "  return all_gather_int32_gin(send, recv, count, comm, stream);\n"));
  for (char const* once : {"inline ncclResult_t send(",
                           "void open_pipes(ncclComm_t comm, const ncclDevComm& device) {",
                           "struct Lane {",
                           "inline size_t element_bytes("})
    EXPECT_EQ(occurrences(code, once), 1) << once;
  EXPECT_EQ(code.find('@'), std::string::npos);
}

TEST(Auto, LinesAreShort) {
  std::istringstream text(device());
  for (std::string line; std::getline(text, line);)
    if (line.find("// cuco: ") == std::string::npos && teams_program().find(line) == std::string::npos) {
      EXPECT_LE(line.size(), 120U) << line;
    }
}

TEST(Auto, PutsAreAskedForOnlyWhereTheyAreNeeded) {
  auto const code = device();
  std::size_t const choice = code.find("if (ncclTeamLsa(comm).nRanks == ranks) {");
  ASSERT_NE(choice, std::string::npos);
  EXPECT_LT(choice, code.find("needs.ginForceEnable = true;"));
  EXPECT_LT(choice, code.find("needs.ginSignalCount"));
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const one = to_device(api, teams_program()).value();
    EXPECT_THAT(one, Not(HasSubstr("ncclTeamLsa(comm)"))) << to_string(api);
    EXPECT_THAT(one, Not(HasSubstr("loads_and_stores"))) << to_string(api);
  }
}

TEST(Auto, TheTwoOfAPairVaryApart) {
  auto const code = device();
  auto const original = read_annotations(code).value();
  EXPECT_EQ(regenerate(code, original).value(), code);
  for (std::size_t i = 0; i < original.size(); ++i) {
    auto const near = neighbours(original[i].directives, original[i].site);
    ASSERT_FALSE(near.empty());
    auto changed = original;
    changed[i].directives = near.back();
    auto const other = regenerate(code, original[i].name, near.back());
    ASSERT_TRUE(other) << to_line(other.error());
    EXPECT_EQ(read_annotations(*other).value(), changed);
    EXPECT_EQ(regenerate(*other, original).value(), code) << "there and back";
  }
  auto d = original[1].directives;
  EXPECT_EQ(regenerate(code, "all_reduce_sum_float_lsa", d).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(regenerate(code, "all_reduce_sum_float", d).error().code, ErrorCode::kNotFound);
}

TEST(Auto, EverySupportedStyle) {
  for (auto const& style : accepted_styles()) {
    auto const code = to_device(Api::Auto, style.code);
    ASSERT_TRUE(code) << style.name << ": " << to_line(code.error());
    auto const report = Analyzer{}.analyze(*code);
    ASSERT_TRUE(report) << style.name << ": " << to_line(report.error());
    EXPECT_FALSE(report->has_host_communication()) << style.name;
    auto const marked = insert_evolve_markers(*code, *report);
    ASSERT_TRUE(marked) << style.name << ": " << to_line(marked.error());
    EXPECT_EQ(regenerate(*marked, read_annotations(*marked).value()).value(), *marked) << style.name;
  }
}

class AutoOn : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
    directory_ = std::filesystem::path(CUCO_BINARY_DIR) / "transform_auto" /
                 ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void expect_verified(std::string const& code,
                       int ranks,
                       std::string const& machine,
                       std::vector<std::string> args = {}) {
    VerifyOptions options;
    options.ranks = ranks;
    options.schedules = 2;
    options.args = std::move(args);
    EmulatedOptions emulated;
    emulated.machine = machine;
    auto const outcome =
        ProgramVerifier(Devices::emulated(emulated), options).verify(code, directory_.string(), "auto");
    ASSERT_TRUE(outcome) << to_line(outcome.error());
    EXPECT_TRUE(outcome->verified) << machine << ", " << ranks << " ranks: " << outcome->message << "\n"
                                   << outcome->diagnostics;
  }

  /// Ranks of two nodes run it, and not rightly.
  void expect_refuted(std::string const& code, std::vector<std::string> args = {}) {
    VerifyOptions options;
    options.ranks = 8;
    options.schedules = 2;
    options.args = std::move(args);
    EmulatedOptions emulated;
    emulated.machine = "h200-2x4";
    auto const outcome =
        ProgramVerifier(Devices::emulated(emulated), options).verify(code, directory_.string(), "wrong");
    ASSERT_TRUE(outcome) << to_line(outcome.error());
    EXPECT_TRUE(outcome->built) << outcome->diagnostics;
    EXPECT_FALSE(outcome->verified);
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(AutoOn, TwoNodesOfFour) {
  auto const code = small(device());
  for (int ranks : {8, 6}) expect_verified(code, ranks, "h200-2x4");
}

TEST_F(AutoOn, OneTeam) {
  expect_verified(small(device()), 4, "h200-nvlink");
}

TEST_F(AutoOn, InfrastructureAlone) {
  auto const a = rewrite(Api::Auto, teams_program(), TransformStage::kInfrastructure);
  ASSERT_TRUE(a) << to_line(a.error());
  expect_verified(a->code, 5, "h200-2x4");
}

TEST_F(AutoOn, EveryPatternOfSendsAndReceives) {
  Site lsa, gin;
  lsa.collective = gin.collective = Collective::kSendRecv;
  gin.api = Api::GIN;
  auto near = conservative(lsa), far = conservative(gin);
  for (auto* d : {&near, &far}) d->ctas = 2, d->threads = 128, d->chunk_bytes = 4096;
  near.threads = 256;  // what differs between the two must not be mixed up
  far.ctas = 4;
  auto const code =
      device_exchange_program(Api::Auto, {{"send_recv_lsa", lsa, near}, {"send_recv_gin", gin, far}});
  expect_verified(code, 8, "h200-2x4", {"2"});
  expect_verified(code, 3, "h200-nvlink", {"2"});
}

/// Moves that put between teams and store inside them, at many points of the design space.
std::vector<TriedLauncher> team_points() {
  PointWords const words{
      {"collective=all_gather type=float", "algorithm=push ctas=2"},
      {"collective=all_gather type=int8+float runtime_type=yes", "algorithm=push sync=per_peer ctas=2"},
      {"collective=all_gather type=half recv_staged=yes send_staged=yes",
       "algorithm=push issuer=thread ctas=2"},
      {"collective=all_gather type=int8", "algorithm=push issuer=warp ctas=4 contexts=2 chunk_bytes=65536"},
      {"collective=all_to_all type=float", "algorithm=push ctas=2"},
      {"collective=all_to_all type=uint8+double runtime_type=yes send_staged=yes",
       "algorithm=push ctas=2 placement=stream"},
      {"collective=all_to_all type=int8", "algorithm=push sync=per_peer issuer=thread ctas=2"},
      {"collective=broadcast type=float", "algorithm=push ctas=2"},
      {"collective=broadcast type=int8", "algorithm=push issuer=warp ctas=2 contexts=2"},
      {"collective=broadcast type=double+int8 runtime_type=yes send_staged=yes recv_staged=yes",
       "algorithm=push issuer=thread ctas=2"},
      {"collective=broadcast type=half", "algorithm=two_shot ctas=2"},
  };
  std::vector<TriedLauncher> out;
  for (auto const& [site_words, point] : words) {
    Site site = parse_site(site_words).value();
    site.api = Api::GIN;
    site.lsa_team_is_world = false;
    out.push_back(
        tried(site, std::string("backend=gin threads=128 ") + point, "_" + std::to_string(out.size())));
  }
  return out;
}

TEST_F(AutoOn, MovesBetweenTeamsAndInsideThem) {
  auto const all = team_points();
  auto const code = collective_program(Api::GIN, all, section_of(Api::GIN, all));
  EXPECT_EQ(occurrences(code, "barrier.lsaBarrier().sync("), 10);
  for (int ranks : {8, 5}) expect_verified(code, ranks, "h200-2x4");
  expect_verified(code, 3, "h200-ib400");
}

/// Where some ranks put, kernels that load and store must not run: nothing reaches the other node.
TEST_F(AutoOn, TheWrongChoiceIsNoticed) {
  auto code = small(device());
  substitute(code, "return device.lsaSize == device.nRanks;", "return device.nRanks > 0;");
  expect_refuted(code);
}

TEST_F(AutoOn, TeamsThatDoNotMeetAreNoticed) {
  for (auto const& [meeting, none] :
       {std::pair{"barrier.lsaBarrier().sync(ncclCoopCta(), cuda::memory_order_release);", ";"},
        std::pair{"before + ranks - device.lsaSize);", "before);"}}) {
    auto const all = team_points();
    auto code = collective_program(Api::GIN, all, section_of(Api::GIN, all));
    ASSERT_NE(code.find(meeting), std::string::npos);
    substitute(code, meeting, none);
    expect_refuted(code, {"", "1"});
  }
}
}  // namespace
}  // namespace cuco::testing
