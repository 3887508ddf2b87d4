// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/mutate/novel.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "../contract/mutator_contract.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/llm/scripted_backend.hpp"
#include "cuco/transform/markers.hpp"
#include "transform/rewriting.hpp"
#include "transform/seed_text.hpp"

namespace cuco::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::string program_text(std::string const& body, std::string const& frozen = "#include <cstdio>") {
  return frozen + "\n// EVOLVE-BLOCK-START\n" + body + "\n// EVOLVE-BLOCK-END\nint main() {}\n";
}

/// Proposes a list of codes one after another, and keeps what it was told.
struct Listed {
  struct State {
    std::vector<Result<Mutation>> answers{};
    std::vector<std::string> recommendations{};
    std::vector<std::uint64_t> draws{};
  };
  std::shared_ptr<State> state = std::make_shared<State>();

  explicit Listed(std::vector<std::string> const& bodies, double cost = 0.1) {
    int n = 0;
    for (auto const& body : bodies) {
      Mutation m;
      m.code = program_text(body);
      m.patch_type = "full";
      m.name = "proposal_" + std::to_string(n++);
      m.description = "does something";
      m.cost_usd = cost;
      state->answers.emplace_back(std::move(m));
    }
  }
  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    state->recommendations.push_back(context.recommendations);
    state->draws.push_back(rng());
    if (state->draws.size() > state->answers.size())
      return fail(ErrorCode::kNotFound, "the list is at its end");
    return state->answers[state->draws.size() - 1];
  }
  [[nodiscard]] std::string save() const { return std::to_string(state->draws.size()); }
  void load(std::string_view text) { state->draws.assign(std::stoul(std::string(text)), 0); }
};

/// Embeds a text as its length and the number of its letters x, and counts what it embeds.
struct Plain {
  std::shared_ptr<std::vector<std::string>> seen = std::make_shared<std::vector<std::string>>();
  Result<Embedding> embed(std::string_view text) const {
    seen->emplace_back(text);
    auto const x = static_cast<float>(std::count(text.begin(), text.end(), 'x'));
    return Embedding{{1, x}};
  }
};

struct World {
  Program parent{};
  std::vector<Program> none{};
  std::vector<std::string> known{};
  std::vector<std::vector<float>> embeddings{};

  World() { parent.code = program_text("parent"); }
  [[nodiscard]] MutationContext context(std::string recommendations = {}) const {
    return MutationContext{.parent = parent,
                           .archive_inspirations = none,
                           .top_k_inspirations = none,
                           .generation = 5,
                           .phase = Phase::kExplore,
                           .task = {},
                           .recommendations = std::move(recommendations),
                           .known_codes = &known,
                           .known_embeddings = &embeddings,
                           .failures = nullptr};
  }
  void add(std::string const& body, std::vector<float> embedding = {}) {
    known.push_back(program_text(body));
    embeddings.push_back(std::move(embedding));
  }
};

TEST(Novel, ANewProposalPassesAtOnce) {
  World world;
  world.add("");
  Listed const inner({"xxxxx"});
  Novel novel{inner, Plain{}, 0.9};
  Rng rng(1);
  Rng same(1);
  auto const mutation = novel.mutate(world.context(), rng);
  ASSERT_TRUE(mutation) << to_line(mutation.error());
  EXPECT_EQ(mutation->name, "proposal_0");
  EXPECT_EQ(mutation->cost_usd, 0.1);
  EXPECT_THAT(mutation->embedding, ElementsAre(1, 5));
  EXPECT_EQ(attribute_or(mutation->metadata, "novelty_checks_performed"), "1");
  EXPECT_EQ(attribute_or(mutation->metadata, "novelty_similarity"),
            fmt::format("{:.6f}", 1 / std::sqrt(26.0)));
  EXPECT_EQ(attribute_or(mutation->metadata, "novelty_note", "none"), "none");
  EXPECT_THAT(inner.state->draws, ElementsAre(same())) << "the first draw is the inner mutator's own";
}

