// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The accumulators without a network: every cut, every truncation, mutated bytes.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "cuco/llm/llm_error.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;

namespace {

class StreamDecoder : public testing::TestWithParam<Format> {
 protected:
  struct Decoded {
    cuco::Result<cuco::ChatReply> reply = cuco::fail(cuco::ErrorCode::kInternal, "none");
    std::string told{};
    bool ended = false;
  };
  /// Feeds the pieces as the transport would: nothing after an error or the end.
  static Decoded decode(std::vector<std::string_view> const& pieces) {
    Decoded out;
    auto decoder = GetParam().decoder([&](std::string_view text) { out.told += text; });
    for (auto const piece : pieces) {
      if (auto fed = decoder->feed(piece); !fed) {
        out.reply = tl::unexpected<cuco::Error>(fed.error());
        return out;
      }
      if (decoder->ended()) break;
    }
    out.ended = decoder->ended();
    out.reply = decoder->finish();
    return out;
  }
  static Say everything() {
    Say say = forty_two();
    say.thinking = "Six sevens: \xE2\x88\x91";
    say.signature = "c2lnbmF0dXJl";
    say.calls = {{"call_a", "multiply", R"({"a":6,"b":[7,"\u20ac"]})"},
                 {"call_b", "note", R"({"text":"x\"y"})"}};
    say.finish = cuco::FinishReason::kToolUse;
    return say;
  }
};

}  // namespace

TEST_P(StreamDecoder, IsCutAtAnyByte) {
  Say const say = everything();
  std::string const body = GetParam().stream(say);
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    auto const decoded = decode({std::string_view(body).substr(0, cut), std::string_view(body).substr(cut)});
    ASSERT_TRUE(decoded.reply) << "cut at " << cut << ": " << cuco::to_line(decoded.reply.error());
    ASSERT_NO_FATAL_FAILURE(expect_same(*decoded.reply, say)) << "cut at " << cut;
    ASSERT_EQ(decoded.told, say.whole_text()) << "cut at " << cut;
  }
}

TEST_P(StreamDecoder, ComesByteByByte) {
  Say const say = everything();
  std::string const body = GetParam().stream(say);
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(std::string_view(body).substr(i, 1));
  auto const decoded = decode(bytes);
  ASSERT_TRUE(decoded.reply) << cuco::to_line(decoded.reply.error());
  expect_same(*decoded.reply, say);
}

// A stream and a whole reply of the same content give the same ChatReply.
TEST_P(StreamDecoder, GivesWhatAWholeReplyGives) {
  for (auto const finish : {cuco::FinishReason::kEnd,
                            cuco::FinishReason::kLength,
                            cuco::FinishReason::kFiltered,
                            cuco::FinishReason::kToolUse}) {
    Say say = everything();
    say.finish = finish;
    if (finish != cuco::FinishReason::kToolUse) say.calls.clear();
    auto const streamed = decode({GetParam().stream(say)});
    auto const whole = GetParam().read(GetParam().whole(say));
    ASSERT_TRUE(streamed.reply) << cuco::to_line(streamed.reply.error());
    ASSERT_TRUE(whole) << cuco::to_line(whole.error());
    EXPECT_EQ(streamed.reply->finish, finish);
    EXPECT_EQ(whole->finish, finish);
    EXPECT_EQ(streamed.reply->text, whole->text);
    EXPECT_EQ(streamed.reply->thinking, whole->thinking);
    EXPECT_EQ(streamed.reply->tool_calls, whole->tool_calls);
    EXPECT_EQ(streamed.reply->usage, whole->usage);
    EXPECT_EQ(streamed.reply->provider_state.empty(), whole->provider_state.empty());
  }
}

// A stream that stops before the finish reason came is an error, wherever it stops; and a retry may help.
TEST_P(StreamDecoder, IsAnErrorWhenTruncated) {
  Say say = forty_two();
  std::string const body = GetParam().stream(say);
  std::string const reason = [&] {
    std::string const& provider = GetParam().provider;
    if (provider == "anthropic") return "\"stop_reason\":\"end_turn\"";
    if (provider == "openai") return "\"type\":\"response.completed\"";
    if (provider == "gemini") return "\"finishReason\":\"STOP\"";
    if (provider == "bedrock") return "\"stopReason\":\"end_turn\"";
    return "\"finish_reason\":\"stop\"";
  }();
  auto const last = body.find(reason);
  ASSERT_NE(last, std::string::npos);
  for (std::size_t size = 0; size < last + reason.size(); ++size) {
    auto const decoded = decode({std::string_view(body).substr(0, size)});
    ASSERT_FALSE(decoded.reply) << "after " << size << " bytes: " << decoded.reply->text;
    ASSERT_TRUE(cuco::is_retryable(decoded.reply.error())) << cuco::to_line(decoded.reply.error());
  }
}

