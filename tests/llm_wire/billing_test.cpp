// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// What calls of real backends cost that break off, stall, are refused, or give nothing that can be used.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <string>
#include <thread>

#include "cuco/llm/budgeted.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/retrying.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;
using cuco::impl::failed_call_of;
using cuco::impl::is_free;

namespace {

std::string head_of(std::string const& type) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n";
}

std::string chunk(std::string const& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

cuco::AnyBackend claude(std::string const& url, cuco::BackendOptions options = quick()) {
  Variable const key("ANTHROPIC_API_KEY", kKey);
  options.base_url = url;
  return cuco::make_backend("anthropic:claude-sonnet-4-6", options).value();
}

constexpr char const* kStart =
    "event: message_start\ndata: "
    "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[],\"usage\":"
    "{\"input_tokens\":50000,\"output_tokens\":1}}}\n\n";

}  // namespace

using Billing = EveryProvider;

TEST_P(Billing, AStreamThatBreaksOffMayBeBilled) {
  std::string const body = GetParam().stream(forty_two());
  for (auto const end : {RawServer::End::kClose, RawServer::End::kReset, RawServer::End::kHold}) {
    RawServer server({head_of(GetParam().stream_type) + chunk(body.substr(0, body.size() * 3 / 4)), end});
    auto options = quick();
    options.stall_deadline = std::chrono::milliseconds(150);
    auto const reply = backend(server.url(), options).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_FALSE(is_free(reply.error())) << reply.error().detail;
    auto const told = failed_call_of(reply.error());
    ASSERT_TRUE(told.usage) << reply.error().detail;
    EXPECT_TRUE(told.broke_off);
    EXPECT_EQ(reply.error().detail.rfind("http-status: ", 0), 0U);
  }
}

TEST_P(Billing, AServerThatSaysNothingMayHaveWorked) {
  for (auto const end : {RawServer::End::kClose, RawServer::End::kHold}) {
    RawServer server({std::string(), end});
    auto options = quick();
    options.stall_deadline = std::chrono::milliseconds(100);
    auto const reply = backend(server.url(), options).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_FALSE(is_free(reply.error())) << reply.error().detail;
  }
}

TEST_P(Billing, WhatWasNeverSentIsFree) {
  auto const reply = backend("http://127.0.0.1:" + std::to_string(free_port())).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_TRUE(is_free(reply.error())) << reply.error().detail;
}

TEST_P(Billing, RefusalsAreFree) {
  for (int const status : {400, 401, 404, 429, 500, 529}) {
    FakeServer server({refusal(status, "cost-usd: 7\nno")});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_TRUE(is_free(reply.error())) << status << reply.error().detail;
  }
}

TEST_P(Billing, MalformedRepliesMayBeBilled) {
  for (std::string const& body : {std::string("{\"half\": "), std::string("{}"), std::string("\xFF")}) {
    FakeServer server({Answer{200, "application/json", body, {}, 0}});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_FALSE(is_free(reply.error())) << body;
  }
}

TEST_P(Billing, AnUnknownEndHasItsTokens) {
  Say say = forty_two();
  std::string body = GetParam().whole(say);
  bool replaced = false;
  for (std::string const word : {"\"end_turn\"", "\"stop\"", "\"STOP\"", "\"completed\""})
    for (auto at = body.find(word); at != std::string::npos; at = body.find(word)) {
      body.replace(at, word.size(), "\"bored\"");
      replaced = true;
    }
  ASSERT_TRUE(replaced) << body;
  FakeServer server({Answer{200, "application/json", body, {}, 0}});
  auto const reply = backend(server.url()).complete(question());
  ASSERT_FALSE(reply);
  auto const told = failed_call_of(reply.error());
  ASSERT_TRUE(told.usage) << reply.error().detail;
  EXPECT_FALSE(told.broke_off);
  EXPECT_EQ(told.usage->input, 20);
  EXPECT_EQ(told.usage->output, 7);
}

TEST_P(Billing, ACancelledReplyMayBeBilled) {
  std::string const body = GetParam().stream(forty_two());
  RawServer server(
      {head_of(GetParam().stream_type) + chunk(body.substr(0, body.size() * 3 / 4)), RawServer::End::kHold});
  std::atomic<bool> cancel{false};
  auto options = quick();
  options.cancel = &cancel;
  auto request = question();
  request.on_text = [&](std::string_view) { cancel = true; };
  auto const reply = backend(server.url(), options).complete(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(is_free(reply.error()));
  EXPECT_TRUE(failed_call_of(reply.error()).usage);
}

TEST_P(Billing, ARepairThatFailsCostsBothCalls) {
  auto request = question();
  request.json_schema = R"({"type":"object","required":["score"]})";
  Say prose;
  prose.text = {"I think", " three."};
  prose.usage = {10, 4, 0, 0, 0};
  {
    FakeServer server({streamed(prose)});
    auto const reply = backend(server.url()).complete(request);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kParse);
    EXPECT_EQ(failed_call_of(reply.error()).usage, (cuco::TokenUsage{20, 8, 0, 0, 0}))
        << reply.error().detail;
  }
  FakeServer server({streamed(prose), refusal(503, "busy")});
  auto const reply = backend(server.url()).complete(request);
  ASSERT_FALSE(reply);
  EXPECT_TRUE(cuco::is_retryable(reply.error()));
  EXPECT_EQ(failed_call_of(reply.error()).usage, (cuco::TokenUsage{10, 4, 0, 0, 0})) << reply.error().detail;
}

