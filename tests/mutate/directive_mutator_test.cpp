// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/mutate/directive_mutator.hpp"
#include "cuco/directives/impl/words.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/mutator_contract.hpp"
#include "cuco/transform/generated_section.hpp"
#include "cuco/transform/markers.hpp"
#include "transform/rewriting.hpp"
#include "transform/seed_text.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

std::string marked(Api api, std::string const& code) {
  auto const device = to_device(api, code).value();
  return insert_evolve_markers(device, Analyzer{}.analyze(device).value()).value();
}

struct Lsa {
  using Model = DirectiveMutator;
  static Model make() { return DirectiveMutator{}; }
  static std::string parent() {
    static std::string const code = marked(Api::LSA, plain_sum());
    return code;
  }
  static std::string hopeless() { return plain_sum(); }
};
struct GinTwoCollectives : Lsa {
  static std::string parent() {
    static std::string const code = marked(Api::GIN, everything());
    return code;
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(DirectiveLsa, MutatorContract, Lsa);
INSTANTIATE_TYPED_TEST_SUITE_P(DirectiveGin, MutatorContract, GinTwoCollectives);

Result<Mutation> mutate(std::string const& code,
                        Phase phase,
                        std::uint64_t seed,
                        std::vector<std::string> const* known = nullptr) {
  Program parent;
  parent.id = {"p"};
  parent.code = code;
  std::vector<Program> const none;
  Rng rng(seed);
  return DirectiveMutator{}.mutate(MutationContext{parent, none, none, 1, phase, {}, {}, known}, rng);
}

int changed_words(std::string const& code, std::string const& parent) {
  auto const a = read_annotations(code).value(), b = read_annotations(parent).value();
  int changed = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto const x = to_string(a[i].directives), y = to_string(b[i].directives);
    auto const u = impl::split_words(x), v = impl::split_words(y);
    for (std::size_t k = 0; k < u.size(); ++k) changed += u[k].second != v[k].second ? 1 : 0;
  }
  return changed;
}

TEST(DirectiveMutator, ExploitTakesOneStep) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    auto const m = mutate(Lsa::parent(), Phase::kExploit, seed);
    ASSERT_TRUE(m);
    EXPECT_EQ(changed_words(m->code, Lsa::parent()), 1) << m->name;
  }
}

TEST(DirectiveMutator, ExploreGoesFarther) {
  int farthest = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    auto const m = mutate(Lsa::parent(), Phase::kExplore, seed);
    ASSERT_TRUE(m);
    farthest = std::max(farthest, changed_words(m->code, Lsa::parent()));
  }
  EXPECT_GE(farthest, 2);
}

TEST(DirectiveMutator, SaysWhatItDid) {
  auto const m = mutate(Lsa::parent(), Phase::kExploit, 3);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->patch_type, "directive");
  auto const all = read_annotations(m->code).value();
  EXPECT_EQ(attribute_or(m->metadata, "directives"), all[0].name + ": " + to_string(all[0].directives));
  EXPECT_NE(m->description.find('='), std::string::npos);
}

TEST(DirectiveMutator, UsesUpASmallSpaceAndThenSaysSo) {
  auto device = marked(Api::GIN, seed_text("alltoall.cu"));
  // One resident CTA leaves few points.
  std::size_t const at = device.find("resident_ctas=132");
  device.replace(at, 17, "resident_ctas=1");
  auto parent = read_annotations(device).value();
  parent[0].directives.ctas = 1;
  device = regenerate(device, parent).value();
  auto const points = enumerate(parent[0].site);
  std::vector<std::string> known;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % 50 != 7 && !(points[i] == parent[0].directives))
      known.push_back(regenerate(device, parent[0].name, points[i]).value());
  std::string cause;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto const m = mutate(device, Phase::kExploit, seed, &known);
    if (!m) {
      EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
      cause = m.error().cause;
      break;
    }
    known.push_back(m->code);
  }
  EXPECT_FALSE(cause.empty());
  EXPECT_EQ(known.size(), points.size() - 1) << "every point but the parent's";
}

/// What a model has written over says nothing about other parents.
TEST(DirectiveMutator, ASectionThatCannotBeReadIsNotFoundToo) {
  auto code = Lsa::parent();
  auto const at = code.find("resident_ctas=");
  ASSERT_NE(at, std::string::npos);
  code.replace(at, 14, "resident_ctas=many ");
  auto m = mutate(code, Phase::kExplore, 1);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_NE(m.error().cause.find("cannot be read"), std::string::npos) << m.error().cause;
  m = mutate("__global__ void k() { /* open", Phase::kExplore, 1);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
}

TEST(DirectiveMutator, NoSectionIsNotFoundWithARemedy) {
  auto const m = mutate(plain_sum(), Phase::kExplore, 1);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(m.error().remedy.empty());
}

}  // namespace
}  // namespace cuco::testing
