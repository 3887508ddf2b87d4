// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// What is sent: requests as pure functions.
#include <gtest/gtest.h>

#include <string>

#include "cuco/llm/wire/claude_traits.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::Effort;
using cuco::wire::Dialect;

namespace {

Json anthropic(cuco::ChatRequest const& request,
               std::string const& model = "claude-sonnet-4-5",
               Dialect const& dialect = {}) {
  return Json::parse(cuco::wire::anthropic_body(model, request, dialect, true).text);
}
Json chat(cuco::ChatRequest const& request,
          cuco::wire::ChatFlavor flavor = cuco::wire::ChatFlavor::kOther,
          std::string const& model = "m",
          Dialect const& dialect = {}) {
  return Json::parse(cuco::wire::chat_body(model, flavor, request, dialect, true).text);
}
Json responses(cuco::ChatRequest const& request,
               std::string const& model = "gpt-4.1",
               Dialect const& dialect = {}) {
  return Json::parse(cuco::wire::responses_body(model, request, dialect, true).text);
}
Json gemini(cuco::ChatRequest const& request,
            std::string const& model = "gemini-2.5-pro",
            Dialect const& dialect = {}) {
  return Json::parse(cuco::wire::gemini_body(model, request, dialect).text);
}
Json bedrock(cuco::ChatRequest const& request,
             std::string const& model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
             Dialect const& dialect = {}) {
  return Json::parse(cuco::wire::bedrock_body(model, request, dialect).text);
}

cuco::ChatRequest with_effort(Effort effort) {
  auto request = question();
  request.effort = effort;
  request.temperature = 0.5;
  return request;
}

cuco::ChatRequest with_tools() {
  auto request = question();
  request.tools = {{"multiply",
                    "Multiplies.",
                    R"({"type":"object","properties":{"a":{"type":"number"}},"required":["a"]})"}};
  return request;
}

/// A question, two calls, their results.
cuco::ChatRequest tool_round() {
  auto request = with_tools();
  cuco::ChatMessage called;
  called.role = cuco::ChatMessage::Role::kAssistant;
  called.text = "Let me see.";
  called.tool_calls = {{"c1", "multiply", R"({"a":6})"}, {"c2", "multiply", R"({"a":7})"}};
  request.messages.push_back(called);
  request.messages.push_back(tool_result("c1", "six"));
  request.messages.push_back(tool_result("c2", "seven"));
  return request;
}

constexpr char const* kSchema =
    R"({"type":"object","properties":{"score":{"type":"integer"},"why":{"type":"string"}},"required":["score"]})";

cuco::ChatRequest for_json() {
  auto request = question();
  request.json_schema = kSchema;
  return request;
}

}  // namespace

