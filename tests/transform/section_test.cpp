// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/generated_section.hpp"

#include <gtest/gtest.h>

#include <string>

#include "cuco/core/rng.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/transform/markers.hpp"
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

}  // namespace
}  // namespace cuco::testing
