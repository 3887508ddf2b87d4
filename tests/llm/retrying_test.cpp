// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/llm/retrying.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "../contract/llm_backend_contract.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/scripted_backend.hpp"

namespace cuco {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::chat_request;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Le;

/// Waits that are written down in place of waiting.
struct FakeClock {
  std::vector<milliseconds> waits{};

  RetryOptions options(RetryOptions base = {}) {
    base.sleep = [this](milliseconds time) { waits.push_back(time); };
    return base;
  }
};

Result<ChatReply> failing(long status, std::optional<milliseconds> after = std::nullopt) {
  return tl::unexpected<Error>(provider_error("test", status, after, "busy"));
}

ChatReply answer(std::string text) {
  ChatReply reply;
  reply.text = std::move(text);
  return reply;
}

std::size_t calls(ScriptedBackend const& backend) {
  return backend.requests().size();
}

TEST(Retrying, RepeatsPassingFailuresUntilItSucceeds) {
  FakeClock clock;
  ScriptedBackend inner({failing(429), failing(500), failing(529), failing(0), answer("done")});
  Retrying backend{inner, clock.options()};
  auto const reply = backend.complete(chat_request("x"));
  ASSERT_TRUE(reply) << to_line(reply.error());
  EXPECT_EQ(reply->text, "done");
  EXPECT_EQ(calls(inner), 5U);
  ASSERT_EQ(clock.waits.size(), 4U);
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_GE(clock.waits[k], 0ms);
    EXPECT_LE(clock.waits[k], 1000ms * (1 << k)) << k;
  }
}