TEST_P(StreamDecoder, IsAnErrorWhenAWholeReplyIsTruncated) {
  std::string const body = GetParam().whole(everything());
  for (std::size_t size = 0; size < body.size(); ++size) {
    auto const reply = GetParam().read(std::string_view(body).substr(0, size));
    ASSERT_FALSE(reply) << "after " << size << " bytes";
    ASSERT_TRUE(cuco::is_retryable(reply.error()));
  }
}

TEST_P(StreamDecoder, KnowsItsOwnFinishReasonsOnly) {
  std::string body = GetParam().whole(forty_two());
  std::string const known = GetParam().provider == "openai"              ? "completed"
                            : GetParam().provider == "gemini"            ? "STOP"
                            : body.find("end_turn") != std::string::npos ? "end_turn"
                                                                         : "stop";
  auto const at = body.rfind("\"" + known + "\"");
  ASSERT_NE(at, std::string::npos);
  // In the output of the Responses API the message has a status of its own, before the response's.
  auto const first = GetParam().provider == "openai" ? body.find("\"" + known + "\"") : at;
  body.replace(first + 1, known.size(), "tired");
  auto const reply = GetParam().read(body);
  ASSERT_FALSE(reply) << reply->text;
  EXPECT_NE(reply.error().cause.find("tired"), std::string::npos) << reply.error().cause;
}

// Whatever bytes come, nothing crashes and nothing throws.
TEST_P(StreamDecoder, SurvivesMutatedBytes) {
  std::mt19937 random(7);
  std::string const stream = GetParam().stream(everything());
  std::string const whole = GetParam().whole(everything());
  for (int round = 0; round < 400; ++round) {
    std::string a = stream, b = whole;
    for (int i = 0; i < 3; ++i) {
      a[random() % a.size()] = static_cast<char>(random());
      b[random() % b.size()] = static_cast<char>(random());
    }
    (void)decode({a});
    (void)GetParam().read(b);
  }
}

// Every member of a reply replaced by a value of another type.
TEST_P(StreamDecoder, SurvivesWrongTypes) {
  Json const good = Json::parse(GetParam().whole(everything()));
  std::vector<Json> const wrong = {nullptr,
                                   true,
                                   3,
                                   -1,
                                   1e300,
                                   "text",
                                   Json::array(),
                                   Json::object(),
                                   Json::array({1, "x", nullptr}),
                                   Json{{"type", "text"}}};
  Json const flat = good.flatten();
  for (auto const& [pointer, value] : flat.items()) {
    Json::json_pointer path(pointer);
    for (; !path.empty(); path = path.parent_pointer())
      for (Json const& other : wrong) {
        Json bad = good;
        bad[path] = other;
        (void)GetParam().read(bad.dump());
      }
  }
}

TEST_P(StreamDecoder, RefusesDeepNesting) {
  std::string const deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_FALSE(GetParam().read(deep));
  EXPECT_FALSE(GetParam().read("{\"error\":" + deep + "}"));
}

INSTANTIATE_TEST_SUITE_P(Wire, StreamDecoder, testing::ValuesIn(different_formats()), provider_name);

// Servers that imitate Chat Completions differ in small things.
TEST(ChatFormat, ThinkingInTagsIsNotText) {
  Say say;
  say.text = {"<think>I guess", "</think>\n\nThe ", "answer"};
  auto decoder = cuco::wire::chat_decoder("vllm", {});
  ASSERT_TRUE(decoder->feed(chat_stream(say)));
  auto const reply = decoder->finish();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text, "The answer");
  EXPECT_EQ(reply->thinking, "I guess");

  say.text = {"<think>never ends"};
  say.finish = cuco::FinishReason::kLength;
  auto const cut = cuco::wire::chat_reply("vllm", chat_whole(say));
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->text, "");
  EXPECT_EQ(cut->finish, cuco::FinishReason::kLength);
}

