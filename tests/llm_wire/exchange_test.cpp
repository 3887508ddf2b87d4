// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Every provider against a real HTTP server: what it receives, and what becomes of its answers.
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <string>
#include <thread>

#include "cuco/llm/llm_error.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;

namespace {

std::string http_date(std::time_t when) {
  char text[64];
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

/// The head of a raw reply that goes on for as long as the connection does.
std::string endless_head(std::string const& type) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n";
}

std::string chunk(std::string const& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

}  // namespace

using Exchange = EveryProvider;
using LongReply = EveryProvider;

TEST_P(Exchange, StreamsAReply) {
  for (std::size_t const piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, std::size_t{100000}}) {
    FakeServer server({streamed(forty_two(), piece)});
    auto request = question();
    std::string told;
    request.on_text = [&](std::string_view text) { told += text; };
    auto const reply = backend(server.url()).complete(request);
    ASSERT_TRUE(reply) << piece << ": " << cuco::to_line(reply.error());
    expect_same(*reply, forty_two());
    EXPECT_EQ(told, forty_two().whole_text());
    EXPECT_EQ(reply->model, GetParam().provider + ":" + GetParam().model);
    EXPECT_FALSE(reply->cost_usd) << "unknown is not free";
    auto const seen = server.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].method, "POST");
    EXPECT_EQ(seen[0].target, GetParam().stream_path);
    EXPECT_EQ(seen[0].header(GetParam().key_header), GetParam().key_prefix + kKey);
    EXPECT_EQ(seen[0].header("content-type"), "application/json");
    Json const body = Json::parse(seen[0].body);
    EXPECT_NE(seen[0].body.find("What is 6 times 7?"), std::string::npos);
    EXPECT_NE(seen[0].body.find("You are terse."), std::string::npos);
    EXPECT_EQ(body.value("model", GetParam().model), GetParam().model);
    EXPECT_EQ(seen[0].body.find(kKey), std::string::npos);
  }
}

TEST_P(Exchange, TakesAWholeReply) {
  FakeServer server({whole(forty_two())});
  auto options = quick();
  options.stream = false;
  auto const reply = backend(server.url(), options).complete(question());
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  expect_same(*reply, forty_two());
  EXPECT_EQ(server.seen().at(0).target, GetParam().path);
  Json const body = Json::parse(server.seen().at(0).body);
  EXPECT_FALSE(body.contains("stream"));
}

// Some servers do not stream although they are asked to.
TEST_P(Exchange, TakesAWholeReplyWhereAStreamWasAskedFor) {
  FakeServer server({whole(forty_two())});
  auto request = question();
  std::string told;
  request.on_text = [&](std::string_view text) { told += text; };
  auto const reply = backend(server.url()).complete(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  expect_same(*reply, forty_two());
  EXPECT_EQ(told, forty_two().whole_text());
}

TEST_P(Exchange, CallsToolsAndTakesTheirResults) {
  Say calls;
  calls.text = {"Let me see."};
  calls.calls = {{"call_1", "multiply", R"({"a":6,"b":7})"}};
  calls.finish = cuco::FinishReason::kToolUse;
  calls.usage = {30, 12, 0, 0, 0};
  FakeServer server({streamed(calls), streamed(forty_two())});
  auto model = backend(server.url());
  auto request = question();
  request.tools = {{"multiply",
                    "Multiplies.",
                    R"({"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}}})"}};
  auto const first = model.complete(request);
  ASSERT_TRUE(first) << cuco::to_line(first.error());
  expect_same(*first, calls);
  request.messages.push_back(assistant(*first));
  request.messages.push_back(tool_result(first->tool_calls.at(0).id, "the product is forty-two"));
  auto const second = model.complete(request);
  ASSERT_TRUE(second) << cuco::to_line(second.error());
  expect_same(*second, forty_two());
  std::string const body = server.seen().at(1).body;
  EXPECT_NE(body.find("the product is forty-two"), std::string::npos);
  EXPECT_NE(body.find("multiply"), std::string::npos);
  EXPECT_NE(body.find("call_1"), std::string::npos);
}

