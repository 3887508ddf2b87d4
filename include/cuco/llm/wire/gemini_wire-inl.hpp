// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/claude_thinking.hpp"
#include "cuco/llm/wire/gemini_reply-inl.hpp"
#include "cuco/llm/wire/gemini_wire.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

/// 100 * major + minor of "gemini-2.5-pro"; 0 when the name does not tell.
CUCO_EVOLVE_INLINE int gemini_version(std::string_view model) {
  auto const start = model.find("gemini-");
  if (start == std::string_view::npos) return 0;
  model.remove_prefix(start + 7);
  auto const digit = [&](std::size_t i) {
    return i < model.size() && std::isdigit(static_cast<unsigned char>(model[i])) != 0;
  };
  if (!digit(0)) return 0;
  int version = (model[0] - '0') * 100;
  if (model.substr(1, 1) == "." && digit(2)) version += model[2] - '0';
  return version;
}

/// JSON Schema in the part of it that Gemini's schemas have. False when that cannot be.
CUCO_EVOLVE_INLINE bool to_gemini_schema(Json& schema) {
  if (!schema.is_object()) return true;
  for (char const* key : {"$ref", "$defs", "definitions", "oneOf", "allOf", "not", "patternProperties"})
    if (schema.contains(key)) return false;
  for (char const* key : {"$schema",
                          "$id",
                          "$comment",
                          "additionalProperties",
                          "default",
                          "examples",
                          "exclusiveMinimum",
                          "exclusiveMaximum",
                          "uniqueItems",
                          "strict"})
    schema.erase(key);
  if (schema.contains("const")) {
    Json const value = schema["const"];
    schema.erase("const");
    if (!value.is_string()) return false;
    schema["enum"] = Json::array({value});
  }
  if (Json const types = at(schema, "type"); types.is_array()) {
    // ["string", "null"] is a nullable string.
    schema.erase("type");
    for (Json const& type : types) {
      if (type == "null") {
        schema["nullable"] = true;
      } else if (schema.contains("type")) {
        return false;
      } else {
        schema["type"] = type;
      }
    }
  }
  if (schema.contains("properties") && schema["properties"].is_object())
    for (Json& property : schema["properties"])
      if (!to_gemini_schema(property)) return false;
  if (schema.contains("items") && !to_gemini_schema(schema["items"])) return false;
  if (schema.contains("anyOf"))
    for (Json& option : schema["anyOf"])
      if (!to_gemini_schema(option)) return false;
  return true;
}

/// Sets `json[plain]` to the schema as Gemini writes it, or `json[full]` to the JSON Schema itself.
CUCO_EVOLVE_INLINE void add_gemini_schema(Json& json, char const* plain, char const* full, Json schema) {
  Json converted = schema;
  if (to_gemini_schema(converted)) {
    json[plain] = std::move(converted);
  } else {
    json[full] = std::move(schema);
  }
}

/// Parts of an earlier turn as they came, if they say what the message says. They carry signatures without
/// which a model that thinks refuses its own calls.
CUCO_EVOLVE_INLINE Json gemini_kept_parts(ChatMessage const& message) {
  Json state = state_of(message, "gemini");
  Json const& parts = at(state, "parts");
  std::string text;
  std::size_t calls = 0;
  bool same = parts.is_array();
  for (Json const& part : parts) {
    if (at(part, "thought") != Json(true)) text += text_at(part, "text");
    if (!at(part, "functionCall").is_object()) continue;
    same = same && calls < message.tool_calls.size() &&
           text_at(at(part, "functionCall"), "name") == message.tool_calls[calls].name;
    ++calls;
  }
  return same && text == message.text && calls == message.tool_calls.size() ? parts : Json();
}

CUCO_EVOLVE_INLINE bool is_own_call_id(std::string const& id) {
  return id.empty() || id.rfind(kOwnCallId, 0) == 0;
}

