// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/core/program.hpp"

/// @file
/// The JSON texts in the columns of the `programs` table, in both directions.
/// Readers take what there is: a column written by another program may hold anything.

namespace cuco::impl {

/// Keeps the order of keys, so that equal runs give equal texts and metrics keep their order.
using Json = nlohmann::ordered_json;

inline std::string dump(Json const& json, int indent = -1) {
  // Compiler output may hold any bytes; JSON cannot.
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

inline Json parse_or_null(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json() : json;
}

inline Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

inline Json ids_to_json(std::vector<ProgramId> const& ids) {
  Json json = Json::array();
  for (auto const& id : ids) json.push_back(id.value);
  return json;
}

inline std::vector<ProgramId> ids_from_json(Json const& json) {
  std::vector<ProgramId> ids;
  if (json.is_array())
    for (auto const& item : json)
      if (item.is_string()) ids.push_back({item.get<std::string>()});
  return ids;
}

/// Entries of `old` that are not numbers (lists of times, texts) stay: another program wrote them, and
/// `Metrics` cannot.
inline Json metrics_to_json(Metrics const& metrics, Json const& old = {}) {
  Json json = Json::object();
  for (auto const& m : metrics) json[m.name] = number_or_null(m.value);
  if (old.is_object())
    for (auto const& [name, value] : old.items())
      if (!value.is_number() && !value.is_null() && !json.contains(name)) json[name] = value;
  return json;
}

inline Metrics metrics_from_json(Json const& json) {
  Metrics metrics;
  if (json.is_object())
    for (auto const& [name, value] : json.items())
      if (value.is_number()) metrics.push_back({name, value.get<double>()});
  return metrics;
}

/// The text of one metadata value: strings as they are, anything else as JSON.
inline std::string text_of(Json const& value) {
  return value.is_string() ? value.get<std::string>() : dump(value);
}

/// A value that is unchanged since `old` keeps the JSON type it has there.
inline Json attributes_to_json(Attributes const& attributes, Json const& old = {}) {
  Json json = Json::object();
  for (auto const& a : attributes) {
    auto const before = old.is_object() ? old.find(a.name) : old.end();
    bool const same = old.is_object() && before != old.end() && text_of(*before) == a.value;
    json[a.name] = same ? *before : Json(a.value);
  }
  return json;
}

inline Attributes attributes_from_json(Json const& json) {
  Attributes attributes;
  if (json.is_object())
    for (auto const& [name, value] : json.items()) attributes.push_back({name, text_of(value)});
  return attributes;
}

inline Json embedding_to_json(std::vector<float> const& embedding) {
  Json json = Json::array();
  for (float x : embedding) json.push_back(x);
  return json;
}

inline std::vector<float> embedding_from_json(Json const& json) {
  std::vector<float> embedding;
  if (json.is_array())
    for (auto const& x : json)
      embedding.push_back(x.is_number() && std::abs(x.get<double>()) < 3e38 ? x.get<float>() : 0.0F);
  return embedding;
}

/// The text of `embedding_to_json`, with as many digits as a float needs. Embeddings are most of what a row
/// holds, and are not worth a tree of values.
inline std::string embedding_to_text(std::vector<float> const& embedding) {
  std::string out = "[";
  std::array<char, 32> number{};
  for (float const x : embedding) {
    if (out.size() > 1) out += ',';
    auto const end = std::to_chars(number.data(), number.data() + number.size(), x).ptr;
    out.append(number.data(), end);
  }
  return out + "]";
}

/// Any JSON is read; what this does not know at once is left to the parser.
inline std::vector<float> embedding_from_text(std::string_view text) {
  std::vector<float> out;
  char const* p = text.data();
  char const* const last = p + text.size();
  bool plain = p != last && *p == '[';
  if (plain && text == "[]") return out;
  while (plain) {
    ++p;
    while (p != last && *p == ' ') ++p;
    double x = 0;
    auto const [end, error] = std::from_chars(p, last, x);
    plain = error == std::errc{} && end != last && (*end == ',' || *end == ']');
    if (!plain) break;
    out.push_back(std::abs(x) < 3e38 ? static_cast<float>(x) : 0.0F);
    p = end;
    if (*end == ']') return end + 1 == last ? out : embedding_from_json(parse_or_null(text));
  }
  return embedding_from_json(parse_or_null(text));
}

inline int int_or(Json const& json, char const* key, int fallback) {
  auto const found = json.find(key);
  if (found == json.end() || !found->is_number()) return fallback;
  double const value = found->get<double>();
  return std::abs(value) < 2e9 ? static_cast<int>(value) : fallback;
}

/// Moves that `old` has too keep the keys that are unknown here (a time, for instance).
inline Json migrations_to_json(std::vector<Migration> const& history, Json const& old = {}) {
  Json json = Json::array();
  for (std::size_t i = 0; i < history.size(); ++i) {
    auto const& m = history[i];
    Json entry = Json::object();
    entry["generation"] = m.generation;
    entry["from"] = m.from;
    entry["to"] = m.to;
    if (old.is_array() && i < old.size() && old[i].is_object() &&
        int_or(old[i], "generation", -1) == m.generation && int_or(old[i], "from", -1) == m.from &&
        int_or(old[i], "to", -1) == m.to)
      entry = old[i];
    json.push_back(std::move(entry));
  }
  return json;
}

inline std::vector<Migration> migrations_from_json(Json const& json) {
  std::vector<Migration> history;
  if (json.is_array())
    for (auto const& m : json)
      if (m.is_object())
        history.push_back({int_or(m, "generation", 0), int_or(m, "from", 0), int_or(m, "to", 0)});
  return history;
}

}  // namespace cuco::impl