TEST(ClaudeNames, TellTheVersion) {
  auto const version = [](char const* name) { return cuco::wire::claude_traits(name).version; };
  EXPECT_EQ(version("claude-opus-4-6"), 406);
  EXPECT_EQ(version("claude-sonnet-4-5-20250929"), 405);
  EXPECT_EQ(version("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), 405);
  EXPECT_EQ(version("anthropic.claude-opus-4-6-v1"), 406);
  EXPECT_EQ(version("claude-opus-4-20250514"), 400);
  EXPECT_EQ(version("claude-3-7-sonnet-latest"), 307);
  EXPECT_EQ(version("claude-3-5-haiku@20241022"), 305);
  EXPECT_EQ(version("anthropic.claude-3-haiku-20240307-v1:0"), 300);
  EXPECT_EQ(version("anthropic/claude-opus-4.6"), 406);
  EXPECT_EQ(version("claude-opus-5"), 500);
  EXPECT_EQ(version("claude-haiku-5-5"), 505);
  EXPECT_EQ(version("claude-mythos-preview"), 0);
  EXPECT_FALSE(cuco::wire::claude_traits("glm-4.6").is_claude);
}

TEST(AnthropicRequest, HasSystemTurnsAndCacheMarks) {
  auto request = question("one");
  cuco::ChatReply said;
  said.text = "two";
  request.messages.push_back(assistant(said));
  request.messages.push_back(user("three"));
  request.temperature = 0.25;
  request.max_tokens = 77;
  Json const body = anthropic(request);
  EXPECT_EQ(body["model"], "claude-sonnet-4-5");
  EXPECT_EQ(body["max_tokens"], 77);
  EXPECT_EQ(body["temperature"], 0.25);
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["system"][0]["text"], "You are terse.");
  EXPECT_EQ(body["system"][0]["cache_control"]["type"], "ephemeral");
  ASSERT_EQ(body["messages"].size(), 3U);
  EXPECT_EQ(body["messages"][0]["role"], "user");
  EXPECT_EQ(body["messages"][1]["role"], "assistant");
  EXPECT_EQ(body["messages"][1]["content"][0]["text"], "two");
  EXPECT_EQ(body["messages"][0]["content"][0]["cache_control"]["type"], "ephemeral");
  EXPECT_FALSE(body["messages"][1]["content"][0].contains("cache_control"));
  EXPECT_EQ(body["messages"][2]["content"][0]["cache_control"]["type"], "ephemeral");
  EXPECT_FALSE(body.contains("thinking"));
  EXPECT_FALSE(body.contains("output_config"));

  request.cache_prompt = false;
  EXPECT_EQ(anthropic(request).dump().find("cache_control"), std::string::npos);
}

TEST(AnthropicRequest, NeverMarksMoreThanFourPlaces) {
  auto request = tool_round();
  for (int i = 0; i < 6; ++i) {
    cuco::ChatReply said;
    said.text = "again";
    request.messages.push_back(assistant(said));
    request.messages.push_back(user("more"));
  }
  std::string const text = anthropic(request).dump();
  int marks = 0;
  for (auto at = text.find("cache_control"); at != std::string::npos; at = text.find("cache_control", at + 1))
    ++marks;
  EXPECT_GE(marks, 3);
  EXPECT_LE(marks, 4);
}

TEST(AnthropicRequest, JoinsToolResultsIntoOneTurn) {
  Json const body = anthropic(tool_round());
  ASSERT_EQ(body["messages"].size(), 3U);
  Json const& called = body["messages"][1]["content"];
  EXPECT_EQ(called[0]["type"], "text");
  EXPECT_EQ(called[1]["type"], "tool_use");
  EXPECT_EQ(called[1]["input"]["a"], 6);
  Json const& results = body["messages"][2];
  EXPECT_EQ(results["role"], "user");
  ASSERT_EQ(results["content"].size(), 2U);
  EXPECT_EQ(results["content"][0]["tool_use_id"], "c1");
  EXPECT_EQ(results["content"][1]["content"], "seven");
  EXPECT_EQ(body["tools"][0]["input_schema"]["required"][0], "a");
}

TEST(AnthropicRequest, BudgetsForOlderModels) {
  auto const budget = [](cuco::ChatRequest const& request) {
    Json const body = anthropic(request, "claude-sonnet-4-5");
    EXPECT_EQ(body["thinking"]["type"], "enabled");
    EXPECT_FALSE(body.contains("temperature")) << "refused by the API while the model thinks";
    EXPECT_FALSE(body.contains("output_config"));
    return body["thinking"]["budget_tokens"].get<int>();
  };
  EXPECT_EQ(budget(with_effort(Effort::kLow)), 2048);
  EXPECT_EQ(budget(with_effort(Effort::kMedium)), 4096);
  EXPECT_EQ(budget(with_effort(Effort::kHigh)), 8192);
  EXPECT_EQ(budget(with_effort(Effort::kMax)), 12288) << "three quarters of max_tokens";
  auto request = with_effort(Effort::kMax);
  request.max_tokens = 1200;
  EXPECT_EQ(budget(request), 1024);
  request.max_tokens = 1024;
  EXPECT_FALSE(anthropic(request).contains("thinking")) << "no room";
  request = with_effort(Effort::kDefault);
  request.thinking_tokens = 3000;
  EXPECT_EQ(budget(request), 3000);
  for (auto const effort : {Effort::kDefault, Effort::kNone}) {
    Json const body = anthropic(with_effort(effort));
    EXPECT_FALSE(body.contains("thinking"));
    EXPECT_EQ(body["temperature"], 0.5);
  }
  EXPECT_FALSE(anthropic(with_effort(Effort::kHigh), "claude-3-5-sonnet-20241022").contains("thinking"));
}

TEST(AnthropicRequest, EffortsForNewerModels) {
  for (char const* model : {"claude-opus-4-6",
                            "claude-opus-4-7",
                            "claude-sonnet-5",
                            "claude-haiku-5-5",
                            "claude-mythos-preview"}) {
    Json const body = anthropic(with_effort(Effort::kMedium), model);
    EXPECT_EQ(body["thinking"], (Json{{"type", "adaptive"}})) << model;
    EXPECT_EQ(body["output_config"]["effort"], "medium") << model;
    EXPECT_FALSE(body.contains("temperature")) << model;
  }
  EXPECT_EQ(anthropic(with_effort(Effort::kMax), "claude-opus-5")["output_config"]["effort"], "max");
  Json body = anthropic(with_effort(Effort::kDefault), "claude-opus-4-6");
  EXPECT_FALSE(body.contains("thinking"));
  EXPECT_EQ(body["temperature"], 0.5);
  EXPECT_FALSE(anthropic(with_effort(Effort::kDefault), "claude-opus-4-7").contains("temperature"));
  // Models that think unless told otherwise.
  body = anthropic(with_effort(Effort::kNone), "claude-opus-5");
  EXPECT_EQ(body["thinking"], (Json{{"type", "disabled"}}));
  EXPECT_FALSE(anthropic(with_effort(Effort::kNone), "claude-opus-4-7").contains("thinking"));
  Dialect cannot;
  cannot.thinking = Dialect::Thinking::kLeaveOut;
  body = anthropic(with_effort(Effort::kNone), "claude-opus-5-5", cannot);
  EXPECT_FALSE(body.contains("thinking"));
  EXPECT_EQ(body["output_config"]["effort"], "low");
  // Both ways exist here: a budget that was counted out is kept.
  auto request = with_effort(Effort::kDefault);
  request.thinking_tokens = 5000;
  EXPECT_EQ(anthropic(request, "claude-opus-4-6")["thinking"]["budget_tokens"], 5000);
  EXPECT_EQ(anthropic(request, "claude-opus-4-7")["output_config"]["effort"], "high");
}

TEST(AnthropicRequest, SendsSignedThinkingBackUnchanged) {
  Say say = forty_two();
  say.thinking = "deep";
  say.signature = "SIG==";
  say.calls = {{"c1", "multiply", R"({"a":6})"}};
  say.finish = cuco::FinishReason::kToolUse;
  std::string const whole = anthropic_whole(say);
  auto const reply = cuco::wire::anthropic_reply(whole).value();
  auto request = with_tools();
  request.effort = Effort::kLow;
  request.messages.push_back(assistant(reply));
  request.messages.push_back(tool_result("c1", "six"));
  Json body = anthropic(request);
  EXPECT_EQ(body["messages"][1]["content"], Json::parse(whole)["content"]);
  EXPECT_TRUE(body.contains("thinking"));

  // Without the state a budget would be refused in the middle of a tool round: this request does not think.
  request.messages[1].provider_state.clear();
  body = anthropic(request);
  EXPECT_EQ(body["messages"][1]["content"][0]["type"], "text");
  EXPECT_FALSE(body.contains("thinking"));
  // The state of another provider, and one that no longer fits the text, are not sent.
  for (std::string const& state :
       {std::string(R"({"provider":"gemini","content":[{"type":"text","text":"x"}]})"),
        std::string("not json"),
        reply.provider_state}) {
    auto other = request;
    other.messages[1].provider_state = state;
    if (state == reply.provider_state) other.messages[1].text = "edited";
    EXPECT_EQ(anthropic(other)["messages"][1]["content"][0]["type"], "text");
  }
}

TEST(AnthropicRequest, AsksForJsonInThreeWays) {
  Json body = anthropic(for_json());
  EXPECT_EQ(body["output_config"]["format"]["type"], "json_schema");
  EXPECT_EQ(body["output_config"]["format"]["schema"]["additionalProperties"], false);
  EXPECT_FALSE(body.contains("tools"));

  Dialect dialect;
  dialect.json = cuco::wire::JsonMode::kLoose;
  body = anthropic(for_json(), "claude-sonnet-4-5", dialect);
  EXPECT_EQ(body["tool_choice"], (Json{{"type", "tool"}, {"name", cuco::wire::kJsonTool}}));
  EXPECT_EQ(body["tools"][0]["input_schema"], Json::parse(kSchema));
  EXPECT_FALSE(body.contains("output_config"));
  EXPECT_TRUE(anthropic(for_json(), "claude-3-5-haiku-20241022").contains("tool_choice")) << "by name";

  // Forced tools and thinking exclude each other.
  auto thinking = for_json();
  thinking.effort = Effort::kHigh;
  body = anthropic(thinking, "claude-sonnet-4-5", dialect);
  EXPECT_FALSE(body.contains("tool_choice"));
  EXPECT_NE(body["system"][0]["text"].get<std::string>().find("JSON Schema"), std::string::npos);
}

TEST(AnthropicRequest, TheForcedToolsInputIsTheText) {
  Say say;
  say.calls = {{"t", cuco::wire::kJsonTool, R"({"score":3})"}};
  say.finish = cuco::FinishReason::kToolUse;
  auto const reply = cuco::wire::anthropic_reply(anthropic_whole(say)).value();
  EXPECT_EQ(reply.text, R"({"score":3})");
  EXPECT_TRUE(reply.tool_calls.empty());
  EXPECT_EQ(reply.finish, cuco::FinishReason::kEnd);
  auto const other = cuco::wire::bedrock_reply(bedrock_whole(say)).value();
  EXPECT_EQ(other.text, R"({"score":3})");
  EXPECT_EQ(other.finish, cuco::FinishReason::kEnd);
}

TEST(ChatRequestBody, NamesTheLimitAsTheServerDoes) {
  using cuco::wire::ChatFlavor;
  EXPECT_EQ(chat(question())["max_tokens"], 16384);
  EXPECT_EQ(chat(question(), ChatFlavor::kOpenAi, "gpt-4.1")["max_completion_tokens"], 16384);
  EXPECT_FALSE(chat(question(), ChatFlavor::kOpenAi, "gpt-4.1").contains("max_tokens"));
  Dialect other;
  other.other_max_tokens = true;
  EXPECT_TRUE(chat(question(), ChatFlavor::kOpenAi, "gpt-4.1", other).contains("max_tokens"));
}

TEST(ChatRequestBody, LeavesTemperatureOutForReasoningModels) {
  using cuco::wire::ChatFlavor;
  auto const request = with_effort(Effort::kLow);
  for (char const* model : {"gpt-5", "gpt-5.1-codex", "o3", "o4-mini", "gpt-10"}) {
    EXPECT_FALSE(chat(request, ChatFlavor::kOpenAi, model).contains("temperature")) << model;
    EXPECT_EQ(chat(request, ChatFlavor::kOpenAi, model)["reasoning_effort"], "low") << model;
    EXPECT_FALSE(responses(request, model).contains("temperature")) << model;
    EXPECT_EQ(responses(request, model)["reasoning"]["effort"], "low") << model;
  }
  for (char const* model : {"gpt-4.1", "gpt-4o", "gpt-5-chat-latest"}) {
    EXPECT_EQ(chat(request, ChatFlavor::kOpenAi, model)["temperature"], 0.5) << model;
    EXPECT_FALSE(chat(request, ChatFlavor::kOpenAi, model).contains("reasoning_effort")) << model;
    EXPECT_EQ(responses(request, model)["temperature"], 0.5) << model;
  }
}

TEST(ChatRequestBody, EveryFlavorThinksInItsOwnWay) {
  using cuco::wire::ChatFlavor;
  EXPECT_EQ(chat(with_effort(Effort::kHigh), ChatFlavor::kDeepSeek)["thinking"]["type"], "enabled");
  EXPECT_EQ(chat(with_effort(Effort::kNone), ChatFlavor::kDeepSeek)["thinking"]["type"], "disabled");
  EXPECT_EQ(chat(with_effort(Effort::kMax), ChatFlavor::kDeepSeek)["reasoning_effort"], "max");
  EXPECT_EQ(chat(with_effort(Effort::kHigh), ChatFlavor::kOpenRouter)["reasoning"]["effort"], "high");
  auto counted = question();
  counted.thinking_tokens = 3000;
  EXPECT_EQ(chat(counted, ChatFlavor::kOpenRouter)["reasoning"]["max_tokens"], 3000);
  EXPECT_EQ(chat(with_effort(Effort::kHigh))["reasoning_effort"], "high");
  EXPECT_EQ(chat(question(), ChatFlavor::kOpenRouter)["usage"]["include"], true);
}

TEST(ChatRequestBody, HasToolsAndTheirResults) {
  Json const body = chat(tool_round());
  ASSERT_EQ(body["messages"].size(), 5U);
  EXPECT_EQ(body["messages"][0]["role"], "system");
  EXPECT_EQ(body["messages"][2]["tool_calls"][1]["id"], "c2");
  EXPECT_EQ(body["messages"][2]["tool_calls"][1]["function"]["arguments"], R"({"a":7})");
  EXPECT_EQ(body["messages"][3]["tool_call_id"], "c1");
  EXPECT_EQ(body["messages"][4]["content"], "seven");
  EXPECT_EQ(body["tools"][0]["function"]["parameters"]["required"][0], "a");
  EXPECT_EQ(body["stream_options"]["include_usage"], true);
}

TEST(ChatRequestBody, DeepSeekGetsItsThinkingBackInToolRounds) {
  Say say;
  say.thinking = "deep";
  say.calls = {{"c1", "multiply", R"({"a":6})"}};
  say.finish = cuco::FinishReason::kToolUse;
  auto request = with_tools();
  request.messages.push_back(assistant(cuco::wire::chat_reply("deepseek", chat_whole(say)).value()));
  request.messages.push_back(tool_result("c1", "six"));
  EXPECT_EQ(chat(request)["messages"][2]["reasoning_content"], "deep");
  EXPECT_TRUE(chat(request)["messages"][2]["content"].is_null());
  // After plain text it must not come back.
  Say plain = forty_two();
  plain.thinking = "deep";
  EXPECT_EQ(cuco::wire::chat_reply("deepseek", chat_whole(plain))->provider_state, "");
}

TEST(ChatRequestBody, AsksForJsonInThreeWays) {
  Json body = chat(for_json());
  EXPECT_EQ(body["response_format"]["type"], "json_schema");
  EXPECT_EQ(body["response_format"]["json_schema"]["strict"], false) << "not every property is required";
  auto strict = for_json();
  strict.json_schema = R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})";
  EXPECT_EQ(chat(strict)["response_format"]["json_schema"]["strict"], true);
  Dialect dialect;
  dialect.json = cuco::wire::JsonMode::kLoose;
  body = chat(for_json(), cuco::wire::ChatFlavor::kOther, "m", dialect);
  EXPECT_EQ(body["response_format"], (Json{{"type", "json_object"}}));
  EXPECT_NE(body["messages"][0]["content"].get<std::string>().find("JSON"), std::string::npos);
  EXPECT_EQ(chat(for_json(), cuco::wire::ChatFlavor::kDeepSeek)["response_format"]["type"], "json_object");
  dialect.json = cuco::wire::JsonMode::kPrompt;
  EXPECT_FALSE(chat(for_json(), cuco::wire::ChatFlavor::kOther, "m", dialect).contains("response_format"));
}

