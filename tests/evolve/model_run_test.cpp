// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// A search whose proposals come from a model: all kinds of mutators, the summary, kill and resume.

#include <map>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cuco/core/hash.hpp"
#include "cuco/core/log.hpp"
#include "cuco/edit/frozen_check.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/evolve/meta_summariser.hpp"
#include "cuco/mutate/cross_mutator.hpp"
#include "cuco/mutate/diff_mutator.hpp"
#include "cuco/mutate/fix_mutator.hpp"
#include "cuco/mutate/full_mutator.hpp"
#include "cuco/mutate/mixture.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/store/sqlite_storage.hpp"
#include "fakes.hpp"
#include "mutate/model_programs.hpp"

namespace cuco::testing {
namespace {

int ctas_of(std::string const& code) {
  auto const at = code.rfind("constexpr int kCtas = ");
  return at == std::string::npos ? -1 : std::stoi(code.substr(at + 22));
}

/// Good near 77, wrong for every fifth.
struct CtasEvaluator {
  Result<Evaluation> evaluate(Candidate const& candidate) const {
    Evaluation e;
    int const ctas = ctas_of(candidate.code);
    if (ctas < 1 || ctas % 5 == 0) {
      e.outcome = Outcome::kWrongAnswer;
      e.error = "element 0 differs";
      e.text_feedback = fmt::format("{} CTAs are wrong", ctas);
      return e;
    }
    e.outcome = Outcome::kCorrect;
    e.slowest_ms = 0.1 + std::abs(ctas - 77);
    e.combined_score = combined_score(e.slowest_ms);
    e.text_feedback = fmt::format("{} CTAs took {:.3f} ms", ctas, e.slowest_ms);
    e.origin = Origin::kModelled;
    return e;
  }
};

/// Decides by what it is asked alone; now and then its reply is of no use.
ScriptedBackend thinker(std::shared_ptr<std::map<std::string, int>> const& kinds) {
  return ScriptedBackend([kinds](ChatRequest const& request) -> ScriptedBackend::Answer {
    auto const text = all_text(request) + fmt::format("{}", request.temperature.value_or(-1));
    auto const number = hash64(text);
    if (request.system.find("You keep the record") == 0) {
      ++(*kinds)["summary"];
      return reply_of(fmt::format("words {}", number % 1000), 0.001);
    }
    auto const& user = request.messages.front().text;
    if (user.find("What this search has taught") != std::string::npos) ++(*kinds)["advised"];
    if (user.find("Changes of this program that failed") != std::string::npos) ++(*kinds)["told failures"];
    if (request.messages.size() > 1) ++(*kinds)["told its fault"];
    if (number % 7 == 0) return reply_of("Let me think about it.", 0.002);
    auto const now = ctas_of(user.substr(user.find("# The program to change\n")));
    int const next = 1 + static_cast<int>(number / 7 % 150);
    if (user.find("SEARCH/REPLACE") == std::string::npos) return reply_of(code_reply(next), 0.004);
    auto reply = diff_reply(next);
    auto const old = reply.find("kCtas = 16;");
    reply.replace(old, 11, fmt::format("kCtas = {};", now));
    return reply_of(reply, 0.004);
  });
}

struct Run {
  std::string rows;
  RunSummary summary;
  std::map<std::string, int> kinds;
};

Run run(std::string const& directory, int generations) {
  auto const kinds = std::make_shared<std::map<std::string, int>>();
  auto const backend = thinker(kinds);
  EvolutionOptions options{.generations = generations, .islands = 2, .seed = 11};
  options.directory = directory;
  options.explore_fraction = 0;
  options.task = "be quick";
  Mixture mixture{weighted(.4, DiffMutator{backend}),
                  weighted(.3, FullMutator{backend}),
                  weighted(.2, CrossMutator{backend}),
                  weighted(.1, FixMutator{backend})};
  Evolution evolution{SqliteStorage::open(directory).value(),
                      PowerLawSelector{},
                      std::move(mixture),
                      CtasEvaluator{},
                      options};
  evolution.advise(MetaSummariser(backend, {.interval = 6, .directory = directory}));
  auto summary = evolution.run(lsa_program());
  EXPECT_TRUE(summary) << to_line(summary.error());
  return {table(evolution.storage()), summary.value_or(RunSummary{}), *kinds};
}

TEST(ModelRun, FindsBetterProgramsAndKeepsFrozenText) {
  Scratch const scratch;
  auto const whole = run(scratch / "run", 40);
  EXPECT_EQ(whole.summary.generations_done, 40);
  EXPECT_GT(whole.summary.best.combined_score, whole.summary.seed.combined_score);
  auto storage = SqliteStorage::open(scratch / "run").value();
  std::map<std::string, int> types;
  for (auto const& program : rows(storage)) {
    EXPECT_TRUE(check_frozen(lsa_program(), program.code)) << program.id.value;
    if (program.parent_id.empty()) continue;
    ++types[attribute_or(program.metadata, "patch_type")];
    EXPECT_EQ(attribute_or(program.metadata, "model_name"), "scripted:one");
    EXPECT_GT(std::stod(attribute_or(program.metadata, "api_costs")), 0);
  }
  EXPECT_GT(types["diff"], 3);
  EXPECT_GT(types["full"], 3);
  EXPECT_GT(types["cross"], 3);
  EXPECT_GE(types["fix"], 1) << "failing children of correct programs are repaired";
  for (char const* kind : {"summary", "advised", "told failures", "told its fault"})
    EXPECT_GT(whole.kinds.at(kind), 0) << kind;
}

TEST(ModelRun, InTwoPartsItIsTheSame) {
  Scratch const scratch;
  auto const whole = run(scratch / "a", 30);
  (void)run(scratch / "b", 13);
  auto const resumed = run(scratch / "b", 30);
  EXPECT_EQ(first_difference(resumed.rows, whole.rows), "");
}

}  // namespace
}  // namespace cuco::testing
