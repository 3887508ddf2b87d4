// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "../contract/hostile_file_system.hpp"
#include "../contract/llm_backend_contract.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/llm/model_prices.hpp"
#include "cuco/llm/priced.hpp"
#include "cuco/llm/scripted_backend.hpp"

namespace cuco {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelPrices prices(std::string const& toml) {
  auto parsed = ModelPrices::parse(toml);
  EXPECT_TRUE(parsed) << to_line(parsed.error());
  return parsed ? *parsed : ModelPrices();
}

/// Sets a variable for one test.
struct Variable {
  Variable(char const* name, std::string const& value) : name(name) { ::setenv(name, value.c_str(), 1); }
  Variable(Variable const&) = delete;
  Variable& operator=(Variable const&) = delete;
  ~Variable() { ::unsetenv(name); }
  char const* name;
};

TEST(ModelPrices, TheFileOfTheLibraryIsReadAndDated) {
  auto const all = ModelPrices::load();
  ASSERT_TRUE(all) << to_line(all.error());
  EXPECT_THAT(all->date(), ::testing::MatchesRegex("20[0-9][0-9]-[01][0-9]-[0-3][0-9]"));
  auto const sonnet = all->find("anthropic:claude-sonnet-4-6");
  ASSERT_TRUE(sonnet);
  EXPECT_DOUBLE_EQ(sonnet->rates.input, 3);
  EXPECT_DOUBLE_EQ(sonnet->rates.output, 15);
  // A price is found under every spelling of one model, and neighbours are not mixed up.
  EXPECT_DOUBLE_EQ(all->find("anthropic:claude-opus-4-5-20251101")->rates.output, 25);
  EXPECT_DOUBLE_EQ(all->find("anthropic:claude-opus-4-1-20250805")->rates.output, 75);
  EXPECT_DOUBLE_EQ(all->find("anthropic:claude-opus-5-5")->rates.output, 20);
  EXPECT_DOUBLE_EQ(all->find("anthropic:claude-opus-5")->rates.output, 25);
  EXPECT_DOUBLE_EQ(all->find("bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0")->rates.output, 15);
  EXPECT_DOUBLE_EQ(all->find("openai:gpt-5")->rates.output, 10);
  EXPECT_DOUBLE_EQ(all->find("openai:gpt-5-2025-08-07")->rates.output, 10);
  EXPECT_DOUBLE_EQ(all->find("openai-responses:gpt-5-mini")->rates.output, 2);
  EXPECT_DOUBLE_EQ(all->find("openai:gpt-5.4")->rates.output, 15);
  EXPECT_DOUBLE_EQ(all->find("gemini:gemini-2.5-flash")->rates.output, 2.5);
  EXPECT_DOUBLE_EQ(all->find("gemini:gemini-2.5-flash-lite")->rates.output, 0.4);
  EXPECT_DOUBLE_EQ(all->find("openai:text-embedding-3-small")->rates.input, 0.02);
  EXPECT_DOUBLE_EQ(all->find("ollama:qwen3:32b")->rates.input, 0);
  EXPECT_FALSE(all->find("openai:gpt-99"));
  EXPECT_FALSE(all->find("somebody:claude-sonnet-4-6"));
  EXPECT_FALSE(all->find(""));
}

TEST(ModelPrices, CostCountsEachKindOfTokenOnce) {
  auto const p = prices(R"([[model]]
names = ["a:x"]
input = 2
output = 10
cache_read = 0.5
cache_write = 3
[[model]]
names = ["a:plain"]
input = 2
output = 10)");
  // 1000 in, of which 300 were read from the cache and 200 written to it; thinking is part of the output.
  TokenUsage const usage{1000, 100, 300, 200, 60};
  EXPECT_DOUBLE_EQ(*p.cost_usd("a:x", usage), (500 * 2 + 300 * 0.5 + 200 * 3 + 100 * 10) / 1e6);
  EXPECT_DOUBLE_EQ(*p.cost_usd("a:plain", usage), (1000 * 2 + 100 * 10) / 1e6);
  // A provider that counts the cache beside the input must not make the rest negative.
  EXPECT_DOUBLE_EQ(*p.cost_usd("a:x", TokenUsage{100, 0, 300, 0, 0}), 300 * 0.5 / 1e6);
  EXPECT_FALSE(p.cost_usd("a:other", usage));
  EXPECT_FALSE(p.cost_usd("a:x", TokenUsage{})) << "nothing was counted, which is not free";
}

TEST(ModelPrices, LongPromptsHaveTheirOwnRates) {
  auto const p = prices(R"([[model]]
names = ["a:x"]
input = 1
output = 2
long = { above = 1000, input = 5, output = 6, cache_read = 1 })");
  EXPECT_DOUBLE_EQ(*p.cost_usd("a:x", TokenUsage{1000, 10, 0, 0, 0}), (1000 * 1 + 10 * 2) / 1e6);
  EXPECT_DOUBLE_EQ(*p.cost_usd("a:x", TokenUsage{1001, 10, 1, 0, 0}), (1000 * 5 + 1 * 1 + 10 * 6) / 1e6);
}

TEST(ModelPrices, TheMostLiteralNameWins) {
  auto const p = prices(R"([[model]]
names = ["a:*"]
input = 1
output = 0
[[model]]
names = ["a:big*", "b:*-*-end"]
input = 2
output = 0
[[model]]
names = ["a:big-*-x"]
input = 3
output = 0)");
  EXPECT_DOUBLE_EQ(p.find("a:small")->rates.input, 1);
  EXPECT_DOUBLE_EQ(p.find("a:bigger")->rates.input, 2);
  EXPECT_DOUBLE_EQ(p.find("a:big-7-x")->rates.input, 3);
  EXPECT_DOUBLE_EQ(p.find("b:q-r-s-end")->rates.input, 2);
  EXPECT_FALSE(p.find("b:q-end"));
  EXPECT_FALSE(p.find("xa:small"));
}

TEST(ModelPrices, UserFilesOverrideAndExtend) {
  TemporaryFolder const folder;
  ASSERT_TRUE(write_file_atomic(folder / "mine.toml", R"(date = "2099-01-01"
[[model]]
names = ["anthropic:claude-sonnet-4-6*", "house:*"]
input = 100
output = 200)"));
  ASSERT_TRUE(write_file_atomic(folder / "last.toml", R"([[model]]
names = ["house:special"]
input = 7
output = 7)"));
  Variable const named("CUCO_PRICES", folder / "mine.toml");
  auto const all = ModelPrices::load(folder / "last.toml");
  ASSERT_TRUE(all) << to_line(all.error());
  EXPECT_DOUBLE_EQ(all->find("anthropic:claude-sonnet-4-6")->rates.input, 100);
  EXPECT_DOUBLE_EQ(all->find("anthropic:claude-opus-4-6")->rates.input, 5) << "the library's own stay";
  EXPECT_DOUBLE_EQ(all->find("house:any")->rates.input, 100);
  EXPECT_DOUBLE_EQ(all->find("house:special")->rates.input, 7);
  EXPECT_EQ(all->find("house:special")->file, folder / "last.toml");
  EXPECT_EQ(all->date(), "2099-01-01");
}

TEST(ModelPrices, MistakesInAFileAreNamedWithTheirLine) {
  struct Case {
    char const* toml;
    std::uint32_t line;
    char const* cause;
  };
  for (auto const& c :
       {Case{"[[model]]\nnames = [\"a:b\"]\ninput = \"x\"", 3, "not a price"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = -1", 3, "not a price"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = nan", 3, "not a price"},
        Case{"[[model]]\ninput = 1", 1, "no names"},
        Case{"[[model]]\nnames = [\"a:b\"]\noutput = 1", 1, "no input price"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = 1\nimput = 2", 4, "imput"},
        Case{"[[model]]\nnames = [7]\ninput = 1", 2, "not a text"},
        Case{"\n[models]\n", 2, "unknown key 'models'"},
        Case{"date = 5", 1, "not a date"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = 1\nlong = { above = 0, input = 1, output = 1 }",
             4,
             "long.above"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = 1", 1, "no output price"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = 1\noutput = 1\nlong = { input = 1, output = 2 }",
             5,
             "'long' has no 'above'"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = 1\noutput = 1\nlong = { above = 9, output = 2 }",
             5,
             "'long' has no 'input'"},
        Case{"[[model]]\nnames = [\"a:b\"]\ninput = 1\noutput = 1\nlong = { above = 9, input = 2 }",
             5,
             "'long' has no 'output'"},
        Case{"[[model\n", 1, ""}}) {
    auto const parsed = ModelPrices::parse(c.toml, "prices.toml");
    ASSERT_FALSE(parsed) << c.toml;
    EXPECT_EQ(parsed.error().code, ErrorCode::kParse);
    EXPECT_EQ(parsed.error().file, "prices.toml");
    EXPECT_EQ(parsed.error().line, c.line) << c.toml;
    EXPECT_THAT(parsed.error().cause, HasSubstr(c.cause));
  }
  auto const missing = ModelPrices::load("/nowhere/prices.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST(ModelPrices, TheFileIsFoundInAnInstallationWithoutItsSources) {
  TemporaryFolder const folder;
  std::string const program = folder / "prefix/bin/cuco";
  std::string const installed = folder / "prefix/include/cuco/llm/prices.toml";
  std::string const headers = folder / "source/include/cuco/llm";
  std::filesystem::create_directories(std::filesystem::path(installed).parent_path());
  std::filesystem::create_directories(headers);
  EXPECT_EQ(impl::shipped_prices(headers, program), "");
  ASSERT_TRUE(write_file_atomic(installed, "date = 2026-01-01\n"));
  EXPECT_EQ(impl::shipped_prices(headers, program), installed);
  ASSERT_TRUE(write_file_atomic(headers + "/prices.toml", "date = 2026-01-02\n"));
  EXPECT_EQ(impl::shipped_prices(headers, program), headers + "/prices.toml");
}

TEST(ModelPrices, AnEnsembleCostsAtMostItsDearestArm) {
  auto const p = prices(R"([[model]]
names = ["a:x"]
input = 2
output = 3
cache_read = 1
[[model]]
names = ["a:y"]
input = 1
output = 10
long = { above = 10, input = 4, output = 12 })");
  EXPECT_THAT(split_models("ensemble:a:x|a:y"), ElementsAre("a:x", "a:y"));
  EXPECT_THAT(split_models("a:x"), ElementsAre("a:x"));
  auto const both = p.find("ensemble:a:x|a:y");
  ASSERT_TRUE(both);
  EXPECT_DOUBLE_EQ(both->rates.input, 4);
  EXPECT_DOUBLE_EQ(both->rates.output, 12);
  EXPECT_DOUBLE_EQ(*both->rates.cache_read, 4);
  EXPECT_FALSE(p.find("ensemble:a:x|a:unknown"));
  EXPECT_FALSE(p.find("ensemble:"));
}

TEST(Priced, FillsInWhatTheBackendDoesNotTell) {
  auto const p = prices(
      "[[model]]\nnames = [\"a:x\"]\ninput = 1\noutput = 2\n"
      "[[model]]\nnames = [\"scripted:list\"]\ninput = 10\noutput = 0\n");
  auto const ask = [&](ChatReply const& reply) {
    return Priced{ScriptedBackend(ScriptedBackend::Function([&](ChatRequest const&) { return reply; })), p}
        .complete(testing::chat_request("x"))
        ->cost_usd;
  };
  ChatReply reply;
  reply.model = "a:x";
  reply.usage = {1'000'000, 500'000, 0, 0, 0};
  EXPECT_DOUBLE_EQ(*ask(reply), 2);
  reply.cost_usd = 0.5;
  EXPECT_DOUBLE_EQ(*ask(reply), 0.5) << "the provider knows better";
  reply.cost_usd.reset();
  reply.model = "a:dated-2026";
  EXPECT_DOUBLE_EQ(*ask(reply), 10) << "else by the model that was asked";
  reply.usage = {};
  EXPECT_FALSE(ask(reply)) << "unknown is not 0";
}

}  // namespace
}  // namespace cuco
