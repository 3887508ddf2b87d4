// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/mutate/mixture.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/mutator_contract.hpp"
#include "cuco/mutate/directive_mutator.hpp"
#include "cuco/mutate/fix_mutator.hpp"
#include "cuco/mutate/full_mutator.hpp"
#include "mutate/model_programs.hpp"

namespace cuco::testing {
namespace {

/// Proposes its name, or answers with an error.
struct Named {
  std::string name;
  std::optional<ErrorCode> error{};
  std::optional<double> usd = 0;
  std::shared_ptr<int> asked = std::make_shared<int>(0);
  std::string state{};
  Phase phase = Phase::kExplore;

  Result<Mutation> mutate(MutationContext const& context, Rng& /*rng*/) {
    ++*asked;
    if (error)
      return tl::unexpected<Error>(impl::with_spent(Error{*error, name + " has nothing"}, impl::Spent{usd}));
    Mutation m;
    m.code = context.parent.code + name + "\n";
    m.patch_type = "named";
    m.name = name;
    m.cost_usd = usd;
    return m;
  }
  [[nodiscard]] std::string save() const { return state; }
  void load(std::string_view text) { state = std::string(text); }
  void on_phase(Phase now) { phase = now; }
};
struct Repairing : Named {
  static constexpr bool repairs_failures() { return true; }
};

std::map<std::string, int> draws(Mixture& mixture, Phase phase, int count = 4000) {
  std::map<std::string, int> out;
  Situation situation;
  situation.phase = phase;
  for (int i = 0; i < count; ++i) {
    auto const m = mutate(mixture, situation, static_cast<std::uint64_t>(i));
    ++out[m ? m->name : m.error().cause];
  }
  return out;
}

TEST(Mixture, DrawsByWeightOfThePhase) {
  Mixture mixture{weighted(3, 0, Named{"a"}), weighted(1, Named{"b"}), weighted(0, 4, Named{"c"})};
  auto explore = draws(mixture, Phase::kExplore);
  EXPECT_NEAR(explore["a"], 3000, 150);
  EXPECT_NEAR(explore["b"], 1000, 150);
  EXPECT_EQ(explore.count("c"), 0U);
  auto exploit = draws(mixture, Phase::kExploit);
  EXPECT_NEAR(exploit["b"], 800, 150);
  EXPECT_NEAR(exploit["c"], 3200, 150);
  EXPECT_EQ(exploit.count("a"), 0U);
}

TEST(Mixture, PutsMembersAsideThatHaveNothing) {
  Named const none{"none", ErrorCode::kNotFound};
  Mixture mixture{weighted(8, none), weighted(3, Named{"a"}), weighted(1, Named{"b"})};
  auto const seen = draws(mixture, Phase::kExplore);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_NEAR(seen.at("a"), 3000, 150) << "the rest keep their proportions";
  EXPECT_GT(*none.asked, 2000);
}

TEST(Mixture, NothingFromAnybodyIsNotFound) {
  Mixture mixture{weighted(1, Named{"a", ErrorCode::kNotFound, 0.5}),
                  weighted(2, Named{"b", ErrorCode::kNotFound, 0.25})};
  auto const m = mutate(mixture, Situation{});
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_NE(m.error().cause.find("has nothing"), std::string::npos);
  EXPECT_EQ(impl::spent_of(m.error()).usd, 0.75);
  Mixture weightless{weighted(0, Named{"a"}), weighted(-1, Named{"b"})};
  auto const n = mutate(weightless, Situation{});
  ASSERT_FALSE(n);
  EXPECT_EQ(n.error().code, ErrorCode::kNotFound);
}

TEST(Mixture, CostsOfMembersPutAsideAreNotLost) {
  Named const none{"none", ErrorCode::kNotFound, 0.5};
  Mixture mixture{weighted(1e9, none), weighted(1e-9, Named{"a", {}, 0.25})};
  auto m = mutate(mixture, Situation{});
  ASSERT_TRUE(m);
  EXPECT_EQ(m->cost_usd, 0.75);
  Mixture unknown{weighted(1e9, Named{"none", ErrorCode::kNotFound, std::nullopt}),
                  weighted(1e-9, Named{"a", {}, 0.25})};
  m = mutate(unknown, Situation{});
  ASSERT_TRUE(m);
  EXPECT_EQ(m->cost_usd, std::nullopt);
  Mixture budget{weighted(1e9, none), weighted(1e-9, Named{"a", ErrorCode::kBudget, 0.125})};
  m = mutate(budget, Situation{});
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kBudget) << "other errors end the draw";
  EXPECT_EQ(impl::spent_of(m.error()).usd, 0.625);
}

TEST(Mixture, RepairsFailingParentsFirst) {
  Repairing fixer{{"fix"}};
  Mixture mixture{weighted(1000, Named{"a"}), weighted(0.001, fixer)};
  Situation situation;
  situation.parent = make_program("broken", lsa_program(), false);
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(mutate(mixture, situation, seed)->name, "fix");
  EXPECT_EQ(draws(mixture, Phase::kExplore, 200)["a"], 200) << "for correct ones the weights count";
  // When the repair has nothing, the others are asked.
  Repairing lost{{"lost", ErrorCode::kNotFound}};
  Mixture fallback{weighted(1, Named{"a"}), weighted(1, lost)};
  auto const m = mutate(fallback, situation);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->name, "a");
  EXPECT_EQ(*lost.asked, 1);
  EXPECT_TRUE(AnyMutator(FixMutator(replies(std::vector<std::string>{}))).repairs_failures());
  EXPECT_FALSE(AnyMutator(DirectiveMutator{}).repairs_failures());
}

