// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/evolve/meta_summariser.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "contract/observer_contract.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"
#include "mutate/model_programs.hpp"

namespace cuco::testing {
namespace {

/// What a request is about.
char const* step_of(ChatRequest const& request) {
  auto const& text = request.messages.at(0).text;
  if (text.find("exactly these four lines") != std::string::npos) return "summary";
  if (text.find("Bring the record") != std::string::npos) return "insights";
  return "recommendations";
}

/// Answers each step with a numbered text, or as `fails` says.
struct Script {
  std::vector<std::string> steps{};
  int fail_at = -1;
  ErrorCode code = ErrorCode::kProcess;
  FinishReason finish = FinishReason::kEnd;
  std::string text{};

  static ScriptedBackend backend(std::shared_ptr<Script> const& script) {
    return ScriptedBackend([script](ChatRequest const& request) -> ScriptedBackend::Answer {
      auto const number = static_cast<int>(script->steps.size());
      script->steps.emplace_back(step_of(request));
      if (number == script->fail_at) {
        if (script->finish == FinishReason::kEnd && script->text.empty())
          return fail(script->code, "no reply today");
        return reply_of(script->text, 0.5, script->finish);
      }
      return reply_of(fmt::format("{} {}", script->steps.back(), number), 0.5);
    });
  }
};

struct MetaSummariserSteps : ::testing::Test {
  Scratch scratch{};
  std::string directory = make_folder(scratch / "run");
  std::shared_ptr<Script> script = std::make_shared<Script>();
  ScriptedBackend backend = Script::backend(script);
  MetaSummariserOptions options{.interval = 3, .directory = directory};

