// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/directives/design_space.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
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
    for (int collective = 0; collective <= static_cast<int>(Collective::kSendRecv); ++collective)
      for (auto type : {ElementType::kInt8, ElementType::kInt64})
        for (int flags = 0; flags < 8; ++flags) {
          Site s;
          s.api = api;
          s.collective = static_cast<Collective>(collective);
          s.types = type;
          s.in_place = (flags & 1) != 0;
          s.send_offset_varies = (flags & 2) != 0;
          s.recv_offset_varies = (flags & 4) != 0;
          out.push_back(s);
        }
  for (auto type : {ElementType::kHalf, ElementType::kFloat})
    for (auto api : {Api::LSA, Api::GIN}) {
      Site s;
      s.api = api;
      s.types = type;
      out.push_back(s);
      s.types = {ElementType::kHalf, ElementType::kDouble};
      s.ops = {Reduction::kSum, Reduction::kMax};
      s.runtime_type = s.send_staged = true;
      out.push_back(s);
    }
  return out;
}

std::string broken_rule(Directives const& d, Site const& s) {
  auto const reason = legal(d, s);
  return reason ? reason->rule : "legal";
}

/// A point as one number; different points have different ones.
std::uint64_t packed(Directives const& d) {
  std::uint64_t out = 0;
  auto add = [&](std::uint64_t value, std::uint64_t bound) { out = out * bound + value; };
  add(static_cast<std::uint64_t>(d.backend), 2);
  add(static_cast<std::uint64_t>(d.algorithm), 4);
  add(static_cast<std::uint64_t>(d.placement), 3);
  add(static_cast<std::uint64_t>(d.sync), 3);
  add(static_cast<std::uint64_t>(d.issuer), 3);
  add(static_cast<std::uint64_t>(d.ctas), 129);
  add(static_cast<std::uint64_t>(d.threads), 1025);
  add(static_cast<std::uint64_t>(d.vector_bytes), 17);
  add(static_cast<std::uint64_t>(d.unroll), 9);
  add(d.chunk_bytes / 16384, 257);
  add(static_cast<std::uint64_t>(d.contexts), 5);
  return out;
}

/// The choices of `all` that are not numbers, each once.
std::vector<Directives> structures(std::vector<Directives> const& all) {
  std::vector<Directives> out;
  for (Directives const& d : all) {
    Directives only;
    only.backend = d.backend, only.algorithm = d.algorithm, only.placement = d.placement;
    only.sync = d.sync, only.issuer = d.issuer;
    if (std::find(out.begin(), out.end(), only) == out.end()) out.push_back(only);
  }
  return out;
}

TEST(DesignSpace, EnumerationIsLegalAndWithoutDuplicates) {
  for (Site const& site : all_sites()) {
    auto const all = enumerate(site);
    std::vector<std::uint64_t> seen;
    seen.reserve(all.size());
    for (Directives const& d : all) {
      ASSERT_FALSE(legal(d, site)) << legal(d, site)->text;
      seen.push_back(packed(d));
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end()) << to_string(site);
  }
}