TEST_P(Exchange, ShowsThinkingAndCountsCachedTokens) {
  Say say = forty_two();
  say.thinking = "Six sevens.";
  say.signature = "c2ln";
  say.usage = {1000, 50, 900, 0, 20};
  FakeServer server({streamed(say)});
  auto request = question();
  request.effort = cuco::Effort::kLow;
  auto const reply = backend(server.url()).complete(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  expect_same(*reply, say);
}

TEST_P(Exchange, SaysWhyTheReplyEnded) {
  Say cut = forty_two();
  cut.finish = cuco::FinishReason::kLength;
  Say withheld = forty_two();
  withheld.finish = cuco::FinishReason::kFiltered;
  FakeServer server({streamed(cut), streamed(withheld)});
  auto model = backend(server.url());
  EXPECT_EQ(model.complete(question())->finish, cuco::FinishReason::kLength);
  EXPECT_EQ(model.complete(question())->finish, cuco::FinishReason::kFiltered);
}

TEST_P(Exchange, RefusedKeysAreNotRetried) {
  for (int const status : {401, 403}) {
    FakeServer server({refusal(status, std::string("the key ") + kKey + " is wrong")});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kRefused);
    EXPECT_FALSE(cuco::is_retryable(reply.error()));
    EXPECT_EQ(reply.error().detail.rfind("http-status: " + std::to_string(status) + "\n", 0), 0U);
    EXPECT_NE(reply.error().cause.find(std::to_string(status)), std::string::npos) << reply.error().cause;
    EXPECT_NE(reply.error().cause.find("the key [key] is wrong"), std::string::npos) << reply.error().cause;
    EXPECT_EQ(reply.error().detail.find(kKey), std::string::npos);
    EXPECT_EQ(server.seen().size(), 1U) << "asked once";
  }
}

TEST_P(Exchange, WrongRequestsAreNotRetried) {
  for (int const status : {400, 404, 413, 422}) {
    FakeServer server({refusal(status, "the prompt is too long")});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument) << status;
    EXPECT_FALSE(cuco::is_retryable(reply.error()));
    EXPECT_NE(reply.error().cause.find("the prompt is too long"), std::string::npos) << reply.error().cause;
    EXPECT_EQ(server.seen().size(), 1U);
  }
}

TEST_P(Exchange, RedirectsAreNotFollowed) {
  FakeServer elsewhere({streamed(forty_two())});
  Answer redirect = refusal(307, "over there");
  redirect.headers = {{"Location", elsewhere.url() + GetParam().stream_path}};
  FakeServer server({redirect});
  auto const reply = backend(server.url()).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(elsewhere.seen().empty()) << "the key went to another server";
}

TEST_P(Exchange, BusyServersSayWhenToComeBack) {
  auto const wait = [&](std::vector<std::pair<std::string, std::string>> headers, int status = 429) {
    Answer busy = refusal(status, "slow down");
    busy.headers = std::move(headers);
    FakeServer server({busy});
    auto const reply = backend(server.url()).complete(question());
    EXPECT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kProcess);
    EXPECT_TRUE(cuco::is_retryable(reply.error()));
    return cuco::retry_after(reply.error());
  };
  using std::chrono::milliseconds;
  EXPECT_EQ(wait({{"Retry-After", "7"}}), milliseconds(7000));
  EXPECT_EQ(wait({{"Retry-After", "0"}}), milliseconds(0));
  EXPECT_EQ(wait({{"retry-after", "1.5"}}), milliseconds(1500));
  EXPECT_EQ(wait({{"retry-after-ms", "250"}, {"retry-after", "9"}}), milliseconds(250));
  std::time_t const now = std::time(nullptr);
  auto const dated = wait({{"Retry-After", http_date(now + 90)}});
  ASSERT_TRUE(dated);
  EXPECT_NEAR(static_cast<double>(dated->count()), 90000, 5000);
  // The server's clock counts, not ours.
  EXPECT_EQ(wait({{"Date", http_date(now - 5000)}, {"Retry-After", http_date(now - 4970)}}),
            milliseconds(30000));
  EXPECT_EQ(wait({{"Retry-After", http_date(now - 100)}, {"Date", http_date(now)}}), milliseconds(0))
      << "is over";
  EXPECT_FALSE(wait({{"Retry-After", "soon"}}));
  EXPECT_FALSE(wait({}));
  EXPECT_EQ(wait({{"Retry-After", "3"}}, 529), milliseconds(3000));
  EXPECT_EQ(wait({{"Retry-After", "3"}}, 503), milliseconds(3000));
}

