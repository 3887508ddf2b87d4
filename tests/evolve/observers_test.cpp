// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../contract/mutator_contract.hpp"
#include "../contract/observer_contract.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/event_text.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/evolve/json_lines_observer.hpp"
#include "cuco/evolve/log_observer.hpp"
#include "cuco/evolve/phased_mutator.hpp"
#include "cuco/evolve/progress_observer.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/store/memory_storage.hpp"
#include "fakes.hpp"

namespace cuco::testing {

/// A file to write to, and what was written.
struct Sink {
  Scratch scratch;
  std::string path = scratch / "out";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
  Sink() = default;
  Sink(Sink const&) = delete;
  Sink& operator=(Sink const&) = delete;
  ~Sink() { ::close(fd); }
  [[nodiscard]] std::string text() const { return read_file(path).value(); }
};

struct PlainProgress : Sink {
  using Model = ProgressObserver;
  Model make() { return ProgressObserver(fd, TerminalStyle{}); }
};
struct LiveProgress : Sink {
  using Model = ProgressObserver;
  Model make() { return ProgressObserver(fd, TerminalStyle{.live = true}); }
};
struct JsonLines : Sink {
  using Model = JsonLinesObserver;
  Model make() { return JsonLinesObserver::open(path).value(); }
};
struct Log : Sink {
  using Model = LogObserver;
  RunDirectory directory = RunDirectory::open(scratch / "run").value();
  Model make() { return LogObserver(directory); }
};
struct Recording {
  using Model = Recorder;
  Model make() { return {}; }
};
using Observers = ::testing::Types<PlainProgress, LiveProgress, JsonLines, Log, Recording>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, ObserverContract, Observers);

struct StepFixture {
  using Model = StepMutator;
  static Model make() { return {}; }
  static std::string parent() { return point(5, 5); }
  static std::string hopeless() { return {}; }
};
struct TinyFixture {
  using Model = StepMutator;
  static Model make() { return {.size = 1}; }
  static std::string parent() { return point(1, 0); }
  static std::string hopeless() { return point(0, 0); }
};
struct PhasedFixture {
  using Model = PhasedMutator<StepMutator, StepMutator>;
  static Model make() { return {StepMutator{.size = 100}, StepMutator{.size = 50}}; }
  static std::string parent() { return point(5, 5); }
  static std::string hopeless() { return {}; }
};
using Mutators = ::testing::Types<StepFixture, TinyFixture, PhasedFixture>;
INSTANTIATE_TYPED_TEST_SUITE_P(Fakes, MutatorContract, Mutators);

namespace {

template <class O>
Result<RunSummary> watched(O observer) {
  Evolution evolution{MemoryStorage{},
                      PowerLawSelector{},
                      StepMutator{},
                      PointEvaluator{},
                      {.generations = 12, .islands = 1, .seed = 3}};
  evolution.observe(std::move(observer));
  return evolution.run(point(5, 5));
}

std::size_t count_of(std::string const& text, std::string const& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

TEST(ProgressObserver, PlainLinesHaveNoEscapesAndOnePerResult) {
  Sink sink;
  ASSERT_TRUE(watched(ProgressObserver(sink.fd, TerminalStyle{})));
  auto const text = sink.text();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(count_of(text, "/12 generation ") + count_of(text, "/12 new run"), count_of(text, "\n") - 1)
      << "a line per result and one for the end: " << text;
  EXPECT_GE(count_of(text, "/12 generation "), 12U);
  EXPECT_NE(text.find("12/12"), std::string::npos) << text;
  EXPECT_NE(text.find("modelled"), std::string::npos);
  EXPECT_NE(text.find("new best"), std::string::npos);
  EXPECT_NE(text.find("stopped after generation 11"), std::string::npos);
}

TEST(ProgressObserver, LiveOneRedrawsOneLineAndCleansUp) {
  Sink sink;
  ASSERT_TRUE(watched(ProgressObserver(sink.fd, TerminalStyle{.live = true, .columns = 60})));
  auto const text = sink.text();
  EXPECT_NE(text.find("[####"), std::string::npos);
  EXPECT_NE(text.find("\r\x1b[K"), std::string::npos);
  EXPECT_EQ(text.substr(text.rfind('\r')).find("[#"), std::string::npos) << "the bar is gone at the end";
}

TEST(ProgressObserver, ClosedOutputDoesNotFailTheRun) {
  EXPECT_TRUE(watched(ProgressObserver(-1, TerminalStyle{})));
}

TEST(JsonLinesObserver, EveryLineIsAnEventAndEverythingIsThere) {
  Sink sink;
  ASSERT_TRUE(watched(JsonLinesObserver::open(sink.path).value()));
  std::vector<std::string> kinds;
  for (auto const& line : lines_of(sink.path)) {
    auto const json = nlohmann::json::parse(line);
    kinds.push_back(json.at("event"));
    if (kinds.back() != "evaluated") continue;
    EXPECT_EQ(json.at("generations"), 12);
    auto const& program = json.at("program");
    EXPECT_TRUE(program.at("combined_score").is_number());
    if (program.at("correct").get<bool>()) {
      EXPECT_EQ(program.at("origin"), "modelled");
      EXPECT_GT(program.at("time_ms").get<double>(), 0);
    } else {
      EXPECT_EQ(program.at("outcome"), "wrong_answer");
    }
  }
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "evaluated"), 12);
  EXPECT_EQ(kinds.front(), "started");
  EXPECT_EQ(kinds.back(), "stopped");
}

TEST(JsonLinesObserver, HardTextsStayOneValidLineEach) {
  Sink sink;
  auto observer = JsonLinesObserver::open(sink.path).value();
  std::size_t events = 0;
  for_every_event([&](Event const& event) {
    observer.on(event);
    ++events;
  });
  auto const lines = lines_of(sink.path);
  EXPECT_EQ(lines.size(), events);
  for (auto const& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST(JsonLinesObserver, UnwritablePathIsAnErrorWithThePath) {
  auto const opened = JsonLinesObserver::open("/nonexistent/folder/events.jsonl");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kIo);
  EXPECT_EQ(opened.error().file, "/nonexistent/folder/events.jsonl");
}

TEST(JsonLinesObserver, AFullDiskIsReportedOnce) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full here";
  int warnings = 0;
  auto old = set_log_sink([&](LogLevel, std::string_view) { ++warnings; });
  EXPECT_TRUE(watched(JsonLinesObserver::open("/dev/full").value()));
  set_log_sink(std::move(old));
  EXPECT_EQ(warnings, 1);
}

TEST(LogObserver, OneLinePerEventWithTheTime) {
  Scratch scratch;
  auto const directory = RunDirectory::open(scratch / "run").value();
  ASSERT_TRUE(watched(LogObserver(directory)));
  auto const lines = lines_of(directory.log_file());
  EXPECT_GT(lines.size(), 24U);
  for (auto const& line : lines) {
    ASSERT_GT(line.size(), 21U) << line;
    EXPECT_EQ(line[10], 'T') << line;
    EXPECT_EQ(line[19], 'Z') << line;
  }
}

TEST(EventText, IsOneLineWhateverTheProgramSays) {
  for_every_event([](Event const& event) {
    auto const text = describe(event);
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.find('\n'), std::string::npos);
  });
}

}  // namespace
}  // namespace cuco::testing
