// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/llm/redaction.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../contract/hostile_file_system.hpp"
#include "../contract/llm_backend_contract.hpp"
#include "cuco/llm/budgeted.hpp"
#include "cuco/llm/cached.hpp"
#include "cuco/llm/impl/canonical_request.hpp"
#include "cuco/llm/recorded.hpp"
#include "cuco/llm/replay_backend.hpp"
#include "cuco/llm/scripted_backend.hpp"

namespace cuco {
namespace {

using testing::chat_request;
using ::testing::HasSubstr;
using ::testing::Not;

struct Variable {
  Variable(char const* name, std::string const& value) : name(name) { ::setenv(name, value.c_str(), 1); }
  Variable(Variable const&) = delete;
  Variable& operator=(Variable const&) = delete;
  ~Variable() { ::unsetenv(name); }
  char const* name;
};

std::string const kKey = "sk-ant-api03-0123456789abcdefXYZ";

TEST(Redaction, ReplacesKeysOfTheEnvironmentAndRegisteredOnes) {
  Variable const key("ANTHROPIC_API_KEY", kKey);
  Variable const secret("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCY\"KEY");
  Variable const longer("MY_API_KEY", kKey + "-longer");
  EXPECT_EQ(redact_secrets("x " + kKey + " y " + kKey), "x [redacted] y [redacted]");
  EXPECT_EQ(redact_secrets(kKey + "-longer"), "[redacted]") << "the whole of it, not its beginning";
  EXPECT_EQ(redact_secrets("wJalrXUtnFEMI/K7MDENG+bPxRfiCY\"KEY"), "[redacted]");
  EXPECT_EQ(redact_secrets(R"(wJalrXUtnFEMI/K7MDENG+bPxRfiCY\"KEY)"), "[redacted]") << "inside a JSON text";
  EXPECT_EQ(redact_secrets(R"(wJalrXUtnFEMI\/K7MDENG+bPxRfiCY\"KEY)"), "[redacted]");
  EXPECT_EQ(redact_secrets("wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCY%22KEY"), "[redacted]") << "inside a URL";
  EXPECT_EQ(redact_secrets("no secret here"), "no secret here");
  register_secret("from-a-file-12345");
  EXPECT_EQ(redact_secrets("key=from-a-file-12345;"), "key=[redacted];");
}

TEST(Redaction, LeavesOrdinaryVariablesAlone) {
  Variable const numbers("MAX_OUTPUT_TOKENS", "32000000");
  Variable const brief("CI_JOB_TOKEN", "abc");
  Variable const file("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token");
  Variable const other("SOME_SETTING", "a-long-ordinary-value");
  std::string const text = "32000000 abc /var/run/secrets/token a-long-ordinary-value";
  EXPECT_EQ(redact_secrets(text), text);
  register_secret("short");
  EXPECT_EQ(redact_secrets("short"), "short");
}

std::string everything_under(std::string const& folder) {
  std::string out;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
    out += entry.path().string() + "\n";
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    out += text.str();
  }
  return out;
}

TEST(Redaction, NoKeyIsEverWritten) {
  TemporaryFolder const folder;
  std::string const quoted = "pa\"ss\\wo/rd-0123456789";
  {
    Variable const key("OPENAI_API_KEY", kKey);
    Variable const second("SOME_PASSWORD", quoted);
    ChatReply reply;
    reply.text = "your key is " + kKey + " and " + quoted;
    reply.thinking = kKey;
    reply.provider_state = "{\"k\":\"" + kKey + "\"}";
    reply.tool_calls = {{kKey, "t", "{\"p\":\"pa\\\"ss\\\\wo/rd-0123456789\"}"}};
    reply.cost_usd = 0.1;
    Error error{ErrorCode::kProcess, "bad key " + kKey, kKey, kKey, 0, "header: " + kKey + "\xff"};
    auto request = chat_request("debug this: " + kKey + " " + quoted);
    request.system = kKey;
    request.messages.push_back({ChatMessage::Role::kAssistant, kKey, {{"i", kKey, kKey}}, kKey, kKey});
    request.tools = {{kKey, kKey, kKey}};
    request.json_schema = kKey;

    ScriptedBackend const inner({reply, tl::unexpected<Error>(error), reply});
    Budgeted backend{Cached{Recorded{inner, folder / "record"}, {.folder = folder / "cache"}},
                     tokens(1'000'000),
                     {.ledger = folder / "ledger.jsonl"}};
    auto const first = backend.complete(request);
    request.temperature = 0.5;
    auto const second_call = backend.complete(request);
    ASSERT_TRUE(first);
    ASSERT_FALSE(second_call);
    // The run sees what a replay will see.
    EXPECT_EQ(first->text, "your key is [redacted] and [redacted]");
    EXPECT_EQ(second_call.error().cause, "bad key [redacted]");
    EXPECT_TRUE(inner.requests().at(0).system == kKey) << "the model is asked what was meant";
  }
  auto const written = everything_under(folder.path);
  EXPECT_THAT(written, HasSubstr("[redacted]"));
  EXPECT_THAT(written, Not(HasSubstr(kKey)));
  EXPECT_THAT(written, Not(HasSubstr(kKey.substr(0, 20))));
  EXPECT_THAT(written, Not(HasSubstr("rd-0123456789")));
}

TEST(Redaction, AReplayWithoutTheKeyFindsTheCall) {
  TemporaryFolder const folder;
  auto const request = [](std::string const& key) { return chat_request("environment: KEY=" + key); };
  {
    Variable const key("OPENAI_API_KEY", kKey);
    ASSERT_TRUE(
        (Recorded{ScriptedBackend(std::vector<std::string>{"fine"}), folder.path}.complete(request(kKey))));
  }
  {
    Variable const other("OPENAI_API_KEY", "sk-another-key-of-somebody");
    EXPECT_TRUE(ReplayBackend(folder.path).complete(request("sk-another-key-of-somebody")));
  }
  EXPECT_FALSE(ReplayBackend(folder.path).complete(request("something else")));
}

TEST(CanonicalRequest, EveryPartCounts) {
  auto const base = chat_request("q");
  auto const key = impl::request_key("m:x", base);
  EXPECT_EQ(key.size(), 32U);
  EXPECT_EQ(impl::request_key("m:x", base), key);
  EXPECT_NE(impl::request_key("m:y", base), key);
  std::vector<ChatRequest> others(12, base);
  others[0].system += " ";
  others[1].messages[0].text += " ";
  others[2].messages[0].role = ChatMessage::Role::kTool;
  others[3].messages.push_back(base.messages[0]);
  others[4].temperature.reset();
  others[5].max_tokens += 1;
  others[6].effort = Effort::kLow;
  others[7].thinking_tokens = 1;
  others[8].tools = {{"a", "b", "{}"}};
  others[9].json_schema = "{}";
  others[10].messages[0].provider_state = "s";
  others[11].messages[0].tool_calls = {{"a", "b", "c"}};
  for (std::size_t i = 0; i < others.size(); ++i) {
    EXPECT_NE(impl::request_key("m:x", others[i]), key) << i;
    for (std::size_t k = i + 1; k < others.size(); ++k)
      EXPECT_NE(impl::request_key("m:x", others[i]), impl::request_key("m:x", others[k])) << i << " " << k;
  }
  // Fields cannot flow into each other.
  auto ab = base;
  auto ba = base;
  ab.messages[0].tool_calls = {{"a", "bc", ""}};
  ba.messages[0].tool_calls = {{"ab", "c", ""}};
  EXPECT_NE(impl::request_key("m:x", ab), impl::request_key("m:x", ba));
}

TEST(CanonicalRequest, NamesStayTheSameInEveryVersion) {
  // Recordings outlive the library that made them.
  EXPECT_EQ(impl::canonical_request("m:x", chat_request("q")),
            "cuco request 1\n3:m:x15:You write CUDA.4:user1:q1:00:0:1:11:04:10007:default1:01:00:");
}

}  // namespace
}  // namespace cuco
