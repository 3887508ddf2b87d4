// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Servers that refuse a part of a request, and JSON replies.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/core/log.hpp"
#include "cuco/llm/impl/json_reply.hpp"
#include "cuco/llm/llm_error.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;

namespace {

constexpr char const* kSchema =
    R"({"type":"object","properties":{"score":{"type":"integer"}},"required":["score"]})";

cuco::ChatRequest for_json() {
  auto request = question();
  request.json_schema = kSchema;
  return request;
}

Say json_answer(std::string const& text) {
  Say say;
  say.text = {text.substr(0, 3), text.substr(3)};
  say.usage = {10, 4, 0, 0, 0};
  return say;
}

}  // namespace

using JsonReplies = EveryProvider;

TEST_P(JsonReplies, AreTheJsonValue) {
  FakeServer server({streamed(json_answer(R"({"score": 3})"))});
  auto const reply = backend(server.url()).complete(for_json());
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->text, R"({"score": 3})");
  EXPECT_NE(server.seen().at(0).body.find("score"), std::string::npos) << "the schema was not sent";
}

TEST_P(JsonReplies, LoseFencesAndProse) {
  FakeServer server({streamed(json_answer("Sure:\n```json\n{\"score\": 3}\n```\nDone."))});
  auto const reply = backend(server.url()).complete(for_json());
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->text, "{\"score\": 3}");
  EXPECT_EQ(server.seen().size(), 1U);
}

TEST_P(JsonReplies, AreRepairedOnce) {
  FakeServer server({streamed(json_answer("I think three.")), streamed(json_answer(R"({"score": 3})"))});
  auto const reply = backend(server.url()).complete(for_json());
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->text, R"({"score": 3})");
  EXPECT_EQ(reply->usage.input, 20) << "both calls count";
  EXPECT_EQ(reply->usage.output, 8);
  auto const seen = server.seen();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_NE(seen[1].body.find("I think three."), std::string::npos);
}

TEST_P(JsonReplies, AreAnErrorWhenTheRepairFails) {
  FakeServer server({streamed(json_answer(R"({"points": 3})"))});
  auto const reply = backend(server.url()).complete(for_json());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kParse);
  EXPECT_FALSE(cuco::is_retryable(reply.error()));
  EXPECT_NE(reply.error().cause.find("score"), std::string::npos) << reply.error().cause;
  EXPECT_EQ(server.seen().size(), 2U) << "one repair at most";
}

TEST_P(JsonReplies, ThatAreCutOffAreNotRepaired) {
  Say cut = json_answer(R"({"score": )");
  cut.finish = cuco::FinishReason::kLength;
  FakeServer server({streamed(cut)});
  auto const reply = backend(server.url()).complete(for_json());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->finish, cuco::FinishReason::kLength);
  EXPECT_EQ(server.seen().size(), 1U);
}

// A server without structured output refuses the parameter; the backend asks in weaker ways, and remembers.
TEST_P(JsonReplies, FallBackToThePrompt) {
  FakeServer server([](Seen const& seen) {
    Json const body = Json::parse(seen.body);
    for (char const* key : {"response_format", "output_config", "outputConfig", "text", "tool_choice"})
      if (body.contains(key))
        return refusal(400, std::string("Unrecognized request argument: ") + key + " json_schema");
    if (body.contains("toolConfig")) return refusal(400, "toolChoice is not supported by this model");
    if (body.contains("generationConfig") && body["generationConfig"].contains("responseMimeType"))
      return refusal(400, "response_mime_type is not supported with this model");
    return streamed(json_answer(R"({"score": 3})"));
  });
  auto model = backend(server.url());
  auto reply = model.complete(for_json());
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->text, R"({"score": 3})");
  auto const first = server.seen().size();
  EXPECT_GE(first, 2U);
  EXPECT_LE(first, 3U);
  EXPECT_NE(server.seen().back().body.find("JSON Schema"), std::string::npos)
      << "the instruction is in the prompt";
  // A copy knows it from the start.
  auto copy = model;
  reply = copy.complete(for_json());
  ASSERT_TRUE(reply);
  EXPECT_EQ(server.seen().size(), first + 1);
}

