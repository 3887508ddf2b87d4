// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/cascade.hpp"
#include "cuco/evaluate/evaluation_files.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/evaluate/statistics.hpp"

namespace cuco::impl::evaluating {

CUCO_EVOLVE_INLINE Result<Evidence> begin_evaluation(Candidate const& candidate) {
  std::string const results = candidate.directory + "/results";
  if (auto made = make_directories(results); !made) return forward_error(std::move(made));
  for (char const* name : {"/build.log", "/run.log", "/metrics.json", "/correct.json"})
    ::unlink((results + name).c_str());
  Evidence evidence;
  evidence.source_path = candidate.directory + "/main.cu";
  auto const present = read_file(evidence.source_path);
  if (!present || *present != candidate.code)
    if (auto written = write_file_atomic(evidence.source_path, candidate.code); !written)
      return forward_error(std::move(written));
  return evidence;
}

CUCO_EVOLVE_INLINE bool note_rung(std::string_view rung, Verdict const& verdict, Evidence& evidence) {
  std::string key(rung);
  for (int n = 2; std::any_of(
           evidence.notes.begin(), evidence.notes.end(), [&](auto const& a) { return a.name == key; });
       ++n)
    key = std::string(rung) + "#" + std::to_string(n);
  std::string text = !verdict.passed() ? "failed" : verdict.skipped ? "skipped" : "passed";
  if (!verdict.message.empty()) text += ": " + verdict.message;
  evidence.notes.push_back({std::move(key), std::move(text)});
  if (!verdict.feedback.empty())
    evidence.feedback += verdict.feedback + (verdict.feedback.back() == '\n' ? "" : "\n");
  return verdict.passed();
}

CUCO_EVOLVE_INLINE std::string milliseconds_text(double ms) {
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%.6g ms", ms);
  return buffer;
}

/// What a mutator should know about a program that works.
CUCO_EVOLVE_INLINE std::string success_feedback(Evaluation const& evaluation) {
  auto const slowest = std::max_element(evaluation.rank_ms.begin(), evaluation.rank_ms.end());
  std::string out = std::string("Verified. The ") + to_string(evaluation.origin) +
                    " time of the slowest rank (rank " +
                    std::to_string(slowest - evaluation.rank_ms.begin()) + ") is " +
                    milliseconds_text(evaluation.slowest_ms) + "; score " +
                    std::to_string(evaluation.combined_score) + ".\nTime per rank:";
  for (double ms : evaluation.rank_ms) out += " " + milliseconds_text(ms) + ",";
  out.back() = '.';
  return out + "\n";
}

CUCO_EVOLVE_INLINE Result<Evaluation> finish_evaluation(Candidate const& candidate,
                                                        Evidence evidence,
                                                        Verdict const& verdict,
                                                        std::string_view rung) {
  Evaluation evaluation;
  evaluation.outcome = verdict.outcome;
  evaluation.trust = evidence.trust;
  evaluation.notes = std::move(evidence.notes);
  evaluation.text_feedback = std::move(evidence.feedback);
  if (evaluation.correct() && (evidence.rank_ms.empty() || evidence.origin == Origin::kNone)) {
    evaluation.outcome = Outcome::kWrongAnswer;
    evaluation.error = "no rung found a time";
  } else if (evaluation.correct()) {
    evaluation.rank_ms = std::move(evidence.rank_ms);
    evaluation.origin = evidence.origin;
    double const slowest = *std::max_element(evaluation.rank_ms.begin(), evaluation.rank_ms.end());
    auto const& repetitions = evidence.repetitions_ms;
    evaluation.slowest_ms = repetitions.empty() ? slowest : median(repetitions);
    evaluation.combined_score = combined_score(evaluation.slowest_ms);
    double const longest =
        repetitions.empty() ? slowest : *std::max_element(repetitions.begin(), repetitions.end());
    evaluation.public_metrics = {{"time_ms", evaluation.slowest_ms}, {"max_time_ms", longest}};
    for (std::size_t rank = 0; rank < evaluation.rank_ms.size(); ++rank)
      evaluation.public_metrics.push_back(
          {"rank" + std::to_string(rank) + "_time_ms", evaluation.rank_ms[rank]});
    evaluation.text_feedback += success_feedback(evaluation);
  } else {
    evaluation.error =
        std::string(rung) + ": " + (verdict.message.empty() ? to_string(verdict.outcome) : verdict.message);
  }
  auto add = [](Metrics& to, Metrics& from) { to.insert(to.end(), from.begin(), from.end()); };
  add(evaluation.public_metrics, evidence.public_metrics);
  add(evaluation.private_metrics, evidence.private_metrics);
  if (auto written = write_evaluation_files(candidate.directory + "/results", evaluation); !written)
    return forward_error(std::move(written));
  return evaluation;
}

}  // namespace cuco::impl::evaluating
