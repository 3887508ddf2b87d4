// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/bedrock_reply-inl.hpp"
#include "cuco/llm/wire/bedrock_wire.hpp"
#include "cuco/llm/wire/claude_thinking.hpp"
#include "cuco/llm/wire/claude_traits.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/openai_chat_wire.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

CUCO_EVOLVE_INLINE Json bedrock_cache_point() {
  return Json{{"cachePoint", Json{{"type", "default"}}}};
}

/// Blocks of an earlier turn as they came, if they say what the message says.
CUCO_EVOLVE_INLINE Json bedrock_kept_blocks(ChatMessage const& message) {
  Json state = state_of(message, "bedrock");
  Json const& blocks = at(state, "content");
  std::string text;
  std::vector<std::string> ids;
  for (Json const& block : blocks) {
    text += text_at(block, "text");
    if (at(block, "toolUse").is_object()) ids.push_back(text_at(at(block, "toolUse"), "toolUseId"));
  }
  bool same = text == message.text && ids.size() == message.tool_calls.size();
  for (std::size_t i = 0; same && i < ids.size(); ++i) same = ids[i] == message.tool_calls[i].id;
  return same && blocks.is_array() ? blocks : Json();
}

CUCO_EVOLVE_INLINE Json bedrock_blocks(ChatMessage const& message, Dialect const& dialect) {
  Json blocks = Json::array();
  if (message.role == ChatMessage::Role::kTool) {
    Json result;
    result["toolUseId"] = message.tool_call_id;
    result["content"] = Json::array({Json{{"text", message.text}}});
    blocks.push_back(Json{{"toolResult", std::move(result)}});
    return blocks;
  }
  if (message.role == ChatMessage::Role::kAssistant && !dialect.no_state)
    if (Json kept = bedrock_kept_blocks(message); kept.is_array()) return kept;
  if (!message.text.empty()) blocks.push_back(Json{{"text", message.text}});
  for (ToolCall const& call : message.tool_calls) {
    Json use;
    use["toolUseId"] = call.id;
    use["name"] = call.name;
    use["input"] = schema_of(call.arguments);
    blocks.push_back(Json{{"toolUse", std::move(use)}});
  }
  return blocks;
}

CUCO_EVOLVE_INLINE Json bedrock_messages(ChatRequest const& request, Dialect const& dialect) {
  Json messages = Json::array();
  for (ChatMessage const& message : request.messages) {
    Json blocks = bedrock_blocks(message, dialect);
    if (blocks.empty()) continue;
    char const* const role = message.role == ChatMessage::Role::kAssistant ? "assistant" : "user";
    if (messages.empty() || text_at(messages.back(), "role") != role)
      messages.push_back(Json{{"role", role}, {"content", Json::array()}});
    for (Json& block : blocks) messages.back()["content"].push_back(std::move(block));
  }
  return messages;
}

/// Amazon's and Anthropic's models keep prompts.
CUCO_EVOLVE_INLINE bool bedrock_caches(std::string const& model, ClaudeTraits const& traits) {
  return traits.newer_than(304) || model.find("amazon.nova") != std::string::npos;
}

CUCO_EVOLVE_INLINE bool bedrock_lost_its_thinking(Json const& messages) {
  if (messages.size() < 2) return false;
  Json const& first = item(at(item(messages, messages.size() - 2), "content"), 0);
  Json const& result = item(at(messages.back(), "content"), 0);
  return at(result, "toolResult").is_object() && !at(first, "reasoningContent").is_object();
}

CUCO_EVOLVE_INLINE Body bedrock_body(std::string const& model,
                                     ChatRequest const& request,
                                     Dialect const& dialect) {
  ClaudeTraits const traits = claude_traits(model);
  auto thinking = traits.is_claude ? claude_thinking(traits, request, dialect) : ClaudeThinking{};
  Body body;
  body.json = dialect.json;
  if (body.json == JsonMode::kSchema && !traits.takes_schema()) body.json = JsonMode::kLoose;
  Json schema = schema_of(request.json_schema);
  if (body.json == JsonMode::kLoose && (thinking.on || text_at(schema, "type") != "object"))
    body.json = JsonMode::kPrompt;
  bool const wants_json = !request.json_schema.empty();
  bool const cache = request.cache_prompt && !dialect.no_cache && bedrock_caches(model, traits);

  Json messages = bedrock_messages(request, dialect);
  if (text_at(thinking.thinking, "type") == "enabled" && bedrock_lost_its_thinking(messages)) thinking = {};
  if (cache) {
    int marked = 0;
    for (std::size_t i = messages.size(); i-- > 0 && marked < 2;) {
      if (text_at(messages[i], "role") != "user") continue;
      messages[i]["content"].push_back(bedrock_cache_point());
      ++marked;
    }
  }

  Json json;
  std::string system = request.system;
  if (wants_json && body.json == JsonMode::kPrompt)
    system += (system.empty() ? "" : "\n\n") + json_instruction(request.json_schema);
  if (!system.empty()) {
    json["system"] = Json::array({Json{{"text", system}}});
    if (cache) json["system"].push_back(bedrock_cache_point());
  }
  json["messages"] = std::move(messages);
  Json& config = json["inferenceConfig"];
  config["maxTokens"] = request.max_tokens;
  bool const takes_temperature =
      traits.is_claude ? traits.takes_temperature() && !thinking.on : !is_openai_reasoning(model);
  if (request.temperature && !dialect.no_temperature && takes_temperature)
    config["temperature"] =
        traits.is_claude ? std::min(*request.temperature, kMostClaudeTemperature) : *request.temperature;

  Json tools = Json::array();
  auto const add_tool = [&](std::string const& name, std::string const& description, Json parameters) {
    Json spec;
    spec["name"] = name;
    if (!description.empty()) spec["description"] = description;
    spec["inputSchema"]["json"] = std::move(parameters);
    tools.push_back(Json{{"toolSpec", std::move(spec)}});
  };
  for (ToolSpec const& tool : request.tools)
    add_tool(tool.name, tool.description, schema_of(tool.parameters));
  if (wants_json && body.json == JsonMode::kLoose) {
    add_tool(kJsonTool, "Takes the answer.", schema);
    if (request.tools.empty()) {
      json["toolConfig"]["toolChoice"]["tool"]["name"] = kJsonTool;
    } else {
      json["toolConfig"]["toolChoice"]["any"] = Json::object();
    }
  }
  if (!tools.empty()) json["toolConfig"]["tools"] = std::move(tools);
  if (wants_json && body.json == JsonMode::kSchema) {
    close_objects(schema);
    Json& format = json["outputConfig"]["textFormat"];
    format["type"] = "json_schema";
    format["structure"]["jsonSchema"] = Json{{"name", "reply"}, {"schema", dump(schema)}};
  }
  Json extra;
  if (!thinking.thinking.is_null()) extra["thinking"] = thinking.thinking;
  if (!thinking.effort.empty()) extra["output_config"]["effort"] = thinking.effort;
  if (model.find("openai.") != std::string::npos)
    if (std::string const effort = openai_effort(request, dialect); !effort.empty())
      extra["reasoning_effort"] = effort;
  if (!extra.is_null()) json["additionalModelRequestFields"] = std::move(extra);
  body.text = dump(json);
  return body;
}

}  // namespace cuco::wire
