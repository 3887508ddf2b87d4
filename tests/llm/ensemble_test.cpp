// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/llm/ensemble.hpp"

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../contract/llm_backend_contract.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/llm/asymmetric_ucb.hpp"
#include "cuco/llm/cost_aware_ucb.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/thompson_policy.hpp"
#include "cuco/llm/weighted_policy.hpp"

namespace cuco {
namespace {

using testing::chat_request;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Named {
  std::string name;
  ScriptedBackend inner;
  Result<ChatReply> complete(ChatRequest const& request) { return inner.complete(request); }
  [[nodiscard]] std::string model() const { return name; }
};

/// An arm that answers with its name.
Named arm(std::string const& name) {
  return {name, ScriptedBackend(ScriptedBackend::Function([name](ChatRequest const&) {
            ChatReply reply;
            reply.text = "by " + name;
            reply.model = name + "-2026-01-01";
            reply.provider_state = "state of " + name;
            return reply;
          }))};
}

Named failing_arm(std::string const& name, long status) {
  return {name, ScriptedBackend(ScriptedBackend::Function([=](ChatRequest const&) -> Result<ChatReply> {
            return tl::unexpected<Error>(provider_error(name, status, std::nullopt, "no"));
          }))};
}

TEST(Ensemble, NamesTheArmThatAnswered) {
  Ensemble ensemble{{arm("p:a"), arm("p:b"), arm("p:a")}};
  EXPECT_THAT(ensemble.arms(), ElementsAre("p:a", "p:b", "p:a#2"));
  EXPECT_EQ(ensemble.model(), "ensemble:p:a|p:b|p:a#2");
  std::map<std::string, int> answered;
  for (int i = 0; i < 600; ++i) {
    auto const reply = ensemble.complete(chat_request(std::to_string(i)));
    ASSERT_TRUE(reply);
    ++answered[reply->model];
    EXPECT_TRUE(reply->model.starts_with(reply->text.substr(3)));
  }
  ASSERT_EQ(answered.size(), 3U);
  for (auto const& [name, count] : answered) EXPECT_NEAR(count, 200, 60) << name;
}

TEST(Ensemble, WithoutArmsOrWithWrongOptionsIsAnError) {
  EXPECT_EQ(Ensemble{std::vector<AnyBackend>{}}.complete(chat_request("x")).error().code,
            ErrorCode::kInvalidArgument);
  Ensemble wrong{{arm("p:a")}, WeightedPolicy({1, 2})};
  EXPECT_EQ(wrong.complete(chat_request("x")).error().code, ErrorCode::kInvalidArgument);
}

TEST(Ensemble, TheChoiceIsReproducible) {
  auto const choices = [](std::uint64_t seed, bool shuffled) {
    Ensemble ensemble{{arm("p:a"), arm("p:b"), arm("p:c")}, UniformPolicy{}, {.seed = seed}};
    std::map<std::string, std::vector<std::string>> out;
    for (int i = 0; i < 60; ++i) {
      // Which request came first does not matter, only how often it came.
      auto const text = std::to_string((shuffled ? 59 - i : i) % 20);
      out[text].push_back(ensemble.complete(chat_request(text))->model);
    }
    return out;
  };
  EXPECT_EQ(choices(1, false), choices(1, false));
  EXPECT_EQ(choices(1, false), choices(1, true));
  EXPECT_NE(choices(1, false), choices(2, false));
  std::set<std::string> seen;
  auto const one = choices(1, false);
  for (char const* text : {"3", "4"}) seen.insert(one.at(text).begin(), one.at(text).end());
  EXPECT_GT(seen.size(), 1U) << "asking again is a new draw";
}

TEST(Ensemble, AConversationStaysWithItsArm) {
  Ensemble ensemble{{arm("p:a"), arm("p:b"), arm("p:c")}};
  for (int i = 0; i < 40; ++i) {
    auto request = chat_request("talk " + std::to_string(i));
    auto const first = ensemble.complete(request);
    for (int turn = 0; turn < 3; ++turn) {
      request.messages.push_back({ChatMessage::Role::kAssistant, first->text, {}, {}, first->provider_state});
      request.messages.push_back({ChatMessage::Role::kUser, "that does not compile"});
      EXPECT_EQ(ensemble.complete(request)->model, first->model);
    }
  }
}

TEST(Ensemble, ErrorsOfAnArmArePassedOn) {
  Ensemble ensemble{{failing_arm("p:a", 500)}};
  auto const reply = ensemble.complete(chat_request("x"));
  ASSERT_FALSE(reply);
  EXPECT_TRUE(is_retryable(reply.error()));
  EXPECT_THAT(reply.error().cause, HasSubstr("p:a"));
}

TEST(Ensemble, AsksTheNextArmOnAPassingErrorIfTold) {
  for (int i = 0; i < 20; ++i) {
    auto const down = failing_arm("p:down", 503);
    Ensemble ensemble{{down, arm("p:up")}, UniformPolicy{}, {.next_on_error = true}};
    EXPECT_EQ(ensemble.complete(chat_request(std::to_string(i)))->model, "p:up");
  }
  // What one provider rejects is not tried on others.
  auto const other = arm("p:b");
  Ensemble strict{{failing_arm("p:a", 400), other}, WeightedPolicy({1, 0}), {.next_on_error = true}};
  EXPECT_EQ(strict.complete(chat_request("x")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(other.inner.requests().empty());
  // All down: the last error, after each was asked once.
  auto const a = failing_arm("p:a", 503);
  auto const b = failing_arm("p:b", 500);
  Ensemble dead{{a, b}, UniformPolicy{}, {.next_on_error = true}};
  EXPECT_FALSE(dead.complete(chat_request("x")));
  EXPECT_EQ(a.inner.requests().size(), 1U);
  EXPECT_EQ(b.inner.requests().size(), 1U);
}

TEST(Ensemble, AnotherArmGetsAConversationWithoutTheFirstOnesState) {
  int calls = 0;
  Named flaky{"p:flaky",
              ScriptedBackend(ScriptedBackend::Function([&](ChatRequest const&) -> Result<ChatReply> {
                if (calls++ > 0)
                  return tl::unexpected<Error>(provider_error("p:flaky", 503, std::nullopt, "down"));
                ChatReply reply;
                reply.text = "first";
                reply.provider_state = "private";
                return reply;
              }))};
  auto const helper = arm("p:helper");
  Ensemble ensemble{{flaky, helper}, WeightedPolicy({1, 0}), {.next_on_error = true}};
  auto request = chat_request("talk");
  auto const first = ensemble.complete(request);
  ASSERT_EQ(first->model, "p:flaky");
  request.messages.push_back({ChatMessage::Role::kAssistant, first->text, {}, {}, first->provider_state});
  request.messages.push_back({ChatMessage::Role::kUser, "go on"});
  EXPECT_EQ(ensemble.complete(request)->model, "p:helper");
  ASSERT_EQ(helper.inner.requests().size(), 1U);
  EXPECT_EQ(helper.inner.requests()[0].messages[1].provider_state, "");
  EXPECT_EQ(helper.inner.requests()[0].messages[1].text, "first");
  // It keeps the conversation from now on.
  EXPECT_EQ(ensemble.complete(request)->model, "p:helper");
}

Program program(
    std::string id, int generation, std::string parent, std::string model, std::optional<double> score) {
  Program p;
  p.id = {std::move(id)};
  p.generation = generation;
  p.parent_id = {std::move(parent)};
  p.correct = score.has_value();
  p.combined_score = score.value_or(0);
  if (!model.empty()) p.metadata.push_back({"model_name", std::move(model)});
  return p;
}

Event event(Event::Kind kind, int generation, Program const* p = nullptr) {
  return Event{kind, generation, 100, p, nullptr, {}};
}

using Kind = Event::Kind;

TEST(EnsembleLearning, RewardParentAndBaselineComeFromTheEvents) {
  Ensemble ensemble{{arm("p:a"), arm("p:b")}, AsymmetricUcb({.scale = 1})};
  auto observer = ensemble.observer();
  AsymmetricUcb expected({.scale = 1});
  ASSERT_TRUE(expected.start(2));
  auto tell = [&](Kind kind, Program const& p) { observer.on(event(kind, p.generation, &p)); };

  observer.on(event(Kind::kStarted, 0));
  tell(Kind::kEvaluated, program("s0", 0, "", "", 4.0));
  tell(Kind::kEvaluated, program("s1", 0, "", "", 5.0));
  tell(Kind::kEvaluated, program("broken", 0, "", "", std::nullopt));

  tell(Kind::kProposed, program("x1", 1, "s0", "p:a", std::nullopt));
  expected.submitted(0);
  tell(Kind::kEvaluated, program("x1", 1, "s0", "p:a", 7.0));
  expected.completed(0, {.reward = 7, .parent = 4, .baseline = 5});

  tell(Kind::kProposed, program("x2", 2, "x1", "p:b", std::nullopt));
  tell(Kind::kEvaluated, program("x2", 2, "x1", "p:b", std::nullopt));
  expected.submitted(1);
  expected.completed(1, {.parent = 7, .baseline = 5});

  // The parent is x1's copy on island 3, which no event announced; the program cost something.
  auto child = program("x3", 3, "x1.i3", "p:b", 9.0);
  child.metadata.push_back({"api_costs", "0.25"});
  tell(Kind::kEvaluated, child);
  expected.completed(1, {.reward = 9, .parent = 7, .baseline = 5, .cost_usd = 0.25});

  // The parent is not correct, unknown, or the program is somebody else's.
  tell(Kind::kEvaluated, program("x4", 4, "x2", "p:a", 6.0));
  expected.completed(0, {.reward = 6, .baseline = 5});
  tell(Kind::kEvaluated, program("x5", 5, "x4", "directives", 50.0));
  tell(Kind::kEvaluated, program("x6", 6, "x5", "", 60.0));
  tell(Kind::kEvaluated, program("x7", 7, "x6", "p:a", 61.0));
  expected.completed(0, {.reward = 61, .parent = 60, .baseline = 5});
  EXPECT_EQ(ensemble.policy().save(), expected.save());
}

/// A run of an ensemble: every generation asks once or twice, and makes a program of the last answer. `slots`
/// proposals are in flight.
template <class Policy>
struct ToyRun {
  Ensemble<Policy> ensemble;
  typename Ensemble<Policy>::Observer observer;
  int slots;
  std::vector<Program> stored{};    ///< Survives a restart,
  std::vector<Program> proposed{};  ///< and so do proposals, by generation.
  std::vector<std::string> chosen{};

  explicit ToyRun(int k)
      : ensemble{{arm("p:a"), arm("p:b"), arm("p:c")}, Policy(), {.seed = 11}},
        observer(ensemble.observer()),
        slots(k) {}

  void begin() {
    for (auto const& p : stored) observer.on(event(Kind::kRestored, p.generation, &p));
    int const first = stored.empty() ? 0 : stored.back().generation + 1;
    observer.on(event(Kind::kStarted, first));
    if (stored.empty()) {
      auto const seed = program("s", 0, "", "", 100.0);
      observer.on(event(Kind::kProposed, 0, &seed));
      store(seed);
      // A copy on another island: in the storage, but not announced.
      auto copy = program("s.i1", 0, "", "", 100.0);
      copy.metadata.push_back({"_is_island_copy", "true"});
      stored.insert(stored.end() - 1, copy);
    }
  }
  void store(Program const& p) {
    observer.on(event(Kind::kEvaluated, p.generation, &p));
    stored.push_back(p);
  }
  void propose(int g, bool killed_after_asking = false) {
    if (static_cast<int>(proposed.size()) < g) {
      int const asked = 1 + g % 2;
      std::string name;
      for (int i = 0; i < asked; ++i)
        name = ensemble.complete(chat_request(g % 3 == 0 ? "same" : std::to_string(g)))->model;
      if (killed_after_asking) return;
      auto const parent = stored.back();
      auto p = program("x" + std::to_string(g), g, parent.id.value, name, std::nullopt);
      p.metadata.push_back({"api_costs", name == "p:c" ? "0.01" : "0.5"});
      proposed.push_back(p);
    }
    chosen.push_back(attribute_or(proposed[static_cast<std::size_t>(g) - 1].metadata, "model_name"));
    observer.on(event(Kind::kProposed, g, &proposed[static_cast<std::size_t>(g) - 1]));
  }
  void evaluate(int g) {
    auto p = proposed[static_cast<std::size_t>(g) - 1];
    auto const luck = hash64(p.id.value + attribute_or(p.metadata, "model_name")) % 100;
    p.correct = luck > 20;
    p.combined_score = p.correct ? 80.0 + static_cast<double>(luck) +
                                       (attribute_or(p.metadata, "model_name") == "p:b" ? 30 : 0)
                                 : 0;
    store(p);
  }
  /// Generations up to `last`; the next to propose is `next`.
  void go(int last, int kill_while_asking = -1) {
    int next = stored.back().generation + 1;
    int done = stored.back().generation;
    for (; next <= last; ++next) {
      while (next - done > slots) evaluate(++done);
      propose(next, next == kill_while_asking);
      if (next == kill_while_asking) return;
    }
  }
};

template <class Policy>
class EnsembleResume : public ::testing::Test {};
using Resumable = ::testing::Types<UniformPolicy, AsymmetricUcb, CostAwareUcb, ThompsonPolicy>;
TYPED_TEST_SUITE(EnsembleResume, Resumable);

TYPED_TEST(EnsembleResume, AResumedRunChoosesLikeTheUninterruptedOne) {
  for (int const slots : {1, 3}) {
    ToyRun<TypeParam> whole(slots);
    whole.begin();
    whole.go(40);
    for (int const kill : {1, 2, 7, 19, 20, 39}) {
      ToyRun<TypeParam> first(slots);
      first.begin();
      first.go(40, kill);
      ToyRun<TypeParam> second(slots);
      second.stored = first.stored;
      second.proposed = first.proposed;
      second.begin();
      second.go(40);
      ASSERT_EQ(second.ensemble.save(), whole.ensemble.save()) << "killed in generation " << kill;
      ASSERT_EQ(second.stored.size(), whole.stored.size());
      for (std::size_t i = 0; i < whole.stored.size(); ++i)
        ASSERT_EQ(attribute_or(second.stored[i].metadata, "model_name"),
                  attribute_or(whole.stored[i].metadata, "model_name"))
            << "killed in generation " << kill << ", program " << i;
    }
  }
}

TEST(EnsembleResumeInOneProcess, RestoredProgramsAreNotCountedTwice) {
  ToyRun<AsymmetricUcb> run(1);
  run.begin();
  run.go(20);
  auto const before = run.ensemble.save();
  // The same evolution is run on with more generations: it tells all its programs again.
  for (auto const& p : run.stored) run.observer.on(event(Kind::kRestored, p.generation, &p));
  run.observer.on(event(Kind::kStarted, run.stored.back().generation + 1));
  run.observer.on(event(Kind::kProposed, 20, &run.proposed[19]));
  EXPECT_EQ(run.ensemble.save(), before);
}

TEST(EnsembleState, IsSavedAndLoadedByName) {
  ToyRun<AsymmetricUcb> run(1);
  run.begin();
  run.go(30);
  auto const text = run.ensemble.save();
  Ensemble same{{arm("p:a"), arm("p:b"), arm("p:c")}, AsymmetricUcb{}};
  ASSERT_TRUE(same.load(text));
  EXPECT_EQ(same.save(), text);
  // Another order, one gone, one new: what is known of a model stays with it.
  Ensemble other{{arm("p:c"), arm("p:new"), arm("p:a")}, AsymmetricUcb{}};
  ASSERT_TRUE(other.load(text));
  auto const tries = other.policy().tries();
  auto const old = run.ensemble.policy().tries();
  EXPECT_THAT(tries, ElementsAre(old[2], 0, old[0]));
  EXPECT_THAT(other.policy().posterior(), ElementsAre(0, 1, 0)) << "the new one is tried first";
  // Other text changes nothing.
  for (std::string const& bad :
       {std::string(), std::string("{}"), std::string("\xff"), text.substr(0, text.size() / 2)}) {
    auto const loaded = same.load(bad);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kParse);
    EXPECT_EQ(same.save(), text);
  }
  EXPECT_FALSE((Ensemble{{arm("p:a")}, ThompsonPolicy{}}.load(text))) << "another policy's state";
}

TEST(EnsembleLearning, ConversationsThatNoProgramComesOfDoNotCount) {
  int chosen = 0;
  for (int i = 0; i < 100; ++i) {
    Ensemble ensemble{{arm("p:a"), arm("p:b")}, AsymmetricUcb({.epsilon = 0})};
    auto observer = ensemble.observer();
    auto const seed = program("s", 0, "", "", 100.0);
    auto const good = program("x1", 1, "s", "p:a", 200.0);
    auto const bad = program("x2", 2, "s", "p:b", std::nullopt);
    observer.on(event(Kind::kStarted, 0));
    for (auto const* p : {&seed, &good, &bad}) {
      observer.on(event(Kind::kProposed, p->generation, p));
      observer.on(event(Kind::kEvaluated, p->generation, p));
    }
    ASSERT_THAT(ensemble.policy().posterior(), ElementsAre(1, 0));
    auto adviser = ensemble.aside();
    EXPECT_EQ(adviser.model(), ensemble.model());
    auto const advice = adviser.complete(chat_request("what was learned? " + std::to_string(i)));
    EXPECT_EQ(advice->model, "p:a") << "the same policy";
    chosen += ensemble.complete(chat_request("mutate " + std::to_string(i)))->model == "p:a" ? 1 : 0;
  }
  EXPECT_EQ(chosen, 100);
}

TEST(Ensemble, AConversationAsideStaysWithItsArmAndIsNotTheOneOfAMutator) {
  Ensemble ensemble{{arm("p:a"), arm("p:b"), arm("p:c")}, UniformPolicy{}, {.seed = 2}};
  auto adviser = ensemble.aside();
  std::vector<std::string> with;
  std::vector<std::string> without;
  for (int i = 0; i < 40; ++i) {
    auto request = chat_request("talk " + std::to_string(i));
    auto const first = adviser.complete(request);
    with.push_back(ensemble.complete(request)->model);
    request.messages.push_back({ChatMessage::Role::kAssistant, first->text});
    request.messages.push_back({ChatMessage::Role::kUser, "more"});
    EXPECT_EQ(adviser.complete(request)->model, first->model);
  }
  Ensemble alone{{arm("p:a"), arm("p:b"), arm("p:c")}, UniformPolicy{}, {.seed = 2}};
  for (int i = 0; i < 40; ++i)
    without.push_back(alone.complete(chat_request("talk " + std::to_string(i)))->model);
  EXPECT_EQ(with, without);
}

TEST(EnsembleLearning, AnArmWhoseRepliesAreNeverUsableDoesNotHoldTheRun) {
  Ensemble ensemble{{arm("p:useless"), arm("p:fine")}, AsymmetricUcb{}};
  auto observer = ensemble.observer();
  auto const seed = program("s", 0, "", "", 100.0);
  observer.on(event(Kind::kStarted, 0));
  observer.on(event(Kind::kEvaluated, 0, &seed));
  observer.on(event(Kind::kProposed, 0, &seed));
  int calls = 0;
  int programs = 0;
  for (int g = 1; g < 60; ++g) {
    std::string name;
    // A mutator that tries up to five conversations until one gives a program.
    for (int i = 0; i < 5 && name != "p:fine"; ++i, ++calls)
      name = ensemble.complete(chat_request(std::to_string(g) + "/" + std::to_string(i)))->model;
    auto const p = program("x" + std::to_string(g), g, "s", name, 101.0);
    if (name == "p:fine") {
      ++programs;
      observer.on(event(Kind::kProposed, g, &p));
      observer.on(event(Kind::kEvaluated, g, &p));
    } else {
      observer.on(event(Kind::kSkipped, g));
    }
  }
  EXPECT_GE(programs, 57);
  EXPECT_LE(calls, 59 * 2.5) << "it costs about one call per generation";
}

}  // namespace
}  // namespace cuco