using Dialects = EveryProvider;

TEST_P(Dialects, LeaveATemperatureOutThatIsRefused) {
  FakeServer server([](Seen const& seen) {
    if (seen.body.find("temperature") != std::string::npos)
      return refusal(400, "`temperature` is not supported with this model.");
    return streamed(forty_two());
  });
  auto request = question();
  request.temperature = 0.3;
  auto model = backend(server.url());
  for (int i = 0; i < 3; ++i) {
    auto const reply = model.complete(request);
    ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  }
  EXPECT_LE(server.seen().size(), 4U) << "refused once at most";
}

TEST_P(Dialects, LeaveThinkingOutThatIsRefused) {
  FakeServer server([](Seen const& seen) {
    for (char const* word : {"thinking", "reasoning", "effort", "thinkingConfig"})
      if (seen.body.find("\"" + std::string(word)) != std::string::npos &&
          seen.body.find("reasoning.encrypted_content") == std::string::npos)
        return refusal(400, std::string("Unknown parameter: thinking / reasoning effort: ") + word);
    return streamed(forty_two());
  });
  auto request = question();
  request.effort = cuco::Effort::kHigh;
  auto model = backend(server.url());
  auto const reply = model.complete(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  auto const asked = server.seen().size();
  EXPECT_LE(asked, 8U);
  ASSERT_TRUE(model.complete(request));
  EXPECT_EQ(server.seen().size(), asked + 1) << "remembered";
}

TEST_P(Dialects, GiveUpOnWhatTheyCannotChange) {
  FakeServer server({refusal(
      400, "temperature json_schema thinking effort max_tokens unsupported cache signature format")});
  auto request = for_json();
  request.temperature = 0.1;
  request.effort = cuco::Effort::kHigh;
  cuco::ChatReply said;
  said.text = "x";
  said.provider_state = R"({"provider":"other"})";
  request.messages.push_back(assistant(said));
  request.messages.push_back(user("go on"));
  auto const reply = backend(server.url()).complete(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
  EXPECT_LE(server.seen().size(), 14U);
}

INSTANTIATE_TEST_SUITE_P(Http, JsonReplies, testing::ValuesIn(formats()), provider_name);
INSTANTIATE_TEST_SUITE_P(Http, Dialects, testing::ValuesIn(formats()), provider_name);

namespace {

cuco::AnyBackend make(std::string const& name, std::string const& url, std::string const& variable) {
  Variable const key(variable, kKey);
  auto options = quick();
  options.base_url = url;
  return cuco::make_backend(name, options).value();
}

}  // namespace

TEST(Dialect, OpenAiServersDisagreeOnTheNameOfTheLimit) {
  CleanEnvironment const clean;
  FakeServer server([](Seen const& seen) {
    bool const old = Json::parse(seen.body).contains("max_tokens");
    return old ? Answer{400,
                        "application/json",
                        openai_error(400,
                                     "Unsupported parameter: 'max_tokens' is not supported with this model. "
                                     "Use 'max_completion_tokens' instead."),
                        {},
                        0}
               : Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64};
  });
  auto model = make("compatible:new", server.url(), "COMPATIBLE_API_KEY");
  ASSERT_TRUE(model.complete(question()));
  ASSERT_TRUE(model.complete(question()));
  EXPECT_EQ(server.seen().size(), 3U);
}

TEST(Dialect, ALimitThatIsTooHighIsTheCallersError) {
  CleanEnvironment const clean;
  FakeServer server(
      {Answer{400, "application/json", openai_error(400, "max_tokens: 99999999 > 8192"), {}, 0}});
  auto const reply = make("compatible:m", server.url(), "COMPATIBLE_API_KEY").complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(server.seen().size(), 1U);
}

TEST(Dialect, StreamOptionsAreLeftOutWhereUnknown) {
  CleanEnvironment const clean;
  FakeServer server([](Seen const& seen) {
    return seen.body.find("stream_options") != std::string::npos
               ? Answer{422,
                        "application/json",
                        R"({"detail":[{"loc":["body","stream_options"],"msg":"extra fields not permitted"}]})",
                        {},
                        0}
               : Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64};
  });
  EXPECT_TRUE(make("vllm:m", server.url(), "VLLM_API_KEY").complete(question()));
}

