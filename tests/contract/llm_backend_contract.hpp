// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/scripted_backend.hpp"

/// @file
/// What every `LLMBackend` of this library promises. Instantiate with a fixture type F that is default
/// constructible and offers
///
///     F::Model                                      the backend
///     F::Model make(ScriptedBackend::Function f)    a fresh one that answers each request with f(request)

namespace cuco::testing {

inline ChatRequest chat_request(std::string text) {
  ChatRequest request;
  request.system = "You write CUDA.";
  request.messages.push_back({ChatMessage::Role::kUser, std::move(text)});
  request.temperature = 0;
  request.max_tokens = 1000;
  return request;
}

/// A reply that uses every field.
inline ChatReply full_reply() {
  ChatReply reply;
  reply.text = "int main() {}\n\xff not UTF-8, \"quoted\" \\ {{text}}";
  reply.finish = FinishReason::kToolUse;
  reply.tool_calls = {{"id-1", "compile", R"({"arch":"sm_90"})"}, {"", "run", "{}"}};
  reply.thinking = "first\nsecond";
  reply.provider_state = R"([{"signature":"abc"}])";
  reply.usage = {1200, 345, 1000, 100, 45};
  reply.cost_usd = 0.0123;
  return reply;
}

template <class F>
class LLMBackendContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(LLMBackendContract);

TYPED_TEST_P(LLMBackendContract, PassesEveryFieldOfAReplyThrough) {
  TypeParam fixture;
  auto const expected = full_reply();
  auto model = fixture.make([&](ChatRequest const&) { return expected; });
  auto const reply = model.complete(chat_request("one"));
  ASSERT_TRUE(reply) << to_line(reply.error());
  EXPECT_EQ(reply->text, expected.text);
  EXPECT_EQ(reply->finish, expected.finish);
  EXPECT_EQ(reply->tool_calls, expected.tool_calls);
  EXPECT_EQ(reply->thinking, expected.thinking);
  EXPECT_EQ(reply->provider_state, expected.provider_state);
  EXPECT_EQ(reply->usage, expected.usage);
  EXPECT_EQ(reply->cost_usd, expected.cost_usd);
  EXPECT_FALSE(reply->model.empty());
}

TYPED_TEST_P(LLMBackendContract, CutOffAndWithheldRepliesSaySo) {
  TypeParam fixture;
  for (auto const reason : {FinishReason::kLength, FinishReason::kFiltered}) {
    auto model = fixture.make([&](ChatRequest const&) {
      ChatReply reply;
      reply.text = "half a prog";
      reply.finish = reason;
      reply.cost_usd = 0;
      return reply;
    });
    auto const reply = model.complete(chat_request(to_string(reason)));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->finish, reason);
  }
}

TYPED_TEST_P(LLMBackendContract, AsksWhatItWasAsked) {
  TypeParam fixture;
  ChatRequest seen;
  auto model = fixture.make([&](ChatRequest const& request) {
    seen = request;
    ChatReply reply;
    reply.cost_usd = 0;
    return reply;
  });
  ChatRequest request = chat_request("two");
  request.messages.push_back({ChatMessage::Role::kAssistant, "calling", {{"t1", "run", "{}"}}, {}, "state"});
  request.messages.push_back({ChatMessage::Role::kTool, "it ran", {}, "t1"});
  request.tools = {{"run", "runs it", R"({"type":"object"})"}};
  request.json_schema = R"({"type":"object"})";
  request.effort = Effort::kHigh;
  request.thinking_tokens = 77;
  request.temperature = 0.25;
  ChatRequest const before = request;
  ASSERT_TRUE(model.complete(request));
  for (ChatRequest const& r : {seen, request}) {
    EXPECT_EQ(r.system, before.system);
    EXPECT_EQ(r.messages, before.messages);
    EXPECT_EQ(r.tools, before.tools);
    EXPECT_EQ(r.json_schema, before.json_schema);
    EXPECT_EQ(r.effort, before.effort);
    EXPECT_EQ(r.thinking_tokens, before.thinking_tokens);
    EXPECT_EQ(r.temperature, before.temperature);
    EXPECT_EQ(r.max_tokens, before.max_tokens);
  }
}

