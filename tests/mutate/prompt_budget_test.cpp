// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// A prompt that is too long loses whole sections in the documented order, never a part of one.

#include "cuco/mutate/impl/mutation_prompt.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/mutate/cross_mutator.hpp"
#include "cuco/mutate/diff_mutator.hpp"
#include "cuco/mutate/fix_mutator.hpp"
#include "cuco/mutate/impl/prompt_text.hpp"
#include "mutate/model_programs.hpp"

namespace cuco::testing {
namespace {

std::string long_program(std::string const& word) {
  auto code = lsa_program();
  for (int i = 0; i < 100; ++i) code += "// " + word + " line " + std::to_string(i) + "\n";
  return code;
}

Situation rich() {
  Situation situation;
  situation.parent.text_feedback = "feedback of the parent\n";
  situation.recommendations = "1. recommended";
  situation.task = "the task";
  for (char const* id : {"a1", "a2", "a3"}) situation.archive.push_back(make_program(id, long_program(id)));
  for (char const* id : {"t1", "t2"}) situation.top_k.push_back(make_program(id, long_program(id)));
  for (char const* id : {"f1", "f2"}) {
    situation.failures.push_back(make_program(id, "", false));
    situation.failures.back().text_feedback = std::string("fault of ") + id;
    situation.failures.back().code_diff = "+changed by " + std::string(id) + "\n";
  }
  return situation;
}

impl::MutationPrompt write(Situation const& situation, int tokens) {
  static auto const prompts = PromptLibrary::load().value();
  impl::PromptPlan plan;
  plan.format = "mutate_diff_format";
  LlmMutatorOptions options;
  options.prompt_tokens = tokens;
  auto prompt = impl::write_mutation_prompt(prompts, situation.context(), options, plan);
  EXPECT_TRUE(prompt) << to_line(prompt.error());
  return prompt.value_or(impl::MutationPrompt{});
}

std::vector<std::string> const kOrder{"failure f2",
                                      "failure f1",
                                      "archive inspiration a3",
                                      "archive inspiration a2",
                                      "top-k inspiration t2",
                                      "top-k inspiration t1",
                                      "recommendations",
                                      "feedback",
                                      "archive inspiration a1"};

TEST(PromptBudget, SectionsGoWholeInTheDocumentedOrder) {
  auto const situation = rich();
  auto const whole = write(situation, 1000000);
  EXPECT_TRUE(whole.dropped.empty());
  auto size = [](impl::MutationPrompt const& prompt) {
    return static_cast<int>(impl::estimated_tokens(prompt.system.size() + prompt.user.size()));
  };
  // One token less than what was needed costs exactly the next section.
  auto current = whole;
  std::vector<std::string> gone;
  for (auto const& name : kOrder) {
    auto const next = write(situation, size(current) - 1);
    gone.push_back(name);
    EXPECT_EQ(next.dropped, gone);
    EXPECT_LT(size(next), size(current));
    EXPECT_LE(size(next), size(current) - 1);
    current = next;
  }
  auto const has = [&](std::string const& text) { return current.user.find(text) != std::string::npos; };
  EXPECT_TRUE(has(situation.parent.code)) << "the program stays, whole";
  EXPECT_FALSE(has("Programs found earlier")) << "no heading without a section";
  EXPECT_FALSE(has("Changes of this program that failed"));
  EXPECT_NE(current.system.find("What to reply"), std::string::npos);
  EXPECT_EQ(current.system, whole.system);
}

TEST(PromptBudget, WhatIsKeptIsKeptWhole) {
  auto const situation = rich();
  auto const whole = write(situation, 1000000);
  for (int tokens = 3000; tokens < 14000; tokens += 117) {
    static auto const prompts = PromptLibrary::load().value();
    impl::PromptPlan plan;
    plan.format = "mutate_diff_format";
    LlmMutatorOptions options;
    options.prompt_tokens = tokens;
    auto const prompt = impl::write_mutation_prompt(prompts, situation.context(), options, plan);
    if (!prompt) {
      EXPECT_EQ(prompt.error().code, ErrorCode::kRefused);
      continue;
    }
    EXPECT_LE(impl::estimated_tokens(prompt->system.size() + prompt->user.size()),
              static_cast<std::size_t>(tokens));
    for (auto const* list : {&situation.archive, &situation.top_k})
      for (auto const& program : *list) {
        bool const begins = prompt->user.find("// " + program.id.value + " line 0\n") != std::string::npos;
        bool const all = prompt->user.find(program.code) != std::string::npos;
        EXPECT_EQ(begins, all) << program.id.value << " at " << tokens;
      }
  }
}

TEST(PromptBudget, WhatWasDroppedIsInTheMetadata) {
  auto const situation = rich();
  auto const whole = write(situation, 1000000);
  auto const needed = static_cast<int>(impl::estimated_tokens(whole.system.size() + whole.user.size()));
  auto backend = replies({diff_reply(32)});
  // Three more turns keep 900 tokens each.
  DiffMutator mutator(backend, {.prompt_tokens = needed + 2700 - 1});
  auto const m = mutate(mutator, situation);
  ASSERT_TRUE(m) << to_line(m.error());
  EXPECT_EQ(attribute_or(m->metadata, "prompt_trimmed"), "failure f2");
  EXPECT_EQ(backend.requests().at(0).messages.at(0).text.find("fault of f2"), std::string::npos);
}

TEST(PromptBudget, AProgramThatDoesNotFitIsRefusedBeforeAnythingIsSent) {
  auto backend = replies({diff_reply(32)});
  Situation situation;
  situation.parent.code = long_program("large");
  DiffMutator diff(backend, {.prompt_tokens = 4000});
  auto m = mutate(diff, situation);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kRefused);
  EXPECT_FALSE(m.error().remedy.empty());
  // Of a program that grew in the run: another one may fit.
  situation.parent.parent_id = {"seed"};
  m = mutate(diff, situation);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_NE(m.error().cause.find("over the budget"), std::string::npos);
  // A partner that does not fit: another pair may.
  situation = Situation{};
  situation.archive = {make_program("huge", lsa_program() + std::string(200000, '/') + "\n")};
  CrossMutator cross(backend);
  m = mutate(cross, situation);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(backend.requests().empty());
}

TEST(PromptBudget, ARepairKeepsItsFeedback) {
  auto situation = rich();
  situation.parent.correct = false;
  for (auto& program : situation.archive) program.code += std::string(100000, '/');
  auto backend = replies({diff_reply(32)});
  FixMutator mutator(backend, {.prompt_tokens = 12000});
  auto const m = mutate(mutator, situation);
  ASSERT_TRUE(m) << to_line(m.error());
  EXPECT_NE(backend.requests().at(0).messages.at(0).text.find("feedback of the parent"), std::string::npos);
  EXPECT_EQ(attribute_or(m->metadata, "prompt_trimmed").find("feedback"), std::string::npos);
}

TEST(PromptText, ShorteningKeepsWholeLinesOfBothEnds) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "line " + std::to_string(i) + "\n";
  auto const out = impl::shorten_lines(text, 600);
  EXPECT_LT(out.size(), 700U);
  EXPECT_EQ(out.rfind("line 0\nline 1\n", 0), 0U);
  EXPECT_EQ(out.substr(out.size() - 9), "\nline 999");
  EXPECT_NE(out.find("lines left out]\n"), std::string::npos);
  // What is left out and what is shown add up.
  auto const at = out.find('[') + 1;
  auto const shown = static_cast<int>(std::count(out.begin(), out.end(), '\n'));
  EXPECT_EQ(shown + std::stoi(out.substr(at)), 1000);
  EXPECT_EQ(impl::shorten_lines("short\n\n", 600), "short");
  // One endless line is cut, between characters of UTF-8.
  std::string accents;
  for (int i = 0; i < 1000; ++i) accents += "\xc3\xa9";
  auto const cut = impl::shorten_lines("x" + accents, 100);
  EXPECT_LT(cut.size(), 160U);
  EXPECT_EQ((cut.find('\n') - 1) % 2, 0U);
}

TEST(PromptText, LineRanges) {
  EXPECT_EQ(impl::line_ranges(lsa_program(), true), "6 to 16, 22");
  EXPECT_EQ(impl::line_ranges(lsa_program(), false), "1 to 5, 17 to 21, 23 to 25");
  std::string const empty = "// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\nint x;";
  EXPECT_EQ(impl::line_ranges(empty, true), "none");
  EXPECT_EQ(impl::line_ranges(empty, false), "1, 2 to 3");
}

}  // namespace
}  // namespace cuco::testing
