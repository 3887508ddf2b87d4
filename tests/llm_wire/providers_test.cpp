// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Choosing a backend by name, keys and addresses, and whether a provider can be reached.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>
#include <string>

#include "cuco/core/log.hpp"
#include "cuco/llm/anthropic_backend.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/openai_chat_backend.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;
using cuco::make_backend;

TEST(MakeBackend, NamesTheKnownProvidersWhenItDoesNotKnowOne) {
  for (char const* name : {"claude-sonnet-4-6", "nobody:model", ":model", ""}) {
    auto const made = make_backend(name);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    for (auto const& row : cuco::provider_table())
      EXPECT_NE(made.error().cause.find(row.name), std::string::npos)
          << row.name << " in " << made.error().cause;
  }
  for (char const* name : {"anthropic", "anthropic:"}) {
    auto const made = make_backend(name);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().cause.find("names no model"), std::string::npos) << made.error().cause;
  }
}

TEST(MakeBackend, KeepsColonsOfTheModel) {
  CleanEnvironment const clean;
  auto const made = make_backend("ollama:qwen3:8b");
  ASSERT_TRUE(made) << cuco::to_line(made.error());
  EXPECT_EQ(made->model(), "ollama:qwen3:8b");
}

TEST(MakeBackend, SaysWhichKeyIsMissing) {
  CleanEnvironment const clean;
  for (auto const& [provider, variable] :
       std::vector<std::pair<std::string, std::string>>{{"anthropic", "ANTHROPIC_API_KEY"},
                                                        {"openai", "OPENAI_API_KEY"},
                                                        {"openai-chat", "OPENAI_API_KEY"},
                                                        {"gemini", "GEMINI_API_KEY"},
                                                        {"bedrock", "AWS_ACCESS_KEY_ID"},
                                                        {"deepseek", "DEEPSEEK_API_KEY"},
                                                        {"openrouter", "OPENROUTER_API_KEY"}}) {
    auto const made = make_backend(provider + ":m");
    ASSERT_FALSE(made) << provider;
    EXPECT_EQ(made.error().code, ErrorCode::kRefused);
    EXPECT_NE(made.error().remedy.find(variable), std::string::npos) << cuco::to_line(made.error());
  }
  EXPECT_EQ(make_backend("compatible:m").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(make_backend("azure:m").error().code, ErrorCode::kInvalidArgument);
  for (char const* provider : {"ollama", "vllm"})
    EXPECT_TRUE(make_backend(std::string(provider) + ":m")) << provider;
}

TEST(MakeBackend, AnEmptyKeyIsNone) {
  CleanEnvironment const clean;
  Variable const key("ANTHROPIC_API_KEY", "  ");
  EXPECT_EQ(make_backend("anthropic:m").error().code, ErrorCode::kRefused);
}

TEST(Backends, WithoutAKeyFailWhenTheyAreAsked) {
  CleanEnvironment const clean;
  cuco::AnthropicBackend const backend("claude-opus-4-6");
  EXPECT_EQ(backend.model(), "anthropic:claude-opus-4-6");
  auto const reply = backend.complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kRefused);
  EXPECT_FALSE(cuco::is_retryable(reply.error()));
}

TEST(Backends, NeedAModel) {
  CleanEnvironment const clean;
  FakeServer server({Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64}});
  auto options = quick();
  options.base_url = server.url();
  EXPECT_EQ(cuco::OpenAiChatBackend(options, "vllm").complete(question()).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(Addresses, ComeFromTheOptionThenTheEnvironment) {
  CleanEnvironment const clean;
  FakeServer first({Answer{200, "text/event-stream", anthropic_stream(forty_two()), {}, 64}});
  FakeServer second({Answer{200, "text/event-stream", anthropic_stream(forty_two()), {}, 64}});
  Variable const key("ANTHROPIC_API_KEY", kKey);
  // With and without the version, and with a slash at the end.
  for (char const* suffix : {"", "/", "/v1", "/v1/"}) {
    Variable const url("ANTHROPIC_BASE_URL", first.url() + suffix);
    ASSERT_TRUE(make_backend("anthropic:claude-opus-4-6", quick())->complete(question())) << suffix;
    EXPECT_EQ(first.seen().back().target, "/v1/messages");
  }
  Variable const url("ANTHROPIC_BASE_URL", first.url());
  auto options = quick();
  options.base_url = second.url();
  ASSERT_TRUE(make_backend("anthropic:claude-opus-4-6", options)->complete(question()));
  EXPECT_EQ(first.seen().size(), 4U);
  EXPECT_EQ(second.seen().size(), 1U);
}

TEST(Addresses, AzureHasADatedApiToo) {
  CleanEnvironment const clean;
  FakeServer server({Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64}});
  Variable const key("AZURE_OPENAI_API_KEY", kKey),
      endpoint("AZURE_OPENAI_ENDPOINT", server.url() + "/openai/v1/");
  ASSERT_TRUE(make_backend("azure:my model", quick())->complete(question()));
  EXPECT_EQ(server.seen().back().target, "/openai/v1/chat/completions");
  EXPECT_EQ(Json::parse(server.seen().back().body)["model"], "my model");
  Variable const version("AZURE_OPENAI_API_VERSION", "2024-10-21");
  ASSERT_TRUE(make_backend("azure:my model", quick())->complete(question()));
  EXPECT_EQ(server.seen().back().target,
            "/openai/deployments/my%20model/chat/completions?api-version=2024-10-21");
}