TEST(ResponsesRequest, StoresNothingAndKeepsEncryptedThinking) {
  Json body = responses(question(), "gpt-5.1");
  EXPECT_EQ(body["store"], false);
  EXPECT_EQ(body["instructions"], "You are terse.");
  EXPECT_EQ(body["input"][0]["role"], "user");
  EXPECT_EQ(body["include"][0], "reasoning.encrypted_content");
  EXPECT_EQ(body["max_output_tokens"], 16384);
  EXPECT_FALSE(responses(question(), "gpt-4.1").contains("include"));

  Say say;
  say.thinking = "deep";
  say.signature = "ENC";
  say.calls = {{"c1", "multiply", R"({"a":6})"}};
  say.finish = cuco::FinishReason::kToolUse;
  auto const reply = cuco::wire::responses_reply(responses_whole(say)).value();
  auto request = with_tools();
  request.messages.push_back(assistant(reply));
  request.messages.push_back(tool_result("c1", "six"));
  body = responses(request, "gpt-5.1");
  ASSERT_EQ(body["input"].size(), 4U);
  EXPECT_EQ(body["input"][1]["type"], "reasoning");
  EXPECT_EQ(body["input"][1]["encrypted_content"], "ENC");
  EXPECT_EQ(body["input"][2]["type"], "function_call");
  EXPECT_EQ(body["input"][2]["call_id"], "c1");
  EXPECT_EQ(body["input"][3], (Json{{"type", "function_call_output"}, {"call_id", "c1"}, {"output", "six"}}));
  request.messages[1].text = "edited";
  EXPECT_NE(responses(request, "gpt-5.1")["input"][1]["type"], "reasoning");
  EXPECT_EQ(responses(for_json())["text"]["format"]["name"], "reply");
}

