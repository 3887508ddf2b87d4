// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/store/impl/column_json.hpp"
#include "cuco/store/program_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../contract/storage_contract.hpp"
#include "cuco/store/evaluation_json.hpp"

namespace cuco {
namespace {

TEST(ProgramJson, RoundTrips) {
  Program p = contract_full_program();
  p.code = "valid UTF-8 \xc3\xa9 with \"quotes\" and \n lines";  // JSON cannot hold other bytes
  auto const back = program_from_json(to_json(p));
  ASSERT_TRUE(back) << to_line(back.error());
  expect_same(*back, p);
  EXPECT_EQ(to_json(*back), to_json(p));
}

TEST(ProgramJson, IsOneLineOfValidJsonWhateverTheBytes) {
  Program p = contract_full_program();
  p.combined_score = std::numeric_limits<double>::infinity();
  p.public_metrics = {{"bad", std::numeric_limits<double>::quiet_NaN()}};
  auto const text = to_json(p);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  auto const json = nlohmann::json::parse(text, nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_TRUE(json["combined_score"].is_null());
  EXPECT_TRUE(json["public_metrics"]["bad"].is_null());
  EXPECT_EQ(program_from_json(text)->combined_score, 0);
}

TEST(ProgramJson, RefusesWhatIsNoProgram) {
  for (char const* text :
       {"", "[]", "null", "{}", "{\"id\": 3}", "{\"id\": \"\"}", "{\"id\": \"a\"", "\xff"}) {
    auto const p = program_from_json(text);
    ASSERT_FALSE(p) << text;
    EXPECT_EQ(p.error().code, ErrorCode::kParse);
  }
}

TEST(ProgramJson, ToleratesWrongTypes) {
  auto const p = program_from_json(
      R"({"id": "a", "generation": 1e300, "code": 7, "embedding": [1, "x", 1e300], "metadata": [1], "correct": 1,
          "migration_history": [3, {"generation": "x", "to": 2}], "public_metrics": {"a": "b", "c": 4}})");
  ASSERT_TRUE(p);
  EXPECT_EQ(p->generation, 0);
  EXPECT_EQ(p->code, "");
  EXPECT_EQ(p->embedding, (std::vector<float>{1, 0, 0}));
  EXPECT_TRUE(p->correct);
  EXPECT_EQ(p->migration_history, (std::vector<Migration>{{0, 0, 2}}));
  EXPECT_EQ(p->public_metrics, (Metrics{{"c", 4}}));
}

Evaluation full_evaluation() {
  Evaluation e;
  e.outcome = Outcome::kCorrect;
  e.combined_score = 10000.0 / 3;
  e.slowest_ms = 0.1 + 0.2;
  e.rank_ms = {0.1, 0.30000000000000004};
  e.origin = Origin::kModelled;
  e.trust = Trust::kEmulated;
  e.public_metrics = {{"z", 1.0 / 7}, {"a", 2}};
  e.private_metrics = {{"p", -1}};
  e.text_feedback = "line 1\nline 2";
  e.error = "";
  e.notes = {{"lint", "passed"}, {"compile", "skipped: no nvcc"}};
  return e;
}

TEST(EvaluationJson, RoundTripsExactly) {
  for (auto outcome : {Outcome::kCorrect,
                       Outcome::kLintFailed,
                       Outcome::kCompileFailed,
                       Outcome::kRunFailed,
                       Outcome::kDeadlocked,
                       Outcome::kTimedOut,
                       Outcome::kWrongAnswer}) {
    Evaluation e = full_evaluation();
    e.outcome = outcome;
    e.error = e.correct() ? "" : "one line";
    auto const back = evaluation_from_json(to_json(e));
    ASSERT_TRUE(back) << to_line(back.error());
    EXPECT_EQ(back->outcome, e.outcome);
    EXPECT_EQ(back->combined_score, e.combined_score);
    EXPECT_EQ(back->slowest_ms, e.slowest_ms);
    EXPECT_EQ(back->rank_ms, e.rank_ms);
    EXPECT_EQ(back->origin, e.origin);
    EXPECT_EQ(back->trust, e.trust);
    EXPECT_EQ(back->public_metrics, e.public_metrics);
    EXPECT_EQ(back->private_metrics, e.private_metrics);
    EXPECT_EQ(back->text_feedback, e.text_feedback);
    EXPECT_EQ(back->error, e.error);
    EXPECT_EQ(back->notes, e.notes);
  }
}

TEST(EvaluationJson, RefusesADamagedFile) {
  std::string const good = to_json(full_evaluation());
  // Every prefix: what a crash could leave if writes were not atomic. The last byte is the line break.
  for (std::size_t size = 0; size + 1 < good.size(); ++size)
    EXPECT_EQ(evaluation_from_json(good.substr(0, size)).error().code, ErrorCode::kParse) << size;
  EXPECT_FALSE(evaluation_from_json(R"({"outcome": "excellent", "origin": "none", "trust": "harness"})"));
  EXPECT_FALSE(evaluation_from_json(R"({"outcome": "correct", "origin": "guessed", "trust": "harness"})"));
  EXPECT_FALSE(evaluation_from_json(R"({"outcome": "correct", "origin": "none"})"));
  EXPECT_TRUE(evaluation_from_json(R"({"outcome": "correct", "origin": "none", "trust": "harness"})"));
}

TEST(EvaluationJson, WritesTheFilesThatOtherToolsRead) {
  Evaluation e = full_evaluation();
  e.public_metrics.push_back({"bad", std::numeric_limits<double>::quiet_NaN()});
  e.text_feedback = "not UTF-8: \xff";
  auto const metrics = nlohmann::json::parse(metrics_json(e));
  EXPECT_EQ(metrics["combined_score"], e.combined_score);
  EXPECT_EQ(metrics["public"]["a"], 2);
  EXPECT_TRUE(metrics["public"]["bad"].is_null());
  EXPECT_EQ(metrics["private"]["p"], -1);
  EXPECT_EQ(metrics["text_feedback"].get<std::string>().substr(0, 11), "not UTF-8: ");
  EXPECT_EQ(nlohmann::json::parse(correct_json(e)),
            nlohmann::json::parse(R"({"correct": true, "error": null})"));
  e.outcome = Outcome::kTimedOut;
  e.error = "too slow";
  EXPECT_EQ(nlohmann::json::parse(correct_json(e)),
            nlohmann::json::parse(R"({"correct": false, "error": "too slow"})"));
}

}  // namespace
TEST(EmbeddingText, IsReadBackExactly) {
  std::vector<float> const values = {
      0.0F, -0.0F, 1.0F, 0.1F, -1.0F / 3, 1e-38F, 3.4e37F, 16777217.0F, 1e-45F};
  EXPECT_EQ(cuco::impl::embedding_from_text(cuco::impl::embedding_to_text(values)), values);
  EXPECT_EQ(cuco::impl::embedding_to_text({}), "[]");
  EXPECT_TRUE(cuco::impl::embedding_from_text("[]").empty());
}

TEST(EmbeddingText, ReadsWhatTheParserReads) {
  for (std::string const text : {"[1,2.5,-3e-2]",
                                 "[1, 2.5, -3e-2]",
                                 "[ 1 , 2 ]",
                                 "[1,2",
                                 "[1,,2]",
                                 "[1,2]]",
                                 "[1e400,-1e400,1]",
                                 "[null,1]",
                                 "[1,\"a\",2]",
                                 "[[1],2]",
                                 "{\"a\": 1}",
                                 "null",
                                 "",
                                 "[",
                                 "[]x",
                                 "[+1]",
                                 "[0x10]",
                                 "[1]\n"}) {
    auto const parsed = cuco::impl::embedding_from_json(cuco::impl::parse_or_null(text));
    EXPECT_EQ(cuco::impl::embedding_from_text(text), parsed) << text;
  }
}

}  // namespace cuco
