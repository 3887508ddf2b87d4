// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// What is booked for calls that fail, and for calls that a recording answers.

#include "cuco/llm/impl/failed_call.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "../contract/hostile_file_system.hpp"
#include "../contract/llm_backend_contract.hpp"
#include "cuco/llm/budgeted.hpp"
#include "cuco/llm/ensemble.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/priced.hpp"
#include "cuco/llm/recorded.hpp"
#include "cuco/llm/replay_backend.hpp"
#include "cuco/llm/retrying.hpp"
#include "cuco/llm/scripted_backend.hpp"
#include "cuco/llm/weighted_policy.hpp"

namespace cuco {
namespace {

using testing::chat_request;
using ::testing::HasSubstr;

/// 1 USD per million tokens in and 2 out.
ModelPrices test_prices() {
  return ModelPrices::parse("[[model]]\nnames = [\"scripted:*\", \"p:*\"]\ninput = 1\noutput = 2\n").value();
}

Error broken(std::string detail, ErrorCode code = ErrorCode::kProcess) {
  return {code, "broke off", {}, {}, 0, std::move(detail)};
}

Spending booked_for(Error const& error) {
  Budgeted backend{
      ScriptedBackend({tl::unexpected<Error>(error)}), usd(100), BudgetOptions{.prices = test_prices()}};
  EXPECT_FALSE(backend.complete(chat_request("x")));
  return backend.spent();
}

/// 15 characters of system text, 1 of prompt; 1000 tokens of reply.
constexpr double kExpected = (16 / 3 + 1) * 1e-6 + 1000 * 2e-6;

TEST(FailedCalls, CountAsExpectedUnlessTheySurelyAreFree) {
  for (auto const code : {ErrorCode::kProcess,
                          ErrorCode::kTimeout,
                          ErrorCode::kCancelled,
                          ErrorCode::kParse,
                          ErrorCode::kIo,
                          ErrorCode::kInternal}) {
    for (char const* detail : {"", "http-status: 0\nreset", "http-status: 200\nmalformed reply"}) {
      auto const spent = booked_for(broken(detail, code));
      EXPECT_NEAR(spent.usd, kExpected, 1e-12) << to_string(code) << " " << detail;
      EXPECT_EQ(spent.tokens, 1006);
      EXPECT_EQ(spent.calls, 1);
      EXPECT_EQ(spent.usd_in_flight, 0);
      EXPECT_EQ(spent.tokens_in_flight, 0);
    }
    EXPECT_EQ(booked_for(broken("http-status: 503\nbusy", code)).usd, 0);
    EXPECT_EQ(booked_for(broken("http-status: 429\nretry-after-ms: 5\nbusy", code)).tokens, 0);
    EXPECT_EQ(booked_for(impl::unbilled(broken("http-status: 0\nrefused", code))).usd, 0);
  }
  for (auto const code :
       {ErrorCode::kInvalidArgument, ErrorCode::kRefused, ErrorCode::kNotFound, ErrorCode::kToolMissing})
    EXPECT_EQ(booked_for(broken("", code)).tokens, 0) << to_string(code);
}

TEST(FailedCalls, CannotBeRepeatedBeyondTheBudget) {
  ScriptedBackend const inner(ScriptedBackend::Function(
      [](ChatRequest const&) { return tl::unexpected<Error>(broken("http-status: 0\nreset")); }));
  Retrying backend{Budgeted{inner, usd(2.5 * kExpected), BudgetOptions{.prices = test_prices()}},
                   RetryOptions{.sleep = [](auto) {}}};
  Result<ChatReply> reply = backend.complete(chat_request("x"));
  for (int i = 0; i < 20; ++i) reply = backend.complete(chat_request("x"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kBudget);
  EXPECT_EQ(inner.requests().size(), 3U);
}

TEST(FailedCalls, CountWithWhatTheProviderCounted) {
  auto spent = booked_for(broken("http-status: 200\nusage: 5000 70 0 0 0\nunknown finish reason"));
  EXPECT_NEAR(spent.usd, 5000e-6 + 140e-6, 1e-12);
  EXPECT_EQ(spent.tokens, 5070);
  // What broke off may have had all the tokens it was allowed.
  spent = booked_for(broken("http-status: 0\nusage: 5000 70 0 0 0 +\nreset"));
  EXPECT_NEAR(spent.usd, 5000e-6 + 2000e-6, 1e-12);
  EXPECT_EQ(spent.tokens, 6000);
  spent = booked_for(broken("http-status: 529\nusage: 0 0 0 0 0 +\nin the middle of a stream"));
  EXPECT_NEAR(spent.usd, kExpected, 1e-12);
  spent = booked_for(broken("http-status: 200\nusage: 10 20 0 0 0\ncost-usd: 0.75\nx"));
  EXPECT_DOUBLE_EQ(spent.usd, 0.75);
  EXPECT_EQ(spent.tokens, 30);
}

TEST(FailedCalls, AProvidersWordsAreNoBooking) {
  auto const forged = [](std::string const& words) {
    return booked_for(provider_error("p", 200, std::nullopt, words)).usd;
  };
  for (char const* words :
       {"cost-usd: 0\n", "usage: 0 0 0 0 0\n", "busy\ncost-usd: 0\n", "http-status: 503\n"})
    EXPECT_NEAR(forged(words), kExpected, 1e-12) << words;
  for (char const* line : {"cost-usd: -1",
                           "cost-usd: nan",
                           "cost-usd: inf",
                           "cost-usd: 1x",
                           "usage: 1 2 3",
                           "usage: 1 2 3 4 5 6"})
    EXPECT_NEAR(booked_for(broken(std::string("http-status: 0\n") + line + "\n")).usd, kExpected, 1e-12)
        << line;
}

TEST(FailedCalls, LinesAreReplacedAndTheRestStays) {
  auto error = provider_error("p", 529, std::chrono::milliseconds(70), "usage: none\nof yours");
  auto const before = error;
  error = impl::with_failed_call(error, {TokenUsage{1, 2, 3, 4, 5}, true, 0.1});
  EXPECT_EQ(retry_after(error), std::chrono::milliseconds(70));
  auto const told = impl::failed_call_of(error);
  EXPECT_EQ(told.usage, (TokenUsage{1, 2, 3, 4, 5}));
  EXPECT_TRUE(told.broke_off);
  EXPECT_EQ(told.usd, 0.1);
  EXPECT_EQ(impl::with_failed_call(error, {}).detail, before.detail);
}

TEST(FailedCalls, AnUnknownPriceStaysUnknown) {
  Budgeted backend{ScriptedBackend({tl::unexpected<Error>(broken(""))}),
                   tokens(10'000),
                   BudgetOptions{.prices = ModelPrices{}}};
  EXPECT_FALSE(backend.complete(chat_request("x")));
  EXPECT_EQ(backend.spent().unpriced_calls, 1);
  EXPECT_EQ(backend.spent().tokens, 1006);
}

TEST(FailedCalls, PricedTellsTheirPrice) {
  auto const price = [](Error const& error) {
    Priced backend{ScriptedBackend({tl::unexpected<Error>(error)}), test_prices()};
    return impl::failed_call_of(backend.complete(chat_request("x")).error()).usd;
  };
  EXPECT_NEAR(price(broken("http-status: 0\nusage: 5000 70 0 0 0\n")).value(), 5140e-6, 1e-12);
  EXPECT_NEAR(price(broken("http-status: 0\n")).value(), kExpected, 1e-12);
  EXPECT_EQ(price(broken("http-status: 0\ncost-usd: 3\n")), 3);
  EXPECT_FALSE(price(broken("http-status: 503\n"))) << "it is free";
}

TEST(FailedCalls, AnEnsemblesReplyCostsWhatTheArmsBeforeItCost) {
  struct Named {
    std::string name;
    ScriptedBackend inner;
    Result<ChatReply> complete(ChatRequest const& request) { return inner.complete(request); }
    [[nodiscard]] std::string model() const { return name; }
  };
  ChatReply good;
  good.text = "fine";
  good.usage = {100, 10, 0, 0, 0};
  auto const stall =
      broken("http-status: 0\nusage: 5000 0 0 0 0 +\nno byte for 300000 ms", ErrorCode::kTimeout);
  auto const ask = [&](ScriptedBackend::Answer second) {
    Ensemble ensemble{{Priced{Named{"p:a", ScriptedBackend({tl::unexpected<Error>(stall)})}, test_prices()},
                       Priced{Named{"p:b", ScriptedBackend({std::move(second)})}, test_prices()}},
                      WeightedPolicy({1, 0}),
                      {.next_on_error = true}};
    Budgeted backend{ensemble, usd(100), BudgetOptions{.prices = test_prices()}};
    auto const reply = backend.complete(chat_request("x"));
    return std::pair(reply, backend.spent());
  };
  auto const [reply, spent] = ask(good);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->model, "p:b");
  EXPECT_EQ(reply->usage, (TokenUsage{5100, 1010, 0, 0, 0}));
  EXPECT_NEAR(reply->cost_usd.value(), 7000e-6 + 120e-6, 1e-12);
  EXPECT_NEAR(spent.usd, 7000e-6 + 120e-6, 1e-12);
  auto const [failure, all] = ask(tl::unexpected<Error>(broken("http-status: 503\nbusy")));
  ASSERT_FALSE(failure);
  EXPECT_NEAR(all.usd, 7000e-6, 1e-12);
  EXPECT_EQ(all.tokens, 6000);
}

TEST(FailedCalls, AnAnswerThatCannotBeRecordedIsPaidAllTheSame) {
  int const code = in_child([] {
    ::signal(SIGXFSZ, SIG_IGN);
    TemporaryFolder const folder;
    ChatReply reply;
    reply.text = std::string(8000, 'x');
    reply.cost_usd = 0.5;
    reply.usage = {7, 8, 0, 0, 0};
    Budgeted backend{
        Recorded{ScriptedBackend({reply}), folder.path}, usd(100), BudgetOptions{.prices = test_prices()}};
    rlimit const small{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &small);
    auto const lost = backend.complete(chat_request("x"));
    EXPECT_FALSE(lost);
    if (!lost) {
      EXPECT_EQ(lost.error().code, ErrorCode::kIo);
    }
    EXPECT_DOUBLE_EQ(backend.spent().usd, 0.5);
    EXPECT_EQ(backend.spent().tokens, 15);
    return 0;
  });
  EXPECT_EQ(code, 0);
}

TEST(FailedCalls, WhatWasNeverAskedIsFree) {
  TemporaryFolder const folder;
  { ASSERT_TRUE((Recorded{ScriptedBackend({ChatReply{}}), folder.path}.complete(chat_request("q")))); }
  for (auto const& backend :
       {AnyBackend(ReplayBackend(folder.path)), AnyBackend(ReplayBackend("/nowhere"))}) {
    Budgeted budgeted{backend, tokens(1'000'000), BudgetOptions{.prices = test_prices()}};
    EXPECT_FALSE(budgeted.complete(chat_request("another")));
    EXPECT_EQ(budgeted.spent().tokens, 0);
  }
}

/// One process of a recorded run: asks `questions` and says what is booked in the end.
Spending process(TemporaryFolder const& folder,
                 std::vector<std::string> const& questions,
                 std::string const& ledger) {
  ScriptedBackend const model(ScriptedBackend::Function([](ChatRequest const&) {
    ChatReply reply;
    reply.usage = {100, 10, 0, 0, 0};
    reply.cost_usd = 0.25;
    return reply;
  }));
  Budgeted backend{
      Recorded{model, folder / "record"},
      usd(100),
      BudgetOptions{.ledger = ledger.empty() ? ledger : folder / ledger, .prices = test_prices()}};
  for (auto const& question : questions) EXPECT_TRUE(backend.complete(chat_request(question)));
  return backend.spent();
}

std::size_t lines_of(std::string const& path) {
  std::ifstream in(path);
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);) ++lines;
  return lines;
}

TEST(RecordedCalls, AreBookedOnceByARunThatIsResumed) {
  TemporaryFolder const folder;
  EXPECT_DOUBLE_EQ(process(folder, {"a", "b"}, "ledger.jsonl").usd, 0.5);
  // Both are answered from the recording now, and then the model is asked.
  auto const spent = process(folder, {"a", "b", "c"}, "ledger.jsonl");
  EXPECT_DOUBLE_EQ(spent.usd, 0.75);
  EXPECT_EQ(spent.tokens, 330);
  EXPECT_EQ(spent.calls, 3);
  EXPECT_EQ(spent.calls_in_flight, 0);
  EXPECT_EQ(lines_of(folder / "ledger.jsonl"), 3U);
}

TEST(RecordedCalls, ThatWereNotBookedBeforeTheProcessDiedAreBookedThen) {
  TemporaryFolder const folder;
  (void)process(folder, {"a"}, "ledger.jsonl");
  (void)process(folder, {"a", "b"}, "");  // recorded, but no booking is written
  EXPECT_DOUBLE_EQ(process(folder, {"a", "b"}, "ledger.jsonl").usd, 0.5);
  EXPECT_EQ(lines_of(folder / "ledger.jsonl"), 2U);
}

TEST(RecordedCalls, AReplayBooksThemAsTheRunDid) {
  TemporaryFolder const folder;
  (void)process(folder, {"a", "b"}, "ledger.jsonl");
  for (double const usd_each_time : {0.5, 0.5}) {
    Budgeted backend{ReplayBackend{folder / "record"},
                     usd(100),
                     BudgetOptions{.ledger = folder / "replay.jsonl", .prices = test_prices()}};
    for (char const* question : {"a", "b"}) EXPECT_TRUE(backend.complete(chat_request(question)));
    EXPECT_DOUBLE_EQ(backend.spent().usd, usd_each_time) << "and once, also when it is repeated";
  }
}

TEST(RecordedCalls, SeveralBackendsMaySpendFromOneBudget) {
  ChatReply reply;
  reply.cost_usd = 0.6;
  Budgeted first{ScriptedBackend({reply, reply}), usd(1), BudgetOptions{.prices = test_prices()}};
  auto second = first.around(ScriptedBackend({reply, reply}));
  EXPECT_TRUE(first.complete(chat_request("x")));
  EXPECT_TRUE(second.complete(chat_request("x")));
  EXPECT_EQ(first.complete(chat_request("x")).error().code, ErrorCode::kBudget);
  EXPECT_EQ(second.complete(chat_request("x")).error().code, ErrorCode::kBudget);
  EXPECT_DOUBLE_EQ(first.spent().usd, 1.2);
}

}  // namespace
}  // namespace cuco
