// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/openai_chat_wire.hpp"
#include "cuco/llm/wire/openai_responses_wire.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

/// The text of a message of the output; what the model says when it declines goes to `refusal`.
CUCO_EVOLVE_INLINE std::string responses_text(Json const& message, std::string* refusal) {
  std::string text;
  for (Json const& part : at(message, "content")) {
    if (text_at(part, "type") == "output_text") text += text_at(part, "text");
    if (refusal != nullptr) *refusal += text_at(part, "refusal");
  }
  return text;
}

/// Items of an earlier turn as they came, if they say what the message says. Thinking is taken only together
/// with the very items that followed it.
CUCO_EVOLVE_INLINE Json responses_kept_items(ChatMessage const& message) {
  Json state = state_of(message, "openai");
  Json const& items = at(state, "items");
  std::string text;
  std::vector<std::string> ids;
  for (Json const& item : items) {
    if (text_at(item, "type") == "message") text += responses_text(item, nullptr);
    if (text_at(item, "type") == "function_call") ids.push_back(text_at(item, "call_id"));
  }
  bool same = text == message.text && ids.size() == message.tool_calls.size();
  for (std::size_t i = 0; same && i < ids.size(); ++i) same = ids[i] == message.tool_calls[i].id;
  return same && items.is_array() ? items : Json();
}

CUCO_EVOLVE_INLINE Json responses_input(ChatRequest const& request, Dialect const& dialect) {
  Json input = Json::array();
  for (ChatMessage const& message : request.messages) {
    switch (message.role) {
      case ChatMessage::Role::kUser:
        input.push_back(Json{{"role", "user"}, {"content", message.text}});
        break;
      case ChatMessage::Role::kTool:
        input.push_back(Json{
            {"type", "function_call_output"}, {"call_id", message.tool_call_id}, {"output", message.text}});
        break;
      case ChatMessage::Role::kAssistant: {
        Json kept = dialect.no_state || dialect.no_encrypted_state ? Json() : responses_kept_items(message);
        if (kept.is_array()) {
          for (Json& item : kept) input.push_back(std::move(item));
          break;
        }
        if (!message.text.empty()) input.push_back(Json{{"role", "assistant"}, {"content", message.text}});
        for (ToolCall const& call : message.tool_calls)
          input.push_back(Json{{"type", "function_call"},
                               {"call_id", call.id},
                               {"name", call.name},
                               {"arguments", call.arguments}});
        break;
      }
    }
  }
  return input;
}

CUCO_EVOLVE_INLINE Body responses_body(std::string const& model,
                                       ChatRequest const& request,
                                       Dialect const& dialect,
                                       bool stream) {
  Body body;
  body.json = dialect.json;
  bool const wants_json = !request.json_schema.empty();
  bool const reasoning = is_openai_reasoning(model);
  std::string system = request.system;
  if (wants_json && body.json != JsonMode::kSchema)
    system += (system.empty() ? "" : "\n\n") + json_instruction(request.json_schema);

  Json json;
  json["model"] = model;
  if (!system.empty()) json["instructions"] = system;
  json["input"] = responses_input(request, dialect);
  // The word JSON must occur in the input itself, or "json_object" is refused.
  if (wants_json && body.json == JsonMode::kLoose)
    json["input"].push_back(Json{{"role", "developer"}, {"content", "Answer in JSON."}});
  json["max_output_tokens"] = request.max_tokens;
  if (request.temperature && !dialect.no_temperature && !reasoning)
    json["temperature"] = *request.temperature;
  if (std::string const effort = openai_effort(request, dialect); reasoning && !effort.empty())
    json["reasoning"]["effort"] = effort;
  for (ToolSpec const& tool : request.tools)
    json["tools"].push_back(Json{{"type", "function"},
                                 {"name", tool.name},
                                 {"description", tool.description},
                                 {"parameters", schema_of(tool.parameters)},
                                 {"strict", false}});
  if (wants_json && body.json == JsonMode::kSchema) {
    Json schema = schema_of(request.json_schema);
    close_objects(schema);
    bool const strict = is_strict(schema);
    json["text"]["format"] =
        Json{{"type", "json_schema"}, {"name", "reply"}, {"schema", std::move(schema)}, {"strict", strict}};
  } else if (wants_json && body.json == JsonMode::kLoose) {
    json["text"]["format"]["type"] = "json_object";
  }
  json["store"] = false;
  if (reasoning && !dialect.no_encrypted_state)
    json["include"] = Json::array({"reasoning.encrypted_content"});
  if (stream) json["stream"] = true;
  body.text = dump(json);
  return body;
}

CUCO_EVOLVE_INLINE Error responses_error(Json const& error) {
  std::string const kind = text_at(error, "code") + " " + text_at(error, "type");
  auto const is = [&](char const* word) { return kind.find(word) != std::string::npos; };
  long status = status_at(error, "code").value_or(500);
  if (is("rate_limit") || is("insufficient_quota")) status = 429;
  if (is("overloaded") || is("slow_down")) status = 503;
  if (is("invalid_api_key") || is("authentication")) status = 401;
  if (is("invalid") || is("context_length") || is("not_supported")) status = is("api_key") ? 401 : 400;
  std::string words = text_at(error, "message");
  if (!text_at(error, "code").empty()) words += " (" + text_at(error, "code") + ")";
  return provider_error("openai", status, std::nullopt, words);
}

