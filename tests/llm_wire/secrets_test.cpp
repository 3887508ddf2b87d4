// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// No key gets out: not in errors, replies, requests' bodies or logs, whatever the server sends back.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <type_traits>

#include "cuco/core/log.hpp"
#include "cuco/llm/secret.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;

namespace {

template <class T>
concept Prints = requires(std::ostringstream& out, T const& value) {
  out << value;
};

std::string dump(cuco::Error const& error) {
  return error.cause + "\n" + error.remedy + "\n" + error.file + "\n" + error.detail;
}

std::string dump(cuco::ChatReply const& reply) {
  std::string all = reply.text + reply.thinking + reply.provider_state + reply.model;
  for (auto const& call : reply.tool_calls) all += call.id + call.name + call.arguments;
  return all;
}

/// All headers of a request, as a careless server would repeat them.
std::string echo(Seen const& seen) {
  std::string all;
  for (auto const& [name, value] : seen.headers) all += name + ": " + value + "; ";
  return all;
}

}  // namespace

TEST(Secret, CannotBePrinted) {
  static_assert(!std::is_convertible_v<cuco::Secret, std::string>);
  static_assert(!std::is_convertible_v<cuco::Secret, std::string_view>);
  static_assert(!std::is_constructible_v<std::string, cuco::Secret>);
  static_assert(Prints<std::string>);
  static_assert(!Prints<cuco::Secret>);
}

TEST(Secret, IsScrubbedFromText) {
  cuco::Secret const secret("abcdef123");
  std::string text = "abcdef123 and xabcdef123abcdef123 but not abcdef12";
  secret.scrub(text);
  EXPECT_EQ(text, "[key] and x[key][key] but not abcdef12");
  // A word of a few letters may be part of any text.
  std::string local = "no secret";
  cuco::Secret("no").scrub(local);
  EXPECT_EQ(local, "no secret");
}

TEST(Secret, IsScrubbedWhereATextWasCut) {
  cuco::Secret const secret("abcdef123");
  for (auto const& [before, after] :
       std::vector<std::pair<std::string, std::string>>{{"it is abcdef12", "it is [key]"},
                                                        {"it is abcd...", "it is [key]..."},
                                                        {"it is abc", "it is abc"},
                                                        {"abcde", "[key]"},
                                                        {"abcdef and more", "abcdef and more"},
                                                        {"", ""},
                                                        {"...", "..."}}) {
    std::string text = before;
    secret.scrub_cut(text);
    EXPECT_EQ(text, after);
  }
}

TEST(Secret, CopiesAndMoves) {
  cuco::Secret a("one-secret-value");
  cuco::Secret b = a;
  cuco::Secret const c = std::move(a);
  EXPECT_EQ(b.reveal(), "one-secret-value");
  EXPECT_EQ(c.reveal(), "one-secret-value");
  b = c;
  EXPECT_EQ(b.reveal(), "one-secret-value");
  b = cuco::Secret();
  EXPECT_TRUE(b.empty());
}

using Secrets = EveryProvider;

TEST_P(Secrets, StayOutOfErrorsThatRepeatThem) {
  std::string logged;
  auto const old = cuco::set_log_sink([&](cuco::LogLevel, std::string_view text) { logged += text; });
  auto const level = cuco::set_log_level(cuco::LogLevel::kDebug);
  for (int const status : {400, 401, 403, 404, 429, 500, 302}) {
    FakeServer server([&](Seen const& seen) { return refusal(status, "you sent " + echo(seen)); });
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_NE(server.seen().at(0).header(GetParam().key_header).find(kKey), std::string::npos)
        << "the test tests nothing";
    EXPECT_NE(dump(reply.error()).find("you sent"), std::string::npos);
    EXPECT_EQ(dump(reply.error()).find(kKey), std::string::npos) << dump(reply.error());
  }
  // Where a message is cut, a key must not be cut in two.
  for (int before = 3950; before < 4100; before += 7) {
    FakeServer server({refusal(500, std::string(static_cast<std::size_t>(before), '.') + kKey)});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(dump(reply.error()).find("sk-secret"), std::string::npos) << before;
  }
  // The same inside a stream, whose decoder knows no keys.
  for (int before : {250, 270, 290, 4000, 4030, 4060, 4080}) {
    std::string const words = std::string(static_cast<std::size_t>(before), '.') + kKey;
    std::string const& provider = GetParam().provider;
    std::string const body =
        provider == "bedrock"
            ? aws_frame({{":message-type", "exception"}, {":exception-type", "throttlingException"}},
                        Json{{"message", words}}.dump())
        : provider == "anthropic" ? "event: error\ndata: " + anthropic_error(529, words) + "\n\n"
        : provider == "openai"
            ? "data: " + Json{{"type", "error"}, {"code", "x"}, {"message", words}}.dump() + "\n\n"
            : "data: " + Json{{"error", Json{{"message", words}}}}.dump() + "\n\n";
    FakeServer server({Answer{200, GetParam().stream_type, body, {}, 0}});
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(dump(reply.error()).find("sk-secret"), std::string::npos) << before << dump(reply.error());
    EXPECT_NE(dump(reply.error()).find("...."), std::string::npos) << "the message was lost";
  }
  // Bodies of the wrong kind, and errors inside a stream.
  for (auto const& type :
       {std::string("text/html"), std::string("application/json"), GetParam().stream_type}) {
    FakeServer server([&](Seen const& seen) {
      return Answer{200, type, "data: " + echo(seen) + "\n\n", {}, 0};
    });
    auto const reply = backend(server.url()).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(dump(reply.error()).find(kKey), std::string::npos) << dump(reply.error());
  }
  cuco::set_log_level(level);
  cuco::set_log_sink(old);
  EXPECT_EQ(logged.find(kKey), std::string::npos);
}

TEST_P(Secrets, StayOutOfReplies) {
  FakeServer server([](Seen const& seen) {
    Say say;
    say.text = {"You sent ", echo(seen)};
    say.thinking = echo(seen);
    say.signature = "c2ln";
    say.usage = {1, 1, 0, 0, 0};
    return streamed(say);
  });
  auto const reply = backend(server.url()).complete(question());
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_NE(reply->text.find("You sent"), std::string::npos);
  EXPECT_EQ(dump(*reply).find(kKey), std::string::npos);
}

TEST_P(Secrets, StayOutOfTheRequestsOwnText) {
  FakeServer server({streamed(forty_two())});
  ASSERT_TRUE(backend(server.url()).complete(question()));
  auto const seen = server.seen().at(0);
  EXPECT_EQ((seen.body + seen.target).find(kKey), std::string::npos);
  int carriers = 0;
  for (auto const& [name, value] : seen.headers) carriers += value.find(kKey) != std::string::npos ? 1 : 0;
  EXPECT_EQ(carriers, 1) << "one header carries the key";
}

INSTANTIATE_TEST_SUITE_P(Http, Secrets, testing::ValuesIn(formats()), provider_name);
