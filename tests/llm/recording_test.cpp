// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/llm/recording.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../contract/hostile_file_system.hpp"
#include "../contract/llm_backend_contract.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/recorded.hpp"
#include "cuco/llm/replay_backend.hpp"
#include "cuco/llm/retrying.hpp"
#include "cuco/llm/scripted_backend.hpp"

namespace cuco {
namespace {

using testing::chat_request;
using namespace std::string_literals;
using ::testing::ElementsAre;
using testing::full_reply;
using ::testing::HasSubstr;
using ::testing::Not;

std::string all_of(ChatReply const& r) {
  std::string out =
      r.text + "|" + to_string(r.finish) + "|" + r.thinking + "|" + r.provider_state + "|" + r.model;
  for (auto const& call : r.tool_calls) out += "|" + call.id + "," + call.name + "," + call.arguments;
  char number[64];
  std::snprintf(number, sizeof number, "|%a", r.cost_usd.value_or(-1));
  return out + number + "|" + std::to_string(r.usage.input) + "," + std::to_string(r.usage.output) + "," +
         std::to_string(r.usage.cache_read) + "," + std::to_string(r.usage.cache_written) + "," +
         std::to_string(r.usage.thinking);
}

std::string all_of(Result<ChatReply> const& r) {
  if (r) return all_of(*r);
  auto const& e = r.error();
  return std::string(to_string(e.code)) + "|" + e.cause + "|" + e.remedy + "|" + e.file + "|" +
         std::to_string(e.line) + "|" + e.detail;
}

/// Answers call k with the k-th of a list of replies and errors that are hard to write down.
ScriptedBackend hard_answers() {
  std::vector<ScriptedBackend::Answer> answers;
  answers.emplace_back(full_reply());
  answers.emplace_back(
      tl::unexpected<Error>(provider_error("x", 429, std::chrono::milliseconds(1234), "slow \xff down")));
  ChatReply odd;
  odd.text = "nul \0 inside, \r\n, \xc3\x28, \xed\xa0\x80, \xf4\x90\x80\x80, end \xe2\x82"s;
  odd.finish = FinishReason::kLength;
  odd.cost_usd = 0.1 + 0.2;
  odd.usage = {1LL << 60, 1, 2, 3, 4};
  answers.emplace_back(odd);
  answers.emplace_back(fail_at(ErrorCode::kTimeout, "file.cu", 7, "line\tone"));
  ChatReply unknown;
  unknown.text = "{\"reply\":{}}";
  unknown.finish = FinishReason::kFiltered;
  answers.emplace_back(unknown);
  ChatReply tiny;
  tiny.cost_usd = 5e-324;
  answers.emplace_back(tiny);
  return ScriptedBackend(std::move(answers));
}

TEST(Recording, ReplaysRepliesAndErrorsByteForByte) {
  TemporaryFolder const folder;
  std::vector<std::string> recorded;
  {
    Recorded backend{hard_answers(), folder / "run"};
    for (int i = 0; i < 6; ++i)
      recorded.push_back(all_of(backend.complete(chat_request("q" + std::to_string(i / 3)))));
    EXPECT_EQ(backend.recording().size(), 6U);
  }
  for (std::string const& path : {folder / "run", folder / "run/calls.jsonl"}) {
    ReplayBackend replay{path};
    EXPECT_EQ(replay.model(), "scripted:list");
    for (int i = 0; i < 6; ++i)
      EXPECT_EQ(all_of(replay.complete(chat_request("q" + std::to_string(i / 3)))),
                recorded[static_cast<std::size_t>(i)])
          << i;
  }
}

TEST(Recording, EqualRunsGiveEqualFiles) {
  TemporaryFolder const folder;
  for (char const* run : {"a", "b"}) {
    Recorded backend{hard_answers(), folder / run};
    for (int i = 0; i < 6; ++i) (void)backend.complete(chat_request("q"));
  }
  auto const a = read_file(folder / "a/calls.jsonl");
  auto const b = read_file(folder / "b/calls.jsonl");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a, *b);
  EXPECT_EQ(std::count(a->begin(), a->end(), '\n'), 6);
}

TEST(Recording, ARetrySequenceReplays) {
  TemporaryFolder const folder;
  auto const retry = RetryOptions{.sleep = [](std::chrono::milliseconds) {}};
  {
    ScriptedBackend inner({tl::unexpected<Error>(provider_error("x", 500, std::nullopt, "oops")),
                           tl::unexpected<Error>(provider_error("x", 429, std::nullopt, "wait")),
                           full_reply()});
    auto const reply = Retrying{Recorded{inner, folder.path}, retry}.complete(chat_request("q"));
    ASSERT_TRUE(reply);
  }
  ReplayBackend replay{folder.path};
  auto const reply = Retrying{replay, retry}.complete(chat_request("q"));
  ASSERT_TRUE(reply) << to_line(reply.error());
  EXPECT_EQ(reply->text, full_reply().text);
  EXPECT_TRUE(reply->from_record);
  // All three calls were used up.
  EXPECT_THAT(to_line(replay.complete(chat_request("q")).error()),
              HasSubstr("recorded 3 times, this is time 4"));
}

TEST(Recording, TheAnswerIsOnDiskBeforeTheCallerHasIt) {
  TemporaryFolder const folder;
  Recorded backend{hard_answers(), folder.path};
  (void)backend.complete(chat_request("q"));
  auto const bytes = read_file(folder / "calls.jsonl");
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(bytes->ends_with("}\n"));
  // And when it cannot be written, the caller does not get it.
  int const code = in_child([] {
    TemporaryFolder const small;
    if (!mount_small(small.path, "size=4k")) return kCannotTestHere;
    ChatReply large;
    large.text = std::string(8000, 'x');
    ChatReply ok;
    ok.text = "ok";
    Recorded full{ScriptedBackend({ok, large, ok}), small.path};
    EXPECT_TRUE(full.complete(chat_request("a")));
    auto const reply = full.complete(chat_request("b"));
    EXPECT_FALSE(reply);
    if (!reply) {
      EXPECT_EQ(reply.error().code, ErrorCode::kIo);
    }
    // What did not fit left nothing behind.
    ReplayBackend replay{small.path};
    EXPECT_EQ(replay.recording().size(), 1U);
    EXPECT_TRUE(replay.complete(chat_request("a")));
    return 0;
  });
  EXPECT_TRUE(code == 0 || code == kCannotTestHere) << code;
}

TEST(Recording, AMissingRequestIsNamedWithTheNearestOne) {
  TemporaryFolder const folder;
  auto first = chat_request("What is a barrier in this program, and where does it stand?");
  first.messages.push_back({ChatMessage::Role::kAssistant, "There"});
  first.messages.push_back(
      {ChatMessage::Role::kUser, "Replace the second barrier by a signal, and keep the first one."});
  {
    ScriptedBackend inner(ScriptedBackend::Function([](ChatRequest const&) { return full_reply(); }));
    Recorded backend{inner, folder.path};
    ASSERT_TRUE(backend.complete(chat_request("something else entirely")));
    ASSERT_TRUE(backend.complete(first));
  }
  ReplayBackend replay{folder.path};
  auto const line = [&](ChatRequest const& request) {
    auto const reply = replay.complete(request);
    EXPECT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(reply.error().remedy.empty());
    EXPECT_EQ(reply.error().cause.find('\n'), std::string::npos);
    return reply.error().cause;
  };
  auto other = first;
  other.messages[2].text = "Replace the second signal by a barrier, and keep the first one.";
  EXPECT_THAT(line(other), HasSubstr("messages[2] differs at character 20"));
  EXPECT_THAT(line(other), HasSubstr("recorded \"barrier by a signal, and"));
  EXPECT_THAT(line(other), HasSubstr("asked \"signal by a barrier, and"));
  EXPECT_THAT(line(other), ::testing::ContainsRegex("request [0-9a-f]{32}"));
  other = first;
  other.temperature = 0.5;
  EXPECT_THAT(line(other), HasSubstr("temperature differs: recorded \"0\", asked \"0.5\""));
  other = first;
  other.max_tokens = 2000;
  EXPECT_THAT(line(other), HasSubstr("max_tokens differs"));
  other = first;
  other.system += " Be brief.";
  EXPECT_THAT(line(other), HasSubstr("system differs"));
  other = first;
  other.messages.pop_back();
  EXPECT_THAT(line(other), HasSubstr("3 messages were recorded, 2 are asked"));
  other = first;
  other.tools.push_back({"t", "d", "{}"});
  EXPECT_THAT(line(other), HasSubstr("tools"));
  EXPECT_THAT(to_line(ReplayBackend(folder.path, "a:other").complete(first).error()),
              HasSubstr("model differs"));
}

TEST(Recording, WhatOnlyChangesTheDeliveryIsNotPartOfTheRequest) {
  TemporaryFolder const folder;
  { ASSERT_TRUE((Recorded{hard_answers(), folder.path}.complete(chat_request("q")))); }
  auto request = chat_request("q");
  request.cache_prompt = false;
  request.on_text = [](std::string_view) {};
  EXPECT_TRUE(ReplayBackend(folder.path).complete(request));
}

TEST(Recording, NothingToReplayIsNotFound) {
  auto const reply = ReplayBackend("/nowhere/at/all").complete(chat_request("q"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Recording::open("", Recording::Use::kReplay).error().code, ErrorCode::kInvalidArgument);
  TemporaryFolder const folder;
  { Recorded{hard_answers(), folder.path}; }
  EXPECT_THAT(to_line(ReplayBackend(folder.path).complete(chat_request("q")).error()),
              HasSubstr("recording is empty"));
}

TEST(Recording, OneProcessWritesAtATime) {
  TemporaryFolder const folder;
  auto const first = Recording::open(folder.path, Recording::Use::kRecord);
  ASSERT_TRUE(first);
  // The lock belongs to the open file, so a second one in this process is refused just the same.
  auto const second = Recording::open(folder.path, Recording::Use::kRecord);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(Recording::open(folder.path, Recording::Use::kReplay));
}

TEST(Recording, DamageIsReportedAndHalfALastLineIsNot) {
  TemporaryFolder const folder;
  {
    Recorded backend{hard_answers(), folder.path};
    for (int i = 0; i < 3; ++i) (void)backend.complete(chat_request("q"));
  }
  auto const whole = read_file(folder / "calls.jsonl").value();
  auto const lines = std::count(whole.begin(), whole.end(), '\n');
  ASSERT_EQ(lines, 3);
  // Killed anywhere in the last line: the first two are there.
  auto const start = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t cut : {start + 1, start + 20, whole.size() - 2, whole.size() - 1}) {
    ASSERT_TRUE(write_file_atomic(folder / "calls.jsonl", whole.substr(0, cut)));
    EXPECT_EQ(Recording::open(folder.path, Recording::Use::kReplay)->size(), 2U);
    auto const writing = Recording::open(folder.path, Recording::Use::kRecord);
    ASSERT_TRUE(writing);
    EXPECT_EQ(read_file(folder / "calls.jsonl").value(), whole.substr(0, start)) << "cut off, ready to go on";
  }
  for (std::string const& bad :
       {std::string("rubbish\n"), std::string("{\"call\":\"x\"}\n"), std::string("\n")}) {
    ASSERT_TRUE(write_file_atomic(folder / "calls.jsonl", whole + bad));
    auto const opened = Recording::open(folder.path, Recording::Use::kReplay);
    ASSERT_FALSE(opened) << bad;
    EXPECT_EQ(opened.error().code, ErrorCode::kParse);
    EXPECT_EQ(opened.error().line, 4U);
  }
  // A line whose beginning is sound and whose rest is not is noticed when it is asked for.
  auto broken = whole;
  broken[whole.find("\"reply\"")] = '!';
  ASSERT_TRUE(write_file_atomic(folder / "calls.jsonl", broken));
  EXPECT_EQ(ReplayBackend(folder.path).complete(chat_request("q")).error().code, ErrorCode::kParse);
}

TEST(Recording, AnAnswerWithoutAKnownEndIsDamage) {
  for (auto const& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"finish\":\"length\"", "\"finish\":\"lenght\""},
                                                        {"\"finish\":\"length\",", ""},
                                                        {"\"finish\":\"length\"", "\"finish\":3"},
                                                        {"\"code\":\"timeout\"", "\"code\":\"tired\""}}) {
    TemporaryFolder const folder;
    ChatReply cut;
    cut.text = "half";
    cut.finish = FinishReason::kLength;
    {
      Recorded backend{ScriptedBackend({cut, fail(ErrorCode::kTimeout, "slow")}), folder.path};
      ASSERT_TRUE(backend.complete(chat_request("q")));
      ASSERT_FALSE(backend.complete(chat_request("q")));
    }
    auto bytes = read_file(folder / "calls.jsonl").value();
    auto const at = bytes.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_TRUE(write_file_atomic(folder / "calls.jsonl", bytes.replace(at, from.size(), to)));
    ReplayBackend replay{folder.path};
    std::vector<ErrorCode> codes;
    for (int i = 0; i < 2; ++i) {
      auto const reply = replay.complete(chat_request("q"));
      codes.push_back(reply ? ErrorCode::kInternal : reply.error().code);
      if (reply) {
        EXPECT_EQ(reply->finish, FinishReason::kLength);
      }
    }
    EXPECT_THAT(codes, ::testing::Contains(ErrorCode::kParse)) << to;
  }
}