TEST_P(Exchange, FailingServersMayBeAskedAgain) {
  for (int const status : {500, 502, 503, 504, 529}) {
    FakeServer server({refusal(status, "broken"), streamed(forty_two())});
    auto model = backend(server.url());
    auto const reply = model.complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kProcess) << status;
    EXPECT_TRUE(cuco::is_retryable(reply.error()));
    auto const again = model.complete(question());
    ASSERT_TRUE(again) << cuco::to_line(again.error());
    expect_same(*again, forty_two());
  }
}

TEST_P(Exchange, AnEmptyAccountIsNotAskedAgain) {
  Answer empty = refusal(429, "You exceeded your current quota (insufficient_quota)");
  FakeServer server({empty});
  auto const reply = backend(server.url()).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kRefused);
}

TEST_P(Exchange, AServerThatIsNotThereIsATransportFailure) {
  auto const reply = backend("http://127.0.0.1:" + std::to_string(free_port())).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kProcess);
  EXPECT_TRUE(cuco::is_retryable(reply.error()));
  EXPECT_EQ(reply.error().detail.rfind("http-status: 0\n", 0), 0U);
  EXPECT_EQ(reply.error().cause.rfind(GetParam().provider + ": http://127.0.0.1:", 0), 0U)
      << reply.error().cause;
}

TEST_P(Exchange, AStallEndsAtTheStallDeadline) {
  std::string const body = GetParam().stream(forty_two());
  // Before the first byte of the reply, and in the middle of it.
  for (std::string const& bytes :
       {std::string(), endless_head(GetParam().stream_type) + chunk(body.substr(0, body.size() / 2))}) {
    RawServer server({bytes, RawServer::End::kHold});
    auto options = quick();
    options.stall_deadline = std::chrono::milliseconds(150);
    auto const begin = std::chrono::steady_clock::now();
    auto const reply = backend(server.url(), options).complete(question());
    auto const took = std::chrono::steady_clock::now() - begin;
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kTimeout) << cuco::to_line(reply.error());
    EXPECT_TRUE(cuco::is_retryable(reply.error()));
    EXPECT_GE(took, std::chrono::milliseconds(150));
    EXPECT_LT(took, std::chrono::seconds(4));
  }
}

TEST_P(Exchange, AReplyThatTricklesEndsAtTheDeadline) {
  RawServer server({endless_head(GetParam().stream_type), RawServer::End::kHold});
  auto options = quick();
  options.stall_deadline = std::chrono::seconds(60);
  options.deadline = std::chrono::milliseconds(150);
  auto const reply = backend(server.url(), options).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kTimeout);
}

TEST_P(Exchange, ACallCanBeCancelled) {
  RawServer server({{}, RawServer::End::kHold});
  std::atomic<bool> cancel{false};
  auto options = quick();
  options.cancel = &cancel;
  auto model = backend(server.url(), options);
  std::thread canceller([&] {
    while (server.connections() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    cancel = true;
  });
  auto const reply = model.complete(question());
  canceller.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(cuco::is_retryable(reply.error()));
}

TEST_P(Exchange, AResetInTheMiddleIsATransportFailure) {
  std::string const body = GetParam().stream(forty_two());
  for (auto const end : {RawServer::End::kReset, RawServer::End::kClose}) {
    RawServer server({endless_head(GetParam().stream_type) + chunk(body.substr(0, body.size() / 2)), end});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kProcess) << cuco::to_line(reply.error());
    EXPECT_TRUE(cuco::is_retryable(reply.error()));
  }
}

// HTTP/1.0 style: the end of the connection is the end of the body, so a cut looks like an end.
TEST_P(Exchange, ACutThatLooksLikeAnEndIsNoReply) {
  std::string const body = GetParam().stream(forty_two());
  for (std::size_t const size : {body.size() / 4, body.size() / 2}) {
    RawServer server(
        {"HTTP/1.0 200 OK\r\nContent-Type: " + GetParam().stream_type + "\r\n\r\n" + body.substr(0, size),
         RawServer::End::kClose});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply) << reply->text;
    EXPECT_TRUE(cuco::is_retryable(reply.error())) << cuco::to_line(reply.error());
  }
}

