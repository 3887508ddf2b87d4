// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The four mutators that ask a model: what they say, what they make of the answer, what they charge.

#include "cuco/mutate/cross_mutator.hpp"
#include "cuco/mutate/diff_mutator.hpp"
#include "cuco/mutate/fix_mutator.hpp"
#include "cuco/mutate/full_mutator.hpp"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "contract/mutator_contract.hpp"
#include "cuco/mutate/impl/ask_model.hpp"
#include "mutate/model_programs.hpp"

namespace cuco::testing {
namespace {

/// Answers in the form that is asked for, each time with another program.
ScriptedBackend inventive() {
  auto number = std::make_shared<int>(16);
  return ScriptedBackend([number](ChatRequest const& request) -> ScriptedBackend::Answer {
    bool const diff = request.messages.front().text.find("SEARCH/REPLACE") != std::string::npos;
    ++*number;
    return reply_of(diff ? diff_reply(*number) : code_reply(*number));
  });
}

template <template <class> class M>
struct OfModel {
  using Model = M<ScriptedBackend>;
  static Model make() { return Model(inventive()); }
  static std::string parent() { return lsa_program(); }
  static std::string hopeless() { return "int main() {}\n"; }
};
using Diff = OfModel<DiffMutator>;
using Full = OfModel<FullMutator>;

/// Gives a crossover something to combine with.
struct Cross : OfModel<CrossMutator> {
  struct Model {
    CrossMutator<ScriptedBackend> inner;
    Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
      std::vector<Program> const others{make_program("a", lsa_program() + "// a\n"),
                                        make_program("b", lsa_program() + "// b\n")};
      std::vector<Program> const none;
      MutationContext richer{context.parent, others, none, context.generation, context.phase};
      richer.known_codes = context.known_codes;
      return inner.mutate(richer, rng);
    }
  };
  static Model make() { return {CrossMutator(inventive())}; }
};
/// Lets the parent fail.
struct Fix : OfModel<FixMutator> {
  struct Model {
    FixMutator<ScriptedBackend> inner;
    Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
      auto failing = context.parent;
      failing.correct = false;
      std::vector<Program> const none;
      MutationContext other{failing, none, none, context.generation, context.phase};
      other.known_codes = context.known_codes;
      return inner.mutate(other, rng);
    }
  };
  static Model make() { return {FixMutator(inventive())}; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(ModelDiff, MutatorContract, Diff);
INSTANTIATE_TYPED_TEST_SUITE_P(ModelFull, MutatorContract, Full);
INSTANTIATE_TYPED_TEST_SUITE_P(ModelCross, MutatorContract, Cross);
INSTANTIATE_TYPED_TEST_SUITE_P(ModelFix, MutatorContract, Fix);

TEST(LlmMutators, ADiffIsAppliedAndSaysWhereItComesFrom) {
  auto backend = replies({diff_reply(32)});
  DiffMutator mutator(backend);
  Situation situation;
  auto const m = mutate(mutator, situation);
  ASSERT_TRUE(m) << to_line(m.error());
  auto expected = lsa_program();
  expected.replace(expected.find("kCtas = 16"), 10, "kCtas = 32");
  EXPECT_EQ(m->code, expected);
  EXPECT_EQ(m->patch_type, "diff");
  EXPECT_EQ(m->name, "more_ctas");
  EXPECT_EQ(m->description, "Uses 32 CTAs.");
  EXPECT_EQ(m->cost_usd, 0.01);
  EXPECT_EQ(attribute_or(m->metadata, "model_name"), "scripted:one");
  EXPECT_EQ(attribute_or(m->metadata, "patch_attempt"), "1");
  EXPECT_EQ(attribute_or(m->metadata, "num_applied"), "1");
  EXPECT_EQ(attribute_or(m->metadata, "prompt_trimmed", "whole"), "whole");
}

TEST(LlmMutators, WholeBlocksReplaceTheBlocks) {
  auto backend = replies({code_reply(8)});
  FullMutator mutator(backend);
  auto const m = mutate(mutator, Situation{});
  ASSERT_TRUE(m) << to_line(m.error());
  EXPECT_EQ(m->patch_type, "full");
  EXPECT_EQ(m->name, "whole_blocks");
  EXPECT_NE(m->code.find("constexpr int kCtas = 8;"), std::string::npos);
  EXPECT_NE(m->code.find("// frozen: how many"), std::string::npos);
  EXPECT_EQ(m->code.find("float* from"), std::string::npos);
}

TEST(LlmMutators, TheRequestHoldsEverythingTheModelNeeds) {
  auto backend = replies({diff_reply(32)});
  DiffMutator mutator(backend,
                      {.max_tokens = 777, .effort = Effort::kHigh, .hardware = "2 x TestGPU over TestLink"});
  Situation situation;
  situation.parent.text_feedback = "phase two takes 80 percent";
  situation.task = "be quick at 64 KiB";
  situation.recommendations = "1. try one phase";
  situation.archive = {make_program("arch", lsa_program() + "// from the archive\n", true, 4321)};
  situation.top_k = {make_program("top", lsa_program() + "// from the top\n")};
  situation.failures = {make_program("bad", lsa_program() + "// bad\n", false)};
  situation.failures[0].text_feedback = "deadlock in barrier 3";
  situation.failures[0].code_diff = "-old line\n+new line\n";
  situation.failures[0].metadata.push_back({"patch_description", "skips a barrier"});
  ASSERT_TRUE(mutate(mutator, situation));
  auto const requests = backend.requests();
  ASSERT_EQ(requests.size(), 1U);
  auto const& request = requests[0];
  ASSERT_EQ(request.messages.size(), 1U);
  EXPECT_EQ(request.max_tokens, 777);
  EXPECT_EQ(request.effort, Effort::kHigh);
  auto const& user = request.messages[0].text;
  for (char const* part : {"phase two takes 80 percent",
                           "1. try one phase",
                           "// from the archive",
                           "combined_score 4321; time_ms 0.25 (times are modelled)",
                           "// from the top",
                           "deadlock in barrier 3",
                           "+new line",
                           "skips a barrier",
                           "failed: wrong_answer: rank 1: element 7 differs",
                           "Lines that may change: 6 to 16, 22. Frozen lines: 1 to 5, 17 to 21, 23 to 25."})
    EXPECT_NE(user.find(part), std::string::npos) << part;
  EXPECT_NE(user.find(situation.parent.code), std::string::npos)
      << "the program is shown whole, with its markers";
  for (char const* part : {"be quick at 64 KiB", "2 x TestGPU over TestLink", "<<<<<<< SEARCH"})
    EXPECT_NE(request.system.find(part), std::string::npos) << part;
  // What stays the same from call to call comes first, so that providers can keep it.
  EXPECT_EQ(request.system.find("first_try"), std::string::npos);
}

TEST(LlmMutators, TheCardsAreThoseOfTheParentsInterface) {
  auto system_for = [](std::string const& code) {
    auto backend = replies({"nothing"});
    DiffMutator mutator(backend, {.attempts = 1});
    Situation situation;
    situation.parent.code = code;
    EXPECT_FALSE(mutate(mutator, situation));
    return backend.requests().at(0).system;
  };
  std::string const lsa = "# LSA: load and store";
  std::string const gin = "# GIN: one-sided";
  auto const has = [](std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
  };
  auto system = system_for(lsa_program());
  EXPECT_TRUE(has(system, lsa) && !has(system, gin));
  system = system_for(gin_program());
  EXPECT_TRUE(!has(system, lsa) && has(system, gin));
  system = system_for(lsa_program() + gin_program());
  EXPECT_TRUE(has(system, lsa) && has(system, gin));
  // Neither: the model may choose. Words in comments and under #if 0 are no use of an interface.
  system = system_for("// EVOLVE-BLOCK-START\n// ncclGin\n#if 0\nncclGin g;\n#endif\n// EVOLVE-BLOCK-END\n");
  EXPECT_TRUE(has(system, lsa) && has(system, gin));
  EXPECT_TRUE(has(system, "both interfaces"));
}

TEST(LlmMutators, AFailingReplyBecomesTheNextTurn) {
  std::string const wrong =
      "<DIFF>\n<<<<<<< SEARCH\nint no_such_line;\n=======\nint x;\n>>>>>>> REPLACE\n</DIFF>";
  auto backend = replies({reply_of(wrong, 0.25), reply_of(diff_reply(64), 0.5)});
  DiffMutator mutator(backend);
  auto const m = mutate(mutator, Situation{});
  ASSERT_TRUE(m) << to_line(m.error());
  EXPECT_EQ(m->cost_usd, 0.75);
  EXPECT_EQ(attribute_or(m->metadata, "patch_attempt"), "2");
  auto const requests = backend.requests();
  ASSERT_EQ(requests.size(), 2U);
  ASSERT_EQ(requests[1].messages.size(), 3U);
  EXPECT_EQ(requests[1].system, requests[0].system);
  EXPECT_EQ(requests[1].messages[0], requests[0].messages[0]);
  EXPECT_EQ(requests[1].temperature, requests[0].temperature);
  EXPECT_EQ(requests[1].messages[1].role, ChatMessage::Role::kAssistant);
  EXPECT_EQ(requests[1].messages[1].text, wrong);
  EXPECT_EQ(requests[1].messages[2].role, ChatMessage::Role::kUser);
  EXPECT_NE(requests[1].messages[2].text.find("could not be applied"), std::string::npos);
  EXPECT_NE(requests[1].messages[2].text.find("Attempts left: 3"), std::string::npos);
}

TEST(LlmMutators, SignedThinkingGoesBackWithItsTurn) {
  auto first = reply_of("prose");
  first.provider_state = R"([{"signature":"abc"}])";
  auto backend = replies({first, reply_of(diff_reply(64))});
  DiffMutator mutator(backend);
  ASSERT_TRUE(mutate(mutator, Situation{}));
  EXPECT_EQ(backend.requests().at(1).messages.at(1).provider_state, first.provider_state);
}

TEST(LlmMutators, AfterTheLastAttemptItIsNotFoundAndTheCostIsKnown) {
  auto backend = replies({reply_of("one", 0.5), reply_of("two", 0.25), reply_of("three", 0.125)});
  DiffMutator mutator(backend, {.attempts = 3});
  auto const m = mutate(mutator, Situation{});
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_NE(m.error().cause.find("nothing"), std::string::npos) << m.error().cause;
  EXPECT_EQ(impl::spent_of(m.error()).usd, 0.875);
  EXPECT_EQ(backend.requests().size(), 3U);
}

TEST(LlmMutators, AnUnknownPriceStaysUnknown) {
  {
    DiffMutator mutator(replies({reply_of("prose", std::nullopt), reply_of(diff_reply(64), 0.5)}));
    auto const m = mutate(mutator, Situation{});
    ASSERT_TRUE(m);
    EXPECT_EQ(m->cost_usd, std::nullopt);
  }
  DiffMutator mutator(replies({reply_of("prose", std::nullopt)}), {.attempts = 1});
  auto const m = mutate(mutator, Situation{});
  ASSERT_FALSE(m);
  EXPECT_EQ(impl::spent_of(m.error()).usd, std::nullopt);
}

TEST(LlmMutators, CutOffWithheldAndToolRepliesAreNeverCode) {
  // Each holds a diff that would apply, and must not.
  for (auto finish : {FinishReason::kLength, FinishReason::kFiltered, FinishReason::kToolUse}) {
    auto bad = reply_of(diff_reply(99), 0.01, finish);
    bad.tool_calls = {{"id", "run", "{}"}};
    auto backend = replies({bad, reply_of(diff_reply(64))});
    DiffMutator mutator(backend);
    auto const m = mutate(mutator, Situation{});
    ASSERT_TRUE(m) << to_line(m.error());
    EXPECT_NE(m->code.find("kCtas = 64"), std::string::npos);
    auto const second = backend.requests().at(1);
    EXPECT_EQ(all_text(second).find("kCtas = 99"), std::string::npos) << "it is not repeated either";
    EXPECT_TRUE(second.messages.at(1).tool_calls.empty());
    EXPECT_FALSE(second.messages.at(1).text.empty()) << "providers refuse empty turns";
    char const* word = finish == FinishReason::kLength     ? "cut off at 16384 tokens"
                       : finish == FinishReason::kFiltered ? "withheld"
                                                           : "no tools";
    EXPECT_NE(second.messages.at(2).text.find(word), std::string::npos) << second.messages.at(2).text;
  }
}

TEST(LlmMutators, TemperaturesFollowThePhase) {
  std::map<Phase, std::set<double>> seen;
  for (auto phase : {Phase::kExplore, Phase::kExploit})
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      auto backend = replies({diff_reply(64)});
      DiffMutator mutator(backend);
      Situation situation;
      situation.phase = phase;
      auto const m = mutate(mutator, situation, seed);
      ASSERT_TRUE(m);
      auto const temperature = backend.requests().at(0).temperature;
      ASSERT_TRUE(temperature.has_value());
      seen[phase].insert(*temperature);
      EXPECT_EQ(std::stod(attribute_or(m->metadata, "temperature")), *temperature);
    }
  EXPECT_EQ(seen[Phase::kExplore], (std::set<double>{0.2, 0.5, 0.8}));
  EXPECT_EQ(seen[Phase::kExploit], (std::set<double>{0.0, 0.2, 0.5}));
  auto backend = replies({diff_reply(64)});
  DiffMutator mutator(backend, {.explore_temperatures = {}});
  ASSERT_TRUE(mutate(mutator, Situation{}));
  EXPECT_FALSE(backend.requests().at(0).temperature.has_value());
}

TEST(LlmMutators, FullDrawsAllFiveVariants) {
  std::map<std::string, int> variants;
  std::set<std::string> systems;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto backend = replies({code_reply(8)});
    FullMutator mutator(backend);
    auto const m = mutate(mutator, Situation{}, seed);
    ASSERT_TRUE(m);
    ++variants[attribute_or(m->metadata, "patch_variant")];
    systems.insert(backend.requests().at(0).system);
  }
  ASSERT_EQ(variants.size(), 5U);
  EXPECT_EQ(systems.size(), 5U);
  for (auto const& [name, count] : variants) EXPECT_GT(count, 30) << name;
}

