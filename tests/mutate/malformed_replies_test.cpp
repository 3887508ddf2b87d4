// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Replies that are no edit: each becomes the model's next turn, none crashes or touches frozen text.

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/edit/frozen_check.hpp"
#include "cuco/mutate/cross_mutator.hpp"
#include "cuco/mutate/diff_mutator.hpp"
#include "cuco/mutate/fix_mutator.hpp"
#include "cuco/mutate/full_mutator.hpp"
#include "mutate/model_programs.hpp"

namespace cuco::testing {
namespace {

std::string block(std::string const& search, std::string const& replace) {
  return "<<<<<<< SEARCH\n" + search + "=======\n" + replace + ">>>>>>> REPLACE\n";
}
std::string fence(std::string const& label, std::string const& text) {
  return "```" + label + "\n" + text + "```\n";
}

struct Bad {
  char const* name;
  std::string reply;
};

std::vector<Bad> bad_for_all() {
  return {
      {"empty", ""},
      {"blank", "  \n\t\n"},
      {"prose only", "I would use more CTAs, because links are not full.\n"},
      {"an empty fence", fence("cuda", "")},
      {"python", fence("python", "def gather(x):\n    return [y for y in x]\n")},
      {"a two megabyte line", std::string(2U << 20U, 'x')},
      {"many openings", std::string(40000, '<') + " SEARCH\n"},
      {"bytes", std::string("\xff\xfe\x00\x01```cuda\n\x80\n", 15)},
      {"backticks", std::string(100000, '`')},
      {"tags only", "<NAME></NAME><DESCRIPTION></DESCRIPTION><CODE></CODE><DIFF></DIFF>"},
      {"an open fence", "```cuda\n// EVOLVE-BLOCK-START\nconstexpr int kCtas = 16;"},
      {"half a diff", "<DIFF>\n<<<<<<< SEARCH\nconstexpr int kCtas = 16;\n=======\nconstexpr int kCtas = 3"},
      {"a diff without its middle", "<<<<<<< SEARCH\nconstexpr int kCtas = 16;\n>>>>>>> REPLACE\n"}};
}

std::vector<Bad> bad_diffs() {
  return {
      {"not there", block("int nowhere;\n", "int x;\n")},
      {"frozen text", block("constexpr int kCount = 4096;\n", "constexpr int kCount = 1;\n")},
      {"frozen verdict", block("  std::printf(\"Verification: PASS\\n\");\n", "")},
      {"a marker away", block("// EVOLVE-BLOCK-END\nint main() {\n", "int main() {\n")},
      {"a marker in",
       block("constexpr int kCtas = 16;\n", "// EVOLVE-BLOCK-END\nint kCount = 1;\n// EVOLVE-BLOCK-START\n")},
      {"an open comment", block("constexpr int kCtas = 16;\n", "/* from here on\n")},
      {"an open string", block("constexpr int kCtas = 16;\n", "const char* s = R\"(\n")},
      {"no change", block("constexpr int kCtas = 16;\n", "constexpr int kCtas = 16;\n")},
      {"the first good, the second bad",
       block("constexpr int kCtas = 16;\n", "constexpr int kCtas = 8;\n") +
           block("int nowhere;\n", "int x;\n")},
      {"code in a fence", code_reply(8)}};
}

std::vector<Bad> bad_blocks() {
  std::string const start = "// EVOLVE-BLOCK-START\n";
  std::string const end = "// EVOLVE-BLOCK-END\n";
  return {{"two fences",
           fence("cuda", start + "int a;\n" + end + start + "int b;\n" + end) +
               fence("cuda", start + "int c;\n" + end + start + "int d;\n" + end)},
          {"one block of two", fence("cuda", start + "int a;\n" + end)},
          {"three blocks of two",
           fence("cuda", start + "a;\n" + end + start + "b;\n" + end + start + "c;\n" + end)},
          {"no markers", fence("cuda", "__global__ void gather() {}\n")},
          {"nested markers", fence("cuda", start + start + "int a;\n" + end + end)},
          {"END before START", fence("cuda", end + "int a;\n" + start)},
          {"START alone", fence("cuda", start + "int a;\n")},
          {"an open comment in a block", fence("cuda", start + "/* open\n" + end + start + "int b;\n" + end)},
          {"a long line in a fence", fence("cuda", std::string(1U << 18U, '{') + "\n")},
          {"the program itself", fence("cuda", lsa_program())}};
}

template <class M>
void expect_feedback(std::vector<Bad> const& all, Situation situation, std::string const& good) {
  for (auto const& bad : all) {
    SCOPED_TRACE(bad.name);
    auto backend = replies({bad.reply, good});
    M mutator(backend);
    auto const m = mutate(mutator, situation);
    ASSERT_TRUE(m) << to_line(m.error());
    EXPECT_EQ(attribute_or(m->metadata, "patch_attempt"), "2");
    EXPECT_TRUE(check_frozen(situation.parent.code, m->code));
    auto const requests = backend.requests();
    ASSERT_EQ(requests.size(), 2U);
    ASSERT_EQ(requests[1].messages.size(), 3U);
    auto const& feedback = requests[1].messages[2].text;
    EXPECT_NE(feedback.find("could not be applied"), std::string::npos) << feedback;
    EXPECT_LT(feedback.size(), 4000U);
    EXPECT_LT(all_text(requests[1]).size(), 48000U * 4) << "a reply that is too long is not repeated";
    EXPECT_FALSE(requests[1].messages[1].text.empty());
  }
}

Situation with_partner() {
  Situation situation;
  situation.archive = {make_program("other", lsa_program() + "// other\n")};
  return situation;
}
Situation failing() {
  Situation situation;
  situation.parent = make_program("broken", lsa_program(), false);
  return situation;
}

TEST(MalformedReplies, Diff) {
  expect_feedback<DiffMutator<ScriptedBackend>>(bad_for_all(), Situation{}, diff_reply(32));
  expect_feedback<DiffMutator<ScriptedBackend>>(bad_diffs(), Situation{}, diff_reply(32));
}
TEST(MalformedReplies, Full) {
  expect_feedback<FullMutator<ScriptedBackend>>(bad_for_all(), Situation{}, code_reply(8));
  expect_feedback<FullMutator<ScriptedBackend>>(bad_blocks(), Situation{}, code_reply(8));
}
TEST(MalformedReplies, Cross) {
  expect_feedback<CrossMutator<ScriptedBackend>>(bad_for_all(), with_partner(), code_reply(8));
  expect_feedback<CrossMutator<ScriptedBackend>>(bad_blocks(), with_partner(), code_reply(8));
}
TEST(MalformedReplies, Fix) {
  expect_feedback<FixMutator<ScriptedBackend>>(bad_for_all(), failing(), code_reply(8));
  auto diffs = bad_diffs();
  diffs.pop_back();  // code in a fence is an answer here
  expect_feedback<FixMutator<ScriptedBackend>>(diffs, failing(), diff_reply(32));
  expect_feedback<FixMutator<ScriptedBackend>>(bad_blocks(), failing(), diff_reply(32));
}

/// A reply that holds the whole file with other frozen text is used for its blocks alone.
TEST(MalformedReplies, FrozenTextOfAReplyIsIgnored) {
  auto tampered = lsa_program();
  tampered.replace(tampered.find("kCount = 4096"), 13, "kCount = 1");
  tampered.replace(tampered.find("kCtas = 16"), 10, "kCtas = 24");
  FullMutator mutator(replies({fence("cuda", tampered), code_reply(8)}));
  auto const m = mutate(mutator, Situation{});
  ASSERT_TRUE(m) << to_line(m.error());
  EXPECT_TRUE(check_frozen(lsa_program(), m->code));
  EXPECT_EQ(m->code.find("kCount = 1;"), std::string::npos);
}

/// The conversation stays below the budget however long replies are: the oldest are left out first.
TEST(MalformedReplies, LongRepliesAreNotRepeatedForEver) {
  std::vector<std::string> texts;
  for (char c : {'a', 'b', 'c'}) texts.push_back("prose " + std::string(40000, c));
  texts.push_back(diff_reply(32));
  auto backend = replies(texts);
  DiffMutator mutator(backend, {.prompt_tokens = 22000});
  auto const m = mutate(mutator, Situation{});
  ASSERT_TRUE(m) << to_line(m.error());
  auto const last = backend.requests().at(3);
  ASSERT_EQ(last.messages.size(), 7U);
  EXPECT_LE(all_text(last).size(), 22000U * 4);
  EXPECT_NE(last.messages[1].text.find("40006 characters, not repeated"), std::string::npos);
  EXPECT_EQ(last.messages[5].text, texts[2]);
  for (std::size_t i = 0; i < last.messages.size(); ++i)
    EXPECT_EQ(last.messages[i].role, i % 2 == 0 ? ChatMessage::Role::kUser : ChatMessage::Role::kAssistant);
}

/// Earlier thinking goes back to the provider with its reply, and counts like it.
TEST(MalformedReplies, ThinkingCountsAsPartOfAReply) {
  std::vector<ChatReply> list;
  for (char c : {'a', 'b', 'c'}) {
    list.push_back(reply_of(std::string("prose ") + c));
    list.back().provider_state = "[\"" + std::string(40000, c) + "\"]";
  }
  list.push_back(reply_of(diff_reply(32)));
  auto backend = replies(list);
  DiffMutator mutator(backend, {.prompt_tokens = 22000});
  auto const m = mutate(mutator, Situation{});
  ASSERT_TRUE(m) << to_line(m.error());
  auto const last = backend.requests().at(3);
  ASSERT_EQ(last.messages.size(), 7U);
  std::size_t size = all_text(last).size();
  for (auto const& message : last.messages) size += message.provider_state.size();
  EXPECT_LE(size, 22000U * 4);
  EXPECT_NE(last.messages[1].text.find("not repeated"), std::string::npos);
  EXPECT_TRUE(last.messages[1].provider_state.empty());
  EXPECT_EQ(last.messages[5].text, "prose c");
  EXPECT_EQ(last.messages[5].provider_state, list[2].provider_state);
}

}  // namespace
}  // namespace cuco::testing