TEST(Novel, ReallyDrawsAgainWithAnotherStreamAndSaysWhy) {
  World world;
  world.add("x");
  world.add("xxxx");
  Listed const inner({"x", "xxxx", "xxxxxxxxxxxxxxxxxxxxxxxxxxxx"});
  Novel novel{inner, Plain{}, NovelOptions{.attempts = 3, .threshold = 0.99}};
  Rng rng(1);
  auto const mutation = novel.mutate(world.context("Use fewer barriers."), rng);
  ASSERT_TRUE(mutation) << to_line(mutation.error());
  EXPECT_EQ(mutation->name, "proposal_2");
  EXPECT_NEAR(*mutation->cost_usd, 0.3, 1e-12) << "rejected proposals were paid for";
  EXPECT_EQ(attribute_or(mutation->metadata, "novelty_checks_performed"), "3");
  auto const& told = inner.state->recommendations;
  ASSERT_THAT(told, SizeIs(3));
  EXPECT_EQ(told[0], "Use fewer barriers.");
  EXPECT_THAT(told[1], ::testing::StartsWith("Use fewer barriers.\n\n"));
  EXPECT_THAT(told[1], HasSubstr("'proposal_0' was rejected"));
  EXPECT_THAT(told[1], HasSubstr("similarity 1.0000"));
  EXPECT_THAT(told[1], HasSubstr("does something"));
  EXPECT_THAT(told[2], HasSubstr("'proposal_0' was rejected"));
  EXPECT_THAT(told[2], HasSubstr("'proposal_1' was rejected"));
  auto const& draws = inner.state->draws;
  EXPECT_NE(draws[0], draws[1]);
  EXPECT_NE(draws[1], draws[2]);
}

TEST(Novel, AfterTheLastRejectionThereIsNothing) {
  World world;
  world.add("x");
  Listed const inner({"x", "x", "x", "x"});
  Novel novel{inner, Plain{}, 0.99};
  Rng rng(1);
  auto const mutation = novel.mutate(world.context(), rng);
  ASSERT_FALSE(mutation);
  EXPECT_EQ(mutation.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(mutation.error().cause, HasSubstr("nothing new in 3 proposals"));
  EXPECT_NEAR(*impl::spent_of(mutation.error()).usd, 0.3, 1e-12);
  EXPECT_THAT(inner.state->draws, SizeIs(3));
  Novel none{inner, Plain{}, NovelOptions{.attempts = 0}};
  EXPECT_EQ(none.mutate(world.context(), rng).error().code, ErrorCode::kInvalidArgument);
}

TEST(Novel, ErrorsOfTheMutatorArePassedOnWithWhatWasSpent) {
  World world;
  world.add("x");
  for (auto const code : {ErrorCode::kBudget, ErrorCode::kNotFound, ErrorCode::kTimeout}) {
    Listed const inner({"x"});
    inner.state->answers.emplace_back(fail(code, "no more"));
    Novel novel{inner, Plain{}, 0.99};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_FALSE(mutation);
    EXPECT_EQ(mutation.error().code, code);
    EXPECT_EQ(mutation.error().cause, "no more");
    EXPECT_EQ(impl::spent_of(mutation.error()).usd, 0.1);
  }
}

TEST(Novel, ComparesWithEveryKnownProgramAndEmbedsEachOnce) {
  World world;
  for (int i = 0; i < 5; ++i) world.add(std::string(static_cast<std::size_t>(3 * i), 'x'));
  world.embeddings[1] = {1, 1000};  // its embedding is known: it is taken as it is
  Plain const embedder;
  Listed const inner(std::vector<std::string>(20, "yyy"));
  Novel novel{inner, embedder, 0.9999};
  Rng rng(1);
  EXPECT_FALSE(novel.mutate(world.context(), rng)) << "equal to the first";
  std::size_t const first = embedder.seen->size();
  EXPECT_EQ(first, 4U + 3U) << "four known ones without an embedding, three proposals";
  world.known.push_back(program_text("new"));
  world.embeddings.emplace_back();
  EXPECT_FALSE(novel.mutate(world.context(), rng));
  EXPECT_EQ(embedder.seen->size(), first + 1 + 3);
  // A list of another run is read anew.
  World other;
  other.add("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  EXPECT_TRUE(novel.mutate(other.context(), rng));
  EXPECT_EQ(embedder.seen->size(), first + 1 + 3 + 2);
  // Only the blocks count.
  for (auto const& text : *embedder.seen) EXPECT_THAT(text, Not(HasSubstr("main")));
}

TEST(Novel, ProgramsWithoutBlocksAreComparedWhole) {
  World world;
  world.known = {"int xxxx;"};
  world.embeddings.resize(1);
  Listed inner({"a"});
  inner.state->answers[0]->code = "int xxxx; // EVOLVE-BLOCK";
  Novel novel{inner, NgramEmbedder{}, NovelOptions{.attempts = 1, .threshold = 0.999}};
  Rng rng(1);
  EXPECT_FALSE(novel.mutate(world.context(), rng));
}

/// Takes all texts for the same.
struct Blind {
  Result<Embedding> embed(std::string_view /*text*/) const { return Embedding{{1, 0, 0}}; }
};

constexpr char const* kKernel = R"(
constexpr int kUnroll = 4;
constexpr int kStages = 4;
__global__ void gather(ncclDevComm comm, float* to, int count) {
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), comm, ncclTeamTagLsa(), blockIdx.x);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  for (int i = threadIdx.x; i < count; i += 256) to[i] = to[i] * 2.0f;
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
})";