// A refusal stands, however much of it has arrived.
TEST_P(Billing, ARefusalThatBreaksOffIsOne) {
  for (int const status : {401, 429}) {
    for (auto const end : {RawServer::End::kClose, RawServer::End::kReset, RawServer::End::kHold}) {
      RawServer server({"HTTP/1.1 " + std::to_string(status) +
                            " No\r\nContent-Type: application/json\r\nRetry-After: 7\r\n"
                            "Content-Length: 100000\r\n\r\n{\"error\":{\"message\":\"the key is wr",
                        end});
      auto options = quick();
      options.stall_deadline = std::chrono::milliseconds(100);
      auto const reply = backend(server.url(), options).complete(question());
      ASSERT_FALSE(reply);
      // A reset may overtake the status itself.
      if (end == RawServer::End::kReset && reply.error().detail.rfind("http-status: 0\n", 0) == 0) continue;
      EXPECT_EQ(cuco::is_retryable(reply.error()), status == 429) << cuco::to_line(reply.error());
      EXPECT_EQ(reply.error().detail.rfind("http-status: " + std::to_string(status) + "\n", 0), 0U)
          << reply.error().detail;
      EXPECT_EQ(cuco::retry_after(reply.error()), std::chrono::milliseconds(7000));
      EXPECT_TRUE(is_free(reply.error()));
      EXPECT_EQ(server.connections(), 1);
    }
  }
}

TEST_P(Billing, ARefusalWithoutEndIsCutOff) {
  RawServer server({"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" +
                        chunk(std::string(std::size_t{300} << 10U, 'e')),
                    RawServer::End::kHold});
  auto options = quick();
  options.stall_deadline = std::chrono::seconds(15);
  auto const begin = std::chrono::steady_clock::now();
  auto const reply = backend(server.url(), options).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument) << cuco::to_line(reply.error());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

INSTANTIATE_TEST_SUITE_P(Http, Billing, testing::ValuesIn(formats()), provider_name);

TEST(BillingOfClaude, AServerThatAlwaysBreaksOffCannotSpendMoreThanTheBudget) {
  CleanEnvironment const clean;
  RawServer server({head_of("text/event-stream") + chunk(kStart), RawServer::End::kClose});
  cuco::Retrying model{cuco::Budgeted{claude(server.url()), cuco::usd(0.01)},
                       cuco::RetryOptions{.sleep = [](auto) {}}};
  for (int i = 0; i < 20; ++i) {
    auto const reply = model.complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kBudget) << cuco::to_line(reply.error());
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(BillingOfClaude, WhatTheStreamCountedIsBooked) {
  CleanEnvironment const clean;
  RawServer server({head_of("text/event-stream") + chunk(kStart), RawServer::End::kClose});
  cuco::Budgeted model{claude(server.url()), cuco::usd(100)};
  auto request = question();
  request.max_tokens = 2000;
  ASSERT_FALSE(model.complete(request));
  EXPECT_NEAR(model.spent().usd, 50000 * 3e-6 + 2000 * 15e-6, 1e-9);
  EXPECT_EQ(model.spent().tokens, 52000);
}

TEST(BillingOfClaude, AnErrorBeforeTheAnswerIsFreeAndOneInItIsNot) {
  CleanEnvironment const clean;
  std::string const error =
      "event: error\ndata: "
      "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
  for (bool const begun : {false, true}) {
    FakeServer server({Answer{200, "text/event-stream", (begun ? kStart : "") + error, {}, 0}});
    auto const reply = claude(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().detail.rfind("http-status: 529\n", 0), 0U);
    EXPECT_EQ(is_free(reply.error()), !begun) << reply.error().detail;
  }
}

TEST(HttpWaits, AreReadAlikeInEveryLocale) {
  cuco::impl::HttpReply reply;
  reply.status = 429;
  auto const wait = [&](std::string const& after, std::string const& body = {}) {
    reply.headers = {{"retry-after", after}};
    reply.body = body;
    return cuco::impl::wait_asked_for(reply);
  };
  std::string const gemini = R"({"error":{"details":[{"retryDelay":"34.07s"}]}})";
  auto const check = [&] {
    EXPECT_EQ(wait("1.5"), std::chrono::milliseconds(1500));
    EXPECT_EQ(wait("", gemini), std::chrono::milliseconds(34070));
  };
  check();
  // strtod would stop at the second point, as it stops at the first where a comma is expected.
  EXPECT_FALSE(wait("1.5.3"));
  std::string const before = std::setlocale(LC_NUMERIC, nullptr);
  for (char const* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"})
    if (std::setlocale(LC_NUMERIC, name) != nullptr) check();
  std::setlocale(LC_NUMERIC, before.c_str());
}