  static std::string make_folder(std::string path) {
    std::filesystem::create_directories(path);
    return path;
  }
  using Summariser = MetaSummariser<ScriptedBackend>;
  [[nodiscard]] Summariser make() const { return Summariser(backend, options); }
  static void show(Summariser& summariser, int first, int last, Event::Kind kind = Event::Kind::kEvaluated) {
    for (int i = first; i < last; ++i) {
      auto p =
          make_program(fmt::format("g{}", i), fmt::format("int program = {};\n", i), i % 4 != 1, 100 + i);
      p.generation = i;
      p.metadata.push_back({"patch_description", fmt::format("idea {}", i)});
      p.code_diff = i == 0 ? "" : fmt::format("-old\n+new {}\n", i);
      p.text_feedback = fmt::format("said {}", i);
      summariser.on(Event{kind, i, 100, &p, &p, ""});
    }
  }
  [[nodiscard]] nlohmann::json memory() const {
    std::ifstream in(directory + "/meta_memory.json");
    return nlohmann::json::parse(in);
  }
  [[nodiscard]] std::string file(std::string const& name) const {
    std::ifstream in(directory + "/" + name);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
};

TEST_F(MetaSummariserSteps, WaitsForTheIntervalThenTakesThreeSteps) {
  auto summariser = make();
  show(summariser, 0, 2);
  auto advice = summariser.advise(2);
  ASSERT_TRUE(advice);
  EXPECT_EQ(advice->recommendations, "");
  EXPECT_EQ(advice->cost_usd, 0);
  EXPECT_TRUE(script->steps.empty());

  show(summariser, 2, 3);
  advice = summariser.advise(3);
  ASSERT_TRUE(advice);
  EXPECT_EQ(script->steps,
            (std::vector<std::string>{"summary", "summary", "summary", "insights", "recommendations"}));
  EXPECT_EQ(advice->recommendations, "recommendations 4");
  EXPECT_EQ(advice->cost_usd, 2.5);
  // One call sees its program, the second step all summaries and the best program, the third the record.
  auto const requests = backend.requests();
  EXPECT_NE(requests[0].messages[0].text.find("int program = 0;"), std::string::npos)
      << "a seed is shown whole";
  auto const& second = requests[1].messages[0].text;
  for (char const* part : {"+new 1", "idea 1", "said 1", "failed: wrong_answer"})
    EXPECT_NE(second.find(part), std::string::npos) << part;
  auto const& insights = requests[3].messages[0].text;
  for (char const* part :
       {"summary 0", "summary 1", "summary 2", "(none yet)", "int program = 2;", "combined_score 102"})
    EXPECT_NE(insights.find(part), std::string::npos) << part;
  auto const& third = requests[4].messages[0].text;
  EXPECT_NE(third.find("insights 3"), std::string::npos);
  EXPECT_NE(third.find("write 5 recommendations"), std::string::npos);

  // Nothing new: the last ones, for nothing.
  show(summariser, 3, 5);
  advice = summariser.advise(5);
  EXPECT_EQ(advice->recommendations, "recommendations 4");
  EXPECT_EQ(advice->cost_usd, 0);
  EXPECT_EQ(script->steps.size(), 5U);
  // The next round builds on the record.
  show(summariser, 5, 6);
  ASSERT_TRUE(summariser.advise(6));
  auto const next = backend.requests();
  ASSERT_EQ(next.size(), 10U);
  EXPECT_NE(next[8].messages[0].text.find("insights 3"), std::string::npos);
  EXPECT_EQ(next[8].messages[0].text.find("summary 0"), std::string::npos)
      << "old summaries are not repeated";
  EXPECT_NE(next[9].messages[0].text.find("recommendations 4"), std::string::npos);
}

TEST_F(MetaSummariserSteps, CopiesDuplicatesAndOtherEventsDoNotCount) {
  auto summariser = make();
  auto p = make_program("x", "int x;\n");
  p.metadata.push_back({"_is_island_copy", "true"});
  auto q = make_program("y", "int y;\n");
  q.metadata.push_back({"duplicate_of", "x"});
  auto r = make_program("z", "int z;\n");
  for (int i = 0; i < 5; ++i) {
    summariser.on(Event{Event::Kind::kEvaluated, i, 9, &p, nullptr, ""});
    summariser.on(Event{Event::Kind::kEvaluated, i, 9, &q, nullptr, ""});
    summariser.on(Event{Event::Kind::kEvaluated, i, 9, &r, nullptr, ""});  // the same program each time
    summariser.on(Event{Event::Kind::kNewBest, i, 9, nullptr, &r, ""});
    summariser.on(Event{Event::Kind::kProposed, i, 9, &p, &r, ""});
  }
  ASSERT_TRUE(summariser.advise(5));
  EXPECT_TRUE(script->steps.empty());
}

TEST_F(MetaSummariserSteps, LeavesFilesThatPeopleAndTheNextRunCanRead) {
  auto summariser = make();
  show(summariser, 0, 3);
  ASSERT_TRUE(summariser.advise(3));
  auto const text = file("meta_3.txt");
  for (char const* part : {"# INDIVIDUAL PROGRAM SUMMARIES",
                           "summary 0",
                           "# GLOBAL INSIGHTS SCRATCHPAD",
                           "insights 3",
                           "# META RECOMMENDATIONS",
                           "recommendations 4"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  auto const json = memory();
  EXPECT_EQ(json["meta_scratch_pad"], "insights 3");
  EXPECT_EQ(json["meta_recommendations"], "recommendations 4");
  EXPECT_EQ(json["total_programs_meta_processed"], 3);
  EXPECT_TRUE(json["unprocessed_programs"].empty());
}

TEST_F(MetaSummariserSteps, ARestartSummarisesNothingTwice) {
  {
    auto summariser = make();
    show(summariser, 0, 3);
    ASSERT_TRUE(summariser.advise(3));
    show(summariser, 3, 5);
    ASSERT_TRUE(summariser.advise(5));
  }
  auto summariser = make();
  show(summariser, 0, 5, Event::Kind::kRestored);
  auto advice = summariser.advise(5);
  ASSERT_TRUE(advice);
  EXPECT_EQ(advice->recommendations, "recommendations 4");
  EXPECT_EQ(advice->cost_usd, 0);
  EXPECT_EQ(script->steps.size(), 5U);
  show(summariser, 5, 6);
  ASSERT_TRUE(summariser.advise(6));
  EXPECT_EQ(script->steps.size(), 10U);
  EXPECT_NE(backend.requests()[5].messages[0].text.find("idea 3"), std::string::npos);
  EXPECT_EQ(memory()["total_programs_meta_processed"], 6);
}

/// A process that died between advice and proposal asks again for the same generation.
TEST_F(MetaSummariserSteps, TheSameGenerationGetsTheSameAdviceAtTheSamePrice) {
  {
    auto summariser = make();
    show(summariser, 0, 3);
    EXPECT_EQ(summariser.advise(3)->cost_usd, 2.5);
  }
  auto summariser = make();
  show(summariser, 0, 3, Event::Kind::kRestored);
  EXPECT_EQ(summariser.advise(3)->cost_usd, 2.5);
  EXPECT_EQ(summariser.advise(4)->cost_usd, 0);
  EXPECT_EQ(script->steps.size(), 5U);
}

TEST_F(MetaSummariserSteps, AUselessReplyKeepsWhatThereIsAndIsAskedForAgain) {
  std::vector<std::string> told;
  auto const old = set_log_sink([&](LogLevel, std::string_view message) { told.emplace_back(message); });
  auto summariser = make();
  show(summariser, 0, 3);
  script->fail_at = 4;  // the recommendations
  script->finish = FinishReason::kFiltered;
  auto advice = summariser.advise(3);
  ASSERT_TRUE(advice) << to_line(advice.error());
  EXPECT_EQ(advice->recommendations, "");
  EXPECT_EQ(advice->cost_usd, 2.5) << "five calls were answered";
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("finish reason filtered"), std::string::npos) << told[0];
  // The summaries are paid for: also by another process, only the later steps are done again.
  auto again = make();
  show(again, 0, 3, Event::Kind::kRestored);
  show(again, 3, 4);
  advice = again.advise(4);
  ASSERT_TRUE(advice);
  EXPECT_EQ(std::vector<std::string>(script->steps.begin() + 5, script->steps.end()),
            (std::vector<std::string>{"summary", "insights", "recommendations"}));
  EXPECT_EQ(advice->recommendations, "recommendations 7");
  EXPECT_EQ(advice->cost_usd, 1.5);
  set_log_sink(old);
}

/// The run ends with such an error, and asks for the same generation when it goes on.
TEST_F(MetaSummariserSteps, ErrorsOfTheBackendArePassedOnAndOnlyTheRestIsAskedAgain) {
  struct Case {
    ErrorCode given, expected;
  };
  for (auto const c : {Case{ErrorCode::kRefused, ErrorCode::kRefused},
                       Case{ErrorCode::kTimeout, ErrorCode::kTimeout},
                       Case{ErrorCode::kBudget, ErrorCode::kBudget},
                       // That a recording has no answer is not about programs.
                       Case{ErrorCode::kNotFound, ErrorCode::kProcess}})
    for (int at = 0; at < 5; ++at) {
      *script = Script{};
      std::filesystem::remove(directory + "/meta_memory.json");
      script->fail_at = at;
      script->code = c.given;
      auto summariser = make();
      show(summariser, 0, 3);
      auto const failed = summariser.advise(3);
      ASSERT_FALSE(failed);
      EXPECT_EQ(failed.error().code, c.expected);
      EXPECT_EQ(failed.error().cause, "no reply today");
      script->fail_at = -1;
      for (bool const same_process : {true, false}) {
        auto again = make();
        if (!same_process) show(again, 0, 3, Event::Kind::kRestored);
        auto const advice = same_process ? summariser.advise(3) : again.advise(3);
        ASSERT_TRUE(advice);
        EXPECT_EQ(advice->recommendations, "recommendations 5");
        EXPECT_EQ(advice->cost_usd, 2.5) << "as if nothing had failed";
      }
      EXPECT_EQ(script->steps.size(), 6U) << "five calls and the one that failed";
    }
}

/// The file as it is while call `at` is under way is all that a killed process leaves.
TEST_F(MetaSummariserSteps, AKilledProcessRepeatsOnlyTheCallItWasIn) {
  for (int at = 0; at < 5; ++at) {
    *script = Script{};
    std::filesystem::remove(directory + "/meta_memory.json");
    std::string left;
    auto inner = Script::backend(script);
    ScriptedBackend backend_of_the_killed([&, inner](ChatRequest const& request) mutable {
      if (static_cast<int>(script->steps.size()) == at) left = file("meta_memory.json");
      return inner.complete(request);
    });
    auto killed = Summariser(backend_of_the_killed, options);
    show(killed, 0, 3);
    ASSERT_TRUE(killed.advise(3));
    std::filesystem::remove(directory + "/meta_memory.json");
    if (!left.empty()) std::ofstream(directory + "/meta_memory.json") << left;
    script->steps.clear();
    auto again = make();
    show(again, 0, 3, Event::Kind::kRestored);
    auto const advice = again.advise(3);
    ASSERT_TRUE(advice) << to_line(advice.error());
    EXPECT_EQ(script->steps.size(), static_cast<std::size_t>(5 - at));
    EXPECT_EQ(advice->cost_usd, 2.5);
  }
}

TEST_F(MetaSummariserSteps, TheEndOfARunIsSummarisedWhateverTheInterval) {
  options.interval = 10;
  auto summariser = make();
  auto nothing = summariser.conclude();
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->cost_usd, 0);
  show(summariser, 0, 4);
  ASSERT_TRUE(summariser.advise(4));
  EXPECT_TRUE(script->steps.empty());
  auto const last = summariser.conclude();
  ASSERT_TRUE(last) << to_line(last.error());
  EXPECT_EQ(last->cost_usd, 3.0);
  EXPECT_EQ(last->recommendations, "recommendations 5");
  EXPECT_EQ(
      script->steps,
      (std::vector<std::string>{"summary", "summary", "summary", "summary", "insights", "recommendations"}));
  auto const text = file("meta_4.txt");
  for (char const* part : {"summary 0", "summary 3", "insights 4", "recommendations 5"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  // Once, also for another process.
  EXPECT_EQ(summariser.conclude()->cost_usd, 0);
  auto again = make();
  show(again, 0, 4, Event::Kind::kRestored);
  EXPECT_EQ(again.conclude()->cost_usd, 0);
  EXPECT_EQ(script->steps.size(), 6U);
  // A run that goes on knows of it only that the programs have a summary.
  EXPECT_EQ(again.advise(4)->recommendations, "");
  EXPECT_EQ(again.advise(4)->cost_usd, 0);
  show(again, 4, 10);
  auto const next = again.advise(10);
  ASSERT_TRUE(next);
  EXPECT_EQ(script->steps.size(), 6U + 6U + 2U) << "four of the ten summaries are there";
  EXPECT_EQ(next->cost_usd, 6.0) << "twelve calls are behind this advice, as without the end in between";
  EXPECT_NE(backend.requests().back().messages[0].text.find("(none yet)"), std::string::npos)
      << "the conclusion's recommendations are not the run's";
}

TEST_F(MetaSummariserSteps, AConclusionThatFailsIsToldWithWhatItCost) {
  auto const old = set_log_sink([](LogLevel, std::string_view) {});
  auto summariser = make();
  show(summariser, 0, 2);
  script->fail_at = 2;
  script->code = ErrorCode::kRefused;
  auto const failed = summariser.conclude();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kRefused);
  EXPECT_EQ(impl::spent_of(failed.error()).usd, 1.0);
  script->fail_at = -1;
  auto const done = summariser.conclude();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->cost_usd, 2.0) << "with the summaries, whose cost no stored generation carries";
  EXPECT_EQ(std::count(script->steps.begin(), script->steps.end(), "summary"), 2);
  set_log_sink(old);
}

TEST_F(MetaSummariserSteps, TruncatedFilteredAndEmptyRepliesAreNotTaken) {
  auto const old = set_log_sink([](LogLevel, std::string_view) {});
  int generation = 3;
  for (auto const& [finish, text] : {std::pair{FinishReason::kLength, "half a summ"},
                                     {FinishReason::kFiltered, "withheld"},
                                     {FinishReason::kEnd, " \n "}}) {
    *script = Script{};
    script->fail_at = 1;
    script->finish = finish;
    script->text = text;
    auto summariser = MetaSummariser(backend, {.interval = 3});
    show(summariser, 0, 3);
    auto const advice = summariser.advise(generation++);
    ASSERT_TRUE(advice);
    EXPECT_EQ(script->steps.size(), 2U) << "the step stops there";
    EXPECT_EQ(advice->recommendations, "");
    EXPECT_EQ(advice->cost_usd, 1.0) << "it is charged all the same";
  }
  set_log_sink(old);
}

TEST_F(MetaSummariserSteps, TheBudgetIsPassedOnAndNothingPaidIsLost) {
  auto summariser = make();
  show(summariser, 0, 3);
  script->fail_at = 2;
  script->code = ErrorCode::kBudget;
  auto const advice = summariser.advise(3);
  ASSERT_FALSE(advice);
  EXPECT_EQ(advice.error().code, ErrorCode::kBudget);
  auto again = make();
  show(again, 0, 3, Event::Kind::kRestored);
  auto const later = again.advise(3);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->cost_usd, 2.5) << "two summaries before, three calls now";
  EXPECT_EQ(std::count(script->steps.begin(), script->steps.end(), "summary"), 4);
}

TEST_F(MetaSummariserSteps, AnUnknownPriceStaysUnknown) {
  ScriptedBackend unknown(
      [](ChatRequest const&) -> ScriptedBackend::Answer { return reply_of("text", std::nullopt); });
  auto summariser = MetaSummariser(unknown, options);
  show(summariser, 0, 3);
  EXPECT_EQ(summariser.advise(3)->cost_usd, std::nullopt);
  auto again = MetaSummariser(unknown, options);
  show(again, 0, 3, Event::Kind::kRestored);
  EXPECT_EQ(again.advise(3)->cost_usd, std::nullopt);
  EXPECT_EQ(again.advise(4)->cost_usd, 0);
}

TEST_F(MetaSummariserSteps, RecordAndMemoryDoNotGrowWithTheRun) {
  ScriptedBackend wordy([](ChatRequest const&) -> ScriptedBackend::Answer {
    std::string text;
    for (int i = 0; i < 3000; ++i) text += fmt::format("line {}\n", i);
    return reply_of(text, 0);
  });
  options.interval = 10;
  auto summariser = MetaSummariser(wordy, options);
  std::size_t largest_request = 0;
  std::size_t size_early = 0;
  for (int round = 1; round <= 30; ++round) {
    show(summariser, 10 * (round - 1), 10 * round);
    ASSERT_TRUE(summariser.advise(10 * round));
    if (round == 12) {
      size_early = std::filesystem::file_size(directory + "/meta_memory.json");
      for (auto const& request : wordy.requests())
        largest_request = std::max(largest_request, all_text(request).size());
    }
  }
  EXPECT_LT(std::filesystem::file_size(directory + "/meta_memory.json"), size_early + 18 * 10 * 20);
  for (auto const& request : wordy.requests()) EXPECT_LE(all_text(request).size(), largest_request + 100);
  EXPECT_LT(largest_request, 60000U);
}

TEST_F(MetaSummariserSteps, ALongHistoryIsNotSummarisedAtOnce) {
  options.most_at_once = 4;
  auto summariser = make();
  show(summariser, 0, 50, Event::Kind::kRestored);
  ASSERT_TRUE(summariser.advise(50));
  EXPECT_EQ(std::count(script->steps.begin(), script->steps.end(), "summary"), 4);
  EXPECT_NE(backend.requests()[0].messages[0].text.find("idea 46"), std::string::npos) << "the newest count";
  EXPECT_EQ(memory()["total_programs_meta_processed"], 50);
  ASSERT_TRUE(summariser.advise(51));
  EXPECT_EQ(script->steps.size(), 6U);
}

TEST_F(MetaSummariserSteps, ADamagedMemoryIsToldAndCostsNothing) {
  std::ofstream(directory + "/meta_memory.json") << "{ \"meta_scratch_pad\": 3";
  auto summariser = make();
  show(summariser, 0, 3);
  auto const advice = summariser.advise(3);
  ASSERT_FALSE(advice);
  EXPECT_EQ(advice.error().code, ErrorCode::kParse);
  EXPECT_EQ(advice.error().file, directory + "/meta_memory.json");
  EXPECT_TRUE(script->steps.empty());
}

struct ObserverFixture {
  using Model = MetaSummariser<ScriptedBackend>;
  Model make() {
    return Model(
        ScriptedBackend([](ChatRequest const&) -> ScriptedBackend::Answer { return reply_of("text"); }));
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(MetaSummariser, ObserverContract, ObserverFixture);

/// A whole run, at once and in two parts: the same rows, the same calls.
TEST(MetaSummariserInARun, AResumedRunIsTheSame) {
  Scratch const scratch;
  auto run = [](std::string const& directory, int generations, std::shared_ptr<Script> const& script) {
    EvolutionOptions options{.generations = generations, .islands = 1, .seed = 5};
    options.directory = directory;
    options.explore_fraction = 0;
    Evolution evolution{SqliteStorage::open(directory).value(),
                        UniformSelector{},
                        StepMutator{.size = 12},
                        PointEvaluator{},
                        options};
    evolution.advise(MetaSummariser(Script::backend(script), {.interval = 5, .directory = directory}));
    auto const summary = evolution.run(point(5, 5));
    EXPECT_TRUE(summary) << to_line(summary.error());
    return table(evolution.storage());
  };
  auto const once = std::make_shared<Script>();
  auto const whole = run(scratch / "a", 30, once);
  auto const twice = std::make_shared<Script>();
  (void)run(scratch / "b", 13, twice);
  auto const resumed = run(scratch / "b", 30, twice);
  // The end at 13 has its own last two steps; the summaries before them are not made again.
  auto count = [](Script const& script, char const* step) {
    return std::count(script.steps.begin(), script.steps.end(), step);
  };
  EXPECT_EQ(count(*twice, "summary"), count(*once, "summary"));
  EXPECT_EQ(count(*once, "summary"), 30) << "all programs, those since the last interval too";
  EXPECT_EQ(count(*twice, "insights"), count(*once, "insights") + 1);
  EXPECT_EQ(count(*twice, "recommendations"), count(*once, "recommendations") + 1);
  EXPECT_NE(whole.find("\"meta_cost\":\"3.5\""), std::string::npos);
  EXPECT_EQ(resumed, whole);
}

}  // namespace
}  // namespace cuco::testing
