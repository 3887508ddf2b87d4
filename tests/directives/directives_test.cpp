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
  site.type = ElementType::kBfloat16;
  site.op = Reduction::kAvg;
  site.in_place = site.recv_offset_varies = site.several_streams = true;
  site.api = Api::GIN;
  site.max_ranks = 8;
  site.resident_ctas = 78;
  EXPECT_EQ(parse_site(to_string(site)).value(), site);
  EXPECT_FALSE(parse_site("collective=broadcast"));
  EXPECT_FALSE(parse_site("in_place=maybe"));
  EXPECT_FALSE(parse_site("shoe_size=44"));
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