TEST(LlmMutators, CrossCombinesWithOneOtherProgram) {
  Situation situation;
  auto backend = inventive();
  CrossMutator mutator(backend);
  auto m = mutate(mutator, situation);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(backend.requests().empty());

  situation.archive = {make_program("twin", situation.parent.code),
                       make_program("a", lsa_program() + "// code a\n")};
  situation.top_k = {make_program("b", lsa_program() + "// code b\n")};
  situation.recommendations = "1. combine boldly";
  std::set<std::string> partners;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    m = mutate(mutator, situation, seed);
    ASSERT_TRUE(m);
    EXPECT_EQ(m->patch_type, "cross");
    auto const partner = attribute_or(m->metadata, "cross_inspiration");
    partners.insert(partner);
    auto const user = backend.requests().back().messages.at(0).text;
    EXPECT_NE(user.find("1. combine boldly"), std::string::npos);
    auto const heading = user.find("# The program to combine it with");
    ASSERT_NE(heading, std::string::npos);
    auto const code = "// code " + partner;
    EXPECT_GT(user.find(code), heading) << "it is shown once, as the partner";
    EXPECT_EQ(user.find(code), user.rfind(code));
  }
  EXPECT_EQ(partners, (std::set<std::string>{"a", "b"})) << "the parent's twin is no partner";
}

