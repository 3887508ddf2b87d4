// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// What the emulated CUDA and NCCL guarantee, and what they reject, seen from programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "emulated_program.hpp"

namespace {

using emulated::count;
using emulated::expect_ok;
using emulated::RunOptions;
using testing::HasSubstr;

struct SoundCase {
  char const* program;
  char const* name;
  int ranks;
  char const* machine = "h200-nvlink";
  char const* mode = "eager";
  std::uint64_t seed = 1;
  double skew_us = 0;
};
void PrintTo(SoundCase const& c, std::ostream* out) {
  *out << c.program << " " << c.name << " " << c.ranks << " " << c.machine << " " << c.mode << " " << c.seed;
}

class Sound : public testing::TestWithParam<SoundCase> {};

TEST_P(Sound, Program) {
  SoundCase const& c = GetParam();
  RunOptions options;
  options.ranks = c.ranks;
  options.machine = c.machine;
  options.gin_mode = c.mode;
  options.seed = c.seed;
  options.skew_us = c.skew_us;
  expect_ok(c.program, c.name, options);
}

std::string case_name(testing::TestParamInfo<SoundCase> const& info) {
  SoundCase const& c = info.param;
  std::string name = std::string(c.program) + "_" + c.name + "_" + std::to_string(c.ranks) + "_" + c.machine +
                     "_" + c.mode + std::to_string(c.seed) + (c.skew_us > 0 ? "_skew" : "");
  for (char& ch : name)
    if (ch == '-') ch = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cuda,
                         Sound,
                         testing::Values(SoundCase{"streams", "one_stream", 1},
                                         SoundCase{"streams", "events", 1},
                                         SoundCase{"streams", "default_stream", 1},
                                         SoundCase{"streams", "concurrent", 1},
                                         SoundCase{"streams", "errors", 1},
                                         SoundCase{"kernels", "warps", 1},
                                         SoundCase{"kernels", "shared_memory", 1},
                                         SoundCase{"kernels", "atomics", 1},
                                         SoundCase{"kernels", "cooperative", 1},
                                         SoundCase{"kernels", "narrow", 1},
                                         SoundCase{"kernels", "launches", 1},
                                         SoundCase{"runtime_api", "launches", 1},
                                         SoundCase{"runtime_api", "memory", 1},
                                         SoundCase{"runtime_api", "ordered_free", 2},
                                         SoundCase{"runtime_api", "device_code", 1},
                                         SoundCase{"runtime_api", "host_side", 1}),
                         case_name);

INSTANTIATE_TEST_SUITE_P(HostClocks,
                         Sound,
                         testing::Values(SoundCase{"clocks", "agree", 2},
                                         SoundCase{"clocks", "spinning_and_sleeping", 1},
                                         SoundCase{"clocks", "polling", 1},
                                         SoundCase{"clocks", "deadlines", 1},
                                         SoundCase{"clocks", "elsewhere", 1}),
                         case_name);

INSTANTIATE_TEST_SUITE_P(
    HostCollectives,
    Sound,
    testing::Values(SoundCase{"collectives", "reductions", 4},
                    SoundCase{"collectives", "movement", 2},
                    SoundCase{"collectives", "movement", 8},
                    SoundCase{"collectives", "in_place", 4},
                    SoundCase{"collectives", "groups", 4},
                    SoundCase{"collectives", "nans", 3},
                    SoundCase{"collectives", "group_streams", 2},
                    SoundCase{"collectives", "made_in_group", 2},
                    SoundCase{"collectives", "groups", 2, "h200-ib400"},
                    SoundCase{"collectives", "stream_order", 2, "h200-nvlink", "eager", 1, 2000},
                    SoundCase{"collectives", "communicators", 4},
                    SoundCase{"runtime_api", "nccl", 1},
                    SoundCase{"runtime_api", "nccl", 4, "h200-nvlink", "random", 7}),
    case_name);

INSTANTIATE_TEST_SUITE_P(Lsa,
                         Sound,
                         testing::Values(SoundCase{"lsa", "one_phase", 2},
                                         SoundCase{"lsa", "one_phase", 8},
                                         SoundCase{
                                             "lsa", "barrier_orders", 2, "h200-nvlink", "eager", 1, 3000},
                                         SoundCase{"lsa", "barrier_orders", 4, "h200-nvlink", "random", 3},
                                         SoundCase{"lsa", "coops_and_handles", 2},
                                         SoundCase{"lsa", "teams", 4},
                                         SoundCase{"lsa", "teams", 8, "h200-2x4"},
                                         SoundCase{"lsa", "teams", 2, "h200-ib400"},
                                         SoundCase{"lsa", "volatile_flags", 4},
                                         SoundCase{"lsa", "low_latency", 2},
                                         SoundCase{"lsa", "low_latency", 4}),
                         case_name);

std::vector<SoundCase> gin_cases() {
  std::vector<SoundCase> cases;
  for (char const* name : {"put_and_signal",
                           "local_completion",
                           "signal_values",
                           "gin_barrier",
                           "hybrid_barrier",
                           "many_posts"}) {
    cases.push_back({"gin", name, 2});
    cases.push_back({"gin", name, 4, "h200-2x4", "random", 1});
    for (std::uint64_t seed : {2, 3})
      cases.push_back({"gin", name, 2, "h200-ib400", "random", seed, seed == 3 ? 2000.0 : 0.0});
  }
  cases.push_back({"gin", "hybrid_barrier", 8, "h200-2x4", "random", 5});
  cases.push_back({"gin", "put_and_signal", 8, "h200-nvlink", "random", 6});
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Gin, Sound, testing::ValuesIn(gin_cases()), case_name);

TEST(VirtualTime, IsTheSameInEveryRun) {
  if (std::string const reason = emulated::missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
  RunOptions options;
  options.args = {"timing"};
  cuco::ProcessResult const first = emulated::run("streams", options);
  options.skew_us = 3000;
  cuco::ProcessResult const second = emulated::run("streams", options);
  EXPECT_EQ(first.exit_code, 0);
  auto const time_line = [](std::string const& out) {
    return out.substr(out.find("Time:"), out.find('\n', out.find("Time:")) - out.find("Time:"));
  };
  EXPECT_EQ(time_line(first.out), time_line(second.out));
  EXPECT_EQ(count(first.out, time_line(first.out)), 2) << first.out;
}

struct WrongCase {
  char const* name;
  std::vector<int> exit_codes;
  std::vector<char const*> says;  ///< All of these in the message.
  int ranks = 2;
  char const* machine = "h200-nvlink";
};
void PrintTo(WrongCase const& c, std::ostream* out) {
  *out << c.name;
}

class Wrong : public testing::TestWithParam<WrongCase> {};

TEST_P(Wrong, UseIsReported) {
  if (std::string const reason = emulated::missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
  WrongCase const& c = GetParam();
  RunOptions options;
  options.args = {c.name};
  options.ranks = c.ranks;
  options.machine = c.machine;
  options.environment = {"CUCO_EMU_DEADLOCK_MS=700"};
  cuco::ProcessResult const result = emulated::run("illegal", options);
  EXPECT_THAT(c.exit_codes, testing::Contains(result.exit_code)) << result.out << result.err;
  EXPECT_THAT(result.err, HasSubstr("cuco-emu: "));
  for (char const* text : c.says) EXPECT_THAT(result.err, HasSubstr(text));
  EXPECT_EQ(count(result.out, "ok "), 0) << result.out;
}

INSTANTIATE_TEST_SUITE_P(Use,
                         Wrong,
                         testing::Values(WrongCase{"barrier_index", {92}, {"barrier"}},
                                         WrongCase{"barrier_shared", {92}, {"barrier"}},
                                         WrongCase{"barrier_missing", {90}, {"deadlock", "barrier"}},
                                         WrongCase{"barrier_divergent", {90, 92}, {}},
                                         WrongCase{"multi_dimensional", {92}, {"ncclCoopCta"}},
                                         WrongCase{"warp_outside_mask", {92}, {"mask"}},
                                         WrongCase{"grid_sync_plain", {92}, {"cooperative"}},
                                         WrongCase{"trap", {92}, {"trap"}},
                                         WrongCase{"past_the_end", {93}, {"write", "4 bytes"}},
                                         WrongCase{"before_the_start", {93}, {"read"}},
                                         WrongCase{"after_free", {93}, {}},
                                         WrongCase{"null_pointer", {93}, {}},
                                         WrongCase{"host_pointer", {93}, {}},
                                         WrongCase{"shared_past_the_end", {93}, {"shared"}},
                                         WrongCase{"dynamic_past_the_end", {93}, {"shared"}},
                                         WrongCase{"window_offset", {92, 93}, {}},
                                         WrongCase{"window_rank", {92}, {}},
                                         WrongCase{"not_reachable", {92, 93}, {}, 2, "h200-ib400"},
                                         WrongCase{"deregistered", {92, 93}, {}},
                                         WrongCase{"unregistered", {92, 93}, {}},
                                         WrongCase{"put_target", {92, 93}, {"put"}},
                                         WrongCase{"put_source", {92, 93}, {"put"}},
                                         WrongCase{"signal_id", {92}, {"signal"}},
                                         WrongCase{"counter_id", {92}, {"counter"}},
                                         WrongCase{"inc_and_add", {92}, {"SignalInc", "SignalAdd"}},
                                         WrongCase{"put_rank", {92}, {}},
                                         WrongCase{"missing_signal", {90}, {"deadlock", "signal"}},
                                         WrongCase{"oversubscribed", {90}, {"deadlock"}, 1},
                                         WrongCase{"missing_collective", {90}, {"deadlock", "AllReduce"}},
                                         WrongCase{"collective_mismatch", {90, 92}, {}}),
                         [](auto const& info) { return std::string(info.param.name); });

TEST(WrongUse, AnErrorCodeWhereTheInterfaceHasOne) {
  RunOptions options;
  options.ranks = 2;
  expect_ok("illegal", "multimem", options);
}

TEST(WrongUse, ADeadlockReportSaysWhoWaitsForWhat) {
  if (std::string const reason = emulated::missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
  RunOptions options;
  options.args = {"missing_signal"};
  options.environment = {"CUCO_EMU_DEADLOCK_MS=700"};
  cuco::ProcessResult const result = emulated::run("illegal", options);
  EXPECT_EQ(result.exit_code, 90);
  // Rank, kernel, block, thread, the signal, the value that is waited for and the one that is there.
  EXPECT_THAT(result.err, HasSubstr("cuco-emu: deadlock"));
  EXPECT_THAT(result.err, HasSubstr("wait_kernel"));
  EXPECT_THAT(result.err, HasSubstr("block"));
  EXPECT_THAT(result.err, HasSubstr("signal 1"));
  EXPECT_THAT(result.err, HasSubstr("3"));
}

/// Number of runs, over several seeds, in which some rank got wrong data.
int bad_runs(std::string const& name, std::string const& mode, int seeds) {
  int bad = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    RunOptions options;
    options.args = {name};
    options.machine = "h200-ib400";
    options.gin_mode = mode;
    options.seed = static_cast<std::uint64_t>(seed);
    cuco::ProcessResult const result = emulated::run("races", options);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_EQ(count(result.out, "good") + count(result.out, "bad"), 2) << result.out << result.err;
    if (count(result.out, "bad") > 0) ++bad;
  }
  return bad;
}

TEST(RandomSchedule, SoundExchangeIsAlwaysGood) {
  if (std::string const reason = emulated::missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
  EXPECT_EQ(bad_runs("none", "eager", 1), 0);
  EXPECT_EQ(bad_runs("none", "random", 5), 0);
}

class Unsound : public testing::TestWithParam<char const*> {};
TEST_P(Unsound, IsExposedBySomeSeed) {
  if (std::string const reason = emulated::missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
  EXPECT_GT(bad_runs(GetParam(), "random", 5), 0);
}
INSTANTIATE_TEST_SUITE_P(RandomSchedule,
                         Unsound,
                         testing::Values("no_wait",
                                         "no_flush",
                                         "other_context",
                                         "other_signal",
                                         "flush_is_not_delivery",
                                         "counter_is_not_delivery",
                                         "unordered"),
                         [](auto const& info) { return std::string(info.param); });

TEST(RandomSchedule, TheSameSeedGivesTheSameResult) {
  if (std::string const reason = emulated::missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
  RunOptions options;
  options.args = {"no_wait"};
  options.machine = "h200-ib400";
  options.gin_mode = "random";
  for (std::uint64_t seed : {1, 4}) {
    options.seed = seed;
    int const first = count(emulated::run("races", options).out, "bad");
    EXPECT_EQ(count(emulated::run("races", options).out, "bad"), first);
  }
}

}  // namespace
