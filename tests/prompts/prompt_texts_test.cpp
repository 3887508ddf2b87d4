// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The templates themselves: every one is used, every placeholder filled, the cards are small and right.

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/evolve/meta_summariser.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/mutate/cross_mutator.hpp"
#include "cuco/mutate/diff_mutator.hpp"
#include "cuco/mutate/fix_mutator.hpp"
#include "cuco/mutate/full_mutator.hpp"
#include "mutate/model_programs.hpp"

namespace cuco::testing {
namespace {

PromptLibrary const& library() {
  static auto const loaded = PromptLibrary::load(CUCO_SOURCE_DIR "/prompts").value();
  return loaded;
}

/// The templates of the search; those of the transformer have tests of their own.
std::vector<std::string> own_templates() {
  std::vector<std::string> out;
  for (auto const& name : library().names())
    if (name.rfind("transform_", 0) != 0) out.push_back(name);
  return out;
}

std::string text_of(std::string const& name) {
  std::map<std::string, std::string> values;
  auto const placeholders = library().placeholders(name).value();
  for (auto const& placeholder : placeholders) values[placeholder] = "<" + placeholder + ">";
  return library().fill(name, values).value();
}

std::string squeezed(std::string const& text) {
  std::string out;
  for (char c : text) {
    bool const blank = std::isspace(static_cast<unsigned char>(c)) != 0 || c == '*';
    if (!blank) out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (blank && !out.empty() && out.back() != ' ') out.push_back(' ');
  }
  return out;
}

/// A copy of the templates in which each says its name, so that messages show which were used.
struct TaggedPrompts {
  std::string path = std::filesystem::temp_directory_path() / ("cuco_tagged_" + std::to_string(::getpid()));
  TaggedPrompts() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    for (auto const& entry : std::filesystem::directory_iterator(CUCO_SOURCE_DIR "/prompts")) {
      if (entry.path().extension() != ".txt") continue;
      std::ifstream in(entry.path());
      std::string const text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      std::ofstream(path + "/" + entry.path().filename().string())
          << text << "\n[[" << entry.path().stem().string() << "]]\n";
    }
  }
  ~TaggedPrompts() { std::filesystem::remove_all(path); }
  TaggedPrompts(TaggedPrompts const&) = delete;
  TaggedPrompts& operator=(TaggedPrompts const&) = delete;
};

/// Notes the templates seen in what a backend was sent, and that nothing was left unfilled.
void note(std::vector<ChatRequest> const& requests, std::set<std::string>& seen) {
  for (auto const& request : requests) {
    auto const text = all_text(request);
    EXPECT_EQ(text.find("{{"), std::string::npos) << text.substr(text.find("{{"), 200);
    EXPECT_EQ(text.find("}}"), std::string::npos);
    for (auto at = text.find("[["); at != std::string::npos; at = text.find("[[", at + 2))
      seen.insert(text.substr(at + 2, text.find("]]", at) - at - 2));
  }
}

TEST(PromptTexts, EveryTemplateIsSentByTheCodeThatOwnsIt) {
  TaggedPrompts const prompts;
  LlmMutatorOptions const options{.hardware = "8 x TestGPU", .prompts = prompts.path};
  std::set<std::string> seen;

  Situation situation;
  situation.parent.code = lsa_program() + gin_program();
  situation.parent.text_feedback = "slow";
  situation.task = "be fast";
  situation.recommendations = "1. be bold";
  situation.archive = {make_program("a", lsa_program() + "// a\n")};
  situation.top_k = {make_program("t", lsa_program() + "// t\n")};
  situation.failures = {make_program("f", "", false)};
  auto run = [&](auto mutator, ScriptedBackend const& backend, int times) {
    for (int i = 0; i < times; ++i) (void)mutate(mutator, situation, static_cast<std::uint64_t>(i));
    note(backend.requests(), seen);
  };
  std::string const known =
      "<DIFF>\n<<<<<<< SEARCH\nconstexpr int kCtas = 16;\n=======\nconstexpr int kCtas = 8;\n"
      ">>>>>>> REPLACE\n</DIFF>";
  auto other = situation.parent.code;
  other.replace(other.find("kCtas = 16"), 10, "kCtas = 8");
  situation.known = {other};
  auto diff = replies({reply_of("prose"),
                       reply_of("", 0, FinishReason::kLength),
                       reply_of("", 0, FinishReason::kFiltered),
                       reply_of("", 0, FinishReason::kToolUse),
                       reply_of(known),
                       reply_of("prose")});
  auto more = options;
  more.attempts = 6;
  run(DiffMutator(diff, more), diff, 1);
  ScriptedBackend full([](ChatRequest const&) -> ScriptedBackend::Answer { return reply_of("prose"); });
  run(FullMutator(full, options), full, 60);
  run(CrossMutator(full, options), full, 1);
  situation.parent.correct = false;
  run(FixMutator(full, options), full, 1);

  ScriptedBackend summary([](ChatRequest const&) -> ScriptedBackend::Answer { return reply_of("words"); });
  MetaSummariser summariser(summary, {.interval = 2, .prompts = prompts.path});
  for (auto const& program : {make_program("one", lsa_program()), make_program("two", gin_program(), false)})
    summariser.on(Event{Event::Kind::kEvaluated, 1, 2, &program, &program, ""});
  ASSERT_TRUE(summariser.advise(2));
  note(summary.requests(), seen);

  // Asked by the novelty filter, which has tests of its own.
  auto const novelty = library().fill("novelty", {{"existing", "A"}, {"proposed", "B"}});
  ASSERT_TRUE(novelty) << to_line(novelty.error());
  seen.insert("novelty");

  auto const own = own_templates();
  EXPECT_EQ(seen, std::set<std::string>(own.begin(), own.end()));
}

TEST(PromptTexts, CardsAreSmall) {
  std::size_t total = 0;
  for (std::string const name : {"api_card_common", "api_card_lsa", "api_card_gin"}) {
    auto const size = text_of(name).size();
    EXPECT_LT(size, 5000U) << name;
    total += size;
  }
  EXPECT_LT(total, 12000U);
  for (auto const& name : own_templates()) EXPECT_LT(text_of(name).size(), 5000U) << name;
}

TEST(PromptTexts, LinesAreReadable) {
  for (auto const& name : own_templates()) {
    auto const text = text_of(name);
    EXPECT_FALSE(text.empty()) << name;
    EXPECT_TRUE(std::all_of(
        text.begin(), text.end(), [](unsigned char c) { return c == '\n' || (c >= 32 && c < 127); }))
        << name << " has a character that is not printable ASCII";
    EXPECT_EQ(text.find(" \n"), std::string::npos) << name << ": blank at the end of a line";
  }
}

/// Sentences that carry the rules kernels most often break. Reworded text may change these, never drop them.
TEST(PromptTexts, CardsTeachTheSynchronisationRules) {
  auto expect = [](std::string const& card, std::vector<std::string> const& rules) {
    auto const text = squeezed(text_of(card));
    for (auto const& rule : rules)
      EXPECT_NE(text.find(squeezed(rule)), std::string::npos) << card << ": " << rule;
  };
  expect("api_card_gin",
         {"Read the baseline with readSignal before the opening barrier",
          "baseline + expected",
          "shadow must be advanced on every use of the signal, in every launch, warm-up rounds included",
          "waitSignalFollowShadow does not advance it in 2.28.9",
          "It is not delivery",
          "Not that anybody's puts have landed",
          "Sender and waiter use the same one",
          "Give each CTA signals of its own",
          "Stores of other threads need a barrier",
          "No putValue"});
  expect("api_card_lsa",
         {"acq_rel | yes | yes | between two phases of one kernel",
          "release | yes | no | the last sync, right before the kernel ends",
          "relaxed | no | no",
          "In the middle of a kernel anything weaker than acq_rel",
          "No check: a rank outside the LSA team"});
  expect("api_card_common",
         {"All CTAs that meet peers are resident at the same time on every rank",
          "Ids go from 0 to count-1",
          "the same number of syncs on each barrier index",
          "belongs to one live barrier object per rank",
          "No thread returns earlier",
          "says nothing about other CTAs",
          "No multimem"});
  expect("mutate_system", {"time of the slowest rank", "EVOLVE-BLOCK-START", "frozen"});
}

/// In the example of the card the baseline is read before the barrier, and the flush comes after the wait.
TEST(PromptTexts, TheExampleKeepsItsOwnRules) {
  auto const gin = text_of("api_card_gin");
  auto const example = gin.substr(gin.find("AlltoAll by one CTA"));
  auto const at = [&](std::string const& word) {
    auto const found = example.find(word);
    EXPECT_NE(found, std::string::npos) << word;
    return found;
  };
  EXPECT_LT(at("readSignal"), at("bar.sync"));
  EXPECT_LT(at("bar.sync"), at("gin.put"));
  EXPECT_LT(at("gin.put"), at("gin.waitSignal"));
  EXPECT_LT(at("gin.waitSignal"), at("gin.flush"));
  EXPECT_NE(example.find("before + dc.nRanks"), std::string::npos);
}

TEST(PromptTexts, NoveltyAsksForItsTwoWords) {
  EXPECT_EQ(library().placeholders("novelty").value(), (std::vector<std::string>{"existing", "proposed"}));
  auto const text = text_of("novelty");
  EXPECT_NE(text.find("NOVEL or NOT_NOVEL"), std::string::npos);
}

/// docs/prompts.md lists every template with its placeholders.
TEST(PromptTexts, TheDocumentationListsThem) {
  std::ifstream in(CUCO_SOURCE_DIR "/docs/prompts.md");
  std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_NE(page.find("## Templates"), std::string::npos);
  page.erase(0, page.find("## Templates"));
  for (auto const& name : own_templates()) {
    auto const row = page.find("\n| `" + name + "` | ");
    ASSERT_NE(row, std::string::npos) << name;
    auto const line = page.substr(row, page.find('\n', row + 1) - row);
    auto const placeholders = library().placeholders(name).value();
    for (auto const& placeholder : placeholders)
      EXPECT_NE(line.find("`" + placeholder + "`"), std::string::npos) << name << " " << placeholder;
  }
}

}  // namespace
}  // namespace cuco::testing