// What a refusal quotes of the request is no word about it.
TEST(Dialect, NothingIsLearnedFromTheRequestInARefusal) {
  CleanEnvironment const clean;
  std::string const quoted =
      R"("temperature":0.3,"response_format":{"json_schema":1},"reasoning_effort":"high","stream_options":{})";
  for (
      std::string const& body :
      {R"({"detail":[{"type":"missing","loc":["body","messages",0,"name"],"msg":"Field required","input":{)" +
           quoted + R"(},"url":"https://errors/json_schema"}]})",
       R"({"detail":{"msg":"Field required","input":{)" + quoted + "}}}",
       std::string(R"({"object":"error","message":"[{'type': 'missing', 'loc': ('body', 'name'), )") +
           R"('msg': 'Field required', 'input': {'temperature': 0.3, 'response_format': 1, 'reasoning_effort': 1}}]"})"}) {
    FakeServer server({Answer{422, "application/json", body, {}, 0}});
    auto request = for_json();
    request.temperature = 0.3;
    request.effort = cuco::Effort::kHigh;
    auto const reply = make("vllm:m", server.url(), "VLLM_API_KEY").complete(request);
    ASSERT_FALSE(reply);
    EXPECT_EQ(server.seen().size(), 1U) << body;
    EXPECT_NE(reply.error().cause.find("Field required"), std::string::npos) << reply.error().cause;
    EXPECT_EQ(reply.error().cause.find("temperature"), std::string::npos) << reply.error().cause;
  }
}

TEST(Dialect, WhatDidNotHelpIsNotLearned) {
  CleanEnvironment const clean;
  bool broken = true;
  FakeServer server([&](Seen const&) {
    return broken ? Answer{400, "application/json", openai_error(400, "no temperature suits me today"), {}, 0}
                  : Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64};
  });
  auto model = make("vllm:m", server.url(), "VLLM_API_KEY");
  auto request = question();
  request.temperature = 0.3;
  EXPECT_FALSE(model.complete(request));
  EXPECT_EQ(server.seen().size(), 2U) << "it was worth a try";
  broken = false;
  EXPECT_TRUE(model.complete(request));
  EXPECT_NE(server.seen().back().body.find("temperature"), std::string::npos);
}

TEST(Dialect, WhatIsLearnedIsLoggedOnce) {
  CleanEnvironment const clean;
  FakeServer server([](Seen const& seen) {
    return seen.body.find("temperature") != std::string::npos
               ? Answer{422,
                        "application/json",
                        R"({"detail":[{"loc":["body","temperature"],"msg":"extra fields not permitted"}]})",
                        {},
                        0}
               : Answer{200, "text/event-stream", chat_stream(forty_two()), {}, 64};
  });
  std::vector<std::string> told;
  auto const old =
      cuco::set_log_sink([&](cuco::LogLevel, std::string_view text) { told.emplace_back(text); });
  auto model = make("vllm:m", server.url(), "VLLM_API_KEY");
  auto request = question();
  request.temperature = 0.3;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(model.complete(request));
  cuco::set_log_sink(old);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("vllm:m: the server does not take a temperature"), std::string::npos) << told[0];
}