TEST(GeminiRequest, HasItsOwnShape) {
  auto request = question();
  request.temperature = 0.5;
  Json const body = gemini(request);
  EXPECT_EQ(body["systemInstruction"]["parts"][0]["text"], "You are terse.");
  EXPECT_EQ(body["contents"][0]["role"], "user");
  EXPECT_EQ(body["generationConfig"]["maxOutputTokens"], 16384);
  EXPECT_EQ(body["generationConfig"]["temperature"], 0.5);
  EXPECT_FALSE(body["generationConfig"].contains("thinkingConfig"));
}

TEST(GeminiRequest, ThinksByBudgetOrLevel) {
  auto const config = [](Effort effort, char const* model, int step = 0) {
    Dialect dialect;
    dialect.effort_step = step;
    Json const body = gemini(with_effort(effort), model, dialect);
    return body["generationConfig"].contains("thinkingConfig") ? body["generationConfig"]["thinkingConfig"]
                                                               : Json();
  };
  EXPECT_EQ(config(Effort::kHigh, "gemini-2.5-pro"),
            (Json{{"thinkingBudget", 8192}, {"includeThoughts", true}}));
  EXPECT_EQ(config(Effort::kNone, "gemini-2.5-flash"), (Json{{"thinkingBudget", 0}}));
  EXPECT_EQ(config(Effort::kNone, "gemini-2.5-pro", 1), (Json{{"thinkingBudget", 128}}));
  EXPECT_EQ(config(Effort::kMedium, "gemini-3-pro"),
            (Json{{"thinkingLevel", "medium"}, {"includeThoughts", true}}));
  EXPECT_EQ(config(Effort::kMedium, "gemini-3-pro", 1)["thinkingLevel"], "high");
  EXPECT_EQ(config(Effort::kNone, "gemini-3.5-flash"), (Json{{"thinkingLevel", "minimal"}}));
  EXPECT_TRUE(config(Effort::kHigh, "gemini-2.0-flash").is_null());
}