std::string with(std::string const& from, std::string const& to) {
  std::string text = kKernel;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  EXPECT_NE(text, kKernel);
  return text;
}

TEST(Novel, AChangedNumberOrLibraryNameIsNewWhateverTheCosine) {
  World world;
  world.add(kKernel);
  for (auto const& text :
       {with("kUnroll = 4", "kUnroll = 2"),
        with("memory_order_acq_rel", "memory_order_acquire"),
        with("i += 256", "i += 512"),
        with("2.0f", "2.5f"),
        with("ncclCoopCta()", "ncclCoopWarp()"),
        with("bar.sync(ncclCoopCta(), cuda::memory_order_release)", "bar.wait(ncclCoopCta())"),
        with("threadIdx.x", "blockIdx.x")}) {
    Novel novel{Listed({text}), Blind{}, NovelOptions{.attempts = 1}};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_TRUE(mutation) << text;
    EXPECT_EQ(attribute_or(mutation->metadata, "novelty_similarity"), "1.000000");
    EXPECT_THAT(attribute_or(mutation->metadata, "novelty_note"), HasSubstr("other numbers or names"));
  }
  for (auto const& text : {with("count", "how_many"),
                           with("to[i] * 2.0f", "2.0f * to[i]"),
                           with("kUnroll = 4", "kUnroll = 0x4"),
                           with("i < count", "i != count"),
                           "// 17 more\n" + std::string(kKernel)}) {
    Novel novel{Listed({text}), Blind{}, NovelOptions{.attempts = 1}};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_FALSE(mutation) << text;
    EXPECT_EQ(mutation.error().code, ErrorCode::kNotFound);
  }
}

TEST(Novel, AllProgramsSoNearAreComparedNotOnlyTheNearest) {
  World world;
  world.add("int a = 4; xxxx");
  world.add("int b = 2; xxxxx");
  world.add("int c = 8; xxxxxx");
  auto rejects = [&](std::string const& body) {
    Novel novel{Listed({body}), Plain{}, NovelOptions{.attempts = 1, .threshold = 0.9}};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    return !mutation;
  };
  EXPECT_TRUE(rejects("int d = 8; xxxx")) << "the nearest by far is another one";
  EXPECT_TRUE(rejects("int d = 2; xxxxxx"));
  EXPECT_FALSE(rejects("int d = 3; xxxx"));
  EXPECT_FALSE(rejects("int d = 2;")) << "not near to anything";
}

