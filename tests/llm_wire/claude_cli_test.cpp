// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The command line of Claude, played by a script.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include "cuco/llm/claude_cli_backend.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/llm_error.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;

namespace {

constexpr char const* kGood =
    R"({"type":"result","subtype":"success","is_error":false,"duration_ms":1200,"num_turns":1,"result":"forty-two",)"
    R"("stop_reason":"end_turn","session_id":"s","total_cost_usd":0.0123,"usage":{"input_tokens":10,)"
    R"("cache_creation_input_tokens":20,"cache_read_input_tokens":30,"output_tokens":5}})";

/// A folder first in PATH with a `claude` that records how it is called and does what `script` says.
class FakeCli {
 public:
  explicit FakeCli(std::string const& script)
      : folder_(scratch()), path_("PATH", folder_.path() + ":" + ::getenv("PATH")) {
    write_file(folder_.path() + "/claude",
               "#!/bin/sh\nd=" + folder_.path() +
                   "\nfor a in \"$@\"; do printf '%s\\n' \"$a\" >> $d/arguments; done\ncat > $d/input\nenv > "
                   "$d/environment\n"
                   "pwd > $d/directory; ls -A > $d/listing\n" +
                   script + "\n");
    ::chmod((folder_.path() + "/claude").c_str(), 0755);
    write_file(folder_.path() + "/good", kGood);
  }
  [[nodiscard]] std::string recorded(std::string const& what) const {
    std::ifstream file(folder_.path() + "/" + what, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  [[nodiscard]] std::string folder() const { return folder_.path(); }

 private:
  cuco::ScratchFolder folder_;
  Variable path_;
};

cuco::Result<cuco::ChatReply> ask(cuco::ChatRequest const& request, cuco::BackendOptions options = quick()) {
  auto made = cuco::make_backend("claude-cli:sonnet", options);
  if (!made) return tl::unexpected<cuco::Error>(made.error());
  return made->complete(request);
}

std::string printing(std::string const& json) {
  return "cat <<'END'\n" + json + "\nEND";
}

}  // namespace

TEST(ClaudeCli, ReadsItsAnswer) {
  CleanEnvironment const clean;
  FakeCli const cli("cat $d/good");
  auto request = question();
  std::string told;
  request.on_text = [&](std::string_view text) { told += text; };
  auto const reply = ask(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error()) << reply.error().detail;
  EXPECT_EQ(reply->text, "forty-two");
  EXPECT_EQ(told, "forty-two");
  EXPECT_EQ(reply->model, "claude-cli:sonnet");
  EXPECT_EQ(reply->finish, cuco::FinishReason::kEnd);
  EXPECT_EQ(reply->usage, (cuco::TokenUsage{60, 5, 30, 20, 0}));
  EXPECT_DOUBLE_EQ(reply->cost_usd.value(), 0.0123);
}

TEST(ClaudeCli, IsCalledWithoutToolsAndWithThePromptOnStandardInput) {
  CleanEnvironment const clean;
  FakeCli const cli("cat $d/good");
  auto request = question("What's \"this\"; $(rm -rf /)?");
  request.effort = cuco::Effort::kHigh;
  request.max_tokens = 1234;
  ASSERT_TRUE(ask(request));
  EXPECT_EQ(
      cli.recorded("arguments"),
      "-p\n--output-format\njson\n--model\nsonnet\n--tools\n\n--strict-mcp-config\n--no-session-persistence\n"
      "--effort\nhigh\n--system-prompt\nYou are terse.\n");
  EXPECT_EQ(cli.recorded("input"), "What's \"this\"; $(rm -rf /)?");
  EXPECT_NE(cli.recorded("environment").find("CLAUDE_CODE_MAX_OUTPUT_TOKENS=1234\n"), std::string::npos);
  EXPECT_EQ(cli.recorded("listing"), "") << "it sees no files";
  EXPECT_NE(cli.recorded("directory"), std::filesystem::current_path().string() + "\n");
}

TEST(ClaudeCli, FlattensAConversation) {
  CleanEnvironment const clean;
  FakeCli const cli("cat $d/good");
  auto request = question("first");
  cuco::ChatReply said;
  said.text = "second";
  request.messages.push_back(assistant(said));
  request.messages.push_back(user("third"));
  request.json_schema = "";
  ASSERT_TRUE(ask(request));
  std::string const input = cli.recorded("input");
  auto const a = input.find("[user]\nfirst"), b = input.find("[assistant]\nsecond"),
             c = input.find("[user]\nthird");
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  EXPECT_NE(c, std::string::npos);
}

TEST(ClaudeCli, PutsALongSystemTextBeforeThePrompt) {
  CleanEnvironment const clean;
  FakeCli const cli("cat $d/good");
  auto request = question();
  request.system = std::string(300'000, 's');
  ASSERT_TRUE(ask(request));
  EXPECT_EQ(cli.recorded("arguments").find("ssss"), std::string::npos);
  EXPECT_EQ(cli.recorded("input").rfind("ssss", 0), 0U);
}

TEST(ClaudeCli, GetsItsKeyByTheEnvironmentOnly) {
  CleanEnvironment const clean;
  FakeCli const cli("echo \"key is $ANTHROPIC_API_KEY\" >&2; exit 3");
  Variable const key("ANTHROPIC_API_KEY", kKey), other("OPENAI_API_KEY", "other-key-of-mine"),
      mine("MY_TOKEN", "xyz");
  auto const reply = ask(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ((cuco::to_line(reply.error()) + reply.error().detail).find(kKey), std::string::npos)
      << reply.error().cause;
  EXPECT_NE(reply.error().cause.find("key is [key]"), std::string::npos) << reply.error().cause;
  EXPECT_EQ(cli.recorded("arguments").find(kKey), std::string::npos);
  EXPECT_NE(cli.recorded("environment").find(std::string("ANTHROPIC_API_KEY=") + kKey), std::string::npos);
  EXPECT_EQ(cli.recorded("environment").find("other-key-of-mine"), std::string::npos);
  EXPECT_EQ(cli.recorded("environment").find("MY_TOKEN"), std::string::npos);
}

TEST(ClaudeCli, TakesItsKeyFromAFile) {
  CleanEnvironment const clean;
  FakeCli const cli("cat $d/good");
  write_file(cli.folder() + "/keys", "ANTHROPIC_API_KEY=from-the-file\n");
  ::chmod((cli.folder() + "/keys").c_str(), 0600);
  auto options = quick();
  options.key_file = cli.folder() + "/keys";
  ASSERT_TRUE(ask(question(), options));
  EXPECT_NE(cli.recorded("environment").find("ANTHROPIC_API_KEY=from-the-file\n"), std::string::npos);
}

TEST(ClaudeCli, FailuresAreErrors) {
  CleanEnvironment const clean;
  struct Case {
    std::string script;
    ErrorCode code;
    std::string words;
  };
  std::string const error_head = R"({"type":"result","subtype":"success","is_error":true,"result":")";
  for (
      auto const& [script, code, words] : std::vector<Case>{
          {"exit 1", ErrorCode::kProcess, "exit code 1"},
          {"cat $d/good; exit 1", ErrorCode::kProcess, ""},
          {"echo 'not json'", ErrorCode::kProcess, "not the JSON"},
          {"printf '%s' '{\"type\":\"result\"'", ErrorCode::kProcess, "not the JSON"},
          {"true", ErrorCode::kProcess, "not the JSON"},
          {"echo 'unknown option --tools' >&2; exit 1", ErrorCode::kProcess, "unknown option"},
          {printing(error_head + "API Error: 529 overloaded\"}") + "\nexit 1", ErrorCode::kProcess, "529"},
          {printing(error_head + "API Error: 400 bad\"}"), ErrorCode::kInvalidArgument, "400"},
          {printing(error_head + "Invalid API key. Please run /login\"}"), ErrorCode::kRefused, "login"},
          {printing(error_head + "Credit balance is too low\"}"), ErrorCode::kRefused, "Credit"},
          {printing(error_head + "Prompt is too long\"}"), ErrorCode::kInvalidArgument, "too long"},
          {printing(error_head + "Claude AI usage limit reached|123\"}"), ErrorCode::kProcess, "429"},
          {printing(R"({"type":"result","subtype":"error_during_execution","is_error":true})"),
           ErrorCode::kProcess,
           "error_during_execution"},
          {printing(R"({"type":"result","subtype":"success","is_error":false,"result":"x"})"),
           ErrorCode::kProcess,
           "stop_reason"},
          {printing(
               R"({"type":"result","subtype":"success","is_error":false,"result":"x","stop_reason":"bored"})"),
           ErrorCode::kProcess,
           "bored"},
          {"kill -9 $$", ErrorCode::kProcess, "signal 9"},
      }) {
    FakeCli const cli(script);
    auto const reply = ask(question());
    ASSERT_FALSE(reply) << script;
    EXPECT_EQ(reply.error().code, code) << script << ": " << cuco::to_line(reply.error());
    EXPECT_NE(reply.error().cause.find(words), std::string::npos) << script << ": " << reply.error().cause;
    EXPECT_EQ(reply.error().detail.rfind("http-status: ", 0), 0U) << script;
  }
}

TEST(ClaudeCli, SaysWhyTheReplyEnded) {
  CleanEnvironment const clean;
  for (auto const& [reason, finish] : std::vector<std::pair<std::string, cuco::FinishReason>>{
           {"max_tokens", cuco::FinishReason::kLength}, {"refusal", cuco::FinishReason::kFiltered}}) {
    FakeCli const cli(printing(
        R"([{"type":"system"},{"type":"result","subtype":"success","is_error":false,"result":"x","stop_reason":")" +
        reason + "\"}]"));
    auto const reply = ask(question());
    ASSERT_TRUE(reply) << cuco::to_line(reply.error());
    EXPECT_EQ(reply->finish, finish);
    EXPECT_FALSE(reply->cost_usd) << "unknown is not free";
  }
}

TEST(ClaudeCli, AReplyThatIsTooLongIsCutOffAndPaid) {
  CleanEnvironment const clean;
  for (char const* exit : {"", "\nexit 1"}) {
    FakeCli const cli(
        printing(
            R"({"type":"result","subtype":"success","is_error":true,"result":"API Error: Claude's response exceeded the )"
            R"(32000 output token maximum. To configure this behavior, set the CLAUDE_CODE_MAX_OUTPUT_TOKENS environment )"
            R"(variable.","stop_reason":null,"total_cost_usd":0.8,"usage":{"input_tokens":10,"output_tokens":32000}})") +
        exit);
    auto const reply = ask(question());
    ASSERT_TRUE(reply) << cuco::to_line(reply.error());
    EXPECT_EQ(reply->finish, cuco::FinishReason::kLength);
    EXPECT_EQ(reply->text, "") << "the program's words are not the model's";
    EXPECT_EQ(reply->usage, (cuco::TokenUsage{10, 32000, 0, 0, 0}));
    EXPECT_DOUBLE_EQ(reply->cost_usd.value(), 0.8);
  }
}

TEST(ClaudeCli, ErrorsSayWhatTheyCost) {
  CleanEnvironment const clean;
  auto const cost = [](std::string const& json) {
    FakeCli const cli(printing(json) + "\nexit 1");
    auto const reply = ask(question());
    EXPECT_FALSE(reply) << json;
    return cuco::impl::failed_call_of(reply.error());
  };
  std::string const paid = R"("total_cost_usd":0.25,"usage":{"input_tokens":5,"output_tokens":6})";
  for (std::string const& json :
       {R"({"type":"result","subtype":"error_during_execution","is_error":true,)" + paid + "}",
        R"({"type":"result","subtype":"success","is_error":true,"result":"API Error: 529 overloaded",)" +
            paid + "}"}) {
    auto const told = cost(json);
    EXPECT_EQ(told.usd, 0.25);
    EXPECT_EQ(told.usage, (cuco::TokenUsage{5, 6, 0, 0, 0}));
  }
  for (char const* end : {"", R"("stop_reason":"bored",)"}) {
    FakeCli const cli(printing(R"({"type":"result","subtype":"success","is_error":false,"result":"x",)" +
                               std::string(end) + paid + "}"));
    auto const reply = ask(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(cuco::impl::failed_call_of(reply.error()).usd, 0.25);
  }
}

TEST(ClaudeCli, AFailureWithoutWordsMayHaveCostSomething) {
  CleanEnvironment const clean;
  for (char const* script :
       {"exit 1", "kill -9 $$", "echo 'not json'", "echo 'usage: 0 0 0 0 0' >&2; exit 1"}) {
    FakeCli const cli(script);
    auto const reply = ask(question());
    ASSERT_FALSE(reply);
    EXPECT_FALSE(cuco::impl::is_free(reply.error())) << script << ": " << reply.error().detail;
  }
  FakeCli const refused(
      printing(R"({"type":"result","subtype":"success","is_error":true,"result":"API Error: 429 slow"})"));
  EXPECT_TRUE(cuco::impl::is_free(ask(question()).error()));
}

TEST(ClaudeCli, EndsAtTheDeadline) {
  CleanEnvironment const clean;
  FakeCli const cli("exec sleep 60");
  auto options = quick();
  options.deadline = std::chrono::milliseconds(200);
  auto const begin = std::chrono::steady_clock::now();
  auto const reply = ask(question(), options);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(cuco::is_retryable(reply.error()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(ClaudeCli, RefusesAReplyThatIsTooLong) {
  CleanEnvironment const clean;
  FakeCli const cli("head -c 200000 /dev/zero | tr '\\0' x");
  auto options = quick();
  options.most_bytes = 100'000;
  auto const reply = ask(question(), options);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kParse);
}

TEST(ClaudeCli, CannotCallTools) {
  CleanEnvironment const clean;
  FakeCli const cli("cat $d/good");
  auto request = question();
  request.tools = {{"t", "", "{}"}};
  EXPECT_EQ(ask(request).error().code, ErrorCode::kInvalidArgument);
}

TEST(ClaudeCli, GivesJson) {
  CleanEnvironment const clean;
  FakeCli const cli(printing(
      R"({"type":"result","subtype":"success","is_error":false,"result":"```json\n{\"score\":3}\n```","stop_reason":"end_turn","total_cost_usd":0.5})"));
  auto request = question();
  request.json_schema = R"({"type":"object","required":["score"]})";
  auto const reply = ask(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->text, "{\"score\":3}");
  EXPECT_NE(cli.recorded("arguments").find("JSON Schema"), std::string::npos);
}

TEST(ClaudeCli, PaysForTheRepairToo) {
  CleanEnvironment const clean;
  FakeCli const cli(
      "if [ -e $d/again ]; then r='{\\\"score\\\":3}'; else r=three; touch $d/again; fi\n"
      "printf "
      "'{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"%s\",\"stop_reason\":"
      "\"end_turn\","
      "\"total_cost_usd\":0.25,\"usage\":{\"input_tokens\":3,\"output_tokens\":2}}' \"$r\"");
  auto request = question();
  request.json_schema = R"({"type":"object","required":["score"]})";
  auto const reply = ask(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->text, "{\"score\":3}");
  EXPECT_DOUBLE_EQ(reply->cost_usd.value(), 0.5);
  EXPECT_EQ(reply->usage.input, 6);
}

TEST(ClaudeCli, MustBeInstalled) {
  CleanEnvironment const clean;
  auto const folder = scratch();
  Variable const path("PATH", folder.path());
  auto made = cuco::make_backend("claude-cli:sonnet");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kToolMissing);
  for (auto const& row : cuco::provider_table()) EXPECT_TRUE(row.name != "claude-cli" || !row.configured);
  EXPECT_FALSE(cuco::reachable("claude-cli"));
}

TEST(ClaudeCli, AModelCannotBeAnOption) {
  CleanEnvironment const clean;
  FakeCli const cli("cat $d/good");
  EXPECT_EQ(cuco::make_backend("claude-cli:--dangerously-skip-permissions").error().code,
            ErrorCode::kInvalidArgument);
}

TEST(ClaudeCli, IsReachableWhenItRuns) {
  CleanEnvironment const clean;
  FakeCli const cli("echo 2.1");
  EXPECT_TRUE(cuco::reachable("claude-cli"));
  EXPECT_EQ(cli.recorded("arguments"), "--version\n");
}
