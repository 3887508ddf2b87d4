// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/directives/directives.hpp"

#include <gtest/gtest.h>

#include <string>

#include "cuco/directives/design_space.hpp"
#include "cuco/directives/site.hpp"

namespace cuco {
namespace {

TEST(Directives, TextNamesEveryFieldInOrder) {
  EXPECT_EQ(
      to_string(Directives{}),
      "backend=lsa algorithm=two_shot placement=deferred sync=per_block issuer=block ctas=16 threads=512 "
      "vector_bytes=16 unroll=4 chunk_bytes=0 contexts=1");
}

TEST(Directives, EveryPointSurvivesTheRoundTrip) {
  for (auto api : {Api::LSA, Api::GIN}) {
    Site site;
    site.api = api;
    site.collective = Collective::kAllToAll;
    for (Directives const& d : enumerate(site)) {
      auto const back = parse_directives(to_string(d));
      ASSERT_TRUE(back) << to_line(back.error());
      ASSERT_EQ(*back, d);
    }
  }
}

TEST(Directives, WordsMayComeInAnyOrderAndMissing) {
  auto const d = parse_directives("  ctas=32\tbackend=gin  ");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->ctas, 32);
  EXPECT_EQ(d->backend, Backend::kGin);
  EXPECT_EQ(d->threads, Directives{}.threads);
  EXPECT_EQ(parse_directives("").value(), Directives{});
}

TEST(Directives, BadTextNamesTheWord) {
  for (auto [text, word] : {std::pair{"ctas=", "ctas"},
                            {"ctas=-1", "ctas"},
                            {"ctas=4x", "ctas"},
                            {"ctas", "ctas"},
                            {"colour=red", "colour"},
                            {"backend=tcp", "backend"},
                            {"ctas=1 ctas=1", "ctas"},
                            {"ctas=99999999999999999999", "ctas"},
                            {"=4", "''"}}) {
    auto const d = parse_directives(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().code, ErrorCode::kParse);
    EXPECT_NE(d.error().cause.find(word), std::string::npos) << d.error().cause;
    EXPECT_FALSE(d.error().remedy.empty());
  }
}

TEST(Site, SurvivesTheRoundTrip) {
  Site site;
  site.collective = Collective::kAllGather;
  site.types = ElementType::kBfloat16;
  site.ops = Reduction::kAvg;
  site.in_place = site.recv_offset_varies = site.several_streams = true;
  site.api = Api::GIN;
  site.max_ranks = 8;
  site.resident_ctas = 78;
  EXPECT_EQ(parse_site(to_string(site)).value(), site);
  site.collective = Collective::kReduceScatter;
  site.types = {ElementType::kDouble, ElementType::kHalf};
  site.ops = {Reduction::kMax, Reduction::kSum};
  site.runtime_type = site.send_staged = site.recv_staged = true;
  EXPECT_NE(to_string(site).find("collective=reduce_scatter type=half+double op=sum+max runtime_type=yes"),
            std::string::npos);
  EXPECT_EQ(parse_site(to_string(site)).value(), site);
  EXPECT_FALSE(parse_site("type=half+"));
  EXPECT_FALSE(parse_site("type="));
  EXPECT_FALSE(parse_site("op=sum+sum+median"));
  EXPECT_FALSE(parse_site("collective=gossip"));
  EXPECT_FALSE(parse_site("in_place=maybe"));
  EXPECT_FALSE(parse_site("shoe_size=44"));
}

TEST(Site, LinesWithoutTheNewerWordsKeepTheirMeaning) {
  auto const site = parse_site(
      "collective=all_reduce type=half op=max in_place=yes send_offset_varies=no recv_offset_varies=no "
      "several_streams=no api=gin max_ranks=64 lsa_team_is_world=yes resident_ctas=132");
  ASSERT_TRUE(site) << to_line(site.error());
  Site want;
  want.types = ElementType::kHalf;
  want.ops = Reduction::kMax;
  want.in_place = true;
  want.api = Api::GIN;
  EXPECT_EQ(*site, want);
  EXPECT_FALSE(site->runtime_type || site->send_staged || site->recv_staged);
}

TEST(Site, EveryCollectiveHasAName) {
  for (char const* name : {"all_reduce",
                           "all_gather",
                           "all_to_all",
                           "reduce_scatter",
                           "broadcast",
                           "reduce",
                           "gather",
                           "scatter",
                           "send_recv"})
    EXPECT_STREQ(to_string(parse_site(std::string("collective=") + name).value().collective), name);
}

TEST(SmallSet, KeepsOrderAndForgetsDuplicates) {
  ElementTypes set{ElementType::kDouble, ElementType::kInt8, ElementType::kDouble};
  EXPECT_EQ(set.size(), 2);
  EXPECT_EQ(set.front(), ElementType::kInt8);
  set.insert(ElementTypes{ElementType::kHalf, ElementType::kInt8});
  std::string names;
  for (ElementType type : set) names += std::string(to_string(type)) + " ";
  EXPECT_EQ(names, "int8 half double ");
  EXPECT_FALSE(set.contains(ElementType::kFloat));
  EXPECT_TRUE(ElementTypes{}.empty());
  EXPECT_EQ(ElementTypes{ElementType::kHalf}, ElementTypes(ElementType::kHalf));
}

TEST(Site, KnowsTheSpellingsOfNccl) {
  EXPECT_EQ(element_type_of("ncclFloat"), ElementType::kFloat);
  EXPECT_EQ(element_type_of("ncclFloat32"), ElementType::kFloat);
  EXPECT_EQ(element_type_of("ncclInt"), ElementType::kInt32);
  EXPECT_EQ(element_type_of("ncclHalf"), ElementType::kHalf);
  EXPECT_EQ(element_type_of("ncclFloat8e4m3"), std::nullopt);
  EXPECT_EQ(element_type_of(""), std::nullopt);
  EXPECT_EQ(reduction_of("ncclAvg"), Reduction::kAvg);
  EXPECT_EQ(reduction_of("my_op"), std::nullopt);
  EXPECT_EQ(size_in_bytes(ElementType::kBfloat16), 2);
  EXPECT_STREQ(cpp_name(ElementType::kHalf), "__half");
}

}  // namespace
}  // namespace cuco
