// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/byte_text.hpp"
#include "cuco/llm/impl/chat_json.hpp"
#include "cuco/llm/redaction.hpp"

namespace cuco::impl {

using ChatJson = nlohmann::ordered_json;

CUCO_EVOLVE_INLINE ChatJson bytes_to_json(std::string const& bytes) {
  if (is_utf8(bytes)) return bytes;
  ChatJson json = ChatJson::object();
  json["base64"] = to_base64(bytes);
  return json;
}

CUCO_EVOLVE_INLINE std::string bytes_from_json(ChatJson const& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object() && json.contains("base64") && json["base64"].is_string())
    return from_base64(json["base64"].get_ref<std::string const&>());
  return {};
}

CUCO_EVOLVE_INLINE std::string text_at(ChatJson const& json, char const* key) {
  auto const found = json.find(key);
  return found == json.end() ? std::string() : bytes_from_json(*found);
}

CUCO_EVOLVE_INLINE std::int64_t whole_at(ChatJson const& json, char const* key, std::int64_t fallback = 0) {
  auto const found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
}

CUCO_EVOLVE_INLINE std::optional<double> number_at(ChatJson const& json, char const* key) {
  auto const found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

CUCO_EVOLVE_INLINE ChatJson tool_calls_to_json(std::vector<ToolCall> const& calls) {
  ChatJson json = ChatJson::array();
  for (ToolCall const& call : calls)
    json.push_back({{"id", bytes_to_json(call.id)},
                    {"name", bytes_to_json(call.name)},
                    {"arguments", bytes_to_json(call.arguments)}});
  return json;
}

CUCO_EVOLVE_INLINE std::vector<ToolCall> tool_calls_from_json(ChatJson const& json, char const* key) {
  std::vector<ToolCall> calls;
  if (auto const found = json.find(key); found != json.end() && found->is_array())
    for (ChatJson const& call : *found)
      if (call.is_object())
        calls.push_back({text_at(call, "id"), text_at(call, "name"), text_at(call, "arguments")});
  return calls;
}

/// Adds a member only when there is something to tell, which keeps lines readable.
CUCO_EVOLVE_INLINE void add_text(ChatJson& json, char const* key, std::string const& value) {
  if (!value.empty()) json[key] = bytes_to_json(value);
}

CUCO_EVOLVE_INLINE std::string request_to_json(ChatRequest const& request) {
  ChatJson json = ChatJson::object();
  add_text(json, "system", request.system);
  json["messages"] = ChatJson::array();
  for (ChatMessage const& m : request.messages) {
    ChatJson turn = ChatJson::object();
    turn["role"] = m.role == ChatMessage::Role::kUser   ? "user"
                   : m.role == ChatMessage::Role::kTool ? "tool"
                                                        : "assistant";
    turn["text"] = bytes_to_json(m.text);
    if (!m.tool_calls.empty()) turn["tool_calls"] = tool_calls_to_json(m.tool_calls);
    add_text(turn, "tool_call_id", m.tool_call_id);
    add_text(turn, "provider_state", m.provider_state);
    json["messages"].push_back(std::move(turn));
  }
  if (request.temperature && std::isfinite(*request.temperature)) json["temperature"] = *request.temperature;
  json["max_tokens"] = request.max_tokens;
  if (request.effort != Effort::kDefault) json["effort"] = to_string(request.effort);
  if (request.thinking_tokens != 0) json["thinking_tokens"] = request.thinking_tokens;
  for (ToolSpec const& tool : request.tools)
    json["tools"].push_back({{"name", bytes_to_json(tool.name)},
                             {"description", bytes_to_json(tool.description)},
                             {"parameters", bytes_to_json(tool.parameters)}});
  add_text(json, "json_schema", request.json_schema);
  if (!request.cache_prompt) json["cache_prompt"] = false;
  return json.dump();
}

CUCO_EVOLVE_INLINE Result<ChatRequest> request_from_json(std::string_view text) {
  auto const json = ChatJson::parse(text, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::kParse, "this is not a recorded request");
  ChatRequest request;
  request.system = text_at(json, "system");
  if (auto const turns = json.find("messages"); turns != json.end() && turns->is_array()) {
    for (ChatJson const& turn : *turns) {
      if (!turn.is_object()) continue;
      ChatMessage& m = request.messages.emplace_back();
      std::string const role = text_at(turn, "role");
      m.role = role == "assistant" ? ChatMessage::Role::kAssistant
               : role == "tool"    ? ChatMessage::Role::kTool
                                   : ChatMessage::Role::kUser;
      m.text = text_at(turn, "text");
      m.tool_calls = tool_calls_from_json(turn, "tool_calls");
      m.tool_call_id = text_at(turn, "tool_call_id");
      m.provider_state = text_at(turn, "provider_state");
    }
  }
  request.temperature = number_at(json, "temperature");
  request.max_tokens = static_cast<int>(whole_at(json, "max_tokens", request.max_tokens));
  std::string const effort = text_at(json, "effort");
  for (Effort const e : {Effort::kNone, Effort::kLow, Effort::kMedium, Effort::kHigh, Effort::kMax})
    if (effort == to_string(e)) request.effort = e;
  request.thinking_tokens = static_cast<int>(whole_at(json, "thinking_tokens"));
  if (auto const tools = json.find("tools"); tools != json.end() && tools->is_array())
    for (ChatJson const& tool : *tools)
      if (tool.is_object())
        request.tools.push_back(
            {text_at(tool, "name"), text_at(tool, "description"), text_at(tool, "parameters")});
  request.json_schema = text_at(json, "json_schema");
  if (auto const cache = json.find("cache_prompt"); cache != json.end() && cache->is_boolean())
    request.cache_prompt = cache->get<bool>();
  return request;
}

CUCO_EVOLVE_INLINE ChatJson reply_to_json(ChatReply const& reply) {
  ChatJson json = ChatJson::object();
  json["text"] = bytes_to_json(reply.text);
  json["finish"] = to_string(reply.finish);
  if (!reply.tool_calls.empty()) json["tool_calls"] = tool_calls_to_json(reply.tool_calls);
  add_text(json, "thinking", reply.thinking);
  add_text(json, "provider_state", reply.provider_state);
  add_text(json, "model", reply.model);
  json["usage"] = {{"input", reply.usage.input},
                   {"output", reply.usage.output},
                   {"cache_read", reply.usage.cache_read},
                   {"cache_written", reply.usage.cache_written},
                   {"thinking", reply.usage.thinking}};
  if (reply.cost_usd && std::isfinite(*reply.cost_usd)) json["cost_usd"] = *reply.cost_usd;
  return json;
}

inline constexpr std::array kAllFinishReasons{
    FinishReason::kEnd, FinishReason::kLength, FinishReason::kFiltered, FinishReason::kToolUse};

/// Nothing without a finish reason that is known: what is cut off must not pass for whole.
CUCO_EVOLVE_INLINE std::optional<ChatReply> reply_from_json(ChatJson const& json) {
  ChatReply reply;
  reply.text = text_at(json, "text");
  std::string const finish = text_at(json, "finish");
  auto const reason = std::find_if(kAllFinishReasons.begin(),
                                   kAllFinishReasons.end(),
                                   [&](FinishReason known) { return finish == to_string(known); });
  if (reason == kAllFinishReasons.end()) return std::nullopt;
  reply.finish = *reason;
  reply.tool_calls = tool_calls_from_json(json, "tool_calls");
  reply.thinking = text_at(json, "thinking");
  reply.provider_state = text_at(json, "provider_state");
  reply.model = text_at(json, "model");
  if (auto const usage = json.find("usage"); usage != json.end() && usage->is_object())
    reply.usage = {whole_at(*usage, "input"),
                   whole_at(*usage, "output"),
                   whole_at(*usage, "cache_read"),
                   whole_at(*usage, "cache_written"),
                   whole_at(*usage, "thinking")};
  reply.cost_usd = number_at(json, "cost_usd");
  return reply;
}

inline constexpr std::array kAllErrorCodes{ErrorCode::kInvalidArgument,
                                           ErrorCode::kParse,
                                           ErrorCode::kRefused,
                                           ErrorCode::kNotVerified,
                                           ErrorCode::kNotFound,
                                           ErrorCode::kIo,
                                           ErrorCode::kStorage,
                                           ErrorCode::kConflict,
                                           ErrorCode::kToolMissing,
                                           ErrorCode::kProcess,
                                           ErrorCode::kTimeout,
                                           ErrorCode::kBudget,
                                           ErrorCode::kCancelled,
                                           ErrorCode::kInternal};

CUCO_EVOLVE_INLINE ChatJson error_to_json(Error const& error) {
  ChatJson json = ChatJson::object();
  json["code"] = to_string(error.code);
  json["cause"] = bytes_to_json(error.cause);
  add_text(json, "remedy", error.remedy);
  add_text(json, "file", error.file);
  if (error.line != 0) json["line"] = error.line;
  add_text(json, "detail", error.detail);
  return json;
}

/// Nothing without a code that is known: it decides whether the call is repeated.
CUCO_EVOLVE_INLINE std::optional<Error> error_from_json(ChatJson const& json) {
  Error error;
  std::string const word = text_at(json, "code");
  auto const code = std::find_if(kAllErrorCodes.begin(), kAllErrorCodes.end(), [&](ErrorCode known) {
    return word == to_string(known);
  });
  if (code == kAllErrorCodes.end()) return std::nullopt;
  error.code = *code;
  error.cause = text_at(json, "cause");
  error.remedy = text_at(json, "remedy");
  error.file = text_at(json, "file");
  error.line = static_cast<std::uint32_t>(whole_at(json, "line"));
  error.detail = text_at(json, "detail");
  return error;
}

CUCO_EVOLVE_INLINE std::string answer_to_json(Result<ChatReply> const& answer) {
  ChatJson json = ChatJson::object();
  if (answer) {
    json["reply"] = reply_to_json(*answer);
  } else {
    json["error"] = error_to_json(answer.error());
  }
  return json.dump();
}

CUCO_EVOLVE_INLINE std::optional<Result<ChatReply>> answer_from_json(std::string_view text) {
  auto const json = ChatJson::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  if (auto const found = json.find("reply"); found != json.end() && found->is_object()) {
    if (auto reply = reply_from_json(*found)) return Result<ChatReply>(*std::move(reply));
  } else if (auto const failed = json.find("error"); failed != json.end() && failed->is_object()) {
    if (auto error = error_from_json(*failed))
      return Result<ChatReply>(tl::unexpected<Error>(*std::move(error)));
  }
  return std::nullopt;
}

/// Looks the secrets up once for all texts of a call.
class Redactor {
 public:
  void operator()(std::string& text) const { redact_with(secrets_, text); }
  void operator()(std::vector<ToolCall>& calls) const {
    for (ToolCall& call : calls)
      for (std::string* text : {&call.id, &call.name, &call.arguments}) (*this)(*text);
  }

 private:
  std::vector<std::string> secrets_ = secret_spellings();
};

CUCO_EVOLVE_INLINE ChatRequest redacted(ChatRequest const& request) {
  Redactor const redact;
  ChatRequest out = request;
  redact(out.system);
  for (ChatMessage& m : out.messages) {
    for (std::string* text : {&m.text, &m.tool_call_id, &m.provider_state}) redact(*text);
    redact(m.tool_calls);
  }
  for (ToolSpec& tool : out.tools)
    for (std::string* text : {&tool.name, &tool.description, &tool.parameters}) redact(*text);
  redact(out.json_schema);
  return out;
}

CUCO_EVOLVE_INLINE Result<ChatReply> redacted(Result<ChatReply> answer) {
  Redactor const redact;
  if (!answer) {
    Error& error = answer.error();
    for (std::string* text : {&error.cause, &error.remedy, &error.file, &error.detail}) redact(*text);
    return answer;
  }
  for (std::string* text : {&answer->text, &answer->thinking, &answer->provider_state, &answer->model})
    redact(*text);
  redact(answer->tool_calls);
  return answer;
}

}  // namespace cuco::impl
