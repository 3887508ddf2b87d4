// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <initializer_list>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/dialect.hpp"

namespace cuco::wire {

CUCO_EVOLVE_INLINE bool learn(Dialect& dialect,
                              Knobs const& knobs,
                              ChatRequest const& request,
                              std::string_view message) {
  std::string text(message);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  auto const says = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](auto w) { return text.find(w) != text.npos; });
  };
  bool const has_state = std::any_of(request.messages.begin(), request.messages.end(), [](auto const& m) {
    return !m.provider_state.empty();
  });
  // Before the rest: these messages name thinking and tools too, but mean what an earlier turn carries.
  if (has_state && !dialect.no_state &&
      says({"signature",
            "thinking block",
            "thinking` block",
            "redacted_thinking",
            "reasoning_content",
            "reasoning_details",
            "reasoning item",
            "'reasoning'",
            "encrypted content could not",
            "item with id",
            "item_reference"})) {
    dialect.no_state = true;
    return true;
  }
  if (knobs.encrypted_state && !dialect.no_encrypted_state && says({"encrypted"})) {
    dialect.no_encrypted_state = true;
    return true;
  }
  if (knobs.temperature && request.temperature && !dialect.no_temperature && says({"temperature"})) {
    dialect.no_temperature = true;
    return true;
  }
  if (knobs.stream_options && !dialect.no_stream_options && says({"stream_options", "include_usage"})) {
    dialect.no_stream_options = true;
    return true;
  }
  // "max_tokens: 200000 > 64000" is not about the name.
  if (knobs.max_tokens && !dialect.other_max_tokens && says({"max_tokens", "max_completion_tokens"}) &&
      says(
          {"unsupported", "not supported", "unrecognized", "unknown", "not permitted", "instead", "extra"})) {
    dialect.other_max_tokens = true;
    return true;
  }
  bool const about_json =
      says({"response_format", "json_schema",        "json_object",   "output_config.format",
            "output_format",   "outputconfig",       "textformat",    "response_schema",
            "responseschema",  "responsejsonschema", "response_mime", "responsemime",
            "text.format",     "response mime",      "tool_choice",   "toolchoice",
            "schema",          "structured",         "json mode",     "tool choice"});
  if (!request.json_schema.empty() && dialect.json != JsonMode::kPrompt && about_json) {
    dialect.json = dialect.json == JsonMode::kSchema ? JsonMode::kLoose : JsonMode::kPrompt;
    return true;
  }
  if (knobs.claude_thinking) {
    using Thinking = Dialect::Thinking;
    if (dialect.thinking == Thinking::kByName && says({"thinking.type.enabled", "budget_tokens"}) &&
        says({"adaptive", "not supported", "not permitted", "unsupported"})) {
      dialect.thinking = Thinking::kAdaptive;
      return true;
    }
    if (dialect.thinking == Thinking::kByName && says({"adaptive"})) {
      dialect.thinking = Thinking::kManual;
      return true;
    }
    if (dialect.thinking != Thinking::kLeaveOut && request.effort != Effort::kDefault && says({"thinking"})) {
      dialect.thinking = Thinking::kLeaveOut;
      return true;
    }
  }
  if (knobs.effort && dialect.effort_step < 4 &&
      (request.effort != Effort::kDefault || request.thinking_tokens > 0) &&
      says({"effort", "reasoning", "thinking", "output_config"})) {
    ++dialect.effort_step;
    return true;
  }
  if (knobs.cache && request.cache_prompt && !dialect.no_cache && says({"cache"})) {
    dialect.no_cache = true;
    return true;
  }
  // A server that does not know the parameter at all may name it in ways not foreseen here.
  if (!request.json_schema.empty() && dialect.json != JsonMode::kPrompt && says({"format", "json"})) {
    dialect.json = dialect.json == JsonMode::kSchema ? JsonMode::kLoose : JsonMode::kPrompt;
    return true;
  }
  return false;
}

CUCO_EVOLVE_INLINE Dialect joined(Dialect known, Dialect const& learned) {
  known.json = std::max(known.json, learned.json);
  known.no_temperature |= learned.no_temperature;
  known.other_max_tokens |= learned.other_max_tokens;
  known.no_stream_options |= learned.no_stream_options;
  known.no_cache |= learned.no_cache;
  known.no_encrypted_state |= learned.no_encrypted_state;
  known.effort_step = std::max(known.effort_step, learned.effort_step);
  if (learned.thinking != Dialect::Thinking::kByName) known.thinking = learned.thinking;
  return known;
}

CUCO_EVOLVE_INLINE std::string what_is_left_out(Dialect const& before, Dialect const& after) {
  std::string out;
  auto const changed = [&](bool differs, char const* what) {
    if (differs) out += (out.empty() ? "" : ", ") + std::string(what);
  };
  changed(before.json != after.json,
          after.json == JsonMode::kPrompt ? "structured output" : "a schema for structured output");
  changed(before.no_temperature != after.no_temperature, "a temperature");
  changed(before.other_max_tokens != after.other_max_tokens, "this name of the token limit");
  changed(before.no_stream_options != after.no_stream_options, "stream_options");
  changed(before.no_cache != after.no_cache, "cache marks");
  changed(before.no_encrypted_state != after.no_encrypted_state, "encrypted reasoning");
  changed(before.thinking != after.thinking, "this way to ask for thinking");
  changed(before.effort_step != after.effort_step, "this word for the effort");
  return out;
}

CUCO_EVOLVE_INLINE std::string json_instruction(std::string const& schema) {
  return "Answer with one JSON value and nothing else: no prose, no code fence. It must follow this JSON "
         "Schema:\n" +
         schema;
}

}  // namespace cuco::wire
