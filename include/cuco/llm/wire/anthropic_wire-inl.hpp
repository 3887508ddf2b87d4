// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/anthropic_reply-inl.hpp"
#include "cuco/llm/wire/anthropic_wire.hpp"
#include "cuco/llm/wire/claude_thinking.hpp"
#include "cuco/llm/wire/claude_traits.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

/// Blocks of an earlier turn as the provider sent them, if they say what the message says.
CUCO_EVOLVE_INLINE Json anthropic_kept_blocks(ChatMessage const& message) {
  Json state = state_of(message, "anthropic");
  Json const& blocks = at(state, "content");
  std::string text;
  std::vector<std::string> ids;
  for (Json const& block : blocks) {
    if (text_at(block, "type") == "text") text += text_at(block, "text");
    if (text_at(block, "type") == "tool_use") ids.push_back(text_at(block, "id"));
  }
  bool same = text == message.text && ids.size() == message.tool_calls.size();
  for (std::size_t i = 0; same && i < ids.size(); ++i) same = ids[i] == message.tool_calls[i].id;
  return same && blocks.is_array() ? blocks : Json();
}

CUCO_EVOLVE_INLINE Json anthropic_blocks(ChatMessage const& message, Dialect const& dialect) {
  Json blocks = Json::array();
  switch (message.role) {
    case ChatMessage::Role::kTool: {
      Json block;
      block["type"] = "tool_result";
      block["tool_use_id"] = message.tool_call_id;
      block["content"] = message.text;
      blocks.push_back(std::move(block));
      return blocks;
    }
    case ChatMessage::Role::kAssistant:
      if (!dialect.no_state)
        if (Json kept = anthropic_kept_blocks(message); kept.is_array()) return kept;
      break;
    case ChatMessage::Role::kUser: break;
  }
  if (!message.text.empty()) blocks.push_back(Json{{"type", "text"}, {"text", message.text}});
  for (ToolCall const& call : message.tool_calls) {
    Json block;
    block["type"] = "tool_use";
    block["id"] = call.id;
    block["name"] = call.name;
    block["input"] = schema_of(call.arguments);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

/// The turns, those of one side in a row joined: the tool results of one round belong into one message.
CUCO_EVOLVE_INLINE Json anthropic_messages(ChatRequest const& request, Dialect const& dialect) {
  Json messages = Json::array();
  for (ChatMessage const& message : request.messages) {
    Json blocks = anthropic_blocks(message, dialect);
    if (blocks.empty()) continue;
    char const* const role = message.role == ChatMessage::Role::kAssistant ? "assistant" : "user";
    if (messages.empty() || text_at(messages.back(), "role") != role)
      messages.push_back(Json{{"role", role}, {"content", Json::array()}});
    for (Json& block : blocks) messages.back()["content"].push_back(std::move(block));
  }
  return messages;
}

/// With a budget, the turn whose tool results the request brings must begin with its thinking.
CUCO_EVOLVE_INLINE bool lost_its_thinking(Json const& messages) {
  if (messages.size() < 2) return false;
  Json const& first = item(at(item(messages, messages.size() - 2), "content"), 0);
  Json const& result = item(at(messages.back(), "content"), 0);
  std::string const type = text_at(first, "type");
  return text_at(result, "type") == "tool_result" && type != "thinking" && type != "redacted_thinking";
}

/// Marks the last block of a turn as one up to which the prompt is kept. Thinking cannot be marked.
CUCO_EVOLVE_INLINE void mark_cached(Json& blocks) {
  if (!blocks.is_array() || blocks.empty()) return;
  Json& last = blocks.back();
  std::string const type = text_at(last, "type");
  if (type != "thinking" && type != "redacted_thinking") last["cache_control"] = Json{{"type", "ephemeral"}};
}

CUCO_EVOLVE_INLINE Body anthropic_body(std::string const& model,
                                       ChatRequest const& request,
                                       Dialect const& dialect,
                                       bool stream) {
  ClaudeTraits traits = claude_traits(model);
  auto thinking = claude_thinking(traits, request, dialect);
  Body body;
  body.json = dialect.json;
  if (body.json == JsonMode::kSchema && !traits.takes_schema()) body.json = JsonMode::kLoose;
  Json schema = schema_of(request.json_schema);
  // A forced tool takes an object, and no thinking.
  if (body.json == JsonMode::kLoose && (thinking.on || text_at(schema, "type") != "object"))
    body.json = JsonMode::kPrompt;
  bool const wants_json = !request.json_schema.empty();
  bool const cache = request.cache_prompt && !dialect.no_cache;

  Json messages = anthropic_messages(request, dialect);
  if (text_at(thinking.thinking, "type") == "enabled" && lost_its_thinking(messages)) thinking = {};

  Json json;
  json["model"] = model;
  json["max_tokens"] = request.max_tokens;
  std::string system = request.system;
  if (wants_json && body.json == JsonMode::kPrompt)
    system += (system.empty() ? "" : "\n\n") + json_instruction(request.json_schema);
  if (!system.empty()) {
    json["system"] = Json::array({Json{{"type", "text"}, {"text", system}}});
    if (cache) mark_cached(json["system"]);
  }
  Json tools = Json::array();
  for (ToolSpec const& tool : request.tools)
    tools.push_back(Json{{"name", tool.name},
                         {"description", tool.description},
                         {"input_schema", schema_of(tool.parameters)}});
  if (wants_json && body.json == JsonMode::kLoose) {
    tools.push_back(
        Json{{"name", kJsonTool}, {"description", "Takes the answer."}, {"input_schema", schema}});
    // With tools of the caller the model must stay free to call those first.
    json["tool_choice"] =
        request.tools.empty() ? Json{{"type", "tool"}, {"name", kJsonTool}} : Json{{"type", "any"}};
  }
  if (!tools.empty()) json["tools"] = std::move(tools);
  if (cache) {
    // The end of the conversation, and the end of the turn before: what the previous request left there.
    int marked = 0;
    for (std::size_t i = messages.size(); i-- > 0 && marked < 2;) {
      if (text_at(messages[i], "role") != "user") continue;
      mark_cached(messages[i]["content"]);
      ++marked;
    }
  }
  json["messages"] = std::move(messages);
  if (request.temperature && !dialect.no_temperature && traits.takes_temperature() && !thinking.on)
    json["temperature"] = std::min(*request.temperature, kMostClaudeTemperature);
  if (!thinking.thinking.is_null()) json["thinking"] = thinking.thinking;
  if (!thinking.effort.empty()) json["output_config"]["effort"] = thinking.effort;
  if (wants_json && body.json == JsonMode::kSchema) {
    close_objects(schema);
    json["output_config"]["format"] = Json{{"type", "json_schema"}, {"schema", std::move(schema)}};
  }
  if (stream) json["stream"] = true;
  body.text = dump(json);
  return body;
}

}  // namespace cuco::wire
