// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/directives/design_space.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "cuco/core/rng.hpp"

namespace cuco {
namespace {

std::vector<Site> all_sites() {
  std::vector<Site> out;
  for (auto api : {Api::LSA, Api::GIN})
    for (auto collective : {Collective::kAllReduce, Collective::kAllGather, Collective::kAllToAll})
      for (auto type : {ElementType::kInt8, ElementType::kHalf, ElementType::kFloat, ElementType::kInt64})
        for (int flags = 0; flags < 8; ++flags) {
          Site s;
          s.api = api;
          s.collective = collective;
          s.type = type;
          s.in_place = (flags & 1) != 0;
          s.send_offset_varies = (flags & 2) != 0;
          s.recv_offset_varies = (flags & 4) != 0;
          out.push_back(s);
        }
  return out;
}

std::string broken_rule(Directives const& d, Site const& s) {
  auto const reason = legal(d, s);
  return reason ? reason->rule : "legal";
}

TEST(DesignSpace, EnumerationIsLegalAndWithoutDuplicates) {
  for (Site const& site : all_sites()) {
    std::set<std::string> seen;
    for (Directives const& d : enumerate(site)) {
      ASSERT_FALSE(legal(d, site)) << legal(d, site)->text;
      ASSERT_TRUE(seen.insert(to_string(d)).second) << to_string(d);
    }
  }
}

TEST(DesignSpace, ConservativeIsLegalWhereverAnythingIs) {
  for (Site const& site : all_sites()) {
    if (enumerate(site).empty()) {
      EXPECT_TRUE(legal(conservative(site), site)) << to_string(site);
    } else {
      EXPECT_FALSE(legal(conservative(site), site)) << to_string(site);
    }
  }
}

TEST(DesignSpace, NeighboursAreLegalDifferentAndSymmetric) {
  Rng rng(1);
  for (Site const& site : all_sites()) {
    auto const all = enumerate(site);
    if (all.empty()) continue;
    for (int sample = 0; sample < 20; ++sample) {
      Directives const d = all[rng.below(all.size())];
      std::set<std::string> seen;
      for (Directives const& n : neighbours(d, site)) {
        ASSERT_FALSE(legal(n, site));
        ASSERT_FALSE(n == d);
        ASSERT_TRUE(seen.insert(to_string(n)).second);
        auto const back = neighbours(n, site);
        ASSERT_NE(std::find(back.begin(), back.end(), d), back.end())
            << to_string(d) << " and " << to_string(n);
      }
    }
  }
}

TEST(DesignSpace, NeighboursDifferInOneWord) {
  Site site;
  site.api = Api::GIN;
  auto words = [](std::string const& text) {
    std::vector<std::string> out(1);
    for (char c : text) {
      if (c == ' ') out.emplace_back();
      if (c != ' ') out.back() += c;
    }
    return out;
  };
  auto const d = conservative(site);
  for (Directives const& n : neighbours(d, site)) {
    auto const a = words(to_string(d)), b = words(to_string(n));
    int different = 0;
    for (std::size_t i = 0; i < a.size(); ++i) different += a[i] != b[i] ? 1 : 0;
    EXPECT_EQ(different, 1);
  }
}

TEST(DesignSpace, EveryPointIsReachedFromTheConservativeOne) {
  for (Site const& site : all_sites()) {
    if (site.type != ElementType::kFloat ||
        (site.api == Api::GIN && site.collective == Collective::kAllReduce))
      continue;
    auto const all = enumerate(site);
    if (all.empty()) continue;
    std::set<std::string> seen{to_string(conservative(site))};
    std::queue<Directives> open({conservative(site)});
    while (!open.empty()) {
      auto const d = open.front();
      open.pop();
      for (auto const& n : neighbours(d, site))
        if (seen.insert(to_string(n)).second) open.push(n);
    }
    EXPECT_EQ(seen.size(), all.size()) << to_string(site);
  }
}

TEST(DesignSpace, RulesNameWhatTheyProtect) {
  Site reduce;
  Directives d = conservative(reduce);
  EXPECT_EQ(broken_rule(d, reduce), "legal");

  Directives x = d;
  x.placement = Placement::kFused;
  EXPECT_EQ(broken_rule(x, reduce), "fused_needs_producer");
  x = d;
  x.backend = Backend::kGin;
  EXPECT_EQ(broken_rule(x, reduce), "backend_is_the_api");
  x = d;
  x.issuer = Issuer::kThread;
  EXPECT_EQ(broken_rule(x, reduce), "lsa_has_no_thread_issuer");
  x = d;
  x.sync = SyncScope::kPerPeer;
  EXPECT_EQ(broken_rule(x, reduce), "lsa_barriers_are_team_wide");
  x = d;
  x.algorithm = Algorithm::kPush;
  EXPECT_EQ(broken_rule(x, reduce), "algorithm_of_collective");
  x = d;
  x.chunk_bytes = 65536;
  EXPECT_EQ(broken_rule(x, reduce), "lsa_has_no_chunks");
  x = d;
  x.ctas = 64;
  Site small = reduce;
  small.resident_ctas = 48;
  EXPECT_EQ(broken_rule(x, small), "ctas_resident");
  EXPECT_EQ(broken_rule(x, reduce), "legal");
  x = d;
  x.ctas = 17;
  EXPECT_EQ(broken_rule(x, reduce), "ctas");
  x = d;
  x.threads = 1024;
  x.unroll = 8;
  EXPECT_EQ(broken_rule(x, reduce), "accumulators_fit");

  Site wide = reduce;
  wide.type = ElementType::kDouble;
  x = conservative(wide);
  x.vector_bytes = 4;
  EXPECT_EQ(broken_rule(x, wide), "vector_holds_elements");
  Site nodes = reduce;
  nodes.lsa_team_is_world = false;
  EXPECT_EQ(broken_rule(d, nodes), "lsa_team_is_world");
}

TEST(DesignSpace, OneShotInPlaceIsUnsoundOverLoadsAndStoresOnly) {
  Site site;
  site.in_place = true;
  Directives d = conservative(site);
  EXPECT_EQ(d.algorithm, Algorithm::kTwoShot);
  d.algorithm = Algorithm::kOneShot;
  EXPECT_EQ(broken_rule(d, site), "one_shot_in_place");
  site.in_place = false;
  EXPECT_EQ(broken_rule(d, site), "legal");
  site.in_place = true;
  site.api = Api::GIN;  // The send buffer is flushed before it is overwritten.
  d = conservative(site);
  d.algorithm = Algorithm::kOneShot;
  EXPECT_EQ(broken_rule(d, site), "legal");
}

TEST(DesignSpace, OffsetsThatDifferBetweenRanksDecideWhoMayReachWhom) {
  Site site;
  site.collective = Collective::kAllGather;
  site.send_offset_varies = true;  // In place: every rank sends its own slot.
  Directives d = conservative(site);
  EXPECT_EQ(d.algorithm, Algorithm::kPush);
  d.algorithm = Algorithm::kPull;
  EXPECT_EQ(broken_rule(d, site), "send_offset_varies");
  site.send_offset_varies = false;
  site.recv_offset_varies = true;
  EXPECT_EQ(conservative(site).algorithm, Algorithm::kPull);
  d.algorithm = Algorithm::kPush;
  EXPECT_EQ(broken_rule(d, site), "recv_offset_varies");
  site.send_offset_varies = true;
  EXPECT_TRUE(enumerate(site).empty());
}

TEST(DesignSpace, AllToAllInPlaceHasNoLegalPoint) {
  for (auto api : {Api::LSA, Api::GIN}) {
    Site site;
    site.api = api;
    site.collective = Collective::kAllToAll;
    site.in_place = true;
    EXPECT_TRUE(enumerate(site).empty());
    EXPECT_EQ(broken_rule(conservative(site), site), "all_to_all_in_place");
  }
}

TEST(DesignSpace, GinPointsVaryWhatGinHas) {
  Site site;
  site.api = Api::GIN;
  site.collective = Collective::kAllToAll;
  std::set<std::uint64_t> chunks;
  std::set<Issuer> issuers;
  std::set<int> contexts;
  for (auto const& d : enumerate(site)) {
    EXPECT_EQ(d.algorithm, Algorithm::kPush);
    EXPECT_LE(d.contexts, d.ctas);
    chunks.insert(d.chunk_bytes);
    issuers.insert(d.issuer);
    contexts.insert(d.contexts);
  }
  EXPECT_EQ(chunks.size(), 5U);
  EXPECT_EQ(issuers.size(), 3U);
  EXPECT_EQ(contexts.size(), 3U);
}

}  // namespace
}  // namespace cuco