TEST(GeminiRequest, KeepsSignaturesOfCalls) {
  Say say;
  say.calls = {{"c1", "multiply", R"({"a":6})"}};
  say.signature = "SIG==";
  say.finish = cuco::FinishReason::kToolUse;
  auto decoder = cuco::wire::gemini_decoder({});
  ASSERT_TRUE(decoder->feed(gemini_stream(say)));
  auto const reply = decoder->finish().value();
  auto request = with_tools();
  request.messages.push_back(assistant(reply));
  request.messages.push_back(tool_result("c1", "six"));
  Json const body = gemini(request);
  EXPECT_EQ(body["contents"][1]["role"], "model");
  EXPECT_EQ(body["contents"][1]["parts"][0]["thoughtSignature"], "SIG==");
  EXPECT_EQ(body["contents"][2]["parts"][0]["functionResponse"]["name"], "multiply");
  EXPECT_EQ(body["contents"][2]["parts"][0]["functionResponse"]["id"], "c1");
  EXPECT_EQ(body["contents"][2]["parts"][0]["functionResponse"]["response"]["result"], "six");
}

TEST(GeminiRequest, CallsWithoutIdsAreAnsweredByName) {
  auto const reply =
      cuco::wire::gemini_reply(
          R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"multiply","args":{"a":6}}}]},"finishReason":"STOP"}]})")
          .value();
  auto request = with_tools();
  request.messages.push_back(assistant(reply));
  request.messages.push_back(tool_result(reply.tool_calls[0].id, "six"));
  Json const body = gemini(request);
  EXPECT_FALSE(body["contents"][1]["parts"][0]["functionCall"].contains("id"));
  EXPECT_FALSE(body["contents"][2]["parts"][0]["functionResponse"].contains("id"));
  EXPECT_EQ(body["contents"][2]["parts"][0]["functionResponse"]["name"], "multiply");
}