TEST(ChatFormat, CallsWithoutIndexOrIdAreKeptApart) {
  std::string const body =
      R"(data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":null}]})"
      "\n\n"
      R"(data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"g","arguments":{"b":2}}}]},"finish_reason":"stop"}]})"
      "\n\n";
  auto decoder = cuco::wire::chat_decoder("ollama", {});
  ASSERT_TRUE(decoder->feed(body));
  auto const reply = decoder->finish();
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->tool_calls.size(), 2U);
  EXPECT_EQ(reply->tool_calls[0].name, "f");
  EXPECT_EQ(reply->tool_calls[1].arguments, "{\"b\":2}");
  EXPECT_NE(reply->tool_calls[0].id, reply->tool_calls[1].id);
  EXPECT_EQ(reply->finish, cuco::FinishReason::kToolUse);
}

TEST(ChatFormat, AnErrorInsideTheStreamIsOne) {
  auto decoder = cuco::wire::chat_decoder("openrouter", {});
  auto const fed = decoder->feed(
      "data: {\"choices\":[{\"delta\":{\"content\":\"half\"},\"finish_reason\":null}]}\n\n"
      "data: {\"error\":{\"code\":429,\"message\":\"slow down\"},\"choices\":[]}\n\n");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().detail.rfind("http-status: 429\n", 0), 0U) << fed.error().detail;
  EXPECT_TRUE(cuco::is_retryable(fed.error()));
}

TEST(ErrorsInAReply, MayTellTheirStatusInDigits) {
  struct Case {
    char const* error;
    char const* status;
  };
  for (auto const& [error, status] : {Case{R"({"code":"401","message":"no"})", "401"},
                                      Case{R"({"code":402.0,"message":"no"})", "402"},
                                      Case{R"({"code":429,"message":"no"})", "429"},
                                      Case{R"({"code":"40x","message":"no"})", "500"},
                                      Case{R"({"code":"200","message":"no"})", "500"},
                                      Case{R"({"code":"","message":"no"})", "500"}}) {
    std::string const body = std::string("{\"error\":") + error + "}";
    for (auto const& reply : {cuco::wire::chat_reply("compatible", body),
                              cuco::wire::gemini_reply(body),
                              cuco::wire::responses_reply(body)}) {
      ASSERT_FALSE(reply);
      EXPECT_EQ(reply.error().detail.rfind(std::string("http-status: ") + status + "\n", 0), 0U)
          << error << reply.error().detail;
    }
    auto decoder = cuco::wire::chat_decoder("compatible", {});
    auto const fed = decoder->feed("data: " + body + "\n\n");
    ASSERT_FALSE(fed);
    EXPECT_EQ(cuco::is_retryable(fed.error()), status[0] == '5' || status == std::string("429")) << error;
  }
}

TEST(ChatFormat, WithAKeyOfOnesOwnOpenRouterAddsThePriceOfTheProvider) {
  auto const cost = [](std::string const& usage) {
    return cuco::wire::chat_reply(
               "openrouter",
               R"({"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,)" +
                   usage + "}}")
        ->cost_usd;
  };
  EXPECT_DOUBLE_EQ(
      cost(R"("cost":0.01,"is_byok":true,"cost_details":{"upstream_inference_cost":0.2})").value(), 0.21);
  EXPECT_DOUBLE_EQ(
      cost(R"("cost":0.01,"is_byok":false,"cost_details":{"upstream_inference_cost":0.2})").value(), 0.01);
  EXPECT_FALSE(cost(R"("cost":0.01,"is_byok":true,"cost_details":{"upstream_inference_cost":null})"))
      << "a part of the price is no price";
}

TEST(ChatFormat, OpenRouterSaysWhatItCost) {
  std::string const body =
      R"({"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.0125}})";
  EXPECT_DOUBLE_EQ(cuco::wire::chat_reply("openrouter", body)->cost_usd.value(), 0.0125);
  EXPECT_FALSE(cuco::wire::chat_reply("vllm", body)->cost_usd);
}