TEST(Keys, AnthropicTakesATokenToo) {
  CleanEnvironment const clean;
  FakeServer server({Answer{200, "text/event-stream", anthropic_stream(forty_two()), {}, 64}});
  Variable const token("ANTHROPIC_AUTH_TOKEN", "a-token-of-some-length"),
      url("ANTHROPIC_BASE_URL", server.url());
  ASSERT_TRUE(make_backend("anthropic:claude-opus-4-6", quick())->complete(question()));
  EXPECT_EQ(server.seen()[0].header("authorization"), "Bearer a-token-of-some-length");
  EXPECT_EQ(server.seen()[0].header("x-api-key"), "");
  EXPECT_EQ(server.seen()[0].header("anthropic-version"), "2023-06-01");
}

TEST(Keys, MayComeFromAnyVariable) {
  CleanEnvironment const clean;
  FakeServer server({Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64}});
  Variable const key("MY_OWN_KEY", "own-key-value");
  auto options = quick();
  options.base_url = server.url();
  options.api_key_env = "MY_OWN_KEY";
  ASSERT_TRUE(make_backend("compatible:m", options)->complete(question()));
  EXPECT_EQ(server.seen()[0].header("authorization"), "Bearer own-key-value");
  options.api_key_env = "NOT_SET_ANYWHERE";
  auto const made = make_backend("compatible:m", options);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().remedy.find("NOT_SET_ANYWHERE"), std::string::npos);
}

TEST(Keys, MayComeFromAFile) {
  CleanEnvironment const clean;
  auto const folder = scratch();
  std::string const file = folder.path() + "/keys";
  FakeServer server({Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64}});
  write_file(file,
             "# keys\n\nOTHER=1\nexport DEEPSEEK_API_KEY = \"file-key-value\" \r\nDEEPSEEK_BASE_URL='" +
                 server.url() + "'\n");
  ::chmod(file.c_str(), 0600);
  auto options = quick();
  options.key_file = file;
  Variable const environment("DEEPSEEK_API_KEY", "environment-key");
  ASSERT_TRUE(make_backend("deepseek:deepseek-chat", options)->complete(question()));
  EXPECT_EQ(server.seen()[0].header("authorization"), "Bearer file-key-value")
      << "the file goes before the environment";
  // Named by the environment.
  Variable const named("CUCO_KEY_FILE", file);
  ASSERT_TRUE(make_backend("deepseek:deepseek-chat", quick())->complete(question()));
  EXPECT_EQ(server.seen()[1].header("authorization"), "Bearer file-key-value");
}