TEST(GeminiRequest, WritesSchemasInItsOwnDialect) {
  auto request = for_json();
  request.json_schema =
      R"({"$schema":"x","type":"object","additionalProperties":false,"properties":{"a":{"type":["string","null"]},"b":{"const":"k"}}})";
  Json config = gemini(request)["generationConfig"];
  EXPECT_EQ(config["responseMimeType"], "application/json");
  EXPECT_EQ(
      config["responseSchema"],
      Json::parse(
          R"({"type":"object","properties":{"a":{"type":"string","nullable":true},"b":{"enum":["k"]}}})"));
  request.json_schema =
      R"({"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}}})";
  config = gemini(request)["generationConfig"];
  EXPECT_EQ(config["responseJsonSchema"], Json::parse(request.json_schema));
  EXPECT_FALSE(config.contains("responseSchema"));
}

TEST(BedrockRequest, HasItsOwnShape) {
  auto request = tool_round();
  request.temperature = 0.5;
  Json const body = bedrock(request);
  EXPECT_EQ(body["inferenceConfig"], (Json{{"maxTokens", 16384}, {"temperature", 0.5}}));
  EXPECT_EQ(body["system"][1]["cachePoint"]["type"], "default");
  EXPECT_EQ(body["messages"][1]["content"][1]["toolUse"]["input"]["a"], 6);
  EXPECT_EQ(body["messages"][2]["content"][0]["toolResult"]["toolUseId"], "c1");
  EXPECT_EQ(body["messages"][2]["content"][1]["toolResult"]["content"][0]["text"], "seven");
  EXPECT_TRUE(body["messages"][2]["content"][2].contains("cachePoint"));
  EXPECT_EQ(body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]["required"][0], "a");
  EXPECT_EQ(bedrock(request, "meta.llama3-70b-instruct-v1:0").dump().find("cachePoint"), std::string::npos);
}

