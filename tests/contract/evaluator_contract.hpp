// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

/// @file
/// What every `Evaluator` promises. Instantiate with a default-constructible type that has
///     `evaluator()`  the model,
///     `good()`       text of a candidate that it finds correct,
///     `bad()`        texts of candidates that fail, each in another way.

namespace cuco::testing {

template <class Subject>
class EvaluatorContract : public ::testing::Test {
 protected:
  EvaluatorContract() {
    std::string name = (std::filesystem::temp_directory_path() / "cuco-contract-XXXXXX").string();
    root_ = ::mkdtemp(name.data()) != nullptr ? name : std::string{};
  }
  ~EvaluatorContract() override { std::filesystem::remove_all(root_); }

  Candidate candidate(std::string code) {
    Candidate c;
    c.id = ProgramId{"p" + std::to_string(serial_)};
    c.code = std::move(code);
    c.directory = root_ + "/gen_" + std::to_string(serial_++);
    std::filesystem::create_directories(c.directory);
    return c;
  }

  Subject subject_;
  std::string root_;
  int serial_ = 0;
};
TYPED_TEST_SUITE_P(EvaluatorContract);

TYPED_TEST_P(EvaluatorContract, IsAnEvaluator) {
  auto evaluator = this->subject_.evaluator();
  static_assert(explain_evaluator<decltype(evaluator)>());
  auto moved = std::move(evaluator);
  EXPECT_TRUE(moved.evaluate(this->candidate(this->subject_.good())));
}

TYPED_TEST_P(EvaluatorContract, CorrectCandidateHasAScoreAndNoError) {
  auto const evaluation = this->subject_.evaluator().evaluate(this->candidate(this->subject_.good()));
  ASSERT_TRUE(evaluation) << to_line(evaluation.error());
  EXPECT_EQ(evaluation->outcome, Outcome::kCorrect) << evaluation->error;
  EXPECT_GT(evaluation->combined_score, 0);
  EXPECT_TRUE(std::isfinite(evaluation->combined_score));
  EXPECT_EQ(evaluation->error, "");
  for (double ms : evaluation->rank_ms) EXPECT_LE(ms, evaluation->slowest_ms);
}

TYPED_TEST_P(EvaluatorContract, FailingCandidateIsAValueWithAReason) {
  for (auto const& code : this->subject_.bad()) {
    auto const evaluation = this->subject_.evaluator().evaluate(this->candidate(code));
    ASSERT_TRUE(evaluation) << to_line(evaluation.error());
    EXPECT_NE(evaluation->outcome, Outcome::kCorrect);
    EXPECT_EQ(evaluation->combined_score, 0);
    EXPECT_EQ(evaluation->slowest_ms, 0);
    EXPECT_NE(evaluation->error, "");
    EXPECT_EQ(evaluation->error.find('\n'), std::string::npos) << evaluation->error;
  }
}

TYPED_TEST_P(EvaluatorContract, SameCandidateSameEvaluation) {
  auto const evaluator = this->subject_.evaluator();
  auto codes = this->subject_.bad();
  codes.push_back(this->subject_.good());
  for (auto const& code : codes) {
    auto const a = evaluator.evaluate(this->candidate(code));
    auto const b = evaluator.evaluate(this->candidate(code));
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->outcome, b->outcome);
    EXPECT_EQ(a->combined_score, b->combined_score);
    EXPECT_EQ(a->public_metrics, b->public_metrics);
    EXPECT_EQ(a->text_feedback, b->text_feedback);
    EXPECT_EQ(a->error, b->error);
  }
}

TYPED_TEST_P(EvaluatorContract, SeveralCallersAtOnce) {
  auto const evaluator = this->subject_.evaluator();
  std::vector<Candidate> candidates;
  for (int i = 0; i < 3; ++i) {
    candidates.push_back(this->candidate(this->subject_.good()));
    candidates.push_back(this->candidate(this->subject_.bad().front()));
  }
  std::vector<int> correct(candidates.size(), -1);
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    callers.emplace_back([&, i] {
      auto const evaluation = evaluator.evaluate(candidates[i]);
      correct[i] = evaluation ? static_cast<int>(evaluation->correct()) : -2;
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(correct, (std::vector<int>{1, 0, 1, 0, 1, 0}));
}

TYPED_TEST_P(EvaluatorContract, DirectoryThatCannotBeUsedIsAnError) {
  auto c = this->candidate(this->subject_.good());
  std::ofstream(c.directory + "/file") << "x";
  c.directory += "/file/below";
  auto const evaluation = this->subject_.evaluator().evaluate(c);
  ASSERT_FALSE(evaluation);
  EXPECT_EQ(evaluation.error().code, ErrorCode::kIo);
}

REGISTER_TYPED_TEST_SUITE_P(EvaluatorContract,
                            IsAnEvaluator,
                            CorrectCandidateHasAScoreAndNoError,
                            FailingCandidateIsAValueWithAReason,
                            SameCandidateSameEvaluation,
                            SeveralCallersAtOnce,
                            DirectoryThatCannotBeUsedIsAnError);

}  // namespace cuco::testing
