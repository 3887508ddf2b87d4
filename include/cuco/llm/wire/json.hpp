// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

/// @file
/// Reading of JSON that a server wrote, which may hold anything, and writing of JSON for it. Included by
/// bodies only.

namespace cuco::wire {

/// Keeps the order of keys, so that the same request always gives the same bytes.
using Json = nlohmann::ordered_json;

/// Prompts may hold any bytes; JSON cannot.
inline std::string dump(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Deeper values are refused: writing one takes stack for every level.
inline constexpr int kMostDepth = 200;

inline bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (in_text) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_text = false;
      }
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMostDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

/// A discarded value when `text` is no JSON. Never throws.
inline Json parse(std::string_view text) {
  if (too_deep(text)) return Json(Json::value_t::discarded);
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

/// The member `key` of an object, or a null that lives for ever.
inline Json const& at(Json const& json, char const* key) {
  static Json const null;
  if (!json.is_object()) return null;
  auto const found = json.find(key);
  return found == json.end() ? null : *found;
}

/// The element `index` of an array, or null.
inline Json const& item(Json const& json, std::size_t index) {
  static Json const null;
  return json.is_array() && index < json.size() ? json[index] : null;
}

inline std::string text_at(Json const& json, char const* key) {
  Json const& value = at(json, key);
  return value.is_string() ? value.get_ref<std::string const&>() : std::string();
}

/// A count; 0 when there is none, or none that is sane.
inline std::int64_t count_at(Json const& json, char const* key) {
  Json const& value = at(json, key);
  if (value.is_number_integer()) return std::max<std::int64_t>(value.get<std::int64_t>(), 0);
  if (!value.is_number()) return 0;
  double const number = value.get<double>();
  return number > 0 && number < 9e15 ? static_cast<std::int64_t>(number) : 0;
}

/// An HTTP status of 300 or more that a reply tells in its text, as a number or in digits.
inline std::optional<long> status_at(Json const& json, char const* key) {
  Json const& value = at(json, key);
  long status = 0;
  if (value.is_string()) {
    auto const& digits = value.get_ref<std::string const&>();
    auto const [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
    if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  } else {
    status = static_cast<long>(count_at(json, key));
  }
  if (status < 300 || status > 599) return std::nullopt;
  return status;
}

/// Appends the text `more[key]` to the text `to[key]`.
inline void append_text(Json& to, Json const& more, char const* key) {
  Json const& piece = at(more, key);
  if (!piece.is_string()) return;
  Json& whole = to[key];
  if (!whole.is_string()) whole = std::string();
  whole.get_ref<std::string&>() += piece.get_ref<std::string const&>();
}

/// The schema of a reply or a tool that the caller wrote; an empty object when it is none.
inline Json schema_of(std::string const& text) {
  Json schema = parse(text);
  return schema.is_object() ? schema : Json::object();
}

/// Objects with listed properties get `additionalProperties: false`, which providers demand of strict
/// schemas.
inline void close_objects(Json& schema) {
  if (!schema.is_structured()) return;
  if (at(schema, "properties").is_object() && !schema.contains("additionalProperties"))
    schema["additionalProperties"] = false;
  for (Json& value : schema) close_objects(value);
}

/// Every property is required and no other is allowed, in all of its objects: OpenAI's "strict".
inline bool is_strict(Json const& schema) {
  if (!schema.is_structured()) return true;
  if (at(schema, "properties").is_object() &&
      (at(schema, "additionalProperties") != Json(false) ||
       at(schema, "required").size() != at(schema, "properties").size()))
    return false;
  return std::all_of(schema.begin(), schema.end(), is_strict);
}

/// What a list of faults says (`detail` of servers that check requests with pydantic): of each one its place
/// and its message, and nothing of the request that it quotes.
inline std::string fault_words(Json const& detail) {
  if (!detail.is_structured()) return {};
  if (detail.is_object() && !at(detail, "msg").is_string()) return {};
  std::string words;
  auto const add = [&](Json const& fault) {
    std::string where;
    for (Json const& step : at(fault, "loc")) {
      if (!where.empty()) where += '.';
      where += step.is_string() ? step.get<std::string>() : dump(step);
    }
    std::string const what = text_at(fault, "msg");
    if (what.empty()) return;
    words += (words.empty() ? "" : "; ") + (where.empty() ? what : where + ": " + what);
  };
  if (detail.is_object()) {
    add(detail);
  } else {
    for (Json const& fault : detail) add(fault);
  }
  return words;
}

/// The same of a text that shows such a list as Python writes it, which vLLM sends as the message.
inline std::string shown_fault_words(std::string const& text) {
  std::string words;
  std::size_t last = 0;
  constexpr std::string_view kLoc = "'loc': (";
  constexpr std::string_view kMsg = "'msg': ";
  for (auto at = text.find(kMsg); at != std::string::npos; at = text.find(kMsg, last)) {
    auto const begin = at + kMsg.size() + 1;
    if (begin > text.size()) break;
    auto const end = std::min(text.find(text[begin - 1], begin), text.size());
    std::string where;
    if (auto const loc = text.rfind(kLoc, at); loc != std::string::npos && loc >= last) {
      where = text.substr(loc + kLoc.size(), text.find(')', loc) - loc - kLoc.size());
      where.erase(std::remove(where.begin(), where.end(), '\''), where.end());
    }
    words += (words.empty() ? "" : "; ") + (where.empty() ? where : where + ": ") +
             text.substr(begin, end - begin);
    last = end;
  }
  return words;
}

/// Words of an error in the shapes that providers use; the body itself when it has none of them.
inline std::string error_words(std::string_view body) {
  Json json = parse(body);
  // Gemini's streaming endpoint wraps its errors in a list.
  Json const& top = json.is_array() && !json.empty() ? json[0] : json;
  Json const& error = at(top, "error");
  std::string words = error.is_string() ? error.get<std::string>() : text_at(error, "message");
  for (char const* key : {"message", "Message", "detail", "error_description"})
    if (words.empty()) words = text_at(top, key);
  if (auto shown = shown_fault_words(words); !shown.empty()) words = std::move(shown);
  if (words.empty()) words = fault_words(at(top, "detail"));
  if (words.empty() && at(top, "detail").is_structured()) words = dump(at(top, "detail"));
  if (words.empty()) return std::string(body);
  // The kind of an error and the parameter at fault are told apart from its words.
  for (char const* key : {"type", "code", "status", "param"}) {
    std::string const part = text_at(error, key);
    if (!part.empty() && words.find(part) == std::string::npos) words += " (" + part + ")";
  }
  // OpenRouter quotes the server behind it.
  std::string const raw = text_at(at(error, "metadata"), "raw");
  if (!raw.empty()) words += " - " + raw;
  return words;
}

}  // namespace cuco::wire