TEST(ChatFormat, ARefusalIsFiltered) {
  auto const reply = cuco::wire::chat_reply(
      "openai-chat",
      R"({"choices":[{"message":{"content":null,"refusal":"I will not."},"finish_reason":"stop"}],"usage":{}})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->finish, cuco::FinishReason::kFiltered);
  EXPECT_EQ(reply->text, "I will not.");
}

TEST(AnthropicFormat, AnErrorInsideTheStreamKeepsItsStatus) {
  auto decoder = cuco::wire::anthropic_decoder({});
  auto const fed = decoder->feed("event: error\ndata: " + anthropic_error(529, "Overloaded") + "\n\n");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().detail.rfind("http-status: 529\n", 0), 0U) << fed.error().detail;
  EXPECT_TRUE(cuco::is_retryable(fed.error()));
}

TEST(AnthropicFormat, CachedTokensArePartOfTheInput) {
  Say say = forty_two();
  say.usage = {1000, 5, 700, 200, 0};
  auto const reply = cuco::wire::anthropic_reply(anthropic_whole(say));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->usage, say.usage);
}

TEST(AnthropicFormat, ToolArgumentsThatAreCutAreKeptAsText) {
  Say say;
  say.calls = {{"t1", "f", R"({"a":"long"})"}};
  say.finish = cuco::FinishReason::kLength;
  std::string body = anthropic_stream(say);
  auto const second = body.rfind("{\"type\":\"content_block_delta\"");
  auto const end = body.find("\n\n", second);
  body.erase(body.rfind("event:", second), end + 2 - body.rfind("event:", second));
  auto decoder = cuco::wire::anthropic_decoder({});
  ASSERT_TRUE(decoder->feed(body));
  auto const reply = decoder->finish();
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->finish, cuco::FinishReason::kLength);
  EXPECT_EQ(reply->tool_calls.at(0).arguments, R"({"a":")");
}

TEST(GeminiFormat, ABlockedPromptIsFiltered) {
  auto const reply = cuco::wire::gemini_reply(
      R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->finish, cuco::FinishReason::kFiltered);
  EXPECT_EQ(reply->text, "");
  EXPECT_EQ(reply->usage.input, 4);
}

TEST(GeminiFormat, ABrokenCallIsRetried) {
  auto const reply = cuco::wire::gemini_reply(
      R"({"candidates":[{"content":{"parts":[]},"finishReason":"MALFORMED_FUNCTION_CALL"}]})");
  ASSERT_FALSE(reply);
  EXPECT_TRUE(cuco::is_retryable(reply.error()));
}

TEST(GeminiFormat, CallsWithoutIdGetOne) {
  auto const reply = cuco::wire::gemini_reply(
      R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f","args":{"x":1}}}]},"finishReason":"STOP"}]})");
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->tool_calls.size(), 2U);
  EXPECT_NE(reply->tool_calls[0].id, reply->tool_calls[1].id);
  EXPECT_EQ(reply->tool_calls[0].arguments, "{}");
}

TEST(BedrockFormat, ExceptionsInTheStreamKeepTheirMeaning) {
  auto const raise = [](std::string const& type) {
    auto decoder = cuco::wire::bedrock_decoder({});
    auto const fed = decoder->feed(
        aws_frame({{":message-type", "exception"}, {":exception-type", type}}, R"({"message":"told so"})"));
    EXPECT_FALSE(fed);
    return fed.error();
  };
  EXPECT_TRUE(cuco::is_retryable(raise("throttlingException")));
  EXPECT_TRUE(cuco::is_retryable(raise("internalServerException")));
  EXPECT_FALSE(cuco::is_retryable(raise("validationException")));
  EXPECT_EQ(raise("modelTimeoutException").code, cuco::ErrorCode::kTimeout);
  EXPECT_NE(raise("throttlingException").cause.find("told so"), std::string::npos);
}

TEST(ResponsesFormat, AFailedResponseIsAnError) {
  auto decoder = cuco::wire::responses_decoder({});
  ASSERT_TRUE(
      decoder->feed("data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"output\":[],"
                    "\"error\":{\"code\":\"server_error\",\"message\":\"broke\"}}}\n\n"));
  auto const reply = decoder->finish();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(cuco::is_retryable(reply.error()));
  EXPECT_NE(reply.error().cause.find("broke"), std::string::npos);
}
