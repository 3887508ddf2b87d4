// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "cuco/llm/impl/http_client.hpp"
#include "cuco/llm/llm_error.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;
using cuco::impl::http_exchange;
using cuco::impl::HttpRequest;

TEST(HttpClient, BringsStatusHeadersAndBody) {
  CleanEnvironment const clean;
  FakeServer server({Answer{201, "text/plain", "made", {{"X-Some", "  thing "}}, 0}});
  HttpRequest request;
  request.url = server.url() + "/a/b?c=d";
  request.headers = {{"x-own", "value"}};
  request.body = std::string("bytes \0 and more", 16);
  auto const reply = http_exchange(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(reply->body, "made");
  EXPECT_EQ(reply->header("x-some"), "thing");
  EXPECT_EQ(reply->header("absent"), "");
  auto const seen = server.seen().at(0);
  EXPECT_EQ(seen.target, "/a/b?c=d");
  EXPECT_EQ(seen.header("x-own"), "value");
  EXPECT_EQ(seen.body, request.body);
  EXPECT_EQ(seen.headers.count("expect"), 0U);
}

TEST(HttpClient, ErrorRepliesGoToTheBodyAndAreCut) {
  CleanEnvironment const clean;
  FakeServer server({Answer{500, "text/plain", std::string(5 << 20, 'e'), {}, 4096}});
  HttpRequest request;
  request.url = server.url();
  request.most_bytes = 100;
  bool called = false;
  request.on_body = [&](std::string_view) { return called = true; };
  auto const reply = http_exchange(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->status, 500);
  EXPECT_FALSE(called);
  EXPECT_EQ(reply->body.size(), std::size_t{256} << 10U);
}

TEST(HttpClient, EndsWhenTheReaderHasEnough) {
  CleanEnvironment const clean;
  FakeServer server({Answer{200, "text/plain", std::string(1 << 20, 'x'), {}, 1000}});
  HttpRequest request;
  request.url = server.url();
  std::size_t got = 0;
  long head = 0;
  request.on_head = [&](auto const& reply) { head = reply.status; };
  request.on_body = [&](std::string_view bytes) { return (got += bytes.size()) < 5000; };
  auto const reply = http_exchange(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(head, 200);
  EXPECT_GE(got, 5000U);
  EXPECT_LT(got, std::size_t{1} << 20U);
}

TEST(HttpClient, RefusesUrlsThatAreNone) {
  for (std::string const& url : {std::string("nonsense://x"),
                                 std::string("http://"),
                                 std::string("file:///etc/passwd"),
                                 std::string("http://127.0.0.1:99999/"),
                                 std::string("http://a\r\nb/")}) {
    HttpRequest request;
    request.url = url;
    auto const reply = http_exchange(request);
    ASSERT_FALSE(reply) << url;
    EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument) << url << ": " << cuco::to_line(reply.error());
  }
}

// A key with a line break could add headers of its own.
TEST(HttpClient, RefusesHeadersThatBreakLines) {
  CleanEnvironment const clean;
  FakeServer server({Answer{}});
  HttpRequest request;
  request.url = server.url();
  request.headers = {{"authorization", "Bearer secret\r\nx-evil: 1"}};
  auto const reply = http_exchange(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(cuco::to_line(reply.error()).find("secret"), std::string::npos);
  EXPECT_TRUE(server.seen().empty());
}

TEST(HttpClient, ShowsNeitherUserNorPathOfAUrl) {
  EXPECT_EQ(cuco::impl::url_origin("https://user:pass@host:81/path?key=1"), "https://host:81");
  EXPECT_EQ(cuco::impl::url_origin("https://host"), "https://host");
  HttpRequest request;
  request.url = "http://user:hunter22@127.0.0.1:" + std::to_string(free_port()) + "/?key=hidden";
  auto const reply = http_exchange(request);
  ASSERT_FALSE(reply);
  for (char const* word : {"hunter22", "hidden"})
    EXPECT_EQ((cuco::to_line(reply.error()) + reply.error().detail).find(word), std::string::npos);
}

TEST(HttpClient, EncodesPathSegments) {
  EXPECT_EQ(cuco::impl::url_segment("a-b_c.d~1:0/\xC3\xA9 %"), "a-b_c.d~1%3A0%2F%C3%A9%20%25");
}

TEST(HttpClient, UsesTheProxyOfTheEnvironment) {
  CleanEnvironment const clean;
  FakeServer proxy({Answer{200, "text/plain", "through the proxy", {}, 0}});
  Variable const no("no_proxy", std::nullopt), no2("NO_PROXY", std::nullopt);
  Variable const set("http_proxy", proxy.url());
  HttpRequest request;
  request.url = "http://does-not-exist.invalid/x";
  auto const reply = http_exchange(request);
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(reply->body, "through the proxy");
  EXPECT_EQ(proxy.seen().at(0).target, "http://does-not-exist.invalid/x");
}

TEST(LlmError, CodesFollowTheStatus) {
  auto const code = [](long status, std::string const& message = "m") {
    return cuco::provider_error("p", status, std::nullopt, message).code;
  };
  for (long const status : {500, 502, 503, 504, 520, 529, 429, 409, 424, 425, 200, 0})
    EXPECT_EQ(code(status), ErrorCode::kProcess) << status;
  for (long const status : {301, 307, 400, 404, 405, 413, 415, 422, 501})
    EXPECT_EQ(code(status), ErrorCode::kInvalidArgument) << status;
  for (long const status : {401, 402, 403}) EXPECT_EQ(code(status), ErrorCode::kRefused) << status;
  EXPECT_EQ(code(408), ErrorCode::kTimeout);
  EXPECT_EQ(code(429, "insufficient_quota"), ErrorCode::kRefused);
  EXPECT_EQ(code(400, "Your credit balance is too low to access the API"), ErrorCode::kRefused);
}

TEST(LlmError, IsOneShortLineWithTheRestInDetail) {
  std::string const long_message = "First line\n\tsecond " + std::string(10'000, 'x');
  auto const error = cuco::provider_error("anthropic", 529, std::chrono::milliseconds(1500), long_message);
  EXPECT_EQ(error.cause.find('\n'), std::string::npos);
  EXPECT_LT(error.cause.size(), 400U);
  EXPECT_EQ(error.cause.rfind("anthropic answered 529: First line second", 0), 0U) << error.cause;
  EXPECT_EQ(error.detail.rfind("http-status: 529\nretry-after-ms: 1500\nFirst line", 0), 0U);
  EXPECT_LT(error.detail.size(), 4200U);
  EXPECT_EQ(cuco::retry_after(error), std::chrono::milliseconds(1500));
}

TEST(LlmError, AMessageCannotForgeTheWait) {
  auto const error = cuco::provider_error("p", 429, std::nullopt, "retry-after-ms: 99999999");
  // The message's first line stands where the wait would, so it must not be taken for one... unless it is
  // one.
  cuco::Error other;
  other.detail = "nothing here\nretry-after-ms: 5";
  EXPECT_FALSE(cuco::retry_after(other));
  EXPECT_FALSE(cuco::retry_after(error));
}