CUCO_EVOLVE_INLINE Json gemini_contents(ChatRequest const& request, Dialect const& dialect) {
  Json contents = Json::array();
  std::map<std::string, std::string> names;  // of calls, by id
  for (ChatMessage const& message : request.messages) {
    Json parts = Json::array();
    switch (message.role) {
      case ChatMessage::Role::kUser: parts.push_back(Json{{"text", message.text}}); break;
      case ChatMessage::Role::kTool: {
        auto const known = names.find(message.tool_call_id);
        Json response;
        if (!is_own_call_id(message.tool_call_id)) response["id"] = message.tool_call_id;
        response["name"] = known == names.end() ? message.tool_call_id : known->second;
        response["response"]["result"] = message.text;
        parts.push_back(Json{{"functionResponse", std::move(response)}});
        break;
      }
      case ChatMessage::Role::kAssistant: {
        for (ToolCall const& call : message.tool_calls) names[call.id] = call.name;
        if (!dialect.no_state)
          if (Json kept = gemini_kept_parts(message); kept.is_array()) {
            parts = std::move(kept);
            break;
          }
        if (!message.text.empty()) parts.push_back(Json{{"text", message.text}});
        for (ToolCall const& call : message.tool_calls) {
          Json json;
          if (!is_own_call_id(call.id)) json["id"] = call.id;
          json["name"] = call.name;
          json["args"] = schema_of(call.arguments);
          parts.push_back(Json{{"functionCall", std::move(json)}});
        }
        break;
      }
    }
    if (parts.empty()) continue;
    char const* const role = message.role == ChatMessage::Role::kAssistant ? "model" : "user";
    if (contents.empty() || text_at(contents.back(), "role") != role)
      contents.push_back(Json{{"role", role}, {"parts", Json::array()}});
    for (Json& part : parts) contents.back()["parts"].push_back(std::move(part));
  }
  return contents;
}

CUCO_EVOLVE_INLINE Json gemini_thinking(std::string const& model,
                                        ChatRequest const& request,
                                        Dialect const& dialect) {
  Json config;
  int const version = gemini_version(model);
  bool const asked = request.effort != Effort::kDefault || request.thinking_tokens > 0;
  if (!asked || (version != 0 && version < 205)) return config;
  bool const none = request.effort == Effort::kNone && request.thinking_tokens == 0;
  if ((version != 0 && version < 300) || request.thinking_tokens > 0) {
    if (dialect.effort_step > (none ? 1 : 0)) return config;
    // Some models think always; 128 is the least that those take.
    config["thinkingBudget"] = none ? (dialect.effort_step == 0 ? 0 : 128) : thinking_budget(request);
  } else {
    auto const pick = [&](std::array<char const*, 3> const& words) {
      auto const step = static_cast<std::size_t>(dialect.effort_step);
      return step < words.size() ? words[step] : nullptr;
    };
    char const* word = nullptr;
    switch (request.effort) {
      case Effort::kNone: word = pick({"minimal", "low", nullptr}); break;
      case Effort::kLow: word = pick({"low", nullptr, nullptr}); break;
      case Effort::kMedium: word = pick({"medium", "high", nullptr}); break;
      default: word = pick({"high", nullptr, nullptr}); break;
    }
    if (word == nullptr) return config;
    config["thinkingLevel"] = word;
  }
  if (!none) config["includeThoughts"] = true;
  return config;
}

CUCO_EVOLVE_INLINE Body gemini_body(std::string const& model,
                                    ChatRequest const& request,
                                    Dialect const& dialect) {
  Body body;
  body.json = dialect.json;
  bool const wants_json = !request.json_schema.empty();
  std::string system = request.system;
  if (wants_json && body.json != JsonMode::kSchema)
    system += (system.empty() ? "" : "\n\n") + json_instruction(request.json_schema);

  Json json;
  if (!system.empty()) json["systemInstruction"]["parts"] = Json::array({Json{{"text", system}}});
  json["contents"] = gemini_contents(request, dialect);
  Json& config = json["generationConfig"];
  config["maxOutputTokens"] = request.max_tokens;
  if (request.temperature && !dialect.no_temperature) config["temperature"] = *request.temperature;
  if (Json thinking = gemini_thinking(model, request, dialect); !thinking.is_null())
    config["thinkingConfig"] = std::move(thinking);
  if (wants_json && body.json != JsonMode::kPrompt) config["responseMimeType"] = "application/json";
  if (wants_json && body.json == JsonMode::kSchema)
    add_gemini_schema(config, "responseSchema", "responseJsonSchema", schema_of(request.json_schema));
  if (!request.tools.empty()) {
    Json declarations = Json::array();
    for (ToolSpec const& tool : request.tools) {
      Json declaration;
      declaration["name"] = tool.name;
      declaration["description"] = tool.description;
      Json schema = schema_of(tool.parameters);
      // An object without properties is refused.
      if (!at(schema, "properties").empty())
        add_gemini_schema(declaration, "parameters", "parametersJsonSchema", std::move(schema));
      declarations.push_back(std::move(declaration));
    }
    json["tools"] = Json::array({Json{{"functionDeclarations", std::move(declarations)}}});
  }
  body.text = dump(json);
  return body;
}

}  // namespace cuco::wire