TEST(Retrying, GivesUpAfterTheLastAttemptAndTellsHowOftenItTried) {
  FakeClock clock;
  ScriptedBackend inner(ScriptedBackend::Function([](ChatRequest const&) { return failing(503); }));
  Retrying backend{inner, clock.options({.attempts = 3})};
  auto const reply = backend.complete(chat_request("x"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kProcess);
  EXPECT_THAT(reply.error().cause, HasSubstr("3 attempts"));
  EXPECT_THAT(reply.error().detail, HasSubstr("http-status: 503"));
  EXPECT_EQ(calls(inner), 3U);
  EXPECT_EQ(clock.waits.size(), 2U);
}

TEST(Retrying, NeverRepeatsWhatTheProviderRejectsOrTheUserLimits) {
  for (long const status : {400L, 401L, 403L, 404L, 413L, 422L}) {
    FakeClock clock;
    ScriptedBackend inner({failing(status), answer("never")});
    auto const reply = Retrying{inner, clock.options()}.complete(chat_request("x"));
    ASSERT_FALSE(reply) << status;
    EXPECT_EQ(calls(inner), 1U) << status;
    EXPECT_TRUE(clock.waits.empty());
    EXPECT_EQ(reply.error().cause.find("attempts"), std::string::npos);
  }
  for (auto const code : {ErrorCode::kBudget, ErrorCode::kCancelled, ErrorCode::kParse, ErrorCode::kIo}) {
    FakeClock clock;
    ScriptedBackend inner({fail(code, "stop"), answer("never")});
    ASSERT_FALSE((Retrying{inner, clock.options()}.complete(chat_request("x"))));
    EXPECT_EQ(calls(inner), 1U) << to_string(code);
  }
}

TEST(Retrying, WaitsAtLeastAsLongAsTheProviderAsks) {
  FakeClock clock;
  ScriptedBackend inner({failing(429, 90'000ms), failing(429, 1ms), answer("done")});
  ASSERT_TRUE((Retrying{inner, clock.options()}.complete(chat_request("x"))));
  ASSERT_EQ(clock.waits.size(), 2U);
  EXPECT_EQ(clock.waits[0], 90'000ms);  // beyond `longest`, which limits only what we choose
  EXPECT_LE(clock.waits[1], 2'000ms);
}

TEST(Retrying, BacksOffNoFurtherThanTheLongestWait) {
  FakeClock clock;
  ScriptedBackend inner(ScriptedBackend::Function([](ChatRequest const&) { return failing(500); }));
  auto const options = clock.options({.attempts = 40, .base = 1000ms, .longest = 3000ms, .total = 24h});
  ASSERT_FALSE((Retrying{inner, options}.complete(chat_request("x"))));
  EXPECT_EQ(clock.waits.size(), 39U);
  EXPECT_THAT(clock.waits, Each(Le(3000ms)));
  // Full jitter uses the whole range.
  EXPECT_GT(*std::max_element(clock.waits.begin(), clock.waits.end()), 2200ms);
  EXPECT_LT(*std::min_element(clock.waits.begin() + 3, clock.waits.end()), 800ms);
}

TEST(Retrying, WaitsNoLongerThanTheTotal) {
  FakeClock clock;
  ScriptedBackend inner(ScriptedBackend::Function([](ChatRequest const&) { return failing(429, 4'000ms); }));
  auto const options = clock.options({.attempts = 100, .base = 0ms, .total = 10'000ms});
  auto const reply = Retrying{inner, options}.complete(chat_request("x"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(clock.waits.size(), 2U);  // 4 s, 8 s; 12 s would be too late
  EXPECT_EQ(calls(inner), 3U);
  EXPECT_THAT(reply.error().cause, HasSubstr("3 attempts"));
}

TEST(Retrying, GivesUpAfterTheSameAttemptHoweverLongCallsTake) {
  for (auto const takes : {0ms, 30ms}) {
    FakeClock clock;
    ScriptedBackend inner(ScriptedBackend::Function([&](ChatRequest const&) {
      std::this_thread::sleep_for(takes);
      return failing(429, 15ms);
    }));
    auto const options = clock.options({.attempts = 9, .base = 0ms, .total = 40ms});
    ASSERT_FALSE((Retrying{inner, options}.complete(chat_request("x"))));
    EXPECT_EQ(calls(inner), 3U) << "calls take " << takes.count() << " ms";
  }
}

TEST(Retrying, JitterDependsOnSeedAndRequestOnly) {
  auto const waits = [](std::uint64_t seed, std::string const& text) {
    FakeClock clock;
    ScriptedBackend inner(ScriptedBackend::Function([](ChatRequest const&) { return failing(500); }));
    (void)Retrying{inner, clock.options({.seed = seed})}.complete(chat_request(text));
    return clock.waits;
  };
  EXPECT_EQ(waits(1, "a"), waits(1, "a"));
  EXPECT_NE(waits(1, "a"), waits(2, "a"));
  EXPECT_NE(waits(1, "a"), waits(1, "b"));
  auto const a = waits(1, "a");
  EXPECT_GT(std::set<milliseconds>(a.begin(), a.end()).size(), 2U) << "every attempt draws anew";
}

TEST(Retrying, TheFlagStopsCallsAndWaits) {
  std::atomic<bool> cancel{true};
  ScriptedBackend inner(ScriptedBackend::Function([](ChatRequest const&) { return failing(500); }));
  auto reply = Retrying{inner, {.cancel = &cancel}}.complete(chat_request("x"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(calls(inner), 0U);

  cancel = false;
  std::thread stopper([&] {
    while (calls(inner) == 0) std::this_thread::yield();
    cancel = true;
  });
  auto const begin = std::chrono::steady_clock::now();
  // A real wait, of 30 s if nothing stopped it.
  reply = Retrying{ScriptedBackend(ScriptedBackend::Function([&](ChatRequest const& request) {
                     (void)inner.complete(request);
                     return failing(429, 30'000ms);
                   })),
                   {.cancel = &cancel}}
              .complete(chat_request("x"));
  stopper.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(Retrying, RealWaitsWork) {
  ScriptedBackend inner({failing(500), failing(429, 15ms), answer("done")});
  auto const begin = std::chrono::steady_clock::now();
  ASSERT_TRUE((Retrying{inner, {.base = 5ms}}.complete(chat_request("x"))));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 15ms);
}

TEST(Retrying, OneAttemptIsNoRetry) {
  FakeClock clock;
  for (int const attempts : {1, 0, -3}) {
    ScriptedBackend inner({failing(500), answer("never")});
    ASSERT_FALSE((Retrying{inner, clock.options({.attempts = attempts})}.complete(chat_request("x"))));
    EXPECT_EQ(calls(inner), 1U);
  }
}

}  // namespace
}  // namespace cuco
