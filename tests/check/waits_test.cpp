// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// What a wait for a signal guarantees, whatever the order of arrival.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "cuco/check/impl/puts.hpp"
#include "cuco/core/rng.hpp"

namespace cuco::checking {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CertainArrivals, AllWhenEveryoneIsNeeded) {
  EXPECT_THAT(certain({{0, 1, 1}, {1, 2, 1}, {2, 3, 1}}, 3), ElementsAre(0, 1, 2));
}
TEST(CertainArrivals, NoneWhenOneCanBeMissing) {
  EXPECT_THAT(certain({{0, 1, 1}, {1, 2, 1}, {2, 3, 1}}, 2), IsEmpty());
}
TEST(CertainArrivals, AQueueDeliversInOrder) {
  EXPECT_THAT(certain({{0, 1, 1}, {1, 1, 1}, {2, 1, 1}}, 2), ElementsAre(0, 1));
}
TEST(CertainArrivals, LargeAmountsCannotBeReplaced) {
  EXPECT_THAT(certain({{0, 1, 10}, {1, 2, 1}, {2, 3, 1}}, 5), ElementsAre(0));
}
TEST(CertainArrivals, NothingIsWaitedFor) {
  EXPECT_THAT(certain({{0, 1, 1}}, 0), IsEmpty());
  EXPECT_THAT(certain({}, 4), IsEmpty());
}

/// All sets of prefixes of the queues that end the wait; what is in all of them is certain.
std::vector<std::uint32_t> by_enumeration(std::vector<Contribution> const& all, std::uint64_t least) {
  std::map<std::uint32_t, std::vector<Contribution>> queues;
  for (Contribution const& c : all) queues[c.queue].push_back(c);
  std::vector<std::vector<Contribution>> lists;
  for (auto const& [queue, list] : queues) lists.push_back(list);
  std::set<std::uint32_t> in_all;
  bool first = true;
  std::vector<std::size_t> taken(lists.size(), 0);
  std::function<void(std::size_t)> choose = [&](std::size_t i) {
    if (i < lists.size()) {
      for (taken[i] = 0; taken[i] <= lists[i].size(); ++taken[i]) choose(i + 1);
      return;
    }
    std::uint64_t sum = 0;
    std::set<std::uint32_t> present;
    for (std::size_t k = 0; k < lists.size(); ++k)
      for (std::size_t n = 0; n < taken[k]; ++n) {
        sum += lists[k][n].delta;
        present.insert(lists[k][n].put);
      }
    if (sum < least) return;
    if (first) {
      in_all = present;
      first = false;
    } else {
      std::erase_if(in_all, [&](std::uint32_t p) { return !present.contains(p); });
    }
  };
  choose(0);
  return {in_all.begin(), in_all.end()};
}

TEST(CertainArrivals, AreThoseInEveryPossibleSet) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Rng rng(seed);
    std::vector<Contribution> all;
    std::uint64_t total = 0;
    for (std::uint32_t put = 0, n = static_cast<std::uint32_t>(rng.below(7)); put < n; ++put) {
      all.push_back({put, static_cast<std::uint32_t>(rng.below(3)), 1 + rng.below(3)});
      total += all.back().delta;
    }
    std::uint64_t const least = rng.below(total + 1);
    auto sure = certain(all, least);
    std::sort(sure.begin(), sure.end());
    EXPECT_EQ(sure, by_enumeration(all, least)) << seed;
  }
}

}  // namespace
}  // namespace cuco::checking