TEST(LlmMutators, FixIsForFailingParents) {
  Situation situation;
  auto backend = replies({diff_reply(64), code_reply(8)});
  FixMutator mutator(backend);
  auto m = mutate(mutator, situation);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(backend.requests().empty());

  situation.parent = make_program("broken", lsa_program(), false);
  situation.parent.text_feedback = "error: identifier \"kCtaz\" is undefined";
  m = mutate(mutator, situation);  // blocks of either kind are taken
  ASSERT_TRUE(m) << to_line(m.error());
  EXPECT_EQ(m->patch_type, "fix");
  EXPECT_NE(m->code.find("kCtas = 64"), std::string::npos);
  m = mutate(mutator, situation);
  ASSERT_TRUE(m) << to_line(m.error());
  EXPECT_NE(m->code.find("kCtas = 8"), std::string::npos);
  auto const user = backend.requests().at(0).messages.at(0).text;
  EXPECT_NE(user.find("identifier \"kCtaz\" is undefined"), std::string::npos);
  EXPECT_NE(user.find("failed: wrong_answer: rank 1"), std::string::npos);
}

TEST(LlmMutators, AKnownProgramIsAskedForOnceMoreAndThenGivenUp) {
  auto known = lsa_program();
  known.replace(known.find("kCtas = 16"), 10, "kCtas = 32");
  Situation situation;
  situation.known = {situation.parent.code, known};
  {
    auto backend = replies({diff_reply(32), diff_reply(48)});
    DiffMutator mutator(backend);
    auto const m = mutate(mutator, situation);
    ASSERT_TRUE(m) << to_line(m.error());
    EXPECT_NE(m->code.find("kCtas = 48"), std::string::npos);
    EXPECT_NE(backend.requests().at(1).messages.at(2).text.find("exists already"), std::string::npos);
  }
  {
    auto backend = replies({diff_reply(32), diff_reply(32), diff_reply(48)});
    DiffMutator mutator(backend);
    auto const m = mutate(mutator, situation);
    ASSERT_FALSE(m);
    EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
    EXPECT_NE(m.error().cause.find("exists already"), std::string::npos);
    EXPECT_EQ(backend.requests().size(), 2U);
  }
  // The same but for a comment and layout, of another program and of the parent.
  for (std::string const line :
       {"constexpr   int kCtas = 32;  // more", "constexpr int  kCtas = 16; // same"}) {
    auto backend = replies(
        {"<DIFF>\n<<<<<<< SEARCH\nconstexpr int kCtas = 16;\n=======\n" + line + "\n>>>>>>> REPLACE\n</DIFF>",
         diff_reply(48)});
    DiffMutator mutator(backend);
    auto const m = mutate(mutator, situation);
    ASSERT_TRUE(m) << to_line(m.error());
    EXPECT_EQ(attribute_or(m->metadata, "patch_attempt"), "2") << line;
  }
}