TEST(Keys, AFileThatIsWrongIsToldWithItsLine) {
  CleanEnvironment const clean;
  auto const folder = scratch();
  std::string const file = folder.path() + "/keys";
  write_file(file, "A=1\nsk-secret-that-somebody-pasted\n");
  auto options = quick();
  options.key_file = file;
  auto made = make_backend("anthropic:m", options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kParse);
  EXPECT_EQ(made.error().line, 2U);
  EXPECT_EQ(cuco::to_line(made.error()).find("sk-secret"), std::string::npos);
  options.key_file = folder.path() + "/none";
  made = make_backend("anthropic:m", options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
}

TEST(Keys, AFileThatOthersCanReadIsWarnedOf) {
  CleanEnvironment const clean;
  auto const folder = scratch();
  std::string const file = folder.path() + "/keys";
  write_file(file, "ANTHROPIC_API_KEY=some-long-key\n");
  std::string warned;
  auto const old = cuco::set_log_sink([&](cuco::LogLevel, std::string_view text) { warned += text; });
  auto options = quick();
  options.key_file = file;
  ::chmod(file.c_str(), 0644);
  EXPECT_TRUE(make_backend("anthropic:m", options));
  EXPECT_NE(warned.find(file), std::string::npos);
  warned.clear();
  ::chmod(file.c_str(), 0600);
  EXPECT_TRUE(make_backend("anthropic:m", options));
  cuco::set_log_sink(old);
  EXPECT_EQ(warned, "");
}

TEST(ProviderTable, SaysWhatIsConfigured) {
  CleanEnvironment const clean;
  auto const row = [](std::string const& name) {
    for (auto const& found : cuco::provider_table())
      if (found.name == name) return found;
    return cuco::ProviderRow{};
  };
  EXPECT_FALSE(row("anthropic").configured);
  EXPECT_NE(row("anthropic").missing.find("ANTHROPIC_API_KEY"), std::string::npos);
  EXPECT_EQ(row("anthropic").base_url, "https://api.anthropic.com");
  EXPECT_TRUE(row("ollama").configured);
  Variable const key("ANTHROPIC_API_KEY", kKey),
      url("ANTHROPIC_BASE_URL", "https://user:pass@proxy.example/x"), region("AWS_REGION", "eu-central-1"),
      id("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), secret("AWS_SECRET_ACCESS_KEY", kKey);
  EXPECT_TRUE(row("anthropic").configured);
  EXPECT_EQ(row("anthropic").base_url, "https://proxy.example");
  EXPECT_TRUE(row("bedrock").configured);
  EXPECT_EQ(row("bedrock").base_url, "https://bedrock-runtime.eu-central-1.amazonaws.com");
  Variable const china("AWS_REGION", "cn-north-1");
  EXPECT_EQ(row("bedrock").base_url, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn");
  for (auto const& each : cuco::provider_table())
    EXPECT_EQ((each.missing + each.base_url).find(kKey), std::string::npos) << each.name;
}

TEST(ProviderTable, HasEveryProviderOnce) {
  std::set<std::string> names;
  for (auto const& row : cuco::provider_table()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
  for (auto const& format : formats()) EXPECT_EQ(names.count(format.provider), 1U) << format.provider;
  EXPECT_EQ(names.count("claude-cli"), 1U);
}

using Reachable = EveryProvider;

TEST_P(Reachable, AsksForTheModels) {
  FakeServer server({Answer{200, "application/json", R"({"data":[]})", {}, 0}});
  auto options = quick();
  options.base_url = server.url() + GetParam().base_path;
  auto const status = cuco::reachable(GetParam().provider, options);
  EXPECT_TRUE(status) << cuco::to_line(status.error());
  EXPECT_EQ(server.seen().at(0).method, "GET");
  EXPECT_EQ(server.seen().at(0).header(GetParam().key_header), GetParam().key_prefix + kKey);
}

TEST_P(Reachable, TellsARefusedKeyFromASilentServer) {
  auto options = quick();
  FakeServer refusing({refusal(401, "no such key")});
  options.base_url = refusing.url() + GetParam().base_path;
  auto status = cuco::reachable(GetParam().provider, options);
  // Bedrock's runtime has no list of models: any answer counts.
  if (GetParam().provider == "bedrock") {
    EXPECT_TRUE(status);
  } else {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kRefused);
  }
  options.base_url = "http://127.0.0.1:" + std::to_string(free_port());
  EXPECT_EQ(cuco::reachable(GetParam().provider, options).error().code, ErrorCode::kProcess);
  RawServer silent({{}, RawServer::End::kHold});
  options.base_url = silent.url();
  options.deadline = std::chrono::milliseconds(100);
  EXPECT_EQ(cuco::reachable(GetParam().provider, options).error().code, ErrorCode::kTimeout);
}

TEST_P(Reachable, NeedsNoKeyToSeeThatTheServerIsThere) {
  Variable const none(GetParam().key_variable, std::nullopt);
  FakeServer server({refusal(401, "no key")});
  auto options = quick();
  options.base_url = server.url() + GetParam().base_path;
  EXPECT_TRUE(cuco::reachable(GetParam().provider, options));
}

INSTANTIATE_TEST_SUITE_P(Http, Reachable, testing::ValuesIn(formats()), provider_name);

TEST(ReachableProvider, MustBeKnown) {
  EXPECT_EQ(cuco::reachable("nobody").error().code, ErrorCode::kInvalidArgument);
}