TEST(Novel, WhatTheCommandRejectedAfterPayingForItIsNew) {
  for (auto const& [api, program, from, to] :
       {std::tuple{Api::LSA, "alltoall.cu", "memory_order_acq_rel", "memory_order_acquire"},
        std::tuple{Api::GIN, "allreduce.cu", "kUnroll = 4", "kUnroll = 2"}}) {
    auto const device = to_device(api, seed_text(program)).value();
    auto const code = insert_evolve_markers(device, Analyzer{}.analyze(device).value()).value();
    auto changed = code;
    auto const at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    changed.replace(at, std::string(from).size(), to);
    World world;
    world.parent.code = code;
    world.known = {code};
    world.embeddings.resize(1);
    Listed const inner({"x", "x"});
    inner.state->answers[0]->code = changed;
    inner.state->answers[1]->code = code + "// end\n";
    Novel novel{inner, NgramEmbedder{}, NovelOptions{.attempts = 1}};
    Rng rng(1);
    EXPECT_TRUE(novel.mutate(world.context(), rng)) << from;
    EXPECT_FALSE(novel.mutate(world.context(), rng)) << "a comment makes no program";
  }
}

TEST(Novel, ARepairMayBeNearToWhatItRepairs) {
  World world;
  world.add("x = 1;");
  auto const judge = ScriptedBackend(std::vector<ScriptedBackend::Answer>{});
  Listed const inner({"x  = 1;"});
  inner.state->answers[0]->patch_type = "fix";
  Novel novel{inner, Plain{}, NovelOptions{.threshold = 0.99, .judge = judge}};
  Rng rng(1);
  auto const mutation = novel.mutate(world.context(), rng);
  ASSERT_TRUE(mutation) << to_line(mutation.error());
  EXPECT_THAT(judge.requests(), SizeIs(0));
  EXPECT_THAT(mutation->embedding, SizeIs(2)) << "later proposals are compared with it";
}

TEST(Novel, WithoutKnownProgramsTheParentIsCompared) {
  World world;
  world.parent.code = program_text("xx");
  auto context = world.context();
  context.known_codes = nullptr;
  context.known_embeddings = nullptr;
  Listed const inner({"xx", "xxxxxxxxxxxxxxxx"});
  Novel novel{inner, Plain{}, 0.97};
  Rng rng(1);
  auto const mutation = novel.mutate(context, rng);
  ASSERT_TRUE(mutation);
  EXPECT_EQ(mutation->name, "proposal_1");
}

struct Broken {
  std::shared_ptr<int> calls = std::make_shared<int>(0);
  int fails_at;
  ErrorCode code;
  Result<Embedding> embed(std::string_view text) const {
    if (++*calls == fails_at) return fail(code, "no embedding");
    return Embedding{{1, static_cast<float>(std::count(text.begin(), text.end(), 'x'))}};
  }
};

TEST(Novel, AnEmbedderThatFailsLetsTheProposalPassWithANote) {
  World world;
  world.add("x");
  world.add("xxxxxxxxxxxxxxx");
  for (int const at : {1, 2}) {
    Novel novel{Listed({"x", "x", "x"}), Broken{.fails_at = at, .code = ErrorCode::kProcess}, 0.99};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_TRUE(mutation);
    EXPECT_THAT(attribute_or(mutation->metadata, "novelty_note"), HasSubstr("not compared: no embedding"));
    EXPECT_EQ(attribute_or(mutation->metadata, "novelty_similarity", "none"), "none");
    // The failure was of that moment: the next one is compared with everything.
    auto const next = novel.mutate(world.context(), rng);
    EXPECT_FALSE(next);
  }
  // A known program that can never be embedded does not stop the comparison with the others.
  Novel novel{
      Listed({"xxxxxxxxxxxxxxx", "yy"}), Broken{.fails_at = 2, .code = ErrorCode::kInvalidArgument}, 0.99};
  Rng rng(1);
  auto const mutation = novel.mutate(world.context(), rng);
  ASSERT_TRUE(mutation);
  EXPECT_EQ(mutation->name, "proposal_1");
}

NovelOptions judged(ScriptedBackend const& judge, int attempts = 3) {
  return {.attempts = attempts, .threshold = 0.99, .judge = judge};
}

