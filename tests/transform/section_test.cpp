// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/generated_section.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cuco/core/rng.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/transform/markers.hpp"
#include "transform/collective_points.hpp"
#include "transform/rewriting.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

std::string marked(Api api) {
  auto const code = to_device(api, everything()).value();
  return insert_evolve_markers(code, Analyzer{}.analyze(code).value()).value();
}

TEST(GeneratedSection, RegeneratingAtTheSamePointChangesNothing) {
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const code = marked(api);
    auto const all = read_annotations(code).value();
    ASSERT_EQ(all.size(), 5U);
    EXPECT_EQ(regenerate(code, all).value(), code);
  }
}

TEST(GeneratedSection, EveryPointKeepsFrozenTextAndCanBeReadBack) {
  Rng rng(7);
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const code = marked(api);
    auto const frozen = frozen_hash(code).value();
    auto const original = read_annotations(code).value();
    for (int sample = 0; sample < 40; ++sample) {
      auto all = original;
      for (auto& c : all) {
        auto const points = neighbours(c.directives, c.site);
        c.directives = points[rng.below(points.size())];
      }
      auto const other = regenerate(code, all);
      ASSERT_TRUE(other) << to_line(other.error());
      EXPECT_EQ(frozen_hash(*other).value(), frozen);
      EXPECT_EQ(read_annotations(*other).value(), all);
      EXPECT_NE(*other, code);
      EXPECT_EQ(regenerate(*other, original).value(), code) << "there and back";
      ASSERT_TRUE(Analyzer{}.analyze(*other));
    }
  }
}

TEST(GeneratedSection, OneLauncherByName) {
  auto const code = marked(Api::LSA);
  auto d = read_annotations(code).value()[2].directives;
  d.ctas = 32;
  auto const other = regenerate(code, "all_gather_double", d);
  ASSERT_TRUE(other) << to_line(other.error());
  auto const all = read_annotations(*other).value();
  EXPECT_EQ(all[2].directives.ctas, 32);
  EXPECT_EQ(all[1].directives, read_annotations(code).value()[1].directives);
  EXPECT_EQ(regenerate(code, "broadcast", d).error().code, ErrorCode::kNotFound);
}

TEST(GeneratedSection, RefusesWhatIsNotLegalOrNotThere) {
  auto const code = marked(Api::LSA);
  auto all = read_annotations(code).value();
  all[0].directives.placement = Placement::kFused;
  EXPECT_EQ(regenerate(code, all).error().code, ErrorCode::kInvalidArgument);
  all = read_annotations(code).value();
  all.pop_back();
  EXPECT_EQ(regenerate(code, all).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(regenerate(plain_sum(), {}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(read_annotations(plain_sum()).value().empty());
}

TEST(GeneratedSection, DamagedAnnotationsAreErrorsWithTheLine) {
  auto code = marked(Api::LSA);
  std::size_t const at = code.find("algorithm=two_shot");
  code.replace(at, 18, "algorithm=whatever");
  auto const all = read_annotations(code, "x.cu");
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, ErrorCode::kParse);
  EXPECT_EQ(all.error().line, line_of(code, "algorithm=whatever"));
  // In a string it is no annotation.
  EXPECT_TRUE(read_annotations("const char* s = \"// cuco: section begin api=lsa\";\n").value().empty());
}

TEST(GeneratedSection, WhateverAModelWroteIntoItIsReplaced) {
  auto const code = marked(Api::GIN);
  auto edited = code;
  std::size_t const at = edited.find("const size_t piece");
  edited.insert(at, "int nonsense = 1; ");
  EXPECT_EQ(regenerate(edited, read_annotations(edited).value()).value(), code);
}

/// Sites of every collective, with staged buffers and with types that are known at run time.
std::vector<Site> many_sites(Api api) {
  std::vector<Site> out;
  for (int collective = 0; collective <= static_cast<int>(Collective::kSendRecv); ++collective)
    for (int flags = 0; flags < 8; ++flags) {
      Site site;
      site.api = api;
      site.collective = static_cast<Collective>(collective);
      site.send_staged = (flags & 1) != 0;
      site.recv_staged = site.several_streams = (flags & 2) != 0;
      site.runtime_type = (flags & 4) != 0;
      if (site.runtime_type) {
        site.types = {ElementType::kInt8, ElementType::kInt64, ElementType::kBfloat16};
        site.ops = {Reduction::kProd, Reduction::kAvg};
      }
      out.push_back(site);
    }
  return out;
}

TEST(GeneratedSection, EveryCollectiveCanBeWrittenAtAnyPoint) {
  Rng rng(11);
  for (auto api : {Api::LSA, Api::GIN})
    for (Site const& site : many_sites(api)) {
      auto const points = enumerate(site);
      ASSERT_FALSE(points.empty()) << to_string(site);
      for (int sample = 0; sample < 5; ++sample) {
        impl::Launcher const l{impl::name_of(site) + "_staged", site, points[rng.below(points.size())]};
        std::string const text = impl::section_text(api, {l}, true);
        std::string const where = to_string(site) + " " + to_string(l.directives);
        // Nothing was left open, braces match, and the lines stay short but for the annotation.
        for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1))
          ADD_FAILURE() << where << ": " << text.substr(at, 30);
        EXPECT_EQ(std::count(text.begin(), text.end(), '{'), std::count(text.begin(), text.end(), '}'))
            << where;
        EXPECT_EQ(text.find('\x02'), std::string::npos);
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);)
          EXPECT_TRUE(line.size() <= 120 || line.find(impl::kLauncherTag) == 0) << where << "\n" << line;
        EXPECT_NE(text.find("device_nccl"), std::string::npos);
        auto const back = read_annotations(text).value();
        ASSERT_EQ(back.size(), 1U);
        EXPECT_EQ(back[0].site, site);
        EXPECT_EQ(regenerate(text, back).value(), text);
      }
    }
}

TEST(GeneratedSection, LaunchersShareNothingTheyMayNotShare) {
  for (auto api : {Api::LSA, Api::GIN}) {
    auto const all = tried_points(api);
    std::string const text = section_of(api, all);
    std::set<std::string> areas;
    int found = 0;
    for (char const* word :
         {"constexpr int kScratchArea = ", "constexpr int kSendArea = ", "constexpr int kRecvArea = "})
      for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        std::size_t const value = at + std::string(word).size();
        areas.insert(text.substr(value, text.find(';', value) - value));
        ++found;
      }
    EXPECT_EQ(static_cast<int>(areas.size()), found);
    EXPECT_GT(found, 4);
    std::set<std::string> barriers;
    std::string const first = "constexpr int kFirstBarrier = ";
    for (std::size_t at = text.find(first); at != std::string::npos; at = text.find(first, at + 1))
      barriers.insert(text.substr(at + first.size(), text.find(';', at) - at - first.size()));
    EXPECT_EQ(barriers.size(), all.size());
  }
}

}  // namespace
}  // namespace cuco::testing
