// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/evaluation_files.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/store/evaluation_json.hpp"

namespace cuco {

namespace impl::evaluating {

using Json = nlohmann::ordered_json;

CUCO_EVOLVE_INLINE void flatten_metrics(Json const& json, std::string const& prefix, Metrics& out) {
  for (auto const& [key, value] : json.items()) {
    std::string const name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object())
      flatten_metrics(value, name, out);
    else if (value.is_boolean())
      out.push_back({name, value.get<bool>() ? 1.0 : 0.0});
    else if (value.is_number())
      out.push_back({name, value.get<double>()});
  }
}

CUCO_EVOLVE_INLINE std::string feedback_text(Json const& json) {
  if (json.is_string()) return json.get<std::string>();
  std::string out;
  if (json.is_array())
    for (auto const& line : json)
      if (line.is_string()) out += line.get<std::string>() + "\n";
  return out;
}

}  // namespace impl::evaluating

CUCO_EVOLVE_INLINE Status write_evaluation_files(std::string const& results, Evaluation const& evaluation) {
  if (auto made = impl::evaluating::make_directories(results); !made) return made;
  if (auto written = write_file_atomic(results + "/metrics.json", metrics_json(evaluation)); !written)
    return written;
  return write_file_atomic(results + "/correct.json", correct_json(evaluation));
}

CUCO_EVOLVE_INLINE Result<Evaluation> read_evaluation_files(std::string const& results) {
  Evaluation evaluation;
  evaluation.outcome = Outcome::kWrongAnswer;

  double score = std::nan("");
  std::string metrics_problem = "metrics.json is missing";
  if (auto const text = read_file(results + "/metrics.json")) {
    auto const json = impl::evaluating::Json::parse(*text, nullptr, false);
    metrics_problem = "metrics.json is not a JSON object";
    if (json.is_object()) {
      metrics_problem = "metrics.json has no finite combined_score >= 0";
      if (json.contains("combined_score") && json["combined_score"].is_number())
        score = json["combined_score"];
      if (json.contains("public") && json["public"].is_object())
        impl::evaluating::flatten_metrics(json["public"], "", evaluation.public_metrics);
      if (json.contains("private") && json["private"].is_object())
        impl::evaluating::flatten_metrics(json["private"], "", evaluation.private_metrics);
      if (json.contains("text_feedback"))
        evaluation.text_feedback = impl::evaluating::feedback_text(json["text_feedback"]);
    }
  } else if (text.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(text.error());
  }

  std::string const correct_path = results + "/correct.json";
  auto const text = read_file(correct_path);
  if (!text) {
    if (text.error().code != ErrorCode::kNotFound) return tl::unexpected(text.error());
    evaluation.error = "the evaluator wrote no correct.json";
    return evaluation;
  }
  auto const json = impl::evaluating::Json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("correct") || !json["correct"].is_boolean())
    return fail_at(ErrorCode::kParse,
                   correct_path,
                   0,
                   "not an object with a boolean 'correct'",
                   "repair the evaluator program");
  if (!json["correct"].get<bool>()) {
    if (json.contains("error") && json["error"].is_string())
      evaluation.error = json["error"].get<std::string>();
    if (evaluation.error.empty()) evaluation.error = "the evaluator says that the program is not correct";
    return evaluation;
  }
  if (!std::isfinite(score) || score < 0) {
    evaluation.error = metrics_problem;
    return evaluation;
  }
  evaluation.outcome = Outcome::kCorrect;
  evaluation.combined_score = score;
  evaluation.slowest_ms =
      metric_or(evaluation.public_metrics, "max_time_ms", metric_or(evaluation.public_metrics, "time_ms", 0));
  for (int rank = 0;; ++rank) {
    double const ms = metric_or(evaluation.public_metrics, "rank" + std::to_string(rank) + "_time_ms", -1);
    if (ms < 0) break;
    evaluation.rank_ms.push_back(ms);
  }
  return evaluation;
}

}  // namespace cuco