CUCO_EVOLVE_INLINE TokenUsage responses_usage(Json const& json) {
  TokenUsage usage;
  usage.input = count_at(json, "input_tokens");
  usage.output = count_at(json, "output_tokens");
  usage.cache_read = count_at(at(json, "input_tokens_details"), "cached_tokens");
  usage.thinking = count_at(at(json, "output_tokens_details"), "reasoning_tokens");
  return usage;
}

CUCO_EVOLVE_INLINE Result<ChatReply> responses_read(Json const& json) {
  if (!json.is_object()) return malformed("openai", "it is not a JSON object");
  ChatReply reply;
  reply.usage = responses_usage(at(json, "usage"));
  if (at(json, "error").is_object())
    return counted(tl::unexpected<Error>(responses_error(at(json, "error"))), reply);
  Json const& output = at(json, "output");
  std::string const status = text_at(json, "status");
  if (!output.is_array()) return counted(malformed("openai", "it has no output"), reply);
  std::string refusal;
  bool keep = false;
  for (Json const& item : output) {
    std::string const type = text_at(item, "type");
    if (type == "message") {
      reply.text += responses_text(item, &refusal);
    } else if (type == "function_call") {
      reply.tool_calls.push_back(
          {text_at(item, "call_id"), text_at(item, "name"), text_at(item, "arguments")});
    } else if (type == "reasoning") {
      for (Json const& part : at(item, "summary")) {
        if (!reply.thinking.empty()) reply.thinking += "\n";
        reply.thinking += text_at(part, "text");
      }
      keep = keep || !text_at(item, "encrypted_content").empty();
    }
  }
  if (keep) reply.provider_state = dump(Json{{"provider", "openai"}, {"items", output}});
  std::string const why = text_at(at(json, "incomplete_details"), "reason");
  if (status == "completed") {
    reply.finish = !reply.tool_calls.empty() ? FinishReason::kToolUse
                   : !refusal.empty()        ? FinishReason::kFiltered
                                             : FinishReason::kEnd;
    if (reply.text.empty()) reply.text = refusal;
  } else if (status == "incomplete" && why == "max_output_tokens") {
    reply.finish = FinishReason::kLength;
  } else if (status == "incomplete" && why == "content_filter") {
    reply.finish = FinishReason::kFiltered;
  } else if (status == "incomplete") {
    return counted(unknown_finish("openai", why), reply);
  } else if (status == "failed" || status == "cancelled") {
    return counted(
        tl::unexpected<Error>(provider_error("openai", 500, std::nullopt, "the response " + status)), reply);
  } else if (status.empty() || status == "in_progress" || status == "queued") {
    return counted(no_finish("openai"), reply, false);
  } else {
    return counted(unknown_finish("openai", status), reply);
  }
  return reply;
}

CUCO_EVOLVE_INLINE Result<ChatReply> responses_reply(std::string_view body) {
  Json const json = parse(body);
  if (json.is_discarded()) return malformed("openai", "it is not JSON");
  return guarded("openai", [&] { return responses_read(json); });
}

/// The last event carries the whole response; the others are needed for `on_text`, and for servers that leave
/// the output out at the end.
class ResponsesDecoder final : public SseDecoder {
 public:
  explicit ResponsesDecoder(OnText on_text) : SseDecoder("openai", std::move(on_text)) {}
  [[nodiscard]] std::optional<TokenUsage> counted() const override {
    if (!begun_) return std::nullopt;
    return responses_usage(at(response_, "usage"));
  }

 private:
  [[nodiscard]] Status take(std::string const& name, Json& event) override {
    std::string type = text_at(event, "type");
    if (type.empty()) type = name;
    // Before its output begins, a response may still be refused for the rate or the quota.
    begun_ = begun_ || type.rfind("response.output", 0) == 0 || type.rfind("response.reasoning", 0) == 0;
    if (type == "response.output_text.delta") {
      tell(text_at(event, "delta"));
    } else if (type == "response.output_item.done") {
      if (at(event, "item").is_object()) items_.push_back(std::move(event["item"]));
    } else if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
      if (!at(event, "response").is_object()) return malformed(provider_, "the last event has no response");
      response_ = std::move(event["response"]);
      ended_ = true;
    } else if (type == "error") {
      Json const& inner = at(event, "error");
      return tl::unexpected<Error>(responses_error(inner.is_object() ? inner : event));
    }
    return {};
  }

  [[nodiscard]] Result<ChatReply> complete() override {
    if (!response_.is_object()) return no_finish(provider_);
    if (at(response_, "output").empty() && !items_.empty()) response_["output"] = std::move(items_);
    return responses_read(response_);
  }

  Json items_ = Json::array();
  Json response_{};
  bool begun_ = false;
};

CUCO_EVOLVE_INLINE std::unique_ptr<ReplyDecoder> responses_decoder(OnText on_text) {
  return std::make_unique<ResponsesDecoder>(std::move(on_text));
}

}  // namespace cuco::wire