TEST_P(Exchange, MalformedRepliesMayBeAskedAgain) {
  std::string const good = GetParam().whole(forty_two());
  for (std::string const& body : {std::string("{\"half\": "),
                                  good.substr(0, good.size() - 1),
                                  std::string("null"),
                                  std::string("[]"),
                                  std::string("{}"),
                                  std::string(),
                                  std::string("\xFF\xFE")}) {
    FakeServer server({Answer{200, "application/json", body, {}, 0}});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply) << body;
    EXPECT_EQ(reply.error().code, ErrorCode::kProcess) << body;
    EXPECT_TRUE(cuco::is_retryable(reply.error()));
  }
  for (std::string const& body :
       {std::string("data: {\"half\n\n"), std::string("data: 3\n\n"), std::string("garbage")}) {
    FakeServer server({Answer{200, GetParam().stream_type, body, {}, 5}});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply) << body;
    EXPECT_EQ(reply.error().code, ErrorCode::kProcess) << body;
  }
}

TEST_P(Exchange, APageIsNoReply) {
  FakeServer server({Answer{200, "text/html", "<html>Please log in</html>", {}, 0}});
  auto const reply = backend(server.url()).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kProcess);
  EXPECT_NE(reply.error().cause.find("text/html"), std::string::npos) << reply.error().cause;
}

TEST_P(LongReply, TakesTenMebibytes) {
  Say say;
  std::string const line = "__global__ void kernel(float* x) { x[threadIdx.x] *= 2.0f; } // \xE2\x82\xAC\n";
  std::string piece;
  for (int i = 0; i < 1024; ++i) piece += line;
  while (say.text.size() * piece.size() < (std::size_t{10} << 20U)) say.text.push_back(piece);
  say.usage = {1, 2, 0, 0, 0};
  FakeServer server({streamed(say, 1 << 16), whole(say)});
  auto const streamed_reply = backend(server.url()).complete(question());
  ASSERT_TRUE(streamed_reply) << cuco::to_line(streamed_reply.error());
  EXPECT_TRUE(streamed_reply->text == say.whole_text());
  auto options = quick();
  options.stream = false;
  auto const whole_reply = backend(server.url(), options).complete(question());
  ASSERT_TRUE(whole_reply) << cuco::to_line(whole_reply.error());
  EXPECT_TRUE(whole_reply->text == say.whole_text());
}

TEST_P(Exchange, RefusesMoreThanTheLimit) {
  Say say;
  say.text = {std::string(100'000, 'x')};
  auto options = quick();
  options.most_bytes = 50'000;
  for (bool const stream : {true, false}) {
    options.stream = stream;
    FakeServer server({stream ? streamed(say, 1000) : whole(say)});
    auto const reply = backend(server.url(), options).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kParse) << cuco::to_line(reply.error());
    EXPECT_NE(reply.error().cause.find("50000"), std::string::npos);
    EXPECT_FALSE(cuco::is_retryable(reply.error()));
  }
}

TEST_P(Exchange, SendsAMegabyteOfPrompt) {
  FakeServer server({streamed(forty_two())});
  auto request = question(std::string(3 << 20, 'p'));
  auto const begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(backend(server.url()).complete(request));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(900))
      << "waited for 100 Continue";
  EXPECT_GT(server.seen().at(0).body.size(), std::size_t{3} << 20U);
}

TEST_P(Exchange, IsAskedFromSeveralThreads) {
  FakeServer server([](Seen const& seen) {
    Say say;
    auto const at = seen.body.find("number-");
    say.text = {seen.body.substr(at, 9)};
    say.usage = {1, 1, 0, 0, 0};
    return streamed(say, 16);
  });
  auto const model = backend(server.url());
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i, copy = model]() mutable {
      std::string const name = "number-" + std::to_string(10 + i);
      for (int round = 0; round < 10; ++round) {
        auto const reply = copy.complete(question(name));
        if (reply && reply->text == name) ++right;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
}

TEST_P(Exchange, RefusesRequestsThatMakeNoSense) {
  FakeServer server({streamed(forty_two())});
  auto model = backend(server.url());
  cuco::ChatRequest request;
  EXPECT_EQ(model.complete(request).error().code, ErrorCode::kInvalidArgument) << "no messages";
  request = question();
  request.json_schema = "{not json";
  EXPECT_EQ(model.complete(request).error().code, ErrorCode::kInvalidArgument);
  request = question();
  request.tools = {{"t", "", "[]"}};
  EXPECT_EQ(model.complete(request).error().code, ErrorCode::kInvalidArgument);
  request = question();
  request.max_tokens = 0;
  EXPECT_EQ(model.complete(request).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(server.seen().empty());
}

INSTANTIATE_TEST_SUITE_P(Http, Exchange, testing::ValuesIn(formats()), provider_name);
INSTANTIATE_TEST_SUITE_P(Http, LongReply, testing::ValuesIn(different_formats()), provider_name);