/// Tries all that can be written, where `enumerate` leaves out what it knows to be illegal.
TEST(DesignSpace, EnumerationIsComplete) {
  for (auto api : {Api::LSA, Api::GIN})
    for (auto collective : {Collective::kAllReduce, Collective::kAllToAll}) {
      Site site;
      site.api = api;
      site.collective = collective;
      std::set<std::string> texts;
      auto const all = enumerate(site);
      for (Directives const& d : all) texts.insert(to_string(d));
      EXPECT_EQ(texts.size(), all.size()) << "two points have the same text";
      // Where an issuer and a scope are legal at all, so are all values of the numbers that fit.
      std::size_t legal_points = 0;
      for (Directives d : structures(all))
        for (int ctas : {1, 2, 4, 8, 16, 32, 64, 128})
          for (int threads : {128, 256, 512, 1024})
            for (int vector_bytes : {4, 8, 16})
              for (int unroll : {1, 2, 4, 8})
                for (std::uint64_t chunk : {0, 65536, 262144, 1048576, 4194304})
                  for (int contexts : {1, 2, 4}) {
                    d.ctas = ctas, d.threads = threads, d.vector_bytes = vector_bytes, d.unroll = unroll;
                    d.chunk_bytes = chunk, d.contexts = contexts;
                    legal_points += legal(d, site) ? 0U : 1U;
                  }
      EXPECT_EQ(all.size(), legal_points) << to_string(site);
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
    for (int sample = 0; sample < 4; ++sample) {
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
    if (site.types != ElementType::kInt8 || (site.api == Api::GIN && is_reduction(site))) continue;
    if (site.in_place || site.send_offset_varies) continue;  // They only leave out algorithms.
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
  wide.types = ElementType::kDouble;
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

/// Everything the planner makes: it stages what peers could not reach.
TEST(DesignSpace, EverySiteHasAPointForBothInterfaces) {
  for (auto api : {Api::LSA, Api::GIN})
    for (int collective = 0; collective <= static_cast<int>(Collective::kSendRecv); ++collective)
      for (int flags = 0; flags < 64; ++flags) {
        Site s;
        s.api = api;
        s.collective = static_cast<Collective>(collective);
        s.in_place = (flags & 1) != 0 && s.collective != Collective::kAllToAll;
        s.send_staged = (flags & 2) != 0;
        s.recv_staged = (flags & 4) != 0;
        s.runtime_type = (flags & 8) != 0;
        s.send_offset_varies = (flags & 16) != 0 && s.send_staged;
        s.recv_offset_varies = (flags & 32) != 0 && s.recv_staged;
        if (s.runtime_type) {
          s.types = {ElementType::kInt8, ElementType::kUint64, ElementType::kBfloat16};
          s.ops = {Reduction::kProd, Reduction::kAvg};
        }
        EXPECT_EQ(broken_rule(conservative(s), s), "legal") << to_string(s);
        EXPECT_FALSE(neighbours(conservative(s), s).empty()) << to_string(s);
        EXPECT_EQ(parse_site(to_string(s)).value(), s);
      }
}

TEST(DesignSpace, RootedCollectivesHaveTheirOwnRules) {
  auto rule = [](Collective collective, char const* words, Api api = Api::LSA) {
    Site site;
    site.api = api;
    site.collective = collective;
    return broken_rule(parse_directives(std::string("backend=") + to_string(api) + " " + words).value(),
                       site);
  };
  EXPECT_EQ(rule(Collective::kBroadcast, "algorithm=two_shot"), "legal");
  EXPECT_EQ(rule(Collective::kBroadcast, "algorithm=one_shot"), "algorithm_of_collective");
  EXPECT_EQ(rule(Collective::kReduceScatter, "algorithm=two_shot"), "algorithm_of_collective");
  EXPECT_EQ(rule(Collective::kReduce, "algorithm=push"), "algorithm_of_collective");
  EXPECT_EQ(rule(Collective::kGather, "algorithm=pull issuer=warp"), "legal");
  EXPECT_EQ(rule(Collective::kGather, "algorithm=push issuer=warp"), "one_source");
  EXPECT_EQ(rule(Collective::kScatter, "algorithm=push issuer=warp"), "legal");
  EXPECT_EQ(rule(Collective::kBroadcast, "algorithm=push issuer=warp"), "one_source");
  EXPECT_EQ(rule(Collective::kGather, "algorithm=pull", Api::GIN), "gin_has_no_get");
  EXPECT_EQ(rule(Collective::kGather, "algorithm=push issuer=thread", Api::GIN), "one_destination");
  EXPECT_EQ(rule(Collective::kReduce, "algorithm=one_shot issuer=warp", Api::GIN), "one_destination");
  EXPECT_EQ(rule(Collective::kScatter, "algorithm=push sync=per_peer", Api::GIN), "root_is_the_only_peer");
  EXPECT_EQ(rule(Collective::kReduce, "algorithm=two_shot sync=per_peer", Api::GIN), "legal");
  EXPECT_EQ(rule(Collective::kScatter, "algorithm=push chunk_bytes=16384", Api::GIN), "puts_are_large");
}

TEST(DesignSpace, SendsAndReceivesGoThroughPipes) {
  for (auto api : {Api::LSA, Api::GIN}) {
    Site site;
    site.api = api;
    site.collective = Collective::kSendRecv;
    site.types = {ElementType::kInt8, ElementType::kFloat};
    auto const d = conservative(site);
    EXPECT_EQ(d.algorithm, Algorithm::kPush);
    EXPECT_EQ(broken_rule(d, site), "legal");
    auto with = [&](auto change) {
      auto other = d;
      change(other);
      return broken_rule(other, site);
    };
    EXPECT_EQ(with([](Directives& x) { x.ctas = 32; }), "pipes");
    EXPECT_EQ(with([](Directives& x) { x.ctas = 16; }), "legal");
    EXPECT_EQ(with([](Directives& x) { x.chunk_bytes = 0; }), "slot_of_a_pipe");
    EXPECT_EQ(with([](Directives& x) { x.chunk_bytes = 4194304; }), "slot_of_a_pipe");
    EXPECT_EQ(with([](Directives& x) { x.chunk_bytes = 16384; }), "legal");
    EXPECT_EQ(with([](Directives& x) { x.placement = Placement::kStream; }), "exchange_in_stream_order");
    EXPECT_EQ(with([](Directives& x) { x.sync = SyncScope::kGlobal; }), "pipes_synchronise_in_pairs");
    EXPECT_EQ(with([](Directives& x) { x.issuer = Issuer::kWarp; }), "pipes_move_whole_slots");
    EXPECT_EQ(with([](Directives& x) { x.algorithm = Algorithm::kPull; }), "algorithm_of_collective");
  }
}

TEST(DesignSpace, StagedBuffersAreReachedWhereverTheCallersLie) {
  Site site;
  site.collective = Collective::kBroadcast;
  site.recv_offset_varies = true;
  EXPECT_TRUE(enumerate(site).empty());
  site.recv_staged = true;
  EXPECT_EQ(broken_rule(conservative(site), site), "legal");
  site = Site{};
  site.in_place = true;
  Directives one_shot = conservative(site);
  one_shot.algorithm = Algorithm::kOneShot;
  EXPECT_EQ(broken_rule(one_shot, site), "one_shot_in_place");
  site.recv_staged = true;
  EXPECT_EQ(broken_rule(one_shot, site), "legal");
}

TEST(DesignSpace, LaunchersAreForOneTypeOrForThoseOfTheProgram) {
  Site site;
  site.types = {ElementType::kFloat, ElementType::kHalf};
  EXPECT_EQ(broken_rule(conservative(site), site), "types_of_launcher");
  site.runtime_type = true;
  EXPECT_EQ(broken_rule(conservative(site), site), "legal");
  Directives d = conservative(site);
  d.vector_bytes = 4;
  EXPECT_EQ(broken_rule(d, site), "legal");
  site.types.insert(ElementType::kDouble);
  EXPECT_EQ(broken_rule(d, site), "vector_holds_elements");
  site.collective = Collective::kAllGather;
  site.types = ElementType::kInt8;  // A move takes elements of any size.
  d.algorithm = Algorithm::kPush;
  EXPECT_EQ(broken_rule(d, site), "vector_holds_elements");
  d.vector_bytes = 8;
  EXPECT_EQ(broken_rule(d, site), "legal");
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