TEST(Mixture, TellsWhetherItRepairsInThePresentPhase) {
  Repairing const fixer{{"fix"}};
  EXPECT_FALSE((Mixture{weighted(1, Named{"a"})}.repairs_failures()));
  EXPECT_TRUE((Mixture{weighted(1, Named{"a"}), weighted(0.1, fixer)}.repairs_failures()));
  Mixture late{weighted(1, Named{"a"}), weighted(0, 0.1, fixer)};
  EXPECT_FALSE(late.repairs_failures());
  late.on_phase(Phase::kExploit);
  EXPECT_TRUE(late.repairs_failures());
  late.on_phase(Phase::kExplore);
  EXPECT_FALSE(late.repairs_failures());
  // In another mixture, as the command has it: the inner one is asked first for a parent that fails.
  std::vector<Weighted<AnyMutator>> members;
  members.push_back(weighted(0.001, AnyMutator(Mixture{weighted(1000, Named{"b"}), weighted(0.001, fixer)})));
  members.push_back(weighted(1000, AnyMutator(Named{"c"})));
  Mixture outer(std::move(members));
  EXPECT_TRUE(outer.repairs_failures());
  Situation situation;
  situation.parent = make_program("broken", lsa_program(), false);
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(mutate(outer, situation, seed)->name, "fix");
}

TEST(Mixture, PassesPhaseAndStateOn) {
  auto make = [] {
    std::vector<Weighted<AnyMutator>> members;
    members.push_back(weighted(1, AnyMutator(Named{"a"})));
    members.push_back(weighted(1, AnyMutator(DirectiveMutator{})));
    members.push_back(weighted(1, AnyMutator(Named{"b"})));
    return members;
  };
  auto members = make();
  members[0].mutator.load("12:state of a");
  members[2].mutator.load("state of b");
  Mixture const first(std::move(members));
  auto const state = first.save();
  Mixture second(make());
  second.load(state);
  EXPECT_EQ(second.save(), state);
  for (std::string const other : {"", "nonsense", "3:ab", "99999999999999999999:x"}) {
    second.load(other);
    EXPECT_EQ(second.save(), state) << other;
  }
  Mixture small{weighted(1, Named{"a"})};
  auto const before = small.save();
  small.load(state);
  EXPECT_EQ(small.save(), before) << "the state of another mixture";
  AnyMutator any(Named{"x"});
  any.on_phase(Phase::kExploit);
  EXPECT_EQ(any.extract<Named>()->phase, Phase::kExploit);
  EXPECT_EQ(any.extract<DirectiveMutator>(), nullptr);
}

TEST(AnyMutator, WithoutAMutatorIsAnError) {
  AnyMutator none;
  auto const m = mutate(none, Situation{});
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kInternal);
}

/// A mixture of model and rules, under the contract of all mutators.
struct OfBoth {
  using Model = Mixture;
  static Model make() {
    auto number = std::make_shared<int>(16);
    ScriptedBackend backend(
        [number](ChatRequest const&) -> ScriptedBackend::Answer { return reply_of(code_reply(++*number)); });
    return Mixture{weighted(.6, FullMutator{backend}),
                   weighted(.2, DirectiveMutator{}),
                   weighted(.2, FixMutator{backend})};
  }
  static std::string parent() { return lsa_program(); }
  static std::string hopeless() { return "int main() {}\n"; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Mixture, MutatorContract, OfBoth);
struct Erased : OfBoth {
  using Model = AnyMutator;
  static Model make() { return AnyMutator(OfBoth::make()); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(AnyMutator, MutatorContract, Erased);

}  // namespace
}  // namespace cuco::testing
