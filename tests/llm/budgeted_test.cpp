// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/llm/budgeted.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "../contract/hostile_file_system.hpp"
#include "../contract/llm_backend_contract.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/ensemble.hpp"
#include "cuco/llm/scripted_backend.hpp"

namespace cuco {
namespace {

using testing::chat_request;
using ::testing::HasSubstr;

/// A model that costs 1 USD per million tokens in and 2 out.
ModelPrices test_prices() {
  return ModelPrices::parse("[[model]]\nnames = [\"scripted:list\", \"a:x\"]\ninput = 1\noutput = 2\n")
      .value();
}

BudgetOptions with_prices() {
  return {.prices = test_prices()};
}

ScriptedBackend costing(std::optional<double> usd, TokenUsage usage = {}) {
  return ScriptedBackend(ScriptedBackend::Function([=](ChatRequest const&) {
    ChatReply reply;
    reply.text = "fine";
    reply.usage = usage;
    reply.cost_usd = usd;
    return reply;
  }));
}

TEST(Budgeted, StopsBeforeTheFirstCallThatWouldStartAtTheLimit) {
  auto const inner = costing(0.4);
  Budgeted backend{inner, usd(1), with_prices()};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(backend.complete(chat_request("x"))) << i;
  auto const refused = backend.complete(chat_request("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBudget);
  EXPECT_THAT(to_line(refused.error()), HasSubstr("budget of 1 USD is used up: 1.2000 spent"));
  EXPECT_EQ(inner.requests().size(), 3U);
  auto const spent = backend.spent();
  EXPECT_DOUBLE_EQ(spent.usd, 1.2);
  EXPECT_EQ(spent.calls, 3);
  EXPECT_EQ(spent.calls_in_flight, 0);
  EXPECT_EQ(spent.usd_in_flight, 0);
}

TEST(Budgeted, ALimitOfNothingAllowsNothing) {
  for (Budget const budget : {usd(0), tokens(0)}) {
    auto const inner = costing(0);
    auto const refused = Budgeted{inner, budget, with_prices()}.complete(chat_request("x"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBudget);
    EXPECT_TRUE(inner.requests().empty());
  }
  for (Budget const budget : {usd(-1), usd(std::nan("")), tokens(-5)})
    EXPECT_EQ((Budgeted{costing(0), budget, with_prices()}.complete(chat_request("x")).error().code),
              ErrorCode::kInvalidArgument);
  auto unlimited = Budgeted{costing(1e6), Budget{}, with_prices()};
  EXPECT_TRUE(unlimited.complete(chat_request("x")));
  EXPECT_TRUE(unlimited.complete(chat_request("x")));
}

TEST(Budgeted, CountsTokens) {
  auto const inner = costing(0, {300, 200, 100, 0, 50});
  Budgeted backend{inner, tokens(1200), with_prices()};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(backend.complete(chat_request("x")));
  EXPECT_EQ(backend.spent().tokens, 1500);
  EXPECT_EQ(backend.complete(chat_request("x")).error().code, ErrorCode::kBudget);
}

TEST(Budgeted, CostComesFromTheBackendElseFromTokensElseFromTexts) {
  auto const spent = [](ScriptedBackend const& inner) {
    Budgeted backend{inner, usd(100), with_prices()};
    EXPECT_TRUE(backend.complete(chat_request(std::string(3000, 'x'))));
    return backend.spent().usd;
  };
  EXPECT_DOUBLE_EQ(spent(costing(7, {1'000'000, 0, 0, 0, 0})), 7);
  EXPECT_DOUBLE_EQ(spent(costing(std::nullopt, {1'000'000, 500'000, 0, 0, 0})), 2);
  // 3015 characters of prompt, 4 of reply.
  EXPECT_DOUBLE_EQ(spent(costing(std::nullopt)), ((3015 / 3 + 1) * 1.0 + (4 / 3 + 1) * 2.0) / 1e6);
}

TEST(Budgeted, RepliesThatAreOfNoUseCountToo) {
  ChatReply cut;
  cut.finish = FinishReason::kLength;
  cut.cost_usd = 0.3;
  Error withheld{ErrorCode::kProcess, "broke off", {}, {}, 0, "http-status: 0\ncost-usd: 0.25\n"};
  Error refused{ErrorCode::kProcess, "refused", {}, {}, 0, "http-status: 503\nlater"};
  ScriptedBackend const inner({cut, tl::unexpected<Error>(withheld), tl::unexpected<Error>(refused)});
  Budgeted backend{inner, usd(1), with_prices()};
  EXPECT_TRUE(backend.complete(chat_request("x")));
  EXPECT_FALSE(backend.complete(chat_request("x")));
  EXPECT_FALSE(backend.complete(chat_request("x")));
  EXPECT_DOUBLE_EQ(backend.spent().usd, 0.55);
  EXPECT_EQ(backend.spent().calls, 3);
}

TEST(Budgeted, AnUnknownPriceIsRefusedWithARemedy) {
  BudgetOptions const none{.prices = ModelPrices{}};
  auto const inner = costing(0.5);
  auto const refused = Budgeted{inner, usd(5), none}.complete(chat_request("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBudget);
  EXPECT_THAT(to_line(refused.error()), HasSubstr("price of scripted:list is not known"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("CUCO_PRICES"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("tokens"));
  EXPECT_TRUE(inner.requests().empty());

  EXPECT_TRUE((Budgeted{inner, tokens(1000), none}.complete(chat_request("x"))));
  Budgeted allowed{
      costing(std::nullopt, {10, 10, 0, 0, 0}), usd(5), {.allow_unpriced = true, .prices = ModelPrices{}}};
  EXPECT_TRUE(allowed.complete(chat_request("x")));
  EXPECT_EQ(allowed.spent().unpriced_calls, 1);
  EXPECT_EQ(allowed.spent().usd, 0);
}

TEST(Budgeted, AnEnsembleIsReservedAtItsDearestArm) {
  auto const arm = costing(0.1);
  Ensemble const both{{arm, arm}};
  auto const prices =
      ModelPrices::parse("[[model]]\nnames = [\"scripted:list*\"]\ninput = 1\noutput = 2\n").value();
  EXPECT_TRUE((Budgeted{both, usd(5), {.prices = prices}}.complete(chat_request("x"))));
}

/// Calls wait here until they are let go.
struct Gate {
  std::mutex mutex{};
  std::condition_variable changed{};
  int waiting = 0;
  bool open = false;
};

/// Like ScriptedBackend, but without its lock: calls overlap.
struct GatedBackend {
  Gate* gate;
  double cost;
  Result<ChatReply> complete(ChatRequest const&) {
    std::unique_lock lock(gate->mutex);
    ++gate->waiting;
    gate->changed.notify_all();
    gate->changed.wait(lock, [&] { return gate->open; });
    ChatReply reply;
    reply.cost_usd = cost;
    return reply;
  }
  [[nodiscard]] static std::string model() { return "a:x"; }
};

TEST(Budgeted, CallsInFlightCountBeforeTheyReturn) {
  Gate gate;
  // 500,000 tokens of reply at 2 USD per million: a call is expected to cost 1 USD.
  auto request = chat_request("x");
  request.max_tokens = 500'000;
  Budgeted backend{GatedBackend{&gate, 1.5}, usd(3), with_prices()};
  std::vector<std::thread> threads;
  std::atomic<int> done{0};
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      auto mine = backend;
      if (mine.complete(request)) ++done;
    });
  {
    std::unique_lock lock(gate.mutex);
    gate.changed.wait(lock, [&] { return gate.waiting == 3; });
  }
  auto const during = backend.spent();
  EXPECT_EQ(during.calls_in_flight, 3);
  EXPECT_NEAR(during.usd_in_flight, 3.0, 0.01);
  EXPECT_GE(during.usd_in_flight, 3.0);
  // Nothing has been spent, but the limit is reached all the same.
  auto const refused = backend.complete(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBudget);
  EXPECT_THAT(refused.error().cause, HasSubstr("0.0000 spent"));
  {
    std::lock_guard const lock(gate.mutex);
    gate.open = true;
    gate.changed.notify_all();
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 3);
  EXPECT_DOUBLE_EQ(backend.spent().usd, 4.5) << "exceeded by calls in flight only";
  EXPECT_FALSE(backend.complete(request));
}

TEST(Budgeted, UnderLoadItIsExceededByNoMoreThanTheCallsInFlight) {
  static constexpr int kThreads = 8;
  static constexpr double kCost = 0.01;
  std::atomic<int> in_flight{0};
  std::atomic<int> most{0};
  struct Busy {
    std::atomic<int>* in_flight;
    std::atomic<int>* most;
    Result<ChatReply> complete(ChatRequest const&) {
      int const now = ++*in_flight;
      for (int seen = *most; now > seen && !most->compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      --*in_flight;
      ChatReply reply;
      reply.cost_usd = kCost;
      return reply;
    }
    [[nodiscard]] static std::string model() { return "a:x"; }
  };
  Budgeted backend{Busy{&in_flight, &most}, usd(1), with_prices()};
  std::atomic<int> calls{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      auto request = chat_request("x");
      request.max_tokens = 10;  // expected to cost next to nothing: the estimates do not help
      while (backend.complete(request)) ++calls;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_GE(calls * kCost, 1 - 1e-9);
  EXPECT_LE(calls * kCost, 1 + kThreads * kCost);
  EXPECT_NEAR(backend.spent().usd, calls * kCost, 1e-9);
}

TEST(Budgeted, CopiesShareTheAccount) {
  Budgeted first{costing(0.6), usd(1), with_prices()};
  auto second = first;
  EXPECT_TRUE(first.complete(chat_request("x")));
  EXPECT_TRUE(second.complete(chat_request("x")));
  EXPECT_FALSE(first.complete(chat_request("x")));
  EXPECT_DOUBLE_EQ(second.spent().usd, 1.2);
}

std::vector<nlohmann::json> ledger_lines(std::string const& path) {
  std::vector<nlohmann::json> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) out.push_back(nlohmann::json::parse(line));
  return out;
}

TEST(BudgetLedger, AResumedRunGoesOnSpending) {
  TemporaryFolder const folder;
  std::string const ledger = folder / "deep/down/ledger.jsonl";
  auto const options = [&] { return BudgetOptions{.ledger = ledger, .prices = test_prices()}; };
  {
    Budgeted backend{costing(0.4, {100, 20, 10, 5, 3}), usd(1), options()};
    EXPECT_TRUE(backend.complete(chat_request("x")));
    EXPECT_TRUE(backend.complete(chat_request("x")));
  }
  ScriptedBackend const failing({fail(ErrorCode::kTimeout, "slow")});
  {
    Budgeted backend{failing, usd(1), options()};
    EXPECT_DOUBLE_EQ(backend.spent().usd, 0.8);
    EXPECT_EQ(backend.spent().tokens, 240);
    EXPECT_EQ(backend.spent().calls, 2);
    EXPECT_FALSE(backend.complete(chat_request("x")));
  }
  {
    auto const inner = costing(0.4);
    Budgeted backend{inner, usd(1), options()};
    EXPECT_TRUE(backend.complete(chat_request("x")));
    EXPECT_EQ(backend.complete(chat_request("x")).error().code, ErrorCode::kBudget);
  }
  auto const lines = ledger_lines(ledger);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0]["model"], "scripted:list");
  EXPECT_EQ(lines[0]["input"], 100);
  EXPECT_EQ(lines[0]["output"], 20);
  EXPECT_EQ(lines[0]["cache_read"], 10);
  EXPECT_EQ(lines[0]["cache_written"], 5);
  EXPECT_DOUBLE_EQ(lines[0]["cost_usd"].get<double>(), 0.4);
  EXPECT_EQ(lines[0]["outcome"], "end");
  EXPECT_EQ(lines[2]["outcome"], "timeout");
  EXPECT_THAT(lines[0]["time"].get<std::string>(), ::testing::MatchesRegex("20..-..-..T..:..:..Z"));
}

TEST(BudgetLedger, HalfALineOfAKilledProcessIsForgotten) {
  TemporaryFolder const folder;
  std::string const ledger = folder / "ledger.jsonl";
  ASSERT_TRUE(write_file_atomic(ledger, "{\"cost_usd\":0.5,\"input\":1,\"output\":1}\n{\"cost_usd\":0."));
  Budgeted backend{costing(0.25), usd(10), {.ledger = ledger, .prices = test_prices()}};
  EXPECT_DOUBLE_EQ(backend.spent().usd, 0.5);
  EXPECT_TRUE(backend.complete(chat_request("x")));
  EXPECT_EQ(ledger_lines(ledger).size(), 2U);
}

TEST(BudgetLedger, WhatIsNotALedgerIsNotTakenForNoSpending) {
  TemporaryFolder const folder;
  std::string const ledger = folder / "ledger.jsonl";
  for (char const* text : {"{\"cost_usd\":0.5}\nnonsense\n", "\n\n[1]\n", "{}\n"}) {
    ASSERT_TRUE(write_file_atomic(ledger, text));
    auto const inner = costing(0);
    auto const refused =
        Budgeted{inner, usd(10), {.ledger = ledger, .prices = test_prices()}}.complete(chat_request("x"));
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kParse);
    EXPECT_EQ(refused.error().file, ledger);
    EXPECT_GT(refused.error().line, 0U);
    EXPECT_TRUE(inner.requests().empty());
  }
}

TEST(BudgetLedger, UnpricedCallsStayUnknown) {
  TemporaryFolder const folder;
  std::string const ledger = folder / "ledger.jsonl";
  auto const options = [&] { return BudgetOptions{.ledger = ledger, .prices = ModelPrices{}}; };
  EXPECT_TRUE(
      (Budgeted{costing(std::nullopt, {5, 5, 0, 0, 0}), tokens(100), options()}.complete(chat_request("x"))));
  EXPECT_TRUE(ledger_lines(ledger).at(0)["cost_usd"].is_null());
  EXPECT_EQ((Budgeted{costing(0), tokens(100), options()}.spent().unpriced_calls), 1);
}

TEST(BudgetLedger, AFullDiskStopsSpendingButKeepsThePaidReply) {
  int const code = in_child([] {
    TemporaryFolder const folder;
    if (!mount_small(folder.path, "size=4k")) return kCannotTestHere;
    auto const old = set_log_sink([](LogLevel, std::string_view) {});
    std::string const ledger = folder / "ledger.jsonl";
    Budgeted backend{costing(0.001), usd(100), {.ledger = ledger, .prices = test_prices()}};
    int calls = 0;
    Result<ChatReply> reply = backend.complete(chat_request("x"));
    for (; reply && calls < 1000; ++calls) reply = backend.complete(chat_request("x"));
    set_log_sink(old);
    EXPECT_FALSE(reply);
    if (!reply) {
      EXPECT_EQ(reply.error().code, ErrorCode::kIo);
      EXPECT_EQ(reply.error().file, ledger);
    }
    EXPECT_GT(calls, 1);
    // Whole lines only, one less than calls: the last one did not fit.
    EXPECT_EQ(static_cast<int>(ledger_lines(ledger).size()), calls - 1);
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "this machine does not allow mounting";
  EXPECT_EQ(code, 0);
}

TEST(BudgetLedger, AFolderThatCannotBeWrittenIsAnError) {
  auto const refused =
      Budgeted{costing(0), usd(1), {.ledger = "/proc/none/ledger.jsonl", .prices = test_prices()}}.complete(
          chat_request("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace cuco