ScriptedBackend saying(std::vector<std::string> const& texts) {
  std::vector<ScriptedBackend::Answer> answers;
  for (auto const& text : texts) {
    ChatReply reply;
    reply.text = text;
    reply.cost_usd = 0.01;
    answers.emplace_back(reply);
  }
  return ScriptedBackend(std::move(answers));
}

ScriptedBackend ending(FinishReason reason, std::string const& text) {
  ChatReply reply;
  reply.text = text;
  reply.finish = reason;
  return ScriptedBackend({reply});
}

TEST(NoveltyJudge, DecidesAboutWhatIsSimilar) {
  World world;
  world.add("x = 1;");
  for (char const* yes : {"NOVEL\nother barriers", "**NOVEL** because", "novel", " \"Novel\"", "# NOVEL"}) {
    auto const judge = saying({yes});
    Novel novel{Listed({"x = 1;"}), Plain{}, judged(judge)};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_TRUE(mutation) << yes;
    EXPECT_EQ(attribute_or(mutation->metadata, "novelty_note"), "judged novel");
    EXPECT_NEAR(*mutation->cost_usd, 0.11, 1e-12);
    ASSERT_THAT(judge.requests(), SizeIs(1));
    auto const asked = judge.requests()[0].messages[0].text;
    EXPECT_THAT(asked, HasSubstr("```cuda\nx = 1;\n```"));
    EXPECT_THAT(asked, Not(HasSubstr("{{")));
    EXPECT_EQ(judge.requests()[0].temperature, 0);
  }
  for (char const* no :
       {"NOT_NOVEL", "NOT NOVEL: same", "**NOT_NOVEL**", "not novel", "Not-novel.", "NOTNOVEL"}) {
    Novel novel{Listed({"x = 1;"}), Plain{}, judged(saying({no}), 1)};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_FALSE(mutation) << no;
    EXPECT_NEAR(*impl::spent_of(mutation.error()).usd, 0.11, 1e-12);
  }
}

TEST(NoveltyJudge, IsAskedOncePerProposal) {
  World world;
  world.add("x;");
  auto const judge = saying({"NOT_NOVEL", "NOVEL"});
  Listed const inner({"x;", "x;", "x ;", "x ;"});
  Novel novel{inner, Plain{}, judged(judge)};
  Rng rng(1);
  auto const mutation = novel.mutate(world.context(), rng);
  ASSERT_TRUE(mutation) << to_line(mutation.error());
  EXPECT_EQ(mutation->name, "proposal_2");
  EXPECT_THAT(judge.requests(), SizeIs(2));
  auto const again = novel.mutate(world.context(), rng);
  ASSERT_TRUE(again);
  EXPECT_EQ(attribute_or(again->metadata, "novelty_note"), "judged novel before");
  EXPECT_THAT(judge.requests(), SizeIs(2));
  EXPECT_NEAR(*again->cost_usd, 0.1, 1e-12);
}

TEST(NoveltyJudge, IsNotAskedAboutWhatDiffers) {
  World world;
  world.add("");
  auto const judge = saying({});
  Novel novel{Listed({"xxxxxxxxx"}), Plain{}, judged(judge)};
  Rng rng(1);
  EXPECT_TRUE(novel.mutate(world.context(), rng));
  EXPECT_THAT(judge.requests(), SizeIs(0));
}

TEST(NoveltyJudge, AFailingOneCountsAsNovelWithANote) {
  World world;
  world.add("x");
  struct Case {
    ScriptedBackend judge;
    char const* note;
  };
  for (auto const& c :
       {Case{ScriptedBackend({fail(ErrorCode::kTimeout, "too slow")}), "the judge failed: too slow"},
        Case{saying({"I cannot say."}), "neither NOVEL nor NOT_NOVEL"},
        Case{saying({""}), "neither NOVEL nor NOT_NOVEL"},
        Case{saying({"Novelty: not novel"}), "neither NOVEL nor NOT_NOVEL"},
        Case{saying({"NOVELLA"}), "neither NOVEL nor NOT_NOVEL"},
        Case{saying({"Nothing novel"}), "neither NOVEL nor NOT_NOVEL"},
        Case{ending(FinishReason::kLength, "NOT_NOVEL"), "of no use (finish reason length)"},
        Case{ending(FinishReason::kFiltered, "NOT_NOVEL"), "of no use (finish reason filtered)"}}) {
    Novel novel{Listed({"x"}), Plain{}, judged(c.judge)};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_TRUE(mutation);
    EXPECT_THAT(attribute_or(mutation->metadata, "novelty_note"), HasSubstr(c.note));
  }
}

