// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/llm/cached.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "../contract/hostile_file_system.hpp"
#include "../contract/llm_backend_contract.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/scripted_backend.hpp"

namespace cuco {
namespace {

using testing::chat_request;
using testing::full_reply;

ScriptedBackend counting() {
  return ScriptedBackend(ScriptedBackend::Function([n = 0](ChatRequest const&) mutable {
    auto reply = full_reply();
    reply.text = "answer " + std::to_string(n++);
    return reply;
  }));
}

TEST(Cached, AsksOnceAndTheSecondAnswerIsFree) {
  auto const inner = counting();
  Cached backend{inner};
  auto const first = backend.complete(chat_request("q"));
  auto const second = backend.complete(chat_request("q"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(inner.requests().size(), 1U);
  EXPECT_EQ(second->text, first->text);
  EXPECT_EQ(second->tool_calls, first->tool_calls);
  EXPECT_EQ(second->provider_state, first->provider_state);
  EXPECT_EQ(first->cost_usd, full_reply().cost_usd);
  EXPECT_EQ(second->cost_usd, 0);
  EXPECT_EQ(second->usage, TokenUsage{});
  auto copy = backend;
  EXPECT_EQ(copy.complete(chat_request("q"))->text, "answer 0");
  EXPECT_EQ(copy.complete(chat_request("other"))->text, "answer 1");
}

TEST(Cached, OnlyAtTemperatureZeroUnlessAskedFor) {
  auto warm = chat_request("q");
  warm.temperature = 0.7;
  auto unset = chat_request("q");
  unset.temperature.reset();
  for (auto const& request : {warm, unset}) {
    auto const inner = counting();
    Cached strict{inner};
    (void)strict.complete(request);
    (void)strict.complete(request);
    EXPECT_EQ(inner.requests().size(), 2U);
    Cached loose{inner, {.any_temperature = true}};
    (void)loose.complete(request);
    (void)loose.complete(request);
    EXPECT_EQ(inner.requests().size(), 3U);
  }
}

TEST(Cached, KeepsWholeRepliesOnly) {
  for (auto const reason : {FinishReason::kLength, FinishReason::kFiltered}) {
    ScriptedBackend const inner(ScriptedBackend::Function([=](ChatRequest const&) {
      ChatReply reply;
      reply.finish = reason;
      return reply;
    }));
    Cached backend{inner};
    (void)backend.complete(chat_request("q"));
    (void)backend.complete(chat_request("q"));
    EXPECT_EQ(inner.requests().size(), 2U);
  }
  ScriptedBackend const failing({fail(ErrorCode::kTimeout, "slow"), full_reply()});
  Cached backend{failing};
  EXPECT_FALSE(backend.complete(chat_request("q")));
  EXPECT_TRUE(backend.complete(chat_request("q")));
}

TEST(Cached, AFolderKeepsRepliesForLaterProcesses) {
  TemporaryFolder const folder;
  auto const path = folder / "a/cache";
  ASSERT_TRUE((Cached{counting(), {.folder = path}}.complete(chat_request("q"))));
  auto const inner = counting();
  Cached later{inner, {.folder = path}};
  auto const reply = later.complete(chat_request("q"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text, "answer 0");
  EXPECT_EQ(reply->tool_calls, full_reply().tool_calls);
  EXPECT_EQ(reply->cost_usd, 0);
  EXPECT_TRUE(inner.requests().empty());
}

TEST(Cached, AFileWithoutAKnownEndIsAskedAgain) {
  TemporaryFolder const folder;
  ASSERT_TRUE((Cached{counting(), {.folder = folder.path}}.complete(chat_request("q"))));
  for (auto const& entry : std::filesystem::directory_iterator(folder.path)) {
    auto bytes = read_file(entry.path().string()).value();
    auto const at = bytes.find("\"finish\":");
    ASSERT_NE(at, std::string::npos);
    ASSERT_TRUE(write_file_atomic(entry.path().string(), bytes.replace(at, 9, "\"fin\":")));
  }
  auto const old = set_log_sink([](LogLevel, std::string_view) {});
  auto const inner = counting();
  EXPECT_TRUE((Cached{inner, {.folder = folder.path}}.complete(chat_request("q"))));
  set_log_sink(old);
  EXPECT_EQ(inner.requests().size(), 1U);
}

TEST(Cached, ADamagedFileIsAskedAgain) {
  TemporaryFolder const folder;
  ASSERT_TRUE((Cached{counting(), {.folder = folder.path}}.complete(chat_request("q"))));
  for (auto const& entry : std::filesystem::directory_iterator(folder.path))
    ASSERT_TRUE(write_file_atomic(entry.path().string(), "{ nonsense"));
  int reports = 0;
  auto const old = set_log_sink([&](LogLevel, std::string_view) { ++reports; });
  auto const inner = counting();
  EXPECT_TRUE((Cached{inner, {.folder = folder.path}}.complete(chat_request("q"))));
  set_log_sink(old);
  EXPECT_EQ(inner.requests().size(), 1U);
  EXPECT_EQ(reports, 1);
  EXPECT_TRUE((Cached{ScriptedBackend(std::vector<std::string>{}), {.folder = folder.path}}.complete(
      chat_request("q"))))
      << "the new reply replaced it";
}

}  // namespace
}  // namespace cuco
