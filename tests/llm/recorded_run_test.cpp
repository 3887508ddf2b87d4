// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

// A whole evolution with a model: recorded, killed at any call, resumed, and replayed without the model.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "../evolve/fakes.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/llm/asymmetric_ucb.hpp"
#include "cuco/llm/budgeted.hpp"
#include "cuco/llm/ensemble.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/recorded.hpp"
#include "cuco/llm/replay_backend.hpp"
#include "cuco/llm/retrying.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/store/sqlite_storage.hpp"

namespace cuco {
namespace {

using testing::point;
using testing::PointEvaluator;
using testing::Scratch;
using testing::table;

/// A model with moods: its answer depends on how often it was ever asked, and it fails now and then.
struct MoodyModel {
  std::string name;
  std::string counter;  ///< A file that survives the process, so that a resumed run gets other answers.
  int kill_at = -1;     ///< The call at which the process dies, after the provider was asked.

  Result<ChatReply> complete(ChatRequest const& request) const {
    testing::append_line(counter, name);
    auto const asked = testing::lines_of(counter).size();
    if (static_cast<int>(asked) == kill_at) ::_exit(9);
    auto const mood = hash64(fmt::format("{} {} {}", name, asked, request.messages.back().text));
    if (mood % 7 == 0)
      return tl::unexpected<Error>(provider_error(name, 429, std::nullopt, "too many requests"));
    ChatReply reply;
    // Sometimes prose instead of a step, so that the conversation goes on.
    reply.text = mood % 5 == 0 ? "Let me think." : std::string(1, "udlr"[mood / 11 % 4]);
    reply.model = name;
    reply.usage = {100, 10, 0, 0, 0};
    reply.cost_usd = 0.001 * static_cast<double>(1 + mood % 3);
    return reply;
  }
  [[nodiscard]] std::string model() const { return name; }
};

/// Asks where to step from a point, up to three turns.
struct AskingMutator {
  AnyBackend backend;

  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    ChatRequest request;
    request.system = "Reply with u, d, l or r.";
    // Few different prompts on purpose: equal requests in different generations must not be mixed up.
    request.messages.push_back({ChatMessage::Role::kUser, fmt::format("mood {}", rng.below(2))});
    Mutation m;
    for (int turn = 0; turn < 3; ++turn) {
      auto reply = backend.complete(request);
      if (!reply) return forward_error(std::move(reply));
      *m.cost_usd += reply->cost_usd.value_or(0);
      if (reply->text.size() == 1) {
        auto [x, y] = testing::coordinates(context.parent.code);
        x += reply->text == "r" ? 1 : reply->text == "l" ? -1 : 0;
        y += reply->text == "u" ? 1 : reply->text == "d" ? -1 : 0;
        m.code = point(x, y);
        m.patch_type = "full";
        m.name = "step";
        m.metadata = {{"model_name", reply->model}, {"turns", std::to_string(turn)}};
        return m;
      }
      request.messages.push_back({ChatMessage::Role::kAssistant, reply->text});
      request.messages.push_back({ChatMessage::Role::kUser, "One letter."});
    }
    return fail(ErrorCode::kNotFound, "no step in three turns");
  }
};

struct Places {
  Scratch scratch{};
  std::string record = scratch / "record";
  std::string counter = scratch / "asked";
};

RetryOptions patient() {
  return {.attempts = 4, .sleep = [](std::chrono::milliseconds) {}};
}

EvolutionOptions options(std::string const& directory, int slots) {
  EvolutionOptions o;
  o.generations = 16;
  o.islands = 2;
  o.seed = 5;
  o.parallel_evaluations = slots;
  o.migration_interval = 6;
  o.directory = directory;
  o.max_attempts = 3;
  return o;
}

/// One process of the recorded run: an ensemble of two recorded models, under a budget, with retries.
std::string record(Places const& places, std::string const& run, int slots, int kill_at) {
  auto recording = Recording::open(places.record, Recording::Use::kRecord);
  if (!recording) return to_line(recording.error());
  auto ensemble = Ensemble{{Recorded{MoodyModel{"p:a", places.counter, kill_at}, *recording},
                            Recorded{MoodyModel{"p:b", places.counter, kill_at}, *recording}},
                           AsymmetricUcb{},
                           {.seed = 3}};
  Retrying backend{Budgeted{ensemble, usd(50), {.allow_unpriced = true}}, patient()};
  std::filesystem::create_directories(run);
  Evolution evolution{
      SqliteStorage{run}, PowerLawSelector{}, AskingMutator{backend}, PointEvaluator{}, options(run, slots)};
  auto const summary = evolution.observe(recording->observer()).observe(ensemble.observer()).run(point(3, 3));
  return summary ? "" : to_line(summary.error());
}

std::string replay(Places const& places, std::string const& run, int slots) {
  auto recording = Recording::open(places.record, Recording::Use::kReplay);
  if (!recording) return to_line(recording.error());
  auto ensemble = Ensemble{
      {ReplayBackend{*recording, "p:a"}, ReplayBackend{*recording, "p:b"}}, AsymmetricUcb{}, {.seed = 3}};
  Retrying backend{Budgeted{ensemble, usd(50), {.allow_unpriced = true}}, patient()};
  std::filesystem::create_directories(run);
  Evolution evolution{
      SqliteStorage{run}, PowerLawSelector{}, AskingMutator{backend}, PointEvaluator{}, options(run, slots)};
  auto const summary = evolution.observe(recording->observer()).observe(ensemble.observer()).run(point(3, 3));
  return summary ? "" : to_line(summary.error());
}

std::string table_of(std::string const& run) {
  return table(SqliteStorage::open(run, {.read_only = true}).value());
}

class RecordedRun : public ::testing::TestWithParam<int> {
  void SetUp() override { old_ = set_log_level(LogLevel::kOff); }
  void TearDown() override { set_log_level(old_); }
  LogLevel old_{};
};

TEST_P(RecordedRun, ReplaysToTheSameDatabase) {
  Places const places;
  ASSERT_EQ(record(places, places.scratch / "run", GetParam(), -1), "");
  auto const asked = testing::lines_of(places.counter).size();
  EXPECT_GT(asked, 18U);
  ASSERT_EQ(replay(places, places.scratch / "again", GetParam()), "");
  EXPECT_EQ(testing::lines_of(places.counter).size(), asked) << "nobody was asked";
  EXPECT_EQ(testing::first_difference(table_of(places.scratch / "run"), table_of(places.scratch / "again")),
            "");
  EXPECT_NE(table_of(places.scratch / "run").find("p:b"), std::string::npos);
}

TEST_P(RecordedRun, KilledAtAnyCallAndResumedItStillReplays) {
  int killed = 0;
  for (int const kill_at : {1, 9, 16}) {
    Places const places;
    auto const run = places.scratch / "run";
    pid_t const child = ::fork();
    if (child == 0) {
      set_log_level(LogLevel::kOff);
      ::_exit(record(places, run, GetParam(), kill_at).empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    killed += WEXITSTATUS(status) == 9 ? 1 : 0;
    ASSERT_EQ(record(places, run, GetParam(), -1), "") << kill_at;
    ASSERT_EQ(replay(places, places.scratch / "again", GetParam()), "") << kill_at;
    ASSERT_EQ(testing::first_difference(table_of(run), table_of(places.scratch / "again")), "")
        << "killed at call " << kill_at;
  }
  EXPECT_EQ(killed, 3);
}

INSTANTIATE_TEST_SUITE_P(Slots, RecordedRun, ::testing::Values(1, 3));

}  // namespace
}  // namespace cuco
