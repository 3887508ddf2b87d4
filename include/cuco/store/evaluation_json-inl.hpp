// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <optional>

#include "cuco/core/impl/inline.hpp"
#include "cuco/store/evaluation_json.hpp"
#include "cuco/store/impl/column_json.hpp"

namespace cuco {

namespace impl {

template <class Enum>
std::optional<Enum> enum_from(Json const& json, int last) {
  if (!json.is_string()) return std::nullopt;
  auto const text = json.get<std::string>();
  for (int i = 0; i <= last; ++i)
    if (text == to_string(static_cast<Enum>(i))) return static_cast<Enum>(i);
  return std::nullopt;
}

CUCO_EVOLVE_INLINE Json member_or_null(Json const& json, char const* key) {
  auto const found = json.find(key);
  return found == json.end() ? Json() : *found;
}

CUCO_EVOLVE_INLINE double number_or_zero(Json const& json, char const* key) {
  auto const found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0.0;
}

CUCO_EVOLVE_INLINE std::string text_or_empty(Json const& json, char const* key) {
  auto const found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::string to_json(Evaluation const& e) {
  impl::Json json = impl::Json::object();
  json["outcome"] = to_string(e.outcome);
  json["correct"] = e.correct();
  json["combined_score"] = impl::number_or_null(e.combined_score);
  json["slowest_ms"] = impl::number_or_null(e.slowest_ms);
  json["rank_ms"] = impl::Json::array();
  for (double ms : e.rank_ms) json["rank_ms"].push_back(impl::number_or_null(ms));
  json["origin"] = to_string(e.origin);
  json["trust"] = to_string(e.trust);
  json["public"] = impl::metrics_to_json(e.public_metrics);
  json["private"] = impl::metrics_to_json(e.private_metrics);
  json["text_feedback"] = e.text_feedback;
  json["error"] = e.error;
  json["notes"] = impl::attributes_to_json(e.notes);
  return impl::dump(json, 2) + "\n";
}

CUCO_EVOLVE_INLINE Result<Evaluation> evaluation_from_json(std::string_view text) {
  auto const json = impl::parse_or_null(text);
  auto const invalid = [](char const* what) {
    return fail(
        ErrorCode::kParse, std::string("invalid evaluation: ") + what, "delete the file to evaluate again");
  };
  if (!json.is_object()) return invalid("not a JSON object");
  auto const outcome =
      impl::enum_from<Outcome>(impl::member_or_null(json, "outcome"), int(Outcome::kWrongAnswer));
  auto const origin = impl::enum_from<Origin>(impl::member_or_null(json, "origin"), int(Origin::kModelled));
  auto const trust = impl::enum_from<Trust>(impl::member_or_null(json, "trust"), int(Trust::kHarness));
  if (!outcome) return invalid("no known outcome");
  if (!origin) return invalid("no known origin");
  if (!trust) return invalid("no known trust");
  Evaluation e;
  e.outcome = *outcome;
  e.origin = *origin;
  e.trust = *trust;
  e.combined_score = impl::number_or_zero(json, "combined_score");
  e.slowest_ms = impl::number_or_zero(json, "slowest_ms");
  for (auto const& ms : impl::member_or_null(json, "rank_ms"))
    e.rank_ms.push_back(ms.is_number() ? ms.get<double>() : 0.0);
  e.public_metrics = impl::metrics_from_json(impl::member_or_null(json, "public"));
  e.private_metrics = impl::metrics_from_json(impl::member_or_null(json, "private"));
  e.text_feedback = impl::text_or_empty(json, "text_feedback");
  e.error = impl::text_or_empty(json, "error");
  e.notes = impl::attributes_from_json(impl::member_or_null(json, "notes"));
  return e;
}

CUCO_EVOLVE_INLINE std::string metrics_json(Evaluation const& e) {
  impl::Json json = impl::Json::object();
  json["combined_score"] = impl::number_or_null(e.combined_score);
  json["public"] = impl::metrics_to_json(e.public_metrics);
  json["private"] = impl::metrics_to_json(e.private_metrics);
  json["text_feedback"] = e.text_feedback;
  return impl::dump(json, 2) + "\n";
}

CUCO_EVOLVE_INLINE std::string correct_json(Evaluation const& e) {
  impl::Json json = impl::Json::object();
  json["correct"] = e.correct();
  json["error"] = e.error.empty() ? impl::Json() : impl::Json(e.error);
  return impl::dump(json, 2) + "\n";
}

}  // namespace cuco