TEST(LlmMutators, ErrorsOfTheBackendArePassedOn) {
  struct Case {
    ErrorCode given, expected;
    std::string detail{};
    std::optional<double> spent = 0.5;
  };
  for (auto const& c :
       {Case{ErrorCode::kBudget, ErrorCode::kBudget},
        Case{ErrorCode::kTimeout, ErrorCode::kTimeout, "http-status: 0\n", std::nullopt},
        Case{ErrorCode::kTimeout, ErrorCode::kTimeout, "http-status: 0\ncost-usd: 0.25\n", 0.75},
        Case{ErrorCode::kProcess, ErrorCode::kProcess, "http-status: 503\nbusy\n"},
        Case{ErrorCode::kRefused, ErrorCode::kRefused},
        Case{ErrorCode::kCancelled, ErrorCode::kCancelled, "cost-usd: 0\n"},
        // That a recording has no answer does not mean that the parent has no children.
        Case{ErrorCode::kNotFound, ErrorCode::kInvalidArgument}}) {
    std::vector<ScriptedBackend::Answer> answers;
    answers.emplace_back(reply_of("prose", 0.5));
    answers.emplace_back(tl::unexpected<Error>(Error{c.given, "because", {}, {}, 0, c.detail}));
    DiffMutator mutator{ScriptedBackend(std::move(answers))};
    auto const m = mutate(mutator, Situation{});
    ASSERT_FALSE(m);
    EXPECT_EQ(m.error().code, c.expected);
    EXPECT_EQ(m.error().cause, "because");
    EXPECT_EQ(impl::spent_of(m.error()).usd, c.spent) << c.detail;
  }
}

