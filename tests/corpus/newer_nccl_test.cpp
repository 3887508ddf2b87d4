// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// Generated code compiles against the headers of newer NCCL releases, which scripts/setup puts in place.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "corpus/nvcc.hpp"
#include "corpus/programs.hpp"
#include "cuco/transform/load_program.hpp"
#include "transform/collective_points.hpp"
#include "transform/exchange_program.hpp"
#include "transform/rewriting.hpp"

namespace cuco::testing {
namespace {

std::string newer_headers() {
  if (char const* chosen = std::getenv("CUCO_NCCL_HEADERS"); chosen != nullptr && *chosen != '\0')
    return chosen;
  if (char const* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return std::string(cache) + "/cuco/nccl";
  char const* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.cache/cuco/nccl";
}

struct Source {
  std::string label, code;
};

/// Programs that together hold every launcher, kernel and helper that can be generated for `api`.
std::vector<Source> sources(Api api) {
  std::vector<Source> out;
  auto const all = tried_points(api);
  out.push_back({"collectives", collective_program(api, all, section_of(api, all))});
  Site exchange;
  exchange.collective = Collective::kSendRecv;
  exchange.api = api;
  out.push_back({"exchange", device_exchange_program(api, conservative(exchange))});
  // Communicators of communicators, types that are known at run time, sends beside collectives.
  for (char const* name : {"hierarchical_allreduce", "dtype_runtime", "generic_collectives"}) {
    auto const program = load_program(corpus_path(name));
    if (!program) {
      ADD_FAILURE() << to_line(program.error());
      continue;
    }
    auto const code = to_device(api, program->code);
    EXPECT_TRUE(code) << name << ": " << to_line(code.error());
    if (code) out.push_back({name, *code});
  }
  return out;
}

class NewerNccl : public ::testing::TestWithParam<std::tuple<char const*, Api>> {};

TEST_P(NewerNccl, CompilesWhatIsGenerated) {
  auto const [version, api] = GetParam();
  Nvcc const nvcc(newer_headers() + "/" + version);
  if (!nvcc.missing().empty()) GTEST_SKIP() << nvcc.missing();
  auto const folder = std::string(CUCO_BINARY_DIR) + "/corpus/newer_nccl/" + version + "_" + to_string(api);
  auto const all = sources(api);
  std::vector<std::string> complaints(all.size());
  std::atomic<std::size_t> next{0};
  // Two at a time: nvcc uses one core.
  auto const work = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++)
      complaints[i] = nvcc.complaints(all[i].code, folder, all[i].label);
  };
  std::thread other(work);
  work();
  other.join();
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(complaints[i], "") << all[i].label;
  if (!HasFailure()) std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Headers,
                         NewerNccl,
                         ::testing::Combine(::testing::Values("2.29.7", "2.30.7"),
                                            ::testing::Values(Api::LSA, Api::GIN)),
                         [](auto const& info) {
                           std::string name = std::string(std::get<0>(info.param)) + "_" +
                                              to_string(std::get<1>(info.param));
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace cuco::testing
