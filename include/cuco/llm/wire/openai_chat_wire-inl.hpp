// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cctype>
#include <initializer_list>
#include <map>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/openai_chat_reply-inl.hpp"
#include "cuco/llm/wire/openai_chat_wire.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

CUCO_EVOLVE_INLINE bool is_openai_reasoning(std::string_view model) {
  if (auto const slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  auto const digit = [&](std::size_t i) {
    return i < model.size() && std::isdigit(static_cast<unsigned char>(model[i])) != 0;
  };
  if (model.substr(0, 4) == "gpt-")
    return digit(4) && (model[4] >= '5' || digit(5)) && model.find("-chat") == std::string_view::npos;
  return model.substr(0, 1) == "o" && digit(1);
}

CUCO_EVOLVE_INLINE std::string openai_effort(ChatRequest const& request, Dialect const& dialect) {
  Effort effort = request.effort;
  if (effort == Effort::kDefault && request.thinking_tokens > 0) {
    int const tokens = request.thinking_tokens;
    effort = tokens <= 2048 ? Effort::kLow : tokens <= 4096 ? Effort::kMedium : Effort::kHigh;
  }
  auto const pick = [&](std::initializer_list<char const*> words) {
    auto const step = static_cast<std::size_t>(dialect.effort_step);
    return step < words.size() ? std::string(words.begin()[step]) : std::string();
  };
  switch (effort) {
    case Effort::kNone: return pick({"none", "minimal", "low"});
    case Effort::kLow: return pick({"low"});
    case Effort::kMedium: return pick({"medium"});
    case Effort::kHigh: return pick({"high"});
    case Effort::kMax: return pick({"xhigh", "high"});
    case Effort::kDefault: break;
  }
  return {};
}

/// The parameters for thinking, which every flavour has its own of.
CUCO_EVOLVE_INLINE void add_chat_effort(Json& json,
                                        std::string const& model,
                                        ChatFlavor flavor,
                                        ChatRequest const& request,
                                        Dialect const& dialect) {
  bool const asked = request.effort != Effort::kDefault || request.thinking_tokens > 0;
  if (!asked) return;
  switch (flavor) {
    case ChatFlavor::kOpenAi:
      if (!is_openai_reasoning(model)) return;
      break;
    case ChatFlavor::kDeepSeek: {
      if (dialect.effort_step > 1) return;
      json["thinking"]["type"] = request.effort == Effort::kNone ? "disabled" : "enabled";
      if (request.effort == Effort::kNone || dialect.effort_step > 0) return;
      std::string const word = request.effort == Effort::kMax ? "max" : openai_effort(request, dialect);
      if (!word.empty()) json["reasoning_effort"] = word;
      return;
    }
    case ChatFlavor::kOpenRouter: {
      if (request.thinking_tokens > 0 && dialect.effort_step == 0) {
        json["reasoning"]["max_tokens"] = request.thinking_tokens;
        return;
      }
      std::string const word = openai_effort(request, dialect);
      if (!word.empty()) json["reasoning"]["effort"] = word;
      return;
    }
    case ChatFlavor::kAzure:
    case ChatFlavor::kOther: break;
  }
  std::string const word = openai_effort(request, dialect);
  if (!word.empty()) json["reasoning_effort"] = word;
}

/// OpenRouter passes the marks on to the providers that need them.
CUCO_EVOLVE_INLINE Json chat_cached_text(std::string const& text) {
  return Json::array(
      {Json{{"type", "text"}, {"text", text}, {"cache_control", Json{{"type", "ephemeral"}}}}});
}

CUCO_EVOLVE_INLINE Json chat_messages(ChatRequest const& request,
                                      Dialect const& dialect,
                                      std::string const& system,
                                      bool mark) {
  Json messages = Json::array();
  if (!system.empty())
    messages.push_back(Json{{"role", "system"}, {"content", mark ? chat_cached_text(system) : Json(system)}});
  for (ChatMessage const& message : request.messages) {
    Json json;
    switch (message.role) {
      case ChatMessage::Role::kUser:
        json["role"] = "user";
        json["content"] = mark && &message == &request.messages.back() ? chat_cached_text(message.text)
                                                                       : Json(message.text);
        break;
      case ChatMessage::Role::kTool:
        json["role"] = "tool";
        json["tool_call_id"] = message.tool_call_id;
        json["content"] = message.text;
        break;
      case ChatMessage::Role::kAssistant: {
        json["role"] = "assistant";
        json["content"] = message.text.empty() && !message.tool_calls.empty() ? Json() : Json(message.text);
        for (ToolCall const& call : message.tool_calls)
          json["tool_calls"].push_back(
              Json{{"id", call.id},
                   {"type", "function"},
                   {"function", Json{{"name", call.name}, {"arguments", call.arguments}}}});
        if (dialect.no_state) break;
        Json const state = state_of(message, "chat");
        for (char const* key : {"reasoning_details", "reasoning_content"})
          if (!at(state, key).is_null()) json[key] = at(state, key);
        break;
      }
    }
    messages.push_back(std::move(json));
  }
  return messages;
}

CUCO_EVOLVE_INLINE Body chat_body(std::string const& model,
                                  ChatFlavor flavor,
                                  ChatRequest const& request,
                                  Dialect const& dialect,
                                  bool stream) {
  Body body;
  body.json = dialect.json;
  if (flavor == ChatFlavor::kDeepSeek && body.json == JsonMode::kSchema) body.json = JsonMode::kLoose;
  bool const wants_json = !request.json_schema.empty();
  bool const openai = flavor == ChatFlavor::kOpenAi || flavor == ChatFlavor::kAzure;
  std::string system = request.system;
  if (wants_json && body.json != JsonMode::kSchema)
    system += (system.empty() ? "" : "\n\n") + json_instruction(request.json_schema);
  bool const mark = flavor == ChatFlavor::kOpenRouter && model.rfind("anthropic/", 0) == 0 &&
                    request.cache_prompt && !dialect.no_cache;

  Json json;
  json["model"] = model;
  json["messages"] = chat_messages(request, dialect, system, mark);
  json[openai != dialect.other_max_tokens ? "max_completion_tokens" : "max_tokens"] = request.max_tokens;
  if (request.temperature && !dialect.no_temperature && !(openai && is_openai_reasoning(model)))
    json["temperature"] = *request.temperature;
  add_chat_effort(json, model, flavor, request, dialect);
  for (ToolSpec const& tool : request.tools)
    json["tools"].push_back(Json{{"type", "function"},
                                 {"function",
                                  Json{{"name", tool.name},
                                       {"description", tool.description},
                                       {"parameters", schema_of(tool.parameters)}}}});
  if (wants_json && body.json == JsonMode::kSchema) {
    Json schema = schema_of(request.json_schema);
    close_objects(schema);
    bool const strict = is_strict(schema);
    json["response_format"] =
        Json{{"type", "json_schema"},
             {"json_schema", Json{{"name", "reply"}, {"schema", std::move(schema)}, {"strict", strict}}}};
  } else if (wants_json && body.json == JsonMode::kLoose) {
    json["response_format"]["type"] = "json_object";
  }
  if (stream) {
    json["stream"] = true;
    if (!dialect.no_stream_options) json["stream_options"]["include_usage"] = true;
  }
  // Asks OpenRouter to say what the call cost.
  if (flavor == ChatFlavor::kOpenRouter) json["usage"]["include"] = true;
  body.text = dump(json);
  return body;
}

}  // namespace cuco::wire