TEST(LlmMutators, AParentThatCannotChangeCostsNothing) {
  auto backend = inventive();
  DiffMutator mutator(backend);
  Situation situation;
  for (std::string const code : {"int main() {}\n",
                                 "// EVOLVE-BLOCK-START\nint x;\n",
                                 "// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\n"}) {
    situation.parent.code = code;
    auto const m = mutate(mutator, situation);
    ASSERT_FALSE(m);
    EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  }
  EXPECT_TRUE(backend.requests().empty());
}

TEST(LlmMutators, MissingTemplatesAreNoReasonToTryAnotherParent) {
  DiffMutator mutator(inventive(), {.prompts = "/nowhere/at/all"});
  auto const m = mutate(mutator, Situation{});
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kToolMissing);
}

TEST(LlmMutators, CodeWithBackticksKeepsItsFence) {
  auto backend = replies({"nothing"});
  DiffMutator mutator(backend, {.attempts = 1});
  Situation situation;
  situation.parent.code += "// ````four````\n";
  EXPECT_FALSE(mutate(mutator, situation));
  EXPECT_NE(backend.requests().at(0).messages.at(0).text.find("\n`````cuda\n"), std::string::npos);
}

/// A backend that learns.
struct LearningBackend {
  std::shared_ptr<std::string> learned = std::make_shared<std::string>("nothing");
  Result<ChatReply> complete(ChatRequest const& /*request*/) { return reply_of(diff_reply(64)); }
  [[nodiscard]] std::string save() const { return *learned; }
  void load(std::string_view state) { *learned = std::string(state); }
};

TEST(LlmMutators, TheStateIsThatOfTheBackend) {
  LearningBackend backend;
  DiffMutator mutator(backend);
  *backend.learned = "a lot";
  EXPECT_EQ(mutator.save(), "a lot");
  mutator.load("more");
  EXPECT_EQ(*backend.learned, "more");
  static_assert(impl::KeepsState<FullMutator<LearningBackend>>);
  static_assert(!impl::KeepsState<FullMutator<ScriptedBackend>>);
}

}  // namespace
}  // namespace cuco::testing