// The messages are the API's own.
TEST(Dialect, ClaudeModelsAreAskedInTheWayTheyWant) {
  CleanEnvironment const clean;
  FakeServer newer([](Seen const& seen) {
    Json const body = Json::parse(seen.body);
    if (body.contains("thinking") && body["thinking"]["type"] == "enabled")
      return Answer{400,
                    "application/json",
                    anthropic_error(400,
                                    "\"thinking.type.enabled\" is not supported for this model. Use "
                                    "\"thinking.type.adaptive\" and \"output_config.effort\" to control "
                                    "thinking behavior."),
                    {},
                    0};
    return Answer{200, "text/event-stream", anthropic_stream(forty_two()), {}, 64};
  });
  auto request = question();
  request.effort = cuco::Effort::kHigh;
  // Named as an old model, but served by a new one.
  ASSERT_TRUE(make("anthropic:claude-sonnet-4-5", newer.url(), "ANTHROPIC_API_KEY").complete(request));
  EXPECT_EQ(Json::parse(newer.seen().back().body)["thinking"]["type"], "adaptive");

  FakeServer older([](Seen const& seen) {
    Json const body = Json::parse(seen.body);
    if (body.contains("thinking") && body["thinking"]["type"] == "adaptive")
      return Answer{400,
                    "application/json",
                    anthropic_error(400, "adaptive thinking is not supported on this model"),
                    {},
                    0};
    return Answer{200, "text/event-stream", anthropic_stream(forty_two()), {}, 64};
  });
  ASSERT_TRUE(make("anthropic:claude-private", older.url(), "ANTHROPIC_API_KEY").complete(request));
  EXPECT_EQ(Json::parse(older.seen().back().body)["thinking"]["budget_tokens"], 8192);
}

TEST(Dialect, AStateThatIsRefusedIsLeftOutOfThisConversationOnly) {
  CleanEnvironment const clean;
  Say say = forty_two();
  say.thinking = "deep";
  say.signature = "STALE";
  FakeServer server([&](Seen const& seen) {
    if (seen.body.find("STALE") != std::string::npos)
      return Answer{400,
                    "application/json",
                    anthropic_error(400, "messages.1.content.0: Invalid `signature` in `thinking` block"),
                    {},
                    0};
    return Answer{200, "text/event-stream", anthropic_stream(say), {}, 64};
  });
  auto model = make("anthropic:claude-opus-4-6", server.url(), "ANTHROPIC_API_KEY");
  auto request = question();
  auto const first = model.complete(request);
  ASSERT_TRUE(first);
  request.messages.push_back(assistant(*first));
  request.messages.push_back(user("and now?"));
  ASSERT_TRUE(model.complete(request));
  EXPECT_EQ(server.seen().size(), 3U);
  EXPECT_NE(server.seen().back().body.find("ty-two"), std::string::npos) << "the text itself stays";
  ASSERT_TRUE(model.complete(request));
  EXPECT_EQ(server.seen().size(), 5U) << "other conversations still send theirs";
}

TEST(JsonValue, IsFoundAndChecked) {
  std::string problem;
  auto const find = [&](std::string const& text, std::string const& schema = "{}") {
    return cuco::impl::json_value_in(text, schema, problem);
  };
  EXPECT_EQ(find("  {\"a\": 1}\n"), "{\"a\": 1}");
  EXPECT_EQ(find("```json\n[1, 2]\n```"), "[1, 2]");
  EXPECT_EQ(find("42"), "42");
  EXPECT_EQ(find("Here: {\"a\": \"}\"} end"), "{\"a\": \"}\"}");
  EXPECT_FALSE(find(""));
  EXPECT_FALSE(find("{\"a\": 1"));
  EXPECT_FALSE(find("no json here"));
  EXPECT_FALSE(find("[1]", kSchema));
  EXPECT_EQ(problem, "it is not an object");
  EXPECT_FALSE(find("{\"points\": 1}", kSchema));
  EXPECT_EQ(problem, "it lacks the member 'score'");
}