TYPED_TEST_P(LLMBackendContract, ErrorsKeepTheirCodeAndDetail) {
  TypeParam fixture;
  for (auto const code : {ErrorCode::kInvalidArgument,
                          ErrorCode::kRefused,
                          ErrorCode::kParse,
                          ErrorCode::kBudget,
                          ErrorCode::kCancelled}) {
    auto model = fixture.make([&](ChatRequest const&) -> Result<ChatReply> {
      return tl::unexpected<Error>(
          Error{code, "no", "do otherwise", {}, 0, "http-status: 400\nlong \xfe text"});
    });
    auto const reply = model.complete(chat_request(to_string(code)));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, code);
    EXPECT_EQ(reply.error().cause, "no");
    EXPECT_EQ(reply.error().remedy, "do otherwise");
    EXPECT_EQ(reply.error().detail, "http-status: 400\nlong \xfe text");
  }
}

TYPED_TEST_P(LLMBackendContract, OnTextHearsTheReplyOnce) {
  TypeParam fixture;
  auto model = fixture.make([](ChatRequest const&) {
    ChatReply reply;
    reply.text = "the whole text";
    reply.cost_usd = 0;
    return reply;
  });
  for (int round = 0; round < 2; ++round) {
    std::string heard;
    auto request = chat_request("three");
    request.on_text = [&](std::string_view piece) { heard += piece; };
    ASSERT_TRUE(model.complete(request));
    EXPECT_EQ(heard, "the whole text");
  }
}

TYPED_TEST_P(LLMBackendContract, TellsItsModel) {
  TypeParam fixture;
  auto model = fixture.make([](ChatRequest const&) { return ChatReply{}; });
  auto const name = model_of(model);
  EXPECT_NE(name, "unnamed");
  EXPECT_NE(name.find(':'), std::string::npos) << name;
  EXPECT_EQ(model_of(model), name);
}

TYPED_TEST_P(LLMBackendContract, CopiesAndMovedOnesWork) {
  TypeParam fixture;
  int calls = 0;
  auto model = fixture.make([&](ChatRequest const& request) {
    ++calls;
    ChatReply reply;
    reply.text = "to " + request.messages.back().text;
    reply.cost_usd = 0;
    return reply;
  });
  auto copy = model;
  EXPECT_EQ(copy.complete(chat_request("a"))->text, "to a");
  auto moved = std::move(model);
  EXPECT_EQ(moved.complete(chat_request("b"))->text, "to b");
  copy = moved;
  EXPECT_EQ(copy.complete(chat_request("c"))->text, "to c");
  EXPECT_EQ(calls, 3);
}

TYPED_TEST_P(LLMBackendContract, AnswersSeveralThreads) {
  TypeParam fixture;
  auto model = fixture.make([](ChatRequest const& request) {
    ChatReply reply;
    reply.text = "to " + request.messages.back().text;
    reply.cost_usd = 0;
    return reply;
  });
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      auto mine = model;
      for (int i = 0; i < 20; ++i) {
        auto const text = std::to_string(t) + "/" + std::to_string(i);
        auto const reply = (i % 2 == 0 ? mine : model).complete(chat_request(text));
        if (reply && reply->text == "to " + text) ++right;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 160);
}

REGISTER_TYPED_TEST_SUITE_P(LLMBackendContract,
                            PassesEveryFieldOfAReplyThrough,
                            CutOffAndWithheldRepliesSaySo,
                            AsksWhatItWasAsked,
                            ErrorsKeepTheirCodeAndDetail,
                            OnTextHearsTheReplyOnce,
                            TellsItsModel,
                            CopiesAndMovedOnesWork,
                            AnswersSeveralThreads);

}  // namespace cuco::testing