TEST(Recording, KnowsWhoWasAsked) {
  TemporaryFolder const folder;
  RecordingSetup const setup{{{"p:b", 2.5}, {"p:a", 1}, {"p:b", 0.1}}, "ucb", Effort::kHigh};
  {
    auto recording = Recording::open(folder.path, Recording::Use::kRecord).value();
    EXPECT_FALSE(recording.setup());
    ASSERT_TRUE(recording.set_up(setup));
    ASSERT_TRUE((Recorded{hard_answers(), recording}.complete(chat_request("q"))));
  }
  std::vector<std::string> warnings;
  auto const old = set_log_sink([&](LogLevel, std::string_view text) { warnings.emplace_back(text); });
  auto const before = read_file(folder / "calls.jsonl").value();
  {
    // A resumed run says the same again, and nothing is written.
    auto recording = Recording::open(folder.path, Recording::Use::kRecord).value();
    EXPECT_EQ(recording.setup(), setup);
    ASSERT_TRUE(recording.set_up(setup));
    EXPECT_EQ(read_file(folder / "calls.jsonl").value(), before);
    EXPECT_THAT(warnings, ::testing::IsEmpty());
  }
  auto const replay = Recording::open(folder.path, Recording::Use::kReplay).value();
  EXPECT_EQ(replay.setup(), setup);
  EXPECT_EQ(replay.size(), 1U) << "it is no call";
  EXPECT_TRUE(ReplayBackend(replay).complete(chat_request("q")));
  {
    auto recording = Recording::open(folder.path, Recording::Use::kRecord).value();
    auto other = setup;
    other.policy = "uniform";
    ASSERT_TRUE(recording.set_up(other));
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_THAT(warnings[0], HasSubstr("may not replay"));
  }
  EXPECT_EQ(Recording::open(folder.path, Recording::Use::kReplay)->setup()->policy, "uniform");
  set_log_sink(old);
}

