// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Sends and receives as generated code: many patterns on the emulator, under reordered delivery; what is
/// noticed when a part of the protocol is missing; nvcc.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "corpus/nvcc.hpp"
#include "cuco/directives/design_space.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"
#include "transform/exchange_program.hpp"

namespace cuco::testing {
namespace {

/// Few threads and small slots: rings wrap around often and the emulator is quicker.
Directives small_exchange(Api api) {
  Directives d;
  d.backend = api == Api::LSA ? Backend::kLsa : Backend::kGin;
  d.algorithm = Algorithm::kPush;
  d.ctas = 2;
  d.threads = 128;
  d.chunk_bytes = 4096;  // Not in the design space: too small for a real network.
  return d;
}

Directives point(std::string const& words) {
  return parse_directives("algorithm=push sync=per_block issuer=block placement=deferred " + words).value();
}

class Exchange : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
    std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    substitute(name, "/", "_");
    directory_ = std::filesystem::path(CUCO_BINARY_DIR) / "transform_exchange" / name;
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  VerifyOutcome verify(std::string const& code, int ranks, int schedules, std::string const& machine = {}) {
    VerifyOptions options;
    options.args = {"2"};
    options.ranks = ranks;
    options.schedules = schedules;
    EmulatedOptions emulated;
    emulated.machine = machine;
    auto const outcome =
        ProgramVerifier(Devices::emulated(emulated), options).verify(code, directory_.string(), "exchange");
    EXPECT_TRUE(outcome) << to_line(outcome.error());
    return outcome ? *outcome : VerifyOutcome{};
  }
  void expect_verified(std::string const& code, int ranks, int schedules, std::string const& machine = {}) {
    auto const outcome = verify(code, ranks, schedules, machine);
    EXPECT_TRUE(outcome.verified) << ranks << " ranks: " << outcome.message << "\n" << outcome.diagnostics;
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(Exchange, ThePatternsAreWhatNcclAllows) {
  for (int ranks : {2, 3, 4, 8}) expect_verified(exchange_program(), ranks, 0);
}

class ExchangeOn : public Exchange, public ::testing::WithParamInterface<std::tuple<Api, int>> {};

TEST_P(ExchangeOn, EveryPatternIsVerified) {
  auto const [api, ranks] = GetParam();
  expect_verified(device_exchange_program(api, small_exchange(api)), ranks, 3);
}

INSTANTIATE_TEST_SUITE_P(All,
                         ExchangeOn,
                         ::testing::Combine(::testing::Values(Api::LSA, Api::GIN),
                                            ::testing::Values(2, 3, 4, 8)),
                         [](auto const& info) {
                           return std::string(to_string(std::get<0>(info.param))) + "_" +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST_F(Exchange, OneRank) {
  for (auto api : {Api::LSA, Api::GIN})
    expect_verified(device_exchange_program(api, small_exchange(api)), 1, 1);
}

TEST_F(Exchange, AcrossNodes) {
  expect_verified(device_exchange_program(Api::GIN, small_exchange(Api::GIN)), 3, 2, "h200-ib400");
}

TEST_F(Exchange, OtherPoints) {
  expect_verified(
      device_exchange_program(
          Api::LSA, point("backend=lsa ctas=16 threads=256 vector_bytes=8 unroll=1 chunk_bytes=16384")),
      2,
      1);
  expect_verified(
      device_exchange_program(
          Api::GIN, point("backend=gin ctas=4 threads=128 unroll=8 chunk_bytes=1048576 contexts=4")),
      3,
      1);
}

/// What each part of the protocol is for: without it verification fails. Not noticed on the emulator, and
/// therefore not here: weaker memory orders, because the emulator's memory is that of the host; leaving out
/// the wait for the peers when a communicator ends over load/store, because a late flag meets memory that is
/// still there.
struct Mutation {
  char const* name;
  Api api;
  char const* text;
  char const* instead;
};

class ExchangeWithout : public Exchange, public ::testing::WithParamInterface<Mutation> {};

TEST_P(ExchangeWithout, IsNoticed) {
  auto const& m = GetParam();
  std::string code = device_exchange_program(m.api, small_exchange(m.api));
  ASSERT_NE(code.find(m.text), std::string::npos) << m.text;
  substitute(code, m.text, m.instead, false);
  auto const outcome = verify(code, 3, 2);
  EXPECT_TRUE(outcome.built) << outcome.diagnostics;
  EXPECT_FALSE(outcome.verified);
}

INSTANTIATE_TEST_SUITE_P(
    Lsa,
    ExchangeWithout,
    ::testing::Values(
        Mutation{"wait_for_a_free_slot", Api::LSA, "+ kSlots <= chunk)", "+ kSlots <= 0)"},
        Mutation{"wait_for_the_data",
                 Api::LSA,
                 "<= chunk) {\n      }\n    __syncthreads();\n    copy(data",
                 "<= 0) {}\n    __syncthreads();\n    copy(data"},
        Mutation{"meeting_before_arrived",
                 Api::LSA,
                 "copy(slot(theirs, chunk), data, bytes);\n    __syncthreads();",
                 "copy(slot(theirs, chunk), data, bytes);"},
        Mutation{"meeting_before_returned",
                 Api::LSA,
                 "copy(data, slot(mine, chunk), bytes);\n    __syncthreads();",
                 "copy(data, slot(mine, chunk), bytes);"},
        Mutation{"counting_across_launches",
                 Api::LSA,
                 "channel.mine->taken) = chunk;",
                 "channel.mine->taken) = 0;"},
        Mutation{"order_of_kernels", Api::LSA, "require(cudaStreamWaitEvent(stream, p.last, 0));", "{}"},
        Mutation{"joining_streams", Api::LSA, "require(cudaStreamWaitEvent(stream, p.joint, 0));", ""},
        Mutation{"releasing_streams", Api::LSA, "require(cudaStreamWaitEvent(streams[i], p.last, 0));", "{}"},
        Mutation{"lists_in_use",
                 Api::LSA,
                 "if (l.bytes >= bytes && cudaEventQuery(l.done) == cudaSuccess)",
                 "if (l.bytes >= bytes)"}),
    [](auto const& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Gin,
    ExchangeWithout,
    ::testing::Values(
        Mutation{"wait_for_a_free_slot", Api::GIN, "chunk + 1 - kSlots);", "chunk - kSlots);"},
        Mutation{"wait_for_the_data", Api::GIN, "arrived_before + chunk + 1);", "arrived_before + chunk);"},
        Mutation{"signal_of_the_put", Api::GIN, "ncclGin_SignalInc{deliver}", "ncclGin_None()"},
        Mutation{"signals_of_its_own", Api::GIN, "deliver = 2 * other", "deliver = 2 * own"}),
    [](auto const& info) { return std::string(info.param.name); });

TEST(ExchangeText, IsCompactAndComplete) {
  for (auto api : {Api::LSA, Api::GIN}) {
    impl::Launcher launcher;
    launcher.site.collective = Collective::kSendRecv;
    launcher.site.api = api;
    launcher.directives = conservative(launcher.site);
    launcher.name = impl::name_of(launcher.site);
    EXPECT_FALSE(legal(launcher.directives, launcher.site));
    std::istringstream text(impl::section_text(api, {launcher}, true));
    int lines = 0;
    for (std::string line; std::getline(text, line); ++lines) {
      if (line.rfind(impl::kLauncherTag, 0) == 0) continue;
      EXPECT_LE(line.size(), 120U) << line;
      EXPECT_EQ(line.find('@'), std::string::npos) << line;
    }
    EXPECT_LT(lines, 400);
    EXPECT_NE(impl::section_text(api, {launcher}, false).find("void open_pipes(ncclComm_t"),
              std::string::npos);
  }
}

TEST(ExchangeText, SignalsFollowThoseOfOtherKernels) {
  impl::Launcher launcher{"send_recv", {}, small_exchange(Api::GIN)};
  launcher.site.collective = Collective::kSendRecv;
  impl::Resources resources;
  resources.first_signal = "3 * ranks + 8";
  auto const text = impl::exchange_text(launcher, resources);
  EXPECT_NE(text.find("arrived = 3 * ranks + 8 + 2 * own;"), std::string::npos);
  EXPECT_NE(text.find("gin.readSignal(3 * ranks + 8 + 2 * i + 1)"), std::string::npos);
  EXPECT_EQ(impl::exchange_signals(launcher.directives), 4);
}

TEST_F(Exchange, CompilesWithNvccWithoutWarnings) {
  Nvcc const nvcc;
  if (!nvcc.missing().empty()) GTEST_SKIP() << nvcc.missing();
  auto const folder = std::string(CUCO_BINARY_DIR) + "/transform_exchange_nvcc";
  int standard = 17;
  for (auto api : {Api::LSA, Api::GIN}) {
    Site site;
    site.collective = Collective::kSendRecv;
    site.api = api;
    EXPECT_EQ(nvcc.complaints(device_exchange_program(api, conservative(site)), folder, "exchange", standard),
              "");
    standard = 20;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace cuco::testing