TEST(NoveltyJudge, OneThatCannotGoOnEndsTheMutation) {
  World world;
  world.add("x");
  struct Case {
    ErrorCode given, expected;
  };
  for (auto const c : {Case{ErrorCode::kBudget, ErrorCode::kBudget},
                       Case{ErrorCode::kCancelled, ErrorCode::kCancelled},
                       Case{ErrorCode::kRefused, ErrorCode::kRefused},
                       // A recording without the answer.
                       Case{ErrorCode::kNotFound, ErrorCode::kProcess}}) {
    Novel novel{Listed({"x"}), Plain{}, judged(ScriptedBackend({fail(c.given, "no judgement")}))};
    Rng rng(1);
    auto const mutation = novel.mutate(world.context(), rng);
    ASSERT_FALSE(mutation);
    EXPECT_EQ(mutation.error().code, c.expected);
    EXPECT_EQ(mutation.error().cause, "no judgement");
    EXPECT_TRUE(impl::spent_of(mutation.error()).usd.value_or(1) >= 0.1) << "the proposal was paid for";
  }
}

/// A resumed run has no memory of earlier judgements, so a run that goes on must not use them either.
TEST(NoveltyJudge, AnotherGenerationIsJudgedAnew) {
  World world;
  world.add("x;");
  auto const judge = saying({"NOVEL", "NOVEL"});
  Novel novel{Listed({"x;", "x;", "x;"}), Plain{}, judged(judge)};
  for (int const generation : {5, 6}) {
    auto context = world.context();
    context.generation = generation;
    Rng rng(1);
    auto const mutation = novel.mutate(context, rng);
    ASSERT_TRUE(mutation);
    EXPECT_EQ(attribute_or(mutation->metadata, "novelty_note"), "judged novel");
  }
  EXPECT_THAT(judge.requests(), SizeIs(2));
}

TEST(NoveltyJudge, ItsUnknownPriceMakesTheCostUnknown) {
  World world;
  world.add("x");
  ChatReply reply;
  reply.text = "NOVEL";
  Novel novel{Listed({"x"}), Plain{}, judged(ScriptedBackend({reply}))};
  Rng rng(1);
  auto const mutation = novel.mutate(world.context(), rng);
  ASSERT_TRUE(mutation);
  EXPECT_FALSE(mutation->cost_usd);
}

TEST(Novel, KeepsTheStateOfTheInnerMutator) {
  Listed const inner({"x", "y"});
  Novel novel{inner, Plain{}, 2.0};
  World world;
  Rng rng(1);
  ASSERT_TRUE(novel.mutate(world.context(), rng));
  EXPECT_EQ(novel.save(), "1");
  novel.load("0");
  EXPECT_THAT(inner.state->draws, SizeIs(0));
}

/// Changes a number to one that depends on the draw.
struct Numbers {
  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    Mutation m;
    for (int i = 0; i < 50; ++i) {
      m.code = program_text("int const chunk = " + std::to_string(rng.below(20)) + ";");
      bool known = m.code == context.parent.code;
      for (std::size_t k = 0; context.known_codes != nullptr && k < context.known_codes->size(); ++k)
        known = known || (*context.known_codes)[k] == m.code;
      if (known) continue;
      m.patch_type = "full";
      m.name = "chunk";
      return m;
    }
    return fail(ErrorCode::kNotFound, "every number is known");
  }
};
struct NovelFixture {
  using Model = Novel<Numbers>;
  static Model make() { return Novel{Numbers{}}; }
  static std::string parent() { return program_text("int const chunk = 3;"); }
  static std::string hopeless() { return {}; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Novel, MutatorContract, NovelFixture);

}  // namespace
}  // namespace cuco::testing