TEST(Recording, KnowsWhatAReplayLacked) {
  TemporaryFolder const folder;
  { ASSERT_TRUE((Recorded{hard_answers(), folder.path}.complete(chat_request("q")))); }
  auto const recording = Recording::open(folder.path, Recording::Use::kReplay).value();
  ReplayBackend replay{recording};
  ASSERT_TRUE(replay.complete(chat_request("q")));
  EXPECT_FALSE(recording.missed());
  auto const first = replay.complete(chat_request("never asked"));
  ASSERT_FALSE(first);
  ASSERT_FALSE(replay.complete(chat_request("nor this")));
  ASSERT_TRUE(recording.missed());
  EXPECT_EQ(to_line(*recording.missed()), to_line(first.error()));
}

TEST(Recording, UserLimitsAreNotAnswersOfTheModel) {
  TemporaryFolder const folder;
  ScriptedBackend inner(
      {fail(ErrorCode::kBudget, "spent"), fail(ErrorCode::kCancelled, "stop"), full_reply()});
  Recorded backend{inner, folder.path};
  EXPECT_EQ(backend.complete(chat_request("q")).error().code, ErrorCode::kBudget);
  EXPECT_EQ(backend.complete(chat_request("q")).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(backend.recording().size(), 0U);
}

TEST(Recording, SeveralModelsShareOneFile) {
  TemporaryFolder const folder;
  struct Named {
    ScriptedBackend inner;
    std::string name;
    Result<ChatReply> complete(ChatRequest const& request) { return inner.complete(request); }
    [[nodiscard]] std::string model() const { return name; }
  };
  auto const say = [](std::string text) { return ScriptedBackend(std::vector<std::string>{text}); };
  {
    auto const recording = Recording::open(folder.path, Recording::Use::kRecord).value();
    Recorded a{Named{say("from a"), "p:a"}, recording};
    Recorded b{Named{say("from b"), "p:b"}, recording};
    ASSERT_TRUE(a.complete(chat_request("q")));
    ASSERT_TRUE(b.complete(chat_request("q")));
    EXPECT_THAT(recording.models(), ElementsAre("p:a", "p:b"));
  }
  auto const recording = Recording::open(folder.path, Recording::Use::kReplay).value();
  EXPECT_EQ(ReplayBackend(recording, "p:b").complete(chat_request("q"))->text, "from b");
  EXPECT_EQ(ReplayBackend(recording, "p:a").complete(chat_request("q"))->text, "from a");
  auto const unnamed = ReplayBackend(recording).complete(chat_request("q"));
  ASSERT_FALSE(unnamed);
  EXPECT_EQ(unnamed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(unnamed.error().cause, HasSubstr("p:a, p:b"));
}

Event event(Event::Kind kind, int generation) {
  return Event{kind, generation, 100, nullptr, nullptr, {}};
}

/// A run that asks the same two questions in every generation, and gets other answers each time.
struct Asking {
  Recorded<ScriptedBackend> backend;
  Recording::Observer observer;
  std::vector<std::string> texts{};

  explicit Asking(std::string const& path, int from = 0)
      : backend{ScriptedBackend(ScriptedBackend::Function([from, n = 0](ChatRequest const&) mutable {
                  ChatReply reply;
                  reply.text = "answer " + std::to_string(from + n++);
                  return reply;
                })),
                path},
        observer(backend.recording().observer()) {}
  void ask() { texts.push_back(backend.complete(chat_request("the same")).value().text); }
};

TEST(RecordingOfARun, AKilledAndResumedRunReplaysLikeOneRun) {
  TemporaryFolder const folder;
  using Kind = Event::Kind;
  std::vector<std::string> history;
  {
    Asking run(folder.path);
    run.observer.on(event(Kind::kStarted, 0));
    run.observer.on(event(Kind::kProposed, 0));
    for (int g = 1; g < 4; ++g) {
      run.ask();
      run.ask();
      run.observer.on(event(Kind::kProposed, g));
      run.observer.on(event(Kind::kEvaluated, g));
    }
    history = run.texts;
    run.ask();  // for generation 4, whose proposal is never finished: the process is killed here
  }
  {
    Asking run(folder.path, 100);
    for (int g = 0; g < 4; ++g) run.observer.on(event(Kind::kRestored, g));
    run.observer.on(event(Kind::kStarted, 4));
    run.ask();
    run.ask();
    EXPECT_THAT(run.texts, ElementsAre("answer 6", "answer 100"))
        << "what was paid for is used, then the model is asked";
    run.observer.on(event(Kind::kProposed, 4));
    run.ask();
    history.insert(history.end(), run.texts.begin(), run.texts.end());
  }
  ReplayBackend replay{folder.path};
  auto observer = replay.recording().observer();
  std::vector<std::string> replayed;
  auto ask = [&] { replayed.push_back(replay.complete(chat_request("the same")).value().text); };
  observer.on(event(Kind::kStarted, 0));
  observer.on(event(Kind::kProposed, 0));
  for (int g = 1; g < 5; ++g) {
    ask();
    ask();
    observer.on(event(Kind::kProposed, g));
  }
  ask();
  EXPECT_EQ(replayed, history);
  // A replay that is itself resumed takes up where it was.
  ReplayBackend again{folder.path};
  auto second = again.recording().observer();
  second.on(event(Kind::kRestored, 2));
  second.on(event(Kind::kStarted, 3));
  EXPECT_EQ(again.complete(chat_request("the same"))->text, history[4]);
}

TEST(RecordingOfARun, ProposalsThatAreReadBackMoveTheScopeOn) {
  TemporaryFolder const folder;
  using Kind = Event::Kind;
  {
    Asking run(folder.path);
    run.observer.on(event(Kind::kStarted, 1));
    run.ask();
    run.observer.on(event(Kind::kProposed, 1));
    run.ask();
    run.observer.on(event(Kind::kProposed, 2));
    run.ask();
  }
  Asking run(folder.path, 100);
  run.observer.on(event(Kind::kStarted, 1));   // nothing is stored yet,
  run.observer.on(event(Kind::kProposed, 1));  // but two proposals are written down
  run.observer.on(event(Kind::kProposed, 2));
  run.observer.on(event(Kind::kSkipped, 1));  // late news of an earlier generation changes nothing
  run.ask();
  EXPECT_THAT(run.texts, ElementsAre("answer 2"));
}

TEST(RecordingOfARun, WithoutEventsAProcessStartsOver) {
  TemporaryFolder const folder;
  {
    Asking run(folder.path);
    run.ask();
    run.ask();
  }
  Asking run(folder.path, 100);
  for (int i = 0; i < 3; ++i) run.ask();
  EXPECT_THAT(run.texts, ElementsAre("answer 0", "answer 1", "answer 100"));
}

TEST(RecordingOfARun, ARecordedErrorIsAskedAgainAndReplaced) {
  TemporaryFolder const folder;
  auto const down = [] { return tl::unexpected<Error>(provider_error("x", 503, std::nullopt, "down")); };
  {
    Recorded backend{ScriptedBackend({down(), down()}), folder.path};
    EXPECT_FALSE(backend.complete(chat_request("q")));
    EXPECT_FALSE(backend.complete(chat_request("q")));
  }
  {
    Recorded backend{ScriptedBackend({full_reply()}), folder.path};
    EXPECT_TRUE(backend.complete(chat_request("q")));
  }
  ReplayBackend replay{folder.path};
  EXPECT_TRUE(replay.complete(chat_request("q")));
  EXPECT_FALSE(replay.complete(chat_request("q")));
}

TEST(RecordingOfARun, AReplayWithoutTheEventsSaysSo) {
  TemporaryFolder const folder;
  {
    Asking run(folder.path);
    run.observer.on(event(Event::Kind::kStarted, 1));
    run.ask();
  }
  auto const error = ReplayBackend(folder.path).complete(chat_request("the same")).error();
  EXPECT_THAT(error.cause, HasSubstr("another generation"));
  EXPECT_THAT(error.remedy, HasSubstr("observer"));
}

}  // namespace
}  // namespace cuco
