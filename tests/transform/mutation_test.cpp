// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// What verification on emulated ranks is worth: generated launchers with one thing broken must be noticed.
/// Each mutant is a launcher of its own in one program, which is built once.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "cuco/evaluate/devices.hpp"
#include "cuco/process/find_program.hpp"
#include "transform/collective_points.hpp"

namespace cuco::testing {
namespace {

/// Replaces the first `from` by `to`; without `to`, drops every line with `from`.
struct Mutation {
  char const* name;
  char const* from;
  char const* to = nullptr;
};

struct MutatedPoint {
  char const* site;
  char const* words;
  std::vector<Mutation> values;  ///< Wrong whatever the order of events: all run in one go.
  std::vector<Mutation>
      order;  ///< Wrong under some order of events only, or endless: each in runs of its own.
};

Mutation const kNoEntry{"_no_entry", "barrier.sync(ncclCoopCta(), cuda::memory_order_acq_rel);"};
Mutation const kNoExit{"_no_exit", "barrier.sync(ncclCoopCta(), cuda::memory_order_release);"};
Mutation const kMissing{
    "_value_missing", "for (int i = 1; i < device.nRanks", "for (int i = 2; i < device.nRanks"};
Mutation const kShifted{"_value_shifted", "send + head * sizeof(float)", "send + (head + 1) * sizeof(float)"};
Mutation const kSlot{"_value_slot", "device.rank * bytes", "(device.rank + 1) % device.nRanks * bytes"};
Mutation const kPeerSlot{"_value_peer_slot", "peer * bytes", "(peer + 1) % device.nRanks * bytes"};
Mutation const kShort{"_value_short", "copy(out, in, bytes", "copy(out, in, bytes - sizeof(Element)"};
Mutation const kWrongRoot{"_value_root", "offset, root)", "offset, (root + 1) % device.nRanks)"};

std::vector<MutatedPoint> lsa_mutants() {
  // Without the last barrier a rank that only lends its buffer goes on while a peer may still read it. That
  // is seen when the peer is slow in the middle of its kernel, which real scheduling does not bring about
  // every time: where nothing else depends on the barrier, its loss is not asserted (`lends`).
  std::vector<Mutation> const both{kNoEntry, kNoExit}, lends{kNoEntry};
  return {{"collective=all_reduce", "algorithm=two_shot", {kMissing, kShifted}, both},
          {"collective=all_reduce", "algorithm=one_shot", {kMissing, kShifted}, both},
          {"collective=reduce_scatter", "algorithm=one_shot", {kMissing, kShifted}, both},
          {"collective=reduce", "algorithm=two_shot", {kMissing, kShifted, kWrongRoot}, both},
          {"collective=reduce", "algorithm=one_shot", {kMissing, kShifted}, lends},
          {"collective=all_gather", "algorithm=push", {kSlot}, both},
          {"collective=all_gather", "algorithm=pull", {kPeerSlot, kShort}, both},
          {"collective=all_to_all", "algorithm=push", {kSlot, kPeerSlot, kShort}, both},
          {"collective=all_to_all", "algorithm=pull", {kSlot, kPeerSlot, kShort}, both},
          {"collective=broadcast",
           "algorithm=push",
           {kWrongRoot, {"_value_short", "root ? bytes : 0", "root ? bytes - sizeof(Element) : 0"}},
           both},
          {"collective=broadcast", "algorithm=pull", {kWrongRoot, kShort}, lends},
          {"collective=broadcast",
           "algorithm=two_shot",
           {kWrongRoot, {"_value_shifted", "recv + begin;", "recv + begin + sizeof(Element);"}},
           both},
          {"collective=gather", "algorithm=push", {kSlot, kWrongRoot, kShort}, both},
          {"collective=gather", "algorithm=pull", {kPeerSlot, kShort}, both},
          {"collective=scatter", "algorithm=push", {kPeerSlot, kShort}, both},
          {"collective=scatter", "algorithm=pull", {kSlot, kWrongRoot, kShort}, lends}};
}

Mutation const kNoBarrier{"_no_barrier", "barrier.sync(ncclCoopCta(), cuda::memory_order_acq_rel, "};
Mutation const kNoWait{"_no_wait", "gin.waitSignal(ncclCoopCta(), signal"};
Mutation const kNoScatterWait{"_no_scatter_wait", "gin.waitSignal(ncclCoopCta(), scatter"};
Mutation const kNoGatherWait{"_no_gather_wait", "gin.waitSignal(ncclCoopCta(), gather"};
Mutation const kPeer{"_peer", "put_range(gin, world, peer,", "put_range(gin, world, (peer + 1) % ranks,"};
Mutation const kRoot{"_root", "put_range(gin, world, root,", "put_range(gin, world, (root + 1) % ranks,"};
Mutation const kGinSlot{"_value_slot", "rank * bytes + begin", "(rank + 1) % ranks * bytes + begin"};
Mutation const kGinPeerSlot{"_value_peer_slot", "peer * bytes + begin", "(peer + 1) % ranks * bytes + begin"};
Mutation const kScratch{"_value_shifted", "scratch + (rank * s", "scratch + (1 + rank * s"};
Mutation const kMissingSlot{
    "_value_missing", "device.rank ? own : slots + r * slot", "0 ? own : slots + r * slot"};

std::vector<MutatedPoint> gin_mutants() {
  return {{"collective=all_reduce",
           "algorithm=two_shot",
           {kScratch, kMissingSlot, {"_value_result", "recv + mine.begin", "recv + (mine.begin + 1)"}},
           {kNoBarrier, kNoScatterWait, kNoGatherWait, kPeer}},
          {"collective=all_reduce",
           "algorithm=one_shot",
           {kScratch, kMissingSlot},
           {kNoBarrier, kNoScatterWait, kPeer}},
          {"collective=reduce_scatter",
           "algorithm=one_shot",
           {kScratch, kMissingSlot, {"_value_slice", "peer * count", "rank * count"}},
           {kNoBarrier, kNoScatterWait, kPeer}},
          {"collective=reduce",
           "algorithm=two_shot",
           {kScratch, kMissingSlot},
           {kNoBarrier, kNoScatterWait, kNoGatherWait, kPeer, kRoot}},
          {"collective=reduce",
           "algorithm=one_shot",
           {kScratch, kMissingSlot},
           {kNoBarrier, kNoScatterWait, kRoot}},
          {"collective=all_gather", "algorithm=push", {kGinSlot}, {kNoBarrier, kNoWait, kPeer}},
          {"collective=all_to_all", "algorithm=push", {kGinSlot, kGinPeerSlot}, {kNoBarrier, kNoWait, kPeer}},
          {"collective=broadcast",
           "algorithm=push",
           {{"_value_shifted", "recv + begin, recv + begin", "recv + begin + 4, recv + begin"}},
           {kNoBarrier, kNoWait, kPeer}},
          {"collective=broadcast",
           "algorithm=two_shot",
           {{"_value_shifted", "recv + mine.begin, recv", "recv + mine.begin + 4, recv"}},
           {kNoBarrier, kNoScatterWait, kNoGatherWait, kPeer}},
          {"collective=gather", "algorithm=push", {kGinSlot}, {kNoBarrier, kNoWait, kRoot}},
          {"collective=scatter", "algorithm=push", {kGinPeerSlot}, {kNoBarrier, kNoWait, kPeer}}};
}

/// Applies `m` to the text of the launcher called `name`; false when there is nothing to change.
bool mutate(std::string& section, std::string const& name, Mutation const& m) {
  std::size_t const begin = section.find(impl::kLauncherTag + name + " ");
  if (begin == std::string::npos) return false;
  std::size_t const end =
      std::min(section.find(impl::kLauncherTag, begin + 1), section.find("\nRequirements ", begin));
  std::string text = section.substr(begin, end - begin);
  std::size_t at = text.find(m.from);
  if (at == std::string::npos) return false;
  if (m.to != nullptr) text.replace(at, std::string(m.from).size(), m.to);
  for (; m.to == nullptr && at != std::string::npos; at = text.find(m.from)) {
    std::size_t const line = text.rfind('\n', at) + 1;
    text.erase(line, text.find('\n', at) + 1 - line);
  }
  section.replace(begin, end - begin, text);
  return true;
}

class Mutants : public ::testing::TestWithParam<Api> {
 protected:
  void SetUp() override {
    if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
    folder_ = std::filesystem::path(CUCO_BINARY_DIR) / "transform_mutants" / to_string(GetParam());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  /// One program with a launcher for each mutant, and an intact one for each point.
  bool build() {
    Api const api = GetParam();
    std::vector<TriedLauncher> all;
    std::vector<std::pair<std::string, Mutation>> wanted;
    int number = 0;
    for (auto const& point : api == Api::LSA ? lsa_mutants() : gin_mutants()) {
      Site site = parse_site(point.site).value();
      site.api = api;
      std::string const words =
          std::string("backend=") + to_string(api) + " threads=128 ctas=2 " + point.words;
      std::string const suffix = "_" + std::to_string(number++);
      all.push_back(tried(site, words, suffix + "_intact"));
      auto add = [&](Mutation const& m, std::vector<std::string>& names) {
        all.push_back(tried(site, words, suffix + m.name));
        names.push_back(all.back().launcher.name);
        wanted.emplace_back(names.back(), m);
      };
      for (Mutation const& m : point.values) add(m, values_);
      for (Mutation const& m : point.order) add(m, order_);
    }
    std::string section = section_of(api, all);
    for (auto const& [name, mutation] : wanted)
      if (!mutate(section, name, mutation)) ADD_FAILURE() << name << ": nothing to change: " << mutation.from;
    BuildSpec spec;
    spec.source_path = (folder_ / "program.cu").string();
    spec.output_path = binary_ = (folder_ / "program.bin").string();
    std::ofstream(spec.source_path) << collective_program(
        api, all, section, "{Case{1003, 1, 1, false, 2}, Case{2053, 0, 1, false, 1}}");
    auto const built = devices_.build(spec);
    if (!built || !built->built) ADD_FAILURE() << (built ? built->diagnostics : to_line(built.error()));
    return built && built->built;
  }

  RunResult run(std::string const& selected, int seed) {
    RunSpec spec;
    spec.binary = binary_;
    spec.args = {selected, std::to_string(seed)};
    spec.ranks = 3;
    spec.gin_mode = GinMode::kRandom;
    spec.seed = static_cast<std::uint64_t>(seed);
    spec.skew_us = 300;
    spec.deadline = std::chrono::seconds(20);
    auto result = devices_.run(spec);
    EXPECT_TRUE(result) << to_line(result.error());
    return result ? *result : RunResult{};
  }

  std::vector<std::string> values_, order_;

 private:
  std::filesystem::path folder_;
  std::string binary_;
  Devices devices_ = Devices::emulated();
};

TEST_P(Mutants, AreNoticed) {
  if (!build()) return;
  auto const intact = run("_intact", 1);
  EXPECT_TRUE(intact.ok()) << intact.stderr_text;
  // Those that are always wrong, by kinds: one run has many launchers. What a crash kept from running runs
  // alone.
  std::map<std::string, std::vector<std::string>> kinds;
  for (std::string const& name : values_) kinds[name.substr(name.find("_value"))].push_back(name);
  for (auto const& [kind, names] : kinds) {
    auto const group = run(kind, 1);
    for (std::string const& name : names) {
      bool const noticed = group.stderr_text.find(name + ": rank") != std::string::npos || !run(name, 1).ok();
      EXPECT_TRUE(noticed) << name;
    }
  }
  for (std::string const& name : order_) {
    bool noticed = false;
    for (int seed = 1; seed <= 8 && !noticed; ++seed) noticed = !run(name, seed).ok();
    EXPECT_TRUE(noticed) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Mutants, ::testing::Values(Api::LSA, Api::GIN), [](auto const& info) {
  return std::string(to_string(info.param));
});

}  // namespace
}  // namespace cuco::testing
