// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/impl/inline.hpp"
#include "cuco/store/impl/column_json.hpp"
#include "cuco/store/program_json.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE std::string to_json(Program const& p) {
  impl::Json json = impl::Json::object();
  json["id"] = p.id.value;
  json["code"] = p.code;
  json["language"] = p.language;
  json["parent_id"] = p.parent_id.empty() ? impl::Json() : impl::Json(p.parent_id.value);
  json["archive_inspiration_ids"] = impl::ids_to_json(p.archive_inspiration_ids);
  json["top_k_inspiration_ids"] = impl::ids_to_json(p.top_k_inspiration_ids);
  json["generation"] = p.generation;
  json["timestamp"] = impl::number_or_null(p.timestamp);
  json["code_diff"] = p.code_diff;
  json["combined_score"] = impl::number_or_null(p.combined_score);
  json["public_metrics"] = impl::metrics_to_json(p.public_metrics);
  json["private_metrics"] = impl::metrics_to_json(p.private_metrics);
  json["text_feedback"] = p.text_feedback;
  json["complexity"] = impl::number_or_null(p.complexity);
  json["embedding"] = impl::embedding_to_json(p.embedding);
  json["correct"] = p.correct;
  json["children_count"] = p.children_count;
  json["metadata"] = impl::attributes_to_json(p.metadata);
  json["migration_history"] = impl::migrations_to_json(p.migration_history);
  json["island_idx"] = p.island;
  json["in_archive"] = p.in_archive;
  return impl::dump(json);
}

CUCO_EVOLVE_INLINE Result<Program> program_from_json(std::string_view text) {
  auto const json = impl::parse_or_null(text);
  auto const at = [&](char const* key) -> impl::Json const& {
    static impl::Json const kNull;
    auto const found = json.find(key);
    return found == json.end() ? kNull : *found;
  };
  auto const string = [&](char const* key, std::string fallback = {}) {
    return at(key).is_string() ? at(key).get<std::string>() : fallback;
  };
  auto const number = [&](char const* key) { return at(key).is_number() ? at(key).get<double>() : 0.0; };
  auto const flag = [&](char const* key) {
    return at(key).is_boolean() ? at(key).get<bool>() : number(key) != 0;
  };
  if (!json.is_object() || string("id").empty())
    return fail(ErrorCode::kParse, "this is not the JSON of a program: an object with an id is expected");
  Program p;
  p.id = {string("id")};
  p.code = string("code");
  p.language = string("language", "cuda");
  p.parent_id = {string("parent_id")};
  p.archive_inspiration_ids = impl::ids_from_json(at("archive_inspiration_ids"));
  p.top_k_inspiration_ids = impl::ids_from_json(at("top_k_inspiration_ids"));
  p.generation = impl::int_or(json, "generation", 0);
  p.timestamp = number("timestamp");
  p.code_diff = string("code_diff");
  p.combined_score = number("combined_score");
  p.public_metrics = impl::metrics_from_json(at("public_metrics"));
  p.private_metrics = impl::metrics_from_json(at("private_metrics"));
  p.text_feedback = string("text_feedback");
  p.complexity = number("complexity");
  p.embedding = impl::embedding_from_json(at("embedding"));
  p.correct = flag("correct");
  p.children_count = impl::int_or(json, "children_count", 0);
  p.metadata = impl::attributes_from_json(at("metadata"));
  p.migration_history = impl::migrations_from_json(at("migration_history"));
  p.island = impl::int_or(json, "island_idx", 0);
  p.in_archive = flag("in_archive");
  return p;
}

}  // namespace cuco