TEST(BedrockRequest, ThinksAsTheModelDoes) {
  Json body = bedrock(with_effort(Effort::kLow));
  EXPECT_EQ(body["additionalModelRequestFields"]["thinking"]["budget_tokens"], 2048);
  EXPECT_FALSE(body["inferenceConfig"].contains("temperature"));
  body = bedrock(with_effort(Effort::kLow), "anthropic.claude-opus-5");
  EXPECT_EQ(body["additionalModelRequestFields"]["output_config"]["effort"], "low");
  body = bedrock(with_effort(Effort::kLow), "openai.gpt-oss-120b-1:0");
  EXPECT_EQ(body["additionalModelRequestFields"]["reasoning_effort"], "low");
  body = bedrock(with_effort(Effort::kLow), "amazon.nova-pro-v1:0");
  EXPECT_FALSE(body.contains("additionalModelRequestFields"));
  EXPECT_EQ(body["inferenceConfig"]["temperature"], 0.5);
}

TEST(BedrockRequest, AsksForJsonBySchemaOrTool) {
  Json body = bedrock(for_json());
  EXPECT_EQ(body["outputConfig"]["textFormat"]["type"], "json_schema");
  Json const schema =
      Json::parse(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"].get<std::string>());
  EXPECT_EQ(schema["required"][0], "score");
  body = bedrock(for_json(), "amazon.nova-pro-v1:0");
  EXPECT_EQ(body["toolConfig"]["toolChoice"]["tool"]["name"], cuco::wire::kJsonTool);
}

// Source code may hold any bytes; a request must still be JSON.
TEST(Requests, AreJsonWhateverTheTextHolds) {
  auto request = question(std::string("latin-1 \xE9, half \xF0\x9F\x98, NUL ") + '\0' + " end");
  request.system = "\xFF\xFE";
  EXPECT_NO_THROW((void)anthropic(request));
  EXPECT_NO_THROW((void)chat(request));
  EXPECT_NO_THROW((void)responses(request));
  EXPECT_NO_THROW((void)gemini(request));
  EXPECT_NO_THROW((void)bedrock(request));
}

// The same request gives the same bytes: what is cached or recorded by its bytes must not wander.
TEST(Requests, AreTheSameBytesEveryTime) {
  EXPECT_EQ(cuco::wire::anthropic_body("claude-opus-4-6", tool_round(), {}, true).text,
            cuco::wire::anthropic_body("claude-opus-4-6", tool_round(), {}, true).text);
  EXPECT_EQ(anthropic(question()).begin().key(), "model");
}
